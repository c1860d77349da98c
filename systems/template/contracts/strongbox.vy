# pragma version 0.4.3
"""
@title Strongbox: put tokens in, take your own out again
@license Apache-2.0
"""

from ethereum.ercs import IERC20

TOKEN: immutable(IERC20)

total: public(uint256)
deposits: public(HashMap[address, uint256])


@deploy
def __init__(token: IERC20):
    TOKEN = token


@external
def deposit(amount: uint256):
    assert amount != 0, "zero amount"
    assert extcall TOKEN.transferFrom(msg.sender, self, amount)
    self.deposits[msg.sender] += amount
    self.total += amount


@external
def withdraw(amount: uint256):
    assert amount != 0, "zero amount"
    assert self.deposits[msg.sender] >= amount, "insufficient balance"
    self.deposits[msg.sender] -= amount
    self.total -= amount
    assert extcall TOKEN.transfer(msg.sender, amount)
