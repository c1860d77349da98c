"""Identifiers, units and arithmetic of PerpsV2. Rules: `spec/deployed/perps-v2.md`."""

from typing import Annotated, NewType

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import mul_div_toward_zero
from marginspec.model.kernel.numbers import UINT256_MAX, UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
Preset = NewType("Preset", str)

FEE_POOL, NOBODY = Account("fee pool"), Account("nobody")

UNIT = 10**18
DAY = 24 * 60 * 60
MILLI = UNIT // 1000
LEVERAGE_HEADROOM = UNIT // 100

# What a run passes. Within these nothing reaches the widths of the contract: see "Widths" in the spec.
MarginDelta = Annotated[
    int, Number(-(10**27), 10**27, "sUSD", UNIT, typical=(5 * 10**19, 6 * 10**19, 10**20, 10**22, -(10**19), -(10**21)))
]
SizeDelta = Annotated[
    int,
    Number(
        -(10**24), 10**24, "size", UNIT, typical=(10**18, -(10**18), 5 * 10**17, -(7 * 10**17), 10**20, -(10**21), 1)
    ),
]
FillLimit = Annotated[int, Number(0, UINT256_MAX, "price", UNIT, typical=(0, 10**25, 2000 * UNIT))]
Price = Annotated[int, Number(0, 10**25, "price", UNIT, typical=(2000 * UNIT, 1980 * UNIT, 2020 * UNIT, 1900 * UNIT))]
Rate = Annotated[int, Number(0, UNIT, "fraction", UNIT, typical=(10**15, 10**16))]
Velocity = Annotated[int, Number(0, 100 * UNIT, "fraction", UNIT, typical=(9 * UNIT, 36 * UNIT, 100 * UNIT))]
Seconds = Annotated[int, Number(1, 7 * DAY, "seconds", typical=(1, 12, 60, 3600, DAY, 7 * DAY))]
Funds = Annotated[int, Number(0, 10**27, "sUSD", UNIT, typical=(10**22, 10**24))]

# What a state holds.
Money = Annotated[int, Number(0, UNBOUNDED, "sUSD", UNIT, typical=(10**20, 10**21, 10**22))]
SignedMoney = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "sUSD", UNIT, typical=(0, 10**22, -(10**24)))]
Size = Annotated[
    int, Number(-UNBOUNDED, UNBOUNDED, "size", UNIT, typical=(10**18, -(10**19), 2 * 10**24, -2 * 10**24, 1, -1))
]
TotalSize = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "size", UNIT, typical=(10**20, 10**21))]
StoredPrice = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "price", UNIT, typical=(2000 * UNIT, 1900 * UNIT))]
Funding = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "sUSD per size", UNIT, typical=(0, 10**18, -(10**17)))]
FundingRate = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "per day", UNIT, typical=(0, 10**15, -(10**15)))]
SizeLimit = Annotated[int, Number(0, UNBOUNDED, "size", UNIT, typical=(10**22, 10**23))]
Fraction = Annotated[int, Number(0, UNBOUNDED, "fraction", UNIT, typical=(10**15, 75 * 10**14, 10**16, 0))]
Positive = Annotated[int, Number(1, UNBOUNDED, "size", UNIT, typical=(10**24,))]
Multiple = Annotated[int, Number(UNIT, UNBOUNDED, "multiple", UNIT, typical=(55 * UNIT, 27 * UNIT))]
Count = Annotated[int, Number(0, UNBOUNDED, "entries", typical=(0, 1, 2))]
Entries = Annotated[int, Number(1, UNBOUNDED, "entries", typical=(1, 2, 3))]
Timestamp = Annotated[int, Number(0, UNBOUNDED, "seconds", typical=(1_700_000_000, 1_700_003_600))]


def multiply(x: int, y: int) -> int:
    """NUM-1: x * y, each at the scale 10^18, towards zero."""
    return mul_div_toward_zero(x, y, UNIT)


def divide(x: int, y: int) -> int:
    """NUM-2: x / y at the scale 10^18, towards zero; y is not zero."""
    return mul_div_toward_zero(x, UNIT, y) if y > 0 else mul_div_toward_zero(-x, UNIT, -y)


def magnitude(x: int) -> int:
    """|x|."""
    return x if x >= 0 else -x


def above_zero(x: int) -> int:
    """max(x, 0)."""
    return x if x > 0 else 0


def same_side(x: int, y: int) -> bool:
    """NUM-3: whether two sizes are on one side of the market; zero is on both."""
    return x == 0 or y == 0 or (x > 0) == (y > 0)
