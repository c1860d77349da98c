"""A run has a floor: below it there is no verdict, whatever was compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NewType

import pytest

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import Campaign, run
from marginspec.lockstep.floor import below, missing, shortfalls
from marginspec.lockstep.hidden import constants_of
from marginspec.lockstep.refusals import refusable
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected, action, actions_of, rule
from marginspec.model.kernel.numbers import Number, constant
from marginspec.model.kernel.record import Record
from marginspec.model.reference import Reference
from marginspec.systems.registry import NAMES, shipped
from marginspec.targets.protocol import Answer, Declared, Limits, Partial

User = NewType("User", str)
USERS = (User("one"), User("two"))
Amount = Annotated[int, Number(0, 1000, "units", typical=(1, 10))]
STEPS = 1_200
SEEN: list[int] = []
MEMO: dict[str, int] = {}


@dataclass(slots=True)
class Purse(Record):
    amount: Amount
    label: list[int] = constant(default_factory=list)  # noqa: RUF009

    def spend(self, amount: int) -> None:
        if amount > self.amount:
            raise Rejected("TAKE-2")
        self.amount -= amount


@dataclass
class Chest(Machine):
    system: ClassVar[str] = "chest"
    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {User: USERS}

    now: Amount
    purses: dict[User, Purse]
    fees: dict[User, int] = constant()  # noqa: RUF009

    @classmethod
    def blank(cls) -> Chest:
        return cls(0, {user: Purse(0) for user in USERS}, dict.fromkeys(USERS, 1))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    @action
    @rule("PUT-1")
    def put(self, caller: User, amount: Amount) -> None:
        if amount == 0 or self.purses[caller].amount + amount > 10_000:
            raise Rejected("PUT-2")
        self.purses[caller].amount += amount

    @action
    @rule("TAKE-1")
    def take(self, caller: User, amount: Amount) -> int:
        self.purses[caller].spend(amount)
        return amount

    @action(environment=True)
    def tick(self, seconds: Amount) -> None:
        self.now = min(self.now + seconds, 1000)


class Twin:
    """Does what the model does."""

    name = "twin"

    def __init__(self, model: type[Machine]) -> None:
        self.model = model
        self.machine = model.genesis()

    def reset(self) -> None:
        self.machine = self.model.genesis()

    def apply(self, call: Call) -> Answer:
        outcome = self.machine.apply(call)
        return Answer(True, outcome.returns) if outcome.rule is None else Answer(False, reason=outcome.rule)

    def observe(self) -> list[Any]:
        return self.machine.flatten()

    def recheck(self) -> list[Any]:
        return self.observe()

    def expected_reason(self, rule: str) -> str:
        return rule

    def close(self) -> None:
        return None


class Part(Twin):
    """A twin that takes state over. quoted: what it does not execute. shown: what it observes."""

    quoted: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()

    def __init__(self, model: type[Machine], hidden: str = "nothing") -> None:
        super().__init__(model)
        self.observed = [at for at, name in enumerate(self.machine.names()) if hidden not in name]

    def implements(self, before: Machine, call: Call, outcome: Outcome) -> bool:
        return call.action not in self.left_out

    def executes(self, call: Call) -> bool:
        return call.action not in self.quoted

    def declared(
        self, before: Machine, call: Call, outcome: Outcome, answer: Answer, fields: Mapping[str, Any]
    ) -> Declared | None:
        return None

    def load(self, state: list[Any]) -> None:
        self.machine.load(state)

    def observe(self) -> list[Any]:
        values = self.machine.flatten()
        return [values[at] for at in self.observed]


def lacking(model: type[Machine], campaign: Campaign) -> list[str]:
    return shortfalls(model, campaign.tally, campaign.limits)


# --- Both sides, every action -----------------------------------------------------------------------------------------


def test_a_run_that_saw_everything_reaches_the_floor() -> None:
    campaign = run(Chest, Twin(Chest), STEPS, 1)
    assert lacking(Chest, campaign) == []
    assert campaign.tally.actions.keys() == {(a, how) for a in ("put", "take") for how in (True, False)} | {
        ("tick", True)
    }
    assert sum(campaign.tally.actions.values()) == STEPS


def test_one_step_is_no_run() -> None:
    lines = lacking(Chest, run(Chest, Twin(Chest), 1, 1))
    assert any("never" in line for line in lines)
    assert all(any(action in line for line in lines) for action in ("put", "take"))


def test_an_action_that_is_never_drawn_keeps_a_run_below() -> None:
    @dataclass
    class Shy(Chest):
        @action(weight=0)
        def wave(self, caller: User, amount: Amount) -> None:
            if amount == 7:
                raise Rejected("WAVE-1")

    assert lacking(Shy, run(Shy, Twin(Shy), STEPS, 1)) == ["wave: never accepted or refused"]


def test_a_pair_that_refuses_everything_is_below() -> None:
    @dataclass
    class Shut(Chest):
        @action
        def put(self, caller: User, amount: Amount) -> None:
            raise Rejected("PUT-2")

        @action
        def take(self, caller: User, amount: Amount) -> int:
            raise Rejected("TAKE-2")

        @action(environment=True)
        def tick(self, seconds: Amount) -> None:
            raise Rejected("PUT-2")

    campaign = run(Shut, Twin(Shut), STEPS, 1)
    assert not campaign.divergences
    assert lacking(Shut, campaign) == [
        "put, take, tick: never accepted",
        "the implementation executed no call that was accepted",
    ]


def test_a_refusal_that_cannot_come_up_is_still_asked_for() -> None:
    @dataclass
    class Guarded(Chest):
        @action
        def put(self, caller: User, amount: Amount) -> None:
            if amount > 5000:  # beyond the range of an amount
                raise Rejected("PUT-2")
            self.purses[caller].amount = amount

    assert lacking(Guarded, run(Guarded, Twin(Guarded), STEPS, 1)) == ["put: never refused"]


class Yes(Twin):
    """Accepts everything and does nothing."""

    def apply(self, call: Call) -> Answer:
        return Answer(True)


class Stale(Twin):
    """Answers rightly, and shows what was before."""

    def apply(self, call: Call) -> Answer:
        self.shown = self.machine.flatten()
        return super().apply(call)

    def observe(self) -> list[Any]:
        return getattr(self, "shown", self.machine.flatten())


class Forgetful(Twin):
    """Does nothing from the second sequence on, and accepts and refuses as it should."""

    resets = 0

    def reset(self) -> None:
        self.resets += 1
        super().reset()

    def apply(self, call: Call) -> Answer:
        if self.resets < 2:
            return super().apply(call)
        return Twin(self.model).apply(call)


@pytest.mark.parametrize("target", [Yes, Stale, Forgetful])
def test_a_target_that_pretends_diverges(target: type[Twin]) -> None:
    assert run(Chest, target(Chest), STEPS, 1).divergences


# --- Targets that do a part -------------------------------------------------------------------------------------------


def test_what_is_quoted_reaches_nothing() -> None:
    class Quotes(Part):
        quoted = frozenset(actions_of(Chest))

    campaign = run(Chest, Quotes(Chest), STEPS, 1)
    assert isinstance(Quotes(Chest), Partial)
    assert not campaign.tally.rules
    assert campaign.tally.comparisons > 0
    assert lacking(Chest, campaign) == [
        "put, take: never accepted or refused",
        "tick: never accepted",
        "the implementation executed no call that was accepted",
    ]


def test_what_is_left_out_reaches_nothing() -> None:
    class Half(Part):
        left_out = frozenset({"take"})

    campaign = run(Chest, Half(Chest), STEPS, 1)
    assert campaign.tally.rules.keys() == {"PUT-1", "PUT-2"}
    assert lacking(Chest, campaign) == ["take: never accepted or refused"]


def test_what_calls_change_must_be_shown() -> None:
    campaign = run(Chest, Part(Chest, hidden="purses"), STEPS, 1)
    assert lacking(Chest, campaign) == ["changed by calls, and not shown by the implementation: purses[].amount"]


def test_a_refusal_that_only_the_model_gives_is_none() -> None:
    class Lax(Part):
        def apply(self, call: Call) -> Answer:
            answer = super().apply(call)
            return Answer(True) if call.action == "put" and not answer.accepted else answer

        def declared(self, *step: Any) -> Declared:
            return Declared("LAX", "takes nothing too")

    campaign = run(Chest, Lax(Chest), STEPS, 1)
    assert campaign.tally.declared
    assert lacking(Chest, campaign) == ["put: never refused"]


def test_what_an_adapter_states_is_not_asked_for() -> None:
    counts = {("put", True): 1, ("tick", True): 1}
    assert below(Chest, counts) == {"put": "never refused", "take": "never accepted or refused"}
    assert below(Chest, counts, Limits(not_executed={"take": "no"}, not_refused={"put": "no"})) == {}


# --- What a model hides -----------------------------------------------------------------------------------------------


def hiding(statement: str) -> type[Machine]:
    """A chest whose `put` also does something else."""

    def put(self: Chest, caller: User, amount: Amount) -> None:
        if amount == 0:
            raise Rejected("PUT-2")
        exec(statement, globals(), {"self": self, "caller": caller})

    put.__annotations__ = {"caller": User, "amount": Amount}
    return dataclass(type("Hiding", (Chest,), {"put": action(put), "__module__": __name__, "taken": [0]}))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("self.fees[caller] += 1", "Hiding.fees is declared constant()"),
        ("self.fees = dict(self.fees, one=self.fees[caller] + 1)", "Hiding.fees is declared constant()"),
        ("self.secret = getattr(self, 'secret', 0) + 1", "the attribute secret"),
        ("self.purses[caller].secret = 1", "secret"),
        ("SEEN.append(1)", "test_floor.SEEN"),
        ("MEMO[caller] = len(MEMO) + 1", "test_floor.MEMO"),
        ("type(self).taken.append(1)", "taken"),
        ("self.purses[caller].label.append(1)", "purses[one].label is declared constant()"),
    ],
)
def test_state_that_nothing_observes_is_refused_by_name(statement: str, said: str) -> None:
    try:
        with pytest.raises(BadInput, match="no comparison would see") as refused:
            run(hiding(statement), Twin(hiding("pass")), 300, 1)
        assert said.removesuffix("()") in str(refused.value)
        assert "\n" not in str(refused.value)
    finally:
        SEEN.clear()
        MEMO.clear()


def test_what_is_constant_is_known_by_name() -> None:
    assert constants_of(Chest) == ["fees", "purses[].label"]
    assert constants_of(MorphoBlue) == ["params"]


# --- What a model cannot refuse ---------------------------------------------------------------------------------------


def helper(amount: int) -> int:
    if amount == 3:
        raise Rejected("HELP-1")
    return amount


def harmless(amount: int) -> int:
    return max(amount, 3)


@dataclass
class Many(Chest):
    never: ClassVar[dict[str, str]] = {"NEVER-1": "MANY-1"}

    @property
    def level(self) -> int:
        return helper(self.now)

    def _checks(self) -> None:
        helper(1)

    def _hook(self, amount: int) -> int:
        return amount

    @action
    def by_helper(self, amount: Amount) -> None:
        self.now = helper(amount)

    @action
    def by_property(self, amount: Amount) -> None:
        self.now = self.level

    @action
    def by_method(self, amount: Amount) -> None:
        self._checks()

    @action
    def by_record(self, amount: Amount) -> None:
        for purse in self.purses.values():
            purse.spend(amount)

    @action
    def by_value(self, amount: Amount) -> None:
        self.now = sum(map(helper, [amount]))

    @action
    def by_name(self, amount: Amount) -> None:
        getattr(self, "_che" + "cks")()

    @action
    def by_another_action(self, caller: User, amount: Amount) -> None:
        self.put(caller, amount)

    @action
    def by_assertion(self, amount: Amount) -> None:
        assert amount < 4

    @action
    def freely(self, amount: Amount) -> None:
        self.now = min([harmless(amount), self._hook(amount), len(self.purses), 1000])

    @action
    def but_never(self, amount: Amount) -> None:
        if amount > 1000:
            raise Rejected("NEVER-1")


def test_an_action_may_refuse_unless_its_text_says_otherwise() -> None:
    free = {name for name, may_be in refusable(Many).items() if not may_be}
    assert free == {"tick", "freely", "but_never"}


def test_of_the_shipped_systems_only_the_world_cannot_be_refused() -> None:
    for model in (MorphoBlue, Reference):
        free = [name for name, may_be in refusable(model).items() if not may_be]
        assert free
        assert all(actions_of(model)[name].environment for name in free)


# --- The shipped systems ----------------------------------------------------------------------------------------------

SHORT = {"perps-v2": 8_000, "aave-v3": 3_000, "lyra-v1": 3_000, "curie": 3_000}
"""Steps of those whose contracts are slow."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in SHORT and name != "aave-v3")) for name in NAMES]
)
def test_the_usual_run_reaches_the_floor(name: str) -> None:
    """With the seeds for which it did not, before a run looked for what it lacks."""
    target, steps = shipped(name).open("embedded", []), SHORT.get(name, 20_000)
    for seed in (3, 18, 20):
        campaign = run(shipped(name).model, target, steps, seed)
        assert campaign.tally.steps == steps
        assert lacking(shipped(name).model, campaign) == []
        assert missing(shipped(name).model, campaign.tally.actions) == set()
    target.close()
