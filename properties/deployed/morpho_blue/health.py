"""Health: who may become unhealthy, and what makes a position healthier."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    VIRTUAL_ASSETS,
    VIRTUAL_SHARES,
    Account,
    Assets,
    MarketId,
    MorphoBlue,
    Price,
    Shares,
    StoredAssets,
    User,
)
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.properties.deployed.morpho_blue.figures import healthy
from marginspec.properties.deployed.morpho_blue.invariants import borrow_shares_add_up
from marginspec.properties.deployed.morpho_blue.relaxed import any_tokens
from marginspec.properties.deployed.morpho_blue.scope import (
    AT_ANY_TIME,
    NO_BALANCES,
    accrued,
    borrow_rate_not_higher,
    chapter,
    settled,
    supply_rate_not_lower,
)
from marginspec.properties.law import Step, assume, every, refusal

EXACT = "in exact arithmetic, which MB-HLT-8 says when the contract has the width for"


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
    bounds=EXACT,
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def no_action_makes_a_healthy_position_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, step: Step) -> Any:
    """At unchanged prices and without interest, no action by anybody makes a healthy position unhealthy."""
    assume(step.action != "set_price" and step.action != "accrue_interest")
    assume(settled(venue, step))
    assume(healthy(venue, market, who))
    step.take(venue)
    return healthy(venue, market, who)


def _owes_no_more_than_it_may(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """Without debt that is so whatever the price."""
    return venue.positions[market][who].borrow_shares == 0 or healthy(venue, market, who)


@chapter.theorem("MB-HLT-2", relaxed=any_tokens)
def borrower_is_healthy_after_borrowing(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """Whoever has just borrowed is healthy, interest up to now included."""
    venue.borrow(caller, market, assets, shares, on_behalf, receiver)
    return _owes_no_more_than_it_may(venue, market, on_behalf)


@chapter.theorem("MB-HLT-3", relaxed=any_tokens)
def owner_is_healthy_after_withdrawing_collateral(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account, receiver: Account
) -> Any:
    """Whoever has just withdrawn collateral is healthy, interest up to now included."""
    venue.withdraw_collateral(caller, market, assets, on_behalf, receiver)
    return _owes_no_more_than_it_may(venue, market, on_behalf)


@chapter.theorem("MB-HLT-4", rests_on=AT_ANY_TIME, scope=NO_BALANCES)
def healthy_position_is_not_liquidated(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A healthy position cannot be liquidated; a debt exactly at the limit is healthy."""
    assume(accrued(venue, market))
    assume(healthy(venue, market, borrower))
    return refusal(venue.liquidate, caller, market, borrower, seized_assets, repaid_shares) is not None


@chapter.lemma("MB-HLT-5", bounds=EXACT)
def higher_price_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, price: Price) -> Any:
    """A position that is healthy at one price is healthy at every higher price."""
    assume(healthy(venue, market, who))
    assume(price >= venue.price[market])
    venue.price[market] = price
    return healthy(venue, market, who)


@chapter.lemma("MB-HLT-6", bounds=EXACT)
def more_collateral_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, more: StoredAssets) -> Any:
    """A healthy position stays healthy when collateral is added."""
    assume(healthy(venue, market, who))
    venue.positions[market][who].collateral += more
    return healthy(venue, market, who)


@chapter.lemma("MB-HLT-7", bounds=EXACT)
def less_debt_never_makes_unhealthy(venue: MorphoBlue, market: MarketId, who: Account, less: StoredAssets) -> Any:
    """A healthy position stays healthy when it owes fewer shares."""
    p = venue.positions[market][who]
    assume(healthy(venue, market, who) and less <= p.borrow_shares)
    p.borrow_shares -= less
    return healthy(venue, market, who)


# Where it has none, a position can neither be borrowed against nor liquidated, but still repaid.
@chapter.lemma("MB-HLT-8")
def health_has_an_answer_exactly_within_256_bits(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """The contract says of a position whether it is healthy exactly while debt and collateral value, each as a product
    before its division, fit 256 bits; what it says is what exact arithmetic says."""
    m, p = venue.markets[market], venue.positions[market][who]
    divisor = m.total_borrow_shares + VIRTUAL_SHARES
    debt, value = p.borrow_shares * (m.total_borrow_assets + VIRTUAL_ASSETS), p.collateral * venue.price[market]
    fits = debt <= UINT256_MAX and debt + divisor - 1 <= UINT256_MAX and value <= UINT256_MAX
    if refusal(venue.is_healthy, market, who) is not None:
        return not fits
    return bool(fits) and bool(venue.is_healthy(market, who)) == bool(healthy(venue, market, who))


# --- Exchange rates: what the shares of bystanders are worth ----------------------------------------------------


@chapter.theorem(
    "MB-XR-1",
    covers=("ExchangeRate.onlyLiquidateCanDecreaseSupplyExchangeRate",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
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
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
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
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
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
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def repayment_never_raises_the_borrow_rate(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """A repayment of at most the total debt lowers that by what is paid and makes no remaining borrow share owe more
    (beyond it: MB-XR-6)."""
    assume(accrued(venue, market))
    before = venue.markets[market].clone()
    paid, _ = venue.repay(caller, market, assets, shares, who)
    after = venue.markets[market]
    assume(paid <= before.total_borrow_assets)
    lowered = after.total_borrow_assets == before.total_borrow_assets - paid
    return every((lowered, borrow_rate_not_higher(before, after)))


@chapter.theorem(
    "MB-XR-5",
    given=(borrow_shares_add_up,),
    covers=("ExchangeRate.liquidateDecreasesBorrowExchangeRate",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def liquidation_never_raises_the_borrow_rate(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation that leaves the market some debt makes no remaining borrow share owe more."""
    assume(accrued(venue, market))
    before = venue.markets[market].clone()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    assume(venue.markets[market].total_borrow_assets != 0)
    return borrow_rate_not_higher(before, venue.markets[market])


@chapter.theorem(
    "MB-XR-6", covers=("ExactMath.repayAllResetsBorrowExchangeRate",), rests_on=AT_ANY_TIME, relaxed=any_tokens
)
def repaying_everything_leaves_no_debt(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, who: Account
) -> Any:
    """A repayment of more than the total debt (by one unit, through rounding) leaves a total debt of exactly zero."""
    assume(accrued(venue, market))
    owed = venue.markets[market].total_borrow_assets
    paid, _ = venue.repay(caller, market, assets, shares, who)
    assume(paid >= owed + 1)
    return venue.markets[market].total_borrow_assets == 0
