"""Chapter 11, value at risk and expected shortfall. Rules: `spec/reference/11-value-at-risk.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import div_up, mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import WAD, Chance, above_zero, magnitude
from marginspec.model.risk.numerics import root

Move = Annotated[int, Number(-WAD, 20 * WAD, "10^-18 of the price", WAD, typical=(0, WAD // 100, -WAD // 10))]
Variance = Annotated[int, Number(0, 400 * WAD, "10^-18", WAD, typical=(WAD // 2500, WAD // 400, 0))]
Weight = Annotated[int, Number(0, 2**40 * WAD, "10^-18 scenarios", WAD, typical=(WAD, 5 * WAD // 2, WAD // 2))]


# --- Scenarios ------------------------------------------------------------------------------------------------------


def loss(exposures: Sequence[int], moves: Sequence[int]) -> int:
    """VAR-1: what exposures lose when their prices move so, rounded up. moves: parts of the price, by exposure."""
    if len(exposures) != len(moves):
        raise Rejected("VAR-2")
    return -sum(mul_div_down(e, m, WAD) for e, m in zip(exposures, moves, strict=True))


def next_variance(variance: int, move: int, memory: int) -> int:
    """VAR-3: an exponentially weighted mean of squared moves, rounded up. memory: the weight of what was before."""
    return div_up(memory * variance * WAD + (WAD - memory) * move * move, WAD * WAD)


def filtered(move: int, now: int, then: int) -> int:
    """VAR-4: a move of the past in proportion to the deviation that is forecast now, rounded down."""
    return mul_div_down(move, now, max(then, 1))


def filtered_history(moves: Sequence[int], first: int, memory: int) -> list[int]:
    """VAR-4 of a history, oldest first, each by the forecast that was made before it. first: the variance before."""
    forecasts = [first]
    for move in moves:
        forecasts.append(next_variance(forecasts[-1], move, memory))
    deviations = [root(forecast) for forecast in forecasts]
    return [filtered(move, deviations[-1], then) for move, then in zip(moves, deviations[:-1], strict=True)]


# --- Measures -------------------------------------------------------------------------------------------------------


def tail_weight(chance: int, scenarios: int) -> int:
    """VAR-5: how many scenarios are in the tail, of so many of the same probability."""
    if scenarios <= 0 or chance <= 0 or chance > WAD:
        raise Rejected("VAR-2")
    return chance * scenarios


def value_at_risk(losses: Sequence[int], chance: int) -> int:
    """VAR-6: the loss that is exceeded with this probability, rounded up."""
    tail_weight(chance, len(losses))
    return quantile(losses, chance * (len(losses) - 1))


def quantile(losses: Sequence[int], place: int) -> int:
    """VAR-6: the loss at a place from the worst, 0 the worst itself, in a straight line between two, rounded up."""
    ordered = sorted(losses, reverse=True)
    near = [above_zero(WAD - magnitude(n * WAD - place)) for n in range(len(ordered))]
    return div_up(sum(weight * each for weight, each in zip(near, ordered, strict=True)), WAD)


def expected_shortfall(losses: Sequence[int], chance: int) -> int:
    """VAR-7: the mean loss in the tail, rounded up."""
    return tail_mean(losses, tail_weight(chance, len(losses)))


def tail_mean(losses: Sequence[int], weight: int) -> int:
    """VAR-7: the mean of so many of the worst losses, the last of them in part, rounded up."""
    return div_up(tail_sum(losses, weight), weight)


def tail_sum(losses: Sequence[int], weight: int) -> int:
    """The sum of so many of the worst losses, 10^-36."""
    total, left = 0, weight
    for each in sorted(losses, reverse=True):
        part = min(left, WAD)
        total += part * each
        left -= part
    return total


# --- What is added --------------------------------------------------------------------------------------------------


@dataclass
class AddOns(Record):
    """Parameters of what is added to a measure. buffer: of calm times. floor: through the cycle, of the exposure."""

    free: Chance = WAD // 10
    rate: Annotated[int, Number(0, 20 * WAD, "10^-18", WAD, typical=(WAD // 2, WAD))] = WAD // 2
    cap: Chance = WAD // 4
    buffer: Chance = WAD // 4
    floor: Chance = WAD // 50


def over_horizon(measure: int, days: int) -> int:
    """VAR-8: a measure of one day over a horizon, by the root of its days, rounded up."""
    return mul_div_up(measure, root(days * WAD), WAD)


def concentration(exposure: int, depth: int, terms: AddOns) -> int:
    """VAR-9: a part of what an exposure is beyond its share of the market's depth, at most its cap."""
    return capped(beyond_share(exposure, depth, terms), exposure, terms)


def beyond_share(exposure: int, depth: int, terms: AddOns) -> int:
    """VAR-9: what an exposure is beyond its share of the market's depth, which is rounded down."""
    return above_zero(magnitude(exposure) - mul_div_down(depth, terms.free, WAD))


def capped(beyond: int, exposure: int, terms: AddOns) -> int:
    """VAR-9: a part of what is beyond the share, at most a part of the whole, both rounded up."""
    return min(mul_div_up(beyond, terms.rate, WAD), mul_div_up(magnitude(exposure), terms.cap, WAD))


def floored(measure: int, exposure: int, terms: AddOns) -> int:
    """VAR-10: a measure, at least a part of the exposure, rounded up: the least through the cycle."""
    return max(measure, mul_div_up(magnitude(exposure), terms.floor, WAD))


def buffered(measure: int, before: int, terms: AddOns) -> int:
    """VAR-11: a measure with its buffer, which is used up before a margin rises. before: the margin until now."""
    return max(measure, min(mul_div_up(measure, WAD + terms.buffer, WAD), before))


def margin(measure: int, days: int, exposure: int, depth: int, before: int, terms: AddOns) -> int:
    """VAR-12: what an account needs: the measure over its horizon, floored and buffered, and its concentration."""
    return buffered(floored(over_horizon(measure, days), exposure, terms), before, terms) + concentration(
        exposure, depth, terms
    )
