"""The benchmark of soundness: what enumeration says of laws, and that a prover which errs is found out."""

import json
from pathlib import Path

import pytest
from command import Command

from marginspec.properties.law import Property
from marginspec.prover.prove import Prover, Verdict
from marginspec.prover.symbolic import Run
from tools import soundness
from tools.small.drawn import drawn, loaded, system_of
from tools.small.enumeration import decided, keeps_ranges, shared_out

SYSTEM = '''
from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.properties.law import Chapter, Step, assume, refusal
from marginspec.properties.scope import REST, Scope

User = NewType("User", str)


@dataclass
class Small(Machine):
    total: Annotated[int, Number(0, 4)]
    held: dict[User, Annotated[int, Number(0, 1)]]

    system = "small"
    universe = {User: ("first", "second")}

    @classmethod
    def blank(cls) -> "Small":
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    def spare(self) -> int:
        if self.total > 3:
            raise Rejected("SPARE")
        return 3 - self.total

    @action
    def put(self, caller: User, amount: Annotated[int, Number(0, 2)]) -> None:
        if self.held[caller] + amount > 1:
            raise Rejected("PUT-1")
        self.held[caller] += amount
        self.total += amount


SCOPE = Scope(keys={User: ("first", "second", REST)})
chapter = Chapter("small", SCOPE)


@chapter.invariant("SUM")
def adds_up(state: Small) -> Any:
    """What users have adds up to the total."""
    return sum(state.held.values()) == state.total


@chapter.theorem("FEW", given=(adds_up,))
def few(state: Small) -> Any:
    """All together have at most two."""
    return state.total <= 2


@chapter.theorem("REFUSES")
def refuses(state: Small) -> Any:
    """What is spare can be told, and is not negative."""
    return state.spare() >= 0


@chapter.theorem("ACTION")
def ends(state: Small, caller: User) -> Any:
    """Whoever puts two in has them: a case that never comes about."""
    state.put(caller, 2)
    return False


@chapter.theorem("MORE")
def more(state: Small, step: Step) -> Any:
    """No action lowers the total."""
    before = state.total
    step.take(state)
    return state.total >= before
'''

MANY_USERS = 2449
"""A case of seed 1 with a law that only more users break than are enumerated."""


def test_enumeration_looks_at_every_case_of_every_size() -> None:
    system = system_of(loaded(SYSTEM, "marginspec_small"))
    assert [len(next(iter(world.ids.values()))) for world in system.worlds] == [2, 3, 4, 5]
    claims = {claim.id: claim for claim in system.chapter.properties}

    def true(id: str) -> list[bool]:
        return [decided(world, claims[id]).holds for world in system.worlds]

    assert true("SUM") == [True] * 4
    assert true("FEW") == [True, False, False, False]
    assert true("REFUSES") == [False] * 4
    assert true("MORE") == [True] * 4
    assert decided(system.worlds[0], claims["ACTION"]).cases == 0
    assert decided(system.worlds[1], claims["FEW"]).counterexample is not None
    # Three users have at most three, four at most four; five would have five.
    assert [keeps_ranges(world, [claims["SUM"]]).holds for world in system.worlds] == [True, True, True, False]
    assert not keeps_ranges(system.worlds[0], []).holds


def test_the_numbers_of_a_rest_are_shared_out_among_accounts() -> None:
    two, three, four, _ = system_of(loaded(SYSTEM, "marginspec_small")).worlds
    case = {"total": "3", "held[first]": "1", "held[rest]": "2"}
    assert shared_out(four, case) == [3, 1, 0, 1, 1]
    assert shared_out(three, case) == [3, 1, 0, 1], "as much as they can have"
    assert shared_out(four, {**case, "held[further 1]": "0"}) == [3, 1, 0, 0, 1], "one of them is named"
    assert shared_out(two, {}) == [0, 0, 0]


def test_a_case_of_very_many_users_is_one_and_arguments_are_told_from_variables() -> None:
    three = system_of(loaded(SYSTEM, "marginspec_small")).worlds[1]
    assert three.shown([3, 1, 0, 1], {"total": 7, "by": "first"})["total:"] == "7"
    system = system_of(loaded(drawn(1, MANY_USERS), "marginspec_small"))
    (law,) = (claim for claim in system.chapter.properties if claim.id == "LAW")
    assert all(decided(world, law).holds for world in system.worlds)
    decision = soundness.decide(1, MANY_USERS)
    assert (decision.disagreements, decision.verdicts["refuted, true"]) == ([], 1)


def test_the_same_seed_draws_the_same_systems_and_about_half_of_the_laws_are_true() -> None:
    texts = [drawn(7, number) for number in range(30)]
    assert texts == [drawn(7, number) for number in range(30)]
    assert texts[0] != drawn(8, 0)
    laws = []
    for text in texts:
        system = system_of(loaded(text, "marginspec_small"))
        (law,) = (claim for claim in system.chapter.properties if claim.id == "LAW")
        laws.append(all(decided(world, law).holds for world in system.worlds))
    assert 8 <= sum(laws) <= 22


def test_enumeration_and_the_prover_agree(in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = in_process(soundness.main, "--cases", "12", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["systems"], found["seed"], found["disagreements"]) == (12, "3", [])
    assert found["decisions"] == sum(found["verdicts"].values()) >= 24
    assert sum(found["laws"].values()) == 12
    assert in_process(soundness.main, "--only", "5", "--seed", "3").stdout.endswith("s\n")


def test_a_prover_that_errs_is_found_out_and_the_system_kept(
    in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove(self: Prover, claim: Property) -> Verdict:
        return Verdict(claim.id, claim.law, "proved", "")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Prover, "prove", prove)
    done = in_process(soundness.main, "--cases", "8", "--seed", "3")
    assert done.returncode == 1
    (line, *_) = [line for line in done.stderr.splitlines() if line.startswith("UNSOUND: ")]
    file, case = Path(line.split(" in ")[1].split(":")[0]), line.rpartition(" ")[2].rstrip(")")
    assert file.read_text() == drawn(3, int(case))
    assert f"--seed 3 --only {case}" in line


def test_a_prover_that_leaves_cases_out_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "others", lambda self: iter(()))
    monkeypatch.setattr(soundness, "TRIED", 10**9)
    monkeypatch.setattr("marginspec.prover.recheck.uncovered", lambda paths: "")
    kinds = {each.kind for number in range(1, 16) for each in soundness.decide(3, number).disagreements}
    assert "unsound" in kinds
