"""The symbolic EVM is an EVM: on integers it does what pyrevm does, and on unknowns what it does on integers."""

import itertools
import random

import pyrevm
import pytest

from marginspec.equivalence.evm.accounts import Accounts
from marginspec.equivalence.evm.calls import transact
from marginspec.equivalence.evm.frame import CallResult, jump_targets
from marginspec.equivalence.evm.memory import cells_of, word_of
from marginspec.prover.evaluate import Evaluation, satisfies
from marginspec.prover.symbolic import Exploration, Run, Unknown, explore
from marginspec.systems.registry import system
from tools.second_evm import Beside, compared

CALLER, CONTRACT = 0xA0001, 0xC0DE
MAX = 2**256 - 1
EDGES = (0, 1, 2, 31, 32, 255, 256, 2**128 - 1, 2**128, 2**255 - 1, 2**255, MAX - 1, MAX)

UNARY = {"ISZERO": 0x15, "NOT": 0x19}
BINARY = {
    "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "DIV": 0x04, "SDIV": 0x05, "MOD": 0x06, "SMOD": 0x07, "EXP": 0x0A,
    "SIGNEXTEND": 0x0B, "LT": 0x10, "GT": 0x11, "SLT": 0x12, "SGT": 0x13, "EQ": 0x14, "AND": 0x16, "OR": 0x17,
    "XOR": 0x18, "BYTE": 0x1A, "SHL": 0x1B, "SHR": 0x1C, "SAR": 0x1D,
}  # fmt: skip
TERNARY = {"ADDMOD": 0x08, "MULMOD": 0x09}
FIRST_KNOWN = {"SIGNEXTEND", "BYTE", "SHL", "SHR", "SAR"}
MASKS = (0xFF, 2**128 - 1, MAX - (2**128 - 1), 0xFF00FF00)


def program(opcode: int, operands: int) -> bytes:
    """Apply an instruction to words of the call data, and return the result."""
    load = b"".join(bytes((0x60, 32 * place, 0x35)) for place in reversed(range(operands)))
    return load + bytes((opcode, 0x5F, 0x52, 0x60, 32, 0x5F, 0xF3))


def run_here(code: bytes, words: list[object]) -> CallResult:
    accounts = Accounts(lambda address: code if address == CONTRACT else b"", lambda place: 0, 1, lambda: 10**9)
    data = [cell for word in words for cell in cells_of(word)]  # type: ignore[arg-type]
    return transact(accounts, CALLER, CONTRACT, data)


def run_there(code: bytes, words: list[int]) -> int:
    chain = Beside()
    chain.evm.insert_account_info(f"0x{CONTRACT:040x}", pyrevm.AccountInfo(code=code))
    data = b"".join(word.to_bytes(32, "big") for word in words)
    return int.from_bytes(chain.transact(f"0x{CALLER:040x}", f"0x{CONTRACT:040x}", data), "big")


@pytest.mark.parametrize("name", ["reference", "morpho-blue"])
def test_transactions_of_a_system_are_what_pyrevm_makes_of_them(name: str) -> None:
    done = compared(system(name), 400, seed=1)
    assert done.compared >= 400
    assert done.reverted > 20


@pytest.mark.parametrize("name", sorted(UNARY | BINARY | TERNARY))
def test_an_instruction_is_what_pyrevm_makes_of_it(name: str) -> None:
    draw = random.Random(name)
    opcode, operands = next((kind[name], n) for n, kind in enumerate((UNARY, BINARY, TERNARY), 1) if name in kind)
    cases = [list(c) for c in itertools.product(EDGES, repeat=operands)]
    cases = [*draw.sample(cases, min(len(cases), 60)), [draw.getrandbits(256) for _ in range(operands)]]
    for words in cases:
        assert run_there(program(opcode, operands), words) is not None  # `Beside` compares


@pytest.mark.parametrize("name", sorted(BINARY.keys() - {"EXP", "XOR", "OR", "AND"}))
def test_an_instruction_on_unknowns_is_what_it_is_on_integers(name: str) -> None:
    """Of all the paths exactly one is that of some integers, and there its word is theirs."""
    code = program(BINARY[name], 2)
    firsts = (0, 1, 5, 31, 128, 255, 256) if name in FIRST_KNOWN else (None,)
    for first in firsts:
        found = explored(code, first)
        draw = random.Random(name)
        for a, b in itertools.product(EDGES if first is None else (first,), EDGES):
            agrees(found, code, a, b)
            agrees(found, code, draw.getrandbits(256) if first is None else first, draw.getrandbits(256))


@pytest.mark.parametrize("mask", MASKS)
def test_bits_of_an_unknown_are_taken_by_any_mask(mask: int) -> None:
    code = program(BINARY["AND"], 2)
    found = explored(code, mask)
    for word in EDGES:
        agrees(found, code, mask, word)


def explored(code: bytes, first: int | None) -> Exploration:
    def body() -> object:
        words = [Run.current.unknown(Unknown(name, 0, MAX)) for name in "ab"]
        ended = run_here(code, [words[0] if first is None else first, words[1]])
        results.append((Run.current, word_of(ended.data)))
        return True

    results: list[tuple[Run, object]] = []
    found = explore(body)
    found.results = results  # type: ignore[attr-defined]
    return found


def agrees(found: Exploration, code: bytes, a: int, b: int) -> None:
    numbers = {"a": a, "b": b}
    taken = [word for run, word in found.results if satisfies(found.atoms, run.constraints, numbers)]  # type: ignore[attr-defined]
    assert len(taken) == 1, f"{len(taken)} paths for {a}, {b}"
    assert Evaluation(found.atoms, numbers).term(taken[0]) == word_of(run_here(code, [a, b]).data)


def test_an_unknown_in_two_halves_of_memory_is_put_together_again() -> None:
    def body() -> object:
        word = Run.current.unknown(Unknown("word", 2**200, MAX))
        cells = cells_of(word)
        assert word_of(cells) is word
        high, low = word_of(cells[:16]), word_of(cells[16:])
        return high * 2**128 + low == word

    found = explore(body)
    assert [path.result for path in found.paths] == [True]


def test_a_constant_is_no_jump_target() -> None:
    assert jump_targets(bytes((0x60, 0x5B, 0x5B, 0x61, 0x5B))) == {2}
