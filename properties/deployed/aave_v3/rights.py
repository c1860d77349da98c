"""Rights: who may change what of whom, and what never changes in one's disfavour."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import CONFIGURATOR, Asset, User
from marginspec.properties.deployed.aave_v3.invariants import ON_TIME
from marginspec.properties.deployed.aave_v3.relaxed import accruing, any_book
from marginspec.properties.deployed.aave_v3.scope import chapter
from marginspec.properties.law import Step, assume, every


def is_liquidation_of(step: Step, user: User) -> Any:
    """Whether somebody liquidates a user."""
    return step.action == "liquidate" and step.argument("user") == user


@chapter.theorem("AV-RGT-1", given=ON_TIME, relaxed=any_book)
def only_the_caller_pays(pool: AaveV3, asset: Asset, user: User, step: Step) -> Any:
    """Nobody's wallet has less after what somebody else does."""
    assume(step.argument("caller") != user)
    before = pool.balance[asset][user]
    step.take(pool)
    return pool.balance[asset][user] >= before


@chapter.theorem("AV-RGT-2", given=ON_TIME, relaxed=any_book)
def claims_fall_only_for_their_owner(pool: AaveV3, asset: Asset, user: User, step: Step) -> Any:
    """Nobody's claim falls by what somebody else does, unless that is a liquidation."""
    assume(step.argument("caller") != user and not is_liquidation_of(step, user))
    before = pool.claims[asset][user].scaled
    step.take(pool)
    return pool.claims[asset][user].scaled >= before


@chapter.theorem("AV-RGT-3", given=ON_TIME, relaxed=any_book)
def debts_rise_only_by_borrowing(pool: AaveV3, asset: Asset, user: User, step: Step) -> Any:
    """Nobody's scaled debt rises but by that user's own loan."""
    assume(not (step.action == "borrow" and step.argument("caller") == user))
    before = pool.debts[asset][user].scaled
    step.take(pool)
    return pool.debts[asset][user].scaled <= before


@chapter.theorem("AV-RGT-4", given=ON_TIME, relaxed=any_book)
def mode_is_chosen_by_its_user(pool: AaveV3, user: User, step: Step) -> Any:
    """Nobody changes the mode of efficiency of somebody else."""
    assume(not (step.action == "set_mode" and step.argument("caller") == user))
    before = pool.mode[user]
    step.take(pool)
    return pool.mode[user] == before


@chapter.theorem("AV-RGT-5", given=ON_TIME, relaxed=any_book)
def terms_are_the_configurators(pool: AaveV3, asset: Asset, step: Step) -> Any:
    """Terms of a reserve change only where the configurator says so."""
    before = pool.reserves[asset].terms.flatten()
    step.take(pool)
    changed = pool.reserves[asset].terms.flatten() != before
    return not changed or (step.action == "configure" and step.argument("caller") == CONFIGURATOR)


# A lender's claim is worth its scaled balance by this index: it falls nowhere, not even where debts are not paid.
@chapter.theorem("AV-ACC-1", given=ON_TIME, relaxed=any_book)
def indices_never_fall(pool: AaveV3, asset: Asset, step: Step) -> Any:
    """No action lets the liquidity index or the debt index of a reserve fall."""
    claims, debts = pool.reserves[asset].liquidity_index, pool.reserves[asset].debt_index
    step.take(pool)
    reserve = pool.reserves[asset]
    return every((reserve.liquidity_index >= claims, reserve.debt_index >= debts))


@chapter.theorem("AV-ACC-2", given=ON_TIME, relaxed=any_book)
def treasury_is_owed_until_it_is_paid(pool: AaveV3, asset: Asset, step: Step) -> Any:
    """What accrued to the treasury falls only where it is minted to it."""
    assume(step.action != "mint_to_treasury")
    before = pool.reserves[asset].accrued
    step.take(pool)
    return pool.reserves[asset].accrued >= before


@chapter.theorem("AV-ACC-3", given=ON_TIME, relaxed=accruing)
def accruing_twice_is_accruing_once(pool: AaveV3, asset: Asset) -> Any:
    """A second time in the same second, accruing changes nothing."""
    pool._accrue(asset)
    once = pool.clone()
    pool._accrue(asset)
    return pool.flatten() == once.flatten()
