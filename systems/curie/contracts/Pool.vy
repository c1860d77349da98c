# pragma version ~=0.4.0
"""
@title What a market of Curie leaves to others
@notice Stands for a pool of Uniswap v3 and for the price feed of its base token, with the functions that Curie calls.
        Prices, averages and fills are what a run says. Trading does not move the price, and every order is filled.
"""

interface Callback:
    def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[512]): nonpayable

ALL: constant(uint256) = 10**6
UNIT: constant(uint256) = 10**18
FEE: constant(uint256) = 10_000
LIQUIDITY: constant(uint128) = 2**110
SPACING: constant(int24) = 16384

tick: public(int24)
rootX96: public(uint160)
tickOf15Seconds: public(int24)
tickOf15Minutes: public(int24)
tickOf30Minutes: public(int24)
fill: public(uint256)
index: public(uint256)
indexTwap: public(uint256)
token0: public(address)
token1: public(address)


@external
def setTokens(base: address, quote: address):
    self.token0 = base
    self.token1 = quote


# --- What a run says ---


@external
def setPrices(tick: int24, of15Seconds: int24, of15Minutes: int24, of30Minutes: int24, rootX96: uint160):
    self.tick = tick
    self.rootX96 = rootX96
    self.tickOf15Seconds = of15Seconds
    self.tickOf15Minutes = of15Minutes
    self.tickOf30Minutes = of30Minutes


@external
def setFill(price: uint256):
    self.fill = price


@external
def setIndex(price: uint256, twap: uint256):
    self.index = price
    self.indexTwap = twap


# --- The pool ---


@external
@view
def slot0() -> (uint160, int24, uint16, uint16, uint16, uint8, bool):
    return self.rootX96, self.tick, 0, 1, 1, 0, True


@external
@view
def liquidity() -> uint128:
    return LIQUIDITY


@external
@view
def tickSpacing() -> int24:
    return SPACING


@external
@view
def tickBitmap(word: int16) -> uint256:
    return 0


@external
@view
def observe(secondsAgos: DynArray[uint32, 2]) -> (DynArray[int56, 2], DynArray[uint160, 2]):
    seconds: int256 = convert(secondsAgos[0], int256) - convert(secondsAgos[1], int256)
    average: int24 = self.tickOf15Minutes
    if seconds == 15:
        average = self.tickOf15Seconds
    elif seconds == 1800:
        average = self.tickOf30Minutes
    return [0, convert(convert(average, int256) * seconds, int56)], [0, 0]


@external
def swap(
    recipient: address, zeroForOne: bool, amountSpecified: int256, sqrtPriceLimitX96: uint160, data: Bytes[512]
) -> (int256, int256):
    assert amountSpecified != 0, "AS"
    if zeroForOne:
        assert sqrtPriceLimitX96 < self.rootX96, "SPL"
    else:
        assert sqrtPriceLimitX96 > self.rootX96, "SPL"
    base: uint256 = 0
    quote: uint256 = 0
    isExactInput: bool = amountSpecified > 0
    amount: uint256 = convert(abs(amountSpecified), uint256)
    if zeroForOne and isExactInput:
        base = amount
        quote = amount * (ALL - FEE) // ALL * self.fill // UNIT
    elif zeroForOne:
        quote = amount
        base = self._up(self._up(amount * UNIT, self.fill) * ALL, ALL - FEE)
    elif isExactInput:
        quote = amount
        base = amount * (ALL - FEE) // ALL * UNIT // self.fill
    else:
        base = amount
        quote = self._up(self._up(amount * self.fill, UNIT) * ALL, ALL - FEE)
    amount0: int256 = convert(base, int256) if zeroForOne else -convert(base, int256)
    amount1: int256 = -convert(quote, int256) if zeroForOne else convert(quote, int256)
    extcall Callback(msg.sender).uniswapV3SwapCallback(amount0, amount1, data)
    return amount0, amount1


@internal
@pure
def _up(x: uint256, y: uint256) -> uint256:
    return (x + y - 1) // y


# --- The price feed ---


@external
@view
def decimals() -> uint8:
    return 18


@external
@view
def getDispatchedPrice(interval: uint256) -> uint256:
    return self.index if interval == 0 else self.indexTwap


@external
def dispatchPrice(interval: uint256):
    pass
