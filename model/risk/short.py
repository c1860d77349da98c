"""Chapter 12, standard margin of single options, and of those of one expiry. Rules: `spec/reference/12-options.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_up, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.legs import Leg, calls, worst_payoff
from marginspec.model.risk.notation import MAX_REAL, WAD, above_zero, magnitude

Ratio = Annotated[int, Number(0, WAD, "10^-18 of the index", WAD, typical=(15 * WAD // 100, WAD // 10, 0))]


@dataclass
class Standard(Record):
    """Parameters: parts of the index price that a short option needs besides its mark."""

    most: Ratio = 15 * WAD // 100
    least: Ratio = 10 * WAD // 100
    maintenance: Ratio = 75 * WAD // 1000


@dataclass
class Quoted(Record):
    """An option as it is quoted: its leg, its mark price and the index price."""

    leg: Leg
    mark: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD, typical=(50 * WAD, 100 * WAD))] = 0
    index: Annotated[int, Number(1, MAX_REAL, "10^-18 of money", WAD, typical=(2000 * WAD,))] = WAD


def out_of_the_money(leg: Leg, index: int) -> int:
    """STM-1: by how much the price has to move until an option is at the money."""
    return above_zero(leg.strike - index if leg.is_call else index - leg.strike)


def floor_of(option: Quoted, ratio: int) -> int:
    """STM-2: a part of the index, or of the mark of a put where that is more, rounded up."""
    reference = option.index if option.leg.is_call else max(option.index, option.mark)
    return mul_div_up(reference, ratio, WAD)


def initial_unit(option: Quoted, terms: Standard) -> int:
    """STM-3: initial margin of one option sold; of a put no more than its strike, which is all that it can pay."""
    moved = mul_div_up(option.index, terms.most, WAD) - out_of_the_money(option.leg, option.index)
    return limited(option, option.mark + max(moved, floor_of(option, terms.least)))


def maintenance_unit(option: Quoted, terms: Standard) -> int:
    """STM-4: maintenance margin of one option sold."""
    return limited(option, option.mark + floor_of(option, terms.maintenance))


def limited(option: Quoted, needed: int) -> int:
    """STM-5: a put needs at most its strike."""
    return needed if option.leg.is_call else min(needed, max(option.leg.strike, option.mark))


def single_margin(option: Quoted, unit: int) -> int:
    """STM-6: margin of a leg, rounded up; options bought need none, for they are paid for."""
    return mul_div_up(magnitude(option.leg.amount), unit, WAD) if option.leg.amount < 0 else 0


def group_margin(legs: Sequence[Leg], singles: Sequence[int]) -> int:
    """STM-7: margin of options of one expiry: of each alone, or what they lose at worst where that is less.

    Calls sold without as many bought may lose anything: then each is margined alone.
    """
    alone = sum(singles)
    if calls(legs) < 0:
        return alone
    return min(alone, div_up(above_zero(-worst_payoff(legs)), WAD))
