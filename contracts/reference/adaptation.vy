# pragma version 0.4.3
"""
@title Adaptation: ratios and haircuts follow volatility, announced parameters ramp
@notice Chapter 6 of the specification, MRG-8 to MRG-13, and the haircut asked for of chapter 4. Nothing here runs but
    when a price is accepted.
@license Apache-2.0
"""

import ledger
import notation

uses: ledger

MAX_STEP_TIME: constant(uint256) = 3600
MEMORY: constant(int256) = 86_400
MAX_VOLATILITY: constant(int256) = 10**6
RAMP: constant(int256) = 604_800
TIGHTENING: constant(int256) = 5
RELAXATION: constant(int256) = 1
MAXIMUM_HAIRCUT: constant(int256) = 600_000
HAIRCUT_SENSITIVITY: constant(int256) = 500_000


event Adapted:
    asset: indexed(uint256)
    volatility: int256
    haircut: int256


event RatioChanged:
    market: indexed(uint256)
    ratio: int256


@internal
def adapt(asset: uint256, mark: int256):
    """
    @notice MRG-8: what a new mark changes, before it is stored
    """
    elapsed: int256 = convert(min(block.timestamp - ledger.assets[asset].time, MAX_STEP_TIME), int256)

    # MRG-9
    last: int256 = ledger.assets[asset].mark
    volatility: int256 = ledger.assets[asset].volatility
    volatility -= notation.down(volatility * elapsed, MEMORY)
    volatility = min(MAX_VOLATILITY, volatility + notation.up(abs(mark - last) * notation.PPM, last))
    ledger.assets[asset].volatility = volatility

    # COL-9
    asked: int256 = ledger.asset_terms[asset].minimum_haircut + ledger.assets[asset].spread
    asked = min(MAXIMUM_HAIRCUT, asked + notation.up(volatility * HAIRCUT_SENSITIVITY, notation.PPM))
    haircut: int256 = self._approach(ledger.assets[asset].haircut, asked, elapsed)
    ledger.assets[asset].haircut = haircut
    log Adapted(asset=asset, volatility=volatility, haircut=haircut)

    for market: uint256 in range(notation.MARKETS):
        if ledger.market_terms[market].asset == asset:
            if ledger.markets[market].ramp_at != 0 and block.timestamp >= ledger.markets[market].ramp_at:
                self._ramp(market, elapsed)
            # MRG-11
            target: int256 = max(volatility, ledger.parameters[market][notation.MINIMUM_RATIO])
            target = min(target, ledger.parameters[market][notation.MAXIMUM_RATIO])
            ratio: int256 = self._approach(ledger.markets[market].ratio, target, elapsed)
            ledger.markets[market].ratio = ratio
            log RatioChanged(market=market, ratio=ratio)


@internal
@pure
def _approach(current: int256, target: int256, elapsed: int256) -> int256:
    """
    @notice MRG-10
    """
    return min(max(current - RELAXATION * elapsed, target), current + TIGHTENING * elapsed)


@internal
def _ramp(market: uint256, elapsed: int256):
    """
    @notice MRG-13: margins are rounded up, charges down
    """
    progress: int256 = min(ledger.markets[market].ramp_progress + elapsed, RAMP)
    for parameter: uint256 in range(notation.PARAMETERS):
        start: int256 = ledger.ramp_from[market][parameter]
        way: int256 = (ledger.ramp_to[market][parameter] - start) * progress
        if parameter <= notation.BUFFER:
            start += notation.up(way, RAMP)
        else:
            start += notation.down(way, RAMP)
        ledger.parameters[market][parameter] = start
    if progress == RAMP:
        ledger.markets[market].ramp_at = 0
        progress = 0
        ledger.ramp_from[market] = ledger.ramp_to[market]
    ledger.markets[market].ramp_progress = progress


@internal
@pure
def is_safe(parameters: int256[notation.PARAMETERS], delta: int256, slope: int256) -> bool:
    """
    @notice MRG-12
    """
    penalty: int256 = parameters[notation.PENALTY]
    gap: int256 = parameters[notation.INITIAL_GAP]
    maximum: int256 = parameters[notation.MAXIMUM_RATIO]
    if delta < 1:
        return False
    if delta + penalty + notation.up(penalty * delta, notation.PPM) > parameters[notation.MINIMUM_RATIO]:
        return False
    if parameters[notation.MINIMUM_RATIO] > maximum:
        return False
    if gap < TIGHTENING * convert(MAX_STEP_TIME, int256) or gap < parameters[notation.BUFFER]:
        return False
    if maximum + gap + slope > notation.PPM:
        return False
    taker_fee: int256 = parameters[notation.TAKER_FEE]
    return parameters[notation.MAKER_FEE] <= taker_fee and taker_fee <= penalty
