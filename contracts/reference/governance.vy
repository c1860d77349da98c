# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Governance: the governor announces, the guardian reduces risk
@notice Chapter 10 of the specification.
@license Apache-2.0
"""

import adaptation
import ledger
import notation

uses: ledger

NOTICE: constant(uint256) = 172_800
MAX_SPREAD: constant(uint256) = 200_000


event Announced:
    caller: indexed(address)
    market: indexed(uint256)
    parameter: indexed(uint256)
    target: int256
    ramp_at: uint256


event CapSet:
    caller: indexed(address)
    asset: indexed(uint256)
    cap: int256


event OpenInterestCapSet:
    caller: indexed(address)
    market: indexed(uint256)
    cap: int256


event SpreadSet:
    caller: indexed(address)
    asset: indexed(uint256)
    spread: int256


event ReduceOnlySet:
    caller: indexed(address)
    market: indexed(uint256)
    on: bool


event DepositsPausedSet:
    caller: indexed(address)
    on: bool


event GuardianSet:
    caller: indexed(address)
    guardian: indexed(address)


@external
def announce(market: uint256, parameter: uint256, target: uint256):
    """
    @notice PRM-1: after the notice, let one parameter of a market ramp to a value
    """
    ledger.only_governor()
    announced: int256[notation.PARAMETERS] = ledger.ramp_to[market]
    announced[parameter] = notation.at_most(target, convert(notation.PPM, uint256))
    assert adaptation.is_safe(announced, ledger.market_terms[market].delta, ledger.market_terms[market].slope), "PRM-4"
    ramp_at: uint256 = block.timestamp + NOTICE
    ledger.ramp_to[market] = announced
    ledger.ramp_from[market] = ledger.parameters[market]
    ledger.markets[market].ramp_at = ramp_at
    ledger.markets[market].ramp_progress = 0
    log Announced(caller=msg.sender, market=market, parameter=parameter, target=announced[parameter], ramp_at=ramp_at)


@external
def set_cap(asset: uint256, cap: uint256):
    """
    @notice PRM-5: how much of an asset the venue takes; there is no cap on the settlement asset
    """
    ledger.only_guardian()
    new: int256 = notation.at_most(cap, notation.MAX_AMOUNT)
    assert asset != notation.USD, "no such asset"
    if new > ledger.cap[asset]:
        ledger.only_governor()
    ledger.cap[asset] = new
    log CapSet(caller=msg.sender, asset=asset, cap=new)


@external
def set_open_interest_cap(market: uint256, cap: uint256):
    """
    @notice PRM-6: how large a market may grow
    """
    ledger.only_guardian()
    new: int256 = notation.positive(cap, notation.MAX_SIZE)
    if new > ledger.markets[market].open_interest_cap:
        ledger.only_governor()
    ledger.markets[market].open_interest_cap = new
    log OpenInterestCapSet(caller=msg.sender, market=market, cap=new)


@external
def set_spread(asset: uint256, spread: uint256):
    """
    @notice PRM-7: the liquidity input to the haircut of an asset
    """
    ledger.only_governor()
    new: int256 = notation.at_most(spread, MAX_SPREAD)
    ledger.assets[asset].spread = new
    log SpreadSet(caller=msg.sender, asset=asset, spread=new)


@external
def set_reduce_only(market: uint256, on: bool):
    """
    @notice PRM-8: let positions of a market only shrink
    """
    ledger.only_guardian()
    if not on:
        ledger.only_governor()
    ledger.markets[market].reduce_only = on
    log ReduceOnlySet(caller=msg.sender, market=market, on=on)


@external
def set_deposits_paused(on: bool):
    """
    @notice PRM-9: take no collateral other than the settlement asset
    """
    ledger.only_guardian()
    if not on:
        ledger.only_governor()
    ledger.deposits_paused = on
    log DepositsPausedSet(caller=msg.sender, on=on)


@external
def set_guardian(guardian: address):
    """
    @notice PRM-10: name another guardian
    """
    ledger.only_governor()
    ledger.guardian = guardian
    log GuardianSet(caller=msg.sender, guardian=guardian)
