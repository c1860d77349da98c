"""Accounting: what an action returns is what moves, and what it moves is worth what the share says."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import MORPHO, Account, Assets, MarketId, MorphoBlue, Shares, User
from marginspec.properties.deployed.morpho_blue.figures import owed, owned
from marginspec.properties.deployed.morpho_blue.invariants import borrow_shares_add_up, supply_shares_add_up
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, accrued, chapter
from marginspec.properties.law import assume, every, implies, refusal

REALISTIC = "total assets below 1e35, total shares within 128 bits, tokens and allowance at hand"


def _idle(venue: MorphoBlue, market: MarketId) -> Any:
    return venue.markets[market].total_supply_assets - venue.markets[market].total_borrow_assets


def _loans_held(venue: MorphoBlue, market: MarketId) -> Any:
    return venue.balance[venue.params[market].loan_token][MORPHO]


# --- What moves ---------------------------------------------------------------------------------------------


@chapter.theorem(
    "MB-ACT-1",
    covers=("Liveness.supplyChangesTokensAndShares", "Liveness.canSupplyByPassingShares"),
    rests_on=AT_ANY_TIME,
)
def supply_moves_exactly_what_it_says(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
) -> Any:
    """A supply adds the returned shares to the account and the returned assets to liquidity and to the contract."""
    assume(accrued(venue, market))
    held, idle, tokens = (
        venue.positions[market][on_behalf].supply_shares,
        _idle(venue, market),
        _loans_held(venue, market),
    )
    paid, minted = venue.supply(caller, market, assets, shares, on_behalf)
    return every(
        (
            implies(assets != 0, paid == assets),
            implies(shares != 0, minted == shares),
            venue.positions[market][on_behalf].supply_shares == held + minted,
            _idle(venue, market) == idle + paid,
            _loans_held(venue, market) == tokens + paid,
        )
    )


@chapter.theorem(
    "MB-ACT-2",
    covers=("Liveness.withdrawChangesTokensAndShares", "Liveness.canWithdrawByPassingShares"),
    rests_on=AT_ANY_TIME,
)
def withdraw_moves_exactly_what_it_says(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """A withdrawal takes the returned shares from the account and the returned assets from liquidity and contract."""
    assume(receiver != MORPHO and accrued(venue, market))
    held, idle, tokens = (
        venue.positions[market][on_behalf].supply_shares,
        _idle(venue, market),
        _loans_held(venue, market),
    )
    paid, burnt = venue.withdraw(caller, market, assets, shares, on_behalf, receiver)
    return every(
        (
            implies(assets != 0, paid == assets),
            implies(shares != 0, burnt == shares),
            venue.positions[market][on_behalf].supply_shares == held - burnt,
            _idle(venue, market) == idle - paid,
            _loans_held(venue, market) == tokens - paid,
        )
    )


@chapter.theorem(
    "MB-ACT-3",
    covers=("Liveness.borrowChangesTokensAndShares", "Liveness.canBorrowByPassingShares"),
    rests_on=AT_ANY_TIME,
)
def borrow_moves_exactly_what_it_says(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """A loan adds the returned shares to the debt and takes the returned assets from liquidity and contract."""
    assume(receiver != MORPHO and accrued(venue, market))
    owed, idle, tokens = (
        venue.positions[market][on_behalf].borrow_shares,
        _idle(venue, market),
        _loans_held(venue, market),
    )
    lent, minted = venue.borrow(caller, market, assets, shares, on_behalf, receiver)
    return every(
        (
            implies(assets != 0, lent == assets),
            implies(shares != 0, minted == shares),
            venue.positions[market][on_behalf].borrow_shares == owed + minted,
            _idle(venue, market) == idle - lent,
            _loans_held(venue, market) == tokens - lent,
        )
    )


@chapter.theorem(
    "MB-ACT-4",
    covers=("Liveness.repayChangesTokensAndShares", "Liveness.canRepayByPassingShares"),
    rests_on=AT_ANY_TIME,
)
def repay_moves_exactly_what_it_says(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
) -> Any:
    """A repayment takes the returned shares off the debt; liquidity rises by the returned assets, up to all debt."""
    assume(accrued(venue, market))
    owed, idle, tokens = (
        venue.positions[market][on_behalf].borrow_shares,
        _idle(venue, market),
        _loans_held(venue, market),
    )
    debt = venue.markets[market].total_borrow_assets
    paid, burnt = venue.repay(caller, market, assets, shares, on_behalf)
    return every(
        (
            implies(assets != 0, paid == assets),
            implies(shares != 0, burnt == shares),
            venue.positions[market][on_behalf].borrow_shares == owed - burnt,
            _idle(venue, market) == idle + min(paid, debt),
            _loans_held(venue, market) == tokens + paid,
        )
    )


@chapter.theorem(
    "MB-ACT-5",
    covers=(
        "Liveness.supplyCollateralChangesTokensAndBalance",
        "AssetsAccounting.supplyCollateralAssetsAccounting",
    ),
)
def supply_collateral_moves_exactly_what_it_says(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account
) -> Any:
    """Collateral supplied arrives in the position and in the contract, to the unit."""
    token = venue.params[market].collateral_token
    held, tokens = venue.positions[market][on_behalf].collateral, venue.balance[token][MORPHO]
    venue.supply_collateral(caller, market, assets, on_behalf)
    arrived = venue.positions[market][on_behalf].collateral == held + assets
    return every((arrived, venue.balance[token][MORPHO] == tokens + assets))


@chapter.theorem(
    "MB-ACT-6",
    covers=(
        "Liveness.withdrawCollateralChangesTokensAndBalance",
        "AssetsAccounting.withdrawCollateralAssetsAccounting",
    ),
    rests_on=AT_ANY_TIME,
)
def withdraw_collateral_moves_exactly_what_it_says(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account, receiver: Account
) -> Any:
    """Collateral withdrawn leaves the position and the contract, to the unit, and is no more than was there."""
    assume(receiver != MORPHO and accrued(venue, market))
    token = venue.params[market].collateral_token
    held, tokens = venue.positions[market][on_behalf].collateral, venue.balance[token][MORPHO]
    venue.withdraw_collateral(caller, market, assets, on_behalf, receiver)
    left = venue.positions[market][on_behalf].collateral == held - assets
    return every((assets <= held, left, venue.balance[token][MORPHO] == tokens - assets))


# --- What it is worth ---------------------------------------------------------------------------------------


@chapter.theorem(
    "MB-ACT-7", given=(supply_shares_add_up,), covers=("AssetsAccounting.supplyAssetsAccounting",), rests_on=AT_ANY_TIME
)
def supplied_assets_are_at_least_what_is_then_owned(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """Whoever supplies from nothing then owns no more than was paid."""
    assume(accrued(venue, market) and venue.positions[market][who].supply_shares == 0)
    paid, _ = venue.supply(caller, market, assets, shares, who)
    return owned(venue, market, who) <= paid


@chapter.theorem("MB-ACT-8", covers=("AssetsAccounting.withdrawAssetsAccounting",), rests_on=AT_ANY_TIME)
def withdrawn_assets_are_at_most_what_wasowned(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """Nobody withdraws more than the account owned."""
    assume(accrued(venue, market))
    held = owned(venue, market, on_behalf)
    paid, _ = venue.withdraw(caller, market, assets, shares, on_behalf, receiver)
    return paid <= held


@chapter.theorem("MB-ACT-9", covers=("AssetsAccounting.borrowAssetsAccounting",), rests_on=AT_ANY_TIME)
def borrowed_assets_are_at_most_what_is_then_owed(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """Whoever borrows from nothing then owes at least what was received."""
    assume(accrued(venue, market) and venue.positions[market][on_behalf].borrow_shares == 0)
    lent, _ = venue.borrow(caller, market, assets, shares, on_behalf, receiver)
    return owed(venue, market, on_behalf) >= lent


@chapter.theorem("MB-ACT-10", covers=("AssetsAccounting.repayAssetsAccounting",), rests_on=AT_ANY_TIME)
def full_repayment_costs_at_least_what_was_owed(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """Whoever clears a debt pays at least what was owed, rounded up."""
    assume(accrued(venue, market))
    debt = owed(venue, market, who)
    paid, _ = venue.repay(caller, market, assets, shares, who)
    assume(venue.positions[market][who].borrow_shares == 0)
    return paid >= debt


# --- The way out is always open -----------------------------------------------------------------------------


@chapter.theorem(
    "MB-ACT-11", given=(borrow_shares_add_up,), covers=("Liveness.canRepayAll",), bounds=REALISTIC, rests_on=AT_ANY_TIME
)
def debt_can_always_be_repaid_in_full(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Whoever owes can repay all of it."""
    m, token = venue.markets[market], venue.params[market].loan_token
    shares = venue.positions[market][caller].borrow_shares
    assume(m.last_update != 0 and accrued(venue, market) and shares > 0)
    assume(m.total_borrow_assets < 10**35)
    assume(venue.allowance[token][caller] > 10**35 and venue.balance[token][caller] > 10**35)
    return refusal(venue.repay, caller, market, 0, shares, caller) is None


@chapter.theorem(
    "MB-ACT-12",
    given=(supply_shares_add_up,),
    covers=("Liveness.canWithdrawAll",),
    bounds=REALISTIC,
    rests_on=AT_ANY_TIME,
)
def supply_can_be_withdrawn_where_it_is_liquid(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Whoever supplied can withdraw all of it as far as it is not lent out."""
    m, token = venue.markets[market], venue.params[market].loan_token
    shares = venue.positions[market][caller].supply_shares
    assume(m.last_update != 0 and accrued(venue, market) and shares > 0)
    assume(m.total_supply_assets < 10**35)
    held = owned(venue, market, caller)
    assume(held <= _idle(venue, market) and held <= venue.balance[token][MORPHO])
    return refusal(venue.withdraw, caller, market, 0, shares, caller, caller) is None


@chapter.theorem("MB-ACT-13", covers=("Liveness.canWithdrawCollateralAll",), bounds=REALISTIC, rests_on=AT_ANY_TIME)
def collateral_without_debt_can_always_be_withdrawn(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Whoever owes nothing can withdraw all collateral, whatever the price."""
    p, token = venue.positions[market][caller], venue.params[market].collateral_token
    held = p.collateral
    assume(venue.markets[market].last_update != 0 and accrued(venue, market) and held > 0)
    assume(p.borrow_shares == 0 and held <= venue.balance[token][MORPHO])
    return refusal(venue.withdraw_collateral, caller, market, held, caller, caller) is None
