"""The finitely many identifiers a proof speaks of, standing for all."""

from __future__ import annotations

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

    def narrowed(self, fixed: Mapping[str, Options]) -> Scope:
        """The same scope with other options for some variables."""
        return Scope(self.keys, self.free, {**self.fixed, **fixed}, self.alike)

    def names(self) -> str:
        """The identifiers that there are, as people read it."""
        found = []
        for kind, keys in self.keys.items():
            named = ", ".join(str(getattr(key, "name", key)) for key in keys if key != REST)
            more = " and any number more" if REST in keys else " only"
            found.append(f"{getattr(kind, '__name__', kind)}: {named}{more}")
        return "; ".join(found)

    def pins(self) -> list[str]:
        """Every variable that is limited, with its options and the reason, as people read it."""
        return [_pin(name, options) for name, options in self.fixed.items()]


def _pin(name: str, options: Options) -> str:
    allowed = " or ".join(str(getattr(option, "name", option)) for option in options)
    return f"{name} is {allowed} ({getattr(options, 'why', 'no reason given')})"
