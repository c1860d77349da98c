"""Arbitrary states and arguments, built from the types of a model: every number an unknown within its range."""

from __future__ import annotations

import inspect
import itertools
import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import is_record, plain
from marginspec.properties.law import Step
from marginspec.properties.scope import NumberKey, Options, Scope
from marginspec.prover.symbolic import Pick, Run, Unknown, Unsupported


class Arbitrary:
    """Builds unknown values by type; names of unknowns are paths, e.g. `markets[here].fee`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def value(self, hint: Any, path: str) -> Any:
        """An arbitrary value of a type."""
        kind = plain(hint)
        if options := self._options(hint, path):
            return self._pick(options, path)
        if is_record(kind):
            hints = typing.get_type_hints(kind, include_extras=True)
            names = list(inspect.signature(kind).parameters)
            return kind(**{n: self.value(hints[n], f"{path}.{n}" if path else n) for n in names})
        if get_origin(kind) is dict:
            key, item = get_args(kind)
            return {self._key(k): self.value(item, f"{path}[{k}]") for k in self._scope.keys[key]}
        if kind is bool:
            return self._unknown(path, Number(0, 1)) == 1
        if kind is int:
            return self._unknown(path, hint.__metadata__[0])
        raise Unsupported(f"{path}: no arbitrary value of type {kind}")

    def instances(self, hints: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every combination of identifiers that a law speaks of: the cases in which an invariant may be assumed."""
        options = [[self._key(o) for o in self._options(h, n)] for n, h in hints.items()]
        for case in itertools.product(*options):
            yield dict(zip(hints, case, strict=True))

    def _options(self, hint: Any, path: str) -> Options:
        kind, scope = plain(hint), self._scope
        fixed = scope.fixed.get(path) or scope.fixed.get(path.rpartition(".")[2])
        return fixed or scope.free.get(kind) or scope.keys.get(kind, ())

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
        return self._unknown(key.name, key.number) if isinstance(key, NumberKey) else key

    def _unknown(self, name: str, number: Any) -> Any:
        return Run.current.unknown(Unknown(name, number.low, number.high, number.typical))
