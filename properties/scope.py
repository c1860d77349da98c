"""The finitely many identifiers a proof speaks of, standing for all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marginspec.model.kernel.numbers import Number

Options = tuple[Any, ...]


@dataclass(frozen=True)
class NumberKey:
    """An identifier that is itself a number which a proof does not know, e.g. a loan-to-value that may be enabled."""

    name: str
    number: Number


class Pin(tuple[Any, ...]):
    """The only options of one variable, and why the others need not be looked at; printed with every verdict."""

    why: str


def pinned(*options: Any, why: str) -> Pin:
    """Limit a variable to some options. why: a reason that a reader of the verdict can judge."""
    pin = Pin(options)
    pin.why = why
    return pin


REST = "rest"
"""The identifier that stands for everybody who is not named: its numbers are the sums of theirs, and it never acts."""


def is_of_rest(name: str) -> bool:
    """Whether a variable, by its name, belongs to everybody who is not named, or to one of them."""
    return re.search(rf"\[{REST}( \d+)?\]", name) is not None


@dataclass(frozen=True)
class Scope:
    """Identifiers by type and by variable.

    keys: identifiers of each type, as keys of maps; the one named `REST` carries the sums of everybody else.
    free: those that an argument may be (default: all keys but `REST`).
    fixed: options for single variables, by their path in the state or by their own name, each with its reason.
    alike: groups of identifiers that differ in nothing but their name. Each pattern of equality between arguments is
    then looked at once, whatever the names; that renaming them changes nothing is tested whenever a law is proved.
    Those of whom there is a `REST` are alike without being listed, and there are as many of them as a law can name.
    """

    keys: dict[Any, Options]
    free: dict[Any, Options] = field(default_factory=dict)
    fixed: dict[str, Options] = field(default_factory=dict)
    alike: tuple[Options, ...] = ()

    def check(self) -> None:
        """Raise ValueError where names could be taken for others, or who is alike is not."""
        for kind, keys in self.keys.items():
            for key in keys:
                if re.search(r"[][]", key.name if isinstance(key, NumberKey) else str(key)):
                    raise ValueError(f"an identifier cannot be called {key}: paths of variables are written so")
                if isinstance(key, NumberKey):
                    self._check_number(kind, key)
                elif key != REST and re.fullmatch(rf"({REST}|further)( \d+)?", str(key)):
                    raise ValueError(f"an identifier cannot be called {key}: so are those that are not named")
        for group in self.alike:
            for kind, keys in self.keys.items():
                if len({member in keys for member in group}) > 1:
                    raise ValueError(f"{', '.join(map(str, group))} are not alike: some are no {_name(kind)}")

    def _check_number(self, kind: Any, key: NumberKey) -> None:
        if " " not in key.name or key.name.startswith("anything "):
            raise ValueError(f"the name of {key.name}, which may be any number, needs a space: variables have none")
        for other, keys in self.keys.items():
            for one in keys:
                if isinstance(one, NumberKey) and other is not kind:
                    raise ValueError(f"{key.name} and {one.name} may be the same number, and are of different types")

    def narrowed(self, fixed: Mapping[str, Options]) -> Scope:
        """The same scope with other options for some variables."""
        return Scope(self.keys, self.free, {**self.fixed, **fixed}, self.alike)

    def open(self) -> list[str]:
        """Each type of which there may be more identifiers than are named, as people read it."""
        return [f"{_named(kind, keys)} and any number more" for kind, keys in self.keys.items() if REST in keys]

    def closed(self, universe: Mapping[Any, Options]) -> list[str]:
        """That there are no other identifiers than are named, of types of which a run has others; one line or none."""
        found = [
            _named(k, keys)
            for k, keys in self.keys.items()
            if REST not in keys and set(keys) != set(universe.get(k, ()))
        ]
        return [f"only these: {'; '.join(found)}"] if found else []

    def pins(self) -> list[str]:
        """Every variable that is limited, with its options and the reason, as people read it."""
        free = {getattr(kind, "__name__", str(kind)): options for kind, options in self.free.items()}
        return [_pin(name, options) for name, options in (*free.items(), *self.fixed.items())]


def _named(kind: Any, keys: Options) -> str:
    return f"{_name(kind)} {', '.join(_of_key(key) for key in keys if key != REST)}"


def _of_key(key: Any) -> str:
    return f"{key.name} ({key.number.low} to {key.number.high})" if isinstance(key, NumberKey) else str(key)


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _pin(name: str, options: Options) -> str:
    allowed = " or ".join(str(getattr(option, "name", option)) for option in options)
    return f"{name} is {allowed} ({getattr(options, 'why', 'no reason given')})"
