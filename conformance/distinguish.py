"""Calls that tell oversights from the model: runs whose last call ends otherwise where something is overlooked.

The model alone is run, at random and with amounts at the places where a decision of it, or of an oversight, flips.
"""

from __future__ import annotations

import functools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from marginspec.conformance.explorer import State, amounts_of
from marginspec.conformance.oversights import Oversight, oversights_of
from marginspec.conformance.selection import Calls, accepted, fewer
from marginspec.lockstep.choices import Choices
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.model_source import reaching
from marginspec.lockstep.thresholds import follow, threshold
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of
from marginspec.model.kernel.numbers import Number

STRETCH = 30
"""Steps at random from where a known run comes to an action; from genesis a whole sequence is taken."""

EVERY = 4
"""After so many steps at random, amounts are moved in calls beside them."""

ASKED = 3
"""So many oversights are asked where they decide otherwise, of those that a call could tell."""

PLACES = 30
"""Amounts that are tried of a call, at most."""


class Twin:
    """A model that overlooks something, beside the model."""

    def __init__(self, model: type[Machine], oversight: Oversight) -> None:
        self.oversight = oversight
        self.machine = model.genesis()
        # A class of its own, so that the model stays as it is.
        changed = {name: new for _, name, new in oversight.patches()}
        self.machine.__class__ = type(model.__name__, (model,), {"__module__": model.__module__, **changed})

    def differs(self, values: list[Any], call: Call, outcome: Outcome, after: list[Any]) -> bool:
        """Whether a call ends otherwise than in the model. outcome, after: of the model, the state if accepted."""
        self.machine.load(values)
        try:
            other = self.machine.attempt(call, values)
        except Exception:  # what it leads into, the code does not allow for
            return True
        return other != outcome or (outcome.accepted and self.machine.flatten() != after)


Told = list[tuple[Calls, Oversight]]
"""Oversights, each with fewest calls from genesis, the last of which tells it."""


class Distinguisher:
    """Searches for calls by which oversights show.

    known: runs from genesis, whose last calls show what they show: that is not searched for.
    """

    def __init__(self, model: type[Machine], known: Sequence[Sequence[Call]]) -> None:
        self.model, self._machine = model, model.genesis()
        self._genesis = State(self._machine.flatten())
        self._open: dict[str, list[Twin]] = defaultdict(list)
        self._begins: dict[str, list[tuple[State, Call]]] = defaultdict(list)
        self._look_at("")
        for oversight in (each for several in oversights_of(model).values() for each in several):
            twin = Twin(model, oversight)
            for action in reaching(model, oversight.function.name) & actions_of(model).keys():
                self._open[action].append(twin)
        for *steps, last in known:
            self._look_at(last.action)
            at = self._run(self._genesis, steps)
            self._take(at, last)
            self._begins[last.action].append((at, last))
            for twins in self._open.values():
                twins[:] = [twin for twin in twins if twin not in self._shown]

    @property
    def open(self) -> list[Oversight]:
        """Those that no known run tells."""
        return list({id(twin): twin.oversight for twins in self._open.values() for twin in twins}.values())

    def actions(self) -> list[str]:
        """The actions in which some oversight is not told by known runs."""
        return [action for action, twins in self._open.items() if twins]

    def search(self, action: str, seed: int, steps: int) -> Told:
        """Take some steps at random, from genesis or from where known runs come to an action, and calls of it beside.

        One action at a time: an oversight that can never show would take the time of the others. What is found depends
        on no other search: it is the same in whichever process an action is searched.
        """
        draw, generator, done = random.Random(f"{seed} {action}"), Generator(self.model), 0
        begins = self._begins[action]
        self._look_at(action)
        while done < steps and self._asked:
            at, length = self._genesis, SEQUENCE_STEPS
            if begins and draw.random() < 0.5:
                at, length = draw.choice(begins)[0], STRETCH
            machine = self.model.genesis()
            machine.load(at.values)
            generator.start(draw.randbytes(START_BYTES))
            for number in range(length):
                if number % EVERY == 0:
                    self._beside(at, draw, generator)
                call, _ = generator.step(machine, at.values, draw.randbytes(STEP_BYTES))
                at = self._take(at, call) or at
                machine.load(at.values)
            done += length
        return [(self._fewer(twin, calls), twin.oversight) for twin, calls in self._shown.items()]

    # --- Running -----------------------------------------------------------------------------------------------------

    def _look_at(self, action: str) -> None:
        self._action, self._asked = action, list(self._open.get(action, ()))
        self._shown: dict[Twin, list[Call]] = {}

    def _take(self, at: State, call: Call) -> State | None:
        """The state after a call, None when it is refused; what a call of the action looked at shows is noted."""
        self._machine.load(at.values)
        outcome = self._machine.attempt(call, at.values)
        after = self._machine.flatten() if outcome.accepted else []
        asked = self._asked if call.action == self._action else []
        for twin in [twin for twin in asked if twin.differs(at.values, call, outcome, after)]:
            self._asked.remove(twin)
            self._shown[twin] = [*at.calls(), call]
        return State(after, call, at, at.depth + 1) if outcome.accepted else None

    def _run(self, at: State, calls: Sequence[Call]) -> State:
        """The state after some calls, up to the first that is refused."""
        for call in calls:
            after = self._take(at, call)
            if after is None:
                break
            at = after
        return at

    def _fewer(self, twin: Twin, calls: Sequence[Call]) -> Calls:
        def shows(values: list[Any], call: Call) -> bool:
            self._machine.load(values)
            outcome = self._machine.attempt(call, values)
            return twin.differs(values, call, outcome, self._machine.flatten() if outcome.accepted else [])

        return fewer(functools.partial(accepted, self._machine, self._genesis.values), calls, shows)

    # --- Where something flips ---------------------------------------------------------------------------------------

    def _beside(self, at: State, draw: random.Random, generator: Generator) -> None:
        """Take a call that could tell something, alone and after the world has moved, with amounts where it flips.

        In half of the cases the world has moved before, too: time has passed.
        """
        choices, begins = Choices(draw.randbytes(START_BYTES)), self._begins[self._action]
        again = begins and draw.random() < 0.5
        call = draw.choice(begins)[1] if again else generator.drawn_of(self._action, at.values, choices)
        world = generator.world_about(call, at.values, choices)
        if world and draw.random() < 0.5:
            at = self._run(at, [world])
            world = generator.world_about(call, at.values, choices)
        for calls in ([call], [world, call] if world else []):
            self._run(at, calls)
            amounts = amounts_of(self.model, calls[0])
            if amounts:
                name, number, _ = draw.choice(amounts)
                for place in self._places(at, calls, name, number, draw):
                    self._run(at, [calls[0].changed(name, place), *calls[1:]])

    def _places(self, at: State, calls: Sequence[Call], name: str, number: Number, draw: random.Random) -> list[int]:
        """Amounts at and beside which the model or an oversight decides otherwise, and between the two."""
        own = set(self._flips(self._machine, at, calls, name))
        places, twins = set(own), self._asked
        for twin in draw.sample(twins, min(ASKED, len(twins))):
            for place in self._flips(twin.machine, at, calls, name):
                nearest = min(own, key=lambda one: abs(one - place), default=place)
                places |= {place, (place + nearest) // 2}
        beside = sorted({p + d for p in places for d in (0, 1, -1) if number.low <= p + d <= number.high})
        return draw.sample(beside, min(PLACES, len(beside)))

    def _flips(self, machine: Machine, at: State, calls: Sequence[Call], name: str) -> Iterator[int]:
        machine.load(at.values)
        try:
            trail = follow(machine, calls, name, at.values)
        except Exception:  # an oversight need not be a model that can be run
            return
        yield from (threshold(calls[0].arguments[name], flip) for flip in trail.decisions)
