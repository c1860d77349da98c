# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Feed: one source of one price of a run
@notice Anybody can post. Not for use outside of tests.
@license Apache-2.0
"""

price: public(uint256)
confidence: public(uint256)
time: public(uint256)


@external
def post(price: uint256, confidence: uint256):
    """
    @notice Report a price and its half width, as of now
    """
    self.price = price
    self.confidence = confidence
    self.time = block.timestamp


@external
@view
def latest() -> (uint256, uint256, uint256):
    """
    @return Price, confidence and time of the last report
    """
    return self.price, self.confidence, self.time
