# pragma version 0.4.3
"""
@title Collateral: what comes in, what leaves, what of it counts
@notice Chapter 4 of the specification but for the values, which are where margin is computed.
@license Apache-2.0
"""

import ledger
import notation

uses: ledger


@internal
def add(account: uint256, asset: uint256, amount: int256):
    """
    @notice COL-4: count a deposit by what the venue holds of the asset already
    """
    total: int256 = ledger.held[asset]
    assert total + amount <= ledger.cap[asset], "COL-6"
    ledger.accounts[account].collateral[asset].amount += amount
    ledger.accounts[account].collateral[asset].counted += self._tiers(asset, total + amount) - self._tiers(asset, total)


@internal
@view
def _tiers(asset: uint256, total: int256) -> int256:
    """
    @notice COL-3
    """
    first: int256 = min(total, ledger.asset_terms[asset].tier_1)
    return first + notation.down(min(total, ledger.asset_terms[asset].tier_2) - first, 2)


@internal
def take(account: uint256, asset: uint256, amount: int256) -> int256:
    """
    @notice COL-5: remove collateral with its part of the count; the count removed
    """
    held: int256 = ledger.accounts[account].collateral[asset].amount
    assert amount <= held, "COL-7"
    counted: int256 = ledger.accounts[account].collateral[asset].counted
    part: int256 = notation.up(counted * amount, held)  # COL-8
    ledger.accounts[account].collateral[asset].amount = held - amount
    ledger.accounts[account].collateral[asset].counted = counted - part
    return part


@internal
@view
def has_none(account: uint256):
    """
    @notice DEF-2
    """
    for asset: uint256 in range(1, notation.TOKENS):
        assert ledger.accounts[account].collateral[asset].amount == 0, "DEF-2"
