"""Parameters: what their setters refuse, and what therefore always holds of them."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.lyra_v1.collateral import LONGEST, MAX_MOVE, MAX_RATE, STALE
from marginspec.model.deployed.lyra_v1.decimals import UNIT
from marginspec.model.deployed.lyra_v1.ledger import (
    OWNER,
    Admin,
    Collateral,
    CollateralParameters,
    Count,
    Period,
    Rate,
    Volatility,
    Wad,
)
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.properties.deployed.lyra_v1.relaxed import any_judgement
from marginspec.properties.deployed.lyra_v1.scope import chapter
from marginspec.properties.law import Step, assume, every, refusal


def _sound(m: CollateralParameters) -> Any:
    return (
        m.static_quote >= 1,
        m.static_base >= 1,
        m.vol_a >= 1,
        m.vol_a >= m.vol_b,
        m.point_a <= m.point_b,
        m.call_shock >= UNIT,
        m.put_shock >= 1,
        m.put_shock <= UNIT,
    )


@chapter.invariant("LYR-PAR-1", relaxed=any_judgement)
def collateral_parameters_are_sound(venue: LyraV1) -> Any:
    """Static collateral is above zero, volatility A is above zero and at least B, point A is no later than B, a call's
    shock is at least one, a put's above zero and at most one."""
    return every(_sound(venue.minimum))


@chapter.invariant("LYR-PAR-2", relaxed=any_judgement)
def cache_parameters_are_sound(venue: LyraV1) -> Any:
    """The accepted move is at most ten times the price, an update lasts at most 30 days, averages are over 1 second to
    60 days, and the rate is at most 50 either way."""
    g = venue.greek
    periods = (g.variance_iv_period, g.variance_skew_period, g.value_iv_period, g.value_skew_period)
    limits = [g.price_move <= MAX_MOVE, g.stale_after <= STALE, g.rate >= -MAX_RATE, g.rate <= MAX_RATE]
    return every([*limits, *(period >= 1 for period in periods), *(period <= LONGEST for period in periods)])


@chapter.invariant("LYR-PAR-3", relaxed=any_judgement)
def force_close_parameters_are_sound(venue: LyraV1) -> Any:
    """Volatilities of shorts and liquidations are never shocked down, of longs never up, and least prices are at most
    spot; averages are over 1 second to 60 days."""
    f = venue.forced
    limits = [f.iv_period >= 1, f.iv_period <= LONGEST, f.skew_period >= 1, f.skew_period <= LONGEST]
    up = (f.short_shock, f.short_late_shock, f.liquidate_shock, f.liquidate_late_shock)
    limits += [shock >= UNIT for shock in up]
    for shock in (f.long_shock, f.long_late_shock):
        limits += [shock >= 1, shock <= UNIT]
    return every([*limits, f.short_spot_min <= UNIT, f.liquidate_spot_min <= UNIT])


@chapter.invariant("LYR-PAR-4", relaxed=any_judgement)
def penalties_are_parts(venue: LyraV1) -> Any:
    """A penalty is at most all of what is left, and liquidator and security module get at most all of it."""
    p = venue.penalty
    return every((p.penalty_ratio <= UNIT, p.liquidator_ratio + p.security_ratio <= UNIT))


@chapter.theorem("LYR-PAR-5")
def collateral_parameters_are_set_exactly_where_sound(
    venue: LyraV1,
    caller: Admin,
    static_quote: Collateral,
    static_base: Collateral,
    vol_a: Volatility,
    point_a: Period,
    vol_b: Volatility,
    point_b: Period,
    call_shock: Wad,
    put_shock: Wad,
) -> Any:
    """The owner, and nobody else, sets collateral parameters, exactly where they are sound; else they stay."""
    before = venue.minimum.flatten()
    new = CollateralParameters(static_quote, static_base, vol_a, point_a, vol_b, point_b, call_shock, put_shock)
    sound = all(_sound(new))
    values = (static_quote, static_base, vol_a, point_a, vol_b, point_b, call_shock, put_shock)
    refused = refusal(venue.set_collateral_parameters, caller, *values)
    if caller != OWNER:
        return refused == "OWN-5" and venue.minimum.flatten() == before
    if not sound:
        return refused == "OWN-6" and venue.minimum.flatten() == before
    return refused is None and venue.minimum.flatten() == new.flatten()


@chapter.theorem("LYR-PAR-6")
def cache_parameters_outside_of_their_limits_are_refused(
    venue: LyraV1,
    caller: Admin,
    max_strikes: Count,
    price_move: Wad,
    stale_after: Period,
    variance_iv_period: Period,
    variance_skew_period: Period,
    value_iv_period: Period,
    value_skew_period: Period,
    rate: Rate,
) -> Any:
    """A rate, a move, a duration or a period beyond its limit, or a period of zero, is refused by OWN-7."""
    periods = (variance_iv_period, variance_skew_period, value_iv_period, value_skew_period)
    assume(caller == OWNER)
    beyond = rate > MAX_RATE or rate < -MAX_RATE or price_move > MAX_MOVE or stale_after > STALE
    assume(beyond or any(period == 0 or period > LONGEST for period in periods))
    return refusal(venue.set_greek_parameters, caller, max_strikes, price_move, stale_after, *periods, rate) == "OWN-7"


@chapter.theorem("LYR-PAR-7")
def penalties_are_set_exactly_where_they_are_parts(
    venue: LyraV1, caller: Admin, penalty_ratio: Wad, liquidator_ratio: Wad, security_ratio: Wad, least_fee: Collateral
) -> Any:
    """The owner sets penalties exactly where they are at most one; shares that overflow together are refused so."""
    assume(caller == OWNER)
    refused = refusal(venue.set_penalty_parameters, caller, penalty_ratio, liquidator_ratio, security_ratio, least_fee)
    if penalty_ratio > UNIT:
        return refused == "OWN-9"
    if liquidator_ratio + security_ratio > UINT256_MAX:
        return refused == "EVM-1"
    return refused == ("OWN-9" if liquidator_ratio + security_ratio > UNIT else None)


@chapter.theorem("LYR-PAR-8", relaxed=any_judgement)
def only_the_owner_changes_parameters(venue: LyraV1, step: Step) -> Any:
    """No action but one of the owner changes a parameter."""
    parts = (venue.minimum.clone(), venue.greek.clone(), venue.forced.clone(), venue.penalty.clone())
    step.take(venue)
    now = (venue.minimum, venue.greek, venue.forced, venue.penalty)
    same = all(one.flatten() == other.flatten() for one, other in zip(parts, now, strict=True))
    return same or step.argument("caller") == OWNER
