# pragma version 0.4.3
# pragma nonreentrancy on
# pragma evm-version cancun
# pragma optimize codesize
"""
@title Venue: a cross-margin venue for linear perpetuals
@notice The contract that holds the state and the tokens. What owners do with their accounts, parameters and views are
    here; all else is delegated to `resolution` over the same state, since one contract would exceed the size that the
    chain allows.
@license Apache-2.0
"""

import adaptation
import collateral
import governance
import ledger
import margin
import notation
import positions
import trading

initializes: ledger
initializes: collateral[ledger := ledger]
initializes: margin[ledger := ledger]
initializes: positions[ledger := ledger]
initializes: governance[ledger := ledger]
initializes: trading[ledger := ledger, collateral := collateral, margin := margin, positions := positions]

exports: ledger.__interface__
exports: governance.__interface__
exports: margin.__interface__
exports: trading.__interface__

SEIZURE_DISCOUNT: constant(int256) = 40_000
LONGEST_ANSWER: constant(uint256) = 64

RESOLUTION: immutable(address)


# What a venue starts with, of an asset and of a market.
struct AssetSetup:
    terms: ledger.AssetTerms
    feeds: address[notation.SOURCES]
    cap: int256
    spread: int256


struct MarketSetup:
    terms: ledger.MarketTerms
    parameters: int256[notation.PARAMETERS]
    open_interest_cap: int256


@deploy
def __init__(
    resolution: address,
    governor: address,
    guardian: address,
    tokens: address[notation.TOKENS],
    assets: AssetSetup[notation.TOKENS],
    markets: MarketSetup[notation.MARKETS],
):
    """
    @notice The beginning of chapter 1; refuses terms and parameters outside of the safety bounds (MRG-12, MRG-14)
    @param resolution The contract of that name, deployed before
    @param tokens The settlement asset first, then the assets
    @param assets By token number; the first, the settlement asset's, is not used
    """
    RESOLUTION = resolution
    ledger.governor = governor
    ledger.guardian = guardian
    ledger.tokens = tokens
    for asset: uint256 in range(1, notation.TOKENS):
        ledger.asset_terms[asset] = assets[asset].terms
        ledger.feeds[asset] = assets[asset].feeds
        ledger.cap[asset] = assets[asset].cap
        ledger.assets[asset].haircut = assets[asset].terms.minimum_haircut
        ledger.assets[asset].spread = assets[asset].spread
    for market: uint256 in range(notation.MARKETS):
        terms: ledger.MarketTerms = markets[market].terms
        assert adaptation.is_safe(markets[market].parameters, terms.delta, terms.slope), "MRG-12"
        for asset: uint256 in range(1, notation.TOKENS):
            assert assets[asset].terms.minimum_haircut <= adaptation.MAXIMUM_HAIRCUT, "MRG-14"
            kept: int256 = notation.PPM - assets[asset].terms.minimum_haircut
            assert kept * notation.PPM <= (notation.PPM - terms.delta) * (notation.PPM - SEIZURE_DISCOUNT), "MRG-14"
        ledger.market_terms[market] = terms
        ledger.parameters[market] = markets[market].parameters
        ledger.ramp_from[market] = markets[market].parameters
        ledger.ramp_to[market] = markets[market].parameters
        ledger.markets[market].ratio = markets[market].parameters[notation.MINIMUM_RATIO]
        ledger.markets[market].open_interest_cap = markets[market].open_interest_cap


@external
@raw_return
@reentrant
def __default__() -> Bytes[LONGEST_ANSWER]:
    """
    @notice Everything else is the part of `resolution`, with its answer or its reason for refusing
    """
    return raw_call(RESOLUTION, msg.data, max_outsize=LONGEST_ANSWER, is_delegate_call=True)
