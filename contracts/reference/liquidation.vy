# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidation: the least that restores an account, at a capped penalty
@notice Chapter 8 of the specification.
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

LIQUIDATOR_SHARE: constant(int256) = 500_000
SEIZURE_DISCOUNT: constant(int256) = 40_000


event Liquidated:
    liquidator: indexed(uint256)
    account: indexed(uint256)
    market: indexed(uint256)
    most: uint256
    closed: int256
    mark: int256
    penalty: int256
    reward: int256


event CollateralSeized:
    liquidator: indexed(uint256)
    account: indexed(uint256)
    asset: indexed(uint256)
    amount: int256
    paid: int256


@external
def liquidate(index: uint256, owner: address, owner_index: uint256, market: uint256, most: uint256) -> (int256, int256):
    """
    @notice LIQ-1: take over the least of a position that restores an account below maintenance
    @param index Which of the caller's accounts takes the position over
    @param most Size units at most
    @return Size taken over, and the penalty
    """
    ledger.not_settling()
    offered: int256 = notation.positive(most, notation.MAX_SIZE)
    liquidator: uint256 = ledger.own(index)
    account: uint256 = ledger.account_number[owner][owner_index]
    assert liquidator != account, "LIQ-2"
    assert not ledger.accounts[account].in_default, "LIQ-3"
    size: int256 = ledger.accounts[account].positions[market].size
    assert size != 0, "LIQ-4"
    positions.settle(account)
    positions.settle(liquidator)
    health: margin.Health = margin.health(account, True)
    assert health.equity < health.maintenance, "LIQ-5"

    mark: int256 = margin.mark(market)
    closed: int256 = self._size_to_close(market, abs(size), offered, health)
    penalty: int256 = notation.down(closed * mark * ledger.parameters[market][notation.PENALTY], notation.PPM)
    penalty = min(penalty, max(health.equity, 0))  # LIQ-8
    reward: int256 = notation.down(penalty * LIQUIDATOR_SHARE, notation.PPM)  # LIQ-11

    bought: int256 = closed
    if size < 0:
        bought = -closed
    positions.change(account, market, -bought, -bought * mark)
    positions.change(liquidator, market, bought, bought * mark)
    ledger.accounts[account].cash -= penalty
    ledger.accounts[liquidator].cash += reward
    ledger.insurance += penalty - reward
    margin.needs_initial(liquidator)
    log Liquidated(
        liquidator=liquidator,
        account=account,
        market=market,
        most=most,
        closed=closed,
        mark=mark,
        penalty=penalty,
        reward=reward,
    )
    return closed, penalty


@internal
def _size_to_close(market: uint256, whole: int256, most: int256, health: margin.Health) -> int256:
    """
    @notice LIQ-6, LIQ-9, LIQ-7: what restores maintenance, beyond it up to the buffer as far as the limit allows, and
        no dust left; never more than offered
    """
    asset: uint256 = ledger.market_terms[market].asset
    mark: int256 = ledger.assets[asset].mark
    offered: int256 = min(most, whole)
    ratio: int256 = ledger.markets[market].ratio
    needed: int256 = self._least(market, health.required, health.equity, offered, ratio)
    ratio += ledger.parameters[market][notation.BUFFER]
    extra: int256 = self._least(market, health.buffered, health.equity, offered, ratio) - needed
    # LIQ-9
    extra = min(extra, notation.down(ledger.markets[market].room, mark))
    ledger.markets[market].room -= extra * mark
    closed: int256 = needed + extra
    if (whole - closed) * mark < ledger.market_terms[market].dust:
        return offered
    return closed


@internal
@view
def _least(market: uint256, required: int256, equity: int256, offered: int256, ratio: int256) -> int256:
    """
    @notice LIQ-6: the least size of the offered after which equity is what is required, in millionths
    """
    asset: uint256 = ledger.market_terms[market].asset
    gain: int256 = ledger.assets[asset].high * ratio
    gain -= ledger.assets[asset].mark * ledger.parameters[market][notation.PENALTY]
    return min(offered, notation.up(required - equity * notation.PPM, gain)) if gain > 0 else offered


@external
def seize_collateral(index: uint256, owner: address, owner_index: uint256, asset: uint256, amount: uint256) -> int256:
    """
    @notice LIQ-13: buy collateral of an account with negative equity at a discount, to cover its debt
    @return What is paid for it, quote
    """
    taken: int256 = notation.positive(amount, notation.MAX_AMOUNT)
    assert ledger.settlement_claims == 0, "SET-3"
    liquidator: uint256 = ledger.own(index)
    account: uint256 = ledger.account_number[owner][owner_index]
    assert liquidator != account, "LIQ-2"
    for earlier: uint256 in range(1, notation.TOKENS):
        assert earlier >= asset or ledger.accounts[account].collateral[earlier].amount == 0, "LIQ-14"
    assert taken <= ledger.accounts[account].collateral[asset].amount, "COL-7"
    positions.settle(account)
    positions.settle(liquidator)
    if ledger.settling_since == 0:
        health: margin.Health = margin.health(account, True)
        assert health.equity < 0, "LIQ-15"
    margin.need(asset)
    debt: int256 = -(ledger.accounts[account].cash + margin.unrealised(account, True))
    spare: int256 = max(margin.collateral_at_mark(account) - debt, 0)
    assert self._price_to_seize(asset, taken - 1, spare) < debt, "LIQ-16"

    paid: int256 = self._price_to_seize(asset, taken, spare)
    counted: int256 = collateral.take(account, asset, taken)
    ledger.accounts[liquidator].collateral[asset].amount += taken
    ledger.accounts[liquidator].collateral[asset].counted += counted
    ledger.accounts[account].cash += paid
    ledger.accounts[liquidator].cash -= paid
    assert ledger.accounts[liquidator].cash >= 0, "LIQ-17"
    margin.needs_initial(liquidator)
    log CollateralSeized(liquidator=liquidator, account=account, asset=asset, amount=taken, paid=paid)
    return paid


@internal
@view
def _price_to_seize(asset: uint256, amount: int256, spare: int256) -> int256:
    """
    @notice LIQ-12, and LIQ-19: no more discount than the account has to spare
    """
    value: int256 = notation.up(amount * ledger.assets[asset].mark, ledger.asset_terms[asset].unit)
    return max(notation.up(value * (notation.PPM - SEIZURE_DISCOUNT), notation.PPM), value - spare)
