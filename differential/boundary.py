"""Where decisions flip: the model is run with a number that remembers how everything computed from it moves.

A `Probe` is a value and its slope with respect to one argument. Whenever the model compares two quantities, the
argument at which they would be equal follows from value and slope; that is the threshold, exact up to rounding. No
author of a model has to name a threshold, and none can forget one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected, regimes_of

# Slopes are integers at this scale: exact enough that one step lands on the threshold even for 256-bit quantities.
_ONE = 1 << 160

Flip = tuple[int, int]
"""A comparison: by how much its sides differed, and the slope of that."""


class Probe:
    """An integer with a slope. Comparisons of probes record the argument at which they flip."""

    __slots__ = ("flips", "slope", "value")

    def __init__(self, value: int, slope: int, flips: list[Flip]) -> None:
        self.value, self.slope, self.flips = value, slope, flips

    def __add__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value + other.value, self.slope + other.slope, self.flips)
        return Probe(self.value + other, self.slope, self.flips)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value - other.value, self.slope - other.slope, self.flips)
        return Probe(self.value - other, self.slope, self.flips)

    def __rsub__(self, other: int) -> Probe:
        return Probe(other - self.value, -self.slope, self.flips)

    def __neg__(self) -> Probe:
        return Probe(-self.value, -self.slope, self.flips)

    def __mul__(self, other: Any) -> Probe:
        if type(other) is Probe:
            return Probe(self.value * other.value, self.slope * other.value + self.value * other.slope, self.flips)
        return Probe(self.value * other, self.slope * other, self.flips)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Probe:
        if type(other) is Probe:
            v, s = other.value, other.slope
            return Probe(self.value // v, (self.slope * v - self.value * s) // (v * v), self.flips)
        return Probe(self.value // other, self.slope // other, self.flips)

    def __rfloordiv__(self, other: int) -> Probe:
        return Probe(other // self.value, -other * self.slope // (self.value * self.value), self.flips)

    def _difference(self, other: Any) -> int:
        if type(other) is Probe:
            difference, slope = self.value - other.value, self.slope - other.slope
        else:
            difference, slope = self.value - other, self.slope
        if slope:
            self.flips.append((difference, slope))
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
    return {threshold(value, f) for f in flips(machine.clone(), call, argument, machine.flatten(), regimes)}


def flips(trial: Machine, call: Call, argument: str, before: list[Any], regimes: Iterable[str] = ()) -> list[Flip]:
    """The comparisons that depend on `argument`, in the order in which they are made.

    trial: a machine, which is spoilt. before: its state, flattened. regimes: those asked for after the action.
    """
    found: list[Flip] = []
    probe = Probe(call.arguments[argument], _ONE, found)
    if trial.attempt(Call(call.action, {**call.arguments, argument: probe}), before).accepted:
        for name in regimes:
            try:
                getattr(trial, name)()
            except Rejected:
                continue  # a regime whose own arithmetic overflows here does not hold
    return found


def threshold(value: int, flip: Flip) -> int:
    """The value of the argument, now `value`, at which a comparison flips."""
    difference, slope = flip
    return value - difference * _ONE // slope
