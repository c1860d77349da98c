"""Identifiers that differ in nothing but their name: proofs look at one of them. What that rests on is tried here.

Two of them change places in a state and in a call; then what the call does must be the same with both in each other's
place. A model that takes accounts in their order, compares their names, or means one of them finds itself here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.properties.scope import REST, Scope
from marginspec.trial.situations import (
    Draw,
    Frame,
    Situation,
    Walks,
    constants_of,
    functions_of,
    random_situations,
    reached_situations,
    texts_of,
)

SECONDS = 0.5


def asymmetry(
    model: type[Machine],
    scope: Scope,
    seed: int = 1,
    seconds: float = SECONDS,
    situations: Sequence[Situation] | None = None,
) -> str | None:
    """What changes when two identifiers that a scope takes to be alike change places; None if nothing was found.

    Alike are those of `Scope.alike`, and those of the same types as `REST`. seconds: of processor time, for how long to
    look. situations: where, if they are at hand.
    """
    functions = functions_of(model)
    draw = Draw(f"symmetry {seed}", constants_of(functions))
    if situations is None:
        walks = Walks(model, seed, constants_of(functions))
        situations = [*random_situations(model, scope, draw), *reached_situations(model, scope, walks, draw)]
    # Proofs keep apart whom the text of a model names.
    named = texts_of(functions)
    pairs = {at.frame: [p for p in _pairs(scope, at.frame) if named.isdisjoint(p)] for at in situations}
    situations = [at for at in situations if pairs[at.frame]]
    swaps: dict[tuple[Frame, tuple[str, str]], _Swap] = {}
    infos, end = list(actions_of(model).values()), time.process_time() + seconds
    while situations and time.process_time() < end:
        at = draw.random.choice(situations)
        pair = draw.random.choice(pairs[at.frame])
        swap = swaps.setdefault((at.frame, pair), _Swap(at.frame, *pair))
        info = draw.random.choice(infos)
        call = draw.call(info, at.frame, at.values)
        if at.calls and draw.random.random() < 0.3:
            call = draw.random.choice(list(at.calls.values()))
        elif draw.random.random() < 0.5:
            call = _accepted(draw, info, at) or call
        if changed := swap.changes(at, call):
            given = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
            return f"{call.action}({given}): with {pair[0]} and {pair[1]} in each other's place {changed}"
    return None


def _accepted(draw: Draw, info: Any, at: Situation) -> Call | None:
    try:
        return draw.accepted(info, at.frame, at.values, 2)
    except Exception:
        return None


def _pairs(scope: Scope, frame: Frame) -> Iterator[tuple[str, str]]:
    """Two of each group of identifiers that are alike and of the same types."""
    everybody = frozenset(kind for kind, options in scope.keys.items() if REST in options)
    types: dict[str, frozenset[Any]] = {}
    for kind in scope.keys:
        for option in frame.ids[kind]:
            if isinstance(option, str):
                types[option] = types.get(option, frozenset()) | {kind}
    declared = [[option for option in group if option in types] for group in scope.alike]
    shared = [option for option in types if everybody and types[option] == everybody]
    for group in (*declared, shared):
        for i, one in enumerate(group):
            yield from ((one, other) for other in group[i + 1 :] if types[one] == types[other])


class _Swap:
    """Two identifiers change places in the states of a frame: keys stay where they are, what belongs to them moves."""

    def __init__(self, frame: Frame, one: str, other: str) -> None:
        self._frame, self._names = frame, {one: other, other: one}
        self._places = [frame.index[_renamed(leaf.path, self._names)] for leaf in frame.leaves]

    def _swapped(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._swapped, value))
        return self._names.get(value, value) if isinstance(value, str) else value

    def values(self, values: Sequence[Any]) -> list[Any]:
        """A state with both in each other's place."""
        return [self._swapped(values[place]) for place in self._places]

    def changes(self, at: Situation, call: Call) -> str:
        """What a call does otherwise after the exchange, "" if nothing."""
        arguments = {name: self._swapped(value) for name, value in call.arguments.items()}
        first, then = self._done(at.values, call)
        second, there = self._done(self.values(at.values), Call(call.action, arguments))
        if self._swapped(first) != second:
            return f"it {_told(second)} instead of what it does otherwise: it {_told(self._swapped(first))}"
        for leaf, mine, its in zip(self._frame.leaves, self.values(then), there, strict=True):
            if mine != its:
                return f"it makes {leaf.path} {its} and not {mine}"
        return ""

    def _done(self, values: Sequence[Any], call: Call) -> tuple[tuple[Any, ...], list[Any]]:
        state = self._frame.machine(values)
        try:
            outcome: tuple[Any, ...] = tuple(state.apply(call))
        except Exception as error:
            outcome = (), type(error).__name__
        return outcome, self._frame.read(state)


def _told(outcome: tuple[Any, ...]) -> str:
    returns, rule = outcome
    return f"returns {returns}" if rule is None else f"is refused by {rule}"


def _renamed(path: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\[([^]]*)\]", lambda key: f"[{names.get(key[1], key[1])}]", path)
