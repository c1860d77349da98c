"""What accounts own and owe in exact arithmetic, so that laws have an answer where the contract's own widths have none.

The contract computes the same in 256 bits and refuses what does not fit (EVM-1); MB-HLT-8 says when that is so.
"""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    LIQUIDATION_CURSOR,
    MAX_LIQUIDATION_INCENTIVE_FACTOR,
    ORACLE_PRICE_SCALE,
    VIRTUAL_ASSETS,
    VIRTUAL_SHARES,
    WAD,
    Account,
    Market,
    MarketId,
    MorphoBlue,
)
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up


def worth(m: Market, supply_shares: int) -> Any:
    """What supply shares are worth in assets, rounded down."""
    return mul_div_down(supply_shares, m.total_supply_assets + VIRTUAL_ASSETS, m.total_supply_shares + VIRTUAL_SHARES)


def owned(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """What an account's supply is worth in assets, rounded down."""
    return worth(venue.markets[market], venue.positions[market][who].supply_shares)


def owed(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """What an account owes in assets, rounded up; interest since the last accrual is not in it."""
    return debt_of(venue.markets[market], venue.positions[market][who].borrow_shares)


def debt_of(m: Market, borrow_shares: int) -> Any:
    """What borrow shares owe in assets, rounded up."""
    return mul_div_up(borrow_shares, m.total_borrow_assets + VIRTUAL_ASSETS, m.total_borrow_shares + VIRTUAL_SHARES)


def may_owe(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """The most that an account may owe for its collateral, each step rounded down."""
    value = mul_div_down(venue.positions[market][who].collateral, venue.price[market], ORACLE_PRICE_SCALE)
    return mul_div_down(value, venue.params[market].lltv, WAD)


def healthy(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """Whether an account owes no more than it may."""
    return may_owe(venue, market, who) >= owed(venue, market, who)


def incentive(venue: MorphoBlue, market: MarketId) -> Any:
    """Collateral value per unit of debt that a liquidator repays, WAD."""
    discount = mul_div_down(LIQUIDATION_CURSOR, WAD - venue.params[market].lltv, WAD)
    return min(MAX_LIQUIDATION_INCENTIVE_FACTOR, mul_div_down(WAD, WAD, WAD - discount))
