"""Orders: what they need, what they cost, and what they change."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import INSURANCE, Bound, Market, OrderAmount, User, magnitude
from marginspec.properties.deployed.curie.relaxed import (
    any_account,
    any_book,
    real_bound,
    real_fill,
    real_margin,
    real_nearness,
)
from marginspec.properties.deployed.curie.scope import chapter
from marginspec.properties.law import Step, assume, every, refusal

ORDERS = ("open_position", "close_position")


@chapter.theorem("CU-TRD-1", relaxed=real_margin)
def order_leaves_the_lesser_margin(state: Curie, step: Step) -> Any:
    """After an order free collateral is not negative, by the greater ratio or, where it reduced a position, by the
    lesser."""
    assume(step.action in ORDERS)
    step.take(state)
    caller = step.argument("caller")
    by_greater = state.free_collateral(caller, state.settings.im_ratio)
    return by_greater >= 0 or state.free_collateral(caller, state.settings.mm_ratio) >= 0


@chapter.theorem("CU-TRD-2", relaxed=real_margin)
def opened_position_has_the_greater_margin(
    state: Curie,
    caller: User,
    market: Market,
    is_selling: bool,
    is_exact_input: bool,
    amount: OrderAmount,
    bound: Bound,
) -> Any:
    """After an order of an account without a position, free collateral by the greater ratio is not negative."""
    assume(state.position_size(caller, market) == 0)
    state.open_position(caller, market, is_selling, is_exact_input, amount, bound)
    return state.free_collateral(caller, state.settings.im_ratio) >= 0


@chapter.theorem("CU-TRD-3", relaxed=real_bound)
def order_is_no_worse_than_its_bound(
    state: Curie,
    caller: User,
    market: Market,
    is_selling: bool,
    is_exact_input: bool,
    amount: OrderAmount,
    bound: Bound,
) -> Any:
    """An order with a bound gets at least it, or gives at most it."""
    assume(bound != 0)
    base, quote = state.open_position(caller, market, is_selling, is_exact_input, amount, bound)
    if is_exact_input:
        return (quote if is_selling else base) >= bound
    return (base if is_selling else quote) <= bound


@chapter.theorem("CU-TRD-4", relaxed=any_book)
def order_changes_no_other_account(state: Curie, other: User, step: Step) -> Any:
    """An order changes neither positions, balance, profit nor tokens of another account."""
    assume(step.action in ORDERS and step.argument("caller") != other)
    before = state.clone()
    step.take(state)
    same = (state.balance[other] == before.balance[other], state.owed[other] == before.owed[other])
    return every((*same, state.wallet == before.wallet, state.positions[other] == before.positions[other]))


@chapter.theorem("CU-TRD-5", relaxed=any_account)
def empty_order_is_refused(
    state: Curie, caller: User, market: Market, is_selling: bool, is_exact_input: bool, bound: Bound
) -> Any:
    """An order of nothing is refused by TRD-7, where there is an index price."""
    assume(state.pools[market].index_price != 0)
    return refusal(state.open_position, caller, market, is_selling, is_exact_input, 0, bound) == "TRD-7"


@chapter.theorem("CU-TRD-6", relaxed=real_nearness)
def price_is_near_its_last_tick(state: Curie, step: Step) -> Any:
    """An order is filled only while the pool's tick is within the most of the one that was recorded last."""
    assume(step.action in ORDERS)
    step.take(state)
    market = step.argument("market")
    return magnitude(state.pools[market].tick - state.funding[market].tick) <= state.settings.max_ticks


@chapter.theorem("CU-TRD-7", relaxed=real_fill)
def sold_amount_is_exact(state: Curie, caller: User, market: Market, amount: OrderAmount, bound: Bound) -> Any:
    """Whoever sells an exact amount of base sells that amount, to the unit."""
    base, _ = state.open_position(caller, market, True, True, amount, bound)
    return base == amount


@chapter.theorem("CU-TRD-8", relaxed=real_fill)
def spent_amount_is_exact(state: Curie, caller: User, market: Market, amount: OrderAmount, bound: Bound) -> Any:
    """Whoever buys for an exact amount of quote spends that amount, fee included, to the unit."""
    _, quote = state.open_position(caller, market, False, True, amount, bound)
    return quote == amount


@chapter.theorem("CU-TRD-9", relaxed=any_account)
def closing_needs_a_position(state: Curie, caller: User, market: Market, bound: Bound) -> Any:
    """Closing is refused by POS-5 exactly where there is no position, or dust alone."""
    empty = state.position_size(caller, market) == 0
    return (refusal(state.close_position, caller, market, bound) == "POS-5") == empty


@chapter.theorem("CU-TRD-10", relaxed=any_book)
def order_pays_only_the_insurance_fund(state: Curie, step: Step) -> Any:
    """An order changes what was realised for nobody but the caller and the insurance fund, and moves no balance."""
    assume(step.action in ORDERS)
    before = state.clone()
    step.take(state)
    caller = step.argument("caller")
    others = [state.owed[each] == before.owed[each] for each in state.owed if each not in (caller, INSURANCE)]
    return every((*others, state.balance == before.balance))


# Nobody may be put at risk by another's actions.
@chapter.theorem("CU-OWN-1", relaxed=any_book)
def others_change_a_position_by_liquidation_alone(state: Curie, user: User, step: Step) -> Any:
    """No action of another changes an account's positions but its liquidation."""
    assume(step.argument("caller") != user)
    before = state.clone()
    step.take(state)
    same = state.positions[user] == before.positions[user]
    return same or (step.action == "liquidate" and step.argument("user") == user)


@chapter.theorem("CU-OWN-2", relaxed=any_book)
def others_take_no_tokens(state: Curie, user: User, step: Step) -> Any:
    """No action of another takes tokens out of an account's wallet, or lessens its balance."""
    assume(step.argument("caller") != user and step.action != "set_balance")
    wallet, balance = state.wallet[user], state.balance[user]
    step.take(state)
    return every((state.wallet[user] == wallet, state.balance[user] >= balance))
