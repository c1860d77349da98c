# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Settlement: the end of the venue, pro rata, never first come, first served
@notice Chapter 9 of the specification from SET-1.
@license Apache-2.0
"""

import ledger
import notation
import positions

uses: ledger
uses: positions

GRACE: constant(uint256) = 86_400


event SettlementStarted:
    caller: indexed(address)
    time: uint256


event SettlementFixed:
    caller: indexed(address)
    pool: int256
    claims: int256


event Redeemed:
    account: indexed(uint256)
    cash: int256
    paid: int256


@external
def start_settlement():
    """
    @notice SET-1: close every position at the last accepted prices, for good
    """
    ledger.not_settling()
    ledger.only_governor()
    ledger.settling_since = block.timestamp
    for account: uint256 in range(1, ledger.account_count + 1, bound=ledger.MAX_ACCOUNTS):
        positions.settle(account)
        for market: uint256 in range(notation.MARKETS):
            size: int256 = ledger.accounts[account].positions[market].size
            if size != 0:
                # Whatever its age: an end at known prices is fairer than one in which each leaves at another.
                mark: int256 = ledger.assets[ledger.market_terms[market].asset].mark
                positions.change(account, market, -size, -size * mark)
    log SettlementStarted(caller=msg.sender, time=block.timestamp)


@external
def fix_settlement():
    """
    @notice SET-4: after the grace period, fix once what every account is paid per unit of cash
    """
    assert ledger.settling_since != 0, "SET-5"
    assert ledger.settlement_claims == 0, "SET-3"
    assert block.timestamp >= ledger.settling_since + GRACE, "SET-6"
    claims: int256 = 1  # one more than there are, so that it is never zero
    for account: uint256 in range(1, ledger.account_count + 1, bound=ledger.MAX_ACCOUNTS):
        claims += max(ledger.accounts[account].cash, 0)
    pool: int256 = min(claims, ledger.held[notation.USD] * notation.QUOTE_PER_UNIT)
    ledger.settlement_claims = claims
    ledger.settlement_pool = pool
    log SettlementFixed(caller=msg.sender, pool=pool, claims=claims)


@external
def redeem(index: uint256) -> int256:
    """
    @notice SET-7: an account's part of the cash and its collateral in kind; who owes cash pays it first (SET-9)
    @return Tokens paid for cash
    """
    assert ledger.settlement_claims != 0, "SET-8"
    account: uint256 = ledger.own(index)
    cash: int256 = ledger.accounts[account].cash
    ledger.accounts[account].cash = 0
    paid: int256 = 0
    if cash < 0:
        owed: int256 = notation.up(-cash, notation.QUOTE_PER_UNIT)
        ledger.insurance += owed * notation.QUOTE_PER_UNIT + cash
        ledger.pull(notation.USD, msg.sender, owed)
    else:
        # SET-10
        paid = notation.down(cash * ledger.settlement_pool, ledger.settlement_claims)
        paid = notation.down(paid, notation.QUOTE_PER_UNIT)
        ledger.insurance += cash - paid * notation.QUOTE_PER_UNIT
        ledger.push(notation.USD, msg.sender, paid)
    for asset: uint256 in range(1, notation.TOKENS):
        amount: int256 = ledger.accounts[account].collateral[asset].amount
        ledger.accounts[account].collateral[asset].amount = 0
        ledger.accounts[account].collateral[asset].counted = 0
        ledger.push(asset, msg.sender, amount)
    log Redeemed(account=account, cash=cash, paid=paid)
    return paid
