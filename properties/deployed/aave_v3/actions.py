"""Actions: what they move, to the unit, and that nobody gets more than is due."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import (
    TREASURY,
    WAD,
    Amount,
    AmountOrAll,
    Asset,
    User,
    percent_div,
    ray_div,
    ray_mul,
)
from marginspec.model.kernel.fixed import div_down
from marginspec.properties.deployed.aave_v3.invariants import ON_TIME
from marginspec.properties.deployed.aave_v3.relaxed import any_book, any_figures, any_reserve, any_settlement
from marginspec.properties.deployed.aave_v3.scope import chapter
from marginspec.properties.law import Step, assume, every

ACCRUED = "where the reserve accrued in the same second; accruing twice is accruing once (AV-ACC-3)"
AT_ANY_TIME = ("AV-ACC-3",)


def accrued(pool: AaveV3, asset: Asset) -> Any:
    """The reserve has accrued now."""
    return pool.reserves[asset].updated_at == pool.now


@chapter.theorem("AV-SUP-1", given=ON_TIME, relaxed=any_book)
def supply_moves_what_it_says(pool: AaveV3, caller: User, asset: Asset, amount: Amount, on_behalf: User) -> Any:
    """A supply moves exactly its amount from the caller's wallet to the reserve."""
    wallet, idle = pool.balance[asset][caller], pool.reserves[asset].idle
    pool.supply(caller, asset, amount, on_behalf)
    paid = pool.balance[asset][caller] == wallet - amount
    return every((paid, pool.reserves[asset].idle == idle + amount))


@chapter.theorem("AV-WDR-1", given=ON_TIME, relaxed=any_book)
def withdrawal_moves_what_it_returns(
    pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, receiver: User
) -> Any:
    """A withdrawal moves exactly what it returns from the reserve to the receiver's wallet."""
    wallet, idle = pool.balance[asset][receiver], pool.reserves[asset].idle
    paid = pool.withdraw(caller, asset, amount, receiver)
    got = pool.balance[asset][receiver] == wallet + paid
    return every((got, pool.reserves[asset].idle == idle - paid, paid > 0))


@chapter.theorem("AV-WDR-2", bounds=ACCRUED, given=ON_TIME, rests_on=AT_ANY_TIME, relaxed=any_figures)
def nobody_withdraws_more_than_a_claim(
    pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, receiver: User
) -> Any:
    """A withdrawal is at most what the claim was worth."""
    assume(accrued(pool, asset))
    held = pool.claim_of(asset, caller)
    return pool.withdraw(caller, asset, amount, receiver) <= held


@chapter.theorem("AV-BOR-1", given=ON_TIME, relaxed=any_book)
def loan_moves_what_it_says(pool: AaveV3, caller: User, asset: Asset, amount: Amount) -> Any:
    """A loan moves exactly its amount from the reserve to the caller's wallet."""
    wallet, idle = pool.balance[asset][caller], pool.reserves[asset].idle
    pool.borrow(caller, asset, amount)
    got = pool.balance[asset][caller] == wallet + amount
    return every((got, pool.reserves[asset].idle == idle - amount))


@chapter.theorem("AV-BOR-2", bounds=ACCRUED, given=ON_TIME, rests_on=AT_ANY_TIME, relaxed=any_figures)
def loan_is_covered(pool: AaveV3, caller: User, asset: Asset, amount: Amount) -> Any:
    """Whoever borrows was healthy, and all debt, the loan included, is within the loan to value of the collateral."""
    assume(accrued(pool, asset))
    collateral, debt, ltv, health, _ = pool.account_data(caller)
    value = div_down(pool.price[asset] * amount, pool.unit[asset])
    pool.borrow(caller, asset, amount)
    return health > WAD and ltv > 0 and percent_div(debt + value, ltv) <= collateral


@chapter.theorem("AV-REP-1", given=ON_TIME, relaxed=any_book)
def repayment_moves_what_it_returns(
    pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, on_behalf: User
) -> Any:
    """A repayment moves exactly what it returns, at most what was offered, from the caller's wallet to the reserve."""
    wallet, idle = pool.balance[asset][caller], pool.reserves[asset].idle
    paid = pool.repay(caller, asset, amount, on_behalf)
    moved = pool.balance[asset][caller] == wallet - paid
    return every((moved, pool.reserves[asset].idle == idle + paid, paid <= amount))


@chapter.theorem("AV-REP-2", bounds=ACCRUED, given=ON_TIME, rests_on=AT_ANY_TIME, relaxed=any_figures)
def nobody_repays_more_than_is_owed(
    pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, on_behalf: User
) -> Any:
    """A repayment is at most the debt."""
    assume(accrued(pool, asset))
    owed = pool.debt_of(asset, on_behalf)
    return pool.repay(caller, asset, amount, on_behalf) <= owed


@chapter.theorem("AV-REP-3", bounds=ACCRUED, given=ON_TIME, rests_on=(*AT_ANY_TIME, "AV-NUM-3"), relaxed=any_reserve)
def paying_all_leaves_nothing(pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, on_behalf: User) -> Any:
    """Whoever pays all that is owed owes nothing, to the last scaled unit, and counts as no borrower of the asset."""
    assume(accrued(pool, asset))
    scaled, index = pool.debts[asset][on_behalf].scaled, pool.reserves[asset].debt_index
    owed = ray_mul(scaled, index)
    assume(ray_div(owed, index) == scaled)
    paid = pool.repay(caller, asset, amount, on_behalf)
    assume(paid == owed)
    return every((pool.debts[asset][on_behalf].scaled == 0, not pool.is_borrowing[asset][on_behalf]))


@chapter.theorem("AV-TRE-1", bounds=ACCRUED, given=ON_TIME, rests_on=(*AT_ANY_TIME, "AV-NUM-3"), relaxed=any_reserve)
def treasury_gets_what_accrued(pool: AaveV3, caller: User, asset: Asset) -> Any:
    """What is minted to the treasury is what had accrued to it, to the last scaled unit; rounding loses nothing."""
    reserve, held = pool.reserves[asset], pool.claims[asset][TREASURY]
    assume(accrued(pool, asset))
    before, index = reserve.accrued + held.scaled, reserve.liquidity_index
    assume(ray_div(ray_mul(reserve.accrued, index), index) == reserve.accrued)
    pool.mint_to_treasury(caller, asset)
    return pool.reserves[asset].accrued + pool.claims[asset][TREASURY].scaled == before


# --- Health -----------------------------------------------------------------------------------------------------------


@chapter.theorem("AV-HLT-2", bounds=ACCRUED, given=ON_TIME, rests_on=AT_ANY_TIME, relaxed=any_figures)
def collateral_leaves_no_unhealthy_debt(
    pool: AaveV3, caller: User, asset: Asset, amount: AmountOrAll, receiver: User
) -> Any:
    """Whoever takes collateral out while owing something is healthy afterwards."""
    assume(accrued(pool, asset))
    assume(pool.is_collateral[asset][caller] and pool._borrows_any(caller))
    pool.withdraw(caller, asset, amount, receiver)
    return pool.account_data(caller)[3] >= WAD


@chapter.theorem("AV-HLT-3", given=ON_TIME, relaxed=any_figures)
def collateral_is_given_up_in_good_health(pool: AaveV3, caller: User, asset: Asset) -> Any:
    """Whoever lets a claim be collateral no more is healthy without it."""
    assume(pool.is_collateral[asset][caller])
    pool.set_collateral(caller, asset, False)
    return pool.account_data(caller)[3] >= WAD


@chapter.theorem("AV-PAU-1", given=ON_TIME, relaxed=any_settlement)
def paused_reserve_stands_still(pool: AaveV3, asset: Asset, step: Step) -> Any:
    """In a paused reserve nobody supplies, withdraws, borrows, repays, transfers, or is liquidated."""
    assume(step.action not in ("mint_to_treasury", "configure", "set_price", "fund", "donate", "set_mode"))
    assume(step.argument("asset") == asset or step.argument("collateral") == asset)
    assume(accrued(pool, asset))
    is_paused = pool.reserves[asset].terms.is_paused
    step.take(pool)
    return not is_paused


@chapter.theorem("AV-PAU-2", given=ON_TIME, relaxed=any_figures)
def frozen_reserve_takes_no_more(pool: AaveV3, asset: Asset, step: Step) -> Any:
    """A frozen reserve takes no supply and gives no loan."""
    assume(step.action in ("supply", "borrow") and step.argument("asset") == asset and accrued(pool, asset))
    is_frozen = pool.reserves[asset].terms.is_frozen
    step.take(pool)
    return not is_frozen
