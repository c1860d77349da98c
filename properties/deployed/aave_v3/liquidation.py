"""Liquidation: who can be liquidated, how much of a debt, for how much collateral."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import WAD, AmountOrAll, Asset, Bonus, Units, User
from marginspec.properties.deployed.aave_v3.actions import ACCRUED, AT_ANY_TIME, accrued
from marginspec.properties.deployed.aave_v3.invariants import ON_TIME
from marginspec.properties.deployed.aave_v3.relaxed import any_book, any_discount, any_ratio, any_settlement
from marginspec.properties.deployed.aave_v3.scope import chapter
from marginspec.properties.law import Step, accepted, assume, every, implies

THRESHOLD = 95 * WAD // 100


# Health of exactly one is healthy, here and in every check.
@chapter.theorem("AV-LIQ-2", bounds=ACCRUED, given=ON_TIME, rests_on=AT_ANY_TIME, relaxed=any_settlement)
def nobody_healthy_is_liquidated(
    pool: AaveV3, caller: User, collateral: Asset, asset: Asset, user: User, amount: AmountOrAll, as_claim: bool
) -> Any:
    """A user is liquidated only at a health factor below one, and only for what is collateral."""
    assume(accrued(pool, asset) and accrued(pool, collateral))
    health, given = pool.account_data(user)[3], pool.is_collateral[collateral][user]
    pool.liquidate(caller, collateral, asset, user, amount, as_claim)
    return health < WAD and given


@chapter.lemma("AV-LIQ-3")
def half_of_a_debt_at_a_time(pool: AaveV3, amount: AmountOrAll, owed: Units, health: Units) -> Any:
    """A liquidation pays at most the debt and what is offered; above a health of 0.95 at most half, rounded up."""
    paid = pool._payable(amount, owed, health)
    return every((paid <= amount, paid <= owed, implies(health > THRESHOLD, 2 * paid <= owed + 1)))


@chapter.lemma("AV-LIQ-4", relaxed=any_discount)
def fee_is_part_of_the_bonus(pool: AaveV3, collateral: Asset, seized: Units, bonus: Bonus) -> Any:
    """The treasury's part of a liquidation is at most the bonus."""
    fee = pool._protocol_fee(collateral, seized, bonus)
    return every((fee >= 0, fee <= pool._discount(seized, bonus)))


@chapter.lemma("AV-LIQ-5", relaxed=any_ratio)
def seizure_is_at_most_what_there_is(
    pool: AaveV3, collateral: Asset, asset: Asset, user: User, paid: Units, held: Units
) -> Any:
    """Liquidator and treasury together get at most the claim."""
    seized, _, fee = accepted(pool._seizure, collateral, asset, user, paid, held)
    return every((seized >= 0, fee >= 0, seized + fee <= held))


@chapter.theorem("AV-LIQ-6", given=ON_TIME, relaxed=any_book)
def liquidation_touches_nobody_else(pool: AaveV3, asset: Asset, user: User, step: Step) -> Any:
    """A liquidation changes neither claim nor debt nor wallet of who has no part in it."""
    assume(step.action == "liquidate" and step.argument("caller") != user and step.argument("user") != user)
    claim, debt, wallet = pool.claims[asset][user].scaled, pool.debts[asset][user].scaled, pool.balance[asset][user]
    step.take(pool)
    same = (pool.claims[asset][user].scaled == claim, pool.debts[asset][user].scaled == debt)
    return every((*same, pool.balance[asset][user] == wallet))


@chapter.theorem("AV-LIQ-7", given=ON_TIME, relaxed=any_book)
def liquidation_never_adds_debt(pool: AaveV3, asset: Asset, user: User, step: Step) -> Any:
    """A liquidation lowers or leaves the scaled debt of everybody."""
    assume(step.action == "liquidate")
    before = pool.debts[asset][user].scaled
    step.take(pool)
    return pool.debts[asset][user].scaled <= before
