"""Chapter 16, margin from sensitivities: bounded by its parts, never negative, and crowding never makes it less."""

from __future__ import annotations

from typing import Annotated, Any

from marginspec.model.kernel import Number
from marginspec.model.reference.venue import Reference
from marginspec.model.risk.notation import WAD, Positive, Real, magnitude
from marginspec.model.risk.scoring import Correlation
from marginspec.model.risk.simm import (
    Crowding,
    Part,
    added,
    alike,
    between,
    class_margin,
    crowded,
    curvature_margin,
    deviation,
    fading,
    kept,
    product_margin,
    rescaled,
    sold_part,
    square,
    stretch,
    together,
    weighted,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter

Months = Annotated[int, Number(0, 1200, "months", typical=(0, 1, 12))]
Portion = Annotated[int, Number(WAD // 100, WAD, "10^-18", WAD, typical=(WAD, WAD // 2))]

TWO = "two sensitivities"
TWO_BUCKETS = "two buckets"


@chapter.lemma("REF-FRM-11")
def crowding_never_makes_a_sensitivity_smaller(
    venue: Reference, amount: Real, weight: Positive, crowding: Crowding, more: Positive
) -> Any:
    """A weighted sensitivity is on its side, no smaller than by its weight, alone or with its crowding, no smaller
    where it is more crowded, and the other side has the opposite."""
    found = weighted(amount, weight, crowding)
    return every(
        (
            found >= 0 if amount >= 0 else found <= 0,
            magnitude(found) * WAD >= magnitude(amount) * weight,
            magnitude(found) * WAD * WAD >= magnitude(amount) * weight * crowding,
            magnitude(found) <= magnitude(weighted(amount, weight, crowding + more)),
            found == -weighted(-amount, weight, crowding),
        )
    )


@chapter.lemma("REF-FRM-12")
def crowding_apart_makes_less_alike(
    venue: Reference, correlation: Correlation, first: Crowding, second: Crowding
) -> Any:
    """Two that are crowded alike keep their correlation; of others it is nearer to none, on the same side."""
    found = alike(correlation, first, second)
    same = first != second or found == correlation
    return same and (0 <= found <= correlation if correlation >= 0 else correlation <= found <= 0)


@chapter.lemma("REF-FRM-13", bounds=TWO)
def diversification_never_costs(venue: Reference, first: Real, second: Real, correlation: Correlation) -> Any:
    """The square of two is never negative, never more than that of their sizes added, is that where they are the same
    thing, and is the sum of their squares where they have nothing to do with each other."""
    matrix = [[WAD, correlation], [correlation, WAD]]
    found, added = square([first, second], matrix), magnitude(first) + magnitude(second)
    return every(
        (
            found >= 0,
            found <= added * added * WAD,
            correlation != 0 or found == (first * first + second * second) * WAD,
            correlation != WAD or found == (first + second) * (first + second) * WAD,
        )
    )


@chapter.lemma("REF-FRM-14")
def bucket_counts_for_no_more_than_its_margin(venue: Reference, total: Real, most: Positive) -> Any:
    """What other buckets see of a bucket is on its side and no larger than its margin, and all of it within that."""
    found = kept(total, most)
    return every((found <= most, found >= -most, magnitude(total) > most or found == total, found * total >= 0))


@chapter.lemma("REF-FRM-15", bounds=TWO_BUCKETS)
def buckets_together_need_no_more_than_apart(
    venue: Reference, first: Positive, second: Positive, one: Real, other: Real, correlation: Correlation
) -> Any:
    """The square of two buckets, each of which counts for no more than its margin, is never negative and never more
    than that of their margins added."""
    sums = [kept(one, first), kept(other, second)]
    found = between([first, second], sums, [[WAD, correlation], [correlation, WAD]])
    return every((found >= 0, found <= (first + second) * (first + second) * WAD))


@chapter.lemma("REF-FRM-16", bounds="squares that are none")
def residual_is_never_set_off(venue: Reference, total: Positive, residual: Positive) -> Any:
    """What fits no bucket is added whole, also where correlations make no square; such a square counts as nothing."""
    return every((class_margin(-total, residual) == residual, together(-total) == 0))


@chapter.lemma("REF-FRM-17")
def sold_curvature_is_a_part(venue: Reference, total: Real, gross: Positive) -> Any:
    """What is net sold is from none to minus one, none where nothing is net sold, minus one where all is."""
    assume(magnitude(total) <= gross)
    found = sold_part(total, gross)
    bounded = every((found >= -WAD, found <= 0, total < 0 or found == 0))
    return bounded and (gross == 0 or total + gross != 0 or found == -WAD)


@chapter.lemma("REF-FRM-18")
def stretch_is_least_where_all_is_sold(venue: Reference, part: Part, more: Positive) -> Any:
    """At least one deviation counts, exactly one where all curvature is sold, and never fewer where less is."""
    assume(part + more <= 0)
    found = stretch(part)
    return every((found >= WAD, part != -WAD or found == WAD, found <= stretch(part + more)))


@chapter.lemma("REF-FRM-19")
def curvature_is_never_a_credit(venue: Reference, total: Real, part: Part, spread: Positive, more: Positive) -> Any:
    """Margin for curvature is never negative, at least the curvature, never less with more of it or of its spread."""
    found = curvature_margin(total, part, spread)
    return every(
        (
            found >= 0,
            found >= total,
            found <= curvature_margin(total + more, part, spread),
            found <= curvature_margin(total, part, spread + more),
        )
    )


@chapter.lemma("REF-FRM-20", bounds=TWO)
def correlations_that_do_not_fit_are_refused(venue: Reference, first: Real, second: Real) -> Any:
    """A matrix that has not a row and a column for each sensitivity is refused."""
    return every(
        (
            refusal(square, [first, second], [[WAD, 0]]) == "FRM-21",
            refusal(square, [first, second], [[WAD], [0]]) == "FRM-21",
            refusal(square, [first], [[WAD]]) is None,
        )
    )


@chapter.lemma("REF-FRM-24", bounds="no amount, or no threshold")
def nothing_is_never_crowded(venue: Reference, amount: Real, threshold: Positive) -> Any:
    """Nothing is not crowded, whatever the threshold, and nothing is without one."""
    return every((crowded(amount, 0) == WAD, crowded(0, threshold) == WAD))


@chapter.lemma("REF-FRM-25", bounds="two risk classes that need nothing")
def classes_without_margin_need_none_together(venue: Reference, amount: Real, correlation: Correlation) -> Any:
    """Risk classes that need nothing need nothing together, whatever their correlation, and add nothing to others; one
    that is missing in it is refused."""
    none, much = product_margin([0, 0], [[WAD, correlation], [correlation, WAD]]), magnitude(amount)
    refused = refusal(product_margin, [amount, amount], [[WAD, correlation]]) == "FRM-21"
    return every((none == 0, added([none, much]) == much, refused))


@chapter.lemma("REF-FRM-26")
def near_options_are_bent_the_most(venue: Reference, months: Months, more: Months) -> Any:
    """Curvature is a part of a vega: at most a half, never none, and never more where more time is left."""
    found = fading(months)
    return every((found > 0, 2 * found <= WAD, fading(months + more) <= found))


@chapter.lemma("REF-FRM-27")
def volatility_of_a_weight_is_more_than_two_of_it(venue: Reference, weight: Positive, more: Positive) -> Any:
    """The volatility of a year is more than two weights and less than three, and never less of a larger weight."""
    found = deviation(weight)
    return every((2 * weight <= found, found <= 3 * weight, found <= deviation(weight + more)))


@chapter.lemma("REF-FRM-28")
def calm_years_make_curvature_of_rates_more(venue: Reference, margin: Positive, ratio: Portion) -> Any:
    """In parts of the square of a ratio of at most one margin is never less, and the same where the ratio is one."""
    found = rescaled(margin, ratio)
    return every((found >= margin, ratio != WAD or found == margin, rescaled(0, ratio) == 0))
