"""What risk admins and listings set: terms of a reserve, the curve of its rates, and modes of efficiency."""

from dataclasses import dataclass

from marginspec.model.deployed.aave_v3.notation import (
    NO_MODE,
    RAY,
    Asset,
    Bonus,
    Cap,
    Mode,
    Percent,
    Preset,
    Rate,
    Ratio,
)
from marginspec.model.kernel import Record


@dataclass(slots=True)
class Terms(Record):
    """Configuration of a reserve. A cap of zero is none; `mode` is the mode of efficiency that the asset belongs to."""

    ltv: Percent
    threshold: Percent
    bonus: Bonus
    reserve_factor: Percent
    protocol_fee: Percent
    supply_cap: Cap
    borrow_cap: Cap
    mode: Mode
    is_active: bool = True
    is_frozen: bool = False
    is_borrowable: bool = True
    is_paused: bool = False


@dataclass(slots=True)
class Curve(Record):
    """How rates follow usage: two lines that meet at the optimal usage."""

    optimal: Ratio
    base: Rate
    slope1: Rate
    slope2: Rate
    stable_slope1: Rate
    stable_slope2: Rate
    stable_offset: Rate


@dataclass(slots=True)
class Efficiency(Record):
    """What a mode of efficiency gives its assets; a threshold of zero is no mode at all."""

    ltv: Percent
    threshold: Percent
    bonus: Bonus


ASSETS = WETH, USDC, WBTC = Asset("WETH"), Asset("USDC"), Asset("WBTC")
DECIMALS = {WETH: 18, USDC: 6, WBTC: 8}
MAJORS, UNSET = Mode("majors"), Mode("unset")
MODES = (NO_MODE, MAJORS, UNSET)
EFFICIENCY = {
    NO_MODE: Efficiency(0, 0, 10_001),
    MAJORS: Efficiency(9000, 9300, 10_200),
    UNSET: Efficiency(0, 0, 10_001),
}

_PERCENT = RAY // 100
CURVES: dict[Asset, Curve] = {
    WETH: Curve(80 * _PERCENT, _PERCENT, 4 * _PERCENT, 80 * _PERCENT, _PERCENT // 2, 75 * _PERCENT, 2 * _PERCENT),
    USDC: Curve(90 * _PERCENT, 0, 4 * _PERCENT, 60 * _PERCENT, _PERCENT // 2, 75 * _PERCENT, _PERCENT),
    WBTC: Curve(45 * _PERCENT, 0, 7 * _PERCENT, 300 * _PERCENT, 7 * _PERCENT, 300 * _PERCENT, 0),
}

_USUAL = {
    WETH: Terms(8000, 8250, 10_500, 1000, 1000, 0, 0, MAJORS),
    USDC: Terms(7700, 8000, 10_450, 1500, 0, 0, 0, NO_MODE),
    WBTC: Terms(7000, 7500, 11_000, 0, 1000, 0, 0, MAJORS),
}
PRESETS = tuple(
    Preset(name)
    for name in ("usual", "capped", "worthless", "no collateral", "not borrowable", "frozen", "paused", "inactive")
)


def terms_of(asset: Asset, preset: Preset) -> Terms:
    """Return the usual terms of an asset, changed as a preset says."""
    found = _USUAL[asset].clone()
    if preset == "capped":
        found.supply_cap, found.borrow_cap = 100, 10
    if preset in ("worthless", "no collateral"):
        found.ltv = 0
    if preset == "no collateral":
        found.threshold = 0
    found.is_borrowable = preset != "not borrowable"
    found.is_frozen, found.is_paused = preset == "frozen", preset == "paused"
    found.is_active = preset != "inactive"
    return found
