"""Every law is also run: plain Python on concrete states, before anybody says that it is proved.

This is the second executor. It shares no code with the one that runs laws on unknowns: what a law means is written down
here once more, from the words of `properties/law.py`. States are random ones in range and ones that the model reaches;
identifiers are equal and unequal in every way, whatever a scope says of them. Nothing found means nothing.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, Step, arguments_of
from marginspec.properties.scope import NumberKey, Options, Scope
from marginspec.prover.situations import (
    BIT,
    Draw,
    Frame,
    Situation,
    Walks,
    constants_of,
    functions_of,
    ids_of,
    is_identifier,
    leaves,
    number_of,
    random_situations,
    reached_situations,
    rebuilt,
)
from marginspec.prover.steering import flip, steer, watch

SECONDS = 0.3
CASES = 4000

# Of processor time, for making a failure smaller.
SHRINKING_SECONDS = 0.3

# Cases in which a law said something, of which later ones are variations.
KEPT = 200

# How many moves lead a case to where the law speaks, and how many of those that came far are gone on with.
TRIES = 10
NEAR = 12

# How many combinations of identifiers an invariant is asked for in one state.
INSTANCES = 400

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """A case in which a law is false. case: what was given, as text by name. why: what the law did, or its error."""

    case: dict[str, str]
    why: str


@dataclass
class Trial:
    """What came of running a law. cases: in which it said something, its premise being true."""

    cases: int
    failure: Failure | None = None


# --- What a law means -------------------------------------------------------------------------------------------------

HELD = ""


class _Silent(Exception):  # noqa: N818 - not an error
    """The law says nothing of this case."""


def judged(
    claim: Property, state: Machine, arguments: Arguments, ids: Mapping[Any, Any], given: bool = True
) -> str | None:
    """Why a law is false in a case: "" where it is true, None where it says nothing. The state is changed.

    given: whether the invariants that the law may assume are asked.
    """
    try:
        if given:
            for invariant in claim.given:
                _demand(_holds(invariant, state, case) for case in instances(invariant, ids))
        return HELD if _said(claim, state, arguments) else "returned False"
    except (Irrelevant, _Silent):
        return None
    except Rejected as refused:
        return None if refused.by_action else f"{refused.rule} refused outside an action"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _demand(conditions: Iterator[bool]) -> None:
    if not all(conditions):
        raise _Silent


def _holds(invariant: Property, state: Machine, arguments: Arguments) -> bool:
    """Whether an invariant is true of a state; where it cannot be asked it is not."""
    try:
        return bool(invariant.predicate(state, **arguments))
    except (Rejected, Irrelevant):
        return False


def _said(claim: Property, state: Machine, arguments: Arguments) -> bool:
    if claim.kind == "composition":
        return _is_composed(claim, state, arguments["step"])
    if claim.kind != "invariant":
        return bool(claim.predicate(state, **arguments))
    own = {name: value for name, value in arguments.items() if name != "step"}
    _demand(iter((_holds(claim, state, own),)))
    _demand(iter((bool(claim.before(state, arguments["step"])),)))
    arguments["step"].take(state)
    return bool(claim.predicate(state, **own))


def _is_composed(claim: Property, state: Machine, step: Step) -> bool:
    """Whether a step is made of two as a composition says, where `before` does not hold of it."""
    _demand(iter((not claim.before(state, step),)))
    both = state.clone()
    first = claim.predicate(state.clone(), step)
    if not claim.before(both, first):
        return False
    alone = _taken(step, state)
    if _taken(first, both)[0] is not None:
        return alone[0] is not None
    if not claim.before(both, step):
        return False
    after = _taken(step, both)
    # What is refused changes nothing: only what refuses it is compared.
    return alone == after and (alone[0] is not None or state.flatten() == both.flatten())


def _taken(step: Step, state: Machine) -> tuple[str | None, Any]:
    try:
        return None, step.take(state)
    except Rejected as refused:
        if not refused.by_action:
            raise
        return refused.rule, None


def instances(invariant: Property, ids: Mapping[Any, Any]) -> Iterator[Arguments]:
    """Every combination of identifiers that an invariant may be asked of, up to a limit."""
    hints = arguments_of(invariant.predicate)
    options = [_some(hint, ids) for hint in hints.values()]
    for case in itertools.islice(itertools.product(*options), INSTANCES):
        yield dict(zip(hints, case, strict=True))


def _some(hint: Any, ids: Mapping[Any, Any]) -> tuple[Any, ...]:
    number = number_of(hint)
    if number is None:
        return ids_of(ids, plain(hint))
    return tuple({n for n in (number.low, 0, 1, *number.typical, number.high) if number.low <= n <= number.high})


# --- Trials -----------------------------------------------------------------------------------------------------------


@dataclass
class _Case:
    """A situation and what is given to a law there."""

    law: _Law
    situation: Situation
    arguments: Arguments

    def given(self) -> Iterator[tuple[str, Any, Any]]:
        """Path, type and value of everything that the law is given, besides the state."""
        for name, value in self.arguments.items():
            if isinstance(value, Step):
                hints = self.law.infos[value.call.action].arguments
                for inner, part in value.call.arguments.items():
                    yield from leaves(hints[inner], part, f"{name}.{inner}")
            else:
                yield from leaves(self.law.values[name], value, name)

    def flat(self) -> list[Any]:
        """Every value: of the state, then of what is given."""
        return [*self.situation.values, *(value for _, _, value in self.given())]

    def with_values(self, values: list[Any], compared: bool = True) -> _Case:
        """The case with other values in the same places. compared: whether it is seen that the state is the same."""
        size, old = len(self.situation.values), self.situation
        rest, arguments = iter(values[size:]), Arguments()
        for name, value in self.arguments.items():
            if isinstance(value, Step):
                action, parts = value.call
                hints = self.law.infos[action].arguments
                arguments[name] = Step(Call(action, {n: rebuilt(hints[n], part, rest) for n, part in parts.items()}))
            else:
                arguments[name] = rebuilt(self.law.values[name], value, rest)
        if not compared or values[:size] != old.values:
            old = Situation(old.frame, values[:size], False, old.calls)
        return _Case(self.law, old, arguments)

    def fresh(self) -> Arguments:
        """What is given, in copies of its own: a law may change them."""
        if all(type(value) in (int, str, bool, Step) for value in self.arguments.values()):
            return self.arguments
        return self.with_values(self.flat()).arguments


class _Law:
    """A property with what trying it needs: its arguments, its pins, the actions that its text names."""

    def __init__(self, model: type[Machine], claim: Property) -> None:
        hints = arguments_of(claim.predicate)
        self.model, self.claim, self.infos = model, claim, actions_of(model)
        self.values = {name: hint for name, hint in hints.items() if plain(hint) is not Step}
        self.steps = [name for name, hint in hints.items() if plain(hint) is Step]
        if claim.kind in ("invariant", "composition"):
            self.steps = ["step"]
        if claim.kind == "composition":
            self.values = {}
        named = _names_in(claim.predicate)
        self.actions = [name for name in self.infos if name in named]

    def ranges(self, case: _Case) -> list[Number | None]:
        """Which values may move, and where: numbers that are not pinned."""
        frame, fixed = case.situation.frame, self.claim.scope.fixed
        ranges = list(frame.ranges)
        for path in self.pins(frame):
            ranges[frame.index[path]] = None
        for path, hint, _ in case.given():
            ranges.append(None if path.rpartition(".")[2] in fixed else number_of(hint))
        return ranges

    @functools.cached_property
    def _pins(self) -> dict[int, dict[str, Options]]:
        return {}

    def pins(self, frame: Frame) -> dict[str, Options]:
        """The variables of a state that the scope pins: numbers, truth values, and what never changes."""
        known = self._pins.get(id(frame))
        if known is None:
            fixed = self.claim.scope.fixed
            known = self._pins[id(frame)] = {}
            for leaf in frame.leaves if fixed else ():
                options = fixed.get(leaf.path) or fixed.get(leaf.path.rpartition(".")[2])
                if options and (leaf.number is not None or (leaf.constant and leaf.path in fixed)):
                    if not any(isinstance(option, NumberKey) for option in options):
                        known[leaf.path] = options
        return known


class Trials:
    """Runs laws of one model, and remembers the states that it made for them."""

    def __init__(self, model: type[Machine], seed: int = 1) -> None:
        self._model, self._seed = model, seed
        self._constants = constants_of(functions_of(model))
        self._walks = Walks(model, seed, self._constants)
        self._situations: dict[str, tuple[list[Situation], list[Situation]]] = {}

    def prepare(self, scope: Scope) -> tuple[list[Situation], list[Situation]]:
        """Make the states for laws of a scope: random ones and reached ones."""
        key = repr((scope.keys, scope.free))
        if key not in self._situations:
            draw = Draw(f"situations {self._seed}", self._constants)
            reached = reached_situations(self._model, scope, self._walks, draw)
            self._situations[key] = random_situations(self._model, scope, draw), reached
        return self._situations[key]

    def run(self, claim: Property, seconds: float = SECONDS, cases: int = CASES) -> Trial:
        """Look for a case in which a law is false, for so much processor time or so many cases in which it speaks."""
        chance, reached = self.prepare(claim.scope)
        end = time.process_time() + seconds
        return _Search(self._model, claim, self._seed, self._constants).run(chance, reached, end, cases)


class _Search:
    """The trial of one law."""

    def __init__(self, model: type[Machine], claim: Property, seed: int, constants: list[int]) -> None:
        self._law, self._claim, self._model = _Law(model, claim), claim, model
        constants = sorted({*constants, *constants_of([claim.predicate])})
        self._draw = Draw(f"{claim.id} {seed}", constants)
        self._good: list[_Case] = []
        self._near: list[tuple[int, _Case]] = []
        self._failed: tuple[_Case, str] | None = None
        self._ids: dict[Any, Any] = {}
        self.cases = self.tried = 0

    def run(self, chance: list[Situation], reached: list[Situation], end: float, cases: int) -> Trial:
        if self._claim.kind == "invariant" and (failure := self._unkept(reached)) is not None:
            return Trial(1, failure)
        draw = self._draw.random
        while self._failed is None and self.cases < cases and time.process_time() < end:
            mode = draw.random()
            if self._good and mode < 0.35:
                self._try(self._varied(draw.choice(self._good)))
            elif self._good and mode < 0.45:
                self._edge(draw.choice(self._good))
            else:
                case = self._fresh(draw.choice(chance if draw.random() < 0.5 or not reached else reached))
                if case is None:
                    continue
                silent = self._try(case) is None
                # The rarer the cases in which the law speaks, the more of the silent ones are led to one.
                if silent and draw.random() < 0.3 and self.cases < self.tried / 5:
                    self._steered(case)
        return Trial(self.cases, self._failure())

    # --- One case --------------------------------------------------------------------------------------------------

    def _judged(self, case: _Case, given: bool = True) -> str | None:
        at = case.situation
        return judged(self._claim, at.frame.machine(at.values), case.fresh(), at.frame.ids, given)

    def _try(self, case: _Case) -> str | None:
        self.tried += 1
        why = self._judged(case) if self._is_given(case.situation) else None
        if why is None:
            return None
        if why != HELD and self._is_missing(case, why):
            return None
        self.cases += 1
        if why != HELD:
            self._failed = self._failed or (case, why)
        elif len(self._good) < KEPT:
            self._good.append(case)
        else:
            self._good[int(self._draw.random.random() * KEPT)] = case
        return why

    def _is_given(self, at: Situation) -> bool:
        """Whether the invariants that are given hold; known of each situation once."""
        for invariant in self._claim.given:
            if invariant.predicate not in at.holds:
                state = at.frame.machine(at.values)
                cases = instances(invariant, at.frame.ids)
                at.holds[invariant.predicate] = all(_holds(invariant, state, case) for case in cases)
            if not at.holds[invariant.predicate]:
                return False
        return True

    def _is_missing(self, case: _Case, why: str) -> bool:
        """Whether a law only spoke of an identifier that a run of the model does not have."""
        known = {str(i) for options in case.situation.frame.ids.values() for i in options}
        named = {str(o) for options in self._claim.scope.keys.values() for o in options}
        return any(why == f"KeyError: {name!r}" for name in named - known)

    # --- Which cases -----------------------------------------------------------------------------------------------

    def _fresh(self, at: Situation) -> _Case | None:
        """A new case in a situation."""
        at = self._pinned(at)
        if not self._is_given(at) and self._draw.random.random() < 0.7:
            return None
        law, draw = self._law, self._draw
        arguments = draw.arguments(law.values, at.frame, at.values)
        for name, options in self._claim.scope.fixed.items():
            if name in law.values and number_of(law.values[name]) is not None:
                arguments[name] = draw.random.choice(options)
        call = self._call(at, law.actions) if law.actions and draw.random.random() < 0.6 else None
        if call is not None:
            self._fill(arguments, call)
        for name in law.steps:
            arguments[name] = Step(self._step(at))
        return _Case(law, at, arguments)

    def _pinned(self, at: Situation) -> Situation:
        pins = self._law.pins(at.frame)
        if at.reached:
            # Which identifiers a run has is part of it.
            pins = {path: o for path, o in pins.items() if at.frame.ranges[at.frame.index[path]] is not None}
        return at.pinned(pins, self._draw.random) if pins else at

    def _call(self, at: Situation, actions: list[str]) -> Call | None:
        """A call that is accepted here, of one of some actions."""
        action = self._draw.random.choice(actions)
        if action not in at.calls and at.reached:
            try:
                found = self._draw.accepted(self._law.infos[action], at.frame, at.values, 2)
            except Exception:
                found = None
            if found is not None:
                at.calls[action] = found
        return at.calls.get(action)

    def _fill(self, arguments: Arguments, call: Call) -> None:
        hints = self._law.infos[call.action].arguments
        for name, value in call.arguments.items():
            if name in arguments and is_identifier(hints[name]) == is_identifier(self._law.values[name]):
                arguments[name] = value

    def _step(self, at: Situation) -> Call:
        draw, infos = self._draw.random, self._law.infos
        if at.calls and draw.random() < 0.4:
            call = draw.choice(list(at.calls.values()))
        elif draw.random() < 0.5 and (found := self._call(at, list(infos))) is not None:
            call = found
        else:
            action = draw.choice(self._law.actions or list(infos)) if draw.random() < 0.3 else draw.choice(list(infos))
            return self._draw.call(infos[action], at.frame, at.values)
        return self._varied_call(call, at) if draw.random() < 0.4 else call

    def _varied_call(self, call: Call, at: Situation) -> Call:
        if not call.arguments:
            return call
        name = self._draw.random.choice(list(call.arguments))
        hints = self._law.infos[call.action].arguments
        return call.changed(name, self._value(hints[name], at, list(call.arguments.values())))

    def _value(self, hint: Any, at: Situation, used: list[Any]) -> Any:
        return self._draw.value(hint, at.frame.ids, functools.partial(at.frame.near, at.values), used)

    def _varied(self, case: _Case) -> _Case:
        """A case in which a few values are others."""
        draw, at = self._draw.random, case.situation
        values, ranges = case.flat(), self._law.ranges(case)
        size, hints = len(at.values), self._hints(case)
        for _ in range(draw.choice((1, 1, 2, 4))):
            arguments = len(values) > size and draw.random() < 0.6
            i = draw.randrange(size, len(values)) if arguments else draw.randrange(size)
            hint = hints[i - size] if i >= size else None
            if i < size:
                leaf = at.frame.leaves[i]
                if leaf.path in self._law.pins(at.frame):
                    continue
                values[i] = (
                    self._value(leaf.kind, at, ())  # type: ignore[arg-type]
                    if leaf.number is None or leaf.kind is bool
                    else self._draw.number(leaf.number, at.frame.near(values, leaf.number))
                )
            elif ranges[i] is not None or is_identifier(hint):
                values[i] = self._value(hint, at, values[size:])
        return case.with_values(values)

    def _hints(self, case: _Case) -> list[Any]:
        return [hint for _, hint, _ in case.given()]

    def _watched(self, case: _Case) -> Any:
        """Whether the law speaks of a case, given its values."""

        def run(values: list[Any]) -> bool:
            return self._judged(case.with_values(values, compared=False)) is not None

        return run

    def _steered(self, case: _Case) -> None:
        """Lead a case in which the law says nothing to one in which it does, or nearer to one."""
        draw = self._draw.random
        if self._near and draw.random() < 0.6:
            case = draw.choice(self._near)[1]
            if draw.random() < 0.3:
                case = self._varied(case)
        found = steer(self._watched(case), case.flat(), self._law.ranges(case), draw, TRIES)
        case = case.with_values(_plainly(found.values))
        if found.arrived:
            self._try(case)
        else:
            self._near = sorted([*self._near, (found.passed, case)], key=lambda n: -n[0])[:NEAR]

    def _edge(self, case: _Case) -> None:
        """Move a number to where one of the comparisons on the way turns out otherwise."""
        values, ranges = case.flat(), self._law.ranges(case)
        _, trail = watch(self._watched(case), values, ranges)
        places = [i for i, comparison in enumerate(trail) if comparison.made_of]
        if places:
            place = self._draw.random.choice(places)
            moved = flip(self._watched(case), values, ranges, trail, place, self._draw.random)
            if moved is not None:
                self._try(case.with_values(_plainly(moved)))

    # --- Failures --------------------------------------------------------------------------------------------------

    def _unkept(self, reached: list[Situation]) -> Failure | None:
        """Where the model reaches a state of which an invariant is false."""
        first = Frame(self._model.blank(), self._model.universe)
        states = [Situation(first, first.read(first.template), True), *reached[:: max(1, len(reached) // 60)]]
        for at in states:
            for arguments in instances(self._claim, at.frame.ids):
                state = at.frame.machine(at.values)
                try:
                    why = "" if self._claim.predicate(state, **arguments) else "returned False"
                except Rejected as refused:
                    why = f"{refused.rule} refused outside an action"
                except Exception as error:
                    why = f"{type(error).__name__}: {error}"
                if why and not self._is_missing(_Case(self._law, at, arguments), why):
                    where = "in the state before anything happens" if at is states[0] else "in a state that is reached"
                    return Failure(_text(_Case(self._law, at, arguments)), f"{why} {where}")
        return None

    def _failure(self) -> Failure | None:
        if self._failed is None:
            return None
        case, why = self._failed
        case = self._smaller(case, time.process_time() + SHRINKING_SECONDS)
        again = self._judged(case)
        return Failure(_text(case), again or f"{why} once, and not again: it rests on something beside the state")

    def _smaller(self, case: _Case, end: float) -> _Case:
        """A case with smaller numbers in which the law still fails."""
        case = self._same_names(case, end)
        ranges = self._law.ranges(case)
        values, changed = case.flat(), True
        while changed and time.process_time() < end:
            changed = False
            for i, number in enumerate(ranges):
                if number is None or time.process_time() > end:
                    continue
                for smaller in _simpler(values[i], number):
                    moved = [*values[:i], smaller, *values[i + 1 :]]
                    if self._judged(case.with_values(moved)):
                        values, changed = moved, True
                        break
        return case.with_values(values)

    def _same_names(self, case: _Case, end: float) -> _Case:
        """A case with the first identifiers that will do."""
        values, size = case.flat(), len(case.situation.values)
        hints = [leaf.kind for leaf in case.situation.frame.leaves] + self._hints(case)
        for i, hint in enumerate(hints):
            if number_of(hint) is None and plain(hint) not in (int, bool) and time.process_time() < end:
                if i < size and case.situation.frame.leaves[i].number is not None:
                    continue
                for option in ids_of(case.situation.frame.ids, plain(hint)):
                    if option == values[i]:
                        break
                    moved = [*values[:i], option, *values[i + 1 :]]
                    if self._judged(case.with_values(moved)):
                        values = moved
                        break
        return case.with_values(values)


def _plainly(values: list[Any]) -> list[Any]:
    return [
        int(v) if isinstance(v, int) and type(v) not in (bool, int) and not hasattr(v, "name") else v for v in values
    ]


def _simpler(value: int, number: Number) -> Iterator[int]:
    """Simpler numbers in range, the simplest first."""
    nil = min(max(0, number.low), number.high)
    if number is BIT:
        yield from (False,) if value else ()
        return
    options = [nil, 1, 10, 1000, 10**6, 10**18, value // 2, value - 1 if value > 0 else value + 1]
    power = 10 ** max(0, len(str(abs(value))) - 1)
    options.insert(6, value // power * power)
    for option in options:
        if number.low <= option <= number.high and abs(option) < abs(value):
            yield option


def _text(case: _Case) -> dict[str, str]:
    """A case as people read it: what is given to the law, then what of the state is not zero."""
    text = {}
    for name, value in case.arguments.items():
        if isinstance(value, Step):
            given = ", ".join(f"{k}={v}" for k, v in value.call.arguments.items())
            text[name] = f"{value.call.action}({given})"
        else:
            text[name] = str(value)
    for leaf, value in zip(case.situation.frame.leaves, case.situation.values, strict=True):
        if leaf.number is None or value:
            text[f"{leaf.path} of the state" if leaf.path in text else leaf.path] = str(value)
    return text


@functools.cache
def _names_in(predicate: Any) -> frozenset[str]:
    """The names that a law's code mentions, helpers of its module included."""
    found: set[str] = set()
    todo = [predicate]
    seen: set[Any] = set()
    while todo:
        code = getattr(todo.pop(), "__code__", None)
        names = [code] if code is not None else []
        while names:
            one = names.pop()
            found |= set(one.co_names)
            names += [c for c in one.co_consts if hasattr(c, "co_names")]
            helpers = (getattr(predicate, "__globals__", {}).get(n) for n in one.co_names)
            for helper in helpers:
                if hasattr(helper, "__code__") and helper not in seen:
                    seen.add(helper)
                    todo.append(helper)
    return frozenset(found)
