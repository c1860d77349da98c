"""Cases of a law: a state and what the law is given there, as a list of values that may be changed and put back."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, Step, arguments_of
from marginspec.properties.scope import NumberKey, Options, Scope
from marginspec.trial.meaning import Arguments
from marginspec.trial.situations import Frame, Situation, leaves, number_of, rebuilt
from marginspec.trial.steering import ComparedInts


@dataclass
class Case:
    """A situation and what is given to a law there. trail: what is compared when the law is run on it, once known."""

    law: TriedLaw
    situation: Situation
    arguments: Arguments
    trail: list[ComparedInts] | None = None

    def given(self) -> Iterator[tuple[str, Any, Any]]:
        """Path, type and value of everything that the law is given, besides the state."""
        for name, value in self.arguments.items():
            if isinstance(value, Step):
                hints = self.law.infos[value.call.action].arguments
                for inner, part in value.call.arguments.items():
                    yield from leaves(hints[inner], part, f"{name}.{inner}")
            else:
                yield from leaves(self.law.values[name], value, name)

    @property
    def action(self) -> str:
        """The action of its first step, "" if it has none."""
        return next((value.action for value in self.arguments.values() if isinstance(value, Step)), "")

    def way(self) -> int:
        """A number for how the comparisons turned out when the law was run on it."""
        return hash(tuple(comparison.sign for comparison in self.trail or ()))

    def asked(self) -> list[int]:
        """The places of the values that something was compared by when the law was run on it."""
        made_of = functools.reduce(lambda one, other: one | other.made_of, self.trail or (), 0)
        return [i for i in range(made_of.bit_length()) if made_of >> i & 1]

    def flat(self) -> list[Any]:
        """Every value: of the state, then of what is given."""
        return [*self.situation.values, *(value for _, _, value in self.given())]

    def with_values(self, values: list[Any], compared: bool = True) -> Case:
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
        return Case(self.law, old, arguments)

    def fresh(self) -> Arguments:
        """What is given, in copies of its own: a law may change them."""
        if all(type(value) in (int, str, bool, Step) for value in self.arguments.values()):
            return self.arguments
        return self.with_values(self.flat()).arguments


class TriedLaw:
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
        self._pins: dict[Frame, dict[str, Options]] = {}
        named = _names_in(claim.predicate)
        self.actions = [name for name in self.infos if name in named]

    def ranges(self, case: Case) -> list[Number | None]:
        """Which values may move, and where: numbers that are not pinned."""
        frame, fixed = case.situation.frame, self.claim.scope.fixed
        ranges = list(frame.ranges)
        for path in self.pins(frame):
            ranges[frame.index[path]] = None
        for path, hint, _ in case.given():
            ranges.append(None if path.rpartition(".")[2] in fixed else number_of(hint))
        return ranges

    def pins(self, frame: Frame) -> dict[str, Options]:
        """The variables of a state that the scope pins: numbers, truth values, and what never changes."""
        if frame not in self._pins:
            fixed, known = self.claim.scope.fixed, dict[str, Options]()
            of_all = _pins_of_all(self.claim.scope)
            for leaf in frame.leaves if fixed else ():
                options = fixed.get(leaf.path) or fixed.get(leaf.path.rpartition(".")[2])
                options = options or next((of_all[p] for p in _of_anybody(leaf.path) if p in of_all), None)
                is_set_up = leaf.number is not None or (leaf.constant and leaf.path in fixed)
                if options and is_set_up and not any(isinstance(option, NumberKey) for option in options):
                    known[leaf.path] = options
            self._pins[frame] = known
        return self._pins[frame]


def _pins_of_all(scope: Scope) -> dict[str, Options]:
    """Pins of all who are alike, as of anybody: a run has more of them than a law names."""
    found: dict[str, Options] = {}
    for group in scope.alike:
        for path, options in scope.fixed.items():
            for shape in _of_anybody(path):
                if all(shape.replace(ANYBODY, f"[{one}]") in scope.fixed for one in group):
                    found[shape] = options
    return found


ANYBODY = "[*]"


def _of_anybody(path: str) -> Iterator[str]:
    """A path with anybody in place of one of its keys."""
    for key in re.finditer(r"\[[^]]*\]", path):
        yield path[: key.start()] + ANYBODY + path[key.end() :]


def text_of(case: Case, matters: Callable[[int], bool] = lambda place: True) -> dict[str, str]:
    """A case as people read it: what is given to the law, then what of the state is not zero.

    matters: whether it matters which identifier is in a place of the state.
    """
    text = {}
    for name, value in case.arguments.items():
        if isinstance(value, Step):
            given = ", ".join(f"{k}={v}" for k, v in value.call.arguments.items())
            text[name] = f"{value.call.action}({given})"
        else:
            text[name] = str(value)
    for i, (leaf, value) in enumerate(zip(case.situation.frame.leaves, case.situation.values, strict=True)):
        number = leaf.number
        if matters(i) if number is None else value != min(max(0, number.low), number.high):
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
