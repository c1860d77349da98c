"""The third system, in a folder outside of the repository: the optional fields of `System` bring all that ours have."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Command

from marginspec.systems.registry import system
from marginspec.targets.evm.vyper import compile_files

EXAMPLE = Path(__file__).parents[2] / "examples" / "pawnshop"
BUG = ("<= self._limit(msg.sender)", "<= self._limit(msg.sender) + 1")

Asked = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user has the system."""
    where = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, where / "pawnshop")
    return where


@pytest.fixture
def asked(folder: Path, here: Command, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Runs a verb there; its document, and its exit code as `code`."""
    monkeypatch.chdir(folder)

    def ask(*command: str) -> dict[str, Any]:
        done = here(*command, "--json")
        assert done.returncode in (0, 1), done.stderr
        return {**json.loads(done.stdout), "code": done.returncode}

    return ask


@pytest.fixture
def candidate(folder: Path) -> str:
    """A build of it with a bug: borrowers may owe a unit more than the limit."""
    sources = {path.name: path.read_text() for path in (folder / "pawnshop" / "contracts").glob("*.vy")}
    assert BUG[0] in sources["pawnshop.vy"]
    changed = {**sources, "pawnshop.vy": sources["pawnshop.vy"].replace(*BUG)}
    (folder / "bug.json").write_text(json.dumps(compile_files(changed, ("pawnshop",))["pawnshop"]))
    return "pawnshop=bug.json"


def test_it_holds(asked: Asked) -> None:
    found = asked("check", "pawnshop", "--steps", "3000")
    assert (found["code"], found["verdict"]) == (0, "holds")
    assert found["fuzz"]["unreached"] == []


def test_every_path_has_a_vector(asked: Asked) -> None:
    found = asked("vectors", "pawnshop")
    assert (found["code"], found["open"], found["failures"]) == (0, [], [])


def test_a_generated_book_is_audited(asked: Asked) -> None:
    found = asked("audit", "pawnshop", "--accounts", "20")
    assert (found["verdict"], found["accounts"], found["compared"]) == ("holds", 20, {"liquidate": 20})
    assert 0 < found["liquidatable"] < 20


def test_its_planted_bugs_are_found_and_every_mutant_is_noticed(asked: Asked) -> None:
    found = asked("mutate", "pawnshop", "--planted", "--no-proofs", "--steps", "4000")
    assert found["summary"]["survived"] == 0
    assert found["summary"]["planted_killed_by_differential"] == found["summary"]["planted"] == 3


def test_an_upgrade_says_whom_it_makes_forfeit_and_who_gains(asked: Asked, candidate: str) -> None:
    found = asked("diff", "pawnshop", "shipped", candidate, "--steps", "4000")
    assert found["code"] == 1
    assert {row["rule"] for row in found["differences"]} >= {"BRW-3"}
    (row, *_) = (row for row in found["differences"] if row["rule"] == "BRW-3")
    assert row["direction"] == "more permissive for the user"
    assert row["minimal_account"]["after"]["standing"]["word"] in ("forfeit", "insolvent")
    assert set(row["exports"]) == {"itf", "pytest", "foundry"}


def test_a_counterexample_is_told_with_plots(asked: Asked, candidate: str, folder: Path) -> None:
    (found,) = asked("fuzz", "pawnshop", "--artifact", candidate, "--steps", "4000")["divergences"]
    assert asked("report", found["trace"], "--system", "pawnshop", "--out", "report.html")["stories"] == 1
    page = (folder / "report.html").read_text()
    assert "Debt against its limit: " in page
    assert "<svg" in page


def test_only_whoever_has_said_how_gets_it(asked: Asked, folder: Path, here: Command) -> None:
    asked("init", "till")
    for verb, lacks in (("audit", "no `book`"), ("diff", "no contracts that can be read from a node")):
        given = ["shipped", f"till=0x{'1' * 40}@http://127.0.0.1:1"] if verb == "diff" else []
        done = here(verb, "till", *given)
        assert done.returncode == 2
        assert lacks in done.stderr
    assert system("till").view is None
