"""Laws alone: what they say of an implementation's own observations, when they say nothing, and what they find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NewType

import pytest

from marginspec.base.errors import BadInput
from marginspec.lockstep.judge import Judge, Transition
from marginspec.lockstep.judgeable import judged_laws
from marginspec.lockstep.monitor import run
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call, Machine, Rejected, action, regime
from marginspec.model.kernel.numbers import Uint256
from marginspec.mutation import planted
from marginspec.properties.law import Chapter, Property, Step, assume, refusal
from marginspec.properties.scope import Scope
from marginspec.systems.registry import NAMES, shipped
from marginspec.systems.system import System
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Answer

Owner = NewType("Owner", str)
MINE, YOURS = Owner("mine"), Owner("yours")
ONLY_IN_PROOFS = Owner("somebody")


@dataclass
class Vault(Machine):
    """A toy: shares of owners, and their total."""

    total: Uint256 = 0
    shares: dict[Owner, Uint256] = field(default_factory=dict)

    system = "vault"
    universe = {Owner: (MINE, YOURS)}  # noqa: RUF012 - a ClassVar of Machine

    @classmethod
    def blank(cls) -> Vault:
        return cls(shares=dict.fromkeys((MINE, YOURS), 0))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    @action
    def put(self, owner: Owner, amount: Uint256) -> int:
        """Add shares."""
        if amount == 0:
            raise Rejected("VLT-1")
        self.total += amount
        self.shares[owner] += amount
        return self.total

    @action
    def take(self, owner: Owner, amount: Uint256) -> None:
        """Remove shares."""
        if amount > self.shares[owner]:
            raise Rejected("VLT-2")
        self.total -= amount
        self.shares[owner] -= amount

    @regime
    def empty(self) -> bool:
        """Nobody has anything."""
        return self.total == 0

    def _settle(self) -> None:
        self.total = sum(self.shares.values())


chapter = Chapter("a toy", Scope({Owner: (MINE, YOURS, ONLY_IN_PROOFS)}), lambda venue, step: True)


@chapter.invariant("V-SUM")
def shares_add_up(venue: Vault) -> Any:
    """The total is the sum of all shares."""
    return venue.total == sum(venue.shares.values())


@chapter.theorem("V-PUT")
def putting_adds_what_it_says(venue: Vault, owner: Owner, amount: Uint256) -> Any:
    """Putting adds the amount, and returns the total."""
    before, total = venue.shares[owner], venue.total
    returned = venue.put(owner, amount)
    return venue.shares[owner] == before + amount and returned == total + amount


@chapter.theorem("V-OTHERS")
def nobody_else_is_touched(venue: Vault, who: Owner, step: Step) -> Any:
    """An action changes the shares of its owner only."""
    assume(step.argument("owner") != who)
    before = venue.shares[who]
    step.take(venue)
    return venue.shares[who] == before


@chapter.theorem("V-REFUSED")
def only_too_much_is_refused(venue: Vault, owner: Owner, amount: Uint256) -> Any:
    """Taking is refused only beyond what there is."""
    held = venue.shares[owner]
    return refusal(venue.take, owner, amount) is None or amount > held


@chapter.theorem("V-EMPTY")
def putting_into_nothing(venue: Vault, owner: Owner, amount: Uint256) -> Any:
    """What is put into an empty vault is its total."""
    venue.total = 0
    venue.shares = dict.fromkeys(venue.shares, 0)
    return venue.put(owner, amount) == amount


@chapter.theorem("V-SETTLED")
def looking_at_a_copy(venue: Vault, owner: Owner, amount: Uint256) -> Any:
    """Putting into a settled vault returns the total of a settled copy, and the amount."""
    copy = venue.clone()
    copy._settle()
    return venue.put(owner, amount) == copy.total + amount


@chapter.theorem("V-TWICE")
def taking_back(venue: Vault, owner: Owner, amount: Uint256) -> Any:
    """Who puts and takes has what it had."""
    before = venue.shares[owner]
    venue.put(owner, amount)
    venue.take(owner, amount)
    return venue.shares[owner] == before


@chapter.theorem("V-CONSTANT")
def somebody_puts(venue: Vault, amount: Uint256) -> Any:
    """Only a proof knows who this is."""
    return venue.put(ONLY_IN_PROOFS, amount) >= amount


@chapter.theorem("V-NUMBER")
def any_number(venue: Vault, owner: Owner, amount: Uint256, other: Uint256) -> Any:
    """A number that nobody can observe."""
    return venue.put(owner, amount) + other >= other


@chapter.theorem("V-ARITHMETIC")
def no_action(venue: Vault, amount: Uint256) -> Any:
    """A law of numbers, not of what is seen."""
    return amount >= 0


LAWS = {law.id: law for law in chapter.properties}
SEEN = ["V-SUM", "V-PUT", "V-OTHERS", "V-REFUSED", "V-EMPTY", "V-SETTLED"]


def seen(action: str, before: list[int], after: list[int], *returns: int, rule: str | None = None) -> Transition:
    """What a vault was seen to do with 5 shares of mine. States are total, mine, yours."""
    return Transition(Call(action, {"owner": MINE, "amount": 5}), rule, returns, before, after)


def broken(transition: Transition, *ids: str) -> list[str]:
    """The IDs of the laws that a transition breaks."""
    judge = Judge(Vault, [LAWS[id] for id in ids] if ids else chapter.properties)
    return [breach.law.id for breach in judge.transition(transition)]


# --- What can be judged ----------------------------------------------------------------------------------------------


def test_a_law_is_judged_that_speaks_only_of_what_can_be_seen() -> None:
    assert [found.law.id for found in judged_laws(Vault, chapter.properties)] == SEEN


def test_only_a_law_that_looks_and_does_not_touch_is_pure() -> None:
    found = {each.law.id: each.pure for each in judged_laws(Vault, chapter.properties)}
    assert [id for id, pure in found.items() if not pure] == ["V-EMPTY", "V-SETTLED"]


def test_identifiers_are_the_models_and_numbers_are_the_calls() -> None:
    found = {each.law.id: (each.action, each.given, each.cases) for each in judged_laws(Vault, chapter.properties)}
    assert found["V-PUT"] == ("put", ("owner", "amount"), ({},))
    assert found["V-OTHERS"] == (None, (), ({"who": MINE}, {"who": YOURS}))


@pytest.mark.parametrize(("name", "least"), [("morpho-blue", 70), ("reference", 50)])
def test_most_of_what_is_proved_of_actions_can_be_judged(name: str, least: int) -> None:
    laws = judged_laws(shipped(name).model, shipped(name).chapter.properties)
    assert len(laws) >= least
    assert {each.law.kind for each in laws} == {"invariant", "theorem"}


# --- What it says ----------------------------------------------------------------------------------------------------


def test_what_was_done_well_breaks_nothing() -> None:
    assert broken(seen("put", [7, 0, 7], [12, 5, 7], 12)) == []
    assert broken(seen("take", [12, 5, 7], [7, 0, 7])) == []
    assert broken(seen("take", [7, 0, 7], [7, 0, 7], rule="VLT-2")) == []


@pytest.mark.parametrize(
    ("transition", "laws"),
    [
        (seen("put", [7, 0, 7], [12, 0, 12], 12), ["V-PUT", "V-OTHERS"]),
        (seen("put", [7, 0, 7], [7, 5, 7], 12), ["V-SUM"]),
        (seen("put", [7, 0, 7], [12, 5, 7], 11), ["V-PUT", "V-SETTLED"]),
        (seen("put", [0, 0, 0], [5, 5, 0], 6), ["V-PUT", "V-EMPTY", "V-SETTLED"]),
        (seen("take", [12, 5, 7], [12, 5, 7], rule="VLT-2"), ["V-REFUSED"]),
    ],
    ids=["another's shares", "total", "result", "result of the first", "refused for nothing"],
)
def test_a_law_is_broken_by_what_was_seen(transition: Transition, laws: list[str]) -> None:
    assert sorted(broken(transition)) == sorted(laws)


def test_a_law_of_another_state_than_the_one_seen_says_nothing() -> None:
    judge = Judge(Vault, [LAWS["V-EMPTY"]])
    assert list(judge.transition(seen("put", [7, 0, 7], [12, 5, 7], 99))) == []
    assert judge.judged == {"V-EMPTY": 0}
    assert [b.law.id for b in judge.transition(seen("put", [0, 0, 0], [5, 5, 0], 99))] == ["V-EMPTY"]
    assert judge.judged == {"V-EMPTY": 1}


def test_a_breach_names_its_case() -> None:
    (breach,) = Judge(Vault, [LAWS["V-OTHERS"]]).transition(seen("put", [7, 0, 7], [12, 0, 12], 12))
    assert breach.case == {"who": YOURS}


def test_laws_do_not_see_what_laws_before_them_did() -> None:
    """The one empties the vault, the other changes a copy; none of that may stay."""
    transition = seen("put", [7, 0, 7], [12, 5, 7], 12)
    judge = Judge(Vault, chapter.properties)
    assert [list(judge.transition(transition)) for _ in range(3)] == [[], [], []]
    assert judge.judged["V-PUT"] == judge.judged["V-SETTLED"] == 3


# --- Runs ------------------------------------------------------------------------------------------------------------


class Twisted:
    """The toy as an implementation, with a twist: `after` each accepted call it does something to its state."""

    name = "twisted"

    def __init__(self, twist: Any = None, begins: int = 0) -> None:
        self._twist, self._begins = twist, begins
        self.reset()

    def reset(self) -> None:
        self._vault = Vault.genesis()
        self._vault.total += self._begins

    def apply(self, call: Call) -> Answer:
        outcome = self._vault.apply(call)
        if outcome.rule is not None:
            return Answer(False, reason=f"no: {outcome.rule}")
        if self._twist is not None:
            self._twist(self._vault, call)
        return Answer(True, outcome.returns)

    def observe(self) -> list[Any]:
        return self._vault.flatten()

    def recheck(self) -> list[Any]:
        return self.observe()

    def expected_reason(self, rule: str) -> str:
        return f"no: {rule}"

    def close(self) -> None:
        pass


class Narrow(Twisted):
    """An implementation that shows less than all."""

    observed = (0,)

    def implements(self, *given: Any) -> bool:
        return True

    def executes(self, call: Call) -> bool:
        return True

    def declared(self, *given: Any) -> None:
        return None

    def load(self, state: list[Any]) -> None:
        pass


def _loses_of_large_amounts(vault: Vault, call: Call) -> None:
    if call.action == "put" and call.arguments["amount"] > 1000:
        vault.shares[call.arguments["owner"]] -= 1


def _gives_to_both(vault: Vault, call: Call) -> None:
    vault.total += 2
    for owner in vault.shares:
        vault.shares[owner] += 1


def test_a_broken_law_is_found_with_its_text_and_shrunk() -> None:
    found = run(Vault, Twisted(_loses_of_large_amounts), chapter.properties, 600, seed=1)
    assert found.violation is not None
    assert (found.violation.divergence.rule, found.violation.divergence.field) == ("put", "V-PUT")
    assert found.violation.divergence.model == LAWS["V-PUT"].law
    (step,) = found.violation.trace.steps
    assert (step.call.action, step.call.arguments["amount"] > 1000) == ("put", True)
    assert set(found.broken) >= {"V-PUT", "V-SUM"}
    assert found.found_after is not None


def test_a_difference_from_the_model_is_nothing_to_laws_that_allow_it() -> None:
    lenient = [LAWS["V-SUM"]]
    assert run(Vault, Twisted(_gives_to_both), lenient, 600, seed=1).violation is None
    strict = run(Vault, Twisted(_gives_to_both), chapter.properties, 600, seed=1)
    assert "V-OTHERS" in strict.broken


def test_an_implementation_that_begins_broken_is_found_before_any_call() -> None:
    found = run(Vault, Twisted(begins=3), [LAWS["V-SUM"]], 600, seed=1)
    assert found.found_after == 0
    assert found.violation is not None
    assert (found.violation.divergence.rule, len(found.violation.trace)) == ("genesis", 1)


def test_steps_are_as_many_as_asked_for_and_the_same_for_a_seed() -> None:
    runs = [run(Vault, Twisted(), chapter.properties, 700, seed) for seed in (1, 1, 2)]
    assert [each.tally.steps for each in runs] == [700, 700, 700]
    assert runs[0].judged == runs[1].judged != runs[2].judged
    assert all(each.violation is None for each in runs)


def test_an_implementation_that_shows_less_than_all_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="twisted shows 1 of 3 observations: laws need all of them"):
        run(Vault, Narrow(), chapter.properties, 10, seed=1)


# --- Contracts -------------------------------------------------------------------------------------------------------


SOON = ("morpho-blue", "reference")


@pytest.fixture(params=[pytest.param(each, marks=[pytest.mark.long] * (each not in SOON)) for each in sorted(NAMES)])
def system(request: pytest.FixtureRequest) -> System:
    """One system with contracts."""
    return shipped(request.param)


def test_the_deployed_contracts_break_no_law(system: System) -> None:
    target = system.open("embedded", [])
    try:
        found = run(system.model, target, system.chapter.properties, 10_000, seed=1)
    finally:
        target.close()
    assert (found.violation, found.broken) == (None, ())
    assert sum(cases > 0 for cases in found.judged.values()) > len(found.judged) // 2


@pytest.fixture
def stolen() -> Iterator[EvmTarget]:
    """Morpho Blue from which anybody withdraws what is another's."""
    (bug,) = (bug for bug in planted.load("morpho-blue") if bug.id == "withdraw-for-anybody")
    target = EvmTarget(bug.id, shipped("morpho-blue").adapter(planted.build(bug)), Embedded())
    yield target
    target.close()


def test_laws_alone_find_a_planted_bug_and_shrink_it(stolen: EvmTarget) -> None:
    laws: list[Property] = shipped("morpho-blue").chapter.properties
    found = run(MorphoBlue, stolen, laws, 5000, seed=1)
    assert "MB-AUT-2" in found.broken
    assert found.violation is not None
    assert found.violation.trace.steps[-1].call.action == "withdraw"
    assert len(found.violation.trace) <= planted.LONGEST_TRACE
