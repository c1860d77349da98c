# pragma version 0.4.3
"""
@title Positions and funding: linear perpetuals whose cost is kept exactly
@notice Chapter 5 of the specification, and the limit of liquidations that restarts with it (LIQ-18).
@license Apache-2.0
"""

import ledger
import notation

uses: ledger

FUNDING_SCALE: constant(int256) = 10**6
FUNDING_PERIOD: constant(int256) = 28_800
MAX_ACCRUAL: constant(uint256) = 86_400
PREMIUM_PART: constant(int256) = 100_000
INTERVAL: constant(uint256) = 3600


event FundingAccrued:
    market: indexed(uint256)
    funding_index: int256


event FundingPaid:
    account: indexed(uint256)
    market: indexed(uint256)
    payment: int256


@internal
def accrue(market: uint256):
    """
    @notice POS-1
    """
    elapsed: uint256 = block.timestamp - ledger.markets[market].accrued_at
    if elapsed == 0:
        return
    time: int256 = convert(min(elapsed, MAX_ACCRUAL), int256)
    # POS-2: longs and shorts see the same number, so the direction of its rounding favours nobody.
    index: int256 = ledger.markets[market].funding_index
    index += notation.down(ledger.markets[market].premium * FUNDING_SCALE * time, FUNDING_PERIOD)
    ledger.markets[market].funding_index = index
    ledger.markets[market].accrued_at = block.timestamp
    log FundingAccrued(market=market, funding_index=index)
    if block.timestamp >= ledger.markets[market].interval_start + INTERVAL:  # LIQ-18
        ledger.markets[market].interval_start = block.timestamp
        ledger.markets[market].room = ledger.market_terms[market].limit


@internal
def settle(account: uint256):
    """
    @notice POS-3 in every market in which the account has a position
    """
    for market: uint256 in range(notation.MARKETS):
        size: int256 = ledger.accounts[account].positions[market].size
        if size != 0:
            self.accrue(market)
            index: int256 = ledger.markets[market].funding_index
            growth: int256 = index - ledger.accounts[account].positions[market].funding_index
            payment: int256 = notation.up(size * growth, FUNDING_SCALE)  # POS-4
            ledger.accounts[account].positions[market].funding_index = index
            if payment != 0:
                ledger.accounts[account].positions[market].cost += payment
                ledger.pot += payment
                log FundingPaid(account=account, market=market, payment=payment)


@internal
def change(account: uint256, market: uint256, size: int256, quote: int256):
    """
    @notice POS-5: add a signed size, bought for a signed amount of quote, to a settled position
    """
    if ledger.accounts[account].index != 0:
        for other: uint256 in range(notation.MARKETS):
            assert other == market or ledger.accounts[account].positions[other].size == 0, "POS-7"
    before: int256 = ledger.accounts[account].positions[market].size
    after: int256 = before + size
    cost: int256 = ledger.accounts[account].positions[market].cost + quote
    if after == 0:  # POS-6
        ledger.accounts[account].cash -= cost
        cost = 0
    ledger.accounts[account].positions[market].size = after
    ledger.accounts[account].positions[market].cost = cost
    ledger.accounts[account].positions[market].funding_index = ledger.markets[market].funding_index
    ledger.markets[market].open_interest += max(after, 0) - max(before, 0)


@internal
@pure
def premium(price: int256, mark: int256) -> int256:
    """
    @notice POS-10
    """
    return notation.down((price - mark) * PREMIUM_PART, notation.PPM)
