"""What is known of the value of an expression without running it: number, condition, identifier, record, map, list.

A kind that is not known is `ANY`; a check that needs to know refuses it. `flag` says whether a map, list or record was
made where it stands (FRESH), is part of a state or was given (SHARED), or belongs to what is constant (CONSTANT).
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import FunctionType, MethodType, ModuleType, NoneType, UnionType
from typing import Any, get_args, get_origin

from marginspec.model.kernel.record import plain
from marginspec.properties.law import Step
from marginspec.prover.subset.sources import is_data

FRESH, SHARED, CONSTANT = 0, 1, 2


@dataclass(frozen=True)
class Kind:
    """tag: what it is. of: its class, identifier type, function or module. parts: key and item of a map; items."""

    tag: str
    of: Any = None
    parts: tuple[Kind, ...] = ()
    flag: int = FRESH

    def flagged(self, flag: int) -> Kind:
        """The same of what can be changed, at least as shared as `flag`."""
        if self.tag not in MUTABLE or flag <= self.flag:
            return self
        return replace(self, flag=flag)

    @property
    def item(self) -> Kind:
        """What iterating over it gives."""
        if self.tag == "map":
            return self.parts[0]
        if self.tag in ("list", "tuple", "view"):
            return joined(part.flagged(max(self.flag, SHARED)) for part in self.parts)
        return ANY.flagged(self.flag)

    @property
    def shared(self) -> int:
        """How shared it is, or the most shared of what is in it."""
        return max([self.flag if self.tag in MUTABLE else FRESH, *(part.shared for part in self.parts)])


MUTABLE = ("map", "list", "record", "tuple", "any")
ANY, NEVER, NONE = Kind("any"), Kind("never"), Kind("none")
FLAT = Kind("flat")
NUMBER, CONDITION, TEXT, STEP = Kind("number"), Kind("condition"), Kind("id"), Kind("step")


def map_of(key: Kind, item: Kind, flag: int = FRESH) -> Kind:
    return Kind("map", None, (key, item), flag)


def list_of(item: Kind, flag: int = FRESH) -> Kind:
    return Kind("list", None, (item,), flag)


def view_of(item: Kind, flag: int = FRESH) -> Kind:
    """What looks at a map, and is no list: it changes as the map does."""
    return Kind("view", None, (item,), flag)


def tuple_of(parts: Iterable[Kind], flag: int = FRESH) -> Kind:
    return Kind("tuple", None, tuple(parts), flag)


def join(one: Kind, other: Kind) -> Kind:
    """What is known of a value that is one or the other; None beside something is left out."""
    if one == other or other.tag in ("never", "none"):
        return one
    if one.tag in ("never", "none"):
        return other
    flag = max(one.flag, other.flag)
    if one.tag == other.tag == "id":
        return TEXT if None in (one.of, other.of) or one.of != other.of else one
    if one.tag == other.tag and one.of == other.of and len(one.parts) == len(other.parts):
        return Kind(one.tag, one.of, tuple(map(join, one.parts, other.parts)), flag)
    if {one.tag, other.tag} <= {"list", "tuple"}:
        return list_of(join(one.item, other.item), flag)
    if one.tag == other.tag == "record":
        common = next((c for c in one.of.__mro__ if c in other.of.__mro__), object)
        if is_data(common):
            return Kind("record", common, (), flag)
    return Kind("any", None, (), flag)


def joined(kinds: Iterable[Kind]) -> Kind:
    """What is known of a value that is one of several."""
    found = NEVER
    for kind in kinds:
        found = join(found, kind)
    return found


def of_hint(hint: Any, flag: int = SHARED) -> Kind:
    """What an annotation says."""
    kind, origin, arguments = plain(hint), get_origin(plain(hint)), get_args(plain(hint))
    if kind is int:
        return NUMBER
    if kind is bool:
        return CONDITION
    if kind is str:
        return TEXT
    if kind is None or kind is NoneType:
        return NONE
    if isinstance(kind, typing.NewType):
        return Kind("number id" if base_of(kind) is int else "id", kind)
    if kind is Step:
        return STEP
    if is_data(kind):
        return Kind("record", kind, (), flag)
    if origin in (dict, collections.abc.Mapping) and len(arguments) == 2:
        return map_of(of_hint(arguments[0]), of_hint(arguments[1], flag), flag)
    if origin is tuple and arguments:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return list_of(of_hint(arguments[0], flag), flag)
        return tuple_of((of_hint(a, flag) for a in arguments), flag)
    if origin in (list, *ITERABLES) and arguments:
        return list_of(of_hint(arguments[0], flag), flag)
    if origin in (UnionType, typing.Union):
        return joined(of_hint(a, flag) for a in arguments)
    return ANY.flagged(flag)


ITERABLES = (collections.abc.Iterable, collections.abc.Sequence, collections.abc.Collection)


def base_of(kind: Any) -> Any:
    """What a NewType is in the end: str or int, most often."""
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    return plain(kind)


def of_value(value: Any) -> Kind | None:
    """What a module's own object is; None for what no rule or law may read."""
    if type(value) is int:
        return NUMBER
    if type(value) is bool:
        return CONDITION
    if type(value) is str:
        return TEXT
    if value is None:
        return NONE
    if isinstance(value, typing.NewType):
        return Kind("identifier type", value)
    if isinstance(value, FunctionType | MethodType):
        return Kind("function", value)
    if isinstance(value, ModuleType):
        return Kind("module", value)
    if isinstance(value, type):
        return Kind("class", value)
    if get_origin(value) is not None or value is typing.Any:
        return Kind("hint", value)
    parts: list[Kind | None]
    if type(value) in (tuple, list):
        parts = [of_value(part) for part in value]
        if None in parts:
            return None
        kinds = [part for part in parts if part is not None]
        return tuple_of(kinds, CONSTANT) if type(value) is tuple and kinds else list_of(joined(kinds), CONSTANT)
    if type(value) is range:
        return list_of(NUMBER, CONSTANT)
    if type(value) is dict:
        keys, items = [of_value(k) for k in value], [of_value(v) for v in value.values()]
        if None in keys or None in items:
            return None
        return map_of(_join_known(keys), _join_known(items), CONSTANT)
    if type(value) is frozenset and all(type(part) is str for part in value):
        return map_of(TEXT, NONE, CONSTANT)
    return None


def _join_known(kinds: list[Kind | None]) -> Kind:
    return joined(kind for kind in kinds if kind is not None)


def functions_among(value: Any) -> list[FunctionType]:
    """The functions in a constant of a module."""
    if isinstance(value, FunctionType):
        return [value]
    parts = value if isinstance(value, tuple | list) else value.values() if isinstance(value, dict) else ()
    return [function for part in parts for function in functions_among(part)]


__all__ = [
    "ANY",
    "CONDITION",
    "CONSTANT",
    "FLAT",
    "FRESH",
    "NEVER",
    "NONE",
    "NUMBER",
    "SHARED",
    "STEP",
    "TEXT",
    "Kind",
    "base_of",
    "functions_among",
    "join",
    "joined",
    "list_of",
    "map_of",
    "of_hint",
    "of_value",
    "tuple_of",
    "view_of",
]
