"""The buffer theorem: why an account at maintenance survives the next price move (chapters 4, 6 and 8 together)."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.collateral import collateral_value, gross_value
from marginspec.model.reference.ledger import Position
from marginspec.model.reference.liquidation import penalty_of, seizure_price
from marginspec.model.reference.margin import is_covered, is_safe
from marginspec.model.reference.notation import (
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    AccountId,
    Fraction,
    MarketId,
    SignedSize,
    StoredAmount,
    StoredPrice,
    Unit,
    magnitude,
)
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume
from marginspec.properties.reference.scope import BTC, ELSEWHERE, ETH, HERE, chapter


def _moved(before: int, after: int, delta: int) -> Any:
    """A price moved by at most delta, up or down."""
    return -before * delta <= (after - before) * PPM <= before * delta


@chapter.theorem("REF-BUF-1")
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


@chapter.theorem("REF-BUF-2")
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
    """Collateral that falls by delta and is then seized at the discount fetches at least what it counted for."""
    assume(counted <= amount)
    assume(low <= mark)
    assume(minimum <= haircut)
    assume(_moved(mark, later, delta))
    assume(is_covered(minimum, delta))
    return collateral_value(gross_value(counted, low, unit), haircut) <= seizure_price(amount, later, unit)


# More than any penalty.
_ENOUGH = 2**200


@chapter.theorem("REF-BUF-3", bounds="two markets, two collateral assets, cash of either sign; funding settled")
def account_at_maintenance_survives_the_next_move(
    venue: Reference,
    account: AccountId,
    later: StoredPrice,
    other_later: StoredPrice,
    delta: Fraction,
    minimum_haircut: Fraction,
) -> Any:
    """An account at maintenance, met by a move of at most delta of every price, can pay the penalty on all positions,
    closed at the new marks, from its cash and its collateral, seized at the discount: no bad debt arises."""
    own, prices = venue.accounts[account], {ETH: later, BTC: other_later}
    assume(is_covered(minimum_haircut, delta))
    for asset, price in prices.items():
        assume(venue.assets[asset].low <= venue.assets[asset].mark <= venue.assets[asset].high)
        assume(minimum_haircut <= venue.assets[asset].haircut)
        assume(own.collateral[asset].counted <= own.collateral[asset].amount)
        assume(_moved(venue.assets[asset].mark, price, delta))
    for market in (HERE, ELSEWHERE):
        assume(is_safe(venue.parameters[market], delta, venue.market_terms[market].slope))
        assume(venue.parameters[market][MINIMUM_RATIO] <= venue.markets[market].ratio)
    assume(venue.equity(account) >= venue.maintenance_margin(account))

    left = own.cash
    for asset, holding in own.collateral.items():
        fetched = seizure_price(holding.amount, prices[asset], venue.asset_terms[asset].unit)
        if holding.counted != 0 and fetched < venue.collateral_value(asset, holding.counted):
            return False
        left += fetched
    for market, position in own.positions.items():
        if position.size != 0:
            left += _closed(venue, market, position, prices[venue.market_terms[market].asset])
            if not _within_requirement(venue, market, position, prices[venue.market_terms[market].asset]):
                return False
    return left >= 0


def _closed(venue: Reference, market: MarketId, position: Position, price: int) -> int:
    """What closing a position at a price leaves of it after the whole penalty, quote."""
    penalty = venue.parameters[market][PENALTY]
    return profit(position, price) - penalty_of(magnitude(position.size), price, penalty, _ENOUGH)


def _within_requirement(venue: Reference, market: MarketId, position: Position, price: int) -> Any:
    """Whether closing a position at a price costs no more than its maintenance requirement."""
    now = venue.assets[venue.market_terms[market].asset]
    lost = profit(position, now.mark) - _closed(venue, market, position, price)
    return lost * PPM <= magnitude(position.size) * now.high * venue.markets[market].ratio
