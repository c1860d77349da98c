"""Chapter 12, options: the root, Black's prices, what portfolios pay at expiry, and the margin of options sold.

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
from marginspec.model.risk.legs import (
    Average,
    Leg,
    averaged,
    box,
    butterfly,
    call_spread,
    collar,
    covered_call,
    loss_of,
    most_lost,
    payoff,
    protected_note,
    put_spread,
    reverse_convertible,
    settlement_price,
    still_to_be_settled,
    worst_payoff,
)
from marginspec.model.risk.notation import WAD, YEAR, Chance, Positive, Real, Seconds, above_zero, magnitude
from marginspec.model.risk.numerics import (
    FINE,
    MAX_EXPONENT,
    MIN_EXPONENT,
    exponential,
    exponential_step,
    logarithm,
    newton_step,
    probability,
)
from marginspec.model.risk.short import Quoted, Standard, group_margin, initial_unit, maintenance_unit, single_margin
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


@chapter.lemma("REF-NUM-3")
def exponential_grows_term_by_term(
    venue: Reference, total: Positive, more: Positive, x: Positive, further: Positive
) -> Any:
    """A step of the series of the exponential never falls with its argument or with what is summed so far, and is at
    least one; so the series never falls, and is at least one."""
    steps = [exponential_step(total, x, 7), exponential_step(total + more, x + further, 7)]
    return every((steps[0] >= FINE, steps[0] <= steps[1]))


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


# --- At expiry ------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-LEG-1")
def covered_call_loses_at_most_what_was_paid(
    venue: Reference, amount: Positive, strike: Positive, price: Positive, paid: Positive
) -> Any:
    """A covered call pays between nothing and its strike: what it can lose is what was paid for it, and no more."""
    legs = covered_call(amount, strike)
    paying = payoff(legs, price)
    return every((paying >= 0, paying <= amount * strike, loss_of(legs, price, paid) <= most_lost(legs, paid)))


@chapter.lemma("REF-LEG-2")
def spread_pays_between_nothing_and_its_width(
    venue: Reference, amount: Positive, lower: Positive, width: Positive, price: Positive
) -> Any:
    """A spread of calls, or of puts, pays at least nothing and at most the distance of its strikes: who buys it loses
    no more than its price, who sells it no more than the distance less the price."""
    calls, puts = (payoff(make(amount, lower, lower + width), price) for make in (call_spread, put_spread))
    most = amount * width
    return every((calls >= 0, calls <= most, puts >= 0, puts <= most))


@chapter.lemma("REF-LEG-3")
def collar_pays_between_floor_and_cap(
    venue: Reference, amount: Positive, floor: Positive, width: Positive, price: Positive
) -> Any:
    """The underlying with a collar pays at least the floor and at most the cap."""
    paying = payoff(collar(amount, floor, floor + width), price)
    return every((amount * floor <= paying, paying <= amount * (floor + width)))


@chapter.lemma("REF-LEG-4")
def box_pays_its_width(venue: Reference, amount: Real, lower: Positive, width: Positive, price: Positive) -> Any:
    """A box pays the distance of its strikes, whatever the price is."""
    return payoff(box(amount, lower, lower + width), price) == amount * width


@chapter.lemma("REF-LEG-5")
def butterfly_pays_between_nothing_and_its_width(
    venue: Reference, amount: Positive, lower: Positive, width: Positive, price: Positive
) -> Any:
    """A butterfly pays between nothing and the distance of two of its strikes."""
    paying = payoff(butterfly(amount, lower, width), price)
    return every((paying >= 0, paying <= amount * width))


@chapter.lemma("REF-LEG-6")
def protected_note_keeps_its_capital(
    venue: Reference, amount: Positive, strike: Positive, part: Chance, price: Positive
) -> Any:
    """What a capital-protected note pays beyond its capital is never negative, and no more than what the price gains
    above its strike."""
    paying = payoff(protected_note(amount, strike, part), price)
    return every((paying >= 0, paying <= amount * above_zero(price - strike)))


@chapter.lemma("REF-LEG-7")
def reverse_convertible_takes_at_most_its_capital(
    venue: Reference, amount: Positive, strike: Positive, price: Positive
) -> Any:
    """A reverse convertible takes nothing above its strike, and at most the strike."""
    taken = -payoff(reverse_convertible(amount, strike), price)
    return every((taken >= 0, taken <= amount * strike, price < strike or taken == 0))


@chapter.lemma("REF-LEG-8")
def calls_less_puts_are_a_forward(venue: Reference, amount: Real, strike: Positive, price: Positive) -> Any:
    """At expiry a call less a put of one strike is the price less the strike."""
    legs = [Leg(strike, amount, True), Leg(strike, -amount, False)]
    return payoff(legs, price) == amount * (price - strike)


@chapter.lemma("REF-LEG-9", bounds="one leg; of more, their sum")
def payoff_moves_no_more_than_the_price(venue: Reference, leg: Leg, price: Positive, move: Positive) -> Any:
    """Between two prices what a leg pays differs by at most its size times their distance: what a scan does not see
    between two points of its grid is at most that."""
    apart = payoff([leg], price + move) - payoff([leg], price)
    most = magnitude(leg.amount) * move
    return every((apart <= most, -most <= apart))


@chapter.lemma("REF-LEG-10", bounds="two legs of any kinds, amounts and strikes")
def portfolio_pays_least_at_zero_or_at_a_strike(venue: Reference, one: Leg, two: Leg, price: Positive) -> Any:
    """A portfolio with no more calls sold than bought pays nowhere less than at 0 or at one of its strikes."""
    legs = [one, two]
    assume(sum(leg.amount for leg in legs if leg.is_call) >= 0)
    return payoff(legs, price) >= worst_payoff(legs)


@chapter.lemma("REF-LEG-11")
def settlement_price_is_within_the_prices(
    venue: Reference, average: Average, price: Positive, seconds: Seconds, low: Positive, high: Positive
) -> Any:
    """A price within two bounds leaves the averaged one within them, if it was: one step of any number."""
    assume(low * average.seconds <= average.weighted)
    assume(average.weighted <= high * average.seconds)
    assume(low <= price)
    assume(price <= high)
    assume(seconds >= 1)
    averaged(average, price, seconds)
    found = settlement_price(average)
    return every(
        (
            low <= found,
            found <= high,
            low * average.seconds <= average.weighted,
            average.weighted <= high * average.seconds,
        )
    )


@chapter.lemma("REF-LEG-12")
def late_price_moves_settlement_by_its_part(
    venue: Reference, average: Average, spot: Positive, move: Positive, left: Seconds
) -> Any:
    """A move of the spot moves the price at expiry in proportion to the time that is left, within a unit: who moves it
    at the last moment gains nothing."""
    assume(average.seconds >= 1)
    before, after = (still_to_be_settled(average, each, left) for each in (spot, spot + move))
    whole = average.seconds + left
    return every((before <= after, (after - before - 1) * whole <= move * left))


# --- Options sold ---------------------------------------------------------------------------------------------------


def _is_sane(terms: Standard) -> None:
    assume(terms.maintenance <= terms.least)


@chapter.lemma("REF-STM-1")
def initial_margin_of_an_option_is_at_least_maintenance(venue: Reference, option: Quoted, terms: Standard) -> Any:
    """Initial margin of an option sold is at least its maintenance margin, which is at least its mark."""
    _is_sane(terms)
    initial, maintenance = initial_unit(option, terms), maintenance_unit(option, terms)
    return every((initial >= maintenance, maintenance >= option.mark))


@chapter.lemma("REF-STM-2")
def dearer_option_never_needs_less(venue: Reference, option: Quoted, terms: Standard, more: Positive) -> Any:
    """A higher mark, as more volatility brings it, never lowers the margin of an option sold."""
    cheap, low = initial_unit(option, terms), maintenance_unit(option, terms)
    option.mark += more
    return every((cheap <= initial_unit(option, terms), low <= maintenance_unit(option, terms)))


@chapter.lemma("REF-STM-3")
def call_sold_needs_more_at_a_higher_price(
    venue: Reference, option: Quoted, terms: Standard, move: Positive, more: Positive
) -> Any:
    """A higher price of the underlying, and the mark that comes with it, never lower the margin of a call sold."""
    assume(option.leg.is_call)
    before, kept = initial_unit(option, terms), maintenance_unit(option, terms)
    option.index += move
    option.mark += more
    return every((before <= initial_unit(option, terms), kept <= maintenance_unit(option, terms)))


@chapter.lemma("REF-STM-4")
def put_sold_needs_at_most_its_strike(venue: Reference, option: Quoted, terms: Standard) -> Any:
    """The margin of a put sold is at most its strike, which is all that it can pay, or its mark where that is more."""
    assume(not option.leg.is_call)
    most = max(option.leg.strike, option.mark)
    return every((initial_unit(option, terms) <= most, maintenance_unit(option, terms) <= most))


@chapter.lemma("REF-STM-5")
def farther_option_needs_no_more(venue: Reference, option: Quoted, terms: Standard, away: Positive) -> Any:
    """An option that is farther out of the money, at the same mark, needs no more initial margin."""
    leg, near = option.leg, initial_unit(option, terms)
    assume(leg.is_call or leg.strike >= away)
    leg.strike += away if leg.is_call else -away
    return initial_unit(option, terms) <= near


@chapter.lemma("REF-STM-6")
def margin_grows_with_what_is_sold(venue: Reference, option: Quoted, unit: Positive, more: Positive) -> Any:
    """Selling more never lowers a margin, which is at least the size times that of one; buying needs none."""
    sold = single_margin(option, unit)
    enough = option.leg.amount >= 0 or sold * WAD >= -option.leg.amount * unit
    option.leg.amount -= more
    return every((sold <= single_margin(option, unit), enough, option.leg.amount < 0 or sold == 0))


@chapter.lemma("REF-STM-7", bounds="two legs of any kinds, amounts and strikes")
def group_needs_no_more_than_its_legs(venue: Reference, one: Leg, two: Leg, first: Positive, second: Positive) -> Any:
    """Options of one expiry together never need more than each alone."""
    return group_margin([one, two], [first, second]) <= first + second


@chapter.lemma("REF-STM-8", rests_on=("REF-LEG-10",), bounds="two legs of any kinds, amounts and strikes")
def group_margin_pays_what_expiry_takes(
    venue: Reference, one: Leg, two: Leg, first: Positive, second: Positive, price: Positive
) -> Any:
    """Where options together need less than each alone, their margin pays what they lose at any price at expiry."""
    legs, alone = [one, two], first + second
    assume(payoff(legs, price) >= worst_payoff(legs))  # by REF-LEG-10, where calls sold are covered
    needed = group_margin(legs, [first, second])
    return needed == alone or needed * WAD >= -payoff(legs, price)
