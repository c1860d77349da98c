"""Liquidation: what it may take, whom it helps, and who bears what is lost."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    MAX_LIQUIDATION_INCENTIVE_FACTOR,
    MORPHO,
    ORACLE_PRICE_SCALE,
    WAD,
    Account,
    Assets,
    MarketId,
    MorphoBlue,
    Shares,
    User,
)
from marginspec.properties.deployed.morpho_blue.figures import debt_of, incentive, owed
from marginspec.properties.deployed.morpho_blue.invariants import (
    borrow_shares_add_up,
    created_market_has_lltv_below_one,
    no_market_lends_more_than_it_holds,
)
from marginspec.properties.deployed.morpho_blue.relaxed import any_tokens
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, accrued, chapter
from marginspec.properties.law import assume, every, implies


def _below_one_over_incentive(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """Debt over collateral value is below 1 / LIF: selling the collateral at the incentive still covers the debt."""
    m, p = venue.markets[market], venue.positions[market][who]
    collateral = p.collateral * venue.price[market] * (m.total_borrow_shares + 10**6) * WAD
    return collateral > p.borrow_shares * ORACLE_PRICE_SCALE * (m.total_borrow_assets + 1) * incentive(venue, market)


@chapter.lemma("MB-LIQ-1", given=(created_market_has_lltv_below_one,))
def incentive_is_between_nothing_and_fifteen_percent(venue: MorphoBlue, market: MarketId) -> Any:
    """The liquidation incentive factor lies between 1 and 1.15."""
    assume(venue.markets[market].last_update != 0)
    factor = venue.liquidation_incentive_factor(market)
    return every((factor >= WAD, factor <= MAX_LIQUIDATION_INCENTIVE_FACTOR))


# The reason for the buffer between LLTV and 1 / LIF: inside it, liquidations work for the borrower too.
@chapter.theorem(
    "MB-LIQ-2",
    given=(created_market_has_lltv_below_one, borrow_shares_add_up),
    covers=("LiquidateBuffer.liquidateImprovePosition",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def liquidation_in_the_buffer_improves_the_position(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """Below 1 / LIF, a liquidation leaves collateral, and no more debt shares per unit of collateral than before."""
    assume(accrued(venue, market))
    assume(_below_one_over_incentive(venue, market, borrower))
    before = venue.positions[market][borrower].clone()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    after = venue.positions[market][borrower]
    improved = before.borrow_shares * after.collateral >= after.borrow_shares * before.collateral
    return every((after.collateral != 0, improved))


@chapter.theorem(
    "MB-LIQ-3",
    given=(created_market_has_lltv_below_one, borrow_shares_add_up),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def liquidation_in_the_buffer_costs_suppliers_nothing(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """Below 1 / LIF, no liquidation realises bad debt: the assets supplied do not fall."""
    assume(accrued(venue, market))
    assume(_below_one_over_incentive(venue, market, borrower))
    supplied = venue.markets[market].total_supply_assets
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    return venue.markets[market].total_supply_assets == supplied


@chapter.theorem(
    "MB-LIQ-4",
    covers=("Health.liquidateEquivalentInputDebtAndInputCollateral",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def liquidation_by_shares_pays_the_same_as_by_collateral(
    venue: MorphoBlue, caller: User, market: MarketId, who: Account, assets: Assets
) -> Any:
    """Repaying as many shares as a seizure that leaves collateral repays costs the same, where both are accepted."""
    assume(accrued(venue, market))
    twin, owed = venue.clone(), venue.positions[market][who].borrow_shares
    total = venue.markets[market].total_borrow_shares
    _, paid = venue.liquidate(caller, market, who, assets, 0)
    assume(venue.positions[market][who].collateral != 0)
    shares = owed - venue.positions[market][who].borrow_shares
    assume(shares == total - venue.markets[market].total_borrow_shares)
    _, paid_by_shares = twin.liquidate(caller, market, who, 0, shares)
    return paid == paid_by_shares


@chapter.theorem("MB-LIQ-5", given=(created_market_has_lltv_below_one,), rests_on=AT_ANY_TIME, relaxed=any_tokens)
def seized_value_is_at_most_the_incentive(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """The value of what is seized is at most what is repaid times the incentive factor."""
    assume(accrued(venue, market))
    factor, price = incentive(venue, market), venue.price[market]
    seized, paid = venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    return seized * price * WAD <= paid * factor * ORACLE_PRICE_SCALE


@chapter.theorem("MB-LIQ-6", rests_on=AT_ANY_TIME, relaxed=any_tokens)
def bad_debt_is_realised_only_without_collateral(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """Suppliers lose only when a liquidation takes the last collateral, and then the position owes nothing any more."""
    assume(accrued(venue, market))
    supplied = venue.markets[market].total_supply_assets
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    p = venue.positions[market][borrower]
    if p.collateral != 0:
        return venue.markets[market].total_supply_assets == supplied
    return p.borrow_shares == 0


# Who may lose what: suppliers of this market, pro rata, exactly the debt that disappears; nobody else anything.
@chapter.theorem("MB-LIQ-7", given=(no_market_lends_more_than_it_holds,), rests_on=AT_ANY_TIME, relaxed=any_tokens)
def bad_debt_is_borne_by_suppliers_pro_rata(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation changes no supply shares, so that what suppliers lose is shared in proportion to their shares."""
    assume(accrued(venue, market))
    before = venue.clone()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    shares = before.positions[market]
    same = all(p.supply_shares == shares[who].supply_shares for who, p in venue.positions[market].items())
    return same and venue.markets[market].total_supply_shares == before.markets[market].total_supply_shares


@chapter.theorem("MB-LIQ-8", given=(borrow_shares_add_up,), rests_on=AT_ANY_TIME, relaxed=any_tokens)
def suppliers_lose_at_most_the_debt_left(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """What suppliers lose in a liquidation is at most the position's debt before it, rounded up."""
    assume(accrued(venue, market))
    supplied, debt = venue.markets[market].total_supply_assets, owed(venue, market, borrower)
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    return supplied - venue.markets[market].total_supply_assets <= debt


@chapter.theorem(
    "MB-LIQ-9",
    covers=("Liveness.liquidateChangesTokens",),
    bounds="loan and collateral token differ",
    rests_on=AT_ANY_TIME,
)
def liquidation_moves_exactly_what_it_says(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """The contract pays out what is seized and receives what is repaid; idle assets rise by it, up to all debt."""
    m, params = venue.markets[market], venue.params[market]
    assume(params.loan_token != params.collateral_token and accrued(venue, market))
    idle, debt, collateral = (
        m.total_supply_assets - m.total_borrow_assets,
        m.total_borrow_assets,
        venue.positions[market],
    )
    held = collateral[borrower].collateral
    loans, pledged = venue.balance[params.loan_token][MORPHO], venue.balance[params.collateral_token][MORPHO]
    seized, paid = venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    m = venue.markets[market]
    return every(
        (
            implies(seized_assets != 0, seized == seized_assets),
            venue.positions[market][borrower].collateral == held - seized,
            venue.balance[params.loan_token][MORPHO] == loans + paid,
            venue.balance[params.collateral_token][MORPHO] == pledged - seized,
            m.total_supply_assets - m.total_borrow_assets == idle + min(paid, debt),
        )
    )


@chapter.theorem("MB-LIQ-10", rests_on=AT_ANY_TIME, relaxed=any_tokens)
def liquidation_touches_no_other_position(
    venue: MorphoBlue,
    caller: User,
    market: MarketId,
    borrower: Account,
    who: Account,
    seized_assets: Assets,
    repaid_shares: Shares,
) -> Any:
    """A liquidation changes no position but the borrower's."""
    assume(accrued(venue, market) and who != borrower)
    before = venue.positions[market][who].flatten()
    venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    return venue.positions[market][who].flatten() == before


@chapter.theorem("MB-LIQ-11", rests_on=AT_ANY_TIME, relaxed=any_tokens)
def liquidation_repays_and_takes_at_most_what_is_there(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation never adds debt or collateral to the position, and takes at most its collateral."""
    assume(accrued(venue, market))
    before = venue.positions[market][borrower].clone()
    seized, _ = venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    after = venue.positions[market][borrower]
    return every((after.borrow_shares <= before.borrow_shares, after.collateral >= 0, seized <= before.collateral))


@chapter.theorem("MB-LIQ-12", rests_on=AT_ANY_TIME, relaxed=any_tokens)
def repaid_shares_cost_what_they_were_worth(
    venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
) -> Any:
    """A liquidation that leaves collateral costs what the shares that it repays were worth before it, rounded up."""
    assume(accrued(venue, market))
    before, m = venue.positions[market][borrower].clone(), venue.markets[market].clone()
    _, paid = venue.liquidate(caller, market, borrower, seized_assets, repaid_shares)
    after = venue.positions[market][borrower]
    assume(after.collateral != 0)
    return paid == debt_of(m, before.borrow_shares - after.borrow_shares)
