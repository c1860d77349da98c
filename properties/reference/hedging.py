"""Chapter 15, hedging: it reduces exposure, rests within its band, and costs no more than it may."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
from marginspec.model.risk.hedging import (
    Greek,
    Policy,
    affordable,
    delta_after,
    hedged,
    options_traded,
    paid,
    trade,
    vega_after,
    wanted,
)
from marginspec.model.risk.notation import WAD, Positive, magnitude
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-HDG-1")
def nothing_is_traded_within_the_band(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """Within the band nothing is wanted, traded or paid."""
    assume(magnitude(exposure) <= policy.band)
    return every((wanted(exposure, policy) == 0, trade(exposure, policy) == 0, paid(exposure, policy) == 0))


@chapter.lemma("REF-HDG-2")
def hedging_never_raises_or_turns_exposure(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """Exposure after a period is between nothing and what it was, on the same side."""
    after = hedged(exposure, policy)
    return 0 <= after <= exposure if exposure >= 0 else exposure <= after <= 0


@chapter.lemma("REF-HDG-3")
def turnover_and_cost_are_bounded(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """What is traded in a period is at most the turnover, costs at most the budget, and is at most the exposure: so in
    all periods together no more is traded than exposure came."""
    size = magnitude(trade(exposure, policy))
    return every(
        (
            size <= policy.turnover,
            paid(exposure, policy) <= policy.budget,
            size <= magnitude(exposure),
            magnitude(hedged(exposure, policy)) == magnitude(exposure) - size,
        )
    )


@chapter.lemma("REF-HDG-4")
def exposure_beyond_the_band_goes_down(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """Beyond the band exposure falls, where anything may be traded, and to the inner edge where all of it may."""
    assume(magnitude(exposure) > policy.band)
    assume(policy.inner <= policy.band)
    after, most = magnitude(hedged(exposure, policy)), affordable(policy)
    return every(
        (
            most == 0 or after < magnitude(exposure),
            after >= policy.inner,
            most < magnitude(exposure) - policy.inner or after == policy.inner,
        )
    )


@chapter.lemma("REF-HDG-5")
def hedging_again_is_no_more_than_at_once(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """Where all of it may be traded, a second period with nothing new trades nothing."""
    assume(policy.inner <= policy.band)
    assume(affordable(policy) >= magnitude(exposure))
    return trade(hedged(exposure, policy), policy) == 0


@chapter.lemma("REF-HDG-6")
def long_and_short_are_hedged_alike(venue: Reference, exposure: Greek, policy: Policy) -> Any:
    """What is traded against a short exposure is the opposite of what is against a long one."""
    return trade(-exposure, policy) == -trade(exposure, policy)


@chapter.lemma("REF-HDG-7")
def wider_limits_never_leave_more(
    venue: Reference, exposure: Greek, policy: Policy, turnover: Positive, budget: Positive
) -> Any:
    """More turnover or budget never leaves more exposure."""
    before = magnitude(hedged(exposure, policy))
    policy.turnover += turnover
    policy.budget += budget
    return magnitude(hedged(exposure, policy)) <= before


@chapter.lemma("REF-HDG-8")
def options_never_raise_or_turn_vega(venue: Reference, vega: Greek, unit: Positive, policy: Policy) -> Any:
    """Options traded against vega leave it between nothing and what it was, on the same side, and none are traded
    within the band."""
    assume(unit >= 1)
    options = options_traded(vega, unit, policy)
    after = vega_after(vega, options, unit)
    resting = magnitude(vega) > policy.band or options == 0
    return resting and (0 <= after <= vega if vega >= 0 else vega <= after <= 0)


@chapter.lemma("REF-HDG-9")
def delta_of_options_is_hedged_with_the_rest(
    venue: Reference, delta: Greek, options: Greek, unit: Greek, policy: Policy
) -> Any:
    """Delta after options were traded is what it was and theirs, less than a unit less; hedged last it is never more
    than before that."""
    after = delta_after(delta, options, unit)
    exact = delta * WAD + options * unit
    return every(
        (after * WAD <= exact, exact < (after + 1) * WAD, magnitude(hedged(after, policy)) <= magnitude(after))
    )
