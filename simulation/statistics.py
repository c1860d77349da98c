"""What many runs say together: means with intervals, differences run by run, and how good predictions were."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marginspec.model.kernel.fixed import div_down
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.predictive import gap
from marginspec.simulation.forecast import EDGES, Scores

RESAMPLES, CONFIDENCE = 2_000, 0.95
WILSON_Z = 1.959963984540054
"""Of a normal variable: outside of it 5 %."""


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, and the interval of its bootstrap; none of less than two runs."""

    mean: int
    low: int | None
    high: int | None


def estimate(values: Sequence[int], seed: str) -> Estimate:
    """The mean of whole numbers, rounded down, with a percentile bootstrap of 95 %. The seed repeats it."""
    mean = div_down(sum(values), len(values))
    if len(values) < 2:
        return Estimate(mean, None, None)
    chance = random.Random(f"{seed} bootstrap")
    sums = sorted(sum(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Estimate(mean, div_down(sums[cut], len(values)), div_down(sums[-1 - cut], len(values)))


def wilson(hits: int, made: int) -> tuple[float, float]:
    """Wilson's interval of 95 % of a frequency; everything where nothing was seen."""
    if made == 0:
        return 0.0, 1.0
    part, z2 = hits / made, WILSON_Z * WILSON_Z
    middle = (part + z2 / (2 * made)) / (1 + z2 / made)
    half = WILSON_Z / (1 + z2 / made) * math.sqrt(part * (1 - part) / made + z2 / (4 * made * made))
    return max(0.0, min(part, middle - half)), min(1.0, max(part, middle + half))


@dataclass(frozen=True)
class Brier:
    """Mean squared difference of prediction and outcome, and its parts, which add up to it:
    `reliability - resolution + uncertainty + within`. within: what bins leave out, their own spread."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier(scores: Scores) -> Brier | None:
    """The Brier score of predictions and its decomposition over bins; None where nothing was predicted."""
    made = sum(each.made for each in scores.bins)
    if made == 0:
        return None
    base = sum(each.realised for each in scores.bins) / made
    squared = sum(scores.squares) / WAD**2 - 2 * sum(scores.hits) / WAD + sum(b.realised for b in scores.bins)
    reliability = resolution = 0.0
    for each in scores.bins:
        if each.made:
            seen = each.realised / each.made
            reliability += each.made * (each.predicted / WAD / each.made - seen) ** 2 / made
            resolution += each.made * (seen - base) ** 2 / made
    uncertainty = base * (1 - base)
    score = squared / made
    return Brier(score, reliability, resolution, uncertainty, score - reliability + resolution - uncertainty)


@dataclass(frozen=True)
class Reliability:
    """One point of the diagram: from, to: the bin's edges; predicted, realised: mean and frequency; Wilson's interval;
    gap: PRD-10, with 18 decimals. by_run: the frequencies of single runs, lowest and highest."""

    begin: float
    end: float
    made: int
    predicted: float
    realised: float
    low: float
    high: float
    gap: int
    by_run: tuple[float, float]


def reliability_diagram(scores: Sequence[Scores]) -> list[Reliability]:
    """The bins in which something was predicted, over all runs."""
    total = together(scores)
    found = []
    for place, each in enumerate(total.bins):
        if not each.made:
            continue
        end = EDGES[place + 1] if place + 1 < len(EDGES) else WAD
        single = [s.bins[place].realised / s.bins[place].made for s in scores if s.bins[place].made]
        low, high = wilson(each.realised, each.made)
        found.append(
            Reliability(
                EDGES[place] / WAD,
                end / WAD,
                each.made,
                each.predicted / WAD / each.made,
                each.realised / each.made,
                low,
                high,
                gap(each),
                (min(single), max(single)),
            )
        )
    return found


def together(scores: Iterable[Scores]) -> Scores:
    """The predictions of several runs as one."""
    total = Scores()
    for each in scores:
        total.add(each)
    return total
