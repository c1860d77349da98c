"""Invariants: what the totals say of the accounts, and that a debt is never overlooked."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import Asset
from marginspec.properties.deployed.aave_v3.relaxed import any_book
from marginspec.properties.deployed.aave_v3.scope import chapter
from marginspec.properties.law import every


@chapter.invariant("AV-INV-1", relaxed=any_book)
def no_reserve_is_ahead_of_time(pool: AaveV3) -> Any:
    """No reserve accrued later than now."""
    return every(reserve.updated_at <= pool.now for reserve in pool.reserves.values())


ON_TIME = (no_reserve_is_ahead_of_time,)


# The index is multiplied by the total: a claim that is in nobody's balance would be paid to nobody.
@chapter.invariant("AV-INV-2", given=ON_TIME, relaxed=any_book)
def claims_sum_to_what_is_supplied(pool: AaveV3, asset: Asset) -> Any:
    """The scaled claims of all accounts, the treasury included, sum to what the reserve says is supplied."""
    return pool.reserves[asset].supplied == sum(held.scaled for held in pool.claims[asset].values())


@chapter.invariant("AV-INV-3", given=ON_TIME, relaxed=any_book)
def debts_sum_to_what_is_borrowed(pool: AaveV3, asset: Asset) -> Any:
    """The scaled debts of all users sum to what the reserve says is borrowed."""
    return pool.reserves[asset].borrowed == sum(owed.scaled for owed in pool.debts[asset].values())


@chapter.invariant("AV-INV-4", given=ON_TIME, relaxed=any_book)
def tokens_are_conserved(pool: AaveV3, asset: Asset) -> Any:
    """Every token that was issued is in somebody's wallet or in the reserve."""
    return pool.issued[asset] == pool.reserves[asset].idle + sum(pool.balance[asset].values())
