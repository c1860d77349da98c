"""Parameters of a market, settings of all markets, and the values that OP mainnet had for them.

Source: `publish/deployed/mainnet-ovm/perpsv2-markets.json` and `index.js` of npm package `synthetix` 2.102.1.
"""

from dataclasses import dataclass

from marginspec.model.deployed.perps_v2.notation import UNIT, Fraction, Money, Multiple, Positive, Preset, SizeLimit
from marginspec.model.kernel import Record


@dataclass(slots=True)
class Parameters(Record):
    """What the owner sets for one market. Fractions, multiples and sizes are at the scale 10^18."""

    taker_fee: Fraction
    maker_fee: Fraction
    max_leverage: Multiple
    max_market_value: SizeLimit
    max_funding_velocity: Fraction
    skew_scale: Positive
    liquidation_premium_multiplier: Fraction
    liquidation_buffer_ratio: Fraction
    max_liquidation_delta: Fraction
    max_pd: Fraction


@dataclass(slots=True)
class Settings(Record):
    """What the owner sets for all markets."""

    min_initial_margin: Money
    min_keeper_fee: Money
    max_keeper_fee: Money
    liquidation_fee_ratio: Fraction
    keeper_liquidation_fee: Money


SETTINGS_OF_MAINNET = Settings(40 * UNIT, UNIT, 1000 * UNIT, UNIT * 35 // 10_000, 2 * UNIT)

# In millionths, but for sizes, which are whole: taker fee, maker fee, leverage, market size, velocity, skew scale, ….
# The fees are those of orders that are executed later at an off-chain price, by which mainnet traded; orders at once,
# which are what is modelled, cost 30 % there, so that nobody should use them.
_MAINNET = {
    "sETHPERP": (600, 1, 55_000_000, 22_300, 9_000_000, 1_000_000, 1_562_500, 7_500, 601, 1_202),
    "sSOLPERP": (800, 200, 27_500_000, 385_449, 9_000_000, 1_750_000, 1_562_500, 10_000, 1_000, 2_000),
    "sLINKPERP": (800, 200, 27_500_000, 230_000, 36_000_000, 3_000_000, 1_562_500, 10_000, 1_000, 2_000),
    "sAVAXPERP": (1_000, 200, 27_500_000, 75_000, 36_000_000, 1_425_000, 1_562_500, 12_100, 1_200, 2_400),
    "sMATICPERP": (800, 200, 27_500_000, 0, 36_000_000, 75_000_000, 1_562_500, 10_000, 1_000, 2_000),
}
PRESETS = tuple(Preset(name) for name in _MAINNET)


def mainnet(preset: Preset) -> Parameters:
    """Return the parameters of a market of mainnet."""
    taker, maker, leverage, value, velocity, scale, *rest = _MAINNET[preset]
    millionth = UNIT // 10**6
    fractions = [each * millionth for each in rest]
    return Parameters(
        taker * millionth,
        maker * millionth,
        leverage * millionth,
        value * UNIT,
        velocity * millionth,
        scale * UNIT,
        *fractions,
    )


def at_velocity(known: Parameters, velocity: int) -> Parameters:
    """Return the same parameters with another greatest velocity of funding."""
    return Parameters(
        known.taker_fee,
        known.maker_fee,
        known.max_leverage,
        known.max_market_value,
        velocity,
        known.skew_scale,
        known.liquidation_premium_multiplier,
        known.liquidation_buffer_ratio,
        known.max_liquidation_delta,
        known.max_pd,
    )
