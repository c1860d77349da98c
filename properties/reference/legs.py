"""Chapter 12, legs: what portfolios pay at expiry, and the standard margin of options sold."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
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
from marginspec.model.risk.notation import WAD, Chance, Positive, Real, Seconds, above_zero, magnitude
from marginspec.model.risk.short import Quoted, Standard, group_margin, initial_unit, maintenance_unit, single_margin
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter

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
