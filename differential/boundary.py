"""Where decisions flip: the model is run with a number that remembers how everything computed from it moves.

A `Probe` is a value and its slope with respect to one argument. Whenever the model compares two quantities, the
argument at which they would be equal follows from value and slope; that is the threshold, exact up to rounding. No
author of a model has to name a threshold, and none can forget one.
"""

from __future__ import annotations

from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected, regimes_of

# Slopes are integers at this scale: exact enough that one step lands on the threshold even for 256-bit quantities.
_ONE = 1 << 160


class Probe:
    """An integer with a slope. Comparisons of probes record the argument at which they flip."""

    __slots__ = ("flips", "slope", "value")

    def __init__(self, value: int, slope: int, flips: list[tuple[int, int]]) -> None:
        self.value, self.slope, self.flips = value, slope, flips

    def _with(self, value: int, slope: int) -> Probe:
        return Probe(value, slope, self.flips)

    def __add__(self, other: Any) -> Probe:
        v, s = _parts(other)
        return self._with(self.value + v, self.slope + s)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Probe:
        v, s = _parts(other)
        return self._with(self.value - v, self.slope - s)

    def __rsub__(self, other: Any) -> Probe:
        v, s = _parts(other)
        return self._with(v - self.value, s - self.slope)

    def __neg__(self) -> Probe:
        return self._with(-self.value, -self.slope)

    def __mul__(self, other: Any) -> Probe:
        v, s = _parts(other)
        return self._with(self.value * v, self.slope * v + self.value * s)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Probe:
        v, s = _parts(other)
        return self._with(self.value // v, (self.slope * v - self.value * s) // (v * v))

    def __rfloordiv__(self, other: int) -> Probe:
        return self._with(other // self.value, -other * self.slope // (self.value * self.value))

    def _difference(self, other: Any) -> int:
        v, s = _parts(other)
        difference, slope = self.value - v, self.slope - s
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
        return not self == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return self._difference(0) != 0


def _parts(other: Any) -> tuple[int, int]:
    return (other.value, other.slope) if type(other) is Probe else (other, 0)


def thresholds(machine: Machine, call: Call, argument: str) -> list[int]:
    """Values of `argument` at which some decision flips, of the action itself or of a regime after it.

    machine is left as it was. Values may be one off where the model rounds, so callers also try their neighbours.
    """
    value = call.arguments[argument]
    flips: list[tuple[int, int]] = []
    trial = machine.clone()
    outcome = trial.apply(Call(call.action, {**call.arguments, argument: Probe(value, _ONE, flips)}))
    if outcome.accepted:
        _ask_regimes(trial)
    return list({value - difference * _ONE // slope for difference, slope in flips})


def _ask_regimes(trial: Machine) -> None:
    for name in regimes_of(type(trial)):
        try:
            getattr(trial, name)()
        except Rejected:
            continue  # a regime whose own arithmetic overflows here does not hold
