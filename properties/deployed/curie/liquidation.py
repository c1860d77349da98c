"""Liquidation: who can be liquidated, how much of it, and who gets what."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import (
    ALL,
    INSURANCE,
    STEP,
    WHOLE_BELOW,
    Market,
    Notional,
    SizeGiven,
    User,
    in_token,
    magnitude,
)
from marginspec.properties.deployed.curie.relaxed import any_account, any_book, any_holdings, real_health, real_position
from marginspec.properties.deployed.curie.scope import chapter
from marginspec.properties.law import accepted, assume, every, implies, refusal


@chapter.lemma("CU-LIQ-1", relaxed=any_holdings)
def equality_does_not_liquidate(state: Curie, user: User) -> Any:
    """An account whose value is exactly the maintenance margin is not liquidated; a unit less of value is."""
    value, needed = accepted(state.account_value, user) * STEP, accepted(state.maintenance_margin, user)
    assume(-STEP <= value - needed <= 0)
    return accepted(state.is_liquidatable, user) == (value < needed)


@chapter.lemma("CU-LIQ-2", relaxed=any_holdings)
def liquidated_part_is_of_the_position(state: Curie, user: User, market: Market) -> Any:
    """What can be liquidated is on the side of the position, and at most the position."""
    part, size = accepted(state.liquidatable_size, user, market), state.position_size(user, market)
    return part * size >= 0 and magnitude(part) <= magnitude(size)


@chapter.lemma("CU-LIQ-3", relaxed=any_holdings)
def account_of_less_than_half_is_liquidated_whole(state: Curie, user: User, market: Market) -> Any:
    """Of an account with less than half its maintenance margin any whole position can be liquidated."""
    needed, has = accepted(state.maintenance_margin, user), accepted(state.account_value, user) * STEP
    assume(2 * has < needed - 1)
    return accepted(state.liquidatable_size, user, market) == state.position_size(user, market)


@chapter.lemma("CU-LIQ-4", relaxed=any_holdings)
def small_position_is_liquidated_whole(state: Curie, user: User, market: Market) -> Any:
    """Of an account that can be liquidated a position of no more than 100 can be liquidated whole."""
    assume(accepted(state.is_liquidatable, user))
    assume(magnitude(accepted(state.position_value, user, market)) <= WHOLE_BELOW)
    return accepted(state.liquidatable_size, user, market) == state.position_size(user, market)


@chapter.lemma("CU-LIQ-5", relaxed=any_holdings)
def healthy_account_has_nothing_to_liquidate(state: Curie, user: User, market: Market) -> Any:
    """Of an account with its maintenance margin nothing can be liquidated."""
    assume(not accepted(state.is_liquidatable, user))
    return accepted(state.liquidatable_size, user, market) == 0


@chapter.theorem("CU-LQD-1", relaxed=real_health)
def only_who_lacks_margin_is_liquidated(state: Curie, caller: User, user: User, market: Market, size: SizeGiven) -> Any:
    """A liquidation is of an account whose value is below its maintenance margin."""
    value, needed = in_token(accepted(_worth, state, user)), accepted(state.maintenance_margin, user)
    state.liquidate(caller, user, market, size)
    return value * STEP < needed


def _worth(state: Curie, user: User) -> Any:
    return state.settlement_balance(user) + state.unrealised(user)


@chapter.theorem("CU-LQD-2", relaxed=any_account)
def position_is_not_liquidated_the_wrong_way(
    state: Curie, caller: User, user: User, market: Market, size: SizeGiven
) -> Any:
    """A size on the other side of the position is refused."""
    assume(state.positions[user][market].size * size < 0)
    return refusal(state.liquidate, caller, user, market, size) is not None


@chapter.lemma("CU-LQD-3")
def penalty_is_shared(state: Curie, user: User, notional: Notional, is_bankrupt: bool) -> Any:
    """The account pays the penalty, of which the insurance fund gets what the liquidator does not: half, rounded up, or
    nothing of a bankrupt's."""
    owed, fund = state.owed[user], state.owed[INSURANCE]
    reward = state._penalise(user, notional, is_bankrupt)
    paid, share = owed - state.owed[user], state.owed[INSURANCE] - fund
    return every((reward + share == paid, share == 0 if is_bankrupt else 0 <= share - reward <= 1))


@chapter.lemma("CU-LQD-8")
def penalty_is_a_ratio(state: Curie, user: User, notional: Notional, is_bankrupt: bool) -> Any:
    """The penalty is the ratio of what is taken over, rounded down: never negative, and never more than that."""
    owed = state.owed[user]
    state._penalise(user, notional, is_bankrupt)
    paid = owed - state.owed[user]
    due = magnitude(notional) * state.settings.penalty_ratio
    return every((paid * ALL <= due, due < (paid + 1) * ALL))


@chapter.lemma("CU-LQD-4", relaxed=any_account)
def what_an_account_lacks_is_insured(state: Curie, user: User) -> Any:
    """A liquidation that leaves an account less than nothing is refused unless the insurance fund has as much."""
    value = accepted(state.account_value, user)
    refused = refusal(state._insured, user)
    return implies(refused is None and value < 0, state.insurance_capacity() >= -value)


@chapter.theorem("CU-LQD-5", relaxed=real_position)
def liquidation_moves_a_position_from_one_to_the_other(
    state: Curie, caller: User, user: User, market: Market, size: SizeGiven
) -> Any:
    """A liquidation leaves the sizes of the two together as they were, but for dust that is forgotten."""
    before = sum(held[market].size for held in state.positions.values())
    state.liquidate(caller, user, market, size)
    return magnitude(sum(held[market].size for held in state.positions.values()) - before) < 20


@chapter.theorem("CU-LQD-6", relaxed=any_book)
def liquidation_leaves_other_markets_alone(
    state: Curie, caller: User, user: User, market: Market, other: Market, size: SizeGiven
) -> Any:
    """A liquidation changes positions in its market alone."""
    assume(market != other)
    before = state.clone()
    state.liquidate(caller, user, market, size)
    return every(state.positions[each][other] == before.positions[each][other] for each in state.positions)


@chapter.theorem("CU-LQD-7", relaxed=any_book)
def liquidation_moves_no_tokens(state: Curie, caller: User, user: User, market: Market, size: SizeGiven) -> Any:
    """A liquidation moves no tokens: what it pays is realised, and can be withdrawn later."""
    before = state.clone()
    state.liquidate(caller, user, market, size)
    return every((state.wallet == before.wallet, state.tokens_in_vault == before.tokens_in_vault))
