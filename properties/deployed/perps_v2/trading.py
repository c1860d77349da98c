"""Trades: what they need, what they cost, and that going back and forth does not pay."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import (
    LEVERAGE_HEADROOM,
    NOBODY,
    FillLimit,
    SizeDelta,
    User,
    above_zero,
    magnitude,
    same_side,
)
from marginspec.properties.deployed.perps_v2.invariants import magnitudes_sum_to_the_size, sizes_sum_to_the_skew
from marginspec.properties.deployed.perps_v2.relaxed import (
    any_book,
    any_pace,
    any_state,
    real_leverage,
    real_room,
    real_thresholds,
)
from marginspec.properties.deployed.perps_v2.scope import chapter
from marginspec.properties.law import assume, every, implies, refusal


@chapter.theorem("PV-TRD-1", relaxed=real_thresholds)
def trade_leaves_more_than_the_margin_of_liquidation(
    market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit
) -> Any:
    """A trade leaves more margin than the liquidation margin and premium of the new size at the oracle price."""
    market.modify_position(caller, delta, limit)
    held = market.positions[caller]
    needed = market.liquidation_margin(held.size, market.price) + market.liquidation_premium(held.size, market.price)
    return held.margin > needed


@chapter.theorem("PV-TRD-2", relaxed=real_leverage)
def trade_stays_within_the_greatest_leverage(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """After a trade, size at the fill price is at most the greatest leverage and a hundredth times margin and fee."""
    recorded = market.fees_recorded
    market.modify_position(caller, delta, limit)
    held, fee = market.positions[caller], market.fees_recorded - recorded
    leverage = market.leverage(held.size, held.last_price, held.margin + fee)
    return leverage <= market.parameters.max_leverage + LEVERAGE_HEADROOM


@chapter.theorem("PV-TRD-3", relaxed=any_book)
def trade_fills_no_worse_than_its_limit(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """Whoever has a position after a trade bought at no more, or sold at no less, than the limit."""
    market.modify_position(caller, delta, limit)
    held = market.positions[caller]
    assume(held.size != 0)
    return held.last_price <= limit if delta > 0 else held.last_price >= limit


@chapter.theorem("PV-TRD-4", relaxed=any_book)
def trade_moves_position_and_skew_alike(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """A trade changes the caller's size and the skew by what it says, and no other account."""
    size, skew, others = market.positions[caller].size, market.skew, _others(market, caller)
    market.modify_position(caller, delta, limit)
    moved = market.positions[caller].size == size + delta
    return every((moved, market.skew == skew + delta, *_same(others, _others(market, caller))))


def _others(market: PerpsV2, account: User) -> list[int]:
    """What all other accounts have, as a list of numbers."""
    held = [position for name, position in market.positions.items() if name != account]
    return [number for p in held for number in (p.id, p.funding_index, p.funding, p.margin, p.last_price, p.size)]


def _same(before: list[int], after: list[int]) -> list[Any]:
    return [one == other for one, other in zip(before, after, strict=True)]


@chapter.theorem("PV-TRD-5", relaxed=any_state)
def trade_costs_its_fee_and_nothing_else(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """A trade leaves equity at the fill price less the fee, which the fee pool receives; wallets stay as they are."""
    twin = market.clone()
    twin._recompute_funding(twin.price)
    fill = twin.fill_price(delta, twin.price)
    fee, equity = twin.order_fee(delta, fill) if delta != 0 else 0, twin.equity(caller, fill, twin.funding)
    market.modify_position(caller, delta, limit)
    same = [market.balance[user] == twin.balance[user] for user in market.positions]
    left = market.positions[caller].margin == equity - fee
    return every((left, market.fees_recorded == twin.fees_recorded + fee, *same))


@chapter.theorem("PV-TRD-6", relaxed=any_book)
def growing_position_needs_initial_margin(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """A trade that does not make a position smaller leaves, its fee included, at least the least initial margin."""
    old, recorded = market.positions[caller].size, market.fees_recorded
    market.modify_position(caller, delta, limit)
    held = market.positions[caller]
    is_smaller = same_side(old, held.size) and magnitude(held.size) < magnitude(old)
    enough = held.margin + market.fees_recorded - recorded >= market.settings.min_initial_margin
    return implies(not is_smaller, enough)


@chapter.theorem("PV-TRD-7", given=(sizes_sum_to_the_skew, magnitudes_sum_to_the_size), relaxed=real_room)
def trade_leaves_its_side_within_the_limit(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit) -> Any:
    """A trade that does not make a position smaller leaves its side of the market, all positions of it together, at
    most as large as it may be."""
    old = market.positions[caller].size
    market.modify_position(caller, delta, limit)
    new = market.positions[caller].size
    assume(not (same_side(old, new) and magnitude(new) <= magnitude(old)))
    sizes = [position.size for position in market.positions.values()]
    side = sum(above_zero(size) for size in sizes) if new > 0 else sum(above_zero(-size) for size in sizes)
    return side <= market.parameters.max_market_value


@chapter.theorem("PV-TRD-8", relaxed=any_state)
def empty_order_is_refused(market: PerpsV2, caller: User, limit: FillLimit) -> Any:
    """A trade of nothing is refused by TRD-5, where there is a price and the account is not flagged."""
    assume(not market.is_price_stale and market.flagger[caller] == NOBODY)
    return refusal(market.modify_position, caller, 0, limit) == "TRD-5"


@chapter.theorem("PV-TRD-9", relaxed=any_state)
def closing_is_trading_the_whole_position(market: PerpsV2, caller: User, limit: FillLimit) -> Any:
    """Closing a position does what a trade of its whole size does, or is refused by the same rule."""
    twin, size = market.clone(), market.positions[caller].size
    assume(size != 0)
    refused = refusal(market.close_position, caller, limit)
    return every((refused == refusal(twin.modify_position, caller, -size, limit), market.flatten() == twin.flatten()))


@chapter.theorem("PV-TRD-10", relaxed=any_book)
def closed_position_leaves_margin_alone(market: PerpsV2, caller: User, limit: FillLimit) -> Any:
    """A position that is closed leaves neither number nor size, price or entry; the margin is the account's."""
    market.close_position(caller, limit)
    held = market.positions[caller]
    gone = [each == 0 for each in (held.id, held.size, held.last_price, held.funding_index, held.funding)]
    return every((*gone, held.margin >= 0))


def begin_now(market: PerpsV2, account: User) -> None:
    """Let funding have been recomputed just now, and an account have no position, which then is as PV-INV-4 says."""
    held = market.positions[account]
    market.funding_recomputed_at = market.now
    held.id = held.funding_index = held.funding = held.last_price = held.size = 0


# An order that moved the price in its favour could be repeated until the pool is empty.
@chapter.theorem(
    "PV-TRD-11",
    bounds="from no position, funding recomputed at the same time; the way back is filled at the same price (PV-FIL-3)",
    rests_on=("PV-FIL-3",),
    relaxed=any_pace,
)
def round_trip_never_profits(market: PerpsV2, caller: User, delta: SizeDelta, limit: FillLimit, back: FillLimit) -> Any:
    """Whoever opens a position and closes it at once has no more margin than before."""
    begin_now(market, caller)
    before = market.positions[caller].margin
    market.modify_position(caller, delta, limit)
    twin = market.clone()
    twin._recompute_funding(twin.price)
    assume(twin.fill_price(-delta, twin.price) == market.positions[caller].last_price)
    market.modify_position(caller, -delta, back)
    return market.positions[caller].margin <= before
