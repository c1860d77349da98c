"""Figures that a model and a service both work out, what they may be off, and how questions of a kind are asked.

A tolerance is the error bound of the model's figure, from the specification, plus what floating point may be off:
`ROUNDINGS` roundings of double precision of the greatest number that the figure is made of.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from marginspec.model.risk.notation import WAD

DOUBLE = Fraction(1, 2**53)
ROUNDINGS = 512
"""Of double precision, by which a figure may be off of the greatest number that it is made of."""

MOST_TAKEN_ONE_BY_ONE = 40
"""Parts of a question that are left out one at a time where it is made smaller; of more, half of them."""


@dataclass(frozen=True)
class Figure:
    """One number that both sides work out. value, tolerance: units of 10^-18. rule: which says how.

    otherwise: what services have that are known to differ, by the name of the difference.
    """

    name: str
    rule: str
    value: int
    tolerance: Fraction
    otherwise: Mapping[str, int] = field(default_factory=dict)

    def fits(self, found: Fraction) -> bool:
        """Whether a number of a service is within the tolerance."""
        return abs(found - self.value) <= self.tolerance

    def declared(self, found: Fraction, known: Sequence[str]) -> str | None:
        """Which of some known differences a number of a service shows, if any."""
        shown = (name for name in known if name in self.otherwise)
        return next((name for name in shown if abs(found - self.otherwise[name]) <= self.tolerance), None)


def tolerance(bound: int, greatest: int) -> Fraction:
    """What a figure may be off: an error bound of the model, and floating point of the greatest number in it."""
    return bound + ROUNDINGS * DOUBLE * greatest


@dataclass(frozen=True)
class QuestionKind:
    """How questions of one kind are asked: the path of a service, and the body of a request.

    figures: the model's, in the order in which one follows from another. simpler: the question without one of its
    parts. together: where many are asked in one request, the field of the questions and that of the answers.
    """

    path: str
    body: Callable[[Any], dict[str, Any]]
    figures: Callable[[Any], list[Figure]]
    simpler: Callable[[Any], Iterator[Any]]
    together: tuple[str, str] | None = None


def number(units: int) -> str:
    """A number with 18 decimals, as text."""
    sign, whole = "-" if units < 0 else "", abs(units)
    return f"{sign}{whole // WAD}.{whole % WAD:018}"


def numbers(values: Mapping[str, int]) -> dict[str, str]:
    """Numbers by name, as texts."""
    return {name: number(value) for name, value in values.items()}


def without_one(question: Any, part: Callable[[Any], list[Any]], least: int = 0) -> Iterator[Any]:
    """A question without one of the members of a list in it, or without half of them where they are many."""
    size = len(part(question))
    if size <= least:
        return
    few = size <= MOST_TAKEN_ONE_BY_ONE
    halves = (slice(0, size // 2), slice(size // 2, size))
    for left_out in [slice(n, n + 1) for n in range(size)] if few else halves:
        simpler = copy.deepcopy(question)
        del part(simpler)[left_out]
        yield simpler
