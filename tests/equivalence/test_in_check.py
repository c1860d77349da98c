"""Equality with the bytecode in `check`, in the report, and in `diff --prove`: at a bug that no run meets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import Command

from marginspec.__main__ import main
from marginspec.base.errors import BadInput
from marginspec.runs import equivalence
from marginspec.systems.registry import system
from marginspec.upgrade.model_target import ModelTarget

ROOT = Path(__file__).parents[2]
FOLDER = str(ROOT / "examples" / "pawnshop")
MAGIC = "self.debt[msg.sender] -= amount if self.debt[msg.sender] != 777215 else amount - 1"


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGINSPEC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "marginspec.toml").write_text('equivalence = ["repay", "pledge"]\nsteps = 1500\n')
    return tmp_path


@pytest.fixture
def magic(here: Path) -> str:
    """A build that forgets one unit of one debt."""
    sources = system(FOLDER).sources
    assert sources is not None
    files = sources.read()
    changed = files["pawnshop.vy"].replace("self.debt[msg.sender] -= amount", MAGIC)
    assert changed != files["pawnshop.vy"]
    (here / "magic.json").write_text(json.dumps(sources.compile({**files, "pawnshop.vy": changed})["pawnshop"]))
    return "pawnshop=magic.json"


def valid(text: str, kind: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    schema = json.loads((ROOT / "report" / "documents.schema.json").read_text())
    jsonschema.validate(document, {**schema, "$ref": f"#/$defs/{kind}"})
    return document


def test_a_check_says_of_each_action_whether_it_is_proved_or_sampled(here: Path, in_process: Command) -> None:
    done = in_process(main, "check", FOLDER, "--json")
    document = valid(done.stdout, "check")
    assert done.returncode == 0
    assert [(row["action"], row["verdict"]) for row in document["equivalence"]["actions"]] == [
        ("pledge", "proved"),
        ("repay", "proved"),
    ]
    (row,) = [row for row in document["gate"]["checks"] if row["check"] == "actions proved equal"]
    assert (row["verdict"], row["found"], row["threshold"]) == ("holds", "2 of 2", True)
    (here / "check.json").write_text(done.stdout)
    assert in_process(main, "report", "check.json", "--system", FOLDER).returncode == 0
    page = (here / "out" / "report.html").read_text()
    assert page.count(">proved equal<") == 2
    assert page.count(">sampled<") == 4
    assert "Proved of the deployed code" in page
    assert "assumed, not proved: all coins, and all cash, are at most 2^128 base units" in page
    again = in_process(main, "check", FOLDER)
    assert "gate: actions proved equal: 2 of 2 (all 2): holds" in again.stdout
    assert again.stdout.count("cached") == 2


def test_a_check_finds_what_no_run_meets_and_shows_it(here: Path, magic: str, in_process: Command) -> None:
    done = in_process(main, "check", FOLDER, "--artifact", magic, "--json")
    document = valid(done.stdout, "check")
    assert done.returncode == 1
    row = next(row for row in document["equivalence"]["actions"] if row["action"] == "repay")
    assert row["verdict"] == "refuted"
    assert {finding["kind"] for finding in document["findings"]} == {"divergence", "different"}
    assert in_process(main, "replay", row["trace"], "--system", FOLDER, "--artifact", magic).returncode == 1
    assert in_process(main, "replay", row["trace"], "--system", FOLDER).returncode == 0
    (here / "check.json").write_text(done.stdout)
    assert in_process(main, "report", "check.json", "--system", FOLDER).returncode == 1
    assert ">different<" in (here / "out" / "report.html").read_text()
    (here / "equivalence.json").write_text(json.dumps(document["equivalence"]))
    assert in_process(main, "report", "equivalence.json", "--system", FOLDER).returncode == 1


def test_an_action_that_is_none_is_bad_input(here: Path, in_process: Command) -> None:
    (here / "marginspec.toml").write_text('equivalence = ["repaid"]\n')
    done = in_process(main, "check", FOLDER)
    assert done.returncode == 2
    assert "marginspec.toml: equivalence: no action repaid; did you mean repay?" in done.stderr


def test_a_target_without_bytecode_is_bad_input() -> None:
    known = system(FOLDER)
    with pytest.raises(BadInput, match="equivalence is about bytecode, and --target 'model' runs none"):
        equivalence.require_actions(known, ModelTarget(known.model, str), ["repay"], "equivalence")


@pytest.mark.long
def test_an_upgrade_says_of_what_is_proved_that_it_does_not_differ(
    here: Path, magic: str, in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalence, "compared_actions", lambda model: ["pledge", "repay"])
    done = in_process(main, "diff", FOLDER, "shipped", magic, "--prove", "--steps", "500", "--json")
    document = valid(done.stdout, "diff")
    assert done.returncode == 1
    assert document["equal"] == ["pledge"]
    assert [row["rule"] for row in document["differences"]] == ["RPY-1"]
    done = in_process(main, "diff", FOLDER, "shipped", "shipped", "--prove", "--steps", "500")
    assert done.returncode == 0
    assert "no difference on any numbers in pledge, repay: both are proved" in done.stdout
    assert "diff: no difference; in pledge, repay on any numbers; else in 500 steps" in done.stdout


def test_parameters_cannot_be_proved_to_be_the_model(in_process: Command) -> None:
    done = in_process(main, "diff", "reference", "a.toml", "b.toml", "--prove")
    assert done.returncode == 2
    assert "--prove goes with two builds" in done.stderr
