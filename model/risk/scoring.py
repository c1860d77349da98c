"""Chapter 13, haircuts from history. Rules: `spec/reference/13-scoring.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_up, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, Chance, above_zero

Parts = Annotated[int, Number(0, 10 * WAD, "10^-18", WAD, typical=(WAD, 2 * WAD, WAD // 2))]
Correlation = Annotated[int, Number(-WAD, WAD, "10^-18", WAD, typical=(0, WAD // 2, -WAD // 2))]


@dataclass
class Drawdown(Record):
    """The highest price so far, and the deepest fall from it, as a part of it."""

    peak: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD, typical=(100 * WAD,))] = 0
    deepest: Chance = 0


@dataclass
class Weights(Record):
    """What each part counts, and between which haircuts and by what step a period they move."""

    volatility: Parts = 2 * WAD
    drawdown: Parts = WAD // 4
    depth: Parts = WAD // 2
    wrong_way: Parts = WAD // 5
    least: Chance = WAD // 20
    most: Chance = WAD
    rise: Chance = WAD // 50
    fall: Chance = WAD // 100


def seen(history: Drawdown, price: int) -> None:
    """SCO-1: a further price: the deepest fall from the highest price before it, rounded up."""
    history.peak = max(history.peak, price)
    if history.peak > 0:
        history.deepest = max(history.deepest, mul_div_up(history.peak - price, WAD, history.peak))


def deepest_fall(prices: Sequence[int]) -> int:
    """SCO-1 of a history, oldest first."""
    history = Drawdown()
    for price in prices:
        seen(history, price)
    return history.deepest


def crowding(held: int, depth: int) -> int:
    """SCO-2: what is held in parts of what the market takes, at most one, rounded up; one where it takes nothing."""
    return min(WAD, mul_div_up(held, WAD, depth)) if depth > 0 else WAD


def wrong_way(correlation: int) -> int:
    """SCO-3: the part of a correlation with what it secures that makes both fall together."""
    return above_zero(correlation)


def asked(volatility: int, fall: int, crowd: int, together: int, w: Weights) -> int:
    """SCO-4: the haircut that the parts ask for, by their weights, between the least and the most, rounded up."""
    parts = volatility * w.volatility + fall * w.drawdown + crowd * w.depth + together * w.wrong_way
    return min(max(w.least, div_up(parts, WAD)), max(w.least, w.most))


def next_haircut(haircut: int, target: int, w: Weights) -> int:
    """SCO-5: the haircut of the next period: towards what is asked for, by no more than a step."""
    return min(max(haircut - w.fall, target), haircut + w.rise)


def parts_per_million(haircut: int) -> int:
    """SCO-6: a haircut as chapter 4 has it, rounded up."""
    return div_up(haircut, 10**12)
