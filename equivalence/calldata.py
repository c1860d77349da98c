"""Calls whose numbers are unknown: which words of an adapter's call data are which arguments.

As with storage nobody writes it down: an adapter is asked for the call data of several numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.equivalence.evm.memory import Cell, cells_of
from marginspec.equivalence.evm.words import MODULUS, unsigned
from marginspec.model.kernel.machine import Call
from marginspec.model.kernel.numbers import Number
from marginspec.prover.symbolic import Value
from marginspec.targets.evm.target import Adapter

SELECTOR, WORD = 4, 32


@dataclass(frozen=True)
class SymbolicCall:
    """A transaction. sender, to: addresses."""

    sender: int
    to: int
    data: list[Cell]


def encoded(adapter: Adapter, call: Call, numbers: Mapping[str, Number], values: Mapping[str, Value]) -> SymbolicCall:
    """The transaction of a call. call: with any numbers; values: those that it has instead, integers or terms.

    Raises BadInput for a number that is not one word of the call data.
    """
    sender, to, data = adapter.encode(call)
    cells: list[Cell] = list(data)
    for name, number in numbers.items():
        at = _place(adapter, call, name, number)
        cells[at : at + WORD] = cells_of(unsigned(values[name]))
    return SymbolicCall(int(sender, 16), int(to, 16), cells)


def _place(adapter: Adapter, call: Call, name: str, number: Number) -> int:
    """Where in the call data an argument is."""
    tried = {n: adapter.encode(call.changed(name, n)) for n in _samples(number)}
    first, *others = tried.values()
    size = len(first[2])
    if any(other[:2] != first[:2] or len(other[2]) != size for other in others):
        raise _misfit(adapter, call, name)
    places = [
        at
        for at in range(SELECTOR, size, WORD)
        if all(int.from_bytes(data[at : at + WORD], "big") == n % MODULUS for n, (_, _, data) in tried.items())
    ]
    rest = {data[:at] + data[at + WORD :] for at in places for _, _, data in tried.values()}
    if len(places) != 1 or len(rest) != 1:
        raise _misfit(adapter, call, name)
    return places[0]


def _samples(number: Number) -> list[int]:
    """Numbers that no other word of the call data is likely to be."""
    low, high = max(number.low, -MODULUS // 2), min(number.high, MODULUS - 1)
    return sorted({low, high, (low + high) // 2, low + (high - low) // 3})


def _misfit(adapter: Adapter, call: Call, name: str) -> BadInput:
    return BadInput(f"{type(adapter).__name__}.encode: {name} of {call.action} is not one word of the call data")


def identifier_word(adapter: Adapter, call: Call, name: str, others: Any) -> int | None:
    """The word of the call data that an identifier is; None where it is not just one."""
    _, _, data = adapter.encode(call)
    changing: set[int] = set()
    for other in others:
        _, _, different = adapter.encode(call.changed(name, other))
        words = range(SELECTOR, len(data), WORD)
        changing |= {at for at in words if data[at : at + WORD] != different[at : at + WORD]}
    if len(changing) != 1:
        return None
    (at,) = changing
    return int.from_bytes(data[at : at + WORD], "big")
