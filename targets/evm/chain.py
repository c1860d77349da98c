"""Where contracts run: the embedded EVM. `rpc.py` has the other, a node over JSON-RPC."""

import re
from collections.abc import Iterator
from itertools import starmap
from typing import Protocol

import pyrevm
from eth_utils.crypto import keccak

GENESIS_TIME = 1_700_000_000
GAS = 100_000_000
READER = "0x" + "ca" * 20
Slot = tuple[str, int]


class Reverted(Exception):  # noqa: N818 - the EVM's own word
    """A call reverted; `data` is what it returned. `halt` names an exceptional halt (out of gas, …)."""

    def __init__(self, data: bytes, halt: str = "") -> None:
        super().__init__(halt or data.hex())
        self.data = data
        self.halt = halt


class Chain(Protocol):
    """What an adapter needs of an EVM, embedded or behind a node."""

    def deploy(self, sender: str, code: bytes) -> str:
        """Create a contract; its address."""

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        """Execute and keep; the returned bytes. Raises `Reverted`."""

    def call(self, to: str, data: bytes) -> bytes:
        """Execute without keeping. Raises `Reverted`."""

    def read(self, slots: list[Slot]) -> list[int]:
        """Storage words."""

    def advance(self, seconds: int) -> None:
        """Let time pass."""

    def time(self) -> int:
        """The current block's time stamp."""

    def mark(self) -> None:
        """Remember this state (once)."""

    def altered(self) -> tuple[dict[Slot, int], set[str]] | None:
        """Each storage word that is not what `mark` remembers, with the bits that differ; and `contracts`, as now.

        None where the chain does not tell.
        """

    def contracts(self) -> set[str] | None:
        """Every address that has code, in lower case. None where the chain does not tell."""

    def has_code(self, address: str) -> bool:
        """Whether there is a contract."""

    def back(self) -> None:
        """Return to the remembered state."""

    def close(self) -> None:
        """Release what the chain holds."""


# The text of revm's journal: what it holds beside these is hexadecimal and names.
_ACCOUNT, _HASH, _STORAGE, _STATUS = ": Account { info: AccountInfo { ", "code_hash: 0x", "storage: {", "}, status:"
_WORD = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+) \}")
NO_CODE = keccak(b"").hex()
_REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")


class Embedded:
    """pyrevm in this process. Its traps are handled here and nowhere else."""

    forks = True
    """Whether copies in other processes may do a part of the calls of a run."""

    def __init__(self) -> None:
        self.evm = pyrevm.EVM(gas_limit=2**63, spec_id="CANCUN")
        self._set_time(GENESIS_TIME)
        self._marked_time = GENESIS_TIME
        self._mark: pyrevm.JournalCheckpoint | None = None

    def deploy(self, sender: str, code: bytes) -> str:
        try:
            return self.evm.deploy(sender, code)
        except RuntimeError as error:
            raise _reverted(error) from None

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        try:
            return self.evm.message_call(sender, to, data, gas=GAS)
        except RuntimeError as error:
            raise _reverted(error) from None
        finally:
            self.evm.reset_transient_storage()

    def call(self, to: str, data: bytes) -> bytes:
        try:
            return self.evm.message_call(READER, to, data, gas=GAS, is_static=True)
        except RuntimeError as error:
            raise _reverted(error) from None

    def read(self, slots: list[Slot]) -> list[int]:
        return list(starmap(self.evm.storage, slots))

    def advance(self, seconds: int) -> None:
        self._set_time(self._time + seconds)

    def time(self) -> int:
        return self._time

    def mark(self) -> None:
        self._mark = self.evm.snapshot()
        self._marked_time = self._time
        self._marked_words, _ = self._storage()

    def altered(self) -> tuple[dict[Slot, int], set[str]]:
        (words, contracts), before = self._storage(), self._marked_words
        return {slot: bits for slot, word in words.items() if (bits := word ^ before.get(slot, 0))}, contracts

    def contracts(self) -> set[str]:
        return self._storage()[1]

    def has_code(self, address: str) -> bool:
        return bool(self.evm.get_code(address))

    def storage(self) -> dict[Slot, int]:
        """Every storage word that was ever looked at."""
        return self._storage()[0]

    def _storage(self) -> tuple[dict[Slot, int], set[str]]:
        """Every storage word that was ever looked at, and every address that has code."""
        words, contracts = dict[Slot, int](), set[str]()
        for address, hashed, storage in _accounts(self.evm.journal_str):
            if hashed != NO_CODE:
                contracts.add(address)
            words |= {(address, int(slot)): int(word) for slot, word in _WORD.findall(storage)}
        return words, contracts

    def back(self) -> None:
        # A checkpoint is spent by reverting to it, and block time is not part of it.
        assert self._mark is not None, "back() without mark()"
        self.evm.revert(self._mark)
        self._mark = self.evm.snapshot()
        self._set_time(self._marked_time)

    def close(self) -> None:
        return None

    def _set_time(self, time: int) -> None:
        self._time = time
        self.evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=time))


def _accounts(journal: str) -> Iterator[tuple[str, str, str]]:
    """Address, hash of the code and storage of each account; most of the text is code, which is passed over."""
    at = 0
    while (at := journal.find(_ACCOUNT, at)) >= 0:
        hashed = journal.index(_HASH, at) + len(_HASH)
        begin = journal.index(_STORAGE, hashed) + len(_STORAGE)
        end = journal.index(_STATUS, begin)
        yield journal[at - 42 : at], journal[hashed : hashed + 64], journal[begin:end]
        at = end


def _reverted(error: RuntimeError) -> Reverted:
    found = _REVERT.search(str(error))
    return Reverted(bytes.fromhex(found[1])) if found else Reverted(b"", halt=str(error))
