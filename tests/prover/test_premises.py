"""False laws by what is taken for granted: what is asked of a state, who covers whom, what a state may hold."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NewType

import pytest

from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.model.kernel.numbers import UNBOUNDED, constant
from marginspec.properties.law import Chapter, Step, assume, every, refusal
from marginspec.properties.ranges import ranges
from marginspec.properties.relaxation import Relaxation, forget, simulates, simulations
from marginspec.properties.scope import REST, Scope, pinned
from marginspec.prover.arbitrary import Arbitrary
from marginspec.prover.prove import Prover, Verdict
from marginspec.prover.symbolic import ConcreteRun, Run
from marginspec.prover.terms import Atoms, SymInt

Account = NewType("Account", str)
User = NewType("User", Account)
ALICE = User(Account("alice"))
Amount = Annotated[int, Number(0, 2**64)]
Held = Annotated[int, Number(0, UNBOUNDED)]
Small = Annotated[int, Number(0, 100)]


def rare(x: int) -> bool:
    """Hardly ever: chance does not meet it."""
    return (x * 7919 + 104729) % 999983 == 271828


@dataclass
class Base(Machine):
    """What others add an action to."""

    flag: bool = False
    bad: bool = False
    total: Held = 0
    owner: User = ALICE
    held: dict[User, Held] = field(default_factory=dict)

    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {
        User: ("alice", "bob"),
        Account: ("alice", "bob", "vault"),
    }

    @classmethod
    def blank(cls) -> Base:
        return cls(held=dict.fromkeys(cls.universe[User], 0))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []


class Armed(Base):
    """What is put in rarely is bad, unless it is armed; and then it is armed."""

    @action
    def arm(self, caller: User) -> None:
        """Arm it."""
        self.flag = True

    @action
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put something in."""
        if rare(amount) and not self.flag:
            self.bad = True
        self.total += amount
        self.flag = True

    def secret(self, caller: User) -> None:
        """No action."""
        self.flag, self.bad = True, True


SCOPE = Scope({User: ("alice", "bob"), Account: ("alice", "bob", "vault")})
OPEN = Scope({User: ("actor", "other", REST), Account: ("actor", "other", "vault", REST)})


def never_bad(m: Base) -> Any:
    """Nothing bad ever happens."""
    return not m.bad


def proved(chapter: Chapter, model: type[Machine]) -> Verdict:
    """The verdict on the last law of a chapter, by the proof alone: runs on numbers do not meet what is rare."""
    return Prover(model, recheck=False).prove(chapter.properties[-1])


def of(model: type[Machine], law: Callable[..., Any] = never_bad, kind: str = "invariant", **options: Any) -> Verdict:
    """The verdict on one law of a model."""
    chapter = Chapter("", options.pop("scope", SCOPE))
    getattr(chapter, kind)("X")(law)
    return proved(chapter, model)


# --- What is asked of a state -----------------------------------------------------------------------------------------


def test_an_invariant_that_takes_an_action_is_none() -> None:
    def armed(m: Armed, who: User) -> Any:
        """Nothing is bad, and anybody can arm it."""
        assume(refusal(m.arm, who) is None)
        return not m.bad

    def can_be_armed(m: Armed, who: User) -> Any:
        """Anybody can arm it."""
        return refusal(m.arm, who) is None

    def harmless(m: Armed, who: User, amount: Amount) -> Any:
        """Putting something in is not bad."""
        assume(not m.bad)
        m.put_in(who, amount)
        return not m.bad

    assert of(Armed, armed).verdict != "proved"
    chapter = Chapter("", SCOPE)
    chapter.invariant("X-1")(can_be_armed)
    chapter.theorem("X-2", given=(can_be_armed,))(harmless)
    found = proved(chapter, Armed)
    assert found.verdict == "unknown"
    assert "changes it" in found.reason


def test_an_invariant_that_assumes_something_is_none() -> None:
    def usual(m: Armed) -> Any:
        """The total is not negative."""
        assume(not rare(m.total))
        return m.total >= 0

    def is_usual(m: Armed) -> Any:
        """The total is usual."""
        return not rare(m.total)

    chapter = Chapter("", SCOPE)
    chapter.invariant("X-1")(usual)
    chapter.theorem("X-2", given=(usual,))(is_usual)
    assert "assumes something" in proved(chapter, Armed).reason
    assert of(Armed, usual).verdict == "unknown"


BEFORE: dict[str, Callable[[Armed, Step], Any]] = {
    "takes an action": lambda m, step: step.action != "put_in" or refusal(m.arm, step.argument("caller")) is not None,
    "assumes": lambda m, step: step.action != "put_in" or assume(not rare(step.argument("amount"))) is None,
    "leaves it out": lambda m, step: step.action != "put_in" or not rare(step.argument("amount")),
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("first", ["arm", "secret"])
def test_no_composition_leaves_a_rare_step_out(before: Callable[..., Any], first: str) -> None:
    chapter = Chapter("", SCOPE, before)

    @chapter.composition("X-0")
    def armed_first(m: Armed, step: Step) -> Step:
        """Whatever happens may as well happen when it is armed."""
        return Step(Call(first, {"caller": step.argument("caller")}))

    chapter.invariant("X-1")(never_bad)
    assert proved(chapter, Armed).verdict != "proved"


def test_where_a_composition_is_limited_what_rests_on_it_says_so() -> None:
    chapter = Chapter("", SCOPE, BEFORE["leaves it out"])

    @chapter.composition("X-0", scope={"amount": pinned(7, why="for once")})
    def armed_first(m: Armed, step: Step) -> Step:
        """Whatever happens may as well happen when it is armed."""
        return Step(Call("arm", {"caller": step.argument("caller")}))

    chapter.invariant("X-1")(never_bad)
    found = proved(chapter, Armed)
    assert found.verdict != "proved" or "steps that X-0 covers only where: amount is 7 (for once)" in found.scope


# --- Narrower than what it is used for --------------------------------------------------------------------------------


@dataclass
class Switched(Base):
    """Leaves its range where it is switched on."""

    part: Small = 0

    @action
    def switch(self) -> None:
        """Switch it on."""
        self.flag = True

    @action
    def put_in(self, amount: Amount) -> None:
        """Put something in."""
        if self.flag and rare(amount):
            self.part += 101


def test_ranges_of_a_narrower_scope_are_no_ranges() -> None:
    chapter = Chapter("", SCOPE)
    chapter.add([ranges("X-R", chapter, lambda shape: shape == "part", scope={"flag": pinned(False, why="usual")})])

    @chapter.theorem("X-1")
    def is_small(m: Switched, amount: Amount) -> Any:
        """It stays small."""
        m.put_in(amount)
        return m.part <= 201

    assert "rests on X-R" in proved(chapter, Switched).reason


def test_an_invariant_of_other_identifiers_is_not_given() -> None:
    few, many = Chapter("", Scope({User: ("alice",)})), Chapter("", Scope({User: ("alice", "other")}))
    few.invariant("X-0")(never_bad)
    many.add(few.properties)

    @many.theorem("X-1", given=(never_bad,))
    def nothing_bad(m: Limited) -> Any:
        """Nothing bad is there."""
        return not m.bad

    assert "other identifiers" in proved(many, Limited).reason


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({User: ("alice", "bob"), Account: ("alice", "bob", "vault", "pool", "well")}, ""),
        ({User: ("alice", "eve"), Account: ("alice", "eve")}, ""),
        ({User: ("alice", "vault"), Account: ("alice", "vault")}, "vault is User and Account"),
        ({User: ("alice",), Account: ("alice", "bob")}, "bob is Account and nothing else"),
        ({User: ("alice", "eve"), Account: ("alice",)}, "eve is User and nothing else"),
        ({User: ("bob", "alice"), Account: ("bob", "alice")}, "each User in another order"),
    ],
)
def test_a_scope_has_identifiers_like_those_of_the_model(keys: dict[Any, tuple[Any, ...]], reason: str) -> None:
    assert reason in of(Base, not_less_than_nothing, "lemma", scope=Scope(keys)).reason


def test_an_invariant_is_of_all_that_may_act() -> None:
    free = Scope(SCOPE.keys, free={User: ("alice",)})
    assert "an invariant is not limited to some User" in of(Armed, scope=free).reason


def test_types_that_are_limited_are_shown() -> None:
    free = Scope(SCOPE.keys, free={User: ("alice",)})
    assert "User is alice (no reason given)" in of(Armed, not_less_than_nothing, "lemma", scope=free).scope


def not_less_than_nothing(m: Base, x: Amount) -> Any:
    """Nothing is less than nothing."""
    return x >= 0


# --- Relaxations ------------------------------------------------------------------------------------------------------


class Noting(Base):
    """What is put in rarely is noted as bad, and more than a thousand is refused."""

    @action
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put something in."""
        self.note(amount)
        self.total += amount

    @action
    def move(self, caller: User) -> None:
        """Nothing much."""
        self.total += 1

    def note(self, amount: int) -> None:
        self.deeper(amount)

    def deeper(self, amount: int) -> None:
        if rare(amount):
            self.bad = True


if TYPE_CHECKING:
    _Noting = Noting
else:
    _Noting = Machine


class Assuming(_Noting):
    """Assumes the usual."""

    @simulates("X-S")
    def note(self, amount: int) -> None:
        """Nothing is noted."""
        assume(not rare(amount))


class Silent(_Noting):
    """Notes nothing."""

    @simulates("X-S")
    def note(self, amount: int) -> None:
        """Nothing is noted."""


class Shallow(_Noting):
    """Nothing happens deeper."""

    @simulates("X-D")
    def deeper(self, amount: int) -> None:
        """Nothing happens."""


class Over(_Noting):
    """Notes nothing, as nothing happens deeper."""

    @simulates("X-S", over=Relaxation(Shallow))
    def note(self, amount: int) -> None:
        """Nothing is noted."""


class Untold(_Noting):
    """What is noted of who is watched may be anything."""

    watched: User | None = None

    @simulates("X-S")
    def note(self, amount: int) -> None:
        """Noting changes what is bad."""
        if self.watched is not None:
            forget(self, "bad")


class NoAction(_Noting):
    """Puts in what is no action any more."""

    @simulates("X-S")
    def put_in(self, caller: User, amount: int) -> None:
        """Putting something in changes what is bad and the total."""
        forget(self, "bad")
        self.total += amount


class Priced(Base):
    """Of some amounts there is no price."""

    @action
    def put_in(self, caller: User, amount: Amount) -> None:
        """Puts something in."""
        if rare(amount):
            raise Rejected("PRM-7")
        self.total += amount

    def price(self, amount: int) -> int:
        """The price of an amount."""
        if rare(amount):
            raise Rejected("PRM-7")
        return 1


class ByAction(Machine):
    """Asks an action for what a helper refuses."""

    @simulates("X-S", total=True)
    def price(self, amount: int) -> Any:
        """The price is one, where it can be put in."""
        self.clone().put_in(ALICE, amount if rare(amount) else 0)  # type: ignore[attr-defined]
        return 1


def test_what_a_replaced_helper_refuses_is_not_refused_by_an_action() -> None:
    def has_a_price(m: Priced, amount: Amount) -> Any:
        """Each amount has a price."""
        return m.price(amount) == 1

    chapter, easy = Chapter("", SCOPE), Relaxation(ByAction)
    chapter.lemma("X-1", relaxed=easy)(has_a_price)
    chapter.add(simulations(easy, Priced, "", SCOPE))
    assert Prover(Priced, recheck=False).prove(chapter.properties[0]).verdict == "refuted"


@pytest.mark.parametrize("way", [Assuming, Silent, Over, Untold, NoAction])
def test_a_replacement_that_allows_less_proves_nothing(way: type) -> None:
    chapter, easy = Chapter("", SCOPE), Relaxation(way)
    chapter.invariant("X-1", relaxed=easy)(never_bad)
    chapter.add(simulations(easy, Noting, "", SCOPE))
    assert Prover(Noting, recheck=False).prove(chapter.properties[0]).verdict != "proved"


def test_a_lemma_of_the_same_name_is_not_that_of_the_replacement() -> None:
    chapter = Chapter("", SCOPE)
    chapter.lemma("X-S")(not_less_than_nothing)
    chapter.invariant("X-1", relaxed=Relaxation(Silent))(never_bad)
    assert "X-S is not the lemma of that" in proved(chapter, Noting).reason


def test_a_lemma_of_a_narrower_scope_is_not_enough() -> None:
    chapter, easy = Chapter("", SCOPE), Relaxation(Silent)
    chapter.invariant("X-1", relaxed=easy)(never_bad)
    chapter.add(simulations(easy, Noting, "", SCOPE.narrowed({"amount": pinned(7, why="for once")})))
    assert "only where amount is 7" in Prover(Noting, recheck=False).prove(chapter.properties[0]).reason


def test_a_property_is_not_replaced() -> None:
    class Odd(Machine):
        """Replaces a property."""

        @property
        def odd(self) -> bool:
            return False

    with pytest.raises(ValueError, match="of a property no lemma"):
        Relaxation(Odd)


def test_a_model_that_is_not_made_of_this_one_is_no_relaxation() -> None:
    assert "which is no Noting" in _relaxed_by(lambda model: Tied).reason


def _relaxed_by(relaxation: Any) -> Verdict:
    chapter = Chapter("", SCOPE)
    chapter.invariant("X-1", relaxed=relaxation)(never_bad)
    return proved(chapter, Noting)


class Refusing(Noting):
    """Refuses what is rare."""

    def note(self, amount: int) -> None:
        if rare(amount):
            raise Rejected("A-1")


def test_what_a_relaxed_model_refuses_is_not_asked_by_try() -> None:
    def is_accepted(m: Refusing, who: User, amount: Amount) -> Any:
        """Whatever is put in is taken."""
        try:
            m.put_in(who, amount)
        except Rejected:
            return False
        return m.total >= amount

    chapter, easy = Chapter("", SCOPE), Relaxation(Silent)
    chapter.theorem("X-1", relaxed=easy)(is_accepted)
    chapter.add(simulations(easy, Refusing, "", SCOPE))
    found = Prover(Refusing, recheck=False).prove(chapter.properties[0])
    assert "asks what is refused" in found.reason


# --- What a state may hold --------------------------------------------------------------------------------------------


class Truthful(Base):
    """A truth value that is a number, rarely."""

    @action
    def put_in(self, amount: Amount) -> None:
        """Put something in."""
        self.flag = amount if rare(amount) else amount > 7  # type: ignore[assignment]


class Nobody(Base):
    """An owner that nobody has heard of, rarely."""

    @action
    def leave(self, caller: User, amount: Amount) -> None:
        """Leave."""
        self.owner = User(Account("nobody")) if rare(amount) else caller


class Vaulted(Base):
    """An owner that is no user, rarely."""

    @action
    def leave(self, other: Account, amount: Amount) -> None:
        """Leave."""
        if other != "vault" or rare(amount):
            self.owner = User(other)


class Nothing(Base):
    """A total that is nothing, rarely."""

    @action
    def put_in(self, amount: Amount) -> None:
        """Put something in."""
        self.total = None if rare(amount) else amount  # type: ignore[assignment]


class Turned(Base):
    """Users in another order, rarely."""

    @action
    def turn(self, amount: Amount) -> None:
        """Turn them round."""
        if rare(amount):
            self.held = {user: self.held[user] for user in reversed(list(self.held))}


class Zed(Base):
    """Somebody is named whom no scope names."""

    @action
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put something in."""
        if caller == "zed" and rare(amount):
            self.bad = True


class Forty(Base):
    """Forty are too many."""

    @action
    def put_in(self, caller: User) -> None:
        """Put something in."""
        if len(self.held) == 40:
            self.bad = True


class Tied(Base):
    """Of those who have the same, one is the owner."""

    @action
    def choose(self, caller: User) -> None:
        """Choose who has most."""
        self.owner = max((has, user) for user, has in self.held.items())[1]


@pytest.mark.parametrize(
    ("model", "scope"),
    [(m, SCOPE) for m in (Truthful, Nobody, Vaulted, Nothing, Turned)] + [(Zed, OPEN), (Forty, OPEN)],
)
def test_a_state_holds_what_its_types_declare(model: type[Machine], scope: Scope) -> None:
    assert of(model, scope=scope).verdict != "proved"


def test_identifiers_have_no_order_in_a_pair_either() -> None:
    alike = Scope({User: ("x", "y"), Account: ("x", "y", "vault")}, alike=(("x", "y"),))

    def is_chosen(m: Tied, who: User, other: User) -> Any:
        """Who acts is chosen."""
        assume(who != other and m.held[who] == m.held[other])
        m.choose(who)
        return m.owner == who

    assert of(Tied, is_chosen, "theorem", scope=alike).verdict != "proved"


# --- How runs begin ---------------------------------------------------------------------------------------------------


@dataclass
class Limited(Base):
    """Has a limit."""

    limit: Small = constant(default=0)  # noqa: RUF009 - as models declare it
    cap: Held = 0

    @action
    def set_cap(self, part: Small) -> None:
        """Set the cap."""
        self.cap = part


class TooMuch(Limited):
    """A limit beyond its range."""

    @classmethod
    def blank(cls) -> TooMuch:
        return cls(held=dict.fromkeys(cls.universe[User], 0), limit=1000)


class Begun(Limited):
    """A prelude beyond the range of its argument."""

    @classmethod
    def prelude(cls) -> list[Call]:
        return [Call("set_cap", {"part": 1000})]


class Raised(Limited):
    """A prelude that makes an invariant false."""

    @classmethod
    def prelude(cls) -> list[Call]:
        return [Call("set_cap", {"part": 100})]


class Unasked(Limited):
    """A prelude that takes no action."""

    @classmethod
    def prelude(cls) -> list[Call]:
        return [Call("surplus", {})]


@pytest.mark.parametrize("model", [TooMuch, Begun, Unasked])
def test_runs_that_begin_as_nothing_may_prove_nothing(model: type[Machine]) -> None:
    found = of(model)
    assert (found.verdict, found.paths) == ("unknown", 0)


def test_an_invariant_holds_where_every_run_begins() -> None:
    def is_not_full(m: Limited) -> Any:
        """The cap is not a hundred."""
        return m.cap != 100 or m.flag

    assert of(Raised, is_not_full).verdict == "refuted"


def test_everything_that_names_begin_like_the_rest_is_asked() -> None:
    scope = Scope({User: ("alice", "restaurant"), Account: ("alice", "restaurant", "vault")})
    chapter = Chapter("", scope)

    @dataclass
    class House(Base):
        """Small rooms."""

        rooms: dict[User, Small] = field(default_factory=dict)

        universe: ClassVar[dict[Any, tuple[Any, ...]]] = {
            User: ("alice", "restaurant"),
            Account: ("alice", "restaurant", "vault"),
        }

        @classmethod
        def blank(cls) -> House:
            return cls(rooms=dict.fromkeys(cls.universe[User], 0), held=dict.fromkeys(cls.universe[User], 0))

        @action
        def add(self, caller: User, amount: Amount) -> None:
            """Add to a room."""
            if caller == "restaurant":
                self.rooms[caller] += amount

    chapter.add([ranges("X-R", chapter, lambda shape: shape == "rooms[]")])
    assert Prover(House).prove(chapter.properties[0]).verdict == "refuted"


def test_what_is_true_is_still_proved() -> None:
    def adds_up(m: Noting, caller: User, amount: Amount) -> Any:
        """What is put in is there."""
        before = m.total
        m.put_in(caller, amount)
        return every((m.total == before + amount, m.owner == "alice" or m.owner != "alice"))

    assert of(Noting, adds_up, "theorem").verdict == "proved"


def test_what_was_built_of_numbers_is_no_state_of_unknowns() -> None:
    state = Arbitrary(Scope(keys=dict(Base.universe))).template(Base)
    for total in range(20):
        # What replays were made of is gone, and the run may take its place.
        ConcreteRun({}, {"total": total}).run(state)
        Run.current = Run((), Atoms())
        gc.collect()
        Run.current = Run((), Atoms())
        assert isinstance(state().total, SymInt)
