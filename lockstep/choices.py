"""Choices out of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import TypeVar

from marginspec.model.kernel.numbers import Number

T = TypeVar("T")

# Of 16 numbers, how many are one that is known already: all of a debt, all of a market.
KNOWN = 5

Known = Callable[[], Sequence[int]]
"""Numbers that are known; asked for seldom."""

_unpack = Struct("<32H").unpack


class Choices:
    """Bytes as a source of choices, as many as are wanted."""

    def __init__(self, data: bytes) -> None:
        self.word = chain.from_iterable(_words(data)).__next__
        """A number of 16 bits."""

    def below(self, n: int) -> int:
        """A choice among n."""
        if n <= 4096:
            return self.word() % n
        value = 0
        for _ in range(n.bit_length() // 16 + 1):
            value = value << 16 | self.word()
        return value % n

    def among(self, options: Sequence[T]) -> T:
        """One of some options."""
        return options[self.below(len(options))]

    def number(self, number: Number, known: Known = list, positive: bool = False) -> int:
        """A known value, a typical one or a multiple of it, any magnitude, an extreme; never zero if `positive`."""
        word = self.word()
        mode, typical = word & 15, number.typical
        if mode < KNOWN and (values := known()):
            value = values[(word >> 4) % len(values)]
        elif mode < 12 and typical:
            value = typical[(word >> 4) % len(typical)]
            if mode >= 6:
                value = value * (self.word() % 2000) // 1000 or 1
        elif mode < 14:
            bits = min(number.high.bit_length(), 96) if mode == 13 else number.high.bit_length()
            exponent = self.below(bits)
            value = (1 << exponent) + self.below(1 << min(exponent, 40))
        elif mode == 14:
            value = (number.high, number.high - 1, 2**128 - 1, 2**128)[word >> 4 & 3]
        else:
            value = 0
        low = 1 if positive else number.low
        return low if value < low else min(value, number.high)


def _words(data: bytes) -> Iterator[tuple[int, ...]]:
    """The 16-bit words of a chain of digests."""
    while True:
        data = blake2b(data).digest()
        yield _unpack(data)
