"""Prices and what they are made of. Curves are opaque to proofs; laws of prices hold for any values of them."""

from __future__ import annotations

from typing import Annotated, Any

from marginspec.model.deployed.lyra_v1.curves import MAX_EXPONENT, MIN_EXPONENT
from marginspec.model.deployed.lyra_v1.decimals import (
    PRECISE,
    UNIT,
    div_to_zero,
    divide_precise,
    from_precise,
    multiply,
    multiply_precise,
    nearest,
    signed_from_precise,
    signed_multiply_precise,
    to_precise,
)
from marginspec.model.deployed.lyra_v1.ledger import Period, Price
from marginspec.model.deployed.lyra_v1.pricing import annualised, call_and_put
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel import Number, Uint256
from marginspec.properties.deployed.lyra_v1.relaxed import any_curves
from marginspec.properties.deployed.lyra_v1.scope import chapter
from marginspec.properties.law import accepted, assume, every, refusal

Precise = Annotated[int, Number(0, 2**250, "27 decimals", PRECISE, (1, PRECISE, 37 * PRECISE))]
Natural = Annotated[int, Number(0, 2**256, "units", 1, (1, UNIT))]
Chance = Annotated[int, Number(0, PRECISE, "probability", PRECISE, (0, 1, PRECISE))]
Real = Annotated[int, Number(-(2**127), 2**127, "27 decimals", PRECISE, (0, PRECISE, -PRECISE))]

# --- Rounding ---------------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-DEC-1")
def nearest_is_within_half_a_unit(venue: LyraV1, tenths: Uint256) -> Any:
    """Rounding to the nearest is off by at most half a unit, and goes up at exactly half."""
    whole = accepted(nearest, tenths)
    return every((10 * whole <= tenths + 5, tenths + 5 < 10 * (whole + 1)))


@chapter.lemma("LYR-DEC-2")
def precise_numbers_keep_what_they_are_made_of(venue: LyraV1, x: Price) -> Any:
    """A number with 18 decimals is the same again after it was one with 27."""
    return from_precise(accepted(to_precise, x)) == x


@chapter.lemma("LYR-DEC-3")
def signed_rounding_is_the_same_either_way(venue: LyraV1, x: Real, y: Real) -> Any:
    """Products and changes of scale of signed numbers round the negative of a number to the negative of the result."""
    product = accepted(signed_multiply_precise, x, y)
    mirrored = accepted(signed_multiply_precise, -x, y)
    return every((mirrored == -product, signed_from_precise(-x) == -signed_from_precise(x)))


@chapter.lemma("LYR-DEC-4")
def rounding_towards_zero_never_grows(venue: LyraV1, x: Real, d: Natural) -> Any:
    """A quotient that is rounded towards zero is no further from zero than the exact one, by less than a unit, and on
    its side."""
    assume(d >= 1)
    q = div_to_zero(x, d)
    return every((q * d <= x, x < (q + 1) * d, q >= 0)) if x >= 0 else every((q * d >= x, x > (q - 1) * d, q <= 0))


@chapter.lemma("LYR-DEC-5")
def products_and_quotients_of_one_change_nothing(venue: LyraV1, x: Price) -> Any:
    """A number times one, and by one, is itself, with 18 decimals and with 27."""
    results = (multiply(x, UNIT), multiply_precise(x, PRECISE)) if x <= 2**160 else (x, x)
    return every((results[0] == x, results[1] == x))


# --- Curves -----------------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-CRV-1")
def exponentials_have_limits(venue: LyraV1, beyond: Natural) -> Any:
    """From the greatest exponent on an exponential is refused, up to the least it is zero."""
    refused = refusal(venue.exponential, MAX_EXPONENT + beyond) == "CRV-2"
    return refused and venue.exponential(MIN_EXPONENT - beyond) == 0


@chapter.lemma("LYR-CRV-2")
def logarithms_are_of_what_is_above_zero(venue: LyraV1, x: Natural) -> Any:
    """The logarithm of zero and of what is below is refused, each by its rule."""
    assume(x >= 1)
    return refusal(venue.logarithm, 0) == "CRV-5" and refusal(venue.logarithm, -x) == "CRV-4"


@chapter.lemma("LYR-CRV-3", relaxed=any_curves, bounds="whatever exponentials are")
def probabilities_of_both_sides_are_one(venue: LyraV1, x: Real) -> Any:
    """The probabilities of a number and of its negative are one together, to the last unit."""
    assume(x >= 1)
    return accepted(venue._probability, x) + accepted(venue._probability, -x) == PRECISE


@chapter.lemma("LYR-CRV-4", bounds="which is why no run reaches CRV-4")
def moneyness_is_never_negative(venue: LyraV1, spot: Price, strike: Price) -> Any:
    """What the logarithm of a price is asked of is never below zero, and fits a signed word."""
    ratio = accepted(divide_precise, accepted(to_precise, spot), accepted(to_precise, strike))
    return every((ratio >= 0, ratio <= 2**255 - 1))


# --- Prices -----------------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-BSM-1", bounds="whatever the probabilities are")
def calls_and_puts_are_at_parity(venue: LyraV1, spot: Precise, present: Precise, gained: Precise, paid: Precise) -> Any:
    """A call less a put is exactly spot less the strike's present value, or the put is worth nothing."""
    call, put = accepted(call_and_put, spot, present, gained, paid)
    return call - put == spot - present or (put == 0 and call + present < spot)


@chapter.lemma("LYR-BSM-2", bounds="whatever the probabilities are, up to one")
def prices_leave_no_arbitrage(venue: LyraV1, spot: Precise, present: Precise, first: Chance, second: Chance) -> Any:
    """A call is worth at most spot, a put at most the strike's present value, neither less than nothing."""
    gained, paid = (accepted(multiply_precise, *each) for each in ((spot, first), (present, second)))
    call, put = accepted(call_and_put, spot, present, gained, paid)
    return every((call >= 0, call <= spot, put >= 0, put <= present))


@chapter.lemma("LYR-BSM-3", bounds="whatever the probabilities are")
def rounded_prices_are_at_parity_within_a_unit(
    venue: LyraV1, spot: Price, present: Precise, gained: Precise, paid: Precise
) -> Any:
    """With 18 decimals a call less a put is spot less present value within a unit, where the put is worth something."""
    call, put = accepted(call_and_put, accepted(to_precise, spot), present, gained, paid)
    assume(put >= 1)
    apart = from_precise(call) - from_precise(put) - spot + from_precise(present)
    return every((apart >= -1, apart <= 1))


@chapter.lemma("LYR-BSM-4")
def years_never_fall_with_seconds(venue: LyraV1, seconds: Period, more: Period) -> Any:
    """More seconds are no less of a year, no seconds are none, and a year of 365 days is exactly one."""
    short, long = accepted(annualised, seconds), accepted(annualised, seconds + more)
    return every((short <= long, annualised(0) == 0, annualised(31_536_000) == PRECISE))
