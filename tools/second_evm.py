"""The EVM of `equivalence/evm`, on integers, beside pyrevm: the same transactions, and everything that came of each.

    python -m tools.second_evm --transactions 100000

The transactions are those of lock-step runs of each system that has contracts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from marginspec.equivalence.evm.accounts import Accounts
from marginspec.equivalence.evm.frame import CallResult
from marginspec.equivalence.following import Following, hexadecimal
from marginspec.lockstep.campaign import run
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.chain import Embedded, Reverted
from marginspec.targets.evm.target import EvmTarget

SYSTEMS = ("reference", "morpho-blue")

ALL_STORAGE = 100
"""Of so many transactions one is followed by a look at all storage: what the other wrote and this one did not."""


class Beside(Following):
    """pyrevm, and the other EVM beside it: all that came of a transaction. steps: instructions."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = self.reverted = self.steps = 0

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        """Execute on both and keep; raises AssertionError where anything differs."""
        looks = self.compared % ALL_STORAGE == 0
        before = self._storage()[0] if looks else {}
        ended, accounts = self.follow(sender, to, data)
        self.compared += 1
        self.steps += accounts.steps
        try:
            returned = Embedded.transact(self, sender, to, data)
        except Reverted as reverted:
            self.reverted += 1
            same("the outcome", ended.success, False)
            same("the halt", bool(ended.halt), bool(reverted.halt))
            same("the reason", _bytes(ended), reverted.data)
            raise
        finally:
            self._compare(accounts, before, looks)
        same(f"the outcome, which is {ended.halt or _bytes(ended).hex()}", ended.success, True)
        same("what was returned", _bytes(ended), returned)
        return returned

    def _compare(self, accounts: Accounts, before: dict[tuple[str, int], int], looks: bool) -> None:
        for (address, key), word in accounts.storage.items():
            same(f"word {key} of {hexadecimal(address)}", word, self.evm.storage(hexadecimal(address), key))
        for slot, word in (self._storage()[0] if looks else {}).items():
            here = accounts.storage.get((int(slot[0], 16), slot[1]), before.get(slot, 0))
            same(f"word {slot[1]} of {slot[0]}", here, word)


def _bytes(ended: CallResult) -> bytes:
    return bytes(cell for cell in ended.data if type(cell) is int)


def same(what: str, here: object, there: object, whose: str = "here") -> None:
    """Raise AssertionError unless what one EVM has is what pyrevm has."""
    # Not an assert statement: this is the check itself.
    if here != there:
        raise AssertionError(f"{what}: {here!r} {whose}, {there!r} by pyrevm")


def compared(chosen: System, transactions: int, seed: int) -> Beside:
    """Run a system in lock-step with its model on both EVMs; raises AssertionError where they differ."""
    chain = Beside()
    compare_on(chain, chosen, transactions, seed)
    return chain


def compare_on(chain: Beside, chosen: System, transactions: int, seed: int) -> None:
    """The same on a chain that compares."""
    target = EvmTarget("embedded", chosen.adapter({}), chain)
    while chain.compared < transactions:
        run(chosen.model, target, transactions - chain.compared, seed)
        seed += 1


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--transactions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    for name in SYSTEMS:
        done = compared(system(name), given.transactions // len(SYSTEMS), given.seed)
        print(
            f"{name}: {done.compared:,} transactions, {done.reverted:,} of them reverted, {done.steps:,} instructions: "
            "the same outcome, bytes and storage"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
