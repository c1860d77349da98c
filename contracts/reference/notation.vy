# pragma version 0.4.3
"""
@title Notation: constants and rounding
@notice Chapter 1 of the specification. Numbers that rules compute with are int256, so that a sign needs no conversion
    and every step is checked; the widths of chapter 1 keep all products within it.
@license Apache-2.0
"""

PPM: constant(int256) = 10**6
QUOTE_PER_UNIT: constant(int256) = 10**6
MAX_AMOUNT: constant(uint256) = 2**96 - 1
MAX_SIZE: constant(uint256) = 2**62 - 1
MAX_PRICE: constant(uint256) = 2**62 - 1

# Token 0 is the settlement asset, tokens 1 and up are the assets with a price, in the order of the specification.
USD: constant(uint256) = 0
TOKENS: constant(uint256) = 3
MARKETS: constant(uint256) = 2
SOURCES: constant(uint256) = 3

# Parameters of a market, by number.
MINIMUM_RATIO: constant(uint256) = 0
MAXIMUM_RATIO: constant(uint256) = 1
INITIAL_GAP: constant(uint256) = 2
BUFFER: constant(uint256) = 3
PENALTY: constant(uint256) = 4
TAKER_FEE: constant(uint256) = 5
MAKER_FEE: constant(uint256) = 6
PARAMETERS: constant(uint256) = 7


@internal
@pure
def down(x: int256, d: int256) -> int256:
    """
    @notice floor(x / d), towards minus infinity; d is positive
    """
    quotient: int256 = x // d  # towards zero
    if quotient * d > x:
        quotient -= 1
    return quotient


@internal
@pure
def up(x: int256, d: int256) -> int256:
    """
    @notice ceil(x / d), towards plus infinity; d is positive
    """
    return -self.down(-x, d)


@internal
@pure
def positive(amount: uint256, bound: uint256) -> int256:
    """
    @notice NOT-1, NOT-3: an amount that must not be zero
    """
    assert 1 <= amount and amount <= bound, "NOT-1"
    return convert(amount, int256)


@internal
@pure
def at_most(amount: uint256, bound: uint256) -> int256:
    """
    @notice NOT-2, NOT-4: a value that may be zero
    """
    assert amount <= bound, "NOT-2"
    return convert(amount, int256)
