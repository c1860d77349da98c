"""Arbitrary states and arguments, built from the types of a model: every number an unknown within its range."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import is_record, plain
from marginspec.properties.law import Step
from marginspec.prover.symbolic import Pick, Run, Unknown, Unsupported


@dataclass(frozen=True)
class Scope:
    """The finitely many identifiers a proof speaks of, standing for all.

    keys: identifiers of each type, as keys of maps. free: those that an argument may be (default: keys); a key that is
    not free stands for everybody else. fixed: options for single variables, by their path in the state or by their own
    name, where the symmetry of a model makes the others superfluous.
    """

    keys: dict[Any, tuple[Any, ...]]
    free: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    fixed: dict[str, tuple[Any, ...]] = field(default_factory=dict)


class Arbitrary:
    """Builds unknown values by type; names of unknowns are paths, e.g. `markets[here].fee`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def value(self, hint: Any, path: str) -> Any:
        """An arbitrary value of a type."""
        kind = plain(hint)
        fixed = self._scope.fixed.get(path) or self._scope.fixed.get(path.rpartition(".")[2])
        if fixed:
            return self._pick(fixed, path)
        if is_record(kind):
            hints = typing.get_type_hints(kind, include_extras=True)
            names = [n for n in inspect.signature(kind).parameters]
            return kind(**{n: self.value(hints[n], f"{path}.{n}" if path else n) for n in names})
        if get_origin(kind) is dict:
            key, item = get_args(kind)
            return {self._key(k): self.value(item, f"{path}[{k}]") for k in self._scope.keys[key]}
        if kind is bool:
            return self._unknown(path, Number(0, 1)) == 1
        if kind is int:
            return self._unknown(path, hint.__metadata__[0])
        if kind in self._scope.keys:
            return self._pick(self._scope.free.get(kind, self._scope.keys[kind]), path)
        raise Unsupported(f"{path}: no arbitrary value of type {kind}")

    def step(self, model: type[Machine], path: str) -> Step:
        """Any action of a model with any arguments."""
        infos = actions_of(model)
        info = infos[Run.current.pick(path, tuple(infos))]
        return Step(Call(info.name, {n: self.value(h, f"{path}.{info.name}.{n}") for n, h in info.arguments.items()}))

    def _pick(self, options: tuple[Any, ...], path: str) -> Any:
        keys = [self._key(o) for o in options]
        if len(keys) == 1:
            return keys[0]
        return Pick(path, keys) if isinstance(keys[0], str) else Run.current.pick(path, keys)

    def _key(self, key: Any) -> Any:
        return self._unknown(key.name, key) if isinstance(key, Unknown) else key

    def _unknown(self, name: str, number: Any) -> Any:
        return Run.current.unknown(Unknown(name, number.low, number.high, number.typical))
