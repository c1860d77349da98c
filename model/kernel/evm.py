"""Checked integer arithmetic of Solidity 0.8: what overflows panics, what divides by zero panics.

EVM-1 is Panic(0x11), arithmetic overflow or underflow. EVM-2 is Panic(0x12), division by zero.
"""

from marginspec.model.kernel.machine import Rejected
from marginspec.model.kernel.numbers import UINT256_MAX


def checked(value: int, high: int = UINT256_MAX) -> int:
    """`value` as an unsigned integer up to `high`; EVM-1 when it does not fit.

    post: 0 <= __return__ <= high and __return__ == value
    raises: Rejected
    """
    if value < 0 or value > high:
        raise Rejected("EVM-1")
    return value


def mul_div_down(x: int, y: int, d: int) -> int:
    """floor(x * y / d) for unsigned x, y, d; EVM-1 when x * y exceeds 256 bits, then EVM-2 when d is zero.

    pre: x >= 0 and y >= 0 and d >= 0
    post: __return__ * d <= x * y < (__return__ + 1) * d
    raises: Rejected
    """
    product = checked(x * y)
    if d == 0:
        raise Rejected("EVM-2")
    return product // d


def mul_div_up(x: int, y: int, d: int) -> int:
    """ceil(x * y / d) for unsigned x, y, d, as Solidity's (x * y + (d - 1)) / d; EVM-1 when any step overflows.

    pre: x >= 0 and y >= 0 and d >= 0
    post: (__return__ - 1) * d < x * y <= __return__ * d
    raises: Rejected
    """
    product = checked(x * y)
    checked(product + checked(d - 1))
    # The same value as (product + d - 1) // d on integers, and exact under the prover's relaxation, which that is not.
    return -(-product // d)


def saturating_sub(x: int, y: int) -> int:
    """max(0, x - y).

    post: __return__ >= 0 and (__return__ == x - y or (__return__ == 0 and y >= x))
    """
    return x - y if x > y else 0


def div_down(x: int, d: int) -> int:
    """floor(x / d) for unsigned x and positive d.

    pre: x >= 0 and d > 0
    post: __return__ * d <= x < (__return__ + 1) * d
    """
    return x // d
