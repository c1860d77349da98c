"""Margin: deposits, withdrawals, and what they leave."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import NOBODY, MarginDelta, User
from marginspec.properties.deployed.perps_v2.relaxed import (
    any_book,
    any_state,
    real_equity,
    real_leverage,
    real_thresholds,
    valued,
)
from marginspec.properties.deployed.perps_v2.scope import chapter
from marginspec.properties.deployed.perps_v2.trading import begin_now
from marginspec.properties.law import Step, assume, every, implies, refusal

PRICED = ("transfer_margin", "withdraw_all_margin", "modify_position")


@chapter.theorem("PV-MRG-1", relaxed=real_equity)
def transfer_moves_exactly_what_it_says(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """A transfer adds to the margin, settled at the present price, what it takes from the wallet, to the unit."""
    twin = market.clone()
    twin._recompute_funding(twin.price)
    equity = twin.equity(caller, twin.price, twin.funding)
    market.transfer_margin(caller, delta)
    assume(delta != 0)
    paid = market.balance[caller] == twin.balance[caller] - delta
    return every((market.positions[caller].margin == equity + delta, paid))


@chapter.theorem("PV-MRG-2", relaxed=real_thresholds)
def withdrawal_leaves_more_than_the_margin_of_liquidation(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """A withdrawal from an open position leaves more than its liquidation margin and premium, and the least initial
    margin."""
    assume(delta < 0)
    market.transfer_margin(caller, delta)
    held = market.positions[caller]
    assume(held.size != 0)
    needed = market.liquidation_margin(held.size, market.price) + market.liquidation_premium(held.size, market.price)
    return every((held.margin > needed, held.margin >= market.settings.min_initial_margin))


@chapter.theorem("PV-MRG-3", relaxed=real_leverage)
def withdrawal_stays_within_the_greatest_leverage(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """A withdrawal from an open position leaves it within the greatest leverage, without the headroom of trades."""
    assume(delta < 0)
    market.transfer_margin(caller, delta)
    held = market.positions[caller]
    assume(held.size != 0)
    return market.leverage(held.size, market.price, held.margin) <= market.parameters.max_leverage


@chapter.theorem("PV-MRG-4", relaxed=any_book)
def transfer_leaves_the_market_as_it_is(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """A transfer of margin changes neither sizes, skew nor another account, and pays no fee."""
    before = market.clone()
    market.transfer_margin(caller, delta)
    others = [market.positions[user] == before.positions[user] for user in market.positions if user != caller]
    same = market.positions[caller].size == before.positions[caller].size, market.fees_recorded == before.fees_recorded
    return every((market.skew == before.skew, market.size == before.size, *same, *others))


@chapter.theorem("PV-MRG-5", bounds="no position")
def margin_without_position_can_be_withdrawn(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """Whoever has no position can withdraw any part of the margin, whatever the price, unless it is stale."""
    begin_now(market, caller)
    assume(not market.is_price_stale and market.flagger[caller] == NOBODY)
    assume(-market.positions[caller].margin <= delta < 0)
    return refusal(market.transfer_margin, caller, delta) is None


@chapter.theorem("PV-MRG-6", bounds="no position; funding recomputed at the same time")
def margin_comes_back_exactly(market: PerpsV2, caller: User, delta: MarginDelta) -> Any:
    """Margin deposited and withdrawn again leaves margin, wallet and debt correction as they were."""
    begin_now(market, caller)
    assume(delta > 0)
    before = market.positions[caller].margin, market.balance[caller], market.debt_correction
    market.transfer_margin(caller, delta)
    market.transfer_margin(caller, -delta)
    after = market.positions[caller].margin, market.balance[caller], market.debt_correction
    return every(one == other for one, other in zip(before, after, strict=True))


@chapter.theorem("PV-MRG-7", relaxed=any_state)
def nothing_happens_at_a_stale_price(market: PerpsV2, step: Step) -> Any:
    """While the price is stale no margin moves and no order is filled."""
    assume(step.action in PRICED and market.is_price_stale)
    return refusal(step.take, market) is not None


@chapter.lemma("PV-MRG-8", relaxed=valued)
def accessible_is_part_of_what_remains(market: PerpsV2, account: User) -> Any:
    """What is accessible is at most what remains, and nothing remains where losses exceed the margin."""
    equity = market.equity(account, market.price, market.next_funding(market.price))
    accessible, remaining = market.accessible_margin(account), market.remaining_margin(account)
    return every((0 <= accessible <= remaining, implies(equity <= 0, remaining == 0)))
