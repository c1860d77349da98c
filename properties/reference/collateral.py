"""Chapter 4, collateral: never worth more than its market, however it is split."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.collateral import (
    MAXIMUM_HAIRCUT,
    collateral_value,
    counted_in_tiers,
    counted_part,
    gross_value,
    haircut_gap,
    profit_haircut,
    target_haircut,
)
from marginspec.model.reference.ledger import AssetTerms, Holding
from marginspec.model.reference.notation import PPM, Fraction, Fund, StoredAmount, StoredPrice, Unit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-COL-1")
def haircut_never_exceeds_market_value(
    venue: Reference, counted: StoredAmount, price: StoredPrice, unit: Unit, haircut: Fraction
) -> Any:
    """Collateral counts for at least nothing and at most its market value less the haircut, exactly computed."""
    value = collateral_value(gross_value(counted, price, unit), haircut)
    return every((value >= 0, value * unit * PPM <= counted * price * (PPM - haircut)))


@chapter.lemma("REF-COL-2")
def more_collateral_never_counts_for_less(
    venue: Reference, counted: StoredAmount, more: StoredAmount, price: StoredPrice, unit: Unit
) -> Any:
    """More collateral is never worth less, and its worth is exact to the unit that is rounded off."""
    assume(counted <= more)
    gross = gross_value(counted, price, unit)
    return every(
        (
            gross <= gross_value(more, price, unit),
            gross * unit <= counted * price,
            (gross + 1) * unit > counted * price,
        )
    )


@chapter.lemma("REF-COL-3")
def collateral_at_a_higher_price_never_counts_for_less(
    venue: Reference, counted: StoredAmount, price: StoredPrice, higher: StoredPrice, unit: Unit
) -> Any:
    """Collateral at a higher price is never worth less, nor more than that price says."""
    assume(price <= higher)
    gross = gross_value(counted, higher, unit)
    return every((gross_value(counted, price, unit) <= gross, gross * unit <= counted * higher))


@chapter.lemma("REF-COL-13")
def larger_haircut_never_counts_for_more(
    venue: Reference, gross: Fund, more: Fund, haircut: Fraction, smaller: Fraction
) -> Any:
    """More value after a smaller haircut never counts for less, and after a haircut of all of it for nothing."""
    assume(gross <= more)
    assume(smaller <= haircut)
    less = collateral_value(gross, haircut)
    return every((less <= collateral_value(more, smaller), haircut != PPM or less == 0))


@chapter.lemma("REF-COL-14")
def splitting_collateral_never_raises_its_value(
    venue: Reference, first: StoredAmount, second: StoredAmount, price: StoredPrice, unit: Unit, haircut: Fraction
) -> Any:
    """Two holdings never count for more than one of their sum: not at market value, not after a haircut."""
    gross = gross_value(first, price, unit), gross_value(second, price, unit)
    return every(
        (
            sum(gross) <= gross_value(first + second, price, unit),
            sum(collateral_value(g, haircut) for g in gross) <= collateral_value(sum(gross), haircut),
        )
    )


@chapter.lemma("REF-COL-4")
def deposit_counts_at_most_in_full(
    venue: Reference, total: StoredAmount, amount: StoredAmount, terms: AssetTerms
) -> Any:
    """Whatever the venue holds already, a deposit adds to the count between nothing and itself."""
    assume(terms.tier_1 <= terms.tier_2)
    added = counted_in_tiers(total + amount, terms) - counted_in_tiers(total, terms)
    return every((added >= 0, added <= amount))


@chapter.lemma("REF-COL-5")
def tiers_credit_less_and_less(venue: Reference, total: StoredAmount, amount: StoredAmount, terms: AssetTerms) -> Any:
    """Of two equal deposits the second counts no more than the first, to the unit that halving rounds off."""
    assume(terms.tier_1 <= terms.tier_2)
    counted = counted_in_tiers(total + amount, terms)
    second = counted_in_tiers(total + 2 * amount, terms) - counted
    return second <= counted - counted_in_tiers(total, terms) + 1


@chapter.lemma("REF-COL-6")
def nothing_counts_beyond_the_second_tier(
    venue: Reference, total: StoredAmount, amount: StoredAmount, terms: AssetTerms
) -> Any:
    """Up to the first tier all counts, between the tiers at most half of what is beyond the first, then nothing."""
    assume(terms.tier_1 <= terms.tier_2)
    counted = counted_in_tiers(total, terms)
    return every(
        (
            counted <= terms.tier_2,
            2 * counted <= terms.tier_1 + terms.tier_2,
            total > terms.tier_1 or counted == total,
            total < terms.tier_2 or counted_in_tiers(total + amount, terms) == counted,
        )
    )


@chapter.lemma("REF-COL-7")
def what_leaves_takes_its_part_of_the_count(venue: Reference, holding: Holding, amount: StoredAmount) -> Any:
    """Taking collateral leaves a count no greater than what is left, and at least its proportion of the count goes."""
    assume(holding.counted <= holding.amount)
    assume(amount >= 1)
    assume(amount <= holding.amount)
    part = counted_part(holding, amount)
    left = holding.counted - part
    return every(
        (
            left >= 0,
            left <= holding.amount - amount,
            part * holding.amount >= holding.counted * amount,
            (part - 1) * holding.amount < holding.counted * amount,
        )
    )


@chapter.lemma("REF-COL-8")
def withdrawing_in_parts_keeps_no_more_count(
    venue: Reference, holding: Holding, first: StoredAmount, second: StoredAmount
) -> Any:
    """Whoever takes collateral in two parts keeps no more of the count than whoever takes it at once."""
    assume(holding.counted <= holding.amount)
    assume(first >= 1)
    assume(second >= 1)
    assume(first + second <= holding.amount)
    at_once = counted_part(holding, first + second)
    part = counted_part(holding, first)
    rest = Holding(holding.amount - first, holding.counted - part)
    return part + counted_part(rest, second) >= at_once


@chapter.lemma("REF-COL-9")
def haircut_asked_for_is_within_its_bounds(
    venue: Reference, volatility: Fraction, spread: Fraction, minimum: Fraction
) -> Any:
    """The haircut asked for is at least the asset's minimum and its spread, and at most the maximum."""
    assume(minimum <= MAXIMUM_HAIRCUT)
    haircut = target_haircut(volatility, spread, minimum)
    return every((haircut >= minimum, haircut >= min(spread, MAXIMUM_HAIRCUT), haircut <= MAXIMUM_HAIRCUT))


@chapter.lemma("REF-COL-10")
def more_volatility_never_means_a_smaller_haircut(
    venue: Reference, volatility: Fraction, more: Fraction, spread: Fraction, wider: Fraction, minimum: Fraction
) -> Any:
    """A more volatile or less liquid asset is never asked for a smaller haircut, and none for one above 60 %."""
    assume(volatility <= more)
    assume(spread <= wider)
    haircut, larger = target_haircut(volatility, spread, minimum), target_haircut(more, wider, minimum)
    return every((haircut <= larger, larger <= 600_000))


@chapter.lemma("REF-COL-11")
def unrealised_profit_counts_in_part(venue: Reference, profit: Fund, larger: Fund) -> Any:
    """Of a profit some part never counts, the part that counts grows with the profit, and never is more than it."""
    assume(profit <= larger)
    apart, more = profit_haircut(profit), profit_haircut(larger)
    return every((apart >= 0, 4 * apart >= profit, apart <= profit, profit - apart <= larger - more))


@chapter.lemma("REF-COL-12")
def gap_covers_one_step_of_the_haircut(venue: Reference, gross: Fund, haircut: Fraction, later: Fraction) -> Any:
    """One step of a haircut costs no more than what collateral counts less for initial margin."""
    assume(haircut <= later)
    assume(later <= haircut + 18_000)
    assume(later <= PPM)
    return collateral_value(gross, haircut) - haircut_gap(gross) <= collateral_value(gross, later)
