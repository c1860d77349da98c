"""Lines of a candidate build that a run executes, from its source map."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused
from vyper.cli.vyper_json import compile_json

EXAMPLE = Path(__file__).parents[2] / "examples" / "pawnshop"
NEVER = "\n\n@external\n@view\ndef never() -> uint256:\n    return 7\n"


def built(text: str) -> dict[str, Any]:
    """Vyper's standard output for a contract."""
    asked = {"outputSelection": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"]}}
    sources = {"src/pawnshop.vy": {"content": text}}
    return dict(compile_json({"language": "Vyper", "sources": sources, "settings": asked}))


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A build of the pawnshop with a function that nothing calls, its source beside it."""
    text = (EXAMPLE / "contracts" / "pawnshop.vy").read_text() + NEVER
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pawnshop.vy").write_text(text)
    (tmp_path / "build.json").write_text(json.dumps(built(text)))
    shutil.copytree(EXAMPLE, tmp_path / "lcov_shop")
    return tmp_path / "build.json"


def test_lines_that_no_call_reached_are_told(here: Command, candidate: Path) -> None:
    done = here(
        "fuzz", "lcov_shop", "--artifact", "pawnshop=build.json", "--steps", "400", "--lcov", "l.info", "--json"
    )
    told = json.loads(done.stdout)["lines"]
    lines = (candidate.parent / "src" / "pawnshop.vy").read_text().splitlines()
    (row,) = told["files"]
    assert (row["file"], told["missed"], told["unmapped"]) == ("src/pawnshop.vy", 0, [])
    (unreached,) = row["unreached"]
    first, last = map(int, unreached.split("-"))
    assert [line.strip() for line in lines[first - 1 : last]] == ["def never() -> uint256:", "return 7"]
    assert row["reached"] == row["lines"] - 2 >= 40
    records = Path("l.info").read_text().splitlines()
    assert records[0] == "SF:src/pawnshop.vy"
    assert [record for record in records if record.endswith(",0")] == [f"DA:{first},0", f"DA:{last},0"]
    assert records[-3:] == [f"LF:{row['lines']}", f"LH:{row['reached']}", "end_of_record"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "anvil"), "the embedded EVM alone tells which lines run"),
        ((), "no artifact has a source map"),
    ],
)
def test_where_no_line_can_be_told_that_is_bad_input(here: Command, arguments: tuple[str, ...], said: str) -> None:
    refused(here("fuzz", "morpho-blue", "--steps", "10", "--lcov", "lcov.info", *arguments), said)
    assert not Path("lcov.info").exists()
