# pragma version 0.4.3
"""
@title Vault: shares in a pot of tokens
@notice A deposit mints shares, a withdrawal burns them. Tokens that are sent to the vault make every share worth more.
        Rounding is in favour of the vault, so nobody gains at the cost of the others.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

UP: constant(bool) = True
DOWN: constant(bool) = False

TOKEN: immutable(IERC20)

total_shares: public(uint256)
shares: public(HashMap[address, uint256])


@deploy
def __init__(token: IERC20):
    TOKEN = token


@external
def deposit(assets: uint256) -> uint256:
    assert assets != 0, "zero amount"
    minted: uint256 = self._to_shares(assets, DOWN)
    assert extcall TOKEN.transferFrom(msg.sender, self, assets)
    self.shares[msg.sender] += minted
    self.total_shares += minted
    return minted


@external
def withdraw(assets: uint256) -> uint256:
    assert assets != 0, "zero amount"
    burnt: uint256 = self._to_shares(assets, DOWN)
    assert self.shares[msg.sender] >= burnt, "insufficient balance"
    self.shares[msg.sender] -= burnt
    self.total_shares -= burnt
    assert extcall TOKEN.transfer(msg.sender, assets)
    return burnt


@internal
@view
def _to_shares(assets: uint256, rounding: bool) -> uint256:
    # One share and one token more than there are: an empty vault has a price too, and the first depositor cannot set it.
    product: uint256 = assets * (self.total_shares + 1)
    divisor: uint256 = staticcall TOKEN.balanceOf(self) + 1
    return (product + divisor - 1) // divisor if rounding == UP else product // divisor
