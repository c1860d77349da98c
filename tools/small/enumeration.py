"""What is true of a small system, by looking at every case: every state in range, every argument, as plain Python.

Nothing of the prover is used here: what a law means is taken from the words of `properties/law.py`. Where a scope has a
rest, systems of several sizes are looked at, in which everybody is somebody.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import is_record, plain, variables_of
from marginspec.properties.law import Irrelevant, Property, Step, arguments_of
from marginspec.properties.scope import REST, Scope

Ids = Mapping[Any, tuple[Any, ...]]
"""The identifiers of a system, by type."""

SILENT = object()
"""What a law comes to in a case of which it says nothing."""


@dataclass(frozen=True)
class Counterexample:
    """A case in which a law is false. why: `false`, a rule that refused outside an action, or an error."""

    case: dict[str, str]
    why: str


@dataclass(frozen=True)
class Truth:
    """What came of every case. cases: those of which the law says something. counterexample: one that breaks it."""

    cases: int
    counterexample: Counterexample | None = None

    @property
    def holds(self) -> bool:
        return self.counterexample is None


FEW = 4
"""Of many accounts, who all begin alike, so many are asked about, and the last."""


def number_of(hint: Any) -> Number:
    """The range of an int."""
    return next(note for note in hint.__metadata__ if isinstance(note, Number))


def sizes(scope: Scope, further: Sequence[int]) -> Iterator[Ids]:
    """The systems that a scope speaks of: one, or one for each number of further accounts that `REST` may stand for."""
    open_ = any(REST in keys for keys in scope.keys.values())
    for many in further if open_ else (0,):
        more = tuple(f"further {n}" for n in range(1, many + 1))
        yield {
            kind: (*(k for k in keys if k != REST), *more) if REST in keys else keys
            for kind, keys in scope.keys.items()
        }


@dataclass
class World:
    """All states in range of a model with some identifiers, and all that can happen to them."""

    model: type[Machine]
    ids: Ids
    options: list[Sequence[Any]] = field(init=False)
    calls: list[Call] = field(init=False)

    def __post_init__(self) -> None:
        self._first = self._built(self.model)
        self.names = self._first.names()
        self.options = list(self._leaves(self.model))
        self.calls = [
            Call(info.name, dict(zip(info.arguments, values, strict=True)))
            for info in actions_of(self.model).values()
            for values in itertools.product(*(self._values(hint) for hint in info.arguments.values()))
        ]

    @property
    def many(self) -> int:
        """How many states there are."""
        many = 1
        for options in self.options:
            many *= len(options)
        return many

    def states(self) -> Iterator[tuple[Any, ...]]:
        """The variables of every state in range."""
        return itertools.product(*self.options)

    def state(self, values: Sequence[Any]) -> Machine:
        """A state with these variables."""
        state: Machine = self._first.clone()
        state.load(list(values))
        return state

    def blank(self) -> Machine:
        """How the model begins with these identifiers."""
        sized: Any = type(self.model.__name__, (self.model,), {"universe": self.ids})
        begun: Machine = sized.blank()
        return begun

    def shown(self, values: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, str]:
        """A case by name, for people. An argument that is called like a variable of the state ends in a colon."""
        named = dict(zip(self.names, map(str, values), strict=True))
        return named | {f"{name}:" if name in named else name: text for name, text in _texts(arguments).items()}

    def cases(self, claim: Property) -> list[dict[str, Any]]:
        """Everything that the arguments of a law may be."""
        hints = arguments_of(claim.predicate)
        options = [self._steps() if plain(hint) is Step else self._values(hint) for hint in hints.values()]
        return [dict(zip(hints, case, strict=True)) for case in itertools.product(*options)]

    def _steps(self) -> list[Step]:
        return [Step(call) for call in self.calls]

    def _values(self, hint: Any) -> Sequence[Any]:
        """Every value of a type that is no map and no record."""
        kind = plain(hint)
        if kind is bool:
            return (False, True)
        if kind is int:
            number = number_of(hint)
            return range(number.low, number.high + 1)
        return self.ids[kind]

    def _built(self, hint: Any) -> Any:
        kind = plain(hint)
        if is_record(kind):
            return kind(**{name: self._built(inner) for name, inner in variables_of(kind).items()})
        if get_origin(kind) is dict:
            key, value = get_args(kind)
            return {each: self._built(value) for each in self.ids[key]}
        return self._values(hint)[0]

    def _leaves(self, hint: Any) -> Iterator[Sequence[Any]]:
        """The options of every variable, in the order of `flatten`."""
        kind = plain(hint)
        if is_record(kind):
            for inner in variables_of(kind).values():
                yield from self._leaves(inner)
        elif get_origin(kind) is dict:
            key, value = get_args(kind)
            for _ in self.ids[key]:
                yield from self._leaves(value)
        else:
            yield self._values(hint)

    def in_range(self, state: Machine) -> bool:
        """Whether every variable is one of its options."""
        return all(value in options for value, options in zip(state.flatten(), self.options, strict=True))


# --- What a law means ------------------------------------------------------------------------------------------------


def holds(invariant: Property, state: Machine, arguments: Mapping[str, Any]) -> bool:
    """Whether an invariant is true of a state; one that cannot be asked is not."""
    try:
        return bool(invariant.predicate(state, **arguments))
    except (Rejected, Irrelevant):
        return False


def outcome(claim: Property, state: Machine, arguments: Mapping[str, Any], step: Step | None = None) -> Any:
    """What a law comes to in one case: what its predicate returns, a text where it fails, or `SILENT`.

    step: of an invariant that holds in the state.
    """
    try:
        if step is not None:
            step.take(state)
        return claim.predicate(state, **arguments)
    except Irrelevant:
        return SILENT
    except Rejected as refused:
        return SILENT if refused.by_action else f"refused by {refused.rule} outside an action"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def outcomes(world: World, claim: Property, only: Sequence[Sequence[Any]] | None = None) -> Iterator[tuple[Any, Any]]:
    """Every case of a law with what it comes to there. only: the states to look at, all of them by default.

    A case is the variables of a state, the arguments and, for an invariant, the step.
    """
    cases = world.cases(claim)
    given = [(invariant, world.cases(invariant)) for invariant in claim.given]
    steps: Sequence[Step | None] = [Step(call) for call in world.calls] if claim.kind == "invariant" else [None]
    for values in world.states() if only is None else only:
        if not all(holds(each, world.state(values), case) for each, all_of_it in given for case in all_of_it):
            continue
        for case in cases:
            if claim.kind == "invariant" and not holds(claim, world.state(values), case):
                continue
            for step in steps:
                found = outcome(claim, world.state(values), case, step)
                if found is not SILENT:
                    yield (values, case, step), found


def decided(world: World, claim: Property, only: Sequence[Sequence[Any]] | None = None) -> Truth:
    """Whether a law is true in every case."""
    if claim.kind == "invariant" and only is None:
        for case in world.cases(claim):
            if not holds(claim, world.blank(), case):
                return Truth(1, Counterexample({"state": "initial", **_texts(case)}, "false"))
    many = 0
    for (values, case, step), found in outcomes(world, claim, only):
        many += 1
        if isinstance(found, str) or not found:
            at = world.shown(values, case if step is None else {**case, "step": step})
            return Truth(many, Counterexample(at, found if isinstance(found, str) else "false"))
    return Truth(many)


def holds_at_first(model: type[Machine], claim: Property, many: int) -> bool:
    """Whether an invariant is true of how a model begins with so many accounts that its scope does not name."""
    (ids,) = sizes(claim.scope, [many])
    sized: Any = type(model.__name__, (model,), {"universe": ids})
    hints = arguments_of(claim.predicate)
    some = [dict.fromkeys((*ids[plain(hint)][:FEW], ids[plain(hint)][-1])) for hint in hints.values()]
    return all(holds(claim, sized.blank(), dict(zip(hints, case, strict=True))) for case in itertools.product(*some))


def keeps_ranges(world: World, invariants: Sequence[Property], only: Sequence[Sequence[Any]] | None = None) -> Truth:
    """Whether every accepted action, from a state in range of which the invariants are true, ends in range."""
    if only is None and not world.in_range(world.blank()):
        return Truth(1, Counterexample({"state": "initial"}, "out of range"))
    given, many = [(invariant, world.cases(invariant)) for invariant in invariants], 0
    for values in world.states() if only is None else only:
        if not all(holds(each, world.state(values), case) for each, all_of_it in given for case in all_of_it):
            continue
        for call in world.calls:
            state = world.state(values)
            try:
                accepted = state.apply(call).accepted
            except Exception as error:
                at = world.shown(values, {"step": Step(call)})
                return Truth(many, Counterexample(at, f"{type(error).__name__}: {error}"))
            many += accepted
            if accepted and not world.in_range(state):
                return Truth(many, Counterexample(world.shown(values, {"step": Step(call)}), "out of range"))
    return Truth(many)


def shared_out(world: World, case: Mapping[str, str]) -> list[Any]:
    """The state of a counterexample, in which the numbers of the rest are shared out among those who are not named.

    case: variables by name. Where they are too few to have so much, they have as much as they can.
    """
    values: list[Any] = []
    left: dict[str, int] = {}
    # Some of those that a scope does not name have a name in a counterexample.
    of_rest = {name: re.sub(r"\[.*?\]", f"[{REST}]", name) for name in world.names if "[further" in name}
    of_rest = {name: whole for name, whole in of_rest.items() if name not in case}
    for name, options in zip(world.names, world.options, strict=True):
        if name in of_rest:
            whole, least, most = of_rest[name], min(options), max(options)
            if whole not in left:
                many = list(of_rest.values()).count(whole)
                left[whole] = int(case.get(whole, many * least)) - many * least
            more = max(min(left[whole], most - least), 0)
            left[whole] -= more
            values.append(least + more)
        else:
            named = (each for each in options if str(int(each) if isinstance(each, bool) else each) == case.get(name))
            values.append(next(named, options[0]))
    return values


def _texts(case: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in case.items():
        found[name] = value.action if isinstance(value, Step) else str(value)
        if isinstance(value, Step):
            found |= {f"{name}.{inner}": str(part) for inner, part in value.call.arguments.items()}
    return found
