"""Bytes that may be parts of unknown words: memory, call data, what a call returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from marginspec.equivalence.evm.words import Word, low_bits, quotient
from marginspec.prover.symbolic import Unsupported

Cell = int | tuple[Word, int]
"""A byte, or an unknown word and which of its 32 bytes, the most significant being byte 0."""

WORD = 32
MAX_BYTES = 1 << 22
"""Of one memory: more costs more gas than a transaction has."""


def cells_of(word: Word) -> list[Cell]:
    """The 32 bytes of a word."""
    if type(word) is int:
        return list(word.to_bytes(WORD, "big"))
    return [(word, place) for place in range(WORD)]


def word_of(cells: Sequence[Cell]) -> Word:
    """The word of at most 32 bytes."""
    total: Word = 0
    for part, size in _parts(cells):
        total = part if type(total) is int and total == 0 else total * (1 << (8 * size)) + part
    return total


def _parts(cells: Sequence[Cell]) -> Iterator[tuple[Word, int]]:
    """Bytes that belong together, as a number and how many they are."""
    at = 0
    while at < len(cells):
        first, end = cells[at], at + 1
        if type(first) is int:
            while end < len(cells) and type(cells[end]) is int:
                end += 1
            yield int.from_bytes(bytes(cells[at:end]), "big"), end - at  # type: ignore[arg-type]
        else:
            word, place = first  # type: ignore[misc]
            while end < len(cells) and _is(cells[end], word, place + end - at):
                end += 1
            below = WORD - place - (end - at)
            yield low_bits(quotient(word, 1 << (8 * below)), 8 * (end - at)) if end - at < WORD else word, end - at
        at = end


def _is(cell: Cell, word: Word, place: int) -> bool:
    return type(cell) is tuple and cell[0] is word and cell[1] == place


def known(cells: Sequence[Cell], what: str) -> bytes:
    """Bytes that have to be known. what: what they are used as. Raises Unsupported when one is not."""
    if all(type(cell) is int for cell in cells):
        return bytes(cells)  # type: ignore[arg-type]
    found = word_of(cells) if len(cells) <= WORD else None
    if type(found) is int:
        return found.to_bytes(len(cells), "big")
    raise Unsupported(f"{what} has unknown bytes")


class Memory:
    """The memory of one call, which grows by whole words."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []

    def read(self, start: int, size: int) -> list[Cell]:
        """Some bytes."""
        self._reach(start, size)
        return self.cells[start : start + size]

    def write(self, start: int, cells: Sequence[Cell]) -> None:
        """Put bytes somewhere."""
        self._reach(start, len(cells))
        self.cells[start : start + len(cells)] = cells

    def _reach(self, start: int, size: int) -> None:
        if not size:
            return
        if start + size > MAX_BYTES:
            raise Unsupported("memory of more bytes than a transaction has gas for")
        if (missing := start + size - len(self.cells)) > 0:
            self.cells += [0] * (missing + -(start + size) % WORD)


def padded(cells: Sequence[Cell], start: int, size: int) -> list[Cell]:
    """Some bytes of what has an end; after it are zeros."""
    if start >= len(cells):
        return [0] * size
    found = list(cells[start : start + size])
    return found + [0] * (size - len(found))
