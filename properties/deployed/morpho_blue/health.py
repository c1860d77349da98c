"""Health: who may become unhealthy, and what makes a position healthier."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    Account,
    Assets,
    MarketId,
    MorphoBlue,
    Price,
    Shares,
    StoredAssets,
    User,
)
from marginspec.properties.deployed.morpho_blue.invariants import (
    borrow_shares_add_up,
)
from marginspec.properties.deployed.morpho_blue.scope import (
    accrued,
    borrow_rate_not_higher,
    chapter,
    settled,
    supply_rate_not_lower,
)
from marginspec.properties.law import Step, assume, refusal

AFTER_LIQUIDATION = "a repayment or liquidation that leaves the market some debt"


# The contract's promise to a borrower: only prices and interest can make you liquidatable.
@chapter.theorem(
    "MB-HLT-1",
    given=(borrow_shares_add_up,),
    covers=(
        "StayHealthy.stayHealthy",
        "StayHealthy.stayHealthyLiquidate",
        "StayHealthy.stayHealthyLiquidateDifferentMarkets",
        "StayHealthy.stayHealthyLiquidateLastBorrow",
    ),
)
def no_action_makes_a_healthy_position_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, step: Step) -> Any:
    """At unchanged prices and without interest, no action by anybody makes a healthy position unhealthy."""
    assume(step.action != "set_price" and step.action != "accrue_interest")
    assume(settled(venue, step))
    assume(venue.is_healthy(market, who))
    step.take(venue)
    return venue.is_healthy(market, who)


def _healthy(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """As the contract sees it: a position without debt is healthy whatever the price."""
    return venue.positions[market][who].borrow_shares == 0 or venue.is_healthy(market, who)


@chapter.theorem("MB-HLT-2")
def borrower_is_healthy_after_borrowing(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """Whoever has just borrowed is healthy."""
    assume(accrued(venue, market))
    venue.borrow(caller, market, assets, shares, on_behalf, receiver)
    return _healthy(venue, market, on_behalf)


@chapter.theorem("MB-HLT-3")
def owner_is_healthy_after_withdrawing_collateral(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account, receiver: Account
) -> Any:
    """Whoever has just withdrawn collateral is healthy."""
    assume(accrued(venue, market))
    venue.withdraw_collateral(caller, market, assets, on_behalf, receiver)
    return _healthy(venue, market, on_behalf)


@chapter.theorem("MB-HLT-4")
def healthy_position_is_not_liquidated(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A healthy position cannot be liquidated; a debt exactly at the limit is healthy."""
    assume(accrued(venue, market))
    assume(venue.max_borrow(market, borrower) >= venue.borrowed_assets(market, borrower))
    return refusal(venue.liquidate, caller, market, borrower, seized_assets, repaid_shares) is not None


@chapter.theorem("MB-HLT-5")
def higher_price_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, price: Price) -> Any:
    """A position that is healthy at one price is healthy at every higher price."""
    assume(venue.is_healthy(market, who))
    assume(price >= venue.price[market])
    venue.price[market] = price
    return venue.is_healthy(market, who)


@chapter.theorem("MB-HLT-6")
def more_collateral_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, more: StoredAssets) -> Any:
    """A healthy position stays healthy when collateral is added."""
    assume(venue.is_healthy(market, who))
    venue.positions[market][who].collateral += more
    return venue.is_healthy(market, who)


@chapter.theorem("MB-HLT-7")
def less_debt_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, less: StoredAssets) -> Any:
    """A healthy position stays healthy when it owes fewer shares."""
    p = venue.positions[market][who]
    assume(venue.is_healthy(market, who) and less <= p.borrow_shares)
    p.borrow_shares -= less
    return venue.is_healthy(market, who)


# --- Exchange rates: what the shares of bystanders are worth ----------------------------------------------------


@chapter.theorem(
    "MB-XR-1",
    covers=("ExchangeRate.onlyLiquidateCanDecreaseSupplyExchangeRate",),
)
def only_liquidation_can_lower_the_supply_rate(venue: MorphoBlue, market: MarketId, step: Step) -> Any:
    """No action but a liquidation makes a supply share worth less."""
    assume(step.action != "liquidate" and step.action != "accrue_interest")
    assume(settled(venue, step))
    before = venue.markets[market].clone()
    step.take(venue)
    return supply_rate_not_lower(before, venue.markets[market])


@chapter.theorem(
    "MB-XR-2",
    covers=("ExchangeRate.liquidateWithoutBadDebtRealizationIncreasesSupplyExchangeRate",),
)
def liquidation_without_bad_debt_keeps_the_supply_rate(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation that leaves collateral behind makes no supply share worth less."""
    assume(accrued(venue, market))
    before = venue.markets[market].clone()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    assume(venue.positions[market][borrower].collateral != 0)
    return supply_rate_not_lower(before, venue.markets[market])


@chapter.theorem(
    "MB-XR-3",
    covers=("ExchangeRate.onlyAccrueInterestCanIncreaseBorrowExchangeRate",),
)
def only_accrual_can_raise_the_borrow_rate(venue: MorphoBlue, market: MarketId, step: Step) -> Any:
    """Without accrual, no action but a repayment or a liquidation can make a borrow share owe more (see MB-XR-4, 5)."""
    assume(step.action not in ("repay", "liquidate", "accrue_interest"))
    assume(settled(venue, step))
    before = venue.markets[market].clone()
    step.take(venue)
    return borrow_rate_not_higher(before, venue.markets[market])


@chapter.theorem(
    "MB-XR-4",
    covers=("ExchangeRate.repayDecreasesBorrowExchangeRate",),
    bounds="at most the total debt is repaid",
)
def repayment_never_raises_the_borrow_rate(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """A repayment makes no remaining borrow share owe more, and lowers the total debt by what is paid."""
    assume(accrued(venue, market))
    before = venue.markets[market].clone()
    paid, _ = venue.repay(caller, market, assets, shares, who)
    after = venue.markets[market]
    assume(paid <= before.total_borrow_assets)
    assume(after.total_borrow_assets == before.total_borrow_assets - paid)
    return borrow_rate_not_higher(before, after)


@chapter.theorem(
    "MB-XR-5",
    given=(borrow_shares_add_up,),
    covers=("ExchangeRate.liquidateDecreasesBorrowExchangeRate",),
    bounds=AFTER_LIQUIDATION,
)
def liquidation_never_raises_the_borrow_rate(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation makes no remaining borrow share owe more."""
    assume(accrued(venue, market))
    before = venue.markets[market].clone()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    assume(venue.markets[market].total_borrow_assets != 0)
    return borrow_rate_not_higher(before, venue.markets[market])


@chapter.theorem("MB-XR-6", covers=("ExactMath.repayAllResetsBorrowExchangeRate",))
def repaying_everything_leaves_no_debt(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """A repayment of more than the total debt (by one unit, through rounding) leaves a total debt of exactly zero."""
    assume(accrued(venue, market))
    owed = venue.markets[market].total_borrow_assets
    paid, _ = venue.repay(caller, market, assets, shares, who)
    assume(paid >= owed + 1)
    return venue.markets[market].total_borrow_assets == 0
