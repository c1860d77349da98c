"""Calls between contracts: the code of the callee is run as well."""

from __future__ import annotations

from marginspec.equivalence.evm.accounts import Accounts
from marginspec.equivalence.evm.frame import CallFrame, CallResult
from marginspec.equivalence.evm.instructions import place_in
from marginspec.equivalence.evm.interpreter import Instruction, instruction, run
from marginspec.equivalence.evm.memory import Cell
from marginspec.equivalence.evm.words import number, truth
from marginspec.prover.symbolic import Unsupported

MAX_DEPTH = 64
"""Of calls within calls that are followed."""

IDENTITY, PRECOMPILED = 4, 10


def _calls(takes_value: bool, keeps_storage: bool = False, static: bool = False) -> Instruction:
    """CALL and its kind. keeps_storage: the callee's code runs on the caller's storage, for the caller's sender."""

    def does(frame: CallFrame) -> None:
        frame.pop()  # gas: as much as it takes
        callee = number(frame.pop(), "the address of a call") % (1 << 160)
        value = frame.pop() if takes_value else 0
        start, size, to, most = place_in(frame), place_in(frame), place_in(frame), place_in(frame)
        if type(value) is not int or value:
            raise Unsupported("a call that sends ether")
        data = frame.memory.read(start, size)
        frame.memory.read(to, most)
        ended = _called(frame, callee, data, keeps_storage, static)
        frame.returned = ended.data
        frame.memory.write(to, ended.data[:most])
        frame.push(truth(ended.success))

    return does


def _called(frame: CallFrame, callee: int, data: list[Cell], keeps_storage: bool, static: bool) -> CallResult:
    if 0 < callee <= PRECOMPILED:
        if callee != IDENTITY:
            raise Unsupported(f"precompiled contract {callee}")
        return CallResult(True, data)
    if frame.depth >= MAX_DEPTH:
        raise Unsupported(f"more than {MAX_DEPTH} calls within calls")
    inner = CallFrame(
        frame.accounts,
        frame.address if keeps_storage else callee,
        frame.accounts.code(callee),
        frame.sender if keeps_storage else frame.address,
        data,
        frame.value if keeps_storage else 0,
        static or frame.static,
        frame.depth + 1,
    )
    return run(inner)


instruction(0xF1)(_calls(takes_value=True))
instruction(0xF4)(_calls(takes_value=False, keeps_storage=True))
instruction(0xFA)(_calls(takes_value=False, static=True))


def transact(accounts: Accounts, sender: int, to: int, data: list[Cell]) -> CallResult:
    """A transaction to a contract, without ether; what it did is undone unless it succeeds."""
    return run(CallFrame(accounts, to, accounts.code(to), sender, data))
