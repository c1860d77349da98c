"""The law that every system has: each number of the state stays within the range that its type declares.

A proof assumes these ranges of the state in which it begins. That they are kept is therefore an invariant like any
other, and every law rests on it. `Chapter.ranges` states it of some fields, where a chapter has to say more about them
(what is given, a relaxation); `RANGES` is about all the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.numbers import UNBOUNDED, Number
from marginspec.model.kernel.record import is_record, plain, variables_of
from marginspec.properties.law import Chapter, Property, every
from marginspec.properties.scope import is_of_rest

RANGES = "RANGES"


def numbers_of(kind: type, path: str = "") -> Iterator[tuple[str, Number]]:
    """The numbers in a state, with empty keys, e.g. `positions[][].collateral`, and what their types declare."""
    for name, hint in variables_of(kind).items():
        yield from _numbers(hint, f"{path}.{name}" if path else name)


def _numbers(hint: Any, path: str) -> Iterator[tuple[str, Number]]:
    kind = plain(hint)
    if is_record(kind):
        yield from numbers_of(kind, path)
    elif get_origin(kind) is dict:
        yield from _numbers(get_args(kind)[1], f"{path}[]")
    elif kind is int:
        yield from ((path, note) for note in getattr(hint, "__metadata__", ()) if isinstance(note, Number))


def within(number: Number, value: Any) -> Iterator[Any]:
    """The conditions that a value is within a range, where that has bounds."""
    if number.low > -UNBOUNDED:
        yield number.low <= value
    if number.high < UNBOUNDED:
        yield value <= number.high


def outside_of(state: Machine, fields: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
    """Name and condition of every bound that a number of the state has, of everybody who is named."""
    declared = dict(numbers_of(type(state)))
    for name, value in zip(state.names(), state.flatten(), strict=True):
        shape = shape_of(name)
        if shape in declared and not is_of_rest(name) and fields(shape):
            for condition in within(declared[shape], value):
                yield name, condition


def shape_of(name: str) -> str:
    """The name of a variable without its keys."""
    return re.sub(r"\[[^]]*\]", "[]", name)


def every_field(name: str) -> bool:
    """Of which fields a law speaks that speaks of all."""
    return True


def ranges(id: str, chapter: Chapter, fields: Callable[[str], bool], **options: Any) -> Property:
    """The law that accepted actions keep the declared ranges of some fields."""

    def within_ranges(state: Machine) -> Any:
        """Every number of the state is within the range that its type declares."""
        return every(condition for _, condition in outside_of(state, fields))

    within_ranges.fields = fields  # type: ignore[attr-defined]
    return chapter.property_of("invariant", id, within_ranges, **options)


def fields_of_ranges(claim: Property) -> Callable[[str], bool] | None:
    """The fields whose declared ranges a property says that actions keep; None where it says nothing like that."""
    is_one = claim.kind == "invariant" and getattr(claim.predicate, "__code__", None) in ranges.__code__.co_consts
    return getattr(claim.predicate, "fields", None) if is_one else None


def with_ranges(model: type[Machine], chapter: Chapter) -> list[Property]:
    """All properties of a chapter and, for the fields that none of them is about, the automatic one."""
    mine: Sequence[Property] = chapter.properties
    about = [fields for p in mine if (fields := fields_of_ranges(p)) is not None]
    left = {shape for shape, _ in numbers_of(model) if not any(fields(shape) for fields in about)}
    if not left:
        return list(mine)
    # An invariant that was proved only where something is pinned cannot be taken for given where it is not.
    pinned = dict(chapter.scope.fixed)
    given = tuple(p.predicate for p in mine if p.kind == "invariant" and dict(p.scope.fixed) == pinned)
    return [*mine, ranges(RANGES, chapter, lambda shape: shape in left, given=given)]
