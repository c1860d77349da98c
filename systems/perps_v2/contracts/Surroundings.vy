# pragma version ~=0.4.0
"""
@title What a market of PerpsV2 leaves to others
@notice Stands for ExchangeRates, Exchanger, FeePool and the token sUSD of Synthetix, with the functions that a market
        and its manager call. Prices, fees and balances are what a run says.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

FEE_ADDRESS: public(constant(address)) = 0xfeEFEEfeefEeFeefEEFEEfEeFeefEEFeeFEEFEeF

price: public(uint256)
stale: public(bool)
dynamicFee: public(uint256)
tooVolatile: public(bool)
balanceOf: public(HashMap[address, uint256])
feesPaid: public(uint256)


# --- What a run says ---


@external
def setPrice(price: uint256):
    self.price = price
    self.stale = False


@external
def setStale():
    self.stale = True


@external
def setDynamicFee(fee: uint256):
    self.dynamicFee = fee
    self.tooVolatile = False


@external
def setTooVolatile():
    self.tooVolatile = True


@external
def setBalance(account: address, amount: uint256):
    self.balanceOf[account] = amount


# --- ExchangeRates ---


@external
@view
def rateWithSafetyChecks(currency: bytes32) -> (uint256, bool, bool):
    return self.price, False, self.stale


@external
@view
def rateAndInvalid(currency: bytes32) -> (uint256, bool):
    return self.price, self.stale


# --- Exchanger ---


@external
@view
def dynamicFeeRateForExchange(source: bytes32, destination: bytes32) -> (uint256, bool):
    return self.dynamicFee, self.tooVolatile


@external
def settle(account: address, currency: bytes32) -> (uint256, uint256, uint256):
    return 0, 0, 0


# --- sUSD, which issues and burns without checks of its own but for the balance ---


@external
def issue(account: address, amount: uint256):
    self.balanceOf[account] += amount
    log Transfer(sender=empty(address), receiver=account, amount=amount)


@external
def burn(account: address, amount: uint256):
    assert self.balanceOf[account] >= amount, "SafeMath: subtraction overflow"
    self.balanceOf[account] -= amount
    log Transfer(sender=account, receiver=empty(address), amount=amount)


# --- FeePool ---


@external
def recordFeePaid(amount: uint256):
    self.feesPaid += amount
