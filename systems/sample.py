"""A node with a generated book, to try an audit on.

The contracts are real, and every account came to what it has by calls of its own, so that events tell of it. Some
accounts are liquidatable and some leave bad debt.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marginspec.base import process
from marginspec.base.errors import BadInput, TargetFailed

if TYPE_CHECKING:
    from marginspec.targets.evm.rpc import Node

BATCH = 250
"""Transactions in a block."""

GAS = hex(2_000_000)

Transaction = tuple[str, str, bytes]
"""Sender, receiver, data."""
Advance = Callable[[int], object]


@dataclass(frozen=True)
class Sample:
    """How to generate a book. size: accounts when nobody says how many. most: as many as the venue takes.

    fill: deploys, brings so many accounts to what they have, and returns the address of the deployment.
    """

    size: int
    fill: Callable[[Node, Crowd, int, random.Random, Advance], str]
    most: int | None = None


@contextlib.contextmanager
def sample_book(sample: Sample, accounts: int, seed: int) -> Iterator[tuple[str, str]]:
    """URL and address of a deployment with so many accounts, on an anvil that ends with this; with progress."""
    if sample.most is not None and accounts > sample.most:
        raise BadInput(f"--accounts {accounts}: this venue takes at most {sample.most}")
    # Here, because it takes a while (requests).
    from marginspec.targets.evm.rpc import start_anvil

    with contextlib.closing(start_anvil()) as node:
        with process.progress("generating", accounts) as advance:
            deployed = sample.fill(node, Crowd(node), accounts, random.Random(seed), advance)
        yield node.url, deployed


class Crowd:
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

    def store(self, contract: str, slots: Sequence[bytes], value: bytes) -> None:
        """Write one word to many places in the storage of a contract."""
        for start in range(0, len(slots), BATCH):
            batch = ("0x" + slot.hex() for slot in slots[start : start + BATCH])
            self._ask([("anvil_setStorageAt", [contract, slot, "0x" + value.hex()]) for slot in batch])

    def _ask(self, asked: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        body: Any = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(asked)]
        answers = {each["id"]: each for each in self._session.post(self._url, json=body, timeout=60).json()}
        if failed := [each["error"] for each in answers.values() if "error" in each]:
            raise TargetFailed(f"the node failed while it was filled: {failed[0].get('message')}")
        return [answers[n]["result"] for n in range(len(asked))]


def people(count: int) -> list[str]:
    """So many addresses."""
    return [f"0x{0xB0000 + n:040x}" for n in range(count)]
