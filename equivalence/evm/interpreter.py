"""The loop that runs instructions, and the table of them."""

from __future__ import annotations

from collections.abc import Callable

from marginspec.equivalence.evm.frame import MAX_STACK, CallFrame, CallResult, Halt
from marginspec.prover.symbolic import Unsupported

MAX_STEPS = 500_000
"""Instructions of one call: what runs longer is not followed."""

Instruction = Callable[[CallFrame], None]

_INSTRUCTIONS: list[Instruction | None] = [None] * 256


def instruction(code: int) -> Callable[[Instruction], Instruction]:
    """Declare what an instruction does, the byte of its code skipped."""

    def wrap(does: Instruction) -> Instruction:
        _INSTRUCTIONS[code] = does
        return does

    return wrap


def run(frame: CallFrame) -> CallResult:
    """Run a call to its end; what it did is undone unless it succeeds."""
    mark = frame.accounts.marked()
    try:
        ended = _run(frame)
    except Halt as halt:
        ended = CallResult(False, halt=str(halt))
    except IndexError:
        ended = CallResult(False, halt="StackUnderflow")
    if not ended.success:
        frame.accounts.back(mark)
    return ended


def _run(frame: CallFrame) -> CallResult:
    code, end, instructions, stack, accounts = frame.code, len(frame.code), _INSTRUCTIONS, frame.stack, frame.accounts
    steps, ran = 0, set[int]() if accounts.ran is None else accounts.ran.setdefault(code, set())
    while frame.ended is None:
        if frame.pc >= end:
            frame.ended = CallResult(True)
            break
        steps += 1
        does = instructions[code[frame.pc]]
        if does is None:
            raise Halt("OpcodeNotFound")
        ran.add(frame.pc)
        frame.pc += 1
        does(frame)
        if len(stack) > MAX_STACK:
            raise Halt("StackOverflow")
        if steps > MAX_STEPS:
            raise Unsupported(f"more than {MAX_STEPS:,} instructions")
    accounts.steps += steps
    return frame.ended
