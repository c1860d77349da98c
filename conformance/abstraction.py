"""The code of a model on unknown states: from any of its functions, with what lies aside left open.

A function that is left open is not run: whatever it may store into is unknown afterwards, and so is what it returns.
A loop that only refuses may be left out. Either allows more than the model does, so what is impossible then is so.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin

from marginspec.conformance.instrument import traced
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import Record, is_record, plain, variables_of
from marginspec.properties.law import assume
from marginspec.prover.symbolic import Pick, Run, Unknown, Unsupported

WIDE = Number(-(1 << 512), 1 << 512)
"""Of numbers in the middle of an action: models compute on unbounded integers."""

Fact = Callable[[Machine], Iterable[Any]]
"""Conditions that hold of a state."""

Start = Callable[[], Machine]
"""One run: begins with what the prover gives, returns the machine in the state after it."""


class Abstraction:
    """Runs of one model's functions on unknowns. Numbers of constants are those of genesis, identifiers those of runs.

    names, hints: of each variable of the state, in the order of `flatten`.
    """

    def __init__(self, model: type[Machine]) -> None:
        self.model = model
        self._traced = traced(model)
        self.recorder = self._traced.recorder
        self._genesis = self._traced.model.genesis()
        places = list(_places(self._genesis, self._traced.model, ""))
        self.names, self.hints = [name for name, _ in places], [hint for _, hint in places]
        self._words = [frozenset(name.replace("[", ".").replace("]", "").split(".")) for name in self.names]
        self.calls: dict[str, set[str]] = {key: set() for key in self.recorder.regions}
        self.looping = {spot.within for spot in self.recorder.spots if spot.kind == "loop" and not spot.checks}
        for spot in self.recorder.spots:
            if spot.calls is not None:
                self.calls[spot.within].add(spot.calls)
        self.permissions = {key for key in self.calls if self._is_permission(key)}
        self._classes = _classes(model)
        self._serial = itertools.count()

    # --- Functions ---------------------------------------------------------------------------------------------------

    def within(self, key: str) -> set[str]:
        """A function and all that it calls, directly or not."""
        found, todo = {key}, [key]
        while todo:
            new = self.calls[todo.pop()] - found
            found |= new
            todo += new
        return found

    def stores(self, keys: Iterable[str]) -> frozenset[str]:
        """The names of all that some functions may store into, with those that they call."""
        return frozenset[str]().union(*(self.recorder.stores[k] for key in keys for k in self.within(key)))

    def function(self, key: str) -> Callable[..., Any]:
        """The function of a key, of the copy that tells its ways."""
        room, _, name = key.rpartition(".")
        if room == "self":
            method: Callable[..., Any] = inspect.unwrap(getattr(self._traced.model, name))
            return method
        return typing.cast(Callable[..., Any], next(f for f, known in self.recorder.keys.items() if known == key))

    def may_be_open(self, key: str) -> bool:
        """Whether it is known what kind of thing a function returns: numbers, truth values or nothing."""
        result = typing.get_type_hints(self.function(key)).get("return")
        kinds = get_args(result) or (result,)
        return all(kind in (int, bool, type(None), None) for kind in kinds)

    def _is_permission(self, key: str) -> bool:
        """Whether a function only refuses, by who or what it is about: it stores and returns nothing."""
        kinds = typing.get_type_hints(self.function(key))
        returns = kinds.pop("return", None)
        return returns is type(None) and int not in kinds.values() and not self.stores([key])

    def is_simple(self, key: str) -> bool:
        """Whether a function only refuses, by numbers, and calls nothing: to run it costs little."""
        returns = typing.get_type_hints(self.function(key)).get("return")
        return returns is type(None) and key not in self.permissions and not self.calls[key] and not self.stores([key])

    # --- Runs --------------------------------------------------------------------------------------------------------

    def start(
        self, head: str, action: str | None, around: str, left_open: Iterable[str], facts: Sequence[Fact]
    ) -> Start:
        """Runs of a function. Raises Unsupported when it has an argument that cannot be unknown.

        action: its name if the function is an action, so that states are between actions and arguments of their types.
        around: the action during which it runs. left_open: functions that are not run. facts: hold when it begins.
        """
        function = self.function(head)
        arguments = self._arguments(function, action is not None)
        written = frozenset[str]() if action is not None else self.stores([around])
        stubs = {key: self._stub(key) for key in left_open}

        machine = self._genesis.clone()
        begin: dict[int, list[Any]] = {}

        def run() -> Machine:
            self._serial = itertools.count()
            exploration = id(Run.current.atoms)
            if exploration not in begin:
                begin[exploration] = [self._initial(at, written) for at in range(len(self.names))]
            machine.load(begin[exploration])
            given = arguments(machine)
            for fact in facts:  # in every run anew: what a fact decides is a decision of that run
                for condition in fact(machine):
                    assume(condition)
            self.recorder.stubs, self.recorder.ordered = stubs, _AnyOrder
            subject = (machine,) if head.startswith("self.") else ()
            try:
                self.recorder.run(self.recorder.regions[head], lambda: function(*subject, **given))
            finally:
                self.recorder.stubs, self.recorder.ordered = {}, sorted
            return machine

        return run

    def anywhere(self) -> Machine:
        """A machine in any state between actions."""
        machine = self._genesis.clone()
        machine.load([self._initial(at, frozenset()) for at in range(len(self.names))])
        return machine

    def _initial(self, at: int, written: frozenset[str]) -> Any:
        kind = plain(self.hints[at])
        if kind is not int:
            return self._anything(kind, self.names[at])
        return unknown(self.names[at], WIDE if self._words[at] & written else self.hints[at].__metadata__[0])

    def _stub(self, key: str) -> Callable[..., Any]:
        stores = self.stores([key])
        result = typing.get_type_hints(self.function(key)).get("return")

        def stub(function: Any, *given: Any, **named: Any) -> Any:
            when = f"{key}, {next(self._serial)}"
            machine = getattr(function, "__self__", None)
            if stores and machine is not None:
                values = Record.flatten(machine)
                for at, words in enumerate(self._words):
                    if words & stores:
                        values[at] = self._anything(plain(self.hints[at]), f"{self.names[at]} after {when}")
                machine.load(values)
            return self._anything(result, when)

        return stub

    def _anything(self, kind: Any, name: str) -> Any:
        """Any value of a type."""
        if kind is int:
            return unknown(name, WIDE)
        if kind is bool:
            return unknown(name, Number(0, 1)) == 1
        if kind is None or kind is type(None):
            return None
        if get_origin(kind) is tuple:
            return tuple(self._anything(part, f"{name}.{at}") for at, part in enumerate(get_args(kind)))
        if options := get_args(kind):
            return self._anything(Run.current.pick(name, options), f"{name} given")
        return self._identifier(kind, name)

    def _identifier(self, kind: Any, name: str) -> Any:
        """Any identifier of a kind; one that is a number, which the code may compare, is chosen at once."""
        named = _Named(name, functools.partial(self._options, kind))
        return named.value() if isinstance(self.model.universe[kind][0], int) else named

    def _arguments(self, function: Callable[..., Any], typed: bool) -> Callable[[Machine], dict[str, Any]]:
        hints = typing.get_type_hints(function, include_extras=True)
        hints.pop("return", None)
        for name, hint in hints.items():
            kind = plain(hint)
            if kind not in (int, bool) and not is_record(kind) and kind not in self.model.universe:
                raise Unsupported(f"argument {name} of type {kind}")

        def arguments(machine: Machine) -> dict[str, Any]:
            given: dict[str, Any] = {}
            for name, hint in hints.items():
                kind, called = plain(hint), f"argument {name}"
                if kind is int:
                    numbers = [n for n in getattr(hint, "__metadata__", ()) if isinstance(n, Number) and typed]
                    given[name] = unknown(called, numbers[0] if numbers else WIDE)
                elif kind is bool:
                    given[name] = self._anything(kind, called)
                elif is_record(kind):
                    given[name] = Run.current.pick(called, list(_records(machine, kind)))
                else:
                    given[name] = self._identifier(kind, called)
            return given

        return arguments

    def _options(self, kind: Any) -> list[Any]:
        """Identifiers for an argument: those named already, and of each class of interchangeable others one."""
        options, given = self.model.universe[kind], list(Run.current.picks.values())
        found = [option for option in options if option in given]
        for alike in self._classes:
            found += [option for option in options if option in alike and option not in given][:1]
        return found


class _Named(Pick):
    """An identifier that is not known, chosen when it first matters."""

    def __init__(self, name: str, options: Callable[[], list[Any]]) -> None:
        super().__init__(name, ())
        self._given = options

    def value(self) -> Any:
        picks = Run.current.picks
        return picks[self._name] if self._name in picks else Run.current.pick(self._name, self._given())

    def __eq__(self, other: object) -> bool:
        return bool(self.value() == (other.value() if isinstance(other, Pick) else other))

    def __hash__(self) -> int:
        return hash(self.value())


class _AnyOrder(Sequence[Any]):
    """Some values in no order in particular: at each place there may be any of them."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = list(values)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, at: Any) -> Any:
        return self._values[Run.current.choose(len(self._values))]


def unknown(name: str, number: Number) -> Any:
    """A number of which only the range is known."""
    return Run.current.unknown(Unknown(name, number.low, number.high, number.typical))


def _places(value: Any, hint: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Name and annotated type of each variable of a state, in the order of `flatten`."""
    if isinstance(value, Record):
        for name, inner in variables_of(type(value)).items():
            yield from _places(getattr(value, name), inner, f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, get_args(plain(hint))[1], f"{path}[{key}]")
    else:
        yield path, hint


def _records(value: Any, kind: type[Record]) -> Iterator[Record]:
    """The records of a type in a state, constants included."""
    if isinstance(value, kind):
        yield value
    elif is_dataclass(value):
        for part in fields(value):
            yield from _records(getattr(value, part.name), kind)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _records(item, kind)


# --- Symmetry ---------------------------------------------------------------------------------------------------------


def _classes(model: type[Machine]) -> list[set[Any]]:
    """Identifiers that are interchangeable, because neither the text nor the constants of a model tell them apart."""
    named = {v for module in texts_of(model) for v in vars(module).values() if isinstance(v, str | int)}
    blank: Any = model.blank()
    constants = [getattr(blank, f.name) for f in fields(blank) if f.metadata.get("constant")]
    kinds: dict[Any, list[Any]] = {}
    for kind, options in model.universe.items():
        for option in options:
            kinds.setdefault(option, []).append(kind)
    classes: list[set[Any]] = []
    for one in kinds:
        for known in classes:
            other = next(iter(known))
            unnamed = one not in named and other not in named
            if unnamed and kinds[one] == kinds[other] and _swapped(constants, one, other) == constants:
                known.add(one)
                break
        else:
            classes.append({one})
    return classes


def _swapped(value: Any, one: Any, other: Any) -> Any:
    """A constant with two identifiers in each other's places."""
    if isinstance(value, dict):
        return {_swapped(k, one, other): _swapped(v, one, other) for k, v in value.items()}
    if isinstance(value, list):
        return [_swapped(v, one, other) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(*(_swapped(getattr(value, f.name), one, other) for f in fields(value)))
    return {one: other, other: one}.get(value, value) if isinstance(value, str | int) else value
