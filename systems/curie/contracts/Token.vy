# pragma version ~=0.4.0
"""
@title The settlement token
@notice A token of six decimals that moves what it is asked to or reverts. Whoever may spend what is not asked for.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

balanceOf: public(HashMap[address, uint256])


# --- What a run says ---


@external
def setBalance(account: address, amount: uint256):
    self.balanceOf[account] = amount


# --- The token ---


@external
@view
def decimals() -> uint8:
    return 6


@external
def approve(spender: address, amount: uint256) -> bool:
    return True


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self._move(msg.sender, receiver, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, amount: uint256) -> bool:
    self._move(sender, receiver, amount)
    return True


@internal
def _move(sender: address, receiver: address, amount: uint256):
    assert self.balanceOf[sender] >= amount, "insufficient balance"
    self.balanceOf[sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=sender, receiver=receiver, amount=amount)
