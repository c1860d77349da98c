"""Chapter 11, options in a scenario, valued anew. Rules: `spec/reference/11-value-at-risk.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.kernel.record import Record
from marginspec.model.risk.black import black
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD, Positive, Seconds

Share = Annotated[int, Number(0, 100 * WAD, "10^-18 of what it was", WAD, typical=(WAD, 9 * WAD // 10, 11 * WAD // 10))]


@dataclass
class Held(Record):
    """Options of one kind with the prices that they are valued at."""

    leg: Leg
    forward: Positive = WAD
    volatility: Positive = 0
    seconds: Seconds = 0
    factor: Annotated[int, Number(0, WAD, "10^-18", WAD)] = WAD


@dataclass
class Moved(Record):
    """A scenario: forward and volatility become these parts of what they were."""

    price: Share = WAD
    volatility: Share = WAD


def value_in(held: Held, moved: Moved) -> int:
    """VAR-13: what one option is worth in a scenario, by OPT-4."""
    forward, volatility = (
        mul_div_down(held.forward, moved.price, WAD),
        mul_div_down(held.volatility, moved.volatility, WAD),
    )
    prices = black(forward, held.leg.strike, volatility, held.seconds, held.factor)
    return prices.call if held.leg.is_call else prices.put


def lost(amount: int, before: int, after: int) -> int:
    """VAR-14: what an amount of options loses when one was worth this before and after, rounded up."""
    return -mul_div_down(amount, after - before, WAD)


def losses(book: Sequence[Held], scenarios: Sequence[Moved]) -> list[int]:
    """VAR-14 of a book, in each scenario."""
    still = Moved()
    marks = [value_in(held, still) for held in book]
    return [
        sum(lost(held.leg.amount, mark, value_in(held, moved)) for held, mark in zip(book, marks, strict=True))
        for moved in scenarios
    ]
