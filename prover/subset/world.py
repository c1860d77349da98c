"""Everything that a proof of a model can run: its classes and functions, found from its actions and laws."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.model.kernel.record import Record, plain
from marginspec.prover.subset import rules
from marginspec.prover.subset.bodies import Body
from marginspec.prover.subset.kinds import (
    ANY,
    CONSTANT,
    NEVER,
    NONE,
    SHARED,
    Kind,
    join,
    joined,
    list_of,
    map_of,
    of_hint,
    of_value,
)
from marginspec.prover.subset.names import LAW, RULE, STILL
from marginspec.prover.subset.sources import (
    functions_in,
    is_data,
    is_own,
    methods_of,
    source_of,
    trusted_code,
    written_in,
)


@dataclass(frozen=True)
class Outside:
    """Something outside of the subset: where, which rule refuses it, what it is, and what to write instead."""

    file: str
    line: int
    rule: str
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text} is outside the subset: write {self.instead}"


@dataclass
class ClassMember:
    """What a name stands for in a class: see `bodies.Member`."""

    kind: Kind | None
    functions: Sequence[FunctionType]
    constant: bool = False


@dataclass
class Reached:
    """Of one model: what was found outside, and what is still to be looked at."""

    model: type[Machine]
    found: dict[tuple[str, int, str], Outside] = field(default_factory=dict)
    machines: list[type] = field(default_factory=list)
    records: list[type] = field(default_factory=list)
    constant_classes: set[type] = field(default_factory=set)
    state_classes: set[type] = field(default_factory=set)
    state_types: set[type] = field(default_factory=set)
    ways: set[type] = field(default_factory=set)
    modules: list[str] = field(default_factory=list)
    owners: dict[CodeType, type] = field(default_factory=dict)
    _queue: list[tuple[FunctionType, str]] = field(default_factory=list)
    _done: dict[CodeType, str] = field(default_factory=dict)
    _members: dict[tuple[Any, str], ClassMember | None] = field(default_factory=dict)
    _returns: dict[CodeType, Kind] = field(default_factory=dict)
    _parameters: dict[CodeType, list[tuple[str, Kind]]] = field(default_factory=dict)
    _hints: dict[CodeType, dict[str, Any]] = field(default_factory=dict)

    def report(self, file: str, line: int, rule: str, text: str) -> None:
        """Something is outside. text: what it is."""
        key = (file, line, rule)
        if key not in self.found:
            self.found[key] = Outside(_shown(file), line, rule, text, rules.RULES[rule].instead)

    # --- Classes --------------------------------------------------------------------------------------------------

    def add_class(self, kind: type) -> None:
        """A class, its bases and the classes of its fields take part."""
        for base in reversed(kind.__mro__):
            if base in self.machines or base in self.records or not is_data(base):
                continue
            if not is_own(base.__module__):
                continue
            (self.machines if issubclass(base, Machine) else self.records).append(base)
            self._members.clear()
            self.add_module(base.__module__)
            for name, methods in methods_of(base).items():
                self.owners |= {f.__code__: base for f in methods if f.__code__ not in self.owners}
                for told in functions_in(vars(base)[name]):
                    if told not in methods:
                        self.refer(told, LAW)
            for name, hint in _class_hints(base).items():
                for inner in _records_in(hint):
                    self.add_class(inner)
                    if _is_constant(base, name):
                        self._never_changes(inner)

    def add_state(self, kind: type) -> None:
        """A class is part of the state, with its bases and the classes of its fields."""
        for base in kind.__mro__:
            if base not in self.state_classes and is_data(base) and is_own(base.__module__):
                self.state_classes.add(base)
                for hint in _class_hints(base).values():
                    for inner in _records_in(hint):
                        self.state_types.add(inner)
                        self.add_state(inner)

    def _never_changes(self, kind: type) -> None:
        if kind not in self.constant_classes:
            self.constant_classes.add(kind)
            for hint in _class_hints(kind).values():
                for inner in _records_in(hint):
                    self._never_changes(inner)

    def refer_class(self, kind: type) -> None:
        self.add_class(kind)

    def member(self, kind: Kind, name: str) -> ClassMember | None:
        """What an attribute of a record, class or of something unknown can be."""
        of = kind.of if kind.tag in ("record", "class") else kind.tag
        if (of, name) not in self._members:
            self._members[of, name] = None
            self._members[of, name] = self._member(kind, name)
        return self._members[of, name]

    def _member(self, kind: Kind, name: str) -> ClassMember | None:
        classes = [*self.machines] if kind.tag == "super" else [*self.machines, *self.records]
        if kind.tag in ("record", "class"):
            near = [base for base in kind.of.__mro__ if base in classes or is_own(base.__module__)]
            known = self._among(near, name)
            if not issubclass(kind.of, Machine):
                return known
            # What is mixed into a machine speaks of the machine's own; what relaxes one replaces methods.
            every = self._among([*near, *self.machines], name)
            if known is None or every is None:
                return every
            return ClassMember(known.kind, every.functions if known.functions else (), known.constant)
        return self._among(classes, name)

    def _among(self, classes: list[type], name: str) -> ClassMember | None:
        kinds: list[Kind] = []
        functions: dict[CodeType, FunctionType] = {}
        constant = False
        for base in classes:
            value = vars(base).get(name)
            if name in inspect.get_annotations(base):
                kinds.append(of_hint(_class_hints(base).get(name)))
                constant |= _is_constant(base, name)
            elif isinstance(value, property):
                for function in written_in(value):
                    functions[function.__code__] = function
                    kinds.append(self.returns(function, RULE))
            elif value is not None:
                functions |= {f.__code__: f for f in written_in(value)}
        if not kinds and not functions:
            return None
        return ClassMember(joined(kinds) if kinds else None, tuple(functions.values()), constant)

    # --- Functions ------------------------------------------------------------------------------------------------

    def refer(self, function: FunctionType, mode: str) -> None:
        """A function can run. mode: in what."""
        if trusted_code(function.__code__):
            for inner in functions_in(function):
                self.refer(inner, mode)
            return
        if _covers(self._done.get(function.__code__), mode) or not is_own(function.__module__):
            return
        self._done[function.__code__] = mode
        self._queue.append((function, mode))

    def has_seen(self, function: FunctionType) -> bool:
        return function.__code__ in self._done

    def drain(self) -> Iterator[tuple[FunctionType, str]]:
        """The functions still to be looked at, those of rules first."""
        while self._queue:
            mode = next(mode for mode in (RULE, LAW, STILL) if any(entry[1] == mode for entry in self._queue))
            now = [entry for entry in self._queue if entry[1] == mode]
            self._queue = [entry for entry in self._queue if entry[1] != mode]
            yield from (entry for entry in now if self._done[entry[0].__code__] == mode)

    def hints(self, function: FunctionType) -> dict[str, Any]:
        """The annotations of a function, resolved as far as they can be."""
        code = function.__code__
        if code not in self._hints:
            try:
                self._hints[code] = typing.get_type_hints(function, include_extras=True)
            except Exception:
                raw = function.__annotations__.items()
                self._hints[code] = {name: hint for name, hint in raw if not isinstance(hint, str)}
        return self._hints[code]

    def parameters(self, function: FunctionType) -> list[tuple[str, Kind]]:
        """Name and kind of each parameter."""
        if function.__code__ not in self._parameters:
            self._parameters[function.__code__] = self._parameters_of(function)
        return self._parameters[function.__code__]

    def _parameters_of(self, function: FunctionType) -> list[tuple[str, Kind]]:
        code, hints = function.__code__, self.hints(function)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        found = [(name, of_hint(hints[name]) if name in hints else ANY.flagged(SHARED)) for name in names]
        owner = self.owners.get(code)
        if owner is not None and names and names[0] not in hints:
            member = vars(owner).get(function.__name__)
            if isinstance(member, classmethod):
                found[0] = (names[0], Kind("class", owner))
            elif not isinstance(member, staticmethod):
                found[0] = (names[0], Kind("record", owner, (), SHARED))
        rest = code.co_varnames[len(names) :]
        if code.co_flags & 0x04:
            found.append((rest[0], list_of(of_hint(hints.get(rest[0], Any)))))
            rest = rest[1:]
        if code.co_flags & 0x08:
            found.append((rest[0], map_of(Kind("id"), of_hint(hints.get(rest[0], Any)))))
        return found

    def returns(self, function: FunctionType, mode: str) -> Kind:
        """The kind of a function's result: as annotated, and as its text says where that is not enough."""
        code = function.__code__
        if code in self._returns:
            return self._returns[code]
        hint = self.hints(function).get("return", Any)
        owner = self.owners.get(code)
        told = Kind("record", owner, (), SHARED) if hint is typing.Self and owner is not None else of_hint(hint)
        self._returns[code] = told
        if told.tag in ("any", "map", "record", "list", "tuple") and not trusted_code(code):
            seen = self._walked(function, mode, aloud=False)
            if told.tag == "any":
                self._returns[code] = seen
            elif seen.tag == told.tag:
                self._returns[code] = seen if told.tag != "record" else dataclasses.replace(told, flag=seen.flag)
        return self._returns[code]

    def _walked(self, function: FunctionType, mode: str, aloud: bool) -> Kind:
        source = source_of(function.__code__.co_filename)
        node = source.definition(function.__code__) if source is not None else None
        if source is None or node is None or isinstance(node, _ASYNC):
            return ANY
        names = dict(function.__globals__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name != "__class__":
                names[name] = cell.cell_contents
        body = Body(self, source.file, names, mode)
        return body.function(node, dict(self.parameters(function)), aloud)

    def walk(self, function: FunctionType, mode: str) -> None:
        """Check the body of a function."""
        self.add_module(function.__module__)
        seen, told = self._walked(function, mode, aloud=True), of_hint(self.hints(function).get("return", Any))
        if mode != STILL and told.tag == "id" and seen.tag not in ("id", "none", "never", "any"):
            code = function.__code__
            self.report(code.co_filename, code.co_firstlineno, "key", f"what `{code.co_name}` returns")

    def add_module(self, name: str) -> None:
        if name not in self.modules and is_own(name):
            self.modules.append(name)

    def argument(self, name: str) -> Kind:
        """What `step.argument` gives: the argument of that name, of any action."""
        infos = actions_of(self.model).values()
        return join(joined(of_hint(i.arguments[name]) for i in infos if name in i.arguments), NONE)


_ASYNC = ast.AsyncFunctionDef


def _covers(done: str | None, mode: str) -> bool:
    """Whether who has looked at a function in one mode need not in the other: a rule is looked at most closely."""
    order = {RULE: 3, LAW: 2, STILL: 1, None: 0}
    return order[done] >= order[mode]


@functools.cache
def _class_hints(kind: type) -> dict[str, Any]:
    """The types of the fields that a class declares itself."""
    own = inspect.get_annotations(kind)
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except Exception:
        return {name: hint for name, hint in own.items() if not isinstance(hint, str)}
    return {name: hints[name] for name in own}


def _is_constant(kind: type, name: str) -> bool:
    fields = getattr(kind, "__dataclass_fields__", {})
    return bool(name in fields and fields[name].metadata.get("constant"))


def _records_in(hint: Any) -> Iterator[type]:
    inner = plain(hint)
    if isinstance(inner, type) and typing.get_origin(inner) is None:
        if is_data(inner) and inner not in (Record, Machine):
            yield inner
        return
    for part in typing.get_args(inner):
        yield from _records_in(part)


def _shown(file: str) -> str:
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


__all__ = ["CONSTANT", "NEVER", "ClassMember", "Outside", "Reached", "of_value"]
