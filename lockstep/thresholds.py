"""Where decisions flip: the model is run with a number that remembers how everything computed from it moves.

A `Probe` is a value and its slope with respect to one argument. Whenever the model compares two quantities, the
argument at which they would be equal follows from value and slope; that is the threshold, exact up to rounding. In the
same way a division says where its rounded quotient changes. No author of a model has to name a threshold, and none can
forget one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected, regimes_of

# Slopes are integers at this scale: exact enough that one step lands on the threshold even for 256-bit quantities.
_ONE = 1 << 160

Flip = tuple[int, int]
"""A comparison: by how much its sides differed, and the slope of that."""


@dataclass(slots=True)
class Trail:
    """What some calls computed from one argument, in the order in which they did.

    decisions: comparisons. quotients: divisions, each with the nearest places below and above where its rounded result
    changes. accepted: how many calls were accepted, one after another. earlier: how many decisions were made before the
    last of the calls that were tried.
    """

    decisions: list[Flip] = field(default_factory=list)
    quotients: list[Flip] = field(default_factory=list)
    accepted: int = 0
    earlier: int = 0


class Probe:
    """An integer with a slope. Its trail is told every comparison and every division."""

    __slots__ = ("slope", "trail", "value")

    def __init__(self, value: int, slope: int, trail: Trail) -> None:
        self.value, self.slope, self.trail = value, slope, trail

    def __add__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value + other.value, self.slope + other.slope, self.trail)
        return Probe(self.value + other, self.slope, self.trail)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value - other.value, self.slope - other.slope, self.trail)
        return Probe(self.value - other, self.slope, self.trail)

    def __rsub__(self, other: int) -> Probe:
        return Probe(other - self.value, -self.slope, self.trail)

    def __neg__(self) -> Probe:
        return Probe(-self.value, -self.slope, self.trail)

    def __mul__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value * other.value, self.slope * other.value + self.value * other.slope, self.trail)
        return Probe(self.value * other, self.slope * other, self.trail)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Probe:
        value, slope = self.value, self.slope
        if type(other) is not Probe:
            self._round(value, other, slope, 0)
            return Probe(value // other, slope // other, self.trail)
        v, s = other.value, other.slope
        self._round(value, v, slope, s)
        return Probe(value // v, (slope * v - value * s) // (v * v), self.trail)

    def __rfloordiv__(self, other: int) -> Probe:
        self._round(other, self.value, 0, self.slope)
        return Probe(other // self.value, -other * self.slope // (self.value * self.value), self.trail)

    def __divmod__(self, other: Any) -> tuple[Probe, Probe]:
        quotient = self // other
        return quotient, self - quotient * other

    def __rdivmod__(self, other: int) -> tuple[Probe, Probe]:
        quotient = other // self
        return quotient, other - quotient * self

    def __mod__(self, other: Any) -> Probe:
        whole: Probe = self // other * other
        return self - whole

    def __rmod__(self, other: int) -> Probe:
        quotient: Probe = other // self
        return other - quotient * self

    def __pow__(self, exponent: int) -> Probe:
        value = self.value
        slope = exponent * value ** (exponent - 1) * self.slope if exponent else 0
        return Probe(value**exponent, slope, self.trail)

    def __abs__(self) -> Probe:
        return -self if self < 0 else self

    def __lshift__(self, by: int) -> Probe:
        return self * (1 << by)

    def __rshift__(self, by: int) -> Probe:
        return self // (1 << by)

    def __and__(self, mask: int) -> Probe:
        # Of a mask of low bits, the rest; of any other only its value is known to go with the number.
        if mask & (mask + 1) == 0:
            return self % (mask + 1)
        return Probe(self.value & mask, 0, self.trail)

    __rand__ = __and__

    def _round(self, value: int, divisor: int, slope: int, divisor_slope: int) -> None:
        quotient, remainder = divmod(value, divisor)
        slope -= quotient * divisor_slope
        if slope:
            self.trail.quotients += (remainder, slope), (remainder - divisor, slope)

    def _difference(self, other: Any) -> int:
        if type(other) is Probe:
            difference, slope = self.value - other.value, self.slope - other.slope
        else:
            difference, slope = self.value - other, self.slope
        if slope:
            self.trail.decisions.append((difference, slope))
        return difference

    def __lt__(self, other: Any) -> bool:
        return self._difference(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._difference(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._difference(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._difference(other) >= 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (int, Probe)) and self._difference(other) == 0

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, (int, Probe)) or self._difference(other) != 0

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return self._difference(0) != 0


def thresholds(machine: Machine, call: Call, argument: str) -> set[int]:
    """Values of `argument` at which some decision flips, of the action itself or of a regime after it.

    machine is left as it was. Values may be one off where the model rounds, so callers also try their neighbours.
    """
    value, regimes = call.arguments[argument], regimes_of(type(machine))
    trail = follow(machine.clone(), [call], argument, machine.flatten(), regimes)
    return {threshold(value, flip) for flip in trail.decisions}


def follow(
    trial: Machine, calls: Sequence[Call], argument: str, before: list[Any], regimes: Iterable[str] = ()
) -> Trail:
    """What depends on `argument` of the first of some calls: the calls themselves, up to a refusal, then regimes.

    trial: a machine, which is spoilt. before: its state, flattened.
    """
    trail = Trail()
    first, *later = calls
    for call in (probed(first, argument, trail), *later):
        trail.earlier = len(trail.decisions)
        if not trial.attempt(call, before).accepted:
            return trail
        trail.accepted += 1
    for name in regimes:
        try:
            getattr(trial, name)()
        except Rejected:
            continue  # a regime whose own arithmetic overflows here does not hold
    return trail


def probed(call: Call, argument: str, trail: Trail) -> Call:
    """The same call with a number that tells a trail what depends on it."""
    return call.changed(argument, Probe(call.arguments[argument], _ONE, trail))


def threshold(value: int, flip: Flip) -> int:
    """The value of the argument, now `value`, at which a comparison or a rounded quotient flips."""
    difference, slope = flip
    return value - difference * _ONE // slope
