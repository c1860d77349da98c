"""What of a model no observation shows, and no action may change: constants, and whatever is no field of the state."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, get_origin

from marginspec.base.errors import BadInput
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.record import Record, is_record, plain, variables_of

OF_A_RUN = frozenset(("reach", "last", "_before", "_layout"))
"""Attributes of a machine that the tool itself sets while it runs."""

PLAIN = (int, str, bytes, float, type(None), FunctionType, type, ModuleType)

SHORTENED = 60
"""Characters of a value in a message."""


def plain_name(name: str) -> str:
    """The name of a quantity without its keys: `positions[].collateral` of `positions[A][borrower].collateral`."""
    return re.sub(r"(\[[^]]*\])+", "[]", name)


class Hidden:
    """What a model holds besides the variables of its state, as it was when this was made."""

    def __init__(self, machine: Machine) -> None:
        self._model = type(machine)
        self._begin = self._now(machine)

    def check(self, machine: Machine) -> None:
        """BadInput, which names what changed since, if anything did."""
        now, begin = self._now(machine), self._begin
        if now == begin:
            return
        name = next(name for name in {**begin, **now} if begin.get(name) != now.get(name))
        model = self._model.__name__
        if name.startswith("constant "):
            raise BadInput(
                f"{model}.{name.removeprefix('constant ')} is declared constant() and an action changes it, which no "
                f"comparison would see: make it a field of the state without constant()"
            )
        raise BadInput(
            f"{model}: an action changes {name}, which is no field of the state, so that no comparison would see it: "
            f"make it a field"
        )

    def _now(self, machine: Machine) -> dict[str, Any]:
        return {name: _frozen(value) for name, value in (*_constants(machine, ""), *_around(self._model))}


def constants_of(model: type[Machine]) -> list[str]:
    """The fields of a model that no observation shows, named without the keys of maps."""
    names = [name for name, _ in _constants(model.blank(), "") if name.startswith("constant ")]
    return sorted({plain_name(name.removeprefix("constant ")) for name in names})


def _constants(record: Record, path: str) -> Iterator[tuple[str, Any]]:
    """Of a state: the constants by name, and attributes that are no fields."""
    constants, inner, fields = _parts(type(record))
    for name in constants:
        yield f"constant {path}{name}", getattr(record, name)
    for name in inner:
        yield from _within(getattr(record, name), f"{path}{name}")
    for name, value in vars(record).items():
        if name not in fields and not (isinstance(record, Machine) and name in OF_A_RUN):
            yield f"the attribute {path}{name}", value


def _within(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Record):
        yield from _constants(value, f"{path}.")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(item, (Record, dict)):
                return
            yield from _within(item, f"{path}[{key}]")


_PARTS: dict[type, tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]] = {}


def _parts(kind: type[Record]) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """The names of a record's constants, of those variables that are records or maps, and of all its fields."""
    if kind not in _PARTS:
        variables = variables_of(kind)
        fields = tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        inner = [name for name, hint in variables.items() if is_record(plain(hint)) or get_origin(plain(hint)) is dict]
        _PARTS[kind] = tuple(name for name in fields if name not in variables), tuple(inner), frozenset(fields)
    return _PARTS[kind]


def _around(model: type[Machine]) -> Iterator[tuple[str, Any]]:
    """What the texts of a model hold outside of any state: in their modules and classes, the kernel's aside."""
    kernel = Machine.__module__.rpartition(".")[0]
    modules = [each for each in texts_of(model) if not each.__name__.startswith(kernel)]
    own = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    classes = {kind for kind in own | set(model.__mro__) if kind.__module__ in {each.__name__ for each in modules}}
    for module in modules:
        yield from _held(module.__name__, vars(module))
    for kind in sorted(classes, key=lambda kind: (kind.__module__, kind.__qualname__)):
        yield from _held(f"{kind.__module__}.{kind.__qualname__}", vars(kind))


def _held(where: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(values.items()):
        if not name.startswith("__") and (isinstance(value, (int, str)) or type(value) in (dict, list, set)):
            yield f"{where}.{name}", value


def _frozen(value: Any, depth: int = 0) -> Any:
    """A value that stays as it is, whatever becomes of the original."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, dict):
        return tuple((_frozen(key, depth + 1), _frozen(item, depth + 1)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item, depth + 1) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(_frozen(item, depth + 1) for item in value)
    own = getattr(value, "__dict__", None)
    if own and depth < 8:
        return type(value), _frozen(own, depth + 1)
    return repr(value)
