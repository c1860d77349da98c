"""Chapter 16, margin from sensitivities as ISDA SIMM puts them together. Rules: `spec/reference/16-frameworks.md`.

Weights, thresholds and correlations are given: ISDA publishes them each half year. Amounts are 10^-18 of money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import div_down, mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import WAD, Positive, Real, above_zero, magnitude
from marginspec.model.risk.numerics import root, whole_root

TAIL_SQUARE = 5634896601021215138
"""The square of the quantile of a normal variable at 99.5 %, less one."""

DEVIATIONS = 2194864712328153329
"""The root of a year of 365 days in fortnights, in parts of the quantile of a normal variable at 99 %, rounded up."""

MONTHS_OF_A_YEAR = 12
FORTNIGHT = 14
YEAR_IN_DAYS = 365

Crowding = Annotated[int, Number(WAD, 1000 * WAD, "10^-18", WAD, typical=(WAD, 2 * WAD))]
Part = Annotated[int, Number(-WAD, 0, "10^-18", WAD, typical=(0, -WAD, -WAD // 2))]


@dataclass
class Sensitivity(Record):
    """What a netting set gains with one unit of a risk factor. weight: what a unit moves. threshold: amount from which
    on it counts as crowded, 0 if never."""

    amount: Real = 0
    weight: Positive = WAD
    threshold: Positive = 0


def crowded(amount: int, threshold: int) -> int:
    """FRM-11: the root of an amount in parts of its threshold, at least one, rounded down; one where there is none."""
    return max(WAD, root(mul_div_down(magnitude(amount), WAD, threshold))) if threshold > 0 else WAD


def weighted(amount: int, weight: int, crowding: int) -> int:
    """FRM-12: a sensitivity by its weight and its crowding, rounded away from none."""
    size = mul_div_up(magnitude(amount), weight * crowding, WAD * WAD)
    return size if amount >= 0 else -size


def alike(correlation: int, first: int, second: int) -> int:
    """FRM-13: a correlation, less where one of two is more crowded than the other, towards none."""
    size = mul_div_down(magnitude(correlation), min(first, second), max(first, second))
    return size if correlation >= 0 else -size


def square(amounts: Sequence[int], correlations: Sequence[Sequence[int]]) -> int:
    """FRM-14: the sum of the products of all amounts, each pair by its correlation, 10^-54; one with itself whole."""
    if len(correlations) != len(amounts) or any(len(row) != len(amounts) for row in correlations):
        raise Rejected("FRM-21")
    return sum(
        amounts[i] * amounts[j] * (WAD if i == j else correlations[i][j])
        for i in range(len(amounts))
        for j in range(len(amounts))
    )


def together(total: int) -> int:
    """FRM-14: the root of a square, rounded down; 0 where correlations make it no square."""
    whole = div_down(total, WAD)
    return whole_root(whole) if whole > 0 else 0


def kept(total: int, most: int) -> int:
    """FRM-15: the sum of a bucket as other buckets see it: no more than the bucket's own margin, on either side."""
    return max(min(total, most), -most)


def between(margins: Sequence[int], sums: Sequence[int], correlations: Sequence[Sequence[int]]) -> int:
    """FRM-16: the square of a risk class, of the margins of its buckets and of their sums, 10^-54."""
    own = sum(margin * margin - each * each for margin, each in zip(margins, sums, strict=True)) * WAD
    return own + square(sums, correlations)


def class_margin(total: int, residual: int) -> int:
    """FRM-17: margin of a risk class, with that of what fits no bucket on top."""
    return together(total) + residual


# --- Curvature ------------------------------------------------------------------------------------------------------


def sold_part(total: int, gross: int) -> int:
    """FRM-18: what of all curvature is net sold, from none to minus one, rounded down. total, gross: sums."""
    return max(-WAD, mul_div_down(min(total, 0), WAD, gross)) if gross > 0 else 0


def stretch(part: int) -> int:
    """FRM-19: how many deviations count: more where less is sold; rounded up."""
    return mul_div_up(TAIL_SQUARE, WAD + part, WAD) - part


def curvature_margin(total: int, part: int, spread: int) -> int:
    """FRM-20: the sum of curvature and its spread stretched, rounded up; at least nothing."""
    return above_zero(total + mul_div_up(stretch(part), spread, WAD))


# --- Together -------------------------------------------------------------------------------------------------------

Matrix = Sequence[Sequence[int]]


@dataclass
class Bucket(Record):
    """A bucket put together. margin: of it alone. total: the sum of what is in it, kept within that margin."""

    margin: Positive = 0
    total: Real = 0


def gathered(amounts: Sequence[int], correlations: Matrix) -> Bucket:
    """FRM-14 and FRM-15: weighted sensitivities of a bucket."""
    margin = together(square(amounts, correlations))
    return Bucket(margin, kept(sum(amounts), margin))


def apart(correlations: Matrix, crowding: Sequence[int]) -> list[list[int]]:
    """FRM-13: correlations of all pairs, less where one of two is more crowded than the other."""
    if len(correlations) != len(crowding) or any(len(row) != len(crowding) for row in correlations):
        raise Rejected("FRM-21")
    return [
        [alike(correlations[i][j], crowding[i], crowding[j]) for j in range(len(crowding))]
        for i in range(len(crowding))
    ]


def bucket(sensitivities: Sequence[Sensitivity], correlations: Matrix) -> Bucket:
    """FRM-11 to FRM-15: the sensitivities of a bucket, each its own risk factor."""
    return crowded_bucket(sensitivities, [crowded(each.amount, each.threshold) for each in sensitivities], correlations)


def crowded_bucket(sensitivities: Sequence[Sensitivity], crowding: Sequence[int], correlations: Matrix) -> Bucket:
    """FRM-12 to FRM-15: the sensitivities of a bucket by the crowding of each; those of one name share it."""
    amounts = [weighted(s.amount, s.weight, c) for s, c in zip(sensitivities, crowding, strict=True)]
    return gathered(amounts, apart(correlations, crowding))


def delta_margin(buckets: Sequence[Bucket], correlations: Matrix, residual: int) -> int:
    """FRM-16 and FRM-17: margin for delta, or for vega, of a risk class. residual: margin of what fits no bucket."""
    return class_margin(between([b.margin for b in buckets], [b.total for b in buckets], correlations), residual)


def curvature(buckets: Sequence[Sequence[int]], correlations: Sequence[Matrix], across: Matrix) -> int:
    """FRM-14 to FRM-20: margin for curvature of a risk class, or of what fits no bucket, as a bucket of its own. All
    correlations are given as their squares."""
    margins = [together(square(each, matrix)) for each, matrix in zip(buckets, correlations, strict=True)]
    sums = [kept(sum(each), most) for each, most in zip(buckets, margins, strict=True)]
    total = sum(sum(each) for each in buckets)
    gross = sum(magnitude(amount) for each in buckets for amount in each)
    return curvature_margin(total, sold_part(total, gross), together(between(margins, sums, across)))


def product_margin(classes: Sequence[int], correlations: Matrix) -> int:
    """FRM-22: margin of a product class, from those of its risk classes."""
    return together(square(classes, correlations))


# --- What is published -----------------------------------------------------------------------------------------------


def fading(months: int) -> int:
    """FRM-26: the part of a vega that is curvature: half a fortnight in the time to expiry, a half where that is no
    longer; rounded up. months: to expiry, 0 for a fortnight."""
    return mul_div_up(WAD, FORTNIGHT * MONTHS_OF_A_YEAR, 2 * YEAR_IN_DAYS * months) if months > 0 else div_down(WAD, 2)


def deviation(weight: int) -> int:
    """FRM-27: the volatility of a year, from the weight of a move of ten days; rounded up."""
    return mul_div_up(weight, DEVIATIONS, WAD)


def rescaled(margin: int, ratio: int) -> int:
    """FRM-28: margin for curvature of interest rates in parts of the square of a ratio; rounded up."""
    return mul_div_up(margin, WAD * WAD, ratio * ratio)


def added(margins: Sequence[int]) -> int:
    """FRM-29: margin of a risk class, of those of its measures; of a netting set, of those of its product classes."""
    return sum(margins)
