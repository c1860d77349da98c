"""Chapter 11, value at risk and expected shortfall: what makes a measure of risk one, and what is added to it.

That value at risk is not sub-additive is no law but a counterexample: `spec/reference/11-value-at-risk.md`, VAR-6.
"""

from __future__ import annotations

from typing import Annotated, Any

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.reference.venue import Reference
from marginspec.model.risk.legs import intrinsic
from marginspec.model.risk.notation import WAD, Chance, Positive, Real, magnitude
from marginspec.model.risk.revaluation import Held, Moved, lost, value_in
from marginspec.model.risk.tail import (
    AddOns,
    Move,
    Variance,
    Weight,
    beyond_share,
    buffered,
    capped,
    concentration,
    expected_shortfall,
    filtered,
    floored,
    loss,
    margin,
    next_variance,
    over_horizon,
    quantile,
    tail_mean,
    tail_sum,
    tail_weight,
    value_at_risk,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter

THREE = "three scenarios"
Days = Annotated[int, Number(1, 400, "days", typical=(1, 2, 10))]


# --- Measures -------------------------------------------------------------------------------------------------------


def _is_tail(weight: int) -> None:
    assume(weight >= 1)
    assume(weight <= 3 * WAD)


@chapter.lemma("REF-VAR-1", bounds=THREE)
def expected_shortfall_is_monotone(
    venue: Reference, a: Real, b: Real, c: Real, more: Positive, other: Positive, weight: Weight
) -> Any:
    """A portfolio that loses at least as much in each scenario has at least the expected shortfall."""
    _is_tail(weight)
    return tail_mean([a, b, c], weight) <= tail_mean([a + more, b, c + other], weight)


@chapter.lemma("REF-VAR-2", bounds=THREE)
def expected_shortfall_moves_with_cash(venue: Reference, a: Real, b: Real, c: Real, cash: Real, weight: Weight) -> Any:
    """A loss that is certain adds itself to the expected shortfall, to the unit."""
    _is_tail(weight)
    return tail_mean([a + cash, b + cash, c + cash], weight) == tail_mean([a, b, c], weight) + cash


@chapter.lemma("REF-VAR-3", bounds=f"{THREE}; a portfolio twice and three times")
def expected_shortfall_is_homogeneous(venue: Reference, a: Real, b: Real, c: Real, weight: Weight) -> Any:
    """A portfolio several times has the expected shortfall so many times, within as many units."""
    _is_tail(weight)
    once = tail_mean([a, b, c], weight)
    times = [(k, tail_mean([k * a, k * b, k * c], weight)) for k in (2, 3)]
    return every([k * once - k < found for k, found in times] + [found <= k * once for k, found in times])


@chapter.lemma("REF-VAR-4", bounds=THREE)
def no_weighting_exceeds_the_tail(
    venue: Reference, a: Real, b: Real, c: Real, one: Chance, two: Chance, three: Chance
) -> Any:
    """Of all weightings of the scenarios by at most one each, the tail has the greatest sum for its weight."""
    return one * a + two * b + three * c <= tail_sum([a, b, c], one + two + three)


@chapter.lemma("REF-VAR-5", rests_on=("REF-VAR-4",), bounds=THREE)
def expected_shortfall_is_sub_additive(
    venue: Reference, a: Real, b: Real, c: Real, d: Real, e: Real, f: Real, weight: Weight
) -> Any:
    """Two portfolios together have at most the sum of their expected shortfalls: the tail of both is a weighting of
    each (REF-VAR-4)."""
    _is_tail(weight)
    together = tail_mean([a + d, b + e, c + f], weight)
    return together <= tail_mean([a, b, c], weight) + tail_mean([d, e, f], weight)


@chapter.lemma("REF-VAR-6", bounds=THREE)
def value_at_risk_is_monotone_and_moves_with_cash(
    venue: Reference, a: Real, b: Real, c: Real, more: Positive, cash: Real, place: Weight
) -> Any:
    """A portfolio that loses at least as much in each scenario has at least the value at risk, and a loss that is
    certain adds itself to it, to the unit."""
    assume(place <= 2 * WAD)
    found = quantile([a, b, c], place)
    return every(
        (found <= quantile([a, b + more, c], place), quantile([a + cash, b + cash, c + cash], place) == found + cash)
    )


@chapter.lemma("REF-VAR-7", bounds=THREE)
def expected_shortfall_is_at_least_value_at_risk(venue: Reference, a: Real, b: Real, c: Real, chance: Chance) -> Any:
    """Expected shortfall is at least value at risk of the same probability, and at most the worst loss."""
    assume(chance >= 1)
    losses = [a, b, c]
    shortfall = expected_shortfall(losses, chance)
    return every((value_at_risk(losses, chance) <= shortfall, shortfall <= max(losses)))


@chapter.lemma("REF-VAR-8", bounds=THREE)
def smaller_tail_never_measures_less(venue: Reference, a: Real, b: Real, c: Real, weight: Weight, less: Weight) -> Any:
    """Expected shortfall never falls as the tail gets smaller."""
    _is_tail(weight)
    assume(less >= 1)
    assume(less <= weight)
    return tail_mean([a, b, c], weight) <= tail_mean([a, b, c], less)


@chapter.lemma("REF-VAR-9")
def nothing_is_no_tail(venue: Reference, losing: Real, chance: Real) -> Any:
    """A probability of 0 or less, or above 1, and no scenarios at all, are refused; else the tail is that part."""
    none = refusal(tail_weight, chance, 0) == "VAR-2"
    if chance <= 0 or chance > WAD:
        return none and refusal(expected_shortfall, [losing], chance) == "VAR-2"
    return none and expected_shortfall([losing], chance) == losing


# --- Scenarios ------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-VAR-10", bounds="two exposures, each the sum of any number")
def losses_add_up(venue: Reference, one: Real, two: Real, move: Move, other: Move) -> Any:
    """A portfolio loses what its exposures lose, each its move times itself, less than a unit more; where there is not
    a move for each it is refused."""
    alone = loss([one], [move])
    return every(
        (
            loss([one, two], [move, other]) == alone + loss([two], [other]),
            alone * WAD >= -one * move,
            (alone - 1) * WAD < -one * move,
            refusal(loss, [one, two], [move]) == "VAR-2",
        )
    )


@chapter.lemma("REF-VAR-11")
def forecast_lies_between_history_and_news(
    venue: Reference, variance: Variance, move: Move, more: Variance, memory: Chance
) -> Any:
    """A forecast lies between the one before and the square of the move, within a unit, and never falls with either."""
    found = next_variance(variance, move, memory)
    low, high = min(variance * WAD, move * move), max(variance * WAD, move * move)
    return every(
        (
            low <= found * WAD,
            (found - 1) * WAD < high or found == 0,
            found <= next_variance(variance + more, move, memory),
        )
    )


@chapter.lemma("REF-VAR-12")
def filtering_keeps_direction(venue: Reference, move: Move, now: Positive, more: Positive, then: Positive) -> Any:
    """A filtered move keeps its direction, is itself where the forecast is that of then, and grows with it."""
    assume(then >= 1)
    found, wilder = filtered(move, now, then), filtered(move, now + more, then)
    return every(
        (
            move < 0 or found >= 0,
            move >= 0 or found <= 0,
            filtered(move, then, then) == move,
            magnitude(found) <= magnitude(wilder) + 1,
        )
    )


@chapter.lemma("REF-VAR-20", bounds="options that expire")
def option_in_a_scenario_is_worth_what_it_pays_there(venue: Reference, held: Held, moved: Moved) -> Any:
    """An option that expires now is worth, in a scenario, what it pays at the moved forward, discounted."""
    held.seconds = 0
    forward = mul_div_down(held.forward, moved.price, WAD)
    assume(forward >= 1)
    assume(held.leg.strike >= 1)
    paid = intrinsic(held.leg, forward) * held.factor
    found = value_in(held, moved)
    return every((found * WAD <= paid, paid < (found + 1) * WAD))


@chapter.lemma("REF-VAR-21")
def options_bought_lose_at_most_what_they_are_worth(
    venue: Reference, amount: Positive, before: Positive, after: Positive, lower: Positive
) -> Any:
    """Options bought lose at most what they are worth, more the lower they fall; who sold them gains what is lost,
    within a unit; and where nothing moves nothing is lost."""
    assume(lower <= after)
    found = lost(amount, before, after)
    return every(
        (
            found * WAD <= amount * before + WAD,
            found <= lost(amount, before, lower),
            found + lost(-amount, before, after) >= 0,
            found + lost(-amount, before, after) <= 1,
            lost(amount, before, before) == 0,
        )
    )


# --- What is added --------------------------------------------------------------------------------------------------


@chapter.lemma("REF-VAR-13")
def concentration_is_bounded(venue: Reference, exposure: Positive, depth: Positive, terms: AddOns) -> Any:
    """The add-on for concentration is nothing within the free share of the depth, at most its cap, and the same for a
    short."""
    found = concentration(exposure, depth, terms)
    return every(
        (
            found >= 0,
            exposure * WAD > depth * terms.free or found == 0,
            (found - 1) * WAD < exposure * terms.cap or found == 0,
            found == concentration(-exposure, depth, terms),
        )
    )


@chapter.lemma("REF-VAR-18")
def share_is_exceeded_by_more_exposure_and_less_depth(
    venue: Reference, exposure: Positive, more: Positive, depth: Positive, deeper: Positive, terms: AddOns
) -> Any:
    """What is beyond the share of the depth never falls with the exposure and never rises with the depth."""
    found = beyond_share(exposure, depth, terms)
    return every(
        (found <= beyond_share(exposure + more, depth, terms), beyond_share(exposure, depth + deeper, terms) <= found)
    )


@chapter.lemma("REF-VAR-19", rests_on=("REF-VAR-18",))
def concentration_follows_exposure_and_depth(
    venue: Reference, beyond: Positive, more: Positive, exposure: Positive, larger: Positive, terms: AddOns
) -> Any:
    """The add-on never falls with what is beyond the share or with the exposure; so by REF-VAR-18 it never falls with
    the exposure and never rises with the depth of the market."""
    return capped(beyond, exposure, terms) <= capped(beyond + more, exposure + larger, terms)


@chapter.lemma("REF-VAR-14")
def floor_binds_in_calm_times_only(
    venue: Reference, measure: Positive, more: Positive, exposure: Real, terms: AddOns
) -> Any:
    """A floored measure is at least itself and the floor, one of both, and never falls with the measure."""
    found = floored(measure, exposure, terms)
    least = magnitude(exposure) * terms.floor
    return every(
        (
            found >= measure,
            found * WAD >= least,
            found == measure or (found - 1) * WAD < least,
            found <= floored(measure + more, exposure, terms),
        )
    )


@chapter.lemma("REF-VAR-15")
def buffer_is_used_up_before_margin_rises(
    venue: Reference, measure: Positive, more: Positive, before: Positive, terms: AddOns
) -> Any:
    """A buffered margin is at least its measure and at most the measure with its buffer, does not rise where the
    measure is below the margin until now, and never falls with the measure."""
    found = buffered(measure, before, terms)
    return every(
        (
            measure <= found,
            (found - 1) * WAD < measure * (WAD + terms.buffer) or found == 0,
            found <= max(before, measure),
            found <= buffered(measure + more, before, terms),
        )
    )


@chapter.lemma("REF-VAR-16", bounds="horizons of 1, 4 and 9 days")
def longer_horizon_never_needs_less(venue: Reference, measure: Positive, more: Positive) -> Any:
    """A measure over four days is twice that of one, over nine three times, and never falls with the measure."""
    found = [over_horizon(measure, days) for days in (1, 4, 9)]
    return every((found == [measure, 2 * measure, 3 * measure], found[1] <= over_horizon(measure + more, 4)))


@chapter.lemma("REF-VAR-17", bounds="a horizon of a day")
def margin_covers_measure_floor_and_concentration(
    venue: Reference, measure: Positive, exposure: Real, depth: Positive, before: Positive, terms: AddOns
) -> Any:
    """What an account needs is at least its measure, and its floor, and the add-on besides."""
    found, added = margin(measure, 1, exposure, depth, before, terms), concentration(exposure, depth, terms)
    return every((found >= measure + added, (found - added) * WAD >= magnitude(exposure) * terms.floor))
