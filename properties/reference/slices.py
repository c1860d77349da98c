"""Chapter 12, liquidation in slices: only below maintenance, the least that restores, at a discount the account has."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
from marginspec.model.risk.notation import WAD, Chance, Positive, Real, magnitude
from marginspec.model.risk.scan import expiry_profit, naked, worst_of
from marginspec.model.risk.slices import (
    Portfolio,
    Slicing,
    discount_of,
    freed,
    least_part,
    left,
    left_after,
    missing,
    price_of,
    share_of,
    slice_of,
    without_rest,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-SLC-1")
def only_portfolios_below_maintenance_are_sliced(
    venue: Reference, portfolio: Portfolio, offered: Real, terms: Slicing
) -> Any:
    """A slice is refused exactly where nothing is missing to maintenance, or where what is offered is no part; what is
    taken is then a part, of no more than was offered."""
    why = refusal(slice_of, portfolio, offered, terms)
    if left(portfolio) >= 0:
        return why == "SLC-7"
    if offered <= 0 or offered > WAD:
        return why == "SLC-8"
    part = slice_of(portfolio, offered, terms).part
    return every((why is None, part >= 1, part <= offered))


@chapter.lemma("REF-SLC-2")
def discount_is_the_accounts_own(venue: Reference, portfolio: Portfolio, terms: Slicing) -> Any:
    """The discount is never negative, never more than its rate of the requirement, and never more than the account is
    worth: who cannot pay it is taken over at the mark."""
    found, worth = discount_of(portfolio, terms), portfolio.value + portfolio.cash
    return every((found >= 0, found * WAD <= portfolio.required * terms.rate, found == 0 or found <= worth))


@chapter.lemma("REF-SLC-3")
def part_restores_and_is_minimal(venue: Reference, short: Positive, gain: Positive, offered: Chance) -> Any:
    """The part makes up for what is missing or is all that is offered, and a unit less of it would not."""
    assume(gain >= 1)
    part = least_part(short, gain, offered)
    return every(
        (part <= offered, part == offered or part * gain >= short * WAD, part == 0 or (part - 1) * gain < short * WAD)
    )


@chapter.lemma("REF-SLC-4")
def no_dust_is_left_of_a_portfolio(
    venue: Reference, part: Chance, required: Positive, offered: Chance, dust: Positive
) -> Any:
    """What a slice leaves needs at least `dust`, or all that is offered goes; else the part is what was needed."""
    assume(part <= offered)
    found = without_rest(part, required, offered, dust)
    return every(
        (
            part <= found,
            found == offered or (WAD - found) * required >= dust * WAD,
            found == part or (WAD - part) * required < dust * WAD,
        )
    )


@chapter.lemma("REF-SLC-5")
def slice_takes_no_more_than_its_part_of_the_discount(
    venue: Reference, part: Chance, value: Real, discount: Positive, other: Chance
) -> Any:
    """What is paid is at least the part of the value less the discount, and less than a unit more; two slices cost at
    least as much as one of both."""
    paid = price_of(part, value, discount)
    return every(
        (
            paid * WAD >= part * (value - discount),
            (paid - 1) * WAD < part * (value - discount),
            price_of(part + other, value, discount) <= paid + price_of(other, value, discount),
        )
    )


@chapter.lemma("REF-SLC-6")
def shares_go_over_on_their_side(venue: Reference, amount: Real, part: Chance) -> Any:
    """What goes over of an amount is on its side and no more than it; of what is owned it is no more than the part, of
    what is owed no less."""
    share = share_of(amount, part)
    within = 0 <= share <= amount if amount >= 0 else amount <= share <= 0
    return within and share * WAD <= amount * part


@chapter.lemma("REF-SLC-7")
def slice_restores_maintenance_and_buffer(
    venue: Reference, portfolio: Portfolio, part: Chance, discount: Positive, terms: Slicing
) -> Any:
    """A part that makes up for what is missing leaves maintenance and buffer of the rest, before roundings: also where
    the portfolio's value is below 0."""
    assume(part * freed(portfolio, discount, terms) >= missing(portfolio, terms) * WAD)
    kept, paid = WAD - part, price_of(part, portfolio.value, discount)
    rest = kept * (portfolio.value - portfolio.required) + (portfolio.cash + paid) * WAD
    return rest * WAD >= kept * portfolio.required * terms.buffer


@chapter.lemma("REF-SLC-8")
def slice_makes_nobody_insolvent(venue: Reference, portfolio: Portfolio, part: Chance, terms: Slicing) -> Any:
    """Who is worth at least nothing is so after a slice; who is worth less loses nothing by it."""
    worth = portfolio.value + portfolio.cash
    paid = price_of(part, portfolio.value, discount_of(portfolio, terms))
    after = (WAD - part) * portfolio.value + (portfolio.cash + paid) * WAD
    return after >= 0 if worth >= 0 else after >= worth * WAD


@chapter.lemma("REF-SLC-9")
def slice_improves_the_account(venue: Reference, portfolio: Portfolio, part: Chance, discount: Positive) -> Any:
    """As long as the discount is less than the requirement, every slice leaves more than before, but for two units of
    rounding."""
    assume(part >= 1)
    assume(discount < portfolio.required)
    paid = price_of(part, portfolio.value, discount)
    kept = WAD - part
    exact = kept * (portfolio.value - portfolio.required) + (portfolio.cash + paid) * WAD
    return exact > left(portfolio) * WAD


@chapter.lemma("REF-SLC-10", bounds="parts that are a half")
def margin_is_in_proportion_to_a_portfolio(
    venue: Reference, first: Real, second: Real, calls: Real, puts: Real, damping: Chance
) -> Any:
    """What the scan takes off is in proportion: twice a portfolio has twice the naked options and the worst loss, and a
    damped profit within two units of twice that."""
    once, twice = expiry_profit(first, second, damping, True), expiry_profit(2 * first, 2 * second, damping, True)
    return every(
        (
            naked(2 * calls, 2 * puts) == 2 * naked(calls, puts),
            worst_of(2 * first, [2 * second]) == 2 * worst_of(first, [second]),
            magnitude(twice - 2 * once) <= 2,
        )
    )


@chapter.lemma("REF-SLC-11")
def what_is_left_after_a_slice_is_within_two_units(
    venue: Reference, portfolio: Portfolio, offered: Chance, terms: Slicing
) -> Any:
    """What is said to be left after a slice is at most what is, and less than two units less."""
    assume(left(portfolio) < 0)
    assume(offered >= 1)
    taken = slice_of(portfolio, offered, terms)
    found, kept = left_after(portfolio, taken), WAD - taken.part
    exact = kept * (portfolio.value - portfolio.required) + (portfolio.cash + taken.paid) * WAD
    return found * WAD <= exact < (found + 2) * WAD
