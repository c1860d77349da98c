# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Token: an ERC-20 of a run
@notice Balances can be set, and it can be made to charge for transfers, and to fail. Not for use outside of tests.
@license Apache-2.0
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

implements: IERC20Detailed

PPM: constant(uint256) = 10**6

decimals: public(immutable(uint8))
name: public(String[32])
symbol: public(String[32])
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
fee: public(uint256)  # of every transfer, ppm, rounded up; it is kept from what the receiver gets
fault: public(uint256)  # of transfers: 0 none, 1 answers nothing, 2 answers false and moves nothing, 3 reverts


@deploy
def __init__(symbol: String[32], digits: uint8):
    self.name = symbol
    self.symbol = symbol
    decimals = digits


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
@raw_return
def transfer(to: address, amount: uint256) -> Bytes[32]:
    return self._transfer(msg.sender, to, amount)


@external
@raw_return
def transferFrom(owner: address, to: address, amount: uint256) -> Bytes[32]:
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert allowed >= amount, "insufficient allowance"
    if allowed != max_value(uint256):
        self.allowance[owner][msg.sender] = allowed - amount
    return self._transfer(owner, to, amount)


@internal
def _transfer(owner: address, to: address, amount: uint256) -> Bytes[32]:
    assert self.fault != 3, "LED-10"
    if self.fault == 2:
        return abi_encode(False)
    self._move(owner, to, amount)
    if self.fault == 1:
        return b""
    return abi_encode(True)


@internal
def _move(owner: address, to: address, amount: uint256):
    assert self.balanceOf[owner] >= amount, "insufficient balance"
    charged: uint256 = (amount * self.fee + PPM - 1) // PPM
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - charged
    self.totalSupply -= charged
    log IERC20.Transfer(sender=owner, receiver=to, value=amount - charged)
    if charged != 0:
        log IERC20.Transfer(sender=owner, receiver=empty(address), value=charged)


@external
def set_balance(account: address, amount: uint256):
    """
    @notice Give an account exactly `amount`
    """
    self.totalSupply = self.totalSupply - self.balanceOf[account] + amount
    self.balanceOf[account] = amount


@external
def set_fault(fault: uint256):
    """
    @notice Fail in this way from now on
    """
    self.fault = fault


@external
def set_fee(fee: uint256):
    """
    @notice Charge so much of every transfer from now on, ppm
    """
    self.fee = fee
