"""The instructions of Cancun, but for calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from eth_utils.crypto import keccak

from marginspec.equivalence.evm import words
from marginspec.equivalence.evm.frame import CallFrame, CallResult, Halt
from marginspec.equivalence.evm.interpreter import Instruction, instruction
from marginspec.equivalence.evm.memory import WORD, Cell, cells_of, known, padded, word_of
from marginspec.equivalence.evm.words import Word, number, truth
from marginspec.prover.symbolic import Unsupported

CHAIN_ID = 1

STOP, PUSH0, DUP1, SWAP1, LOG0 = 0x00, 0x5F, 0x80, 0x90, 0xA0


# --- Arithmetic, comparisons, bits -----------------------------------------------------------------------------------


def _unary(function: Callable[[Word], Word]) -> Instruction:
    def does(frame: CallFrame) -> None:
        frame.push(function(frame.pop()))

    return does


def _binary(function: Callable[[Word, Word], Word]) -> Instruction:
    def does(frame: CallFrame) -> None:
        first = frame.pop()
        frame.push(function(first, frame.pop()))

    return does


def _ternary(function: Callable[[Word, Word, Word], Word]) -> Instruction:
    def does(frame: CallFrame) -> None:
        first, second = frame.pop(), frame.pop()
        frame.push(function(first, second, frame.pop()))

    return does


for _code, _function in {
    0x01: words.add,
    0x02: words.multiply,
    0x03: words.subtract,
    0x04: words.divide,
    0x05: words.signed_divide,
    0x06: words.modulo,
    0x07: words.signed_modulo,
    0x0A: words.power,
    0x0B: words.extend_sign,
    0x10: lambda a, b: truth(a < b),
    0x11: lambda a, b: truth(a > b),
    0x12: lambda a, b: truth(words.signed(a) < words.signed(b)),
    0x13: lambda a, b: truth(words.signed(a) > words.signed(b)),
    0x14: lambda a, b: truth(a == b),
    0x16: words.both,
    0x17: words.either,
    0x18: words.exclusive,
    0x1A: words.byte,
    0x1B: words.shift_left,
    0x1C: words.shift_right,
    0x1D: words.shift_right_signed,
}.items():
    instruction(_code)(_binary(_function))

instruction(0x08)(_ternary(words.add_modulo))
instruction(0x09)(_ternary(words.multiply_modulo))
instruction(0x15)(_unary(lambda a: truth(a == 0)))
instruction(0x19)(_unary(words.complement))


# --- Stack and control -----------------------------------------------------------------------------------------------


def _pushes(size: int) -> Instruction:
    def does(frame: CallFrame) -> None:
        end = frame.pc + size
        frame.push(int.from_bytes(frame.code[frame.pc : end].ljust(size, b"\0"), "big"))
        frame.pc = end

    return does


def _duplicates(depth: int) -> Instruction:
    return lambda frame: frame.push(frame.stack[-depth])


def _swaps(depth: int) -> Instruction:
    def does(frame: CallFrame) -> None:
        stack, other = frame.stack, -1 - depth
        stack[-1], stack[other] = stack[other], stack[-1]

    return does


def _logs(topics: int) -> Instruction:
    """Events are no state: nothing keeps them."""

    def does(frame: CallFrame) -> None:
        frame.changes()
        frame.memory.read(place_in(frame), place_in(frame))
        for _ in range(topics):
            frame.pop()

    return does


for _size in range(33):
    instruction(PUSH0 + _size)(_pushes(_size))
for _depth in range(1, 17):
    instruction(DUP1 + _depth - 1)(_duplicates(_depth))
    instruction(SWAP1 + _depth - 1)(_swaps(_depth))
for _topics in range(5):
    instruction(LOG0 + _topics)(_logs(_topics))


def place_in(frame: CallFrame) -> int:
    """A place in memory or data, or how many bytes."""
    return number(frame.pop(), "a place in memory")


@instruction(STOP)
def _stop(frame: CallFrame) -> None:
    frame.ended = CallResult(True)


@instruction(0x50)
def _pop(frame: CallFrame) -> None:
    frame.pop()


@instruction(0x56)
def _jump(frame: CallFrame) -> None:
    frame.jump(number(frame.pop(), "a jump target"))


@instruction(0x57)
def _jump_if(frame: CallFrame) -> None:
    target, condition = number(frame.pop(), "a jump target"), frame.pop()
    if condition != 0:
        frame.jump(target)


@instruction(0x58)
def _pc(frame: CallFrame) -> None:
    frame.push(frame.pc - 1)


@instruction(0x5B)
def _jump_target(frame: CallFrame) -> None:
    pass


@instruction(0xF3)
def _return(frame: CallFrame) -> None:
    frame.ended = CallResult(True, frame.memory.read(place_in(frame), place_in(frame)))


@instruction(0xFD)
def _revert(frame: CallFrame) -> None:
    frame.ended = CallResult(False, frame.memory.read(place_in(frame), place_in(frame)))


@instruction(0xFE)
def _invalid(frame: CallFrame) -> None:
    raise Halt("InvalidFEOpcode")


# --- What is asked of the surroundings -------------------------------------------------------------------------------


@instruction(0x20)
def _keccak(frame: CallFrame) -> None:
    data = known(frame.memory.read(place_in(frame), place_in(frame)), "what is hashed")
    frame.push(_hashed(data))


@functools.lru_cache(maxsize=1 << 16)
def _hashed(data: bytes) -> int:
    return int.from_bytes(keccak(data), "big")


for _code, _asked in {
    0x30: lambda frame: frame.address,
    0x33: lambda frame: frame.sender,
    0x34: lambda frame: frame.value,
    0x36: lambda frame: len(frame.data),
    0x38: lambda frame: len(frame.code),
    0x3D: lambda frame: len(frame.returned),
    0x42: lambda frame: frame.accounts.time,
    0x46: lambda frame: CHAIN_ID,
    0x59: lambda frame: len(frame.memory.cells),
    0x5A: lambda frame: frame.accounts.gas(),
}.items():
    instruction(_code)(functools.partial(lambda asked, frame: frame.push(asked(frame)), _asked))


@instruction(0x35)
def _call_data_word(frame: CallFrame) -> None:
    frame.push(word_of(padded(frame.data, place_in(frame), WORD)))


def _copies(source: Callable[[CallFrame], Sequence[Cell]], strict: bool = False) -> Instruction:
    def does(frame: CallFrame) -> None:
        to, start, size = place_in(frame), place_in(frame), place_in(frame)
        data = source(frame)
        if strict and start + size > len(data):
            raise Halt("OutOfOffset")
        frame.memory.write(to, padded(data, start, size))

    return does


instruction(0x37)(_copies(lambda frame: frame.data))
instruction(0x39)(_copies(lambda frame: frame.code))
instruction(0x3E)(_copies(lambda frame: frame.returned, strict=True))


@instruction(0x3B)
def _code_size(frame: CallFrame) -> None:
    frame.push(len(frame.accounts.code(number(frame.pop(), "an address"))))


@instruction(0x3F)
def _code_hash(frame: CallFrame) -> None:
    code = frame.accounts.code(number(frame.pop(), "an address"))
    if not code:
        raise Unsupported("the hash of the code of an account that is no contract")
    frame.push(_hashed(code))


# --- Memory and storage ----------------------------------------------------------------------------------------------


@instruction(0x51)
def _load(frame: CallFrame) -> None:
    frame.push(word_of(frame.memory.read(place_in(frame), WORD)))


@instruction(0x52)
def _store(frame: CallFrame) -> None:
    place = place_in(frame)
    frame.memory.write(place, cells_of(frame.pop()))


@instruction(0x53)
def _store_byte(frame: CallFrame) -> None:
    place, word = place_in(frame), frame.pop()
    frame.memory.write(place, cells_of(word)[-1:])


@instruction(0x5E)
def _copy_memory(frame: CallFrame) -> None:
    to, start, size = place_in(frame), place_in(frame), place_in(frame)
    frame.memory.write(to, frame.memory.read(start, size))


@instruction(0x54)
def _load_storage(frame: CallFrame) -> None:
    frame.push(frame.accounts.read((frame.address, number(frame.pop(), "a storage key"))))


@instruction(0x55)
def _store_storage(frame: CallFrame) -> None:
    frame.changes()
    key = number(frame.pop(), "a storage key")
    frame.accounts.write((frame.address, key), frame.pop())


@instruction(0x5C)
def _load_transient(frame: CallFrame) -> None:
    frame.push(frame.accounts.transient.get((frame.address, number(frame.pop(), "a transient key")), 0))


@instruction(0x5D)
def _store_transient(frame: CallFrame) -> None:
    frame.changes()
    key = number(frame.pop(), "a transient key")
    frame.accounts.transient[frame.address, key] = frame.pop()


# --- What is not followed --------------------------------------------------------------------------------------------


def _unsupported(what: str) -> Instruction:
    def does(frame: CallFrame) -> None:
        raise Unsupported(f"the bytecode uses {what}")

    return does


for _code, _what in {
    0x31: "BALANCE",
    0x32: "ORIGIN",
    0x3A: "GASPRICE",
    0x3C: "EXTCODECOPY",
    0x40: "BLOCKHASH",
    0x41: "COINBASE",
    0x43: "NUMBER",
    0x44: "PREVRANDAO",
    0x45: "GASLIMIT",
    0x47: "SELFBALANCE",
    0x48: "BASEFEE",
    0x49: "BLOBHASH",
    0x4A: "BLOBBASEFEE",
    0xF0: "CREATE",
    0xF2: "CALLCODE",
    0xF5: "CREATE2",
    0xFF: "SELFDESTRUCT",
}.items():
    instruction(_code)(_unsupported(_what))
