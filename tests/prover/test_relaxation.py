"""A law that is proved of a model that leaves things open rests on a lemma for each of them, and falls with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from marginspec.model.kernel import Machine, Number, Rejected, action
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter, anything, assume, refusal
from marginspec.properties.relaxation import AnyInteger, Relaxation, forget, may_refuse, no_less, simulates, simulations
from marginspec.properties.scope import Scope
from marginspec.prover.prove import Prover, Verdict

Amount = Annotated[int, Number(0, 2**64)]
Money = Annotated[int, Number(-UNBOUNDED, UNBOUNDED)]
Percent = Annotated[int, Number(0, 100)]


@dataclass
class Till(Machine):
    """Takes money, less a cost that it refuses to say of much."""

    money: Money = 0
    percent: Percent = 0

    @classmethod
    def blank(cls) -> Till:
        return cls()

    def cost(self, amount: int) -> int:
        if amount > 1000:
            raise Rejected("TILL-1")
        return amount * self.percent // 100

    def reprice(self, percent: int) -> None:
        self.percent = percent

    @action
    def pay(self, amount: Amount) -> None:
        """Pay in."""
        self.money += amount - self.cost(amount)


if TYPE_CHECKING:
    _Till = Till
else:
    _Till = Machine

SCOPE = Scope({})


def told(relaxation: Any, law: Any) -> dict[str, Verdict]:
    """Verdicts on a law of the relaxed till and on what it rests on, by ID."""
    chapter = Chapter("", SCOPE)
    chapter.theorem("LAW", relaxed=relaxation)(law)
    if isinstance(relaxation, Relaxation):
        chapter.add(simulations(relaxation, Till, "", SCOPE))
    prover = Prover(Till)
    return {claim.id: prover.prove(claim) for claim in chapter.properties}


def at_most_what_is_paid(till: Till, amount: Amount) -> Any:
    """No more arrives than is paid."""
    before = till.money
    till.pay(amount)
    return till.money <= before + amount


def refused_above_a_thousand(till: Till, amount: Amount) -> Any:
    """What is much is refused by TILL-1, nothing else is."""
    return refusal(till.pay, amount) == ("TILL-1" if amount > 1000 else None)


def refused_by_one_rule(till: Till, amount: Amount) -> Any:
    """What is refused is refused by TILL-1."""
    return refusal(till.pay, amount) in (None, "TILL-1")


def is_amount(till: Any, amount: int) -> Any:
    """There is no negative amount."""
    return amount >= 0


class NoNegativeCost(_Till):
    """Any cost."""

    @simulates("COST-1", given=is_amount)
    def cost(self, amount: Amount) -> Any:
        """A cost is not negative, and working it out changes nothing."""
        return no_less(0)


class AnyCost(_Till):
    """Any number."""

    @simulates("COST-2")
    def cost(self, amount: int) -> Any:
        """A cost is a number."""
        return anything(AnyInteger)


class NoCost(_Till):
    """Nothing is paid, which is not so."""

    @simulates("COST-3")
    def cost(self, amount: int) -> Any:
        """There is no cost."""
        return 0


class Refusing(_Till):
    """Any cost, and refused."""

    @simulates("COST-4", given=is_amount, total=True)
    def cost(self, amount: int) -> Any:
        """A cost is not negative, or it is refused."""
        may_refuse("TILL-1")
        return no_less(0)


class NeverRefusing(_Till):
    """Any cost, never refused, which is not so."""

    @simulates("COST-5", total=True)
    def cost(self, amount: int) -> Any:
        """A cost is not negative, and never refused."""
        return no_less(0)


def is_little(till: Any, amount: int) -> Any:
    """It is little."""
    return 0 <= amount <= 10


class LittleCost(_Till):
    """What is little costs at most as much."""

    @simulates("COST-6", given=is_little)
    def cost(self, amount: int) -> Any:
        """A cost of little is not negative."""
        return no_less(0)


class Repriced(_Till):
    """Any percentage."""

    @simulates("PRICE-1")
    def reprice(self, percent: int) -> None:
        """A percentage stays within its range, which is not so."""
        forget(self, "percent", within=True)


class AnyRepriced(_Till):
    """Any number."""

    @simulates("PRICE-2")
    def reprice(self, percent: int) -> None:
        """A percentage becomes a number."""
        forget(self, "percent")


def test_a_law_that_holds_whatever_is_left_open_is_proved_with_its_lemma() -> None:
    found = told(Relaxation(NoNegativeCost), at_most_what_is_paid)
    assert [found[id].verdict for id in ("LAW", "COST-1")] == ["proved", "proved"]
    assert "COST-1" in found["LAW"].rests_on
    assert found["LAW"].relaxed == ("cost",)


def test_what_is_left_open_may_be_anything() -> None:
    found = told(Relaxation(AnyCost), at_most_what_is_paid)
    assert (found["LAW"].verdict, found["COST-2"].verdict) != ("proved", "proved")
    assert found["LAW"].verdict != "proved"


def the_same_twice(till: Till, amount: Amount) -> Any:
    """What is asked twice costs the same."""
    assume(amount < 1000)
    return till.cost(amount) == till.cost(amount)


def the_same_of_another_state(till: Till, amount: Amount) -> Any:
    """What is paid changes no cost. It does not in the till, but a relaxation does not know."""
    assume(amount < 1000)
    before = till.cost(amount)
    till.pay(amount)
    return till.cost(amount) == before


def the_same_of_another_amount(till: Till, amount: Amount) -> Any:
    """What is more costs the same, which is not so."""
    assume(amount < 1000)
    return till.cost(amount) == till.cost(amount + 1)


def test_what_is_left_open_is_the_same_for_the_same_state_and_arguments_and_no_others() -> None:
    laws = (the_same_twice, the_same_of_another_state, the_same_of_another_amount)
    assert [told(Relaxation(AnyCost), law)["LAW"].verdict for law in laws] == ["proved", "unknown", "refuted"]


def test_a_law_falls_with_its_lemma() -> None:
    found = told(Relaxation(NoCost), at_most_what_is_paid)
    assert found["COST-3"].verdict == "refuted"
    assert (found["LAW"].verdict, found["LAW"].reason) == ("unknown", "rests on COST-3, which is refuted")


def test_a_method_that_is_replaced_without_a_lemma_makes_it_unknown() -> None:
    class Free(Till):
        def cost(self, amount: int) -> int:
            return 0

    found = told(lambda model: Free, at_most_what_is_paid)
    assert found["LAW"].verdict == "unknown"
    assert "no lemma shows that it may" in found["LAW"].reason


def test_what_is_refused_is_asked_only_where_lemmas_say_that() -> None:
    assert told(Relaxation(NoNegativeCost), refused_by_one_rule)["LAW"].verdict == "unknown"
    found = told(Relaxation(Refusing), refused_by_one_rule)
    assert [found[id].verdict for id in ("LAW", "COST-4")] == ["proved", "proved"]
    assert told(Relaxation(Refusing), refused_above_a_thousand)["LAW"].verdict != "proved"
    found = told(Relaxation(NeverRefusing), refused_by_one_rule)
    assert (found["COST-5"].verdict, found["LAW"].verdict) == ("refuted", "unknown")


def test_a_lemma_that_assumes_something_is_used_where_that_holds() -> None:
    def little(till: Till, amount: Amount) -> Any:
        """No more arrives than is paid, if that is little."""
        assume(amount <= 10)
        before = till.money
        till.pay(amount)
        return till.money <= before + amount

    found = told(Relaxation(LittleCost), little)
    assert [found[id].verdict for id in ("LAW", "COST-6")] == ["proved", "proved"]
    found = told(Relaxation(LittleCost), at_most_what_is_paid)
    assert (found["LAW"].verdict, found["COST-6"].verdict) == ("unknown", "proved")
    assert "a relaxation is used where it does not hold" in found["LAW"].reason


class Unlimited(_Till):
    """A cost, of an amount that is said to be within a range."""

    @simulates("COST-7")
    def cost(self, amount: Amount) -> Any:
        """A cost is not negative, which of a negative amount it is."""
        return no_less(0)


def test_the_range_of_an_argument_is_no_assumption() -> None:
    assert told(Relaxation(Unlimited), at_most_what_is_paid)["COST-7"].verdict == "refuted"


def test_what_is_forgotten_within_its_range_stays_there_or_the_lemma_is_false() -> None:
    assert told(Relaxation(Repriced), at_most_what_is_paid)["PRICE-1"].verdict == "refuted"
    assert told(Relaxation(AnyRepriced), at_most_what_is_paid)["PRICE-2"].verdict == "proved"


def test_one_id_names_one_replacement() -> None:
    class Other(_Till):
        """Something else by the same name."""

        @simulates("COST-1")
        def cost(self, amount: int) -> Any:
            """A cost is not negative."""
            return anything(AnyInteger)

    chapter = Chapter("", SCOPE)
    chapter.add(simulations(Relaxation(NoNegativeCost), Till, "", SCOPE))
    chapter.add(simulations(Relaxation(NoNegativeCost), Till, "", SCOPE))
    with pytest.raises(ValueError, match="COST-1 is declared twice"):
        chapter.add(simulations(Relaxation(Other), Till, "", SCOPE))
    assert [claim.id for claim in chapter.properties] == ["COST-1"]


def nothing_is_charged(till: Any) -> Any:
    """Nothing is charged."""
    return till.percent == 0


def test_what_a_relaxation_assumes_of_the_state_limits_the_law_and_shows() -> None:
    found = told(Relaxation(NoNegativeCost, nothing_is_charged), at_most_what_is_paid)
    assert found["LAW"].verdict == "proved"
    assert found["LAW"].scope == ("only where: Nothing is charged.",)
    chapter = Chapter("", SCOPE)

    @chapter.invariant("KEPT", relaxed=Relaxation(NoNegativeCost, nothing_is_charged))
    def not_negative(till: Till) -> Any:
        """The percentage is not negative."""
        return till.percent >= 0

    @chapter.theorem("LAW", given=(not_negative,))
    def law(till: Till, amount: Amount) -> Any:
        """Paying leaves the percentage."""
        before = till.percent
        till.pay(amount)
        return till.percent == before

    chapter.add(simulations(chapter.properties[0].relaxed, Till, "", SCOPE))  # type: ignore[arg-type]
    kept, claim = chapter.properties[:2]
    verdict = Prover(Till).prove(claim)
    assert verdict.verdict == "unknown"
    assert verdict.reason == "rests on KEPT, which is unknown"
    assert "an invariant is not limited to some states (Nothing is charged.)" in Prover(Till).prove(kept).reason
