"""A third opinion: the executable specification of Ethereum (EELS) beside pyrevm and the EVM of `equivalence/evm`.

    python -m tools.third_evm --transactions 1000

The transactions are those of `tools.second_evm`; each is executed by the specification's `process_message` of Cancun
too, on the storage that pyrevm has. It shares no code with the other two, and is slow. Gas is not compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ethereum.forks.cancun import state as ledger
from ethereum.forks.cancun.fork_types import Account, Address
from ethereum.forks.cancun.vm import BlockEnvironment, Evm, Message, TransactionEnvironment
from ethereum.forks.cancun.vm.exceptions import Revert
from ethereum.forks.cancun.vm.interpreter import process_message
from ethereum_types.bytes import Bytes, Bytes32
from ethereum_types.numeric import U64, U256, Uint

from marginspec.systems.registry import system
from marginspec.targets.evm.chain import GAS, Reverted, Slot
from tools.second_evm import SYSTEMS, Beside, compare_on, same

STACK_OF_CALLS = 20_000
"""Frames of Python that the specification may take: a call within a call takes several."""


class BesideSpecification(Beside):
    """pyrevm, and both others beside it. agreed: transactions that the specification executed."""

    def __init__(self) -> None:
        super().__init__()
        self.agreed = 0

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        """Execute on all three and keep; raises AssertionError where anything differs."""
        words, contracts = self._storage()
        state = self._state(words, contracts)
        ended = process_message(self._message(state, sender, to, data))
        try:
            returned = Beside.transact(self, sender, to, data)
        except Reverted as reverted:
            same("the outcome", bool(ended.error), True, "the specification")
            same("the halt", not isinstance(ended.error, Revert), bool(reverted.halt), "the specification")
            same("the reason", bytes(ended.output), reverted.data, "the specification")
            raise
        else:
            same("the outcome", ended.error, None, "the specification")
            same("what was returned", bytes(ended.output), returned, "the specification")
            return returned
        finally:
            self._compare_storage(state, ended)
            self.agreed += 1

    def _compare_storage(self, state: ledger.State, ended: Evm) -> None:
        """Every word that pyrevm has looked at since genesis, and every word that the specification wrote."""
        words, _ = self._storage()
        for address, key in words.keys() | _written(state):
            here = int(ledger.get_storage(state, _address(address), _key(key)))
            same(f"word {key} of {address}", here, self.evm.storage(address, key), "the specification")

    def _state(self, words: dict[Slot, int], contracts: set[str]) -> ledger.State:
        """Code and storage as pyrevm has them."""
        state = ledger.State()
        for address in contracts:
            code = Bytes(self.evm.get_code(address) or b"")
            ledger.set_account(state, _address(address), Account(nonce=Uint(1), balance=U256(0), code=code))
        for (address, key), word in words.items():
            if word:
                ledger.set_storage(state, _address(address), _key(key), U256(word))
        return state

    def _message(self, state: ledger.State, sender: str, to: str, data: bytes) -> Message:
        caller, target = _address(sender), _address(to)
        nothing = Bytes32(bytes(32))
        block = BlockEnvironment(
            chain_id=U64(1),
            state=state,
            block_gas_limit=Uint(2**63),
            block_hashes=[],
            coinbase=Address(bytes(20)),
            number=Uint(1),
            base_fee_per_gas=Uint(0),
            time=U256(self.time()),
            prev_randao=nothing,
            excess_blob_gas=U64(0),
            parent_beacon_block_root=nothing,
        )
        transaction = TransactionEnvironment(
            origin=caller,
            gas_price=Uint(0),
            gas=Uint(GAS),
            access_list_addresses=set(),
            access_list_storage_keys=set(),
            transient_storage=ledger.TransientStorage(),
            blob_versioned_hashes=(),
            index_in_block=None,
            tx_hash=None,
        )
        return Message(
            block_env=block,
            tx_env=transaction,
            caller=caller,
            target=target,
            current_target=target,
            gas=Uint(GAS),
            value=U256(0),
            data=Bytes(data),
            code_address=target,
            code=ledger.get_account(state, target).code,
            depth=Uint(0),
            should_transfer_value=False,
            is_static=False,
            accessed_addresses=set(),
            accessed_storage_keys=set(),
            parent_evm=None,
        )


def _written(state: ledger.State) -> set[Slot]:
    """Every word that is not zero."""
    return {
        (f"0x{address.hex()}", int.from_bytes(key, "big"))
        for address, trie in state._storage_tries.items()
        for key in trie._data
    }


def _address(address: str) -> Address:
    return Address(int(address, 16).to_bytes(20, "big"))


def _key(key: int) -> Bytes32:
    return Bytes32(key.to_bytes(32, "big"))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--transactions", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    sys.setrecursionlimit(STACK_OF_CALLS)
    for name in SYSTEMS:
        done = BesideSpecification()
        compare_on(done, system(name), given.transactions // len(SYSTEMS), given.seed)
        print(
            f"{name}: {done.agreed:,} transactions, {done.reverted:,} of them reverted: "
            "the specification of Ethereum has the same outcome, bytes and storage"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
