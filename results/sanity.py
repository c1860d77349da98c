"""What a live book must satisfy besides its invariants: parameters in storage, prices, and totals of what was read.

An invariant says what actions keep; it says nothing of what a deployment was given. A safety bound that is violated in
storage is a finding, as a broken invariant is. A total that is larger than the sum of what was read says that somebody
is missing from the book.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin

from marginspec.model.kernel import Machine, Number, Record
from marginspec.model.kernel.record import plain
from marginspec.systems.judgement import Judgement, Total
from marginspec.systems.system import System


def judgements(chosen: System, state: Machine) -> list[Judgement]:
    """Every bound on the parameters and prices of a book, those of its system first."""
    return [*chosen.judgements(state), *_ranges(state, "")]


def totals(chosen: System, state: Machine) -> list[Total]:
    """The totals from which one sees that accounts are missing, where accounts are known by their events alone."""
    return list(chosen.totals(state))


def _ranges(value: Any, path: str, hint: Any = None) -> Iterator[Judgement]:
    """Every number of a state against the range that the model declares for it; only those outside are yielded."""
    if isinstance(value, Record):
        hints = typing.get_type_hints(type(value), include_extras=True)
        for each in fields(value):  # type: ignore[arg-type]
            yield from _ranges(getattr(value, each.name), f"{path}.{each.name}".lstrip("."), hints[each.name])
    elif isinstance(value, dict):
        inner = get_args(plain(hint))
        for key, item in value.items():
            yield from _ranges(item, f"{path}[{key}]", inner[1] if len(inner) == 2 else None)
    elif isinstance(value, int) and get_origin(hint) is Annotated:
        for number in get_args(hint)[1:]:
            if isinstance(number, Number) and not number.low <= value <= number.high:
                low, high = (value, number.high) if value > number.high else (number.low, value)
                yield Judgement("range", path, f"{path} is within what the model declares of it", low, high)
