"""The finitely many identifiers a proof speaks of, standing for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marginspec.model.kernel.numbers import Number

Options = tuple[Any, ...]


@dataclass(frozen=True)
class NumberKey:
    """An identifier that is itself a number which a proof does not know, e.g. a loan-to-value that may be enabled."""

    name: str
    number: Number


@dataclass(frozen=True)
class Scope:
    """Identifiers by type and by variable.

    keys: identifiers of each type, as keys of maps; one of them may stand for everybody else, carrying their sums.
    free: those that an argument may be (default: keys). fixed: options for single variables, by their path in the state
    or by their own name, where the symmetry of a model makes the others superfluous.
    """

    keys: dict[Any, Options]
    free: dict[Any, Options] = field(default_factory=dict)
    fixed: dict[str, Options] = field(default_factory=dict)

    def narrowed(self, fixed: dict[str, Options]) -> Scope:
        """The same scope with other options for some variables."""
        return Scope(self.keys, self.free, {**self.fixed, **fixed})
