"""Chapter 8, liquidation: only below maintenance, the least that restores, at a penalty that equity can pay."""

from __future__ import annotations

from typing import Any

from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.reference.collateral import collateral_value, gross_value
from marginspec.model.reference.liquidation import (
    liquidator_share,
    penalty_of,
    seizure_price,
    size_to_restore,
    without_dust,
)
from marginspec.model.reference.margin import SEIZURE_DISCOUNT, is_covered
from marginspec.model.reference.notation import PPM, Fraction, Fund, Quote, StoredAmount, StoredPrice, StoredSize, Unit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.theorem("REF-LIQ-1")
def size_to_restore_restores_and_is_minimal(venue: Reference, shortfall: Fund, gain: Fund, whole: StoredSize) -> Any:
    """The size restores what is missing or is all there is, and one unit less would not restore it."""
    assume(gain >= 1)
    size = size_to_restore(shortfall, gain, whole)
    return every((size <= whole, size == whole or size * gain >= shortfall, size == 0 or (size - 1) * gain < shortfall))


@chapter.theorem("REF-LIQ-2")
def no_dust_is_left(venue: Reference, size: StoredSize, whole: StoredSize, mark: StoredPrice, dust: Fund) -> Any:
    """What a liquidation leaves is nothing or worth at least the dust threshold; else its size is what was needed."""
    assume(size <= whole)
    closed = without_dust(size, whole, mark, dust)
    return every(
        (
            closed >= size,
            closed == whole or (whole - closed) * mark >= dust,
            closed == size or (whole - size) * mark < dust,
            closed <= whole,
        )
    )


@chapter.theorem("REF-LIQ-3")
def penalty_never_exceeds_equity(
    venue: Reference, size: StoredSize, mark: StoredPrice, penalty: Fraction, equity: Quote
) -> Any:
    """A penalty is at most the equity, at most the penalty ratio of the notional closed, and never negative."""
    paid = penalty_of(size, mark, penalty, equity)
    return every((paid >= 0, paid == 0 or paid <= equity, paid * PPM <= size * mark * penalty))


@chapter.theorem("REF-LIQ-4")
def liquidating_oneself_never_profits(venue: Reference, penalty: Fund) -> Any:
    """The liquidator's part is never more than the fund's: who liquidates an own account loses at least half."""
    share = liquidator_share(penalty)
    return every((share >= 0, 2 * share <= penalty, 2 * share >= penalty - 1))


@chapter.theorem("REF-LIQ-5")
def seized_collateral_costs_at_least_its_discounted_value(
    venue: Reference, amount: StoredAmount, mark: StoredPrice, unit: Unit
) -> Any:
    """Seized collateral costs at least its value at the mark less 4 %, and nothing is taken for nothing."""
    paid = seizure_price(amount, mark, unit)
    return every(
        (
            paid * unit * PPM >= amount * mark * (PPM - SEIZURE_DISCOUNT),
            paid >= 1 or amount * mark == 0,
        )
    )


@chapter.theorem("REF-LIQ-6")
def seizing_in_parts_never_costs_less(
    venue: Reference, first: StoredAmount, second: StoredAmount, mark: StoredPrice, unit: Unit
) -> Any:
    """Collateral seized in two parts costs at least as much as at once."""
    apart = seizure_price(first, mark, unit) + seizure_price(second, mark, unit)
    values = [mul_div_up(amount, mark, unit) for amount in (first + second, first, second)]
    if values[0] > values[1] + values[2]:
        return False
    return seizure_price(first + second, mark, unit) <= apart


@chapter.theorem("REF-LIQ-7")
def seizure_pays_more_than_the_collateral_counted_for(
    venue: Reference,
    amount: StoredAmount,
    counted: StoredAmount,
    low: StoredPrice,
    mark: StoredPrice,
    unit: Unit,
    haircut: Fraction,
    delta: Fraction,
) -> Any:
    """Where the haircut covers the discount, each seizure leaves the account with at least the equity it had."""
    assume(counted <= amount)
    assume(low <= mark)
    assume(is_covered(haircut, delta))
    return collateral_value(gross_value(counted, low, unit), haircut) <= seizure_price(amount, mark, unit)
