"""Choices out of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from struct import Struct

from marginspec.model.kernel.numbers import Number

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

    def number(self, number: Number, positive: bool) -> int:
        """A typical value or a multiple of it, any magnitude, or an extreme; seldom zero, never if `positive`."""
        word = self.word()
        mode, typical = word & 15, number.typical
        if mode < 12 and typical:
            value = typical[(word >> 4) % len(typical)]
            if mode >= 4:
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
