"""Where each value of a state is: a state as a list of its values, and back.

That happens several times on every step of a differential run. The keys of a model's maps never change, since the
identifiers of a run are listed by the model; so both directions are compiled, once, to code without loops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.record import Record, variables_of


@dataclass(frozen=True)
class Layout:
    """flatten: the values of a state in the order of `Record.flatten`. load: a state takes its values from a list."""

    flatten: Callable[[Any], list[Any]]
    load: Callable[[Any, list[Any]], None]


def walked() -> Layout:
    """A layout for few uses, which looks for each value anew."""
    return Layout(Record.flatten, _load)


def _load(state: Any, values: list[Any]) -> None:
    rest = iter(values)

    def visit(value: Any) -> Any:
        if issubclass(type(value), Record):
            for name in variables_of(type(value)):
                setattr(value, name, visit(getattr(value, name)))
        elif issubclass(type(value), dict):
            for key, item in value.items():
                value[key] = visit(item)
        else:
            return next(rest)
        return value

    visit(state)


def layout_of(state: Record) -> Layout:
    """The layout of a state, and of every other with the same keys."""
    scope: dict[str, Any] = {}
    ways: list[str] = []
    places: list[str] = []

    def visit(value: Any, place: str) -> None:
        if not isinstance(value, (Record, dict)):
            places.append(place)
            return
        here = f"x{len(ways)}"
        ways.append(f" {here} = {place}")
        if isinstance(value, Record):
            for name in variables_of(type(value)):
                visit(getattr(value, name), f"{here}.{name}")
        else:
            for key, item in value.items():
                name = f"key{len(scope)}"
                scope[name] = key
                visit(item, f"{here}[{key!r}]" if type(key) is str else f"{here}[{name}]")

    visit(state, "state")
    values = [f"v{n}" for n in range(len(places))]
    source = ["def flatten(state):", *ways, f" return [{', '.join(places)}]"]
    source += ["def load(state, values):", f" [{', '.join(values)}] = values", *ways]
    source += [f" {place} = {value}" for place, value in zip(places, values, strict=True)]
    exec("\n".join(source), scope)
    return Layout(scope["flatten"], scope["load"])
