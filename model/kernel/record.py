"""Records: dataclasses of integers, identifiers, records and maps, that copy and flatten themselves fast.

Both happen all the time, so they are compiled once per class from the field types, instead of walking the types again
each time.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
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

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """The fields that are declared constant."""
        return tuple(f.name for f in dataclasses.fields(cls) if f.metadata.get("constant"))  # type: ignore[arg-type]

    def names(self) -> list[str]:
        """The name of each entry of `flatten`, e.g. `positions[A][borrower].collateral`."""
        return list(_names(self, ""))


@dataclasses.dataclass(frozen=True)
class _Compiled:
    clone: Callable[[Any], Any]
    flatten: Callable[[Any, list[Any]], None]
    variables: tuple[str, ...]


_CACHE: dict[type, _Compiled] = {}


_VARIABLES: dict[type, Mapping[str, Any]] = {}


def variables_of(cls: type) -> Mapping[str, Any]:
    """Name and annotated type of each field of a record that is not a constant."""
    if cls not in _VARIABLES:
        hints, fields = typing.get_type_hints(cls, include_extras=True), dataclasses.fields(cls)
        _VARIABLES[cls] = {f.name: hints[f.name] for f in fields if not f.metadata.get("constant")}
    return _VARIABLES[cls]


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
    flatten = ["def flatten(record, out):", *_walk(cls, "record", 1)]
    scope: dict[str, Any] = {"cls": cls, "make": object.__new__}
    scope |= {f"clone_{kind.__name__}": _compiled(kind).clone for kind in _records_in(variables.values())}
    exec("\n".join([*clone, *flatten, " return None"]), scope)
    return _Compiled(scope["clone"], scope["flatten"], tuple(variables))


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
            # Unbound: that copies are made in some order is nothing that a map has to know.
            items = f"{{k: {_copy(value, 'v')} for k, v in dict.items({source})}}"
            return f"({items} if type({source}) is dict else {source}.like({items}))"
        return f"{source}.copy()"
    return source


def _walk(cls: type, source: str, depth: int) -> list[str]:
    return [line for n, t in variables_of(cls).items() for line in _flat(t, f"{source}.{n}", depth)]


def _flat(hint: Any, source: str, depth: int) -> list[str]:
    kind, pad = plain(hint), " " * depth
    if is_record(kind):
        return _walk(kind, source, depth)
    if get_origin(kind) is dict:
        value = plain(get_args(kind)[1])
        if is_record(value) or get_origin(value) is dict:
            item = f"v{depth}"
            return [f"{pad}for {item} in dict.values({source}):", *_flat(value, item, depth + 1)]
        return [f"{pad}out += dict.values({source})"]
    return [f"{pad}out.append({source})"]


def _names(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Record):
        for name in _compiled(type(value)).variables:
            yield from _names(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _names(item, f"{path}[{key}]")
    else:
        yield path
