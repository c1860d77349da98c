"""`python -m marginspec.results.sample_book SYSTEM [ACCOUNTS [SEED]]`: a node with a generated book, to try `audit` on.

The contracts are real, and every account came to what it has by calls of its own, so that events tell of it. Some
accounts are liquidatable and some leave bad debt.
"""

from __future__ import annotations

import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marginspec.base import process
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.systems.morpho_blue.adapter import DEPLOYER, ZERO, shipped_contracts, word
from marginspec.systems.reference.adapter import MARKETS, TOKENS, ReferenceAdapter
from marginspec.systems.reference.adapter import shipped_contracts as shipped_venue
from marginspec.systems.registry import system
from marginspec.targets.evm.target import EvmTarget

if TYPE_CHECKING:
    from marginspec.targets.evm.rpc import Node

SIZES = {"morpho-blue": 5_000, "reference": 256}
"""Accounts of a book when nobody says how many; the reference venue takes no more."""

BATCH = 250
GAS = hex(2_000_000)
WEEK = 7 * 24 * 60 * 60

Transaction = tuple[str, str, bytes]
Advance = Callable[[int], object]


@contextlib.contextmanager
def sample_book(name: str, accounts: int, seed: int) -> Iterator[tuple[str, str]]:
    """URL and address of a deployment with so many accounts, on an anvil that ends with this; with progress."""
    if name == "reference" and accounts > SIZES[name]:
        raise BadInput(f"--accounts {accounts}: the reference venue takes at most {SIZES[name]}")
    # Here, because it takes two seconds (web3).
    from marginspec.targets.evm.rpc import start_anvil

    with contextlib.closing(start_anvil()) as node:
        fill = _morpho if name == "morpho-blue" else _reference
        with process.progress("generating", accounts) as advance:
            deployed = fill(node, _Crowd(node), accounts, random.Random(seed), advance)
        yield node.url, deployed


class _Crowd:
    """Many senders at once, on the node that was started here: in batches, each mined as one block."""

    def __init__(self, node: Node) -> None:
        import requests

        self._url = node.url
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, transactions: Sequence[Transaction]) -> None:
        """Transactions that do not depend on each other, no two of one sender."""
        for start in range(0, len(transactions), BATCH):
            batch = transactions[start : start + BATCH]
            fields = [
                {"from": s, "to": to, "data": "0x" + d.hex(), "gas": GAS, "gasPrice": "0x0"} for s, to, d in batch
            ]
            self._ask([("eth_sendTransaction", [each]) for each in fields])
            self._ask([("evm_mine", [])])
            (receipts,) = self._ask([("eth_getBlockReceipts", ["latest"])])
            if [receipt["status"] for receipt in receipts] != ["0x1"] * len(batch):
                raise TargetFailed("a transaction of the generated book was not accepted")

    def store(self, token: str, owners: Sequence[str], spender: str) -> None:
        """Give tokens of Morpho's mock to many, and let the spender take them."""
        for start in range(0, len(owners), BATCH):
            batch = [bytes(12) + bytes.fromhex(owner[2:]) for owner in owners[start : start + BATCH]]
            slots = [keccak(owner + word(1)) for owner in batch]
            slots += [keccak(bytes(12) + bytes.fromhex(spender[2:]) + keccak(owner + word(2))) for owner in batch]
            amount = "0x" + word(10**30).hex()
            self._ask([("anvil_setStorageAt", [token, "0x" + slot.hex(), amount]) for slot in slots])

    def _ask(self, asked: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        body: Any = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(asked)]
        answers = {each["id"]: each for each in self._session.post(self._url, json=body, timeout=60).json()}
        if failed := [each["error"] for each in answers.values() if "error" in each]:
            raise TargetFailed(f"the node failed while it was filled: {failed[0].get('message')}")
        return [answers[n]["result"] for n in range(len(asked))]


def _people(count: int) -> list[str]:
    return [f"0x{0xB0000 + n:040x}" for n in range(count)]


# --- Morpho Blue ------------------------------------------------------------------------------------------------------

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


def _morpho(node: Node, crowd: _Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
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

    people = [_drawn(address, draw) for address in _people(accounts)]
    for each in (irm, ZERO):
        keep(of("enableIrm", each, types=["address"]))
    prices(10**6)
    for token in (cash, coin):
        crowd.store(token, [DEPLOYER], morpho)
    for number, market in enumerate(markets):
        keep(of("enableLltv", market[4], types=["uint256"]))
        keep(of("createMarket", market, types=[TERMS]))
        debt = sum(who.debt for who in people if who.market == number)
        keep(supplied(number, debt * 5 // 4 + 1, DEPLOYER))
    keep(of("setFee", markets[0], 10**17, types=[TERMS, "uint256"]))
    keep(of("setFeeRecipient", people[0].address, types=["address"]))
    for start in range(0, accounts, BATCH):
        batch = people[start : start + BATCH]
        for token in (cash, coin):
            crowd.store(token, [who.address for who in batch], morpho)
        crowd.send([(who.address, morpho, arrival(who)) for who in batch])
        crowd.send([(who.address, morpho, borrowing(who)) for who in batch if who.debt])
        advance(start + len(batch))
    node.advance(WEEK)
    prices(draw.randrange(860_000, 900_000))
    node.advance(WEEK)
    return morpho


# --- The reference venue ----------------------------------------------------------------------------------------------


def _reference(node: Node, crowd: _Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
    """Pairs that trade with each other, with cash and with collateral; then hours of moving prices."""
    adapter = ReferenceAdapter({})
    target = EvmTarget("anvil", adapter, node)
    does = {name: contract.selectors() for name, contract in shipped_venue()[0].items()}
    venue, token, people = adapter.venue, does["token"], _people(accounts - len(adapter.accounts))
    funds = dict(zip(TOKENS, (10**12, 10**21, 10**10), strict=True))
    for name, amount in funds.items():
        crowd.send([(p, adapter.tokens[name], token["set_balance"] + word(int(p, 16)) + word(amount)) for p in people])
        crowd.send([(p, adapter.tokens[name], token["approve"] + word(int(venue, 16)) + b"\xff" * 32) for p in people])
    advance(len(adapter.accounts))

    def call(function: str, *values: int) -> bytes:
        return does["venue"][function] + b"".join(map(word, values))

    # The pairs trade above the mark, so that funding flows.
    pairs = list(zip(people[::2], people[1::2], strict=False))
    market = {maker: draw.randrange(len(MARKETS)) for maker, _ in pairs}
    size = {maker: int(10 ** draw.uniform(4, 6)) for maker, _ in pairs}
    mark = [asset.mark for asset in Reference.genesis().assets.values()]
    price = {maker: mark[market[maker]] * 1001 // 1000 for maker, _ in pairs}
    part = {p: draw.randrange(95_000, 300_000) for p in people}
    cash = {p: size[maker] * price[maker] * part[p] // 10**12 + 1 for maker, taker in pairs for p in (maker, taker)}
    crowd.send([(p, venue, call("deposit", 0, TOKENS["USD"], amount)) for p, amount in cash.items()])
    rich = [p for p in people if draw.random() < 0.4 or p not in cash]
    crowd.send([(p, venue, call("deposit", 0, TOKENS["ETH"], draw.randrange(10**16, 10**18))) for p in rich])
    advance(accounts // 2)
    side = {maker: draw.randrange(2) for maker, _ in pairs}
    crowd.send([(m, venue, call("place_order", 0, market[m], side[m], size[m], price[m])) for m, _ in pairs])
    crowd.send([(t, venue, call("trade", 0, int(m, 16), 0, market[m], size[m])) for m, t in pairs])
    advance(accounts)
    for _ in range(4):
        target.apply(Call("advance_time", {"seconds": 1800}))
        for asset in adapter.feeds:
            target.apply(Call("move_price", {"asset": asset, "move": draw.choice((970_000, 985_000, 940_000))}))
    target.apply(Call("advance_time", {"seconds": 600}))
    return venue


def main() -> None:
    """Generate a book and keep its node until interrupted."""

    def run() -> int:
        name, *numbers = sys.argv[1:] or ["morpho-blue"]
        if len(numbers) > 2 or not all(each.isdecimal() for each in numbers):
            raise BadInput("expected SYSTEM [ACCOUNTS [SEED]], the last two numbers")
        size = SIZES[system(name).name]
        accounts, seed = [*map(int, numbers), *(size, 1)[len(numbers) :]]
        with sample_book(name, accounts, seed) as (url, address):
            print(f"marginspec audit {name} --target {url} --address {address}", flush=True)
            threading.Event().wait()
        return process.HOLDS

    process.run(run)


if __name__ == "__main__":
    main()
