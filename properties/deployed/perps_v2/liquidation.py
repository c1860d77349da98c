"""Liquidation: who can be liquidated, by whom, and where the margin goes."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import NOBODY, UNIT, Price, Size, User, magnitude
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.properties.deployed.perps_v2.relaxed import any_book, any_state
from marginspec.properties.deployed.perps_v2.scope import chapter
from marginspec.properties.law import Step, assume, every, implies, refusal

TRADERS = ("transfer_margin", "withdraw_all_margin", "modify_position", "close_position")
LIQUIDATIONS = ("liquidate_position", "force_liquidate_position")


@chapter.invariant("PV-INV-6", relaxed=any_book)
def flagged_account_has_a_position(market: PerpsV2, account: User) -> Any:
    """Only an account with a position is flagged."""
    return implies(market.flagger[account] != NOBODY, market.positions[account].size != 0)


@chapter.lemma("PV-LIQ-1", relaxed=any_state)
def equality_liquidates(market: PerpsV2, account: User, price: Price) -> Any:
    """A position whose equity less the premium is exactly the liquidation margin is liquidated; with a unit more it is
    not."""
    size = market.positions[account].size
    needed = market.liquidation_margin(size, price) + market.liquidation_premium(size, price)
    spare = market.equity(account, price, market.funding) - needed
    assume(size != 0 and market.liquidation_margin(size, price) >= 0 and 0 <= spare <= 1)
    return market.is_liquidatable(account, price, market.funding) == (spare == 0)


@chapter.lemma("PV-LIQ-2")
def fee_of_flagging_is_bounded(market: PerpsV2, size: Size, price: Price) -> Any:
    """The liquidation fee is at least the least fee of keepers and at most the greater of the two bounds."""
    fee, settings = market.liquidation_fee(size, price), market.settings
    return settings.min_keeper_fee <= fee <= max(settings.min_keeper_fee, settings.max_keeper_fee)


# Else whoever liquidates at the threshold would be paid by nobody's margin.
@chapter.lemma("PV-LIQ-3")
def liquidation_margin_covers_the_fees(market: PerpsV2, size: Size, price: Price) -> Any:
    """The liquidation margin is at least the two fees of a liquidation."""
    fees = market.liquidation_fee(size, price) + market.settings.keeper_liquidation_fee
    return market.liquidation_margin(size, price) >= fees


@chapter.lemma("PV-LIQ-4")
def premium_is_of_the_size_alone(market: PerpsV2, size: Size, price: Price) -> Any:
    """A long and a short of one size need the same, and no premium is negative."""
    alike = market.liquidation_margin(size, price) == market.liquidation_margin(-size, price)
    premium = market.liquidation_premium(size, price)
    return every((alike, premium == market.liquidation_premium(-size, price), premium >= 0))


@chapter.lemma("PV-LIQ-5", relaxed=any_state)
def view_says_who_can_be_flagged(market: PerpsV2, account: User) -> Any:
    """The view says that a position can be liquidated exactly where that is so with the funding of the moment, at a
    price that is neither stale nor zero."""
    is_due = market.is_liquidatable(account, market.price, market.next_funding(market.price))
    return market.can_liquidate(account) == (is_due and not market.is_price_stale and market.price != 0)


@chapter.lemma("PV-LIQ-6", relaxed=any_state)
def liquidation_price_is_never_negative(market: PerpsV2, account: User) -> Any:
    """A liquidation price is never negative, and without a position it is zero."""
    price = market.liquidation_price(account)
    return every((price >= 0, implies(market.positions[account].size == 0, price == 0)))


@chapter.theorem("PV-FLG-1", relaxed=any_state)
def exactly_who_can_be_liquidated_is_flagged(market: PerpsV2, caller: User, account: User) -> Any:
    """A position is flagged exactly when it is not flagged yet, there is a price, and it can be liquidated at it."""
    twin = market.clone()
    twin._recompute_funding(twin.price)
    free = not market.is_price_stale and market.flagger[account] == NOBODY
    expected = free and twin.is_liquidatable(account, twin.price, twin.funding)
    return (refusal(market.flag_position, caller, account) is None) == expected


@chapter.theorem("PV-FLG-2", relaxed=any_book)
def flag_moves_nothing(market: PerpsV2, caller: User, account: User) -> Any:
    """Flagging names who flagged, and changes neither positions, totals nor sUSD."""
    before = market.clone()
    market.flag_position(caller, account)
    sums = (market.skew == before.skew, market.size == before.size, market.debt_correction == before.debt_correction)
    same = [market.positions[user] == before.positions[user] for user in market.positions]
    return every((market.flagger[account] == caller, *sums, *same, market.balance == before.balance))


@chapter.theorem("PV-FLG-3", relaxed=any_state)
def flagged_account_can_do_nothing(market: PerpsV2, step: Step) -> Any:
    """A flagged account neither moves margin nor trades, whatever the price."""
    assume(step.action in TRADERS and market.flagger[step.argument("caller")] != NOBODY)
    return refusal(step.take, market) is not None


@chapter.theorem("PV-FLG-4", relaxed=any_book)
def others_change_an_account_by_liquidation_alone(market: PerpsV2, account: User, step: Step) -> Any:
    """No action of another changes an account's margin or position, but the liquidation of one that is flagged."""
    assume(step.argument("caller") != account)
    before, was_flagged = market.positions[account].clone(), market.flagger[account] != NOBODY
    step.take(market)
    same = market.positions[account] == before
    return same or (was_flagged and step.action in LIQUIDATIONS and step.argument("account") == account)


@chapter.theorem("PV-LQD-1", relaxed=any_book)
def liquidation_leaves_nothing(market: PerpsV2, account: User, step: Step) -> Any:
    """A liquidation leaves the account neither position, margin nor flag, and takes its size off the totals."""
    assume(step.action in LIQUIDATIONS and step.argument("account") == account)
    size, skew, total = market.positions[account].size, market.skew, market.size
    step.take(market)
    held = market.positions[account]
    gone = [each == 0 for each in (held.id, held.size, held.margin, held.last_price, held.funding_index, held.funding)]
    totals = (market.skew == skew - size, market.size == total - magnitude(size))
    return every((*gone, market.flagger[account] == NOBODY, *totals))


# What fees cost beyond the margin, the debt pool pays: the reason for the buffer in the liquidation margin.
@chapter.theorem("PV-LQD-2", relaxed=any_state)
def liquidation_pays_out_the_margin_or_the_fees(market: PerpsV2, caller: User, account: User) -> Any:
    """A liquidation issues as much sUSD as the account's equity, or its two fees where they are more."""
    before = market.clone()
    before._recompute_funding(before.price)
    fees = before.liquidation_fee(before.positions[account].size, before.price) + before.settings.keeper_liquidation_fee
    equity = before.equity(account, before.price, before.funding)
    market.liquidate_position(caller, account)
    return sum(market.balance.values()) - sum(before.balance.values()) == max(equity, fees)


@chapter.theorem("PV-LQD-3", relaxed=any_book)
def forced_liquidation_pays_only_who_flagged(market: PerpsV2, caller: User, account: User) -> Any:
    """Whoever forces a liquidation is paid nothing for it, but for having flagged."""
    before, flagged = market.balance[caller], market.flagger[account] == caller
    market.force_liquidate_position(caller, account)
    return flagged or market.balance[caller] == before


@chapter.theorem("PV-LQD-4", relaxed=any_state)
def only_the_endorsed_force(market: PerpsV2, caller: User, account: User) -> Any:
    """A liquidation is forced exactly by an endorsed account, of a flagged one, while there is a price: size, skew and
    margin do not matter."""
    expected = market.is_endorsed[caller] and market.flagger[account] != NOBODY and not market.is_price_stale
    return (refusal(market.force_liquidate_position, caller, account) is None) == expected


@chapter.theorem("PV-LQD-5", relaxed=any_book)
def large_positions_are_not_liquidated_by_anybody(market: PerpsV2, caller: User, account: User) -> Any:
    """Anybody liquidates only a position, and in a market, whose part of the skew's scale is below its limit."""
    size, skew, scale = market.positions[account].size, market.skew, market.parameters.skew_scale
    market.liquidate_position(caller, account)
    position = mul_div_down(magnitude(size), UNIT, scale) < market.parameters.max_liquidation_delta
    return every((position, mul_div_down(magnitude(skew), UNIT, scale) < market.parameters.max_pd))


@chapter.theorem("PV-LQD-6", relaxed=any_state)
def second_liquidation_is_refused(market: PerpsV2, caller: User, account: User, step: Step) -> Any:
    """Right after a liquidation another one of the same account is refused by LQD-2, and so is flagging it."""
    assume(step.action in LIQUIDATIONS and step.argument("account") == account)
    step.take(market)
    again = (
        refusal(market.liquidate_position, caller, account),
        refusal(market.force_liquidate_position, caller, account),
    )
    return every((again[0] == "LQD-2", again[1] == "LQD-2", refusal(market.flag_position, caller, account) == "FLG-3"))
