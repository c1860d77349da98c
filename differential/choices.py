"""Choices out of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from struct import Struct

from marginspec.model.kernel.numbers import Number

_unpack = Struct("<32H").unpack


class Choices:
    """Bytes as a source of choices, as many as are wanted: the 16-bit words of a chain of digests."""

    def __init__(self, data: bytes) -> None:
        self._word = chain.from_iterable(_words(data)).__next__

    def below(self, n: int) -> int:
        """A choice among n."""
        if n <= 4096:
            return self._word() % n
        value = 0
        for _ in range(n.bit_length() // 16 + 1):
            value = value << 16 | self._word()
        return value % n

    def number(self, number: Number, positive: bool) -> int:
        """A typical value or a multiple of it, any magnitude, or an extreme; seldom zero, never if `positive`."""
        mode = self.below(16)
        if mode < 12 and number.typical:
            typical = number.typical[self.below(len(number.typical))]
            value = typical if mode < 4 else typical * self.below(2000) // 1000
        elif mode < 14:
            bits = min(number.high.bit_length(), 96) if mode == 13 else number.high.bit_length()
            exponent = self.below(bits)
            value = (1 << exponent) + self.below(1 << min(exponent, 40))
        elif mode == 14:
            value = (number.high, number.high - 1, 2**128 - 1, 2**128)[self.below(4)]
        else:
            value = 0
        return min(max(value, 1 if positive else number.low), number.high)


def _words(data: bytes) -> Iterator[tuple[int, ...]]:
    while True:
        data = blake2b(data).digest()
        yield _unpack(data)
