"""A generated book of Morpho Blue."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marginspec.systems.morpho_blue.adapter import DEPLOYER, ZERO, shipped_contracts, word
from marginspec.systems.sample import BATCH, Advance, Crowd, Sample, people

if TYPE_CHECKING:
    from marginspec.targets.evm.rpc import Node

WEEK = 7 * 24 * 60 * 60

PRICES = (2_000 * 10**24, 2_000 * 10**24, 10**48 // 2_000)
"""Of collateral in loan tokens, by market, as Morpho's oracles give them: 18 digits in 6 twice, and 6 in 18."""

LLTVS = (86 * 10**16, 70 * 10**16, 915 * 10**15)
UNITS = ((10**6, 10**18), (10**6, 10**18), (10**18, 10**6))
"""Of loan and of collateral token, by market."""

TERMS = "(address,address,address,address,uint256)"


@dataclass(frozen=True)
class _Person:
    """What somebody brings to one market, and borrows there; nothing is brought but one of the two."""

    address: str
    market: int
    lent: int
    collateral: int
    debt: int


def _drawn(address: str, draw: random.Random) -> _Person:
    """One in ten lends, one in ten owes nothing, the others borrow between a third of their limit and all of it."""
    market, kind = draw.choices(range(3), (6, 2, 2))[0], draw.random()
    loan, collateral = UNITS[market]
    size = 10 ** draw.uniform(-2, 4)
    if kind < 0.1:
        return _Person(address, market, int(loan * size) + 1, 0, 0)
    amount = int(collateral * size) + 1
    limit = amount * PRICES[market] // 10**36 * LLTVS[market] // 10**18
    debt = 0 if kind < 0.2 else limit * draw.randrange(300_000, 1_000_000) // 10**6
    return _Person(address, market, 0, amount, debt)


def _endow(crowd: Crowd, token: str, owners: Sequence[str], spender: str) -> None:
    """Give tokens of Morpho's mock to many, and let the spender take them."""
    padded = [bytes(12) + bytes.fromhex(owner[2:]) for owner in owners]
    slots = [keccak(owner + word(1)) for owner in padded]
    slots += [keccak(bytes(12) + bytes.fromhex(spender[2:]) + keccak(owner + word(2))) for owner in padded]
    crowd.store(token, slots, word(10**30))


def _fill(node: Node, crowd: Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
    """Three markets, one of them without interest; then prices fall, and time passes."""
    contracts = shipped_contracts()
    does = {name: contract.selectors() for name, contract in contracts.items()}
    code = {name: contract.bytecode for name, contract in contracts.items()}
    morpho = node.deploy(DEPLOYER, code["Morpho"] + encode(["address"], [DEPLOYER]))
    cash, coin, irm = (node.deploy(DEPLOYER, code[name]) for name in ("ERC20Mock", "ERC20Mock", "IrmMock"))
    oracles = [node.deploy(DEPLOYER, code["OracleMock"]) for _ in PRICES]
    pairs, rates = ((cash, coin), (cash, coin), (coin, cash)), (irm, ZERO, irm)
    markets = [(*pair, *more) for pair, *more in zip(pairs, oracles, rates, LLTVS, strict=True)]

    def of(function: str, *values: Any, types: Sequence[str] = ()) -> bytes:
        return does["Morpho"][function] + encode(types, values)

    def keep(data: bytes) -> None:
        node.transact(DEPLOYER, morpho, data)

    def prices(ppm: int) -> None:
        for oracle, value in zip(oracles, PRICES, strict=True):
            node.transact(DEPLOYER, oracle, does["OracleMock"]["setPrice"] + word(value * ppm // 10**6))

    def supplied(market: int, amount: int, by: str) -> bytes:
        types = [TERMS, "uint256", "uint256", "address", "bytes"]
        return of("supply", markets[market], amount, 0, by, b"", types=types)

    def arrival(who: _Person) -> bytes:
        if who.lent:
            return supplied(who.market, who.lent, who.address)
        types = [TERMS, "uint256", "address", "bytes"]
        return of("supplyCollateral", markets[who.market], who.collateral, who.address, b"", types=types)

    def borrowing(who: _Person) -> bytes:
        types = [TERMS, "uint256", "uint256", "address", "address"]
        return of("borrow", markets[who.market], who.debt, 0, who.address, who.address, types=types)

    drawn = [_drawn(address, draw) for address in people(accounts)]
    for each in (irm, ZERO):
        keep(of("enableIrm", each, types=["address"]))
    prices(10**6)
    for token in (cash, coin):
        _endow(crowd, token, [DEPLOYER], morpho)
    for number, market in enumerate(markets):
        keep(of("enableLltv", market[4], types=["uint256"]))
        keep(of("createMarket", market, types=[TERMS]))
        debt = sum(who.debt for who in drawn if who.market == number)
        keep(supplied(number, debt * 5 // 4 + 1, DEPLOYER))
    keep(of("setFee", markets[0], 10**17, types=[TERMS, "uint256"]))
    keep(of("setFeeRecipient", drawn[0].address, types=["address"]))
    for start in range(0, accounts, BATCH):
        batch = drawn[start : start + BATCH]
        for token in (cash, coin):
            _endow(crowd, token, [who.address for who in batch], morpho)
        crowd.send([(who.address, morpho, arrival(who)) for who in batch])
        crowd.send([(who.address, morpho, borrowing(who)) for who in batch if who.debt])
        advance(start + len(batch))
    node.advance(WEEK)
    prices(draw.randrange(860_000, 900_000))
    node.advance(WEEK)
    return morpho


SAMPLE = Sample(5_000, _fill)
