"""Bounds on rounding: a model's own arithmetic, run on intervals that carry how far each number may be off.

A `Rounded` stands for every integer that a variable can be, for all arguments of a box at once, beside the number that
the same text gives without rounding. Its arithmetic widens both. What comes out bounds, for every argument of the box,
the integer that the text computes and its distance from the number that it stands for: intervals and running errors,
as textbooks of numerical analysis have them. A question that has two answers in a box cannot be answered: `Undecided`,
and `each_half` asks it of both halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction


class Undecided(Exception):  # noqa: N818 - no error: a smaller box decides
    """A comparison turns out differently within a box."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """All integers from `low` to `high`, each at most `error` from the number that it stands for."""

    low: int
    high: int
    error: Fraction = Fraction(0)

    @property
    def largest(self) -> int:
        """The greatest magnitude."""
        return max(abs(self.low), abs(self.high))

    def __add__(self, other: Rounded | int) -> Rounded:
        more = of(other)
        return Rounded(self.low + more.low, self.high + more.high, self.error + more.error)

    __radd__ = __add__

    def __neg__(self) -> Rounded:
        return Rounded(-self.high, -self.low, self.error)

    def __sub__(self, other: Rounded | int) -> Rounded:
        return self + -of(other)

    def __rsub__(self, other: int) -> Rounded:
        return of(other) - self

    def __mul__(self, other: Rounded | int) -> Rounded:
        factor = of(other)
        ends = [a * b for a in (self.low, self.high) for b in (factor.low, factor.high)]
        error = self.largest * factor.error + factor.largest * self.error + self.error * factor.error
        return Rounded(min(ends), max(ends), error)

    __rmul__ = __mul__

    def __floordiv__(self, other: Rounded | int) -> Rounded:
        """Rounding down is off by less than one; the divisor is positive and exact."""
        divisor = of(other)
        if divisor.low <= 0 or divisor.error != 0:
            raise Undecided("a divisor is positive and exact")
        ends = [a // b for a in (self.low, self.high) for b in (divisor.low, divisor.high)]
        return Rounded(min(ends), max(ends), self.error / divisor.low + 1)

    def __lt__(self, other: Rounded | int) -> bool:
        less = self - other
        return _decided(less.high < 0, less.low >= 0)

    def __gt__(self, other: Rounded | int) -> bool:
        return of(other) < self

    def __le__(self, other: Rounded | int) -> bool:
        return not of(other) < self

    def __ge__(self, other: Rounded | int) -> bool:
        return not self < other

    def __abs__(self) -> Rounded:
        return self if self >= 0 else -self


def of(value: Rounded | int) -> Rounded:
    """A number as one that may be off."""
    return value if isinstance(value, Rounded) else Rounded(value, value)


def _decided(true: bool, false: bool) -> bool:
    if true or false:
        return true
    raise Undecided("both answers are possible")


def each_half(low: int, high: int, body: Callable[[Rounded], Rounded]) -> Iterator[tuple[Rounded, Rounded]]:
    """Boxes that cover all integers from `low` to `high`, each with what `body` makes of it, halved until decided."""
    try:
        yield Rounded(low, high), body(Rounded(low, high))
    except Undecided:
        if low == high:
            raise
        middle = (low + high) // 2
        yield from each_half(low, middle, body)
        yield from each_half(middle + 1, high, body)
