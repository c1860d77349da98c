"""Units of chapters 11 and 12. Rules: `spec/reference/12-options.md`."""

from typing import Annotated

from marginspec.model.kernel import Number

WAD = 10**18
YEAR = 31_536_000
MAX_REAL = 2**127 - 1

# A real number x is held as the integer x * WAD, within one unit.
Real = Annotated[int, Number(-MAX_REAL, MAX_REAL, "10^-18", WAD, typical=(0, WAD, -WAD, 2000 * WAD))]
Positive = Annotated[int, Number(0, MAX_REAL, "10^-18", WAD, typical=(0, WAD, 2000 * WAD, WAD // 2))]
Chance = Annotated[int, Number(0, WAD, "10^-18", WAD, typical=(0, WAD // 2, WAD, WAD // 10))]
Seconds = Annotated[int, Number(0, 2**40, "seconds", typical=(0, 86_400, 7 * 86_400, YEAR))]


def above_zero(x: int) -> int:
    """max(x, 0)."""
    return x if x > 0 else 0


def below_zero(x: int) -> int:
    """min(x, 0)."""
    return x if x < 0 else 0


def magnitude(x: int) -> int:
    """|x|."""
    return x if x >= 0 else -x
