"""pyrevm, and beside it the EVM of this room, which tells what ran."""

from __future__ import annotations

from marginspec.equivalence.evm.accounts import Accounts
from marginspec.equivalence.evm.calls import transact
from marginspec.equivalence.evm.frame import CallResult
from marginspec.prover.symbolic import Unsupported
from marginspec.targets.evm.chain import GAS, READER, Embedded


class Following(Embedded):
    """Executes on pyrevm, and follows each transaction.

    made: the creation code of each contract that was deployed, by its code. ran: the places of the instructions that
    ran, by the code that they are in. followed, missed: transactions, of which those that use what cannot be followed.
    """

    forks = False  # what ran elsewhere would not be known here

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[bytes, bytes] = {}
        self.ran: dict[bytes, set[int]] = {}
        self.followed = self.missed = 0

    def deploy(self, sender: str, code: bytes) -> str:
        """Create a contract; its address."""
        address = super().deploy(sender, code)
        self.made[bytes(self.evm.get_code(address) or b"")] = code
        return address

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        """Follow, then execute and keep."""
        self._note(sender, to, data)
        return super().transact(sender, to, data)

    def call(self, to: str, data: bytes) -> bytes:
        """Follow, then execute without keeping."""
        self._note(READER, to, data)
        return super().call(to, data)

    def _note(self, sender: str, to: str, data: bytes) -> None:
        try:
            self.follow(sender, to, data)
            self.followed += 1
        except Unsupported:
            self.missed += 1

    def follow(self, sender: str, to: str, data: bytes) -> tuple[CallResult, Accounts]:
        """How a transaction ends, and what it leaves, kept nowhere. Raises Unsupported."""
        accounts = Accounts(
            code=lambda address: self.evm.get_code(hexadecimal(address)) or b"",
            load=lambda place: self.evm.storage(hexadecimal(place[0]), place[1]),
            time=self.time(),
            gas=lambda: GAS,
            ran=self.ran,
        )
        return transact(accounts, int(sender, 16), int(to, 16), list(data)), accounts


def hexadecimal(address: int) -> str:
    """An address as pyrevm has it."""
    return f"0x{address:040x}"
