# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Keeper: report a price by all sources and have the venue take it, in one transaction
@notice ORC-9 of the specification. Not for use outside of tests.
@license Apache-2.0
"""

import ledger
import notation


interface Feed:
    def post(price: uint256, confidence: uint256): nonpayable


interface Venue:
    def feeds(asset: uint256, source: uint256) -> address: view
    def assets(asset: uint256) -> ledger.Asset: view
    def update_price(asset: uint256): nonpayable


@external
def move_price(venue: Venue, asset: uint256, move: uint256):
    """
    @param move New price as a part of the last accepted mark, ppm
    """
    last: ledger.Asset = staticcall venue.assets(asset)
    price: uint256 = convert(last.mark, uint256) * move // convert(notation.PPM, uint256)
    for source: uint256 in range(notation.SOURCES):
        feed: Feed = Feed(staticcall venue.feeds(asset, source))
        extcall feed.post(price, price // 1000)
    extcall venue.update_price(asset)
