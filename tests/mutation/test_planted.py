"""Every planted bug can be planted where it says, and the lock-step run finds one."""

import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused
from rich.console import Console

import tools.planted
from marginspec.base.errors import BadInput
from marginspec.base.package import ROOT
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.mutation.hunt import bugs_document, planted_summary, with_planted
from marginspec.mutation.planted import Bug, Hunt, build, hunt, load, shown
from marginspec.mutation.run import mutate
from marginspec.report.kill_matrix import show_mutate
from marginspec.systems.aave_v3 import sources as aave_v3
from marginspec.systems.curie import sources as curie
from marginspec.systems.perps_v2 import sources as perps_v2
from marginspec.systems.registry import NAMES, shipped
from marginspec.targets.protocol import Target
from tools.planted import main

CHEAP = "withdraw-for-anybody"
FETCHED = {"aave-v3": aave_v3, "curie": curie, "perps-v2": perps_v2}
"""Systems whose bugs are compiled of sources that do not travel."""

GOOD = {
    "id": "a-bug",
    "file": "src/Morpho.sol",
    "find": "maxBorrow >= borrowed",
    "replace": "maxBorrow > borrowed",
    "rule": "HLT-3",
    "incident": "",
    "why": "The borrower loses collateral.",
}


@pytest.fixture(params=sorted(NAMES))
def system(request: pytest.FixtureRequest) -> str:
    """One system with planted bugs."""
    if request.param in FETCHED and not FETCHED[request.param].fetched():
        pytest.skip("its sources are not here: run `make packages`")
    return str(request.param)


def entries(system: str) -> list[dict[str, Any]]:
    """The file of a system as it is written, unchecked."""
    return list(tomllib.loads(shipped(system).planted.read_text())["bug"])


def written(folder: Path, *bugs: dict[str, Any]) -> Path:
    """A file of bugs; a string in Python's notation without quotes of its own is one in TOML too."""
    path = folder / "bugs.toml"
    tables = ["\n".join(["[[bug]]", *(f"{name} = {value!r}" for name, value in bug.items())]) for bug in bugs]
    path.write_text("\n".join(tables))
    return path


def test_what_a_bug_changes_occurs_exactly_once_in_the_installed_package(system: str) -> None:
    sources = shipped(system).sources.read()
    counts = {bug["id"]: sources[bug["file"]].count(bug["find"]) for bug in entries(system)}
    assert {name: count for name, count in counts.items() if count != 1} == {}
    assert [bug.id for bug in load(system)] == list(counts)


def test_there_are_at_least_sixteen_bugs_and_no_id_is_used_twice(system: str) -> None:
    ids = [bug["id"] for bug in entries(system)]
    assert len(ids) == len(set(ids)) >= 16


def test_no_two_bugs_are_the_same_change(system: str) -> None:
    changes = [(bug["file"], bug["find"], bug["replace"]) for bug in entries(system)]
    assert len(changes) == len(set(changes))


def test_every_rule_that_a_bug_breaks_exists(system: str) -> None:
    # tests/test_specification.py shows that the rules of the text are those of the model.
    chapters = [*ROOT.glob(f"spec/deployed/{system}.md"), *ROOT.glob(f"spec/{system}/*.md")]
    text = "\n".join(path.read_text() for path in chapters)
    rules = set(re.findall(r"^### ([A-Z]{3}-\d+) ", text, re.MULTILINE))
    assert rules
    assert {bug["rule"] for bug in entries(system)} - rules == set()


def test_only_the_few_tokens_of_the_place_are_quoted(system: str) -> None:
    assert {bug["id"] for bug in entries(system) if len(bug["find"].split()) > 16} == set()


def test_a_good_file_is_read(tmp_path: Path) -> None:
    assert load("morpho-blue", written(tmp_path, GOOD)) == [Bug("morpho-blue", **GOOD)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"find": "no such text"}, "bug 1: find occurs 0 times in src/Morpho.sol, expected 1: 'no such"),
        ({"find": "market[id]"}, r"bug 1: find occurs \d\d+ times in src/Morpho.sol, expected 1"),
        ({"find": " "}, "bug 1: field find is empty"),
        ({"replace": GOOD["find"]}, "bug 1: replace is the same as find"),
        ({"file": "src/Other.sol"}, "bug 1: file 'src/Other.sol' is not in the package"),
        ({"rule": "HLT3"}, "bug 1: rule 'HLT3' is not of the form ABC-1"),
        ({"id": "A bug"}, "bug 1: id 'A bug' is not of the form like-this"),
        ({"why": 3}, "bug 1: expected a table of strings"),
        ({"whom": "x"}, "bug 1: has unknown field whom"),
    ],
)
def test_a_malformed_bug_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as raised:
        load("morpho-blue", written(tmp_path, {**GOOD, **change}))
    assert "\n" not in str(raised.value)


def test_a_missing_field_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="bug 1: lacks field why"):
        load("morpho-blue", written(tmp_path, {name: value for name, value in GOOD.items() if name != "why"}))
    with pytest.raises(BadInput, match="bug 2: id a-bug is taken"):
        load("morpho-blue", written(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("text", ["", "bug = []", "bug = 3", "x = 1\n[[bug]]", "bug = [1]", "[[bug"])
def test_a_file_that_lists_no_bugs_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bugs.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=re.escape(str(path))):
        load("morpho-blue", path)


def test_a_file_or_system_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load("morpho-blue", tmp_path / "none.toml")
    with pytest.raises(BadInput, match="unknown system 'morpho': known are aave-v3, curie, morpho-blue"):
        load("morpho")


@pytest.mark.parametrize(
    "arguments", ["morpho", "morpho-blue --steps 0", "morpho-blue --only x", "morpho-blue --seed x"]
)
def test_the_command_refuses_bad_input_with_one_line(arguments: str, in_process: Command) -> None:
    refused(in_process(main, *arguments.split()), "")


def test_the_command_says_of_a_bug_which_field_and_which_laws_show_it(
    in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All vectors are searched for in minutes; that one of them fails is tested with them.
    monkeypatch.setattr(tools.planted, "vector_runs", lambda *_: [])
    done = in_process(main, "morpho-blue", "--only", CHEAP, "--steps", "5000", "--watched", "5000")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    (bug,) = document["bugs"]
    assert (document["schema"], document["system"]) == ("marginspec/planted/1", "morpho-blue")
    assert (bug["id"], bug["divergence"]["rule"], bug["passed"]) == (CHEAP, "AUT-2", True)
    assert bug["killed_by"] == ["differential", *bug["laws"]]
    assert "MB-AUT-2" in bug["laws"]
    counted = {"planted": 1, "planted_killed": 1, "planted_killed_by_differential": 1, "planted_killed_by_laws": 1}
    assert document["summary"] == {**counted, "planted_killed_by_vectors": 0}
    assert "MB-AUT-2" in done.stderr


def test_planted_bugs_and_mutants_are_one_matrix(tmp_path: Path) -> None:
    nothing = mutate("morpho-blue", MorphoBlue, _no_target, (), tmp_path / "none", 5000, 1, only=lambda m: False)
    (bug,) = (bug for bug in load("morpho-blue") if bug.id == CHEAP)
    document = with_planted(nothing, [bug], steps=5000, vectors=(), workers=1)
    assert (document["schema"], document["mutants"]) == ("marginspec/mutate/1", [])
    assert [row["id"] for row in document["planted"]] == [CHEAP]
    assert document["summary"]["total"] == 0
    assert document["summary"]["planted_killed_by_laws"] == 1
    console = Console(file=io.StringIO(), width=200)
    show_mutate(document, console, every=True)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert CHEAP in shown
    assert "planted killed by laws 1" in shown


def test_what_nothing_noticed_is_shown_without_being_asked_for() -> None:
    (bug,) = (bug for bug in load("morpho-blue") if bug.id == CHEAP)
    entries = bugs_document([bug], [Hunt(bug, None)])
    assert (entries[0]["killed_by"], entries[0]["passed"]) == ([], False)
    console = Console(file=io.StringIO(), width=200)
    show_mutate({"mutants": [], "broken_by": {}, "planted": entries, "summary": {}}, console, every=False)
    assert f"{CHEAP}" in console.file.getvalue()  # type: ignore[attr-defined]
    assert planted_summary([Hunt(bug, None)])["planted_killed"] == 0
    assert planted_summary([Hunt(bug, None, laws=("MB-AUT-2",), laws_after=3)])["planted_killed"] == 1


def _no_target() -> Target:
    raise AssertionError("nothing is compared")


def test_the_lock_step_run_finds_a_planted_bug_and_shrinks_it() -> None:
    """Costs one compilation when the cache is empty."""
    (bug,) = (bug for bug in load("morpho-blue") if bug.id == CHEAP)
    assert build(bug).keys() == {"Morpho"}
    found = hunt(bug, steps=5_000, seed=1)
    assert found.passed
    assert found.key[0] == bug.rule


def test_a_bug_with_a_long_trace_is_hunted_again_and_found_when_it_was_found_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (bug,) = (bug for bug in load("morpho-blue") if bug.id == CHEAP)
    ways = {1: Hunt(bug, 700, 30), 2: Hunt(bug, None), 3: Hunt(bug, 90, 5), 4: Hunt(bug, 10, 1)}
    monkeypatch.setattr("marginspec.mutation.planted._hunted", lambda bug, chosen, target, steps, seed: ways[seed])
    assert hunt(bug, steps=1000, seed=1) == Hunt(bug, 700, 5)
    assert hunt(bug, steps=1000, seed=2) == Hunt(bug, None)
    assert hunt(bug, steps=1000, seed=1, told=Hunt(bug, None, vector=("AUT-2", "outcome"), vector_length=8)) == ways[1]


def test_a_bug_that_random_runs_miss_shows_in_a_vector() -> None:
    (bug,) = (bug for bug in load("reference") if bug.id == "liquidation-at-maintenance")
    fall = Call("move_price", {"asset": "ETH", "move": 810_000})
    deposit = Call("deposit", {"account": "trader", "token": "USD", "amount": 10_883_440_000})
    most = {"liquidator": "maker", "account": "trader", "market": "ETH-PERP", "most": 1_000_000_000}
    runs = [[fall, Call("liquidate", most)], [fall, deposit, Call("liquidate", most)]]
    assert not shown(bug, runs[:1]).killed
    found = shown(bug, runs)
    assert (found.vector, found.vector_length) == (("LIQ-5", "outcome"), 3)
    assert (found.found_after, found.killed, found.passed) == (None, True, True)
    (entry,) = bugs_document([bug], [found])
    assert (entry["killed_by"], entry["divergence"]["rule"]) == (["vector"], "LIQ-5")
