"""The buffer theorem: accounts at maintenance survive the next price move and every liquidation after it.

What an account has at the marks is its net worth. A move of at most delta leaves it at zero or above (REF-BUF-3); no
liquidation, seizure or cover takes it below, by whomever, of how much, in any order (REF-BUF-4 to 6), and the
insurance fund pays nothing; and whoever is below maintenance can be liquidated (REF-LIQ-12) and then needs less
(REF-LIQ-9), so it ends. Chapters 4, 6, 8 and 9 together.
"""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.collateral import collateral_value, gross_value
from marginspec.model.reference.liquidation import seizure_price
from marginspec.model.reference.margin import is_covered, is_safe
from marginspec.model.reference.notation import (
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    Fraction,
    MarketId,
    SignedSize,
    Size,
    StoredAmount,
    StoredPrice,
    Unit,
    User,
    magnitude,
)
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.relaxed import any_prices, any_worth_any_size
from marginspec.properties.reference.scope import BTC, ELSEWHERE, ETH, HERE, chapter, settled


def net_worth(venue: Reference, account: AccountId) -> int:
    """What an account has at the last accepted marks, without haircuts, quote; each asset rounded down.

    A position of size zero has no cost (REF-LED-7), so it need not be left out.
    """
    total = venue.accounts[account].cash + venue._collateral_at_mark(account)
    for market, position in venue.accounts[account].positions.items():
        total += profit(position, venue.mark(market, aged=True))
    return total


def _moved(before: int, after: int, delta: int) -> Any:
    """A price moved by at most delta, up or down."""
    return -before * delta <= (after - before) * PPM <= before * delta


# --- Steps of the argument --------------------------------------------------------------------------------------------


@chapter.lemma("REF-BUF-1")
def maintenance_pays_for_a_move_and_the_penalty(
    venue: Reference, size: SignedSize, mark: StoredPrice, high: StoredPrice, later: StoredPrice, delta: Fraction
) -> Any:
    """Under safe parameters the maintenance requirement of a position covers what a move of delta costs it and the
    penalty after it."""
    parameters = venue.parameters[HERE]
    ratio, penalty = parameters[MINIMUM_RATIO], parameters[PENALTY]
    assume(mark <= high)
    assume(_moved(mark, later, delta))
    assume(is_safe(parameters, delta, 0))
    lost = size * (mark - later) * PPM + magnitude(size) * later * penalty
    return lost <= magnitude(size) * high * ratio


@chapter.lemma("REF-BUF-2")
def collateral_that_fell_fetches_what_it_counted_for(
    venue: Reference,
    amount: StoredAmount,
    counted: StoredAmount,
    low: StoredPrice,
    mark: StoredPrice,
    later: StoredPrice,
    unit: Unit,
    haircut: Fraction,
    minimum: Fraction,
    delta: Fraction,
) -> Any:
    """Collateral that falls by delta and is then seized at the full discount fetches at least what it counted for."""
    assume(counted <= amount)
    assume(low <= mark)
    assume(minimum <= haircut)
    assume(_moved(mark, later, delta))
    assume(is_covered(minimum, delta))
    return collateral_value(gross_value(counted, low, unit), haircut) <= seizure_price(amount, later, unit)


@chapter.lemma("REF-BUF-7")
def equity_is_never_more_than_net_worth(venue: Reference, account: AccountId) -> Any:
    """What margin lets an account count on is at most what it has at the marks."""
    _in_order(venue, account)
    parts = _counts_for_no_more(venue, account)
    return all(parts) and venue.equity(account, aged=True) <= net_worth(venue, account)


def _in_order(venue: Reference, *accounts: AccountId) -> None:
    """What invariants say of prices, holdings and closed positions (REF-ORC-3, REF-LED-6, REF-LED-7)."""
    for asset in venue.assets.values():
        assume(asset.low <= asset.mark)
        assume(asset.mark <= asset.high)
    for account in accounts:
        for holding in venue.accounts[account].collateral.values():
            assume(holding.counted <= holding.amount)
        _realised(venue, account)


def _realised(venue: Reference, account: AccountId) -> None:
    for position in venue.accounts[account].positions.values():
        assume(position.size != 0 or position.cost == 0)


def _counts_for_no_more(venue: Reference, account: AccountId) -> list[Any]:
    """Of each asset, whether it counts for at most what it is worth; adding up needs no solver then."""
    return [
        venue.collateral_value(asset, holding.counted)
        <= gross_value(holding.amount, venue.assets[asset].mark, venue.asset_terms[asset].unit)
        for asset, holding in venue.accounts[account].collateral.items()
    ]


# --- The promise ------------------------------------------------------------------------------------------------------

ONE_MOVE = "two markets, two collateral assets, cash of either sign; funding settled; one update of each price"


@chapter.theorem("REF-BUF-3", bounds=ONE_MOVE, relaxed=any_prices)
def account_at_maintenance_survives_the_next_move(
    venue: Reference, caller: User, account: AccountId, delta: Fraction, minimum_haircut: Fraction
) -> Any:
    """Whatever prices are accepted next, within delta of the last: an account that was at maintenance is worth at least
    nothing at the new marks, all positions and collateral together."""
    own, before = settled(venue).accounts[account], {name: asset.clone() for name, asset in venue.assets.items()}
    _in_order(venue, account)
    assume(is_covered(minimum_haircut, delta))
    for asset in (ETH, BTC):
        assume(minimum_haircut <= before[asset].haircut)
    for market in (HERE, ELSEWHERE):
        assume(is_safe(venue.parameters[market], delta, venue.market_terms[market].slope))
        assume(venue.parameters[market][MINIMUM_RATIO] <= venue.markets[market].ratio)
    assume(venue.equity(account, aged=True) >= venue.maintenance_margin(account, aged=True))
    ratios = {name: market.ratio for name, market in venue.markets.items()}
    counted = {asset: venue.collateral_value(asset, holding.counted) for asset, holding in own.collateral.items()}

    for asset in (ETH, BTC):
        venue.update_price(caller, asset)
        assume(_moved(before[asset].mark, venue.assets[asset].mark, delta))
    for asset, holding in own.collateral.items():
        fetched = gross_value(holding.amount, venue.assets[asset].mark, venue.asset_terms[asset].unit)
        if fetched < counted[asset]:
            return False
    for market, position in own.positions.items():
        if position.size != 0:
            asset = venue.market_terms[market].asset
            lost = position.size * (before[asset].mark - venue.assets[asset].mark)
            if lost * PPM > magnitude(position.size) * before[asset].high * ratios[market]:
                return False
    return net_worth(venue, account) >= 0


ANY_PORTFOLIO = "any positions and collateral of all accounts; funding settled"


@chapter.theorem("REF-BUF-4", bounds=ANY_PORTFOLIO, relaxed=any_worth_any_size, rests_on=("REF-BUF-7", "REF-LED-7"))
def liquidations_make_nobody_insolvent(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """A liquidation, of whatever size, takes from the account no more than it is worth, and nothing from the liquidator
    or the insurance fund."""
    # By REF-BUF-7.
    assume(settled(venue).equity(account, aged=True) <= net_worth(venue, account))
    before, fund = (net_worth(venue, account), net_worth(venue, liquidator)), venue.insurance
    _, paid = venue.liquidate(liquidator, account, market, most)
    return every(
        (
            net_worth(venue, account) == before[0] - paid,
            0 <= paid <= max(before[0], 0),
            net_worth(venue, liquidator) >= before[1],
            venue.insurance >= fund,
            not venue.accounts[account].in_default,
        )
    )


@chapter.theorem("REF-BUF-5", bounds=ANY_PORTFOLIO, relaxed=any_worth_any_size, rests_on=("REF-LED-7",))
def seizures_make_nobody_insolvent(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """A seizure never takes an account that can pay its debt below that, and takes nothing from one that cannot, nor
    from the insurance fund."""
    _realised(settled(venue), account)
    before, fund = net_worth(venue, account), venue.insurance
    venue.seize_collateral(liquidator, account, asset, amount)
    after = net_worth(venue, account)
    return every(
        (
            after >= min(before, 0),
            venue.accounts[liquidator].cash >= 0,
            venue.insurance == fund,
        )
    )


@chapter.theorem("REF-BUF-6", bounds=ANY_PORTFOLIO)
def fund_pays_nothing_for_the_solvent(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """Nobody who is worth at least nothing is covered by the insurance fund, so no such account gets into default."""
    _in_order(settled(venue), account)
    assume(not venue.accounts[account].in_default)
    assume(net_worth(venue, account) >= 0)
    return refusal(venue.cover, caller, account) is not None
