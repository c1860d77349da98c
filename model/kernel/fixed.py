"""Division of signed integers with the rounding in the name; nothing here refuses, and divisors are positive."""


def div_down(x: int, d: int) -> int:
    """floor(x / d), towards minus infinity.

    pre: d > 0
    post: __return__ * d <= x < (__return__ + 1) * d
    """
    return x // d


def div_up(x: int, d: int) -> int:
    """ceil(x / d), towards plus infinity.

    pre: d > 0
    post: (__return__ - 1) * d < x <= __return__ * d
    """
    return -(-x // d)


def mul_div_down(x: int, y: int, d: int) -> int:
    """floor(x * y / d), towards minus infinity.

    pre: d > 0
    post: __return__ * d <= x * y < (__return__ + 1) * d
    """
    return x * y // d


def mul_div_up(x: int, y: int, d: int) -> int:
    """ceil(x * y / d), towards plus infinity.

    pre: d > 0
    post: (__return__ - 1) * d < x * y <= __return__ * d
    """
    return -(-x * y // d)


def mul_div_toward_zero(x: int, y: int, d: int) -> int:
    """x * y / d, towards zero, as Solidity divides signed integers.

    pre: d > 0
    post: abs(__return__) * d <= abs(x * y) < (abs(__return__) + 1) * d
    """
    product = x * y
    return product // d if product >= 0 else -(-product // d)
