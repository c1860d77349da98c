# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Oracles: from reports of several sources to one accepted price
@notice Chapter 3 of the specification, with the adaptation of chapter 6 that a new price brings about.
@license Apache-2.0
"""

import adaptation
import ledger
import notation

uses: ledger
uses: adaptation

QUORUM: constant(uint256) = 2
MAX_AGE: constant(uint256) = 3600
MAX_CONFIDENCE: constant(int256) = 20_000
BAND: constant(int256) = 200_000
CONFIRMATION: constant(uint256) = 1800

# Enough for any feed, and too little for one that burns all it gets to stop an update.
FEED_GAS: constant(uint256) = 200_000
LATEST: constant(Bytes[4]) = method_id("latest()")


event PriceAccepted:
    caller: indexed(address)
    asset: indexed(uint256)
    mark: int256
    low: int256
    high: int256


event BreakerTripped:
    caller: indexed(address)
    asset: indexed(uint256)
    mark: int256


@external
def update_price(asset: uint256):
    """
    @notice ORC-1: take the median of the usable reports as the price of an asset, or trip the circuit breaker
    """
    prices: DynArray[int256, notation.SOURCES] = []
    lows: DynArray[int256, notation.SOURCES] = []
    highs: DynArray[int256, notation.SOURCES] = []
    for source: uint256 in range(notation.SOURCES):
        price: int256 = 0
        confidence: int256 = 0
        price, confidence = self._report(asset, source)
        if price != 0:
            prices.append(price)
            lows.append(price - confidence)
            highs.append(price + confidence)
    count: uint256 = len(prices)
    assert count >= QUORUM, "ORC-4"

    mark: int256 = self._median(prices, (count - 1) // 2)
    last: int256 = ledger.assets[asset].mark
    if last != 0:
        if abs(mark - last) * notation.PPM > last * BAND:  # ORC-5
            tripped_at: uint256 = ledger.assets[asset].tripped_at
            if tripped_at == 0:  # ORC-6
                ledger.assets[asset].tripped_at = block.timestamp
                log BreakerTripped(caller=msg.sender, asset=asset, mark=mark)
                return
            assert block.timestamp >= tripped_at + CONFIRMATION, "ORC-7"
        adaptation.adapt(asset, mark)

    low: int256 = self._median(lows, (count - 1) // 2)
    high: int256 = self._median(highs, count // 2)
    ledger.assets[asset].mark = mark
    ledger.assets[asset].low = low
    ledger.assets[asset].high = high
    ledger.assets[asset].time = block.timestamp
    ledger.assets[asset].tripped_at = 0
    log PriceAccepted(caller=msg.sender, asset=asset, mark=mark, low=low, high=high)


@internal
@view
def _report(asset: uint256, source: uint256) -> (int256, int256):
    """
    @notice ORC-2: price and confidence of a source's last report; price 0 when it is not usable
    @dev A source that reverts, or answers out of all widths, is unusable like any other: it cannot stop the rest.
    """
    done: bool = False
    answer: Bytes[96] = b""
    done, answer = raw_call(
        ledger.feeds[asset][source],
        LATEST,
        max_outsize=96,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not done or len(answer) != 96:
        return 0, 0
    price: uint256 = 0
    confidence: uint256 = 0
    time: uint256 = 0
    price, confidence, time = abi_decode(answer, (uint256, uint256, uint256))
    if time < block.timestamp - MAX_AGE or price > notation.MAX_PRICE or confidence > notation.MAX_PRICE:
        return 0, 0
    p: int256 = convert(price, int256)
    c: int256 = convert(confidence, int256)
    # A feed at its own bound no longer says what the price is.
    if p <= ledger.asset_terms[asset].feed_low or p >= ledger.asset_terms[asset].feed_high:
        return 0, 0
    if c * notation.PPM > p * MAX_CONFIDENCE:
        return 0, 0
    return p, c


@internal
@pure
def _median(values: DynArray[int256, notation.SOURCES], rank: uint256) -> int256:
    """
    @notice ORC-3: number `rank`, from 0, of the values in ascending order
    """
    for value: int256 in values:
        smaller: uint256 = 0
        not_larger: uint256 = 0
        for other: int256 in values:
            if other < value:
                smaller += 1
            if other <= value:
                not_larger += 1
        if smaller <= rank and rank < not_larger:
            return value
    raise "unreachable"
