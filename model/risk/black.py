"""Chapter 12, European options by Black's formula of 1976. Rules: `spec/reference/12-options.md`."""

from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, YEAR, above_zero
from marginspec.model.risk.numerics import exponential, logarithm, normal, root

MAX_TOTAL_VOLATILITY = 24 * WAD
"""From here on an option is worth the most that it can be."""

Forward = Annotated[int, Number(1, MAX_REAL, "10^-18 of money", WAD, typical=(2000 * WAD, 95_000 * WAD, WAD))]
Strike = Annotated[int, Number(1, MAX_REAL, "10^-18 of money", WAD, typical=(2000 * WAD, 100_000 * WAD, WAD))]
Discount = Annotated[int, Number(0, WAD, "10^-18", WAD, typical=(WAD, 98 * WAD // 100, 0))]


@dataclass
class Prices(Record):
    """What a call and a put of one strike and expiry are worth, a unit of each."""

    call: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD)] = 0
    put: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD)] = 0


def years(seconds: int) -> int:
    """OPT-1: seconds as a part of a year of 365 days, rounded down."""
    return mul_div_down(seconds, WAD, YEAR)


def discount(rate: int, seconds: int) -> int:
    """OPT-2: e^(-rate * time) for a rate, compounded continuously, that counts as 0 where it is negative."""
    return exponential(-accrued(rate, seconds))


def accrued(rate: int, seconds: int) -> int:
    """OPT-2: rate times time, rounded down, for a rate that counts as 0 where it is negative."""
    return mul_div_down(above_zero(rate), years(seconds), WAD)


def total_volatility(volatility: int, seconds: int) -> int:
    """Volatility times the root of the time to expiry."""
    return deviation_of(volatility, root(years(seconds)))


def deviation_of(volatility: int, time: int) -> int:
    """OPT-3: volatility times the root of the time to expiry, rounded down. time: that root."""
    return mul_div_down(volatility, time, WAD)


def black(forward: int, strike: int, volatility: int, seconds: int, factor: int) -> Prices:
    """OPT-4: a call and a put. volatility: annual. factor: of the discount from expiry to now."""
    if forward <= 0 or strike <= 0 or volatility < 0 or seconds < 0:
        raise Rejected("OPT-8")
    deviation = total_volatility(volatility, seconds)
    if deviation == 0:
        return discounted(forward, strike, forward * WAD, factor, certain=True)
    if deviation >= MAX_TOTAL_VOLATILITY:
        return discounted(forward, strike, forward * WAD, factor, certain=False)
    d1 = distance(moneyness(forward, strike), deviation)
    return from_chances(forward, strike, normal(d1), normal(d1 - deviation), factor)


def distance(moneyness: int, deviation: int) -> int:
    """OPT-5: d1, the logarithm of forward / strike in deviations, plus half a deviation."""
    return mul_div_down(moneyness, WAD, deviation) + div_down(deviation, 2)


def moneyness(forward: int, strike: int) -> int:
    """ln(forward / strike), as the difference of two logarithms."""
    return logarithm(forward) - logarithm(strike)


def from_chances(forward: int, strike: int, first: int, second: int, factor: int) -> Prices:
    """OPT-6: prices from the two probabilities, N(d1) and N(d2)."""
    return discounted(forward, strike, forward * first - strike * second, factor, certain=False)


def discounted(forward: int, strike: int, call: int, factor: int, certain: bool) -> Prices:
    """OPT-7: the call, no less than what it pays at the forward, and the put by parity; both discounted, rounded down.

    call: 10^-36 of money. certain: whether the price at expiry will be the forward: a call is then worth the least.
    """
    least = above_zero(forward - strike) * WAD
    kept = least if certain else max(least, call)
    put = kept - (forward - strike) * WAD
    return Prices(mul_div_down(kept, factor, WAD * WAD), mul_div_down(put, factor, WAD * WAD))
