# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Feed: one source of one price of a run
@notice Anybody can post, and make it fail until the next report. Not for use outside of tests.
@license Apache-2.0
"""

price: public(uint256)
confidence: public(uint256)
time: public(uint256)
fault: public(uint256)  # 0 none, 1 reverts, 2 answers two words, 3 burns its gas


@external
def post(price: uint256, confidence: uint256):
    """
    @notice Report a price and its half width, as of now
    """
    self.price = price
    self.confidence = confidence
    self.time = block.timestamp
    self.fault = 0


@external
def set_fault(fault: uint256):
    """
    @notice Fail in this way from now on
    """
    self.fault = fault


@external
@view
@raw_return
def latest() -> Bytes[96]:
    """
    @return Price, confidence and time of the last report, a word each
    """
    answer: Bytes[96] = abi_encode(self.price, self.confidence, self.time)
    if self.fault == 0:
        return answer
    if self.fault == 2:
        return slice(answer, 0, 64)
    assert self.fault != 1, "down"
    raise UNREACHABLE
