"""Chapter 12, what portfolios of legs pay at expiry. Rules: `spec/reference/12-options.md`.

The underlying itself is a call with strike 0. Nothing is rounded: sizes times prices have 36 decimals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_down
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, Positive, Real, above_zero, below_zero


@dataclass
class Leg(Record):
    """Options of one strike and kind, all with the same expiry."""

    strike: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD, typical=(0, 2000 * WAD, 2100 * WAD))] = 0
    amount: Annotated[int, Number(-MAX_REAL, MAX_REAL, "10^-18 options", WAD, typical=(WAD, -WAD, 3 * WAD))] = 0
    is_call: bool = True


def intrinsic(leg: Leg, price: int) -> int:
    """LEG-1: what one option of a leg pays when the price at expiry is this."""
    return above_zero(price - leg.strike if leg.is_call else leg.strike - price)


def payoff(legs: Sequence[Leg], price: int) -> int:
    """LEG-2: what a portfolio pays, 10^-36 of money: the sum over its legs."""
    return sum(leg.amount * intrinsic(leg, price) for leg in legs)


def worst_payoff(legs: Sequence[Leg]) -> int:
    """LEG-3: the least that a portfolio pays that has no more calls sold than bought: at 0 or at one of its strikes."""
    return min(payoff(legs, 0), *[payoff(legs, leg.strike) for leg in legs])


def calls(legs: Sequence[Leg]) -> int:
    """Calls bought less calls sold: how much a portfolio gains with a unit of price beyond its highest strike."""
    return sum(leg.amount for leg in legs if leg.is_call)


def most_lost(legs: Sequence[Leg], paid: int) -> int:
    """LEG-4: the most that is lost of what was paid for a portfolio, 10^-36 of money, if it can be said."""
    return above_zero(paid - worst_payoff(legs))


# --- Portfolios that have names -------------------------------------------------------------------------------------


def covered_call(amount: int, strike: int) -> list[Leg]:
    """LEG-5: the underlying, and a call on it sold."""
    return [Leg(0, amount, True), Leg(strike, -amount, True)]


def call_spread(amount: int, lower: int, higher: int) -> list[Leg]:
    """LEG-6: a call bought and one of a higher strike sold."""
    return [Leg(lower, amount, True), Leg(higher, -amount, True)]


def put_spread(amount: int, lower: int, higher: int) -> list[Leg]:
    """LEG-6: a put bought and one of a lower strike sold."""
    return [Leg(higher, amount, False), Leg(lower, -amount, False)]


def collar(amount: int, floor: int, cap: int) -> list[Leg]:
    """LEG-7: the underlying, a put bought below and a call sold above."""
    return [Leg(0, amount, True), Leg(floor, amount, False), Leg(cap, -amount, True)]


def box(amount: int, lower: int, higher: int) -> list[Leg]:
    """LEG-8: a call spread and a put spread of the same strikes."""
    return [*call_spread(amount, lower, higher), *put_spread(amount, lower, higher)]


def butterfly(amount: int, lower: int, width: int) -> list[Leg]:
    """LEG-9: calls at three strikes, as far from each other, two of the middle one sold."""
    outer = [Leg(lower, amount, True), Leg(lower + 2 * width, amount, True)]
    return [*outer, Leg(lower + width, -2 * amount, True)]


def protected_note(amount: int, strike: int, participation: int) -> list[Leg]:
    """LEG-10: what a note pays beyond its capital: part of what the price gains. participation: at most WAD."""
    return [Leg(strike, div_down(amount * participation, WAD), True)]


def reverse_convertible(amount: int, strike: int) -> list[Leg]:
    """LEG-11: what a note takes of its capital and coupon: puts sold."""
    return [Leg(strike, -amount, False)]


# --- Expiry on an averaged price ------------------------------------------------------------------------------------


@dataclass
class Average(Record):
    """Prices times the seconds for which they stood, and these seconds."""

    weighted: Annotated[int, Number(0, 2**160, "10^-18 of money times seconds", WAD)] = 0
    seconds: Annotated[int, Number(0, 2**40, "seconds")] = 0


def averaged(average: Average, price: Positive, seconds: int) -> None:
    """LEG-12: a price counts for as long as it stood."""
    average.weighted += price * seconds
    average.seconds += seconds


def settlement_price(average: Average) -> int:
    """LEG-13: the price at expiry, rounded down; 0 before any time has passed."""
    return div_down(average.weighted, average.seconds) if average.seconds > 0 else 0


def still_to_be_settled(average: Average, spot: Real, left: int) -> int:
    """LEG-14: the price at expiry if the spot stays for the seconds that are left, rounded down."""
    return div_down(average.weighted + above_zero(spot) * left, max(average.seconds + left, 1))


def loss_of(legs: Sequence[Leg], price: int, paid: int) -> int:
    """What is lost of what was paid when the price at expiry is this, 10^-36 of money."""
    return above_zero(-below_zero(payoff(legs, price) - paid))
