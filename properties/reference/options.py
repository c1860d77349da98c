"""Chapter 12, options: the root, the series and Black's prices.

How far exponential, logarithm and normal distribution are from the real functions is no law here: that is worked out
from their text by intervals (`prover/running_error.py`). The laws of prices hold for any two probabilities.
"""

from __future__ import annotations

from typing import Any

from marginspec.model.kernel.fixed import div_down
from marginspec.model.reference.venue import Reference
from marginspec.model.risk.black import (
    Discount,
    Forward,
    Strike,
    accrued,
    black,
    deviation_of,
    discounted,
    distance,
    from_chances,
    years,
)
from marginspec.model.risk.legs import Leg, payoff
from marginspec.model.risk.notation import WAD, YEAR, Chance, Positive, Real, Seconds, above_zero
from marginspec.model.risk.numerics import (
    EXPONENTIAL_TERMS,
    FINE,
    MAX_EXPONENT,
    MIN_EXPONENT,
    exponential,
    exponential_step,
    logarithm,
    newton_step,
    probability,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter

ANY_CHANCES = "whatever the two probabilities are"


# --- The root -------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-NUM-1")
def guess_never_falls_below_the_root(venue: Reference, x: Positive, guess: Positive, least: Positive) -> Any:
    """A step of Newton's method is never below a number whose square is at most x, and goes down while it is to go."""
    assume(guess >= 1)
    assume(least * least <= x)
    after = newton_step(x, guess)
    return every((after >= least, guess <= div_down(x, guess) or after < guess))


@chapter.lemma("REF-NUM-2", rests_on=("REF-NUM-1",))
def guess_that_stays_is_the_root(venue: Reference, x: Positive, guess: Positive) -> Any:
    """A guess at which the method ends has a square of at most x; with REF-NUM-1 it is the root, rounded down."""
    assume(guess >= 1)
    assume(guess <= div_down(x, guess))
    return guess * guess <= x


@chapter.lemma("REF-NUM-3", bounds="the first, the seventh and the last term")
def exponential_grows_term_by_term(
    venue: Reference, total: Positive, more: Positive, x: Positive, further: Positive
) -> Any:
    """A step of the series of the exponential never falls with its argument or with what is summed so far, and is at
    least one; so the series never falls, and is at least one."""
    steps = [
        (exponential_step(total, x, n), exponential_step(total + more, x + further, n))
        for n in (1, 7, EXPONENTIAL_TERMS)
    ]
    return every([low >= FINE for low, _ in steps] + [low <= high for low, high in steps])


@chapter.lemma("REF-NUM-4")
def exponents_and_logarithms_have_limits(venue: Reference, above: Positive, below: Positive) -> Any:
    """An exponent above 50 and the logarithm of 0 or less are refused; below -50 the exponential is 0."""
    refused = refusal(exponential, MAX_EXPONENT + 1 + above) == "NUM-1" and refusal(logarithm, -below) == "NUM-1"
    return refused and exponential(MIN_EXPONENT - 1 - below) == 0


@chapter.lemma("REF-NUM-5", bounds="whatever the probability between 0 and the argument is")
def normal_distribution_is_symmetric(venue: Reference, x: Positive, part: Chance) -> Any:
    """The probabilities of an argument and of its negative are one together, and each is from 0 to 1 where the part
    between them is at most one half."""
    assume(2 * part <= WAD)
    assume(x >= 1)
    right, left = probability(x, part), probability(-x, part)
    return every((right + left == WAD, left >= 0, left <= right, right <= WAD))


# --- Prices ---------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-OPT-1", bounds=ANY_CHANCES)
def calls_and_puts_are_at_parity(
    venue: Reference, forward: Forward, strike: Strike, first: Chance, second: Chance, factor: Discount
) -> Any:
    """A call less a put of the same strike is the discounted forward less strike, within a unit."""
    prices = from_chances(forward, strike, first, second, factor)
    exact, apart = (forward - strike) * factor, (prices.call - prices.put) * WAD
    return every((apart <= exact + WAD, apart >= exact - WAD))


@chapter.lemma("REF-OPT-2", bounds=ANY_CHANCES)
def prices_leave_no_arbitrage(
    venue: Reference, forward: Forward, strike: Strike, first: Chance, second: Chance, factor: Discount
) -> Any:
    """A call is worth at least what it pays at the forward, and at most the forward; a put at most its strike; all
    discounted, within a unit."""
    prices = from_chances(forward, strike, first, second, factor)
    return every(
        (
            (prices.call + 1) * WAD > above_zero(forward - strike) * factor,
            prices.call * WAD <= forward * factor,
            (prices.put + 1) * WAD > above_zero(strike - forward) * factor,
            prices.put * WAD <= strike * factor,
        )
    )


@chapter.lemma("REF-OPT-3", bounds=ANY_CHANCES)
def discount_never_raises_a_price(
    venue: Reference, forward: Forward, strike: Strike, first: Chance, second: Chance, factor: Discount, less: Discount
) -> Any:
    """What is discounted more is worth no more."""
    assume(less <= factor)
    near, far = (from_chances(forward, strike, first, second, each) for each in (factor, less))
    return every((far.call <= near.call, far.put <= near.put))


@chapter.lemma("REF-OPT-4")
def certain_forward_leaves_what_is_paid(
    venue: Reference, forward: Forward, strike: Strike, factor: Discount, call: Real
) -> Any:
    """Without volatility or time an option is worth what it pays at the forward, discounted: one of the two nothing."""
    prices = discounted(forward, strike, call, factor, certain=True)
    return every(
        (
            prices.call == 0 or prices.put == 0,
            prices.call * WAD <= above_zero(forward - strike) * factor,
            (prices.call + 1) * WAD > above_zero(forward - strike) * factor,
            prices.put * WAD <= above_zero(strike - forward) * factor,
        )
    )


@chapter.lemma("REF-OPT-5", bounds=ANY_CHANCES)
def likelier_call_is_never_worth_less(
    venue: Reference, forward: Forward, strike: Strike, first: Chance, second: Chance, more: Chance, factor: Discount
) -> Any:
    """A higher probability N(d1), or a lower N(d2), never lowers a price of either kind."""
    prices = from_chances(forward, strike, first, second, factor)
    higher = from_chances(forward, strike, first + more, second, factor)
    lower = from_chances(forward, strike, first, second - more, factor)
    return every(
        (
            prices.call <= higher.call,
            prices.put <= higher.put,
            prices.call <= lower.call,
            prices.put <= lower.put,
        )
    )


@chapter.lemma("REF-OPT-6")
def option_that_expires_is_worth_what_it_pays(
    venue: Reference, forward: Forward, strike: Strike, volatility: Positive, factor: Discount
) -> Any:
    """When no time is left a call and a put are worth what they pay, discounted."""
    prices = black(forward, strike, volatility, 0, factor)
    paid = [payoff([Leg(strike, factor, is_call)], forward) for is_call in (True, False)]
    whole = [prices.call * WAD <= paid[0], paid[0] < (prices.call + 1) * WAD, prices.put * WAD <= paid[1]]
    return every((*whole, paid[1] < (prices.put + 1) * WAD))


@chapter.lemma("REF-OPT-7")
def what_has_no_price_is_refused(venue: Reference, forward: Real, strike: Real, volatility: Real) -> Any:
    """A forward or a strike that is not above zero, or a volatility below it, is refused."""
    assume(forward <= 0 or strike <= 0 or volatility < 0)
    return refusal(black, forward, strike, volatility, 0, WAD) == "OPT-8"


@chapter.lemma("REF-OPT-8")
def time_rate_and_volatility_add_up(
    venue: Reference,
    rate: Real,
    more: Positive,
    seconds: Seconds,
    longer: Seconds,
    volatility: Positive,
    time: Positive,
) -> Any:
    """A higher rate or a longer time never accrues less, a rate below zero nothing; more volatility or time never
    deviates less."""
    before, after = accrued(rate, seconds), accrued(rate + more, seconds + longer)
    spread = [deviation_of(volatility, time), deviation_of(volatility + more, time + longer)]
    return every((before >= 0, before <= after, rate > 0 or before == 0, years(YEAR) == WAD, spread[0] <= spread[1]))


@chapter.lemma("REF-OPT-9")
def distances_are_a_deviation_apart(venue: Reference, moneyness: Real, more: Positive, deviation: Positive) -> Any:
    """A forward that is higher against the strike never lowers d1; at the money d1 is half a deviation, rounded down,
    and d2 no farther below zero than a unit more."""
    assume(deviation >= 1)
    low, high, at = (distance(each, deviation) for each in (moneyness, moneyness + more, 0))
    return every((low <= high, 2 * at <= deviation, deviation < 2 * at + 2, at - deviation >= -at - 1))
