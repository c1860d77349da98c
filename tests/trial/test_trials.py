"""Every law is also run: what is false of a small vault or of a shipped system is found by running alone."""

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NewType

import pytest

from marginspec.model.deployed.morpho_blue import Account as Holder
from marginspec.model.deployed.morpho_blue import Assets, MarketId, MorphoBlue, Price, sub128
from marginspec.model.deployed.morpho_blue import User as Lender
from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.model.reference import Reference
from marginspec.properties import reference
from marginspec.properties.deployed import morpho_blue
from marginspec.properties.deployed.morpho_blue.scope import SCOPE as LENDING
from marginspec.properties.deployed.morpho_blue.scope import settled
from marginspec.properties.law import Chapter, Property, Step, assume, every, refusal
from marginspec.properties.scope import NumberKey, Scope, pinned
from marginspec.prover.symmetry import asymmetry
from marginspec.systems.template import laws
from marginspec.systems.template.model import STRONGBOX, Account, Amount, Strongbox, User
from marginspec.trial.trials import Trials

REST = User(Account("rest"))
OPEN = Scope(keys={Account: ("actor", "other", STRONGBOX, REST), User: ("actor", "other", REST)})

# Of processor time, within which each false law is found.
SECONDS = 1.0


def stated(predicate: Callable[..., Any], kind: str = "theorem", scope: Scope = OPEN, **options: Any) -> Property:
    """A law of its own."""
    given = options.pop("given", ())
    chapter = Chapter("", scope, options.pop("before", None))
    for invariant in given:
        chapter.invariant(invariant.__name__)(invariant)
    return chapter.property_of(kind, "LAW", predicate, given=given, **options)


_TRIALS: dict[type[Machine], Trials] = {}


def trials(model: type[Machine]) -> Trials:
    """The trials of a model, whose states are made once."""
    return _TRIALS.setdefault(model, Trials(model))


def failure(model: type[Machine], predicate: Callable[..., Any], kind: str = "theorem", **options: Any) -> Any:
    """The case in which a law was found false, or None."""
    return trials(model).run(stated(predicate, kind, **options), SECONDS).failure


# --- Laws that are false ----------------------------------------------------------------------------------------------


class Minting(Strongbox):
    """What is sent to oneself is had twice."""

    def _move(self, sender: Account, receiver: Account, amount: int) -> None:
        if self.balance[sender] < amount:
            raise Rejected("TOK-2")
        left, received = self.balance[sender] - amount, self.balance[receiver] + amount
        self.balance[sender], self.balance[receiver] = left, received


class Insolvent(Strongbox):
    """Anybody takes anything, and `surplus` has no answer where there is none."""

    def surplus(self) -> int:
        if self.balance[STRONGBOX] < self.total:
            raise Rejected("EVM-1")
        return self.balance[STRONGBOX] - self.total

    @action
    def rug(self, caller: User, amount: Amount) -> None:
        """Take what is of others."""
        self._move(STRONGBOX, caller, amount)


class Superstitious(Strongbox):
    """Seven is refused."""

    @action
    def deposit(self, caller: User, amount: Amount) -> None:
        """Put tokens in."""
        if amount in {0, 7}:
            raise Rejected("DEP-2")
        self._move(caller, STRONGBOX, amount)
        self.deposits[caller] += amount
        self.total += amount


class Overdrawn(Strongbox):
    """Nobody asks what is there."""

    @action
    def withdraw(self, caller: User, amount: Amount) -> None:
        """Take tokens out."""
        self.deposits[caller] -= amount
        self.total -= amount
        self._move(STRONGBOX, caller, amount)


class Capped(Strongbox):
    """Nobody may have more than 1000 in it."""

    @action
    def deposit(self, caller: User, amount: Amount) -> None:
        """Put tokens in."""
        if self.deposits[caller] + amount > 1000:
            raise Rejected("DEP-2")
        self._move(caller, STRONGBOX, amount)
        self.deposits[caller] += amount
        self.total += amount


class Careless(Strongbox):
    """Sending to the strongbox is not thought of."""

    @action
    def transfer(self, caller: User, receiver: Account, amount: Amount) -> None:
        """Send tokens."""
        self._move(caller, User(receiver), amount)
        self.deposits[User(receiver)] += 0


class Mode(enum.IntEnum):
    """Whether it is shut."""

    OPEN = 0
    CLOSED = 1


@dataclass
class Door(Machine):
    """Something that can be shut."""

    mode: Mode
    shut: Annotated[int, Number(0, 10)] = 0

    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {Mode: (Mode.OPEN, Mode.CLOSED)}

    @classmethod
    def blank(cls) -> "Door":
        return cls(Mode.OPEN)

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    @action
    def close(self) -> None:
        """Shut it."""
        self.mode = Mode.CLOSED


def nobody_mints(vault: Strongbox, step: Step) -> Any:
    """No action changes how many tokens there are."""
    before = sum(vault.balance.values())
    step.take(vault)
    return sum(vault.balance.values()) == before


def nobody_ever_has_anything(vault: Strongbox, who: User) -> Any:
    """Nobody ever has anything in it."""
    return vault.deposits[who] == 0


def total_is_whatever_is_asked(vault: Strongbox, total: Amount) -> Any:
    """The total is any number."""
    return vault.total == total


def is_solvent(vault: Insolvent) -> Any:
    """It holds what it owes."""
    return vault.surplus() >= 0


def is_never_refused_as_nothing(vault: Strongbox, caller: User, amount: Amount) -> Any:
    """A deposit of something is never refused as nothing."""
    return amount == 0 or refusal(vault.deposit, caller, amount) != "DEP-2"


def nobody_is_overdrawn(vault: Strongbox, user: User) -> Any:
    """Nobody has less than nothing in it."""
    return vault.deposits[user] >= 0


def is_capped(vault: Strongbox, user: User) -> Any:
    """Nobody has more than 1000 in it."""
    return vault.deposits[user] <= 1000


def total_is_capped(vault: Strongbox) -> Any:
    """It never owes more than 3000."""
    return vault.total <= 3000


def there_are_three(vault: Strongbox) -> Any:
    """There are three users."""
    return len(vault.deposits) == 3


@functools.cache
def _tier(amount: int) -> int:
    return 1 if amount > 10 else 2


def is_of_one_tier(vault: Strongbox, amount: Amount) -> Any:
    """Every amount is of the first tier."""
    return _tier(amount) == 1


def is_nothing_that_a_number_is(vault: Strongbox, x: Amount) -> Any:
    """What an unknown answers by being one."""

    def matched() -> bool:
        match x:
            case int():
                return x != 9
        return True

    return (
        (not isinstance(x, int) or x != 1)
        and (type(x) is not int or x != 2)
        and str(x) != "4"
        and f"{x}" != "5"
        and hash(x) != 6
        and x != 7.0
        and matched()
    )


def is_a_round_number(vault: Strongbox, x: Amount) -> Any:
    """Its last digit is zero."""
    try:
        digit = x % 10
    except Exception:
        digit = 0
    return digit == 0


def is_always_open(door: Door) -> Any:
    """It is never shut."""
    return door.mode == Mode.OPEN


def others_keep_their_tokens(vault: Strongbox, step: Step, who: User) -> Any:
    """No action changes what somebody has but who takes it."""
    assume(step.argument("caller") != who)
    before = vault.balance[who]
    step.take(vault)
    return vault.balance[who] == before


def a_million_is_never_exceeded_by_one(vault: Strongbox, caller: User, amount: Amount) -> Any:
    """Nobody puts in what makes the total a million and one."""
    vault.deposit(caller, amount)
    return vault.total != 1_000_001


def transfer_is_always_possible(vault: Strongbox, caller: User, receiver: Account, amount: Amount) -> Any:
    """Sending tokens never ends in an error."""
    vault.transfer(caller, receiver, amount)
    return True


def is_divided(vault: Strongbox, part: Amount) -> Any:
    """A part of the total is at most the total."""
    return vault.total // part <= vault.total


def says_something(vault: Strongbox, step: Step) -> Any:
    """A law with a mistake in it."""
    return vault.totals >= 0  # type: ignore[attr-defined]


FALSE: list[tuple[str, type[Machine], Callable[..., Any], str, dict[str, Any]]] = [
    ("tokens sent to oneself", Minting, nobody_mints, "theorem", {"scope": laws.SCOPE}),
    ("who is the caller too", Strongbox, nobody_ever_has_anything, "invariant", {"scope": laws.SCOPE}),
    ("argument named as a field", Strongbox, total_is_whatever_is_asked, "theorem", {}),
    ("claim that refuses", Insolvent, is_solvent, "invariant", {}),
    ("set of constants", Superstitious, is_never_refused_as_nothing, "theorem", {}),
    ("range that nothing keeps", Overdrawn, nobody_is_overdrawn, "theorem", {}),
    ("rest is several", Capped, total_is_capped, "theorem", {"given": (laws.deposits_add_up, is_capped)}),
    ("rest is counted", Strongbox, there_are_three, "theorem", {}),
    ("memory beside the state", Strongbox, is_of_one_tier, "theorem", {}),
    ("what unknowns answer", Strongbox, is_nothing_that_a_number_is, "theorem", {}),
    ("exceptions that are caught", Strongbox, is_a_round_number, "theorem", {}),
    (
        "state of an enumeration",
        Door,
        is_always_open,
        "theorem",
        {"scope": Scope(keys={Mode: (Mode.OPEN, Mode.CLOSED)})},
    ),
    ("somebody is sent something", Strongbox, others_keep_their_tokens, "theorem", {}),
    ("one number of the text", Strongbox, a_million_is_never_exceeded_by_one, "theorem", {}),
    ("key that is missing", Careless, transfer_is_always_possible, "theorem", {}),
    ("division by zero", Strongbox, is_divided, "theorem", {}),
    ("mistake in a law", Strongbox, says_something, "theorem", {}),
]


@pytest.mark.parametrize(
    ("model", "law", "kind", "options"), [case[1:] for case in FALSE], ids=[case[0] for case in FALSE]
)
def test_what_is_false_is_found_by_running(
    model: type[Machine], law: Callable[..., Any], kind: str, options: dict[str, Any]
) -> None:
    assert failure(model, law, kind, **options) is not None


def test_a_failure_says_what_was_given_and_is_small() -> None:
    found = failure(Minting, nobody_mints)
    assert found.why == "returned False"
    assert found.case["step"].endswith("amount=1)")
    assert len(found.case) == 2, found.case


def test_an_error_of_a_law_or_a_model_is_named() -> None:
    assert failure(Strongbox, says_something).why == "AttributeError: 'Strongbox' object has no attribute 'totals'"
    assert failure(Strongbox, is_divided).why == "ZeroDivisionError: integer division or modulo by zero"
    assert failure(Careless, transfer_is_always_possible).why == "KeyError: 'strongbox'"


def test_an_invariant_that_a_run_breaks_is_found_in_the_state_that_it_reaches() -> None:
    assert "EVM-1 refused" in failure(Insolvent, is_solvent, "invariant").why


def test_a_law_that_rests_on_something_beside_the_state_is_not_trusted() -> None:
    seen = []

    def is_true_twice(vault: Strongbox, amount: Amount) -> Any:
        """It is true at first."""
        seen.append(amount)
        return len(seen) % 30 != 0

    assert "beside the state" in failure(Strongbox, is_true_twice).why


# --- Laws that are true -----------------------------------------------------------------------------------------------


def total_is_exact(vault: Strongbox, caller: User, amount: Amount) -> Any:
    """A withdrawal of everything leaves nothing."""
    assume(vault.deposits[caller] == amount)
    vault.withdraw(caller, amount)
    return vault.deposits[caller] == 0


def nobody_takes_what_is_of_others(vault: Strongbox, step: Step, who: User) -> Any:
    """No action lowers what anybody but its caller has put in."""
    assume(step.argument("caller") != who)
    before = vault.deposits[who]
    step.take(vault)
    return vault.deposits[who] >= before


@pytest.mark.parametrize(
    "claim",
    [*laws.chapter.properties[:3], stated(nobody_takes_what_is_of_others)],
    ids=lambda claim: claim.id,
)
def test_laws_of_a_new_system_are_run_and_hold(claim: Property) -> None:
    tried = trials(Strongbox).run(claim, SECONDS)
    assert tried.failure is None
    assert tried.cases > 200


def test_a_premise_that_chance_does_not_meet_is_led_to() -> None:
    tried = trials(Strongbox).run(stated(total_is_exact), SECONDS)
    assert tried.failure is None
    assert tried.cases > 100


def test_the_same_seed_finds_the_same_case() -> None:
    law = stated(others_keep_their_tokens)
    assert trials(Strongbox).run(law, SECONDS) == Trials(Strongbox).run(law, SECONDS)


def test_what_is_given_is_assumed_and_numbers_that_are_pinned_stay() -> None:
    def nothing_is_there(vault: Strongbox, who: User) -> Any:
        """Where nothing is owed, nobody has anything."""
        return vault.deposits[who] == 0

    def none_negative(vault: Strongbox, who: User) -> Any:
        """Nobody has less than nothing."""
        return vault.deposits[who] >= 0

    empty = Scope(OPEN.keys, fixed={"total": pinned(0, why="where nothing is owed")})
    assert failure(Strongbox, nothing_is_there, scope=empty) is not None
    assert failure(Strongbox, nothing_is_there, scope=empty, given=(laws.deposits_add_up, none_negative)) is None


def test_an_action_that_refuses_ends_a_case_and_a_helper_that_refuses_does_not() -> None:
    def moves(vault: Strongbox, caller: User, receiver: Account, amount: Amount) -> Any:
        """Whatever is sent arrives."""
        vault.transfer(caller, receiver, amount)
        return True

    def moves_inside(vault: Strongbox, caller: User, receiver: Account, amount: Amount) -> Any:
        """Whatever is moved arrives."""
        vault._move(caller, receiver, amount)
        return True

    assert failure(Strongbox, moves) is None
    assert failure(Strongbox, moves_inside).why == "TOK-2 refused outside an action"


# --- Steps made of two ------------------------------------------------------------------------------------------------


class Stale(MorphoBlue):
    """Interest accrues after the health check."""

    @action(weight=6)
    def withdraw_collateral(
        self, caller: Lender, market: MarketId, assets: Assets, on_behalf: Holder, receiver: Holder
    ) -> None:
        """Take collateral back."""
        self._created(market)
        if assets == 0:
            raise Rejected("ACT-3")
        self._not_zero(receiver)
        self._authorized(caller, on_behalf)
        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
        self._accrue_interest(market)
        self._push(self.params[market].collateral_token, receiver, assets)


def accrual_comes_first(venue: MorphoBlue, step: Step) -> Step:
    """An action that accrues interest may as well come after an accrual."""
    return Step(Call("accrue_interest", {"caller": "actor", "market": step.argument("market")}))


def test_a_step_is_made_of_two_and_a_check_before_accrual_is_not() -> None:
    law = stated(accrual_comes_first, "composition", scope=LENDING, before=settled)
    tried = trials(MorphoBlue).run(law)
    assert tried.failure is None
    assert tried.cases > 50
    # On a slow machine longer, but in as many cases everywhere.
    found = trials(Stale).run(law, 10 * SECONDS).failure
    assert found is not None
    assert found.case["step"].startswith("withdraw_collateral")


# --- Shipped systems --------------------------------------------------------------------------------------------------


def healthy_stays_healthy(venue: MorphoBlue, market: MarketId, who: Holder, price: Price) -> Any:
    """Who is healthy at one price is healthy at every higher price."""
    try:
        assume(venue.is_healthy(market, who))
    except Rejected:
        assume(False)
    assume(price >= venue.price[market])
    venue.price[market] = price
    return venue.is_healthy(market, who)


def test_health_at_the_highest_price_is_an_overflow() -> None:
    found = failure(MorphoBlue, healthy_stays_healthy, scope=LENDING)
    assert found.why == "EVM-1 refused outside an action"


# Cases of each law of a shipped system here; `prove` takes as many as it has time for.
BRIEF = 25


@pytest.mark.parametrize("every_nth", [8, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])
@pytest.mark.parametrize(
    ("model", "chapter"),
    [(MorphoBlue, morpho_blue.chapter), (Reference, reference.chapter)],
    ids=["morpho-blue", "reference"],
)
def test_no_law_of_a_shipped_system_is_false_in_a_case(model: type[Machine], chapter: Chapter, every_nth: int) -> None:
    laws = chapter.properties[::every_nth]
    tried = {claim.id: trials(model).run(claim, 10 * SECONDS, BRIEF) for claim in laws}
    false = {id: trial.failure for id, trial in tried.items() if trial.failure is not None}
    assert false == {}
    assert [id for id, trial in tried.items() if trial.cases == 0] == []
    assert sum(trial.cases == BRIEF for trial in tried.values()) > 0.9 * len(tried)


# --- Identifiers that are alike ---------------------------------------------------------------------------------------


class FirstCome(Strongbox):
    """Who is listed first pays nothing."""

    @action
    def withdraw(self, caller: User, amount: Amount) -> None:
        """Take tokens out."""
        if caller != next(iter(self.deposits)) and amount > 10:
            raise Rejected("WDR-3")
        super().withdraw.__wrapped__(self, caller, amount)  # type: ignore[attr-defined]


class ByName(Strongbox):
    """Whose name comes first may send to whose name comes later."""

    @action
    def transfer(self, caller: User, receiver: Account, amount: Amount) -> None:
        """Send tokens."""
        if receiver != STRONGBOX and caller > receiver:
            raise Rejected("TOK-3")
        self._move(caller, receiver, amount)


class Sorted(Strongbox):
    """The last of all users in order of their names gets a unit of each transfer."""

    @action
    def transfer(self, caller: User, receiver: Account, amount: Amount) -> None:
        """Send tokens."""
        self._move(caller, receiver, amount)
        if amount > 0:
            self._move(receiver, sorted(self.deposits)[-1], 1)


@pytest.mark.parametrize("model", [FirstCome, ByName, Sorted], ids=lambda model: model.__name__)
def test_a_model_that_tells_alike_identifiers_apart_is_found(model: type[Machine]) -> None:
    found = asymmetry(model, OPEN)
    assert found is not None
    assert "in each other's place" in found


def test_a_model_for_which_users_are_alike_passes() -> None:
    assert asymmetry(Strongbox, OPEN) is None
    assert asymmetry(Minting, Scope({Account: ("a", "b", STRONGBOX), User: ("a", "b")}, alike=(("a", "b"),))) is None


# --- States -----------------------------------------------------------------------------------------------------------

Level = NewType("Level", int)


@dataclass
class Ladder(Machine):
    """Levels that are numbers which a proof does not know, some of them enabled."""

    enabled: dict[Level, bool] = field(default_factory=dict)

    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {Level: (5, 8)}

    @classmethod
    def blank(cls) -> "Ladder":
        return cls(dict.fromkeys(cls.universe[Level], False))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    @action
    def enable(self, level: Level) -> None:
        """Let a level be used."""
        if level >= 100:
            raise Rejected("LVL-1")
        self.enabled[level] = True


def test_identifiers_that_are_numbers_are_any_number() -> None:
    def is_low(ladder: Ladder, level: Level) -> Any:
        """What is enabled is below ten."""
        ladder.enable(level)
        return level < 10

    def is_enabled(ladder: Ladder, level: Level, other: Level) -> Any:
        """Exactly what was named is enabled."""
        before = ladder.enabled[other]
        ladder.enable(level)
        return every((ladder.enabled[level], level == other or ladder.enabled[other] == before))

    scope = Scope(keys={Level: (NumberKey("one level", Number(0, 200)), NumberKey("another level", Number(0, 200)))})
    assert failure(Ladder, is_low, scope=scope) is not None
    assert failure(Ladder, is_enabled, scope=scope) is None


def test_there_are_more_accounts_than_a_scope_names() -> None:
    def has_all(vault: Strongbox) -> Any:
        """Nobody but two has anything."""
        return vault.total <= vault.deposits[User(Account("actor"))] + vault.deposits[User(Account("other"))]

    assert failure(Strongbox, has_all, given=(laws.deposits_add_up,)) is not None
