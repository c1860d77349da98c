"""Chapter 16, margin as regulators and clearing houses have it. Rules: `spec/reference/16-frameworks.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NewType

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, YEAR, Positive, above_zero, magnitude

AssetClass = NewType("AssetClass", str)
CREDIT, COMMODITY, EQUITY = AssetClass("credit"), AssetClass("commodity"), AssetClass("equity")
EXCHANGE, RATES, OTHER = AssetClass("foreign exchange"), AssetClass("interest rates"), AssetClass("other")

PERCENT = WAD // 100
SHORT, MEDIUM = 2 * YEAR, 5 * YEAR
GROSS_PART = 40 * PERCENT

Money = Annotated[int, Number(-MAX_REAL, MAX_REAL, "10^-18 of money", WAD, typical=(0, 10**6 * WAD, -(10**6) * WAD))]
Ratio = Annotated[int, Number(1, MAX_REAL, "10^-18 deltas", WAD, typical=(WAD, 2 * WAD))]


@dataclass
class Trade(Record):
    """A trade of a netting set: what it is written on, for how long, and what it would cost to replace."""

    notional: Money = 0
    remaining: Annotated[int, Number(0, 2**40, "seconds", typical=(0, 2 * YEAR, 5 * YEAR))] = 0
    value: Money = 0


# --- The standardised schedule --------------------------------------------------------------------------------------


def banded(remaining: int, near: int, middle: int, far: int) -> int:
    """FRM-1: a rate by the time that remains: up to two years, up to five, beyond; exactly so many are the nearer."""
    if remaining <= SHORT:
        return near
    return middle if remaining <= MEDIUM else far


def schedule_rate(kind: AssetClass, remaining: int) -> int:
    """FRM-1: the part of the notional that a trade of this kind needs."""
    if kind == CREDIT:
        return banded(remaining, 2 * PERCENT, 5 * PERCENT, 10 * PERCENT)
    if kind == RATES:
        return banded(remaining, PERCENT, 2 * PERCENT, 4 * PERCENT)
    if kind == EXCHANGE:
        return 6 * PERCENT
    if kind in (COMMODITY, EQUITY, OTHER):
        return 15 * PERCENT
    raise Rejected("FRM-2")


def gross_margin(notional: int, rate: int) -> int:
    """FRM-3: margin of a trade by itself, rounded up."""
    return mul_div_up(magnitude(notional), rate, WAD)


def net_to_gross(values: Sequence[int]) -> int:
    """FRM-4: what replacing all trades would cost, in parts of what replacing those that cost something would.

    Rounded up; one where none costs anything.
    """
    gross = sum(above_zero(value) for value in values)
    return mul_div_up(above_zero(sum(values)), WAD, gross) if gross > 0 else WAD


def net_margin(gross: int, ratio: int) -> int:
    """FRM-5: 40 % of the gross margin, and 60 % of it in proportion to the net-to-gross ratio, rounded up."""
    return mul_div_up(gross, GROSS_PART * WAD + (WAD - GROSS_PART) * ratio, WAD * WAD)


def schedule_margin(trades: Sequence[tuple[AssetClass, Trade]]) -> int:
    """FRM-6: margin of a netting set."""
    gross = sum(gross_margin(trade.notional, schedule_rate(kind, trade.remaining)) for kind, trade in trades)
    return net_margin(gross, net_to_gross([trade.value for _, trade in trades]))


# --- Risk arrays ----------------------------------------------------------------------------------------------------


def array_loss(positions: Sequence[int], losses: Sequence[int]) -> int:
    """FRM-7: what positions lose in one scenario, exactly. losses: of one unit of each."""
    if len(positions) != len(losses):
        raise Rejected("FRM-2")
    return sum(position * loss for position, loss in zip(positions, losses, strict=True))


def scan_risk(losses: Sequence[int]) -> int:
    """FRM-8: the worst loss of a portfolio over the scenarios, and nothing where it has none."""
    return max([0, *losses])


def extreme_loss(loss: int, part: int) -> int:
    """FRM-9: what of the loss of an extreme scenario counts, towards zero."""
    return mul_div_down(loss, part, WAD) if loss >= 0 else -mul_div_down(-loss, part, WAD)


@dataclass
class Spread(Record):
    """A spread between two months that a clearing house charges for. near, far: which of the months, from 0 on.

    near_ratio, far_ratio: deltas of each in one spread. rate: of one.
    """

    near: Annotated[int, Number(0, 2**16, "month")] = 0
    far: Annotated[int, Number(0, 2**16, "month")] = 1
    near_ratio: Ratio = WAD
    far_ratio: Ratio = WAD
    rate: Positive = 0


def spreads_formed(near: int, far: int, near_ratio: int, far_ratio: int) -> int:
    """FRM-23: how many spreads two net deltas form, on opposite sides, rounded down; none on the same."""
    if near == 0 or far == 0 or (near > 0) == (far > 0):
        return 0
    return min(mul_div_down(magnitude(near), WAD, near_ratio), mul_div_down(magnitude(far), WAD, far_ratio))


def unmatched(delta: int, formed: int, ratio: int) -> int:
    """FRM-23: what spreads leave of a net delta, nearer to none."""
    used = mul_div_down(formed, ratio, WAD)
    return delta - used if delta > 0 else delta + used


def spread_charge(formed: int, rate: int) -> int:
    """FRM-24: what spreads are charged, rounded up."""
    return mul_div_up(formed, rate, WAD)


def calendar_charge(deltas: Sequence[int], spreads: Sequence[Spread]) -> int:
    """FRM-24: the charge for all spreads, in their order; what one has matched the next does not. deltas: by month."""
    rest, total = list(deltas), 0
    for each in spreads:
        formed = spreads_formed(rest[each.near], rest[each.far], each.near_ratio, each.far_ratio)
        rest[each.near] = unmatched(rest[each.near], formed, each.near_ratio)
        rest[each.far] = unmatched(rest[each.far], formed, each.far_ratio)
        total += spread_charge(formed, each.rate)
    return total


def short_minimum(options: Sequence[int], rate: int) -> int:
    """FRM-25: the least for options sold: a rate of each, rounded up. options: positions, below 0 where sold."""
    return mul_div_up(sum(above_zero(-position) for position in options), rate, WAD)


def total_requirement(scan: int, calendar: int, short: int, value: int) -> int:
    """FRM-10: scan risk and the charge for calendar spreads, at least the least of options sold, less their value."""
    return above_zero(max(scan + calendar, short) - value)
