"""Chapter 10, parameter changes: safe at every moment, and no step makes an account liquidatable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marginspec.model.reference.collateral import MAX_SPREAD, collateral_value, gross_value, haircut_gap
from marginspec.model.reference.margin import MAX_STEP_TIME, RAMP, TIGHTENING, approach, is_safe
from marginspec.model.reference.notation import (
    BUFFER,
    HOUR,
    INITIAL_GAP,
    MAKER_FEE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    TAKER_FEE,
    AccountId,
    Amount,
    AssetId,
    Duration,
    Fraction,
    MarketId,
    ParameterId,
    Ppm,
    Size,
    User,
)
from marginspec.model.reference.parameters import NOTICE
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, accepted, assume, every, refusal
from marginspec.properties.reference.relaxed import relaxed
from marginspec.properties.reference.scope import ANY_STEP, ETH, HERE, SIMPLE, SIMPLE_BOUNDS, chapter
from marginspec.properties.scope import pinned


@chapter.theorem("REF-PRM-1")
def announced_parameters_are_safe_and_wait(
    venue: Reference, caller: User, market: MarketId, parameter: ParameterId, value: Ppm
) -> Any:
    """Only the governor announces, only what is safe together with what is announced already, and two days ahead."""
    in_force = dict(venue.parameters[market])
    venue.announce(caller, market, parameter, value)
    terms, m = venue.market_terms[market], venue.markets[market]
    return every(
        (
            caller == venue.governor,
            is_safe(venue.ramp_to[market], terms.delta, terms.slope),
            m.ramp_at == venue.now + NOTICE,
            venue.ramp_to[market][parameter] == value,
            *(venue.parameters[market][name] == before for name, before in in_force.items()),
        )
    )


def _fits(parameters: Mapping[ParameterId, int], delta: int) -> tuple[Any, ...]:
    """What must hold of parameters in force: a move and the penalty fit the ratio, a step of adaptation the gap."""
    penalty = parameters[PENALTY]
    return (
        delta + penalty + -(-penalty * delta // PPM) <= parameters[MINIMUM_RATIO],
        parameters[MINIMUM_RATIO] <= parameters[MAXIMUM_RATIO],
        parameters[INITIAL_GAP] >= TIGHTENING * MAX_STEP_TIME,
        parameters[BUFFER] <= parameters[INITIAL_GAP],
        parameters[MAKER_FEE] <= parameters[TAKER_FEE],
        parameters[TAKER_FEE] <= penalty,
    )


# The bounds that solvency rests on hold at every moment of a ramp, not only at its ends; so they hold of the next one,
# which starts from the parameters in force (REF-PRM-9) and goes to what is safe (REF-PRM-1, 12).
@chapter.lemma("REF-PRM-2")
def ramp_between_fitting_parameters_fits(venue: Reference, market: MarketId, time: Duration) -> Any:
    """Where both ends of a ramp fit a move and the penalty, and a step the gap, so does each moment of it: from one
    announcement to the next for ever. That ratio, gap and slope are no more than the notional is asked of announced
    sets alone; between them rounding may exceed it."""
    terms, m = venue.market_terms[market], venue.markets[market]
    for ends in (venue.ramp_from[market], venue.ramp_to[market]):
        for condition in _fits(ends, terms.delta):
            assume(condition)
    assume(m.ramp_progress <= RAMP)
    assume(time <= HOUR)
    venue._ramp_on(market, time)
    return every(_fits(venue.parameters[market], terms.delta))


@chapter.lemma("REF-PRM-12")
def safe_parameters_fit(venue: Reference, market: MarketId) -> Any:
    """Parameters that may be announced fit."""
    terms = venue.market_terms[market]
    assume(is_safe(venue.ramp_to[market], terms.delta, terms.slope))
    return every(_fits(venue.ramp_to[market], terms.delta))


@chapter.lemma(
    "REF-PRM-3", scope={"parameter": pinned(MINIMUM_RATIO, PENALTY, why="all others are rounded like these")}
)
def parameter_in_force_lies_between_old_and_new(
    venue: Reference, market: MarketId, parameter: ParameterId, time: Duration
) -> Any:
    """During a ramp a parameter lies between where it started and where it goes; at the end it is there."""
    start, end = venue.ramp_from[market][parameter], venue.ramp_to[market][parameter]
    assume(venue.markets[market].ramp_progress <= RAMP)
    venue._ramp_on(market, time)
    value = venue.parameters[market][parameter]
    ended = venue.markets[market].ramp_at == 0 and venue.markets[market].ramp_progress == 0
    return every((min(start, end) <= value, value <= max(start, end), not ended or value == end or time == 0))


@chapter.lemma("REF-PRM-4")
def step_of_the_ratio_keeps_initial_margin_above_maintenance(
    venue: Reference, ratio: Fraction, target: Fraction, gap: Fraction, time: Duration
) -> Any:
    """One step of adaptation leaves the maintenance ratio at or below what was the initial ratio."""
    assume(gap >= TIGHTENING * MAX_STEP_TIME)
    return approach(ratio, target, min(time, MAX_STEP_TIME)) <= ratio + gap


@chapter.lemma("REF-PRM-5", rests_on=("REF-LED-4",), bounds=SIMPLE_BOUNDS, scope=SIMPLE)
def parameter_step_makes_nobody_with_initial_margin_liquidatable(
    venue: Reference, account: AccountId, ratio: Fraction, haircut: Fraction
) -> Any:
    """An account at initial margin is not below maintenance after one step of ratio and haircut."""
    step = TIGHTENING * MAX_STEP_TIME
    assume(venue.parameters[HERE][INITIAL_GAP] >= step)
    assume(ratio <= venue.markets[HERE].ratio + step)
    assume(haircut <= venue.assets[ETH].haircut + step)
    assume(venue.markets[HERE].open_interest >= 0)  # by REF-LED-4
    assume(accepted(venue.equity, account) >= accepted(venue.initial_margin, account))
    gross = gross_value(
        venue.accounts[account].collateral[ETH].counted, venue.assets[ETH].low, venue.asset_terms[ETH].unit
    )
    loss = collateral_value(gross, venue.assets[ETH].haircut) - collateral_value(gross, haircut)
    if loss > haircut_gap(gross):
        return False
    venue.markets[HERE].ratio, venue.assets[ETH].haircut = ratio, haircut
    return venue.equity(account) >= venue.maintenance_margin(account)


@chapter.theorem("REF-PRM-6")
def guardian_only_takes_risk_off(
    venue: Reference, caller: User, asset: AssetId, market: MarketId, cap: Amount, size: Size, on: bool
) -> Any:
    """Who is not the governor can only lower caps, set reduce-only and pause deposits, and only as guardian."""
    assume(caller != venue.governor)
    m = venue.markets[market]
    before = venue.cap[asset], m.open_interest_cap, m.reduce_only, venue.deposits_paused
    refused = [
        refusal(venue.set_cap, caller, asset, cap) is not None,
        refusal(venue.set_open_interest_cap, caller, market, size) is not None,
        refusal(venue.set_reduce_only, caller, market, on) is not None,
        refusal(venue.set_deposits_paused, caller, on) is not None,
    ]
    m = venue.markets[market]
    return every(
        (
            caller == venue.guardian or all(refused),
            venue.cap[asset] <= before[0],
            m.open_interest_cap <= before[1],
            refused[2] or m.reduce_only or on,
            refused[3] or on,
        )
    )


@chapter.theorem("REF-PRM-7")
def spread_and_guardian_are_the_governors(
    venue: Reference, caller: User, asset: AssetId, spread: Ppm, guardian: User
) -> Any:
    """Only the governor sets the spread of an asset, within its bound, and names the guardian."""
    is_governor = caller == venue.governor
    spread_refused = refusal(venue.set_spread, caller, asset, spread)
    guardian_refused = refusal(venue.set_guardian, caller, guardian)
    return every(
        (
            (guardian_refused is None) == is_governor,
            (spread_refused is None) == (is_governor and spread <= MAX_SPREAD),
        )
    )


ONLY_THE_GOVERNOR = ("announce", "set_spread", "set_guardian", "collect_fees", "start_settlement")


@chapter.theorem("REF-PRM-8", bounds=ANY_STEP, relaxed=relaxed)
def only_the_governor_adds_risk(venue: Reference, step: Step, asset: AssetId, market: MarketId) -> Any:
    """Nobody but the governor does what is the governor's, raises a cap, lifts reduce-only or a pause, or takes
    fees."""
    caller = step.argument("caller")
    assume(caller is not None and caller != venue.governor)
    before = venue.cap[asset], venue.markets[market].clone(), venue.deposits_paused, venue.guardian, venue.fees
    step.take(venue)
    after = venue.markets[market]
    return every(
        (
            step.action not in ONLY_THE_GOVERNOR,
            venue.cap[asset] <= before[0],
            after.open_interest_cap <= before[1].open_interest_cap,
            after.reduce_only or not before[1].reduce_only,
            venue.deposits_paused or not before[2],
            venue.guardian == before[3],
            venue.fees >= before[4],
        )
    )


@chapter.theorem("REF-PRM-9")
def ramp_starts_from_the_parameters_in_force(
    venue: Reference, caller: User, market: MarketId, parameter: ParameterId, value: Ppm
) -> Any:
    """An announcement starts its ramp from the parameters in force, wherever an earlier ramp has brought them."""
    venue.announce(caller, market, parameter, value)
    start, now = venue.ramp_from[market], venue.parameters[market]
    return every((venue.markets[market].ramp_progress == 0, *(start[name] == now[name] for name in now)))


@chapter.lemma("REF-PRM-10")
def ramp_takes_seven_days_and_ends(venue: Reference, market: MarketId, time: Duration) -> Any:
    """A ramp ends exactly when it has gone on for seven days, at the announced parameters, and leaves none behind."""
    week = 7 * 24 * 3600
    m = venue.markets[market]
    assume(m.ramp_progress < week and m.ramp_at != 0)
    before = m.ramp_progress
    venue._ramp_on(market, time)
    if before + time < week:
        return m.ramp_at != 0 and m.ramp_progress == before + time
    end, start, now = venue.ramp_to[market], venue.ramp_from[market], venue.parameters[market]
    return every(
        (
            m.ramp_at == 0,
            m.ramp_progress == 0,
            *(now[name] == end[name] for name in end),
            *(start[name] == end[name] for name in end),
        )
    )


@chapter.lemma("REF-PRM-11")
def ramp_begins_when_its_notice_is_over(venue: Reference, market: MarketId, time: Duration) -> Any:
    """An announced ramp goes on from the very second at which its notice is over, and not before."""
    m = venue.markets[market]
    assume(m.ramp_at != 0 and m.ramp_progress == 0 and 0 < time < 3600)
    venue._ramp(market, time)
    return m.ramp_progress == (time if venue.now >= m.ramp_at else 0)
