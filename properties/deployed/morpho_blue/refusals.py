"""Refusals: exactly when an owner's action is refused, and what no action ever accepts."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    MAX_FEE,
    VIRTUAL_ASSETS,
    VIRTUAL_SHARES,
    WAD,
    ZERO,
    Account,
    Assets,
    Irm,
    Lltv,
    MarketId,
    MorphoBlue,
    Shares,
    User,
    Wad,
)
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.properties.deployed.morpho_blue.relaxed import any_tokens
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, accrued, chapter
from marginspec.properties.law import Step, assume, refusal


@chapter.theorem("MB-REV-1", covers=("Reverts.setOwnerRevertCondition",))
def owner_changes_exactly_when_the_owner_names_another(venue: MorphoBlue, caller: User, new_owner: Account) -> Any:
    """Setting the owner is refused exactly when the caller is not the owner or nothing would change."""
    expected = caller != venue.owner or new_owner == venue.owner
    return (refusal(venue.set_owner, caller, new_owner) is not None) == expected


@chapter.theorem("MB-REV-2", covers=("Reverts.enableIrmRevertCondition",))
def irm_is_enabled_exactly_once_by_the_owner(venue: MorphoBlue, caller: User, irm: Irm) -> Any:
    """Enabling an interest rate model is refused exactly when the caller is not the owner or it is enabled."""
    expected = caller != venue.owner or venue.is_irm_enabled[irm]
    return (refusal(venue.enable_irm, caller, irm) is not None) == bool(expected)


@chapter.theorem("MB-REV-3", covers=("Reverts.enableLltvRevertCondition",))
def lltv_is_enabled_exactly_once_by_the_owner_below_one(venue: MorphoBlue, caller: User, lltv: Lltv) -> Any:
    """Enabling an LLTV is refused exactly when the caller is not the owner, it is enabled, or it is not below 100 %."""
    expected = caller != venue.owner or venue.is_lltv_enabled[lltv] or lltv >= WAD
    return (refusal(venue.enable_lltv, caller, lltv) is not None) == bool(expected)


@chapter.theorem("MB-REV-4", covers=("Reverts.setFeeInputValidation",), rests_on=AT_ANY_TIME)
def fee_is_set_only_by_the_owner_on_a_market_within_range(
    venue: MorphoBlue, caller: User, market: MarketId, new_fee: Wad
) -> Any:
    """Setting a fee is refused exactly when the caller is not the owner, the market does not exist, the fee is above
    25 % or nothing would change, once interest is accrued."""
    m = venue.markets[market]
    assume(accrued(venue, market))
    expected = caller != venue.owner or m.last_update == 0 or new_fee == m.fee or new_fee > MAX_FEE
    return (refusal(venue.set_fee, caller, market, new_fee) is not None) == bool(expected)


@chapter.theorem("MB-REV-5", covers=("Reverts.setFeeRecipientRevertCondition",))
def fee_recipient_changes_exactly_when_the_owner_names_another(
    venue: MorphoBlue, caller: User, new_fee_recipient: Account
) -> Any:
    """Setting the fee recipient is refused exactly when the caller is not the owner or nothing would change."""
    expected = caller != venue.owner or new_fee_recipient == venue.fee_recipient
    return (refusal(venue.set_fee_recipient, caller, new_fee_recipient) is not None) == expected


@chapter.theorem("MB-REV-6", covers=("Reverts.createMarketRevertCondition",))
def market_is_created_exactly_once_over_enabled_parameters(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Creating a market is refused exactly when its IRM or LLTV is not enabled or it exists."""
    params = venue.params[market]
    enabled = venue.is_irm_enabled[params.irm] and venue.is_lltv_enabled[params.lltv]
    expected = not enabled or venue.markets[market].last_update != 0
    return (refusal(venue.create_market, caller, market) is not None) == bool(expected)


def _one_of(assets: int, shares: int) -> bool:
    return bool((assets == 0) != (shares == 0))


@chapter.theorem("MB-REV-7", covers=("Reverts.supplyInputValidation",), rests_on=AT_ANY_TIME)
def supply_takes_one_amount_for_somebody(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
) -> Any:
    """A supply is accepted only with exactly one of assets and shares, and not for the zero address."""
    assume(accrued(venue, market))
    venue.supply(caller, market, assets, shares, on_behalf)
    return _one_of(assets, shares) and on_behalf != ZERO


@chapter.theorem(
    "MB-REV-8", covers=("Reverts.withdrawInputValidation", "Reverts.zeroDoesNotAuthorize"), rests_on=AT_ANY_TIME
)
def withdraw_takes_one_amount_for_somebody(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """A withdrawal is accepted only with exactly one of assets and shares, for and to somebody but the zero address."""
    assume(accrued(venue, market))
    venue.withdraw(caller, market, assets, shares, on_behalf, receiver)
    return _one_of(assets, shares) and on_behalf != ZERO and receiver != ZERO


@chapter.theorem("MB-REV-9", covers=("Reverts.borrowInputValidation",), rests_on=AT_ANY_TIME)
def borrow_takes_one_amount_for_somebody(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    assets: Assets,
    shares: Shares,
    on_behalf: Account,
    receiver: Account,
) -> Any:
    """A loan is accepted only with exactly one of assets and shares, for and to somebody but the zero address."""
    assume(accrued(venue, market))
    venue.borrow(caller, market, assets, shares, on_behalf, receiver)
    return _one_of(assets, shares) and on_behalf != ZERO and receiver != ZERO


@chapter.theorem("MB-REV-10", covers=("Reverts.repayInputValidation",), rests_on=AT_ANY_TIME)
def repay_takes_one_amount_for_somebody(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
) -> Any:
    """A repayment is accepted only with exactly one of assets and shares, and not for the zero address."""
    assume(accrued(venue, market))
    venue.repay(caller, market, assets, shares, on_behalf)
    return _one_of(assets, shares) and on_behalf != ZERO


@chapter.theorem("MB-REV-11", covers=("Reverts.supplyCollateralInputValidation",))
def supply_collateral_takes_something_for_somebody(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account
) -> Any:
    """Collateral is accepted only in a positive amount, and not for the zero address."""
    venue.supply_collateral(caller, market, assets, on_behalf)
    return assets != 0 and on_behalf != ZERO


@chapter.theorem("MB-REV-12", covers=("Reverts.withdrawCollateralInputValidation",), rests_on=AT_ANY_TIME)
def withdraw_collateral_gives_something_to_somebody(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account, receiver: Account
) -> Any:
    """Collateral is paid out only in a positive amount, for and to somebody but the zero address."""
    assume(accrued(venue, market))
    venue.withdraw_collateral(caller, market, assets, on_behalf, receiver)
    return assets != 0 and on_behalf != ZERO and receiver != ZERO


@chapter.theorem("MB-REV-13", covers=("Reverts.liquidateInputValidation",), rests_on=AT_ANY_TIME, relaxed=any_tokens)
def liquidation_takes_one_amount(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation is accepted only with exactly one of seized assets and repaid shares."""
    assume(accrued(venue, market))
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    return _one_of(seized_assets, repaid_shares)


@chapter.theorem("MB-REV-14", covers=("Reverts.accrueInterestInputValidation",))
def interest_accrues_only_on_markets_that_exist(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Interest is never accrued on a market that does not exist."""
    assume(venue.markets[market].last_update == 0)
    return refusal(venue.accrue_interest, caller, market) is not None


# Which of two refusals comes first decides what a caller is told; deployed code is compared by it.
@chapter.theorem("MB-REV-15", rests_on=AT_ANY_TIME)
def shares_that_overflow_a_position_are_refused_as_an_overflow(
    venue: MorphoBlue, caller: User, market: MarketId, assets: Assets, on_behalf: Account
) -> Any:
    """A supply that would take a position's shares beyond 256 bits is refused by EVM-1, not for the shares' width."""
    m = venue.markets[market]
    assume(accrued(venue, market) and m.last_update != 0 and assets > 0 and on_behalf != ZERO)
    shares = mul_div_down(assets, m.total_supply_shares + VIRTUAL_SHARES, m.total_supply_assets + VIRTUAL_ASSETS)
    assume(venue.positions[market][on_behalf].supply_shares + shares > UINT256_MAX)
    return refusal(venue.supply, caller, market, assets, 0, on_behalf) == "EVM-1"


@chapter.theorem("MB-REV-16", bounds="any time since the last accrual")
def fee_beyond_its_range_is_refused_before_interest_accrues(
    venue: MorphoBlue, caller: User, market: MarketId, new_fee: Wad
) -> Any:
    """A new fee above 25 % is refused by OWN-8 even where interest could not be accrued."""
    m = venue.markets[market]
    assume(caller == venue.owner and m.last_update != 0 and new_fee != m.fee and new_fee > MAX_FEE)
    return refusal(venue.set_fee, caller, market, new_fee) == "OWN-8"


@chapter.theorem("MB-REV-17")
def supplying_no_collateral_is_refused_whoever_it_is_for(
    venue: MorphoBlue, caller: User, market: MarketId, on_behalf: Account
) -> Any:
    """Supplying no collateral is refused by ACT-3, for the zero address too."""
    assume(venue.markets[market].last_update != 0)
    return refusal(venue.supply_collateral, caller, market, 0, on_behalf) == "ACT-3"


@chapter.theorem("MB-REV-18")
def withdrawing_no_collateral_is_refused_whoever_it_goes_to(
    venue: MorphoBlue, caller: User, market: MarketId, on_behalf: Account, receiver: Account
) -> Any:
    """Withdrawing no collateral is refused by ACT-3, to the zero address and by strangers too."""
    assume(venue.markets[market].last_update != 0)
    return refusal(venue.withdraw_collateral, caller, market, 0, on_behalf, receiver) == "ACT-3"


# Anything computed before that check is what a stranger can make fail, and pays for.
@chapter.theorem("MB-REV-19", bounds="any time since the last accrual")
def strangers_are_refused_before_anything_is_computed(venue: MorphoBlue, step: Step) -> Any:
    """Whoever asks for somebody's assets, loan or collateral without being authorised is refused by AUT-2, even where
    interest could not be accrued or nothing is there to take."""
    assume(step.action in ("withdraw", "borrow", "withdraw_collateral"))
    caller, on_behalf = step.argument("caller"), step.argument("on_behalf")
    assume(venue.markets[step.argument("market")].last_update != 0 and step.argument("receiver") != ZERO)
    assume(_one_of(step.argument("assets"), step.argument("shares") or 0))
    assume(caller != on_behalf and not venue.is_authorized.get(on_behalf, {}).get(caller, False))
    return refusal(step.take, venue) == "AUT-2"
