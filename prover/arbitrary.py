"""Arbitrary states and arguments, built from the types of a model: every number an unknown within its range.

Names of unknowns are paths, e.g. `markets[here].fee`. A path in an argument begins with its name and a colon, which no
path in a state has: `who:` or `step:deposit.amount`.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import typing
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, get_args, get_origin

from marginspec.model.kernel.layout import walked
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import UNBOUNDED, Number
from marginspec.model.kernel.record import Record, is_record, plain, variables_of
from marginspec.properties.law import Step, assume
from marginspec.properties.scope import REST, NumberKey, Options, Scope, is_of_rest
from marginspec.prover.order import NumberMap, OrderedMap
from marginspec.prover.symbolic import Alike, Name, Open, Pick, Run, SymBool, SymInt, Unknown, Unsupported

_TYPES: dict[Any, tuple[type, ...]] = {bool: (bool, SymBool), int: (int, SymInt)}


class Arbitrary:
    """Builds unknown values by type, with the identifiers of a scope.

    alike: groups of identifiers that only their names tell apart. named: how many names to add to those of the kind of
    `REST`. rests: how many accounts `REST` is looked at as, whose numbers add up to what it has where it is one.
    """

    def __init__(self, scope: Scope, named: int = 0, rests: int = 1) -> None:
        self._scope = scope = _with_names(scope, named)
        self._rest = [REST, *(f"{REST} {n}" for n in range(2, rests + 1))]
        self._names = {str(m): Name(m) for members in (*_groups(scope), self._rest) for m in members}
        self._eager: dict[str, tuple[Any, ...]] = {}
        self._alike = self.alike
        self._kinds: dict[type[Machine], list[tuple[Any, tuple[type, ...]]]] = {}
        self._texts = {kind: frozenset(str(key) for key in keys) for kind, keys in scope.keys.items()}

    @property
    def alike(self) -> tuple[Alike, ...]:
        """The groups, as a run takes them."""
        everybody = {str(member) for member in like_rest(self._scope)}
        return tuple(
            Alike(tuple(self._names[str(m)] for m in members), not everybody.isdisjoint(map(str, members)))
            for members in _groups(self._scope)
        )

    @property
    def apart(self) -> frozenset[str]:
        """Those of them that the scope itself tells apart, where it pins what is about some of them alone."""
        found: set[str] = set()
        for members in _groups(self._scope):
            names = {str(m) for m in members}
            for path, options in self._scope.fixed.items():
                found |= names & set(re.findall(r"\[([^]]*)\]", path))
                pinned = names & {str(o) for o in options if isinstance(o, str)}
                found |= pinned if pinned != names else set()
            for options in self._scope.free.values():
                free = names & {str(o) for o in options if isinstance(o, str)}
                found |= free if free != names else set()
        return frozenset(found)

    @property
    def kinds(self) -> Collection[Any]:
        """The types of the identifiers that there are."""
        return self._scope.keys.keys()

    @property
    def listed(self) -> frozenset[str]:
        """The names of all identifiers that there are."""
        return frozenset(str(key) for keys in self._scope.keys.values() for key in keys)

    def misplaced(self, model: type[Machine], state: Machine, values: Sequence[Any]) -> str:
        """What a state holds where its types declare something else; empty when all is as declared."""
        if model not in self._kinds:
            kinds = [_kind_of(model, name) for name in state.names()]
            self._kinds[model] = [(kind, _TYPES.get(kind, ())) for kind in kinds]
        for place, ((kind, types), value) in enumerate(zip(self._kinds[model], values, strict=True)):
            if type(value) not in types and not self.is_of(kind, value):
                return f"{state.names()[place]} is made what is no {getattr(kind, '__name__', kind)}"
        return ""

    def is_of(self, kind: Any, value: Any) -> bool:
        """Whether a value is one that proofs know of a type."""
        if kind in _TYPES:
            return type(value) in _TYPES[kind]
        keys = self._scope.keys.get(kind)
        if keys is None:
            return True
        if _is_number(kind):
            known = [self.key(key) for key in keys]
            return any(value is key or (type(value) is type(key) is int and value == key) for key in known)
        options = value.options if type(value) is Pick else (value,)
        return all(isinstance(option, str) and str(option) in self._texts[kind] for option in options)

    def template(self, model: type[Machine]) -> Callable[[], Machine]:
        """Arbitrary states of a model: each call gives a new one, on the numbers and identifiers of the current run."""
        # By the atoms themselves: what is built of some is of no others, also once these are gone.
        built: dict[Any, tuple[Machine, list[Any]]] = {}

        def state() -> Machine:
            run = Run.current
            if not run.explores:  # it has numbers of its own, and is run once: not worth keeping or compiling
                once: Machine = self.value(model, "")
                once._layout = walked()
                return once
            key = run.atoms, tuple(run.pick(path, keys) for path, keys in self._eager.items())
            if key not in built:
                fresh = self.value(model, "")
                key = run.atoms, tuple(run.picks[path] for path in self._eager)
                built[key] = fresh, constants_of(fresh)
            machine, constants = built[key]
            if any(a is not b for a, b in zip(constants, constants_of(machine), strict=True)):
                raise Unsupported("a field that is declared a constant is changed")
            return machine.clone()

        return state

    def tell_keys_apart(self) -> None:
        """End the case where two identifiers that are numbers are the same number: then they are one identifier."""
        numbers = {k.name: k for keys in self._scope.keys.values() for k in keys if isinstance(k, NumberKey)}
        for one, other in itertools.combinations(numbers.values(), 2):
            a, b = self.key(one), self.key(other)
            assume(SymBool("ne", a, b) if isinstance(a, SymInt) else a != b)

    def value(self, hint: Any, path: str) -> Any:
        """An arbitrary value of a type."""
        kind = plain(hint)
        if options := self._options(hint, path):
            return self._pick(options, path)
        if is_record(kind):
            home = path if not path or path.endswith(":") else f"{path}."
            return kind(**{n: self.value(hint, f"{home}{n}") for n, hint in fields_of(kind).items()})
        if get_origin(kind) is dict:
            return self._map(kind, path)
        if kind is bool:
            return self._unknown(path, Number(0, 1)) == 1
        if kind is int:
            return self._unknown(path, _number(hint, path))
        raise Unsupported(f"{path}: no arbitrary value of type {getattr(kind, '__name__', kind)}")

    def _map(self, kind: Any, path: str) -> dict[Any, Any]:
        key, item = get_args(kind)
        if key not in self._scope.keys:
            raise Unsupported(f"{path}: the scope has no identifiers of type {getattr(key, '__name__', key)}")
        found: dict[Any, Any] = {}
        for k in self._scope.keys[key]:
            name = self.key(k)
            found[name] = self.value(item, f"{path}[{k.name if isinstance(k, NumberKey) else k}]")
            if k == REST:
                more = [self.value(item, f"{path}[{further}]") for further in self._rest[1:]]
                found[name] = _less(found[name], more)
                found |= dict(zip(map(self.key, self._rest[1:]), more, strict=True))
        if any(isinstance(k, NumberKey) for k in self._scope.keys[key]):
            return NumberMap(found)
        return OrderedMap.of(found, self._alike)

    def instances(self, hints: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Every combination of identifiers that a law speaks of: the cases in which an invariant may be assumed."""
        options = [[self.key(o) for o in self._options(h, n)] for n, h in hints.items()]
        for case in itertools.product(*options):
            yield dict(zip(hints, case, strict=True))

    def argument(self, hint: Any, name: str) -> Any:
        """An arbitrary argument of a law."""
        return self.value(hint, f"{name}:")

    def step(self, model: type[Machine], name: str) -> Step:
        """Any action of a model with any arguments."""
        infos = actions_of(model)
        info = infos[Run.current.pick(f"{name}:", tuple(infos))]
        arguments = {n: self.value(h, f"{name}:{info.name}.{n}") for n, h in info.arguments.items()}
        return Step(Call(info.name, arguments))

    def _options(self, hint: Any, path: str) -> Options:
        """The identifiers that a variable may be: an `Open` tuple, unless the scope limits them."""
        kind, scope = plain(hint), self._scope
        own = path.rstrip(":")
        for name in (own, re.split(r"[.:]", own)[-1]):
            if name in scope.fixed:
                return scope.fixed[name]
        if kind in scope.free:
            return scope.free[kind]
        return Open(option for option in scope.keys.get(kind, ()) if option != REST)

    def _pick(self, options: Options, path: str) -> Any:
        keys = (
            type(options)(self.key(o) for o in options) if isinstance(options, Open) else tuple(map(self.key, options))
        )
        if len(keys) == 1 and not isinstance(keys, Open):
            return keys[0]
        if isinstance(keys[0], str):
            return Pick(path, keys)
        if len(keys) == 1:
            return keys[0]
        if ":" not in path:
            self._eager[path] = keys
        return Run.current.pick(path, keys)

    def key(self, key: Any) -> Any:
        """An identifier of the scope, as a run has it."""
        if isinstance(key, NumberKey):
            number = key.number
            return Run.current.unknown(Unknown(key.name, number.low, number.high, number.typical), identifier=True)
        return self._names.get(key, key) if isinstance(key, str) else key

    def _unknown(self, name: str, number: Number) -> Any:
        low, high = number.low, number.high
        if is_of_rest(name):
            # The sum over any number of accounts, none of them included.
            low, high = -UNBOUNDED if low < 0 else 0, UNBOUNDED if high > 0 else 0
        return Run.current.unknown(Unknown(name, low, high, number.typical))


@functools.cache
def fields_of(kind: type) -> dict[str, Any]:
    """Name and annotated type of each thing that a record is made of."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in inspect.signature(kind).parameters}


def constants_of(state: Machine) -> list[Any]:
    """Every value in the constant fields of a state, in a fixed order."""
    found: list[Any] = []
    todo = [getattr(state, name) for name in state.constants()]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.values()
        elif is_record(type(value)):
            todo += [getattr(value, name) for name in fields_of(type(value))]  # type: ignore[arg-type]
        else:
            found.append(value)
    return found


def twice_in(state: Machine) -> str:
    """The type of a record or map that is in two places of a state; empty when there is none."""
    seen = set[int]()
    for value in records_in(state):
        if id(value) in seen:
            return "map" if isinstance(value, dict) else type(value).__name__
        seen.add(id(value))
    return ""


def records_in(state: Machine) -> Iterator[Any]:
    """Every record and map in the variables of a state."""
    todo: list[Any] = [state]
    while todo:
        value = todo.pop()
        if value is not state:
            yield value
        kind: Any = type(value)
        inside = dict.values(value) if isinstance(value, dict) else [getattr(value, name) for name in _more_in(kind)]
        todo += (one for one in inside if isinstance(one, dict | Record))


@functools.cache
def _more_in(kind: Any) -> tuple[str, ...]:
    """The variables of a record that are records or maps, as far as its types tell."""
    return tuple(name for name, hint in variables_of(kind).items() if plain(hint) not in (bool, int))


def _kind_of(model: type[Machine], name: str) -> Any:
    """The type that a model declares for a variable, by its name, without annotation."""
    kind: Any = model
    for step in re.findall(r"\[[^]]*\]|[^.\[\]]+", name):
        kind = get_args(plain(kind))[1] if step.startswith("[") else fields_of(plain(kind))[step]
    return plain(kind)


def _is_number(kind: Any) -> bool:
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    return plain(kind) is int


def rest_of(names: Sequence[str]) -> list[int]:
    """The places, among the variables of a state, of what belongs to accounts that are not named."""
    return [at for at, name in enumerate(names) if f"[{REST}]" in name]


def _less(whole: Any, parts: Sequence[Any]) -> Any:
    """What is left of each number; what is no number cannot be taken apart."""
    if is_record(type(whole)):
        left = {n: _less(getattr(whole, n), [getattr(part, n) for part in parts]) for n in fields_of(type(whole))}  # type: ignore[arg-type]
        return type(whole)(**left)
    if isinstance(whole, dict):
        return {key: _less(item, [part[key] for part in parts]) for key, item in whole.items()}
    return whole - sum(parts) if isinstance(whole, int) and not isinstance(whole, bool) else whole


def _number(hint: Any, path: str) -> Number:
    found = [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Number)]
    if len(found) != 1:
        raise Unsupported(f"{path}: an int with {len(found) or 'no'} Numbers that say its range, expected one")
    return found[0]


def _types(scope: Scope, key: Any) -> frozenset[Any]:
    return frozenset(kind for kind, keys in scope.keys.items() if key in keys)


def like_rest(scope: Scope) -> tuple[Any, ...]:
    """The identifiers that are of the same types as `REST`: there are more of them than have names."""
    types = _types(scope, REST)
    if not types:
        return ()
    first = scope.keys[min(types, key=lambda kind: len(scope.keys[kind]))]
    return tuple(k for k in first if k != REST and _types(scope, k) == types)


def _with_names(scope: Scope, many: int) -> Scope:
    """A scope with more identifiers of the kind of which there is a rest."""
    types, names = _types(scope, REST), tuple(f"further {n}" for n in range(1, many + 1))
    keys = {kind: (*options, *names) if kind in types else options for kind, options in scope.keys.items()}
    return replace(scope, keys=keys)


def _groups(scope: Scope) -> list[tuple[Any, ...]]:
    """Those that the scope declares, and those of whom there is a rest, as one."""
    everybody = like_rest(scope)
    names = {str(member) for member in everybody}
    declared = [tuple(group) for group in scope.alike if names.isdisjoint(map(str, group))]
    return [*declared, everybody] if everybody else declared
