"""Round trips: going back and forth at unchanged prices never pays, to the last unit."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import Account, Assets, MarketId, MorphoBlue, Shares, User
from marginspec.properties.deployed.morpho_blue.figures import worth
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, accrued, chapter
from marginspec.properties.law import assume


@chapter.theorem("MB-RT-1", covers=("ExactMath.supplyWithdraw",), rests_on=AT_ANY_TIME)
def supply_then_withdraw_never_profits(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    back: Assets,
    burnt: Shares,
) -> Any:
    """Whoever supplies from nothing and withdraws at once, by any mix of assets and shares, gets no more than paid."""
    assume(accrued(venue, market) and venue.positions[market][caller].supply_shares == 0)
    paid, _ = venue.supply(caller, market, assets, shares, caller)
    received, _ = venue.withdraw(caller, market, back, burnt, caller, caller)
    return received <= paid


@chapter.theorem("MB-RT-2", covers=("ExactMath.borrowRepay",), rests_on=AT_ANY_TIME)
def borrow_then_repay_never_profits(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares
) -> Any:
    """Whoever borrows and repays the same shares at once pays at least what was received."""
    assume(accrued(venue, market))
    received, owed = venue.borrow(caller, market, assets, shares, caller, caller)
    paid, _ = venue.repay(caller, market, 0, owed, caller)
    return received <= paid


@chapter.theorem("MB-RT-3", rests_on=AT_ANY_TIME)
def withdraw_then_supply_never_gains_shares(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares
) -> Any:
    """Whoever withdraws and supplies the same assets again holds no more shares than before."""
    assume(accrued(venue, market))
    held = venue.positions[market][caller].supply_shares
    received, _ = venue.withdraw(caller, market, assets, shares, caller, caller)
    venue.supply(caller, market, received, 0, caller)
    return venue.positions[market][caller].supply_shares <= held


@chapter.theorem("MB-RT-4", bounds="at most the total debt is repaid", rests_on=AT_ANY_TIME)
def repay_then_borrow_never_sheds_debt(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares
) -> Any:
    """Whoever repays and borrows the same assets again owes no fewer shares than before."""
    assume(accrued(venue, market))
    owed, total = venue.positions[market][caller].borrow_shares, venue.markets[market].total_borrow_assets
    paid, _ = venue.repay(caller, market, assets, shares, caller)
    assume(paid <= total)
    venue.borrow(caller, market, paid, 0, caller, caller)
    return venue.positions[market][caller].borrow_shares >= owed


@chapter.theorem("MB-RT-5", rests_on=AT_ANY_TIME)
def collateral_comes_back_exactly(venue: MorphoBlue, caller: User, market: MarketId, assets: Assets) -> Any:
    """Collateral supplied and withdrawn again leaves position and wallet as they were."""
    assume(accrued(venue, market))
    before = venue.flatten()
    token = venue.params[market].collateral_token
    allowance = venue.allowance[token][caller]
    venue.supply_collateral(caller, market, assets, caller)
    venue.withdraw_collateral(caller, market, assets, caller, caller)
    venue.allowance[token][caller] = allowance
    return venue.flatten() == before


# Rounding must not be farmed by repetition.
@chapter.theorem("MB-RT-6", rests_on=AT_ANY_TIME)
def splitting_a_supply_never_gains_shares(
    venue: MorphoBlue, caller: User, market: MarketId, first: Assets, second: Assets
) -> Any:
    """Two supplies of assets yield at most the shares of one supply of their sum, where all are accepted."""
    assume(accrued(venue, market) and first > 0 and second > 0)
    twin = venue.clone()
    _, a = venue.supply(caller, market, first, 0, caller)
    _, b = venue.supply(caller, market, second, 0, caller)
    _, both = twin.supply(caller, market, first + second, 0, caller)
    return a + b <= both


@chapter.theorem("MB-RT-7", rests_on=AT_ANY_TIME)
def splitting_a_borrow_never_saves_debt(
    venue: MorphoBlue, caller: User, market: MarketId, first: Assets, second: Assets
) -> Any:
    """Two loans of assets cost at least the shares of one loan of their sum, where all are accepted."""
    assume(accrued(venue, market) and first > 0 and second > 0)
    twin = venue.clone()
    _, a = venue.borrow(caller, market, first, 0, caller, caller)
    _, b = venue.borrow(caller, market, second, 0, caller, caller)
    _, both = twin.borrow(caller, market, first + second, 0, caller, caller)
    return a + b >= both


@chapter.theorem("MB-RT-8")
def donation_changes_no_position(
    venue: MorphoBlue, caller: User, market: MarketId, amount: Assets, who: Account
) -> Any:
    """Tokens sent to the contract change neither anybody's position nor what it is worth."""
    m, shares = venue.markets[market], venue.positions[market][who].supply_shares
    before = (
        venue.positions[market][who].flatten(),
        worth(m, shares),
    )
    venue.transfer(caller, venue.params[market].loan_token, Account("morpho"), amount)
    m = venue.markets[market]
    after = (
        venue.positions[market][who].flatten(),
        worth(m, shares),
    )
    return before == after
