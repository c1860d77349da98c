"""Identifiers, units and arithmetic of Curie. Rules: `spec/deployed/curie.md`."""

from typing import Annotated, NewType

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down
from marginspec.model.kernel.numbers import UINT256_MAX, UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
Market = NewType("Market", str)
Level = NewType("Level", str)

INSURANCE = Account("insurance fund")

UNIT = 10**18
ALL = 10**6
"""A ratio of one, in millionths."""

STEP = 10**12
"""Units of 10^-18 in the least amount of the settlement token."""

Q96 = 2**96
DAY = 24 * 60 * 60
TWAP = 15 * 60
SHORTEST_TWAP = 10
TICK_INTERVAL = 15
DUST = 10
LARGEST_RATIO = 2**24 - 1
WHOLE_BELOW = 100 * UNIT
LARGEST_TICK = 887_272

# What a run passes. Within these nothing reaches the widths of the contracts: see "Widths" in the spec.
Amount = Annotated[int, Number(0, 10**14, "USDC", 10**6, typical=(10**7, 10**8, 10**9, 10**10, 1, 0))]
Funds = Annotated[int, Number(0, 10**13, "USDC", 10**6, typical=(10**12, 10**11, 0))]
OrderAmount = Annotated[
    int,
    Number(
        0, 10**23, "base or quote", UNIT, typical=(9 * 10**21, 5 * 10**21, 10**21, 2 * 10**22, 10**20, 12 * 10**19, 11)
    ),
]
Bound = Annotated[int, Number(0, UINT256_MAX, "base or quote", UNIT, typical=(0, 0, 1, 100 * UNIT))]
SizeGiven = Annotated[
    int, Number(-(10**23), 10**23, "base", UNIT, typical=(0, 0, 0, 10**21, -(10**21), 10**20, -(10**20), 1))
]
FillPrice = Annotated[
    int, Number(10**16, 10**20, "quote per base", UNIT, typical=(UNIT, UNIT, UNIT * 9 // 10, UNIT * 11 // 10))
]
Index = Annotated[
    int,
    Number(
        0, 10**20, "quote per base", UNIT, typical=(UNIT, UNIT, UNIT * 95 // 100, UNIT * 105 // 100, UNIT * 9 // 10)
    ),
]
Seconds = Annotated[int, Number(1, 7 * DAY, "seconds", typical=(1, 5, 12, 15, 60, 900, 3600, DAY))]

# What a state holds.
Money = Annotated[int, Number(0, UNBOUNDED, "USDC", 10**6, typical=(10**7, 10**9, 10**12))]
SignedMoney = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "USDC", 10**6, typical=(0, 10**9, -(10**8)))]
Owed = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "USDC", UNIT, typical=(0, 10**19, -(10**20), 1, -1))]
Size = Annotated[
    int, Number(-UNBOUNDED, UNBOUNDED, "base", UNIT, typical=(10**21, -(10**21), 10**20, -(10**20), 9, -9))
]
Notional = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "quote", UNIT, typical=(-(10**21), 10**21, 9, -9))]
Growth = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "quote seconds per base", Q96, typical=(0, Q96, -Q96))]
Root = Annotated[int, Number(1, UNBOUNDED, "root of quote per base", Q96, typical=(Q96, Q96 * 9 // 10))]
AnyTick = Annotated[int, Number(-LARGEST_TICK, LARGEST_TICK, "tick", typical=(0, -100, 500))]
Price = Annotated[int, Number(0, UNBOUNDED, "quote per base", UNIT, typical=(UNIT, UNIT * 95 // 100, 0))]
PositivePrice = Annotated[int, Number(1, UNBOUNDED, "quote per base", UNIT, typical=(UNIT, UNIT * 95 // 100))]
Ratio = Annotated[int, Number(0, ALL, "fraction", ALL, typical=(100_000, 62_500, 25_000, 0, ALL))]
Fee = Annotated[int, Number(0, ALL - 1, "fraction", ALL, typical=(1_000, 10_000, 0))]
Ticks = Annotated[int, Number(1, 1000, "ticks", typical=(1000, 1))]
Liquidity = Annotated[int, Number(1, UNBOUNDED, "root of base times quote", typical=(2**110,))]
Timestamp = Annotated[int, Number(0, UNBOUNDED, "seconds", typical=(0, 1_700_000_000, 1_700_003_600))]

# One and a ten-thousandth to the power of -2^k / 2, at the scale 2^128: of Uniswap's TickMath.
FACTORS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)


def root_of(tick: int) -> int:
    """The root of the price of a tick, X96, rounded up, as Uniswap's TickMath has it."""
    root, rest = 2**128, magnitude(tick)
    for factor in FACTORS:
        if rest % 2 == 1:
            root = mul_div_down(root, factor, 2**128)
        rest = div_down(rest, 2)
    if tick > 0:
        root = div_down(UINT256_MAX, root)
    return div_up(root, 2**32)


def price_of(root: int) -> int:
    """NUM-4: the price of a root X96, D18, each step rounded down."""
    return mul_div_down(mul_div_down(root, root, Q96), UNIT, Q96)


def magnitude(x: int) -> int:
    """|x|."""
    return x if x >= 0 else -x


def is_dust(x: int) -> bool:
    """NUM-1: whether a size or notional is less than ten units, of either sign."""
    return (x > -DUST) & (x < DUST)


def above_zero(x: int) -> int:
    """max(x, 0)."""
    return x if x > 0 else 0


def median(x: int, y: int, z: int) -> int:
    """NUM-3: the middle one of three."""
    return max(min(x, y), min(max(x, y), z))


def in_token(amount: int) -> int:
    """NUM-2: an amount at the scale 10^18 in units of the settlement token, rounded down, be it negative or not."""
    return div_down(amount, STEP)
