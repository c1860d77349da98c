"""The pawnshop's bytecode is proved to be its model; with a bug in it, it is refuted by calls that replay."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from command import Command

from marginspec.__main__ import main
from marginspec.equivalence import guide, reaching, replay, run
from marginspec.equivalence.basis import Basis
from marginspec.equivalence.closing import Closer
from marginspec.equivalence.evm import words
from marginspec.equivalence.product import Deployed, ProductCase
from marginspec.equivalence.run import ActionVerdict, compared_actions, decide_all
from marginspec.lockstep.trace import replay as replayed
from marginspec.mutation.planted import load
from marginspec.systems.equivalence import Equivalence
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate, artifact

ROOT = Path(__file__).parents[2]
FOLDER = str(ROOT / "examples" / "pawnshop")
BORROWER = {"caller": "borrower"}

# What random runs hardly meet: each is one place of the contract, and what becomes of it.
EQUALITY_ONLY = {
    "magic amount": (
        "pledge",
        "extcall COIN.transferFrom(msg.sender, self, amount)",
        "extcall COIN.transferFrom(msg.sender, self, amount - (1 if amount == 31337000000000000007 else 0))",
    ),
    "magic debt": (
        "repay",
        "self.debt[msg.sender] -= amount",
        "self.debt[msg.sender] -= amount if self.debt[msg.sender] != 777215 else amount - 1",
    ),
}


@pytest.fixture(scope="module")
def pawnshop() -> System:
    return system(FOLDER)


def with_bug(known: System, find: str, replace: str) -> list[Candidate]:
    assert known.sources is not None
    files = known.sources.read()
    assert files["pawnshop.vy"].count(find) == 1
    built = known.sources.compile({**files, "pawnshop.vy": files["pawnshop.vy"].replace(find, replace)})
    return [Candidate("pawnshop", Path("pawnshop"), artifact("pawnshop", built["pawnshop"], "a bug"), "")]


FOUNDED = Basis((), ())
"""Of tests that look at what is done on it."""


def decided(known: System, action: str, builds: list[Candidate]) -> ActionVerdict:
    return decide_all(Deployed(known, builds), [action], 1, anew=True, basis=FOUNDED)[action]


def test_every_action_is_proved(pawnshop: System) -> None:
    deployed = Deployed(pawnshop)
    found = decide_all(deployed, compared_actions(pawnshop.model), 1, anew=True)
    assert {action: verdict.verdict for action, verdict in found.items()} == dict.fromkeys(
        ("set_price", "pledge", "redeem", "borrow", "repay", "liquidate"), "proved"
    )
    cases = [case for verdict in found.values() for case in verdict.cases]
    # Each path has integers, which did the same on pyrevm and on the model; each step was read by a second solver.
    assert all(case.replayed == case.paths > 0 and case.rechecked > 0 for case in cases)
    assert all(len(case.solvers) > 1 for case in cases if case.learned or case.algebra < case.paths)


@pytest.mark.parametrize("name", sorted(EQUALITY_ONLY))
def test_a_bug_at_one_number_alone_is_refuted_by_calls_that_replay(pawnshop: System, name: str) -> None:
    action, find, replace = EQUALITY_ONLY[name]
    builds = with_bug(pawnshop, find, replace)
    verdict = decided(pawnshop, action, builds)
    assert verdict.verdict == "refuted"
    (trace, *_) = [case.trace for case in verdict.cases if case.trace]
    deployed = Deployed(pawnshop, builds)
    assert replayed(pawnshop.model, deployed.target, trace).divergence == trace.divergence
    assert replayed(pawnshop.model, Deployed(pawnshop).target, trace).divergence is None


@pytest.mark.parametrize(
    ("bug", "action"),
    [("limit-of-all", "borrow"), ("redeem-before-check", "redeem"), ("anybody-is-forfeit", "liquidate")],
)
def test_a_planted_bug_is_refuted(pawnshop: System, bug: str, action: str) -> None:
    (planted,) = [each for each in load(FOLDER) if each.id == bug]
    assert decided(pawnshop, action, with_bug(pawnshop, planted.find, planted.replace)).verdict == "refuted"


def test_a_word_that_nobody_observes_may_not_change(pawnshop: System) -> None:
    """A counter beside the state, of which no observation tells."""
    builds = with_bug(pawnshop, "@external\ndef repay", "calls: uint256\n\n\n@external\ndef repay")
    assert decided(pawnshop, "repay", builds).verdict == "proved"
    files = pawnshop.sources.read()["pawnshop.vy"]  # type: ignore[union-attr]
    place = files.index("self.debt[msg.sender] -= amount")
    text = files[:place] + "self.calls += 1\n    " + files[place:]
    text = text.replace("@external\ndef repay", "calls: uint256\n\n\n@external\ndef repay")
    verdict = decided(pawnshop, "repay", with_bug(pawnshop, files, text))
    assert verdict.verdict == "open"


def test_an_assumption_that_is_left_out_is_no_proof(pawnshop: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit to debts the contract's arithmetic overflows where the model's does not."""
    monkeypatch.setattr(reaching, "SECONDS", 0.2)
    reasons = verdict_on(replace(pawnshop, equivalence=Equivalence()), "borrow", **BORROWER)
    assert any("a state that no run reached" in line for line in reasons)


# --- A check that is broken is no proof -------------------------------------------------------------------------------


def verdict_on(known: System, action: str, **identifiers: str) -> Counter[str]:
    verdict = Closer(Deployed(known)).decide(ProductCase(action, identifiers))
    assert verdict.verdict == "open"
    return verdict.open


def test_an_evm_that_adds_wrongly_is_caught_by_pyrevm(pawnshop: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "low_bits", lambda word, bits: 0)
    assert decided(pawnshop, "pledge", []).verdict != "proved"


def test_a_way_that_is_left_out_without_a_second_solver_is_noticed(
    pawnshop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide.Guide, "impossible", lambda self, atoms, conditions, other: ("(check-sat)\n", []))
    monkeypatch.setattr(guide.Guide, "numbers", lambda self, atoms, conditions, like: None)
    assert "only one solver finds a way impossible" in verdict_on(pawnshop, "pledge", **BORROWER)


def test_integers_that_do_otherwise_on_pyrevm_are_noticed(pawnshop: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_byte", lambda given, cell: 7)
    reasons = verdict_on(pawnshop, "liquidate", caller="rival", borrower="borrower")
    assert "pyrevm returns other bytes than the path" in reasons


# --- The verb ---------------------------------------------------------------------------------------------------------


def test_the_document_is_of_its_schema_and_the_second_run_is_cached(
    in_process: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path))
    arguments = ("equivalence", FOLDER, "--action", "re*", "--json")
    done = in_process(main, *arguments)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    schema = json.loads((ROOT / "report" / "documents.schema.json").read_text())
    jsonschema.validate(document, {**schema, "$ref": "#/$defs/equivalence"})
    assert [(row["action"], row["verdict"], row["cached"]) for row in document["actions"]] == [
        ("redeem", "proved", 0),
        ("repay", "proved", 0),
    ]
    again = json.loads(in_process(main, *arguments).stdout)
    assert [row["cached"] for row in again["actions"]] == [2, 2]


def test_what_was_not_come_to_is_no_proof(pawnshop: System, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = ActionVerdict("pledge", 2, decided(pawnshop, "pledge", []).cases[:1])
    assert verdict.verdict == "open"
    assert ActionVerdict("pledge", 2).verdict == "skipped"
    assert run.NO_CALL not in compared_actions(pawnshop.model)


def test_an_action_that_is_none_is_bad_input(in_process: Command) -> None:
    done = in_process(main, "equivalence", FOLDER, "--action", "pledgee")
    assert done.returncode == 2
    assert "did you mean pledge?" in done.stderr
