"""DecimalMath and SignedDecimalMath of Lyra v1: fixed point with 18 decimals, and with 27 inside of a price.

Every step is checked as Solidity 0.8 does: EVM-1 for what does not fit 256 bits, EVM-2 for a division by zero. Rounding
to the nearest is at half a unit away from zero.
"""

from marginspec.model.kernel import Rejected
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down

UNIT = 10**18
PRECISE = 10**27
FINER = 10**9

INT256_MAX = 2**255 - 1
INT256_MIN = -(2**255)
WORDS = 2**256


def checked_int(value: int) -> int:
    """`value` as a signed integer of 256 bits; EVM-1 when it does not fit."""
    if value < INT256_MIN or value > INT256_MAX:
        raise Rejected("EVM-1")
    return value


def to_int256(value: int) -> int:
    """DEC-6: SafeCast.toInt256, which refuses what does not fit."""
    if value > INT256_MAX:
        raise Rejected("DEC-6")
    return value


def div_to_zero(x: int, d: int) -> int:
    """x / d of Solidity for a signed x and a positive d: rounded towards zero."""
    return div_down(x, d) if x >= 0 else -div_down(-x, d)


def multiply(x: int, y: int) -> int:
    """DEC-1: x * y of unsigned numbers with 18 decimals, rounded down."""
    return div_down(checked(x * y), UNIT)


def divide(x: int, y: int) -> int:
    """DEC-2: x / y of unsigned numbers with 18 decimals, rounded down."""
    scaled = checked(x * UNIT)
    if y < 1:
        raise Rejected("EVM-2")
    return div_down(scaled, y)


def nearest(tenths: int) -> int:
    """DEC-3: tenths to the nearest whole, half up. EVM-1 where rounding up does not fit 256 bits."""
    whole = div_down(tenths + 5, 10)
    checked(tenths + 10 * (whole - div_down(tenths, 10)))
    return whole


def divide_nearest(x: int, y: int, unit: int = UNIT) -> int:
    """DEC-4: x / y of unsigned numbers of one scale, rounded to the nearest unit."""
    scaled = checked(x * (10 * unit))
    if y < 1:
        raise Rejected("EVM-2")
    return nearest(div_down(scaled, y))


def multiply_precise(x: int, y: int) -> int:
    """DEC-4: x * y of unsigned numbers with 27 decimals, rounded to the nearest unit."""
    return div_down(div_down(checked(x * y), 10**26) + 5, 10)


def divide_precise(x: int, y: int) -> int:
    """DEC-4: x / y of unsigned numbers with 27 decimals, rounded to the nearest unit."""
    return divide_nearest(x, y, PRECISE)


def to_precise(x: int) -> int:
    """A number with 18 decimals as one with 27."""
    return checked(x * FINER)


def from_precise(x: int) -> int:
    """DEC-4: a number with 27 decimals as one with 18, rounded to the nearest unit."""
    return div_down(div_down(x, 10**8) + 5, 10)


# --- Signed -------------------------------------------------------------------------------------------------------


def signed_multiply(x: int, y: int) -> int:
    """DEC-5: x * y of signed numbers with 18 decimals, rounded towards zero."""
    return div_to_zero(checked_int(x * y), UNIT)


def signed_multiply_precise(x: int, y: int) -> int:
    """DEC-5: x * y of signed numbers with 27 decimals, to the nearest unit, half away from zero."""
    product = checked_int(x * y)
    if product < 0:
        return -div_down(div_down(-product, 10**26) + 5, 10)
    return div_down(div_down(product, 10**26) + 5, 10)


def signed_divide_precise(x: int, y: int) -> int:
    """DEC-5: x / y of signed numbers with 27 decimals, y positive, to the nearest unit, half away from zero."""
    scaled = checked_int(x * (10 * PRECISE))
    if y < 1:
        raise Rejected("EVM-2")
    if scaled < 0:
        return -signed_nearest(div_down(-scaled, y))
    return signed_nearest(div_down(scaled, y))


def signed_nearest(tenths: int) -> int:
    """DEC-5: the size of a signed number in tenths to the nearest whole. EVM-1 where that does not fit."""
    whole = div_down(tenths + 5, 10)
    checked_int(tenths + 10 * (whole - div_down(tenths, 10)))
    return whole


def signed_to_precise(x: int) -> int:
    """A signed number with 18 decimals as one with 27."""
    return checked_int(x * FINER)


def signed_from_precise(x: int) -> int:
    """DEC-5: a signed number with 27 decimals as one with 18, to the nearest unit, half away from zero."""
    if x < 0:
        return -div_down(div_down(-x, 10**8) + 5, 10)
    return div_down(div_down(x, 10**8) + 5, 10)
