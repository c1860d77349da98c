"""Identifiers, units and arithmetic of Aave v3. Rules: `spec/deployed/aave-v3.md`."""

from typing import Annotated, NewType

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_down
from marginspec.model.kernel.numbers import UINT256_MAX, UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
Asset = NewType("Asset", str)
Mode = NewType("Mode", str)
Preset = NewType("Preset", str)
Operator = NewType("Operator", str)

TREASURY = Account("treasury")
NO_MODE = Mode("none")
CONFIGURATOR = Operator("configurator")

RAY = 10**27
WAD = 10**18
PERCENT = 10_000
YEAR = 365 * 24 * 60 * 60
DAY = 24 * 60 * 60
ALL = UINT256_MAX
"""As an amount to withdraw or repay: everything."""

HALF_RAY = RAY // 2
HALF_PERCENT = PERCENT // 2
RAY_PER_WAD = RAY // WAD

# What a run passes. Within these nothing reaches the widths of the contracts: see "Widths" in the spec.
_AMOUNTS = (1, 2, 10**6, 10**8, 10**9, 10**12, 10**16, 10**18, 10**20)
Amount = Annotated[int, Number(0, 10**27, "base units", typical=_AMOUNTS)]
AmountOrAll = Annotated[int, Number(0, UINT256_MAX, "base units", typical=(*_AMOUNTS, ALL))]
Price = Annotated[
    int, Number(0, 10**16, "US dollars per whole asset", 10**8, typical=(10**8, 1700 * 10**8, 2000 * 10**8, 10**13))
]
Seconds = Annotated[int, Number(1, YEAR, "seconds", typical=(1, 2, 12, 3600, DAY, 30 * DAY, YEAR))]

# What a state holds.
Units = Annotated[int, Number(0, UNBOUNDED, "base units", typical=(10**9, 10**18, 10**20))]
Scaled = Annotated[int, Number(0, UNBOUNDED, "base units by the index", typical=(1, 10**9, 10**18))]
Index = Annotated[int, Number(RAY, UNBOUNDED, "fraction", RAY, typical=(RAY, RAY * 11 // 10))]
KeptIndex = Annotated[int, Number(0, UNBOUNDED, "fraction", RAY, typical=(0, RAY))]
Rate = Annotated[int, Number(0, UNBOUNDED, "per year", RAY, typical=(0, RAY // 25))]
Ratio = Annotated[int, Number(1, RAY - 1, "fraction", RAY, typical=(RAY * 8 // 10,))]
Percent = Annotated[int, Number(0, PERCENT, "fraction", PERCENT, typical=(0, 1000, 8000, 8250))]
Bonus = Annotated[int, Number(PERCENT + 1, 2 * PERCENT, "fraction", PERCENT, typical=(10_500,))]
Cap = Annotated[int, Number(0, 2**36 - 1, "whole assets", typical=(0, 10**6))]
Unit = Annotated[int, Number(1, UNBOUNDED, "base units", typical=(10**6, 10**8, 10**18))]
Timestamp = Annotated[int, Number(0, UNBOUNDED, "seconds", typical=(1_700_000_000, 1_700_003_600))]


def ray_mul(x: int, y: int) -> int:
    """NUM-1: x * y at the scale 10^27, to the nearest, half up."""
    return div_down(x * y + HALF_RAY, RAY)


def ray_div(x: int, y: int) -> int:
    """NUM-2: x / y at the scale 10^27, to the nearest, half up; y is positive."""
    return div_down(x * RAY + div_down(y, 2), y)


def wad_div(x: int, y: int) -> int:
    """NUM-3: x / y at the scale 10^18, to the nearest, half up; y is positive."""
    return div_down(x * WAD + div_down(y, 2), y)


def percent_mul(x: int, y: int) -> int:
    """NUM-4: x * y, y in hundredths of a percent, to the nearest, half up."""
    return div_down(x * y + HALF_PERCENT, PERCENT)


def percent_div(x: int, y: int) -> int:
    """NUM-5: x / y, y in hundredths of a percent and positive, to the nearest, half up."""
    return div_down(x * PERCENT + div_down(y, 2), y)
