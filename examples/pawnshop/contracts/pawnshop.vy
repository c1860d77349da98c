# pragma version 0.4.3
"""
@title Pawnshop: pledge coins, borrow cash against them, lose them where the debt exceeds its limit
@license Apache-2.0
"""

from ethereum.ercs import IERC20

event Pledged:
    user: indexed(address)
    amount: uint256

SCALE: constant(uint256) = 10**6
LIMIT: constant(uint256) = 80
SALE: constant(uint256) = 95

COIN: immutable(IERC20)
CASH: immutable(IERC20)
FEED: immutable(address)

price: public(uint256)
pledged: public(HashMap[address, uint256])
debt: public(HashMap[address, uint256])
total_debt: public(uint256)
written_off: public(uint256)


@deploy
def __init__(coin: IERC20, cash: IERC20, price: uint256):
    COIN = coin
    CASH = cash
    FEED = msg.sender
    self.price = price


@external
def set_price(price: uint256):
    assert msg.sender == FEED, "not the feed"
    self.price = price


@external
def pledge(amount: uint256):
    assert amount != 0, "zero amount"
    assert extcall COIN.transferFrom(msg.sender, self, amount)
    self.pledged[msg.sender] += amount
    log Pledged(user=msg.sender, amount=amount)


@external
def redeem(amount: uint256):
    assert amount != 0, "zero amount"
    assert self.pledged[msg.sender] >= amount, "not pledged"
    self.pledged[msg.sender] -= amount
    assert self.debt[msg.sender] <= self._limit(msg.sender), "above the limit"
    assert extcall COIN.transfer(msg.sender, amount)


@external
def borrow(amount: uint256):
    assert amount != 0, "zero amount"
    self.debt[msg.sender] += amount
    self.total_debt += amount
    assert self.debt[msg.sender] <= self._limit(msg.sender), "above the limit"
    assert extcall CASH.transfer(msg.sender, amount)


@external
def repay(amount: uint256):
    assert amount != 0, "zero amount"
    assert self.debt[msg.sender] >= amount, "not owed"
    self.debt[msg.sender] -= amount
    self.total_debt -= amount
    assert extcall CASH.transferFrom(msg.sender, self, amount)


@external
def liquidate(borrower: address) -> (uint256, uint256):
    debt: uint256 = self.debt[borrower]
    assert debt > self._limit(borrower), "within the limit"
    seized: uint256 = self.pledged[borrower]
    paid: uint256 = min(debt, seized * self.price // SCALE * SALE // 100)
    self.debt[borrower] = 0
    self.total_debt -= debt
    self.written_off += debt - paid
    self.pledged[borrower] = 0
    assert extcall CASH.transferFrom(msg.sender, self, paid)
    assert extcall COIN.transfer(msg.sender, seized)
    return seized, paid


@view
def _limit(user: address) -> uint256:
    return self.pledged[user] * self.price // SCALE * LIMIT // 100
