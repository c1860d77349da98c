"""Numbers that lead a run elsewhere: it is watched on integers that remember what they were made of.

What is compared last before a run ends decides that it ends there; the number that this comparison hangs on is moved to
where it turns out otherwise. Nothing is concluded from a watched run: what it finds is run again on plain integers.
"""

from __future__ import annotations

import random
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from marginspec.model.kernel.numbers import Number

# How many comparisons before the last one are moved as well, now and then.
EARLIER = (0, 0, 0, 0, 1, 1, 2, 3)


class ComparedInts(NamedTuple):
    """Something was compared: the difference of both sides, a bit for each number that it was made of, and where."""

    difference: int
    made_of: int
    where: int

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.difference > 0) - (self.difference < 0)


_trail: list[ComparedInts] = []


def _where(frame: types.FrameType) -> int:
    """A place in the text, and the place from which it was called."""
    back = frame.f_back or frame
    return hash((id(frame.f_code), frame.f_lasti, id(back.f_code), back.f_lasti))


class TrackedInt(int):
    """An integer that remembers which numbers it was made of, and is noted when it is compared."""

    made_of: int


def watched(value: int, made_of: int) -> TrackedInt:
    """A number with the bits of what it is made of."""
    number = int.__new__(TrackedInt, value)
    number.made_of = made_of
    return number


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def method(self: TrackedInt, *others: Any) -> Any:
        result = plain(self, *others)
        if result is NotImplemented or not isinstance(result, int):
            return result
        made_of = self.made_of
        for other in others:
            made_of |= getattr(other, "made_of", 0)
        return watched(result, made_of)

    return method


def _comparison(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def method(self: TrackedInt, other: Any) -> Any:
        if isinstance(other, int):
            made_of = self.made_of | getattr(other, "made_of", 0)
            _trail.append(ComparedInts(int.__sub__(self, other), made_of, _where(sys._getframe(1))))
        return plain(self, other)

    return method


def _truth(self: TrackedInt) -> bool:
    _trail.append(ComparedInts(int(self), self.made_of, _where(sys._getframe(1))))
    return int.__bool__(self)


_METHODS: dict[str, Any] = {"__bool__": _truth, "__hash__": int.__hash__}
for _name in ("add", "sub", "mul", "floordiv", "mod", "and", "or", "xor", "lshift", "rshift", "pow"):
    _METHODS |= {name: _arithmetic(name) for name in (f"__{_name}__", f"__r{_name}__")}
_METHODS |= {name: _arithmetic(name) for name in ("__neg__", "__abs__")}
_METHODS |= {name: _comparison(name) for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")}
for _name, _method in _METHODS.items():
    setattr(TrackedInt, _name, _method)

Run = Callable[[list[Any]], bool]
"""Runs something on values and says whether it came to the wanted end."""


def watch(run: Run, values: Sequence[Any], ranges: Sequence[Number | None]) -> tuple[bool, list[ComparedInts]]:
    """How a run ended, and what was compared. ranges: of each value, None if it is no number that may move."""
    _trail.clear()
    end = run([v if r is None else watched(v, 1 << i) for i, (v, r) in enumerate(zip(values, ranges, strict=True))])
    return end, _trail.copy()


@dataclass
class Steered:
    """Values that a run was led to: whether to the wanted end, and how many comparisons it came through."""

    values: list[Any]
    arrived: bool
    passed: int


def steer(run: Run, values: Sequence[Any], ranges: Sequence[Number | None], draw: random.Random, tries: int) -> Steered:
    """Lead a run towards the wanted end in so many moves; of where it came, the furthest."""
    now = list(values)
    end, trail = watch(run, now, ranges)
    best = Steered(now, end, len(trail))
    for _ in range(tries):
        if end or not trail:
            break
        place = max(len(trail) - 1 - draw.choice(EARLIER), 0)
        moved = flip(run, now, ranges, trail, place, draw)
        if moved is not None:
            now = moved
            end, trail = watch(run, now, ranges)
            if end or len(trail) > best.passed:
                best = Steered(now, end, len(trail))
    return best


def flip(
    run: Run,
    values: list[Any],
    ranges: Sequence[Number | None],
    trail: Sequence[ComparedInts],
    place: int,
    draw: random.Random,
    wanted: int | None = None,
) -> list[Any] | None:
    """Values with one of them moved to where a comparison turns out otherwise, as far as its slope tells.

    wanted: the difference that is wanted.
    """
    difference, made_of, _ = trail[place]
    numbers = [i for i in range(len(values)) if made_of >> i & 1]
    if not numbers:
        return None
    i = draw.choice(numbers)
    number, value = ranges[i], values[i]
    assert number is not None
    for size in (1, abs(value) // 16 + 16):
        step = size if value + size <= number.high else -size
        if value + step < number.low:
            continue
        after = watch(run, [*values[:i], value + step, *values[i + 1 :]], ranges)[1]
        slope = after[place].difference - difference if place < len(after) else 0
        if slope:
            # Just beyond, or exactly at, where both sides are equal; from there to either side.
            if wanted is None:
                wanted = draw.choice((1, -1)) if difference == 0 else draw.choice((0, 0, -1 if difference > 0 else 1))
            way = (wanted - difference) * step
            there = value + (way // slope if draw.random() < 0.5 else -(-way // slope))
            there = min(max(there, number.low), number.high)
            return None if there == value else [*values[:i], there, *values[i + 1 :]]
    # Where a small step changes nothing, a leap may.
    there = min(max(draw.choice((*number.typical, 1, 10**6, 10**18)), number.low), number.high)
    return None if there == value else [*values[:i], there, *values[i + 1 :]]
