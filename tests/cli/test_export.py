"""`marginspec export` writes a trace in every form that it has; `fuzz` does so with what it finds."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused

from marginspec.lockstep.trace import trace_of, write
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.systems.morpho_blue.adapter import shipped_contracts


def build(folder: Path, **changes: bytes) -> Path:
    """A candidate build of Morpho with other words in it."""
    shipped = shipped_contracts()["Morpho"]
    code = shipped.bytecode
    for old, new in changes.items():
        code = code.replace(old.replace("_", " ").encode(), new)
    path = folder / "Morpho.json"
    path.write_text(json.dumps({"abi": shipped.abi, "bytecode": "0x" + code.hex()}))
    return path


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    supply = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
    return write(MorphoBlue, trace_of(MorphoBlue, "embedded", 1, [Call("supply", supply)], None), tmp_path)


def test_every_form_is_written_beside_the_trace_or_where_it_is_told(here: Command, trace: Path, tmp_path: Path) -> None:
    done = here("export", trace.name, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    forms = {"itf": "morpho-blue-1.itf.json", "pytest": "test_morpho_blue_1.py", "foundry": "morpho-blue-1.t.sol"}
    assert json.loads(done.stdout) == {
        "schema": "marginspec/export/1",
        "system": "morpho-blue",
        "trace": trace.name,
        "files": forms,
        "omitted": {},
    }
    assert all((tmp_path / file).is_file() for file in forms.values())
    shown = here("export", trace.name, "--out", "new/folder", "--target", "sdk")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "no foundry: sdk runs no contracts" in shown.stdout
    assert {file.name for file in (tmp_path / "new" / "folder").iterdir()} == {forms["itf"], forms["pytest"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-trace.json"], "no-such-trace.json: No such file"),
        (["{trace}", "--artifact", "Morpho"], "expected NAME=FILE"),
        (["{trace}", "--artifact", "Morpho=nothing.json"], "nothing.json: No such file"),
        (["{trace}", "--artifact", "Venue={build}"], "morpho-blue has Morpho, ERC20Mock, OracleMock, IrmMock"),
        (
            ["{trace}", "--artifact", "Morpho={build}", "--target", "sdk"],
            "target that runs contracts, and 'sdk' does not",
        ),
        (["{trace}", "--out", "{trace}"], "exists"),
        ([], "'TRACE'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_one_line_and_code_2(
    arguments: list[str], said: str, here: Command, trace: Path, tmp_path: Path
) -> None:
    files = {"trace": trace, "build": build(tmp_path)}
    refused(here("export", *(argument.format(**files) for argument in arguments)), said)


def test_help_teaches_and_says_how_it_ends(here: Command) -> None:
    done = here("export", "--help")
    assert done.returncode == 0
    for part in ("--json", "--seed", "--artifact", "Foundry project", "Exit code 0: "):
        assert part in done.stdout


def test_fuzz_writes_what_it_finds_in_every_form_with_the_build_that_it_found_it_with(
    here: Command, tmp_path: Path
) -> None:
    candidate = build(tmp_path, inconsistent_input=b"inconsistent imput")
    done = here("fuzz", "morpho-blue", "--artifact", f"Morpho={candidate}", "--json")
    assert done.returncode == 1, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["divergences"]
    ((row,), stem) = found, Path(found[0]["trace"]).stem
    folder = Path("out") / "traces"
    assert row["exports"] == {
        "itf": str(folder / f"{stem}.itf.json"),
        "pytest": str(folder / f"test_{stem.replace('-', '_').lower()}.py"),
        "foundry": str(folder / f"{stem}.t.sol"),
    }
    assert {str(folder / name) for name in os.listdir(tmp_path / folder)} == {row["trace"], *row["exports"].values()}
    assert str(candidate) in (tmp_path / row["exports"]["pytest"]).read_text()
    assert b"inconsistent imput".hex() in (tmp_path / row["exports"]["foundry"]).read_text()
