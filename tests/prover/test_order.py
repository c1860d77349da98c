"""Identifiers that are alike come in any order: what tells which is first is not proved of the first alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NewType

import pytest

from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter, Step, every
from marginspec.properties.scope import REST, Scope
from marginspec.prover.prove import LawRun, Prover, Verdict

User = NewType("User", str)
Amount = Annotated[int, Number(0, 10**9)]
Stored = Annotated[int, Number(0, UNBOUNDED)]
# What chance does not meet.
RARE = 999_983 * 271 + 314_159


@dataclass
class Purse(Machine):
    """What each has."""

    had: dict[User, Stored] = field(default_factory=dict)
    total: Stored = 0

    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {User: ("ann", "bob", "cat", "dan")}

    @classmethod
    def blank(cls) -> "Purse":
        return cls(dict.fromkeys(cls.universe[User], 0))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    def _whose(self, caller: User) -> User:
        return caller

    @action
    def put(self, caller: User, amount: Amount) -> None:
        """Put something in."""
        self.had[self._whose(caller) if amount == RARE else caller] += amount
        self.total += amount

    @action
    def clear(self) -> None:
        """All is taken out."""
        for user in self.had:
            self.had[user] = 0
        self.total = 0


class First(Purse):
    """The first one gets it."""

    def _whose(self, caller: User) -> User:
        return list(self.had.keys())[0]  # noqa: RUF015 - by its place


class Counted(Purse):
    """The first one gets it."""

    def _whose(self, caller: User) -> User:
        found = caller
        for place, user in enumerate(self.had):
            found = user if place == 0 else found
        return found


class Last(Purse):
    """The one before the last gets it."""

    def _whose(self, caller: User) -> User:
        last = before = caller
        for user, _ in self.had.items():
            last, before = user, last
        return before


class Ranked(Purse):
    """Who comes last gets it."""

    def _whose(self, caller: User) -> User:
        places = {user: place for place, user in enumerate(self.had)}
        return max((places[user], user) for user in places)[1]


class Paired(Purse):
    """Who stands at the first even amount gets it."""

    def _whose(self, caller: User) -> User:
        for place, user in zip(range(9), self.had, strict=False):
            if place == 0:
                return user
        return caller


class Unpacked(Purse):
    """The first one gets it."""

    def _whose(self, caller: User) -> User:
        first, *_ = self.had
        return first


class Copied(Purse):
    """The first one gets it."""

    def _whose(self, caller: User) -> User:
        return [*{**self.had}][0]  # noqa: RUF015 - by its place


class Refused(Purse):
    """Whoever comes before the caller must have nothing."""

    def _whose(self, caller: User) -> User:
        for user, has in self.had.items():
            if user == caller:
                return caller
            if has != 0:
                raise Rejected("PRS-1")
        return caller


CLOSED = Scope({User: ("x", "y", "z")}, alike=(("x", "y", "z"),))
OPEN = Scope({User: ("x", "y", REST)})


def verdict(model: type[Machine], law: Callable[..., Any], scope: Scope, kind: str = "theorem") -> Verdict:
    """The verdict of the proof alone: what runs find in a rare case is not asked."""
    chapter = Chapter("a purse", scope)
    getattr(chapter, kind)("PRS")(law)
    return Prover(model, recheck=False).prove(chapter.properties[-1])


def own(purse: Purse, caller: User, amount: Amount) -> Any:
    """Who puts something in has it."""
    before = purse.had[caller]
    purse.put(caller, amount)
    return purse.had[caller] == before + amount


@pytest.mark.parametrize("scope", [CLOSED, OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("model", [First, Counted, Last, Ranked, Paired, Unpacked, Copied])
def test_who_is_first_is_not_told_by_who_acts(model: type[Machine], scope: Scope) -> None:
    assert verdict(model, own, scope).verdict != "proved"


def test_every_order_of_a_closed_group_is_looked_at() -> None:
    found = verdict(Counted, own, CLOSED)
    assert found.verdict == "refuted"
    assert any(name.startswith("order of x, y, z") for name in found.counterexample or {})
    assert "order" in verdict(Counted, own, OPEN).reason


def test_what_is_the_same_in_every_order_is_proved() -> None:
    def adds_up(purse: Purse) -> Any:
        """The total is what all have."""
        return purse.total == sum(purse.had.values())

    def cleared(purse: Purse, who: User) -> Any:
        """Nobody has anything then."""
        purse.clear()
        return purse.had[who] == 0

    def nobody_loses_by_a_gift(purse: Purse, caller: User, amount: Amount) -> Any:
        """Nobody has less then."""
        before = purse.clone()
        purse.put(caller, amount)
        return every(has >= before.had[user] for user, has in purse.had.items())

    assert verdict(Purse, adds_up, CLOSED, "invariant").verdict == "proved"
    assert verdict(Purse, cleared, CLOSED).verdict == "proved"
    assert verdict(Purse, nobody_loses_by_a_gift, CLOSED).verdict == "proved"
    assert verdict(Purse, adds_up, OPEN, "invariant").reason.startswith("something rests on the order")


def test_a_sum_asks_for_no_order_and_a_refusal_does() -> None:
    def of_all(purse: Purse, step: Step) -> Any:
        """Nothing comes from nowhere."""
        step.take(purse)
        return purse.total >= 0 and sum(purse.had.values()) >= 0

    for model, orders in ((Purse, 1), (Refused, 6)):
        chapter = Chapter("a purse", CLOSED)
        chapter.theorem("PRS")(of_all)
        law = LawRun(model, chapter.properties[-1])
        paths = [p for p in law.explored(law.body).paths if p.picks.get("step:") == "put"]
        assert len({str(p.picks.get("order of x, y, z")) for p in paths if p.ended is None}) in (orders, orders + 1)


class Named(Purse):
    """What is given a name of what changes nothing refuses all the same, by whom it comes to."""

    def _whose(self, caller: User) -> User:
        if sum(self._of(user, first_refused) for user in self.had) != 0:
            raise Rejected("PRS-2")
        return caller

    def _of(self, user: User, get: Callable[..., int]) -> int:
        return sum(get(one, user) for one in (self,))


def first_refused(purse: Purse, user: User) -> int:
    """Nothing, of who has nothing."""
    if purse.had[user] != 0:
        raise Rejected("PRS-1")
    return 0


def test_a_name_that_is_given_a_value_may_be_of_anything() -> None:
    assert "order" in verdict(Named, own, OPEN).reason


def counted(purse: Purse, who: User) -> Any:
    """There are fewer than a million."""
    return sum(1 for _ in purse.had) < 10**6 and purse.had[who] >= 0


def counted_beside(purse: Purse, who: User) -> Any:
    """There are fewer than a million."""
    return sum(has + 1 for has in purse.had.values()) - sum(purse.had.values()) < 10**6 and purse.had[who] >= 0


@pytest.mark.parametrize("law", [counted, counted_beside])
def test_who_is_not_named_is_not_counted_by_a_sum(law: Callable[..., Any]) -> None:
    assert "accounts that are not named are" in verdict(Purse, law, OPEN, "lemma").reason
    assert verdict(Purse, law, CLOSED, "lemma").verdict == "proved"
    assert sum([1, 2], 3) == 6


def test_limits_say_who_there_is_and_that_there_are_no_others() -> None:
    def own_(purse: Purse, caller: User, amount: Amount) -> Any:
        """Who puts something in has it."""
        return own(purse, caller, amount)

    closed, open_ = verdict(Purse, own_, CLOSED), verdict(Purse, own_, OPEN)
    assert closed.scope == ("only these: User x, y, z",)
    assert open_.scope == ()
    assert "User x, y and any number more" in open_.bounds
