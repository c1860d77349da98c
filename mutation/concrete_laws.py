"""Laws on concrete states: what a run of a model reaches is renamed to what its laws speak of, and they are run on it.

A proof speaks of every state; a sample of states costs milliseconds, and a law that it breaks is as broken. Nothing
found means nothing.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal
from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property
from marginspec.properties.scope import NumberKey, Scope
from marginspec.prover.arbitrary import Arbitrary
from marginspec.prover.claim import claimed
from marginspec.prover.symbolic import ConcreteRun, Unknown, shown

# Of the steps of a run that an action under test takes, one in so many becomes a sample, so that samples differ.
SPARSE = 4


def broken(
    model: type[Machine], claims: Sequence[Property], actions: frozenset[str], seconds: float, seed: int
) -> Property | None:
    """The first claim that a state of a run breaks together with a step of one of these actions; None if none does.

    seconds: of processor time, when to give up. Raises what the model raises when it is run.
    """
    end, draw = time.process_time() + seconds, random.Random(seed)
    for state, call in _reached(model, actions, draw, end):
        venues: dict[str, tuple[SampledRun, Machine]] = {}
        for claim in claims:
            if time.process_time() > end:
                return None
            if not _holds(model, claim, state, call, venues, draw):
                return claim
    return None


def _reached(
    model: type[Machine], actions: frozenset[str], draw: random.Random, end: float
) -> Iterator[tuple[dict[str, Any], Call]]:
    """States of a run by the names of their variables, and the calls that were taken there."""
    rehearsal, generator = Rehearsal(model), Generator(model)
    names = rehearsal.machine.names()
    while time.process_time() < end:
        rehearsal.start()
        generator.start(draw.randbytes(START_BYTES))
        for _ in range(SEQUENCE_STEPS):
            before = rehearsal.state
            call, outcome = generator.step(rehearsal.machine, before, draw.randbytes(STEP_BYTES))
            rehearsal.taken(call, outcome)
            if call.action in actions and draw.randrange(SPARSE) == 0:
                yield dict(zip(names, before, strict=True)), call


class SampledRun(ConcreteRun):
    """One execution on plain integers: those of a state and a call where a law speaks of the same names."""

    def __init__(self, given: dict[str, Any], draw: random.Random) -> None:
        super().__init__({}, {})
        self._given, self._draw, self._drawn = given, draw, dict[str, int]()
        self._near = [value for value in given.values() if isinstance(value, int)] or [0]

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        # Another law may have an argument of that name and of another type.
        if self.picks.get(name) not in options:
            given = self._look(name)
            self.picks[name] = given if given in options else self._draw.choice(options)
        return self.picks[name]

    def unknown(self, unknown: Unknown, identifier: bool = False) -> int:
        name = unknown.name
        if name not in self._drawn:
            given = self._look(name)
            near = self._draw.choice(self._near)
            other = self._draw.choice((unknown.default(), near, near + 1, 10 ** self._draw.randrange(39)))
            value = int(given) if isinstance(given, int) else other
            self._drawn[name] = min(max(value, unknown.low), unknown.high)
        return self._drawn[name]

    def _look(self, name: str) -> Any:
        name = shown(name)
        return self._given.get(name, self._given.get(name.rpartition(".")[2]))


def _holds(
    model: type[Machine],
    claim: Property,
    state: dict[str, Any],
    call: Call,
    venues: dict[str, tuple[SampledRun, Machine]],
    draw: random.Random,
) -> bool:
    """Whether a claim holds of a state and a call, as far as it speaks of them.

    venues: what was built for this state and call, by the scope that it was built for.
    """
    arbitrary, scope = Arbitrary(claim.scope), str(claim.scope)
    if scope not in venues:
        sample = SampledRun(_renamed(model, claim.scope, state, call, draw), draw)
        venues[scope] = sample, sample.run(lambda: arbitrary.value(model, ""))
    sample, template = venues[scope]
    try:
        return bool(sample.run(lambda: claimed(model, claim, arbitrary, template.clone())))
    except (Irrelevant, Rejected):
        return True


def _renamed(
    model: type[Machine], scope: Scope, state: dict[str, Any], call: Call, draw: random.Random
) -> dict[str, Any]:
    """State and call in the names of a scope: its identifiers stand for some of the model's: first of the call's."""
    names = _names(model, scope, call, draw)
    given: dict[str, Any] = {key.name: old for old, key in names.items() if isinstance(key, NumberKey)}
    texts = {str(old): str(new) for old, new in names.items()}
    for name, value in state.items():
        keys = re.findall(r"\[([^]]*)\]", name)
        if all(key in texts for key in keys):
            given[re.sub(r"\[([^]]*)\]", lambda found: f"[{texts[found[1]]}]", name)] = names.get(value, value)
    given |= {name: names.get(value, value) for name, value in call.arguments.items()}
    # Steps of a law are this call, unless it speaks of others.
    return given | {"step": call.action}


def _names(model: type[Machine], scope: Scope, call: Call, draw: random.Random) -> dict[Any, Any]:
    """Which identifier of a scope stands for an identifier of the model."""
    names: dict[Any, Any] = {}
    hints = actions_of(model)[call.action].arguments
    for kind, keys in scope.keys.items():
        if getattr(kind, "__supertype__", None) in scope.keys:
            continue  # part of another type, whose names it has
        options = model.universe[kind]
        names |= {key: key for key in keys if key in options}
        for name, hint in hints.items():
            value = call.arguments[name]
            free = [key for key in (*scope.fixed.get(name, ()), *keys) if key in keys and key not in names.values()]
            if value in options and value not in names and free and plain(hint) is not bool:
                names[value] = free[0]
        left = [option for option in options if option not in names]
        free = [key for key in keys if key not in names.values()]
        draw.shuffle(left)
        names |= dict(zip(left, free, strict=False))
    return names
