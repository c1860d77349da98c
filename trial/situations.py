"""States on which laws are run: random ones within their ranges, and ones that runs of a model reach.

A state is a list of values in a frame, which says where each of them belongs. Everybody whom no law names is several
accounts here, not one entry with their sums.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import random
import re
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args, get_origin

from marginspec.model.kernel.machine import ActionInfo, Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import Record, is_record, plain
from marginspec.properties.scope import REST, NumberKey, Options, Scope
from marginspec.trial.steering import steer

# Of random states of one scope: how many frames of identifiers, and how many states in each.
FRAMES = 8
STATES = 40

# For each action, how many of them are moved to where it is accepted, in how many moves each.
ACCEPTING = 12
MOVES = 25

# Of runs: how many, steps of each, steps between two states that are kept and that others are in focus, and in how many
# ways their identifiers are renamed.
WALKS = 24
STEPS = 60
BETWEEN = 2
EPISODE = 15
NAMINGS = 12

FURTHER = 3

# Numbers without bounds are tried up to here.
WIDEST = 2**256
BIT = Number(0, 1)


class Undrawable(Exception):  # noqa: N818 - not an error of the law: nothing can be drawn of what it speaks of
    """A type of which there is no value."""


class Leaf(NamedTuple):
    """One value of a state. number: its range, None for an identifier. constant: no action changes it."""

    path: str
    kind: Any
    number: Number | None
    constant: bool


Ids = Mapping[Any, tuple[Any, ...]]


def ids_of(ids: Ids, kind: Any) -> tuple[Any, ...]:
    """The identifiers of a type; those of the type that it is part of, where it has none of its own."""
    while kind not in ids and hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    return ids.get(kind, ())


def number_of(hint: Any) -> Number | None:
    """The range of a type: of a number, or of a truth value; None for an identifier."""
    if plain(hint) is bool:
        return BIT
    return next((m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Number)), None)


def is_identifier(hint: Any) -> bool:
    """Whether a type is one of identifiers: no number, no truth value, nothing that is made of others."""
    kind = plain(hint)
    return number_of(hint) is None and not is_record(kind) and get_origin(kind) is not dict


def leaves(hint: Any, value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Path, type and value of everything that a value is made of."""
    kind = plain(hint)
    if is_record(kind):
        for name, inner, _ in _fields(kind):
            yield from leaves(inner, getattr(value, name), f"{path}.{name}")
    elif get_origin(kind) is dict:
        for key, item in value.items():
            yield from leaves(get_args(kind)[1], item, f"{path}[{key}]")
    else:
        yield path, hint, value


def rebuilt(hint: Any, value: Any, values: Iterator[Any]) -> Any:
    """A value made of others, which come in the order of `leaves`."""
    kind = plain(hint)
    if is_record(kind):
        return kind(**{name: rebuilt(inner, getattr(value, name), values) for name, inner, _ in _fields(kind)})
    if get_origin(kind) is dict:
        return {key: rebuilt(get_args(kind)[1], item, values) for key, item in value.items()}
    return next(values)


_FIELDS: dict[Any, tuple[tuple[str, Any, bool], ...]] = {}


def _fields(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name and type of each field of a record, and whether it is a constant."""
    if kind not in _FIELDS:
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = [f for f in dataclasses.fields(kind) if f.init]
        _FIELDS[kind] = tuple((f.name, hints[f.name], bool(f.metadata.get("constant"))) for f in fields)
    return _FIELDS[kind]


class Frame:
    """Where each value of a state belongs, constants included. ids: the identifiers of each type."""

    def __init__(self, template: Machine, ids: Ids) -> None:
        self.template, self.ids = template, ids
        self.leaves: list[Leaf] = []
        self._places: list[str] = []
        self._lines: list[str] = []
        self._scope: dict[str, Any] = {}
        self._visit(type(template), template, "state", "", constant=False)
        self.ranges: list[Number | None] = [leaf.number for leaf in self.leaves]
        self.index = {leaf.path: i for i, leaf in enumerate(self.leaves)}
        self.read, self._write = self._compiled()
        self._constants = [name for name, _, constant in _fields(type(template)) if constant]
        named = {str(option): option for options in ids.values() for option in options}
        keys = [[named[key] for key in re.findall(r"\[([^]]*)\]", leaf.path) if key in named] for leaf in self.leaves]
        self._owned = [
            (i, tuple(keys[i])) for i, leaf in enumerate(self.leaves) if keys[i] and leaf.number and not leaf.constant
        ]
        self._of_unit: dict[str, list[int]] = {}
        for i, leaf in enumerate(self.leaves):
            if leaf.number is not None and leaf.kind is not bool:
                self._of_unit.setdefault(leaf.number.unit, []).append(i)

    def _visit(self, hint: Any, value: Any, place: str, path: str, constant: bool) -> None:
        kind = plain(hint)
        if is_record(kind):
            here = self._way(place)
            for name, inner, fixed in _fields(type(value)):
                below = f"{path}.{name}" if path else name
                self._visit(inner, getattr(value, name), f"{here}.{name}", below, constant or fixed)
        elif get_origin(kind) is dict:
            here = self._way(place)
            for key, item in value.items():
                name = f"key{len(self._scope)}"
                self._scope[name] = key
                self._visit(get_args(kind)[1], item, f"{here}[{name}]", f"{path}[{key}]", constant)
        else:
            self._places.append(place)
            self.leaves.append(Leaf(path, kind, number_of(hint), constant))

    def _way(self, place: str) -> str:
        self._lines.append(f" x{len(self._lines)} = {place}")
        return f"x{len(self._lines) - 1}"

    def _compiled(self) -> tuple[Callable[[Machine], list[Any]], Callable[[Machine, Sequence[Any]], None]]:
        names = [f"v{n}" for n in range(len(self._places))]
        source = ["def read(state):", *self._lines, f" return [{', '.join(self._places)}]"]
        source += ["def write(state, values):", f" [{', '.join(names)}] = values", *self._lines]
        source += [f" {place} = {name}" for place, name in zip(self._places, names, strict=True)]
        scope = dict(self._scope)
        exec("\n".join(source), scope)
        return scope["read"], scope["write"]

    def machine(self, values: Sequence[Any]) -> Machine:
        """A state of its own with these values."""
        state = self.template.clone()
        for name in self._constants:
            setattr(state, name, _copied(getattr(state, name)))
        self._write(state, values)
        return state

    def renamed(self, names: Mapping[Any, Any]) -> Frame:
        """The same with other names for its identifiers."""
        ids = {kind: tuple(names.get(i, i) for i in options) for kind, options in self.ids.items()}
        return Frame(_renamed(self.template, names), ids)

    def near(self, values: Sequence[Any], number: Number) -> list[int]:
        """What a state has of a unit, other than zero."""
        return [values[i] for i in self._of_unit.get(number.unit, ()) if values[i]] or self.numbers(values)

    def owners(self, values: Sequence[Any], draw: random.Random) -> tuple[Any, ...]:
        """The identifiers that some number of a state belongs to, rather one that is not zero."""
        places = [draw.choice(self._owned) for _ in range(6)] if self._owned else []
        return next((keys for place, keys in places if values[place]), ())

    def numbers(self, values: Sequence[Any]) -> list[int]:
        """The numbers of a state, other than zero. values: of a state first, perhaps of arguments after it."""
        return [v for v, leaf in zip(values, self.leaves, strict=False) if leaf.kind is int and v]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value.clone() if isinstance(value, Record) else value


def _renamed(value: Any, names: Mapping[Any, Any]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, Record):
        fields = _fields(type(value))
        return type(value)(**{name: _renamed(getattr(value, name), names) for name, _, _ in fields})
    return names.get(value, value) if isinstance(value, str) else value


@dataclass
class Situation:
    """A state on which laws are run, and calls that are accepted there, by action.

    reached: whether the model really gets there. holds: what is known of predicates on the state.
    """

    frame: Frame
    values: list[Any]
    reached: bool
    calls: dict[str, Call] = field(default_factory=dict)
    holds: dict[Any, bool] = field(default_factory=dict)

    def pinned(self, pins: Mapping[str, Options], draw: random.Random) -> Situation:
        """The same where some variables have other values."""
        found = [(i, options) for path, options in pins.items() if (i := self.frame.index.get(path)) is not None]
        changed = [(i, draw.choice(options)) for i, options in found if self.values[i] not in options]
        if not changed:
            return self
        values = self.values.copy()
        for i, value in changed:
            values[i] = value
        return Situation(self.frame, values, False, self.calls)


class Draw:
    """Draws numbers, identifiers and calls; everything that is tried comes out of one source of chance."""

    def __init__(self, seed: Any, constants: Sequence[int]) -> None:
        self.random = random.Random(seed)
        self._constants = constants or (0,)
        # Of a run: the identifiers that most calls are about, so that something comes of them, in usual numbers.
        self.focus: tuple[Any, ...] = ()

    def number(self, number: Number, near: Sequence[int]) -> int:
        """A number in range: known, typical, small, an extreme, one of the text, or of any magnitude."""
        draw = self.random
        mode = draw.random() * (0.54 if self.focus and draw.random() < 0.8 else 1)
        if mode < 0.35 and near:
            value = near[int(draw.random() * len(near))]
            if draw.random() < 0.4:
                value += draw.choice((-1, 1))
            elif draw.random() < 0.2:
                value = value * draw.randrange(2000) // 1000
        elif mode < 0.5 and number.typical:
            value = draw.choice(number.typical)
            if draw.random() < 0.5:
                value = value * draw.randrange(3000) // 1000
        elif mode < 0.7:
            value = int(draw.random() * 12)
        elif mode < 0.8:
            low, high = max(number.low, -WIDEST), min(number.high, WIDEST)
            value = draw.choice((low, low + 1, high - 1, high))
        elif mode < 0.9:
            value = draw.choice(self._constants) + draw.choice((-1, 0, 0, 1))
        else:
            bits = draw.randrange(min(number.high.bit_length(), 260) + 1)
            value = draw.getrandbits(bits + 1)
        if number.low < 0 and draw.random() < 0.3:
            value = -value
        return min(max(value, number.low), number.high)

    def value(self, hint: Any, ids: Ids, near: Callable[[Number], Sequence[int]], used: Sequence[Any]) -> Any:
        """A value of a type. used: identifiers that it is often equal to."""
        number = number_of(hint)
        if plain(hint) is bool:
            return self.random.random() < 0.5
        if is_record(plain(hint)):
            fields = _fields(plain(hint))
            return plain(hint)(**{name: self.value(inner, ids, near, used) for name, inner, _ in fields})
        if get_origin(plain(hint)) is dict:
            key, item = get_args(plain(hint))
            return {k: self.value(item, ids, near, used) for k in ids_of(ids, plain(key))}
        if number is not None:
            return self.number(number, near(number))
        options = ids_of(ids, plain(hint))
        if not options:
            raise Undrawable(f"no arbitrary value of type {getattr(plain(hint), '__name__', plain(hint))}")
        chance = self.random.random()
        if used and chance < 0.3:
            value = self.random.choice(used)
            if value in options:
                return value
        if self.focus and chance < 0.8:
            usual = [value for value in self.focus if value in options]
            if usual:
                return self.random.choice(usual)
        return options[int(self.random.random() * len(options))]

    def arguments(self, hints: Mapping[str, Any], frame: Frame, values: Sequence[Any]) -> dict[str, Any]:
        """Arguments for an action or a law, in a state."""
        arguments: dict[str, Any] = {}
        used: list[Any] = []
        owners = frame.owners(values, self.random) if self.random.random() < 0.6 else ()
        for name, hint in hints.items():
            value = arguments[name] = self.value(hint, frame.ids, functools.partial(frame.near, values), used)
            if owners and self.random.random() < 0.8 and is_identifier(hint):
                value = arguments[name] = next((o for o in owners if o in ids_of(frame.ids, plain(hint))), value)
            if is_identifier(hint):
                used.append(value)
        return arguments

    def state(self, frame: Frame) -> list[Any]:
        """The values of a random state: many are zero, many are equal or nearly so."""
        draw = self.random
        numbers = [leaf.number for leaf in frame.leaves if leaf.number is not None and leaf.kind is not bool]
        pool: list[int] = [0]
        scale = draw.choice((0, 1, 1, 2))
        if scale == 0:
            pool = [draw.randrange(20) for _ in range(6)]
        elif numbers:
            pool = [self.number(draw.choice(numbers), pool) for _ in range(6 + 4 * scale)]
        zero = draw.choice((0.1, 0.3, 0.6))
        return [self._leaf(leaf, frame.ids, pool, zero, scale) for leaf in frame.leaves]

    def _leaf(self, leaf: Leaf, ids: Ids, pool: Sequence[int], zero: float, scale: int) -> Any:
        draw, number = self.random, leaf.number
        if leaf.kind is bool:
            return draw.random() < 0.3
        if number is None:
            options = ids_of(ids, leaf.kind)
            return options[int(draw.random() * len(options))]
        if draw.random() < zero:
            value = 0
        elif scale == 0 or draw.random() < 0.4:
            value = pool[int(draw.random() * len(pool))]
        else:
            return self.number(number, pool)
        if number.low < 0 and draw.random() < 0.3:
            value = -value
        return min(max(value, number.low), number.high)

    def call(self, info: ActionInfo, frame: Frame, values: Sequence[Any]) -> Call:
        """A call of an action in a state."""
        return Call(info.name, self.arguments(info.arguments, frame, values))

    def accepted(self, info: ActionInfo, frame: Frame, values: Sequence[Any], tries: int) -> Call | None:
        """A call that is accepted in a state, its numbers moved if need be; None if none was found."""
        ranges = [number_of(hint) for hint in info.arguments.values()]
        for attempt in range(tries):
            call = self.call(info, frame, values)

            def run(numbers: list[Any], call: Call = call) -> bool:
                return frame.machine(values).apply(_with(call, numbers)).accepted

            if run(list(call.arguments.values())):
                return call
            if attempt % 2:
                found = steer(run, list(call.arguments.values()), ranges, self.random, 6)
                if found.arrived:
                    return _with(call, plainly(found.values, ranges))
        return None


# --- Random states ----------------------------------------------------------------------------------------------------


def random_situations(model: type[Machine], scope: Scope, draw: Draw) -> list[Situation]:
    """States in range with the identifiers of a scope, and up to a few further ones instead of its rest."""
    found = []
    for n in range(FRAMES):
        frame = Frame(*_template(model, scope, draw, n % (FURTHER + 1)))
        found += [Situation(frame, draw.state(frame), False) for _ in range(STATES)]
    for info in actions_of(model).values():
        tried = (_accepting(info, draw.random.choice(found), draw) for _ in range(ACCEPTING))
        found += [situation for situation in tried if situation is not None]
    return found


def _accepting(info: ActionInfo, at: Situation, draw: Draw) -> Situation | None:
    """A random state moved to where some call of an action is accepted."""
    frame, call, size = at.frame, draw.call(info, at.frame, at.values), len(at.values)
    ranges = [*frame.ranges, *map(number_of, info.arguments.values())]

    def run(values: list[Any]) -> bool:
        return frame.machine(values[:size]).apply(_with(call, values[size:])).accepted

    try:
        found = steer(run, [*at.values, *call.arguments.values()], ranges, draw.random, MOVES)
    except Exception:  # a law that takes such a step finds the error and says so
        return None
    if not found.arrived:
        return None
    values = plainly(found.values, ranges)
    return Situation(frame, values[:size], False, {info.name: _with(call, values[size:])})


def _with(call: Call, values: Sequence[Any]) -> Call:
    return Call(call.action, dict(zip(call.arguments, values, strict=True)))


def plainly(values: Sequence[Any], ranges: Sequence[Number | None]) -> list[Any]:
    """Watched values as those that they stand for."""
    return [
        v if number is None else bool(v) if number is BIT else int(v) for v, number in zip(values, ranges, strict=True)
    ]


def _template(model: type[Machine], scope: Scope, draw: Draw, further: int) -> tuple[Machine, Ids]:
    """Some state with the identifiers of a scope, numbers drawn for those that are numbers."""
    numbers: dict[str, int] = {}
    more = tuple(f"further {n + 1}" for n in range(further))

    def key(option: Any) -> Any:
        if not isinstance(option, NumberKey):
            return option
        if option.name not in numbers:
            numbers[option.name] = draw.number(option.number, tuple(numbers.values()))
        return numbers[option.name]

    ids: dict[Any, tuple[Any, ...]] = {}
    for kind, options in scope.keys.items():
        named = tuple(dict.fromkeys(key(option) for option in options if option != REST))
        ids[kind] = named + more if REST in options else named
    for kind, options in (*scope.free.items(), *model.universe.items()):
        if not ids_of(ids, kind):
            ids[kind] = tuple(key(option) for option in options)
    return typing.cast(Machine, _built(model, ids)), ids


def _built(hint: Any, ids: Ids) -> Any:
    kind = plain(hint)
    if is_record(kind):
        names = inspect.signature(kind).parameters
        return kind(**{name: _built(inner, ids) for name, inner, _ in _fields(kind) if name in names})
    if get_origin(kind) is dict:
        key, item = get_args(kind)
        return {k: _built(item, ids) for k in ids_of(ids, plain(key))}
    if kind is bool:
        return False
    number = number_of(hint)
    if number is not None:
        return min(max(0, number.low), number.high)
    options = ids_of(ids, kind)
    if not options:
        raise ValueError(f"no state can be made: no value of type {kind}")
    return options[0]


# --- Reached states ---------------------------------------------------------------------------------------------------


def reached_situations(model: type[Machine], scope: Scope, walks: Walks, draw: Draw) -> list[Situation]:
    """States that runs of a model reach, in the names of a scope, each with a call that was accepted there."""
    shared = frozenset(kind for kind, options in scope.keys.items() if REST in options)
    frame, steps = walks.of(shared)
    names = [naming(scope, frame.ids, draw) for _ in range(NAMINGS)]
    frames = [frame.renamed(n) for n in names]
    found = []
    for i, (values, call) in enumerate(steps):
        n, at = names[i % NAMINGS], frames[i % NAMINGS]
        renamed = [n.get(v, v) if isinstance(v, str) else v for v in values]
        arguments = {k: n.get(v, v) if isinstance(v, str) else v for k, v in call.arguments.items()}
        found.append(Situation(at, renamed, True, {call.action: Call(call.action, arguments)}))
    return found


def naming(scope: Scope, ids: Ids, draw: Draw) -> dict[Any, Any]:
    """New names for the identifiers of a run: those of a scope, as far as there are identifiers to carry them."""
    kinds: dict[Any, list[Any]] = {}
    for kind, options in scope.keys.items():
        for option in options:
            if isinstance(option, str) and option != REST and option not in ids_of(ids, kind):
                kinds.setdefault(option, []).append(kind)
    kept = {o for kind, options in scope.keys.items() for o in options if o in ids_of(ids, kind)}
    names: dict[Any, Any] = {}
    for option in sorted(kinds, key=lambda o: -len(kinds[o])):
        pools = [ids_of(ids, kind) for kind in kinds[option]]
        free = [i for i in pools[0] if all(i in pool for pool in pools) and i not in names and i not in kept]
        if free:
            names[draw.random.choice(free)] = option
    return names


class Walks:
    """States that random runs of a model reach, with the accepted call that was taken next."""

    def __init__(self, model: type[Machine], seed: Any, constants: Sequence[int]) -> None:
        self._model, self._seed, self._constants = model, seed, constants
        self._known: dict[Any, tuple[Frame, list[tuple[list[Any], Call]]]] = {}

    def of(self, shared: frozenset[Any]) -> tuple[Frame, list[tuple[list[Any], Call]]]:
        """Frame, states and calls. shared: types of which there may be more identifiers than the model lists."""
        if shared not in self._known:
            model = wider(self._model, shared)
            frame = Frame(model.blank(), model.universe)
            draw, steps = Draw(f"walks {self._seed}", self._constants), list[tuple[list[Any], Call]]()
            for n in range(WALKS):
                steps += _walk(model, frame, draw, begun=n % 4 != 3)
            self._known[shared] = frame, steps
        return self._known[shared]


def wider(model: type[Machine], kinds: Iterable[Any]) -> type[Machine]:
    """The model with further identifiers of some types in its runs, where it lets its universe be widened."""
    more = tuple(f"further {n + 1}" for n in range(FURTHER))
    universe = {k: (*v, *more) if k in set(kinds) else v for k, v in model.universe.items()}
    if universe == model.universe:
        return model
    wide: type[Machine] = type(model.__name__, (model,), {"universe": universe, "__module__": model.__module__})
    try:
        state = wide.genesis()
        return wide if _is_complete(wide, state, universe) else model
    except Exception:
        return model


def _is_complete(hint: Any, value: Any, ids: Ids) -> bool:
    """Whether every map of a state has all identifiers of its type."""
    kind = plain(hint)
    if is_record(kind):
        return all(_is_complete(inner, getattr(value, name), ids) for name, inner, _ in _fields(kind))
    if get_origin(kind) is dict:
        key, item = get_args(kind)
        return set(value) >= set(ids_of(ids, plain(key))) and all(_is_complete(item, v, ids) for v in value.values())
    return True


def _walk(model: type[Machine], frame: Frame, draw: Draw, begun: bool) -> list[tuple[list[Any], Call]]:
    """One run. begun: after the model's prelude."""
    infos = list(actions_of(model).values())
    weights = [max(info.weight, 0.25) for info in infos]
    try:
        machine = model.genesis() if begun else model.blank()
    except ValueError:
        machine = model.blank()
    kept, values = list[tuple[list[Any], Call]](), frame.read(machine)
    done: Counter[str] = Counter()
    vain: Counter[str] = Counter()
    for step in range(STEPS):
        if step % EPISODE == 0:
            draw.focus = _focus(model.universe, draw.random)
        # What has been done often, or tried in vain, gives way to other things.
        worth = [
            weight / (1 + done[info.name] + vain[info.name] / 4) for weight, info in zip(weights, infos, strict=True)
        ]
        try:
            for info in draw.random.choices(infos, worth, k=3):
                call = draw.accepted(info, frame, values, 4)
                if call is not None:
                    break
                vain[info.name] += 1
            else:
                continue
            machine.apply(call)
            done[call.action] += 1
        except Exception:
            machine = frame.machine(values)
            continue
        if sum(done.values()) % BETWEEN == 0:
            kept.append((values, call))
        values = frame.read(machine)
    return kept


def _focus(universe: Ids, draw: random.Random) -> tuple[Any, ...]:
    """One or two identifiers of each type, those of a part of a type being those of the whole."""
    focus: list[Any] = []
    for options in sorted(universe.values(), key=len):
        missing = draw.choice((1, 2)) - sum(option in options for option in focus)
        focus += [draw.choice(options) for _ in range(missing)]
    return tuple(focus)


# --- Numbers of the text ----------------------------------------------------------------------------------------------


def constants_of(functions: Iterable[Any]) -> list[int]:
    """The integers that functions and classes mention, themselves or in the globals that they name."""
    found: set[int] = set()
    for function in functions:
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None:
            _constants(code, getattr(inspect.unwrap(function), "__globals__", {}), found)
    return sorted(found)


def _constants(code: types.CodeType, names: Mapping[str, Any], found: set[int]) -> None:
    for constant in (*code.co_consts, *(names.get(name) for name in code.co_names)):
        if isinstance(constant, types.CodeType):
            _constants(constant, names, found)
        elif type(constant) is int and abs(constant) > 12:
            found.add(constant)


def texts_of(functions: Iterable[Any]) -> frozenset[str]:
    """The texts that functions mention, themselves or in the globals that they name."""
    found: set[str] = set()
    for function in functions:
        todo, names = [getattr(function, "__code__", None)], getattr(function, "__globals__", {})
        while todo:
            code = todo.pop()
            if code is not None:
                todo += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
                found |= {t for t in (*code.co_consts, *map(names.get, code.co_names)) if isinstance(t, str)}
    return frozenset(found)


def functions_of(model: type[Machine]) -> list[Any]:
    """The methods of a model, of its base classes too, and the functions of its modules that they name."""
    own = [base for base in model.__mro__ if base not in Machine.__mro__]
    methods = [inspect.unwrap(m) for base in own for m in vars(base).values() if callable(m)]
    named = [m.__globals__.get(n) for m in methods if hasattr(m, "__code__") for n in m.__code__.co_names]
    return methods + [function for function in dict.fromkeys(map(_function, named)) if function is not None]


def _function(value: Any) -> Any:
    return value if isinstance(value, types.FunctionType) else None
