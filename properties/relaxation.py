"""Models that do what a model does and leave some of it open, and what must be proved of each method that they replace.

What holds after every step of the relaxed model holds after every step of the model, if each replaced method can do
what the model's own does. It leaves things open by `anything` and what is made of it; the obligation answers these with
what the model's own method did, and asks that state and result are then the same. A relaxed model has the variables of
the model and no others.
"""

from __future__ import annotations

import functools
import inspect
import operator
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, UnionType
from typing import Annotated, Any, TypeVar, cast

from marginspec.model.kernel.machine import Machine, Rejected, per_model
from marginspec.model.kernel.numbers import UNBOUNDED, Number
from marginspec.model.kernel.record import Record, is_record, plain, variables_of
from marginspec.properties.law import (
    Apart,
    Condition,
    Irrelevant,
    Property,
    answered_by,
    answers,
    anything,
    as_function_of,
    assume,
    ended,
    every,
)
from marginspec.properties.ranges import within
from marginspec.properties.scope import Scope

F = TypeVar("F", bound=Callable[..., Any])

AnyInteger = Annotated[int, Number(-UNBOUNDED, UNBOUNDED)]
AnyNatural = Annotated[int, Number(0, UNBOUNDED)]


class NotCovered(Exception):  # noqa: N818 - a limit of a proof, no fault of the model
    """A relaxed model is asked for what its relaxation does not speak of."""


class _Unused:
    """What a replaced method returns where only other replaced methods are given it."""

    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *_: Any) -> Any:
        raise NotCovered("a result is used that the relaxation leaves out")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __index__ = __iter__ = _refuse


UNUSED: Any = _Unused()


def _unused(result: Any) -> Any:
    """A result in which each that is left out is one of its own: Python takes an object to equal itself."""
    if isinstance(result, tuple):
        return tuple(map(_unused, result))
    return _Unused() if isinstance(result, _Unused) else result


@dataclass(frozen=True, eq=False)
class Forgotten(Apart):
    """What `forget` and `shift` ask `anything` about: a variable after a method, by its path, less what it was."""

    path: tuple[Any, ...]
    before: Any = None


@dataclass(frozen=True, eq=False)
class Above:
    """What `no_less` asks `anything` about: how much more a number is than what is known."""

    known: Any


def no_less(known: Any) -> Any:
    """Any number that is not less than one that is known."""
    return known + anything(AnyNatural, Above(known))


class _Each:
    """A step of a path: every key of a map."""

    def __repr__(self) -> str:
        return "EACH"


EACH: Any = _Each()
"""In a path: all keys of a map, whose order then means nothing."""


def _each(state: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The paths that a path with `EACH` in it stands for."""
    if EACH not in path:
        yield path
        return
    place = path.index(EACH)
    for key in _at(state, path[:place]):
        yield from _each(state, (*path[:place], key, *path[place + 1 :]))


def put(value: Any, state: Any, *path: Any) -> None:
    """Let the variable at a place of the state, or at each of several, have a value."""
    if not isinstance(state, Machine):
        raise NotCovered("what `put` changes is a variable of a state")
    for place in _each(state, path):
        try:
            _declared(type(state), place)
        except (KeyError, IndexError):
            raise NotCovered(f"what `put` changes is a variable of a state, and {place[-1]} is none") from None
        holder = _at(state, place[:-1])
        if isinstance(holder, dict):
            holder[place[-1]] = value
        else:
            setattr(holder, place[-1], value)


def forget(state: Any, *path: Any, within: bool = False, but: Any = None) -> None:
    """Let the variable at a place of the state be anything; of a record or map, all below it.

    within: anything within its declared range, which the obligation then claims. but: a key whose
    numbers stay as they are.
    """
    for place in _each(state, path):
        value = _at(state, place)
        if isinstance(value, dict | Record):
            for step in value if isinstance(value, dict) else variables_of(type(value)):
                if step != but:
                    forget(state, *place, step, within=within, but=but)
            continue
        # A condition on unknowns is one of theirs, so it is told by the field that it is a truth value.
        hint = _declared(type(state), place)
        put(anything(hint if hint is bool or within else AnyInteger, Forgotten(place)), state, *place)


def shift(state: Any, *path: Any) -> Any:
    """Let the number at a place of the state, or at each of several, move by any amount; returns the sum of them."""
    total = 0
    for place in _each(state, path):
        before = _at(state, place)
        amount = anything(AnyInteger, Forgotten(place, before))
        put(before + amount, state, *place)
        total += amount
    return total


@dataclass(frozen=True, eq=False)
class Refusing:
    """What `may_refuse` asks `anything` about: whether the method that is replaced is refused by a rule."""

    rule: str


def may_refuse(*rules: str) -> None:
    """Refuse by one of some rules, or not at all, as the method that is replaced does."""
    for rule in rules:
        if anything(bool, Refusing(rule)):
            raise Rejected(rule)


class Excluded(Irrelevant):
    """What `granted` says does not hold here."""


def unassuming(method: Callable[[], Any]) -> Any:
    """What a replaced method does, which assumes nothing by itself."""
    try:
        return method()
    except Excluded:
        raise
    except Irrelevant:
        raise NotCovered("a replaced method assumes something: `given` or `granted` says what") from None


def _as_helper(method: Callable[[], Any]) -> Any:
    """What a method does that is no action, though it may ask an action: what that refuses it refuses itself."""
    try:
        return method()
    except Rejected as refused:
        refused.by_action = False
        raise


def granted(condition: Any) -> None:
    """Say what holds of the numbers that a replaced method leaves open; the obligation claims it."""
    if not anything(bool, Condition(condition)):
        raise Excluded


def _declared(kind: Any, path: tuple[Any, ...]) -> Any:
    """The type of a variable, as a record or a map of it declares it."""
    for step in path:
        below = _below(kind)
        kind = below[step] if isinstance(below, Mapping) else below
    return kind


@functools.cache
def _below(kind: Any) -> Any:
    """What a type declares to be in it: of a record by name, of a map for every key."""
    kind = plain(kind)
    return variables_of(kind) if is_record(kind) else typing.get_args(kind)[1]


def _at(state: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        state = state[step] if isinstance(state, dict) else getattr(state, step)
    return state


def covered(condition: Any) -> None:
    """Say where a replaced method can do what the model's own does; elsewhere nothing is proved by the relaxation."""
    if not condition:
        raise NotCovered("a relaxation is used where it does not hold")


def asked(state: Machine, condition: Callable[[], Any]) -> Any:
    """What is asked of a state. Raises NotCovered where asking changes it, or assumes something."""
    before = state.flatten()
    try:
        answer = condition()
    except Irrelevant:
        raise NotCovered("what is asked of a state assumes something: an invariant says `implies`") from None
    after = state.flatten()
    if len(before) != len(after) or not all(map(operator.is_, before, after)):
        raise NotCovered("what is asked of a state changes it: an invariant, `given` or `before` takes no action")
    return answer


Given = Callable[..., Any]


def always(*_: Any, **__: Any) -> bool:
    """Nothing is assumed."""
    return True


def simulates(
    id: str,
    over: Callable[[type[Machine]], type[Machine]] | None = None,
    given: Given = always,
    total: bool = False,
) -> Callable[[F], F]:
    """Name the lemma that a replaced method can do what the model's own does; its docstring is the law.

    over: relaxes what the model's own method calls, where that is replaced too. given: what the lemma assumes of state
    and arguments; where it does not hold, a law that calls the replaced method is not proved. total: it also refuses
    whatever the model's own method does, by the same rule, so that a law may ask what is refused.
    """

    def wrap(method: F) -> F:
        signature = inspect.signature(method)
        names = list(signature.parameters)
        defaults = {n: p.default for n, p in signature.parameters.items() if p.default is not inspect.Parameter.empty}
        for name in names[1:]:
            if method.__annotations__.get(name, Any) in (Any, "Any"):
                raise ValueError(f"{method.__qualname__} does not say the type of its {name}")

        @functools.wraps(method)
        def checked(self: Any, *arguments: Any, **named: Any) -> Any:
            return run(False, self, *arguments, **named)

        def run(dispatched: bool, self: Any, *arguments: Any, **named: Any) -> Any:
            given_all = {**defaults, **dict(zip(names, (self, *arguments), strict=False)), **named}
            answers().enter(checked, self, given_all)
            of_all = getattr(type(self), "marginspec_given", always)
            covered(of_all is always or asked(self, lambda: of_all(self)))
            # By name, as the lemma does, so that both speak of the same arguments.
            covered(given is always or asked(self, lambda: given(self, **{n: given_all[n] for n in names[1:]})))
            told = [getattr(self, name) for name in checked.marginspec_told]  # type: ignore[attr-defined]
            if any(one is None for one in told):
                raise NotCovered("a relaxation is used of a law that does not tell it what it asks for")
            with as_function_of(checked, not dispatched, *(given_all[name] for name in names), *told):
                return _unused(unassuming(lambda: _as_helper(lambda: method(self, *arguments, **named))))

        checked.marginspec_simulates = id, over, given  # type: ignore[attr-defined]
        checked.marginspec_total = total  # type: ignore[attr-defined]
        checked.marginspec_told = ()  # type: ignore[attr-defined]
        checked.marginspec_run = functools.partial(run, True)  # type: ignore[attr-defined]
        return cast(F, checked)

    return wrap


class Relaxation:
    """Makes of a model one that leaves open what the methods of `way` leave open.

    way: replaces methods, each marked by `simulates`. given: what laws assume of a state that are proved so.
    """

    def __init__(self, way: type, given: Given = always) -> None:
        self.way, self.given, self.name = way, given, way.__name__
        self.replaced = dict(_replaced(way))
        self.total = all(method.marginspec_total for method in self.replaced.values())
        self._models = per_model(self._model)
        self._only: dict[tuple[str, type], type[Machine]] = {}

    @property
    def assumed(self) -> str:
        """What laws assume of a state that are proved so, as people read it; empty when nothing is."""
        return "" if self.given is always else " ".join((inspect.getdoc(self.given) or self.given.__name__).split())

    @property
    def obligations(self) -> tuple[str, ...]:
        """The IDs of the lemmas by which the relaxed model can do all that the model does."""
        return tuple(dict.fromkeys(method.marginspec_simulates[0] for method in self.replaced.values()))

    def __call__(self, model: type[Machine]) -> type[Machine]:
        """The relaxed model."""
        return self._models(model)

    def only(self, name: str, model: type[Machine], others: Mapping[str, Any]) -> type[Machine]:
        """The relaxed model with but one method replaced: of each of the others another lemma speaks.

        others: methods of the model to have in place of its own.
        """
        if (name, model) not in self._only:
            relaxed, own = self(model), {other: getattr(model, other) for other in self.replaced if other != name}
            self._only[name, model] = cast(type[Machine], type(relaxed.__name__, (relaxed,), {**own, **others}))
        return self._only[name, model]

    def _model(self, model: type[Machine]) -> type[Machine]:
        for name, method in self.replaced.items():
            _same_arguments(self.name, name, method, getattr(model, name, None))
        methods = {name: _dispatched(method) for name, method in self.replaced.items()}
        given = {"marginspec_given": staticmethod(self.given)}
        return cast(type[Machine], type(f"{self.name}{model.__name__}", (self.way, model), {**methods, **given}))


def _replaced(way: type) -> Iterator[tuple[str, Any]]:
    for kind in reversed(way.__mro__):
        methods = {name: member for name, member in vars(kind).items() if isinstance(member, FunctionType)}
        marked = {name: method for name, method in methods.items() if hasattr(method, "marginspec_simulates")}
        if marked and len(marked) != len(methods):
            raise ValueError(
                f"{kind.__name__} replaces {sorted(methods.keys() - marked)} and no lemma says that it may"
            )
        others = [n for n, m in vars(kind).items() if isinstance(m, property | classmethod | staticmethod)]
        if others and not issubclass(Machine, kind):
            raise ValueError(f"{kind.__name__} replaces {others[0]}, and of a property no lemma can say that it may")
        for method in marked.values():
            method.marginspec_told = tuple(_annotated(kind))  # type: ignore[attr-defined]
        yield from marked.items()


class Misused(ValueError):  # noqa: N818 - like `NotCovered`, no fault of the model
    """A relaxation that is made for another model than the one that it is used of. The message is one line."""


def _parameters(method: Any) -> Iterable[inspect.Parameter]:
    return inspect.signature(method).parameters.values()


def _same_arguments(way: str, name: str, replaced: Any, own: Any) -> None:
    """Misused where the model asks its own method otherwise than it could ask the replaced one."""
    if own is None:
        raise Misused(f"{way} replaces {name}, which the model does not have")
    then, now = ([(p.name, p.kind, p.default) for p in _parameters(method)] for method in (own, replaced))
    if then != now:
        raise Misused(f"{way}.{name} takes other arguments than the model's own, in another order or by default")


def simulations(relaxation: Relaxation, model: type[Machine], bounds: str, scope: Scope) -> Iterator[Property]:
    """For each replaced method the lemma that it can do what the method of the model does."""
    for name, method in relaxation.replaced.items():
        id, over, given = method.marginspec_simulates
        if getattr(over, "given", always) is not always:
            raise ValueError(f"{id} is over a relaxation that speaks of some states only")
        if method.marginspec_total and over is not None and not getattr(over, "total", False):
            raise ValueError(f"{id} says what is refused, over a relaxation that does not")
        law = " ".join((inspect.getdoc(method) or "").split())
        if not law:
            raise ValueError(f"{relaxation.name}.{name} has no docstring, so no law")
        predicate = _simulated(relaxation, model, name, method)
        needed = getattr(over, "obligations", ())
        assumed = " ".join((inspect.getdoc(given) or given.__name__).split())
        said = bounds if given is always else f"{bounds}; only where {assumed}"
        yield Property(id, law, "lemma", predicate, (), (), said, lambda state, step: True, scope, over, needed)


def _simulated(relaxation: Relaxation, model: type[Machine], name: str, method: FunctionType) -> Callable[..., Any]:
    """The predicate: the model's own method, then the replaced one with its answers, from any state."""
    hints, told = _arguments(method), _told(relaxation.way)
    own_hints = typing.get_type_hints(method)
    over: Relaxation | None = method.marginspec_simulates[1]  # type: ignore[attr-defined]
    replaced = {} if over is None else over.replaced
    # Another one that the replaced method asks does what it does where the model's own asks it.
    others = {n: _by_outer(m) for n, m in replaced.items() if n != name}

    taken = [name for name, hint in hints.items() if is_record(plain(hint))]

    def predicate(venue: Machine, **arguments: Any) -> Any:
        if taken:
            raise NotCovered(f"a replaced method takes a record, {taken[0]}, which may be part of the state or none")
        says = {name: arguments.pop(name) for name in told}
        for none in [name for name in arguments if name not in own_hints]:
            if arguments.pop(none):
                arguments[none.removesuffix("_is_none")] = None
        assume(relaxation.given(venue))
        assume(method.marginspec_simulates[2](venue, **arguments))  # type: ignore[attr-defined]
        twin = venue.clone()
        twin.__class__ = relaxation.only(name, type(venue), others if over and isinstance(venue, over.way) else {})
        for told_of, one in says.items():
            setattr(twin, told_of, one)
        rule, own = ended(lambda: getattr(venue, name)(**arguments))
        assume(rule is None or method.marginspec_total)  # type: ignore[attr-defined]
        oracle = _Oracle(rule, own, venue)
        with answered_by(oracle):
            # What it is given was assumed of the venue, of which the twin may leave open how it is asked.
            refused, result = ended(lambda: unassuming(lambda: inspect.unwrap(method)(twin, **arguments)))
        if refused != rule:
            return False
        same = [one == other for one, other in zip(twin.flatten(), venue.flatten(), strict=True) if one is not other]
        same += [one == other for one, other in oracle.compared(result)] if rule is None else []
        return every([*same, *oracle.claims])

    predicate.__annotations__ = {"venue": model, **hints, **told, "return": Any}
    predicate.__name__ = f"{relaxation.name}_{name}"
    predicate.replacement = method  # type: ignore[attr-defined]
    # What it is about, for those who read its text, is the model's own method.
    predicate.__module__ = method.__module__
    predicate.__wrapped__ = inspect.unwrap(getattr(model, name))  # type: ignore[attr-defined]
    return predicate


def _dispatched(method: Any) -> Any:
    """A replaced method that the model asks as its own."""

    @functools.wraps(method)
    def asked(self: Any, *arguments: Any, **named: Any) -> Any:
        return method.marginspec_run(self, *arguments, **named)

    return asked


def _by_outer(method: Any) -> Any:
    """A replaced method that leaves open what it does for the model itself, and not for what replaces another one."""

    @functools.wraps(method)
    def asked(self: Any, *arguments: Any, **named: Any) -> Any:
        with answered_by(answers().outer if isinstance(answers(), _Oracle) else answers()):  # type: ignore[attr-defined]
            return method(self, *arguments, **named)

    return asked


def _told(way: type) -> dict[str, Any]:
    """What laws may tell a relaxed model, e.g. whom they watch, by name: its class variables that may be None."""
    found: dict[str, Any] = {}
    for kind in way.__mro__:
        if any(hasattr(member, "marginspec_simulates") for member in vars(kind).values()):
            found |= _annotated(kind)
    return {name: typing.get_args(hint)[0] for name, hint in found.items()}


def _annotated(kind: type) -> dict[str, Any]:
    return inspect.get_annotations(kind, eval_str=True)


def _arguments(method: FunctionType) -> dict[str, Any]:
    hints = typing.get_type_hints(method, include_extras=True)
    hints.pop("return", None)
    # Whatever range is written: nothing keeps to it who calls the method.
    hints |= {f"{name}_is_none": bool for name, hint in hints.items() if isinstance(hint, UnionType)}
    return {name: AnyInteger if plain(required(hint)) is int else required(hint) for name, hint in hints.items()}


def required(hint: Any) -> Any:
    """What a type that may be None is otherwise."""
    return (
        next(part for part in typing.get_args(hint) if part is not type(None)) if isinstance(hint, UnionType) else hint
    )


class _Oracle:
    """Answers what a replaced method leaves open with what the model's own method returned and did.

    claims: that each answer is within its range.
    """

    def __init__(self, rule: str | None, result: Any, after: Machine) -> None:
        self.rule, self.outer = rule, answers(self)
        self.is_tuple = isinstance(result, tuple)
        self.results = list(result) if self.is_tuple else [result]
        self.after, self.claims = after, list[Any]()
        self._asked = 0

    def enter(self, method: Any, state: Machine, arguments: Mapping[str, Any]) -> None:
        """Where a replaced method asks another one, or itself, that is a part of it."""

    def answer(self, hint: Any, about: Any) -> Any:
        if isinstance(about, Condition):
            self.claims.append(about.holds)
            return True
        if isinstance(about, Refusing):
            return about.rule == self.rule
        if isinstance(about, Forgotten):
            after = _at(self.after, about.path)
            return self._within(hint, after if about.before is None else after - about.before)
        if self.rule is not None:
            return 0  # nothing was returned: what does not refuse here is wrong, whatever it makes of this
        known = about.known if isinstance(about, Above) else 0
        self._asked += 1
        return self._within(hint, self.results[self._asked - 1] - known)

    def _within(self, hint: Any, answer: Any) -> Any:
        if hint is not bool:
            self.claims += within(typing.get_args(hint)[1], answer)
        elif hasattr(answer, "__floordiv__"):  # a number, of which nothing says that it is a truth value
            self.claims += within(Number(0, 1), answer)
        return answer

    def compared(self, result: Any) -> list[tuple[Any, Any]]:
        """What the replaced method returned beside what the model's own did."""
        if isinstance(result, _Unused):
            return []
        if isinstance(result, tuple) is not self.is_tuple:
            return [(0, 1)]
        results = list(result) if self.is_tuple else [result]
        if any(isinstance(one, dict | list | set | Record) for one in (*results, *self.results)):
            raise NotCovered("a replaced method returns a record or a map, which may be part of the state or a copy")
        return [(one, other) for one, other in zip(results, self.results, strict=True) if one is not other]
