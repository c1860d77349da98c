# pragma version ~=0.4.0
"""
@title The factory of pools
@notice Stands for that of Uniswap v3: which pool has which base token.
"""

pools: HashMap[address, address]


@external
def setPool(base: address, pool: address):
    self.pools[base] = pool


@external
@view
def getPool(base: address, quote: address, fee: uint24) -> address:
    return self.pools[base]
