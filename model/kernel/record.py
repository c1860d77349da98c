"""Records: dataclasses of integers, identifiers, records and maps, that copy and flatten themselves fast.

The keys of a map never change: the identifiers of a run are listed by its model. So a state is its `flatten`, a list
of values in a fixed order, and `load` takes it back from there.

All of this happens on every step of a differential run, so it is compiled once per class from the field types, instead
of walking the types again each time.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, get_args, get_origin


class Record:
    """Base of every dataclass that is part of a state."""

    def clone(self) -> Self:
        """A copy that shares nothing mutable with the original, apart from constants."""
        return typing.cast(Self, _compiled(type(self)).clone(self))

    def flatten(self) -> list[Any]:
        """Every variable in a fixed order: fields as declared, maps by the order of their keys."""
        out: list[Any] = []
        _compiled(type(self)).flatten(self, out)
        return out

    def load(self, values: list[Any]) -> None:
        """Take every variable from a list such as `flatten` gives; the list is only read."""
        rest = iter(values)
        try:
            _compiled(type(self)).load(self, rest)
        except StopIteration:
            raise ValueError(f"too few values for {type(self).__name__}: the keys of a map must not change") from None
        if next(rest, self) is not self:
            raise ValueError(f"too many values for {type(self).__name__}: the keys of a map must not change")

    def names(self) -> list[str]:
        """The name of each entry of `flatten`, e.g. `positions[A][borrower].collateral`."""
        return list(_names(self, ""))


@dataclasses.dataclass(frozen=True)
class _Compiled:
    clone: Callable[[Any], Any]
    flatten: Callable[[Any, list[Any]], None]
    load: Callable[[Any, Iterator[Any]], None]
    variables: tuple[str, ...]


_CACHE: dict[type, _Compiled] = {}


def variables_of(cls: type) -> dict[str, Any]:
    """Name and annotated type of each field of a record that is not a constant."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = dataclasses.fields(cls)
    return {f.name: hints[f.name] for f in fields if not f.metadata.get("constant")}


def plain(hint: Any) -> Any:
    """A type without its annotation."""
    return get_args(hint)[0] if get_origin(hint) is typing.Annotated else hint


def is_record(hint: Any) -> bool:
    """Whether a type is a record class."""
    return isinstance(hint, type) and issubclass(hint, Record)


def _compiled(cls: type) -> _Compiled:
    if cls not in _CACHE:
        _CACHE[cls] = _compile(cls)
    return _CACHE[cls]


def _compile(cls: type) -> _Compiled:
    variables = variables_of(cls)
    constants = [f.name for f in dataclasses.fields(cls) if f.name not in variables]
    copies = [f"new.{n} = {_copy(t, f'old.{n}')}" for n, t in variables.items()]
    copies += [f"new.{n} = old.{n}" for n in constants]
    clone = ["def clone(old):", " new = make(cls)", *(f" {line}" for line in copies), " return new"]
    flatten = ["def flatten(record, out):", *_walk(cls, "record", 1, _append, "out += {0}.values()")]
    load = ["def load(record, rest):", *_walk(cls, "record", 1, _assign, "for k in {0}: {0}[k] = next(rest)")]
    scope: dict[str, Any] = {"cls": cls, "make": object.__new__}
    scope |= {f"clone_{kind.__name__}": _compiled(kind).clone for kind in _records_in(variables.values())}
    exec("\n".join([*clone, *flatten, " return None", *load, " return None"]), scope)
    return _Compiled(scope["clone"], scope["flatten"], scope["load"], tuple(variables))


def _append(places: list[str]) -> str:
    return f"out += ({', '.join(places)},)"


def _assign(places: list[str]) -> str:
    return "; ".join(f"{place} = next(rest)" for place in places)


def _records_in(hints: Iterable[Any]) -> set[type]:
    found: set[type] = set()
    for hint in hints:
        kind = plain(hint)
        if is_record(kind):
            found.add(kind)
        elif get_origin(kind) is dict:
            found |= _records_in(get_args(kind)[1:])
    return found


def _copy(hint: Any, source: str) -> str:
    kind = plain(hint)
    if is_record(kind):
        return f"clone_{kind.__name__}({source})"
    if get_origin(kind) is dict:
        value = get_args(kind)[1]
        inner = plain(value)
        if is_record(inner) or get_origin(inner) is dict:
            return f"{{k: {_copy(value, 'v')} for k, v in {source}.items()}}"
        return f"{source}.copy()"
    return source


def _walk(cls: type, source: str, depth: int, leaves: Callable[[list[str]], str], values: str) -> list[str]:
    """Code that visits every variable of a record in order: `leaves` some fields at once, `values` a map of numbers."""
    lines: list[str] = []
    pending: list[str] = []
    for name, hint in variables_of(cls).items():
        place, kind = f"{source}.{name}", plain(hint)
        if not (is_record(kind) or get_origin(kind) is dict):
            pending.append(place)
            continue
        if pending:
            lines.append(" " * depth + leaves(pending))
            pending = []
        lines += _walk_field(kind, place, depth, leaves, values)
    return [*lines, " " * depth + leaves(pending)] if pending else lines


def _walk_field(kind: Any, place: str, depth: int, leaves: Callable[[list[str]], str], values: str) -> list[str]:
    if is_record(kind):
        return _walk(kind, place, depth, leaves, values)
    inner, item = plain(get_args(kind)[1]), f"v{depth}"
    if not (is_record(inner) or get_origin(inner) is dict):
        return [" " * depth + values.format(place)]
    return [
        f"{' ' * depth}for {item} in {place}.values():",
        *_walk_field(inner, item, depth + 1, leaves, values),
    ]


def _names(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Record):
        for name in _compiled(type(value)).variables:
            yield from _names(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _names(item, f"{path}[{key}]")
    else:
        yield path
