"""Chapter 6, margin: ratios that follow volatility within bounds, and bounds that make liquidation in time enough."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import Market, MarketTerms
from marginspec.model.reference.margin import (
    MAX_STEP_TIME,
    MAX_VOLATILITY,
    MEMORY,
    RELAXATION,
    TIGHTENING,
    approach,
    next_volatility,
    open_interest_ratio,
    target_ratio,
)
from marginspec.model.reference.notation import HOUR, PPM, Duration, Fraction, StoredPrice, StoredSize
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.theorem("REF-MRG-1")
def open_interest_adds_at_most_the_slope(venue: Reference, terms: MarketTerms, market: Market) -> Any:
    """Open interest adds to the initial ratio between nothing and the slope, all of it in a full market."""
    added = open_interest_ratio(terms, market)
    full = market.open_interest >= market.open_interest_cap
    return every((added >= 0, added <= terms.slope, not full or added == terms.slope))


@chapter.theorem("REF-MRG-2")
def fuller_market_never_needs_less_margin(
    venue: Reference, terms: MarketTerms, market: Market, more: StoredSize
) -> Any:
    """More open interest never lowers the initial ratio."""
    assume(market.open_interest <= more)
    before = open_interest_ratio(terms, market)
    market.open_interest = more
    return before <= open_interest_ratio(terms, market)


@chapter.theorem("REF-MRG-3")
def volatility_is_never_below_the_last_move(
    venue: Reference, volatility: Fraction, last: StoredPrice, mark: StoredPrice, time: Duration
) -> Any:
    """The estimate is at least the last move, and at most all of the price."""
    assume(last >= 1)
    assume(time <= HOUR)
    estimate = next_volatility(volatility, last, mark, time)
    moved = (mark - last) * PPM
    return every(
        (
            estimate <= MAX_VOLATILITY,
            estimate == MAX_VOLATILITY or estimate * last >= moved,
            estimate == MAX_VOLATILITY or estimate * last >= -moved,
        )
    )


@chapter.theorem("REF-MRG-4")
def volatility_forgets_slowly(
    venue: Reference, volatility: Fraction, last: StoredPrice, mark: StoredPrice, time: Duration
) -> Any:
    """In some seconds the estimate forgets at most that part of a day of itself."""
    assume(last >= 1)
    assume(time <= HOUR)
    return next_volatility(volatility, last, mark, time) * MEMORY >= volatility * (MEMORY - time)


@chapter.theorem("REF-MRG-5")
def updating_often_does_not_forget_faster(
    venue: Reference, volatility: Fraction, price: StoredPrice, first: Duration, second: Duration
) -> Any:
    """Two updates at an unchanged price leave at least the estimate that one update would."""
    assume(price >= 1)
    assume(first + second <= HOUR)
    once = next_volatility(volatility, price, price, first + second)
    return once <= next_volatility(next_volatility(volatility, price, price, first), price, price, second)


@chapter.theorem("REF-MRG-6")
def moves_in_one_direction_add_up(
    venue: Reference, volatility: Fraction, last: StoredPrice, middle: StoredPrice, mark: StoredPrice
) -> Any:
    """A price that falls in two steps is estimated at least as volatile as one that falls as far in one."""
    assume(mark >= 1)
    assume(mark <= middle)
    assume(middle <= last)
    once = next_volatility(volatility, last, mark, 0)
    return once <= next_volatility(next_volatility(volatility, last, middle, 0), middle, mark, 0)


@chapter.theorem("REF-MRG-7")
def ratio_tightens_fast_and_relaxes_slowly(venue: Reference, ratio: Fraction, target: Fraction, time: Duration) -> Any:
    """A ratio moves towards what is asked for and never beyond, at most 5 ppm a second up and 1 down."""
    moved = approach(ratio, target, time)
    lowest, highest = min(ratio, target), max(ratio, target)
    return every(
        (
            lowest <= moved,
            moved <= highest,
            moved <= ratio + TIGHTENING * time,
            moved >= ratio - RELAXATION * time,
            moved == target or moved == ratio + TIGHTENING * time or moved == ratio - RELAXATION * time,
        )
    )


@chapter.theorem("REF-MRG-8")
def ratio_asked_for_is_within_the_parameters(
    venue: Reference, volatility: Fraction, minimum: Fraction, maximum: Fraction
) -> Any:
    """The ratio asked for lies between minimum and maximum, and is the volatility itself where that does."""
    assume(minimum <= maximum)
    target = target_ratio(volatility, minimum, maximum)
    inside = minimum <= volatility <= maximum
    return every((minimum <= target, target <= maximum, not inside or target == volatility))


@chapter.theorem("REF-MRG-9")
def more_volatility_never_means_less_margin(
    venue: Reference,
    volatility: Fraction,
    more: Fraction,
    minimum: Fraction,
    maximum: Fraction,
    ratio: Fraction,
    time: Duration,
) -> Any:
    """A more volatile asset is never given a smaller ratio, nor a market that had a larger ratio before."""
    assume(volatility <= more)
    calm, wild = target_ratio(volatility, minimum, maximum), target_ratio(more, minimum, maximum)
    return every((calm <= wild, approach(ratio, calm, time) <= approach(ratio, wild, time)))


@chapter.theorem("REF-MRG-10")
def larger_moves_never_mean_less_volatility(
    venue: Reference,
    volatility: Fraction,
    more: Fraction,
    last: StoredPrice,
    mark: StoredPrice,
    lower: StoredPrice,
    time: Duration,
) -> Any:
    """A price that fell further, from an asset at least as volatile, is never estimated less volatile."""
    assume(volatility <= more)
    assume(last >= 1)
    assume(lower <= mark)
    assume(mark <= last)
    assume(time <= MAX_STEP_TIME)
    return next_volatility(volatility, last, mark, time) <= next_volatility(more, last, lower, time)
