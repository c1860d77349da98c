# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Waterfall: insurance fund, deleveraging, socialised loss, in this order
@notice Chapter 9 of the specification up to DEF-15.
@license Apache-2.0
"""

import collateral
import ledger
import margin
import notation
import positions

uses: ledger
uses: collateral
uses: margin
uses: positions


event Covered:
    caller: indexed(address)
    account: indexed(uint256)
    paid: int256
    deficit: int256


event Deleveraged:
    caller: address
    account: indexed(uint256)
    counterparty: indexed(uint256)
    market: indexed(uint256)
    closed: int256
    mark: int256
    paid: int256


event LossSocialised:
    caller: indexed(address)
    account: indexed(uint256)
    paid: int256
    total: int256


event LossShared:
    account: indexed(uint256)
    share: int256


@external
def cover(owner: address, index: uint256) -> int256:
    """
    @notice DEF-1: cover the deficit of an account from the insurance fund
    @return What the fund pays, quote
    """
    ledger.not_settling()
    account: uint256 = ledger.account_number[owner][index]
    deficit: int256 = max(self._deficit(account), 0)
    assert deficit != 0 or ledger.accounts[account].in_default, "DEF-3"
    paid: int256 = min(deficit, ledger.insurance)
    ledger.insurance -= paid
    ledger.accounts[account].cash += paid
    self._set_default(account, paid < deficit)
    log Covered(caller=msg.sender, account=account, paid=paid, deficit=deficit)
    return paid


@external
def deleverage(
    owner: address, index: uint256, market: uint256, counter_owner: address, counter_index: uint256
) -> (int256, int256):
    """
    @notice DEF-8: close a position in default against the most profitable opposite one
    @return Size closed, and what the counterparty pays, quote
    """
    ledger.not_settling()
    account: uint256 = ledger.account_number[owner][index]
    deficit: int256 = self._deficit_in_default(account)
    counterparty: uint256 = ledger.account_number[counter_owner][counter_index]
    size: int256 = ledger.accounts[account].positions[market].size
    opposite: int256 = ledger.accounts[counterparty].positions[market].size
    assert self._are_opposite(size, opposite), "DEF-9"
    for other: uint256 in range(1, ledger.account_count + 1, bound=ledger.MAX_ACCOUNTS):
        positions.settle(other)
    gained: int256 = margin.profit(counterparty, market)
    for other: uint256 in range(1, ledger.account_count + 1, bound=ledger.MAX_ACCOUNTS):
        if self._are_opposite(size, ledger.accounts[other].positions[market].size):
            assert margin.profit(other, market) <= gained, "DEF-10"

    closed: int256 = min(abs(size), abs(opposite))
    health: margin.Health = margin.health(counterparty)
    # DEF-11
    paid: int256 = min(notation.up(deficit * closed, abs(size)), min(gained, health.equity - health.maintenance))
    paid = max(paid, 0)
    bought: int256 = closed
    if size < 0:
        bought = -closed
    mark: int256 = margin.mark(market)
    positions.change(account, market, -bought, -bought * mark - paid)
    positions.change(counterparty, market, bought, bought * mark + paid)
    self._set_default(account, paid < deficit)
    log Deleveraged(
        caller=msg.sender,
        account=account,
        counterparty=counterparty,
        market=market,
        closed=closed,
        mark=mark,
        paid=paid,
    )
    return closed, paid


@external
def socialise(owner: address, index: uint256) -> int256:
    """
    @notice DEF-12: share the deficit of an account without positions among all unrealised profits
    @return What these pay of it, quote
    """
    ledger.not_settling()
    account: uint256 = ledger.account_number[owner][index]
    assert not margin.has_position(account), "DEF-13"
    deficit: int256 = self._deficit_in_default(account)
    gained: DynArray[int256, ledger.MAX_ACCOUNTS] = []
    total: int256 = 0
    for other: uint256 in range(1, ledger.account_count + 1, bound=ledger.MAX_ACCOUNTS):
        positions.settle(other)
        profit: int256 = max(margin.unrealised(other), 0)
        gained.append(profit)
        total += profit
    assert total != 0, "DEF-14"

    paid: int256 = min(deficit, total)
    ledger.accounts[account].cash += paid
    collected: int256 = 0
    other: uint256 = 0
    for profit: int256 in gained:
        other += 1
        if profit != 0:
            share: int256 = notation.up(paid * profit, total)  # DEF-15
            ledger.accounts[other].cash -= share
            collected += share
            log LossShared(account=other, share=share)
    ledger.insurance += collected - paid
    self._set_default(account, paid < deficit)
    log LossSocialised(caller=msg.sender, account=account, paid=paid, total=total)
    return paid


@internal
def _deficit(account: uint256) -> int256:
    """
    @notice Deficit of an account whose collateral is gone (DEF-2), funding settled; negative when it has equity left
    """
    collateral.has_none(account)
    positions.settle(account)
    health: margin.Health = margin.health(account)
    return -health.equity


@internal
def _deficit_in_default(account: uint256) -> int256:
    """
    @notice Deficit of an account in default, once the insurance fund is empty
    """
    assert ledger.accounts[account].in_default, "DEF-5"
    assert ledger.insurance == 0, "DEF-6"
    deficit: int256 = self._deficit(account)
    assert deficit > 0, "DEF-7"
    return deficit


@internal
@pure
def _are_opposite(size: int256, other: int256) -> bool:
    return (size > 0 and other < 0) or (size < 0 and other > 0)


@internal
def _set_default(account: uint256, in_default: bool):
    """
    @notice DEF-4
    """
    before: bool = ledger.accounts[account].in_default
    if in_default and not before:
        ledger.defaults += 1
    if before and not in_default:
        ledger.defaults -= 1
    ledger.accounts[account].in_default = in_default
