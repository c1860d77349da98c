"""One call in progress: whose code runs, for whom, on what; and how it ended."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from marginspec.equivalence.evm.accounts import Accounts
from marginspec.equivalence.evm.memory import Cell, Memory
from marginspec.equivalence.evm.words import Word
from marginspec.targets.evm.code import instructions

MAX_STACK = 1024
JUMPDEST = 0x5B


class Halt(Exception):  # noqa: N818 - the EVM's own word
    """The call ends exceptionally: all that it did is undone, and it returns nothing."""


@dataclass(frozen=True)
class CallResult:
    """How a call ended. data: what it returned, or why it reverted. halt: what went wrong, where it did not revert."""

    success: bool
    data: list[Cell] = field(default_factory=list)
    halt: str = ""


class CallFrame:
    """A call to the code of a contract.

    address: whose storage it uses. sender, value, data: of the call. static: whether nothing may be changed. depth: how
    many calls are around it. returned: by the last call that it made.
    """

    __slots__ = (
        "accounts",
        "address",
        "code",
        "data",
        "depth",
        "ended",
        "memory",
        "pc",
        "pop",
        "push",
        "returned",
        "sender",
        "stack",
        "static",
        "value",
    )

    def __init__(
        self,
        accounts: Accounts,
        address: int,
        code: bytes,
        sender: int,
        data: list[Cell],
        value: Word = 0,
        static: bool = False,
        depth: int = 0,
    ) -> None:
        self.accounts, self.address, self.code, self.sender, self.data = accounts, address, code, sender, data
        self.value, self.static, self.depth = value, static, depth
        self.stack: list[Word] = []
        self.push, self.pop = self.stack.append, self.stack.pop
        self.memory = Memory()
        self.returned: list[Cell] = []
        self.pc = 0
        self.ended: CallResult | None = None

    def jump(self, target: int) -> None:
        """Go on at a place that is marked as one; raises Halt for any other."""
        if target not in jump_targets(self.code):
            raise Halt("InvalidJump")
        self.pc = target

    def changes(self) -> None:
        """Raise Halt where nothing may be changed."""
        if self.static:
            raise Halt("StateChangeDuringStaticCall")


@functools.cache
def jump_targets(code: bytes) -> frozenset[int]:
    """Every JUMPDEST that is no part of a constant."""
    return frozenset(at for at in instructions(code) if code[at] == JUMPDEST)
