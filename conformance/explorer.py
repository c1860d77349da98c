"""What is known of a model's paths, from calls in states that calls before them reached."""

from __future__ import annotations

import contextlib
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marginspec.conformance.instrument import traced
from marginspec.conformance.recorder import REST, Choice, Event, Path, PathGap, Way, gaps
from marginspec.lockstep.generate import START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.thresholds import Flip, Trail, probed
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain

WITNESSES_PER_PATH = 3
"""Of each path, so many witnesses are remembered: the shortest, and others with other amounts."""

LOOKS_BEFORE_RARER = 8
"""How often it is looked whether a choice shows, before it is looked less often."""

STRETCH, LONG_STRETCH = 12, 200
"""Steps from one state before another is chosen; as many steps are taken in long stretches as in short ones."""

WITNESSES = 6
"""Of each beginning of a way, so many calls are remembered."""

LOOK_PASSES = 20_000
"""Of each call, what it may cost to look whether its choices show: where curves are reckoned, there are thousands."""

DEEP = 100
"""After so many calls nothing is begun from a state any more: what follows would take long to shorten."""

Place = tuple[str, int, tuple[Event, ...]]
"""The beginning of a way."""


class Spent(Exception):  # noqa: N818 - not an error
    """What a part of a search may cost is spent."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of a run, and the accepted calls that lead to it from genesis."""

    values: list[Any]
    last: Call | None = None
    before: State | None = None
    depth: int = 0

    def calls(self) -> list[Call]:
        """From genesis."""
        found: list[Call] = []
        at: State | None = self
        while at is not None and at.last is not None:
            found.append(at.last)
            at = at.before
        return found[::-1]


def amounts_of(model: type[Machine], call: Call) -> list[tuple[str, Number, int]]:
    """The arguments of a call that are numbers: name, meaning and value."""
    hints = actions_of(model)[call.action].arguments
    return [(n, h.__metadata__[0], call.arguments[n]) for n, h in hints.items() if plain(h) is int]


@dataclass(frozen=True, slots=True, eq=False)
class PathWitness:
    """A call in a state, and the paths that it takes. number: of the calls that were tried."""

    number: int
    state: State
    call: Call
    paths: Mapping[Path, None]
    outcome: Outcome

    def calls(self) -> list[Call]:
        """From genesis, the call itself last."""
        return [*self.state.calls(), self.call]


class Explorer:
    """What is known of a model's paths.

    found: witnesses of each, the shortest first. ways: of those. shown: choices that can be observed: had it been
    chosen otherwise, the outcome of the call would be another; each with how near it was, and a witness. limit: of the
    passes of the recorder, after which `take` raises `Spent`.
    """

    def __init__(self, model: type[Machine], seed: int) -> None:
        self.model, self.traced = model, traced(model)
        self.found: dict[Path, list[PathWitness]] = {}
        self.ways: set[Way] = set()
        self.shown: dict[Choice, tuple[int, PathWitness]] = {}
        self.number = 0
        self.limit: float = math.inf
        self.draw = random.Random(seed)
        self._machine, self._trial, self._probed = model.genesis(), self.traced.model.genesis(), model.genesis()
        self._generator = Generator(model)
        self.genesis = State(self._machine.flatten())
        self.pool = [self.genesis]
        self.hidden: Counter[Choice] = Counter()
        self.passing: dict[Place, list[PathWitness]] = defaultdict(list)

    def gaps(self) -> list[PathGap]:
        """What no call did yet."""
        return gaps(self.ways, self.traced.recorder)

    def states(self) -> list[list[Any]]:
        """States in which something was new, flattened."""
        return [state.values for state in self.pool]

    def news(self, since: int) -> list[list[Call]]:
        """The calls of the witnesses that are remembered, from a number on."""
        several = [*self.found.values(), [witness for _, witness in self.shown.values()]]
        found = {w.number: w for some in several for w in some if w.number >= since}
        return [found[number].calls() for number in sorted(found)]

    def reseeded(self, seed: int) -> Explorer:
        """The explorer, drawing from now on what another seed gives."""
        self.draw = random.Random(seed)
        return self

    def add(self, calls: Sequence[Call]) -> None:
        """Take note of the last of some calls from genesis, all others of which are accepted."""
        *steps, last = calls
        at, machine = self.genesis, self._machine
        machine.load(at.values)
        for call in steps:
            if not machine.apply(call, at.values).accepted:
                return
            at = State(machine.flatten(), call, at, at.depth + 1)
        self.take(at, last, closely=True)

    # --- Running -----------------------------------------------------------------------------------------------------

    def run(self, values: list[Any], call: Call) -> tuple[Outcome, dict[Path, None]]:
        """What comes of a call in a state, and its paths, in order."""
        self._trial.load(values)
        outcome = self.traced.run(self._trial, call)
        return outcome, self.traced.recorder.paths()

    def after(self) -> list[Any]:
        """The state after what was run last."""
        return self._trial.flatten()

    def shows(self, values: list[Any], call: Call, choice: Choice, outcome: Outcome, after: list[Any]) -> bool:
        """Whether a call would have had another outcome, had one thing been chosen otherwise."""
        self._trial.load(values)
        try:
            other = self.traced.run(self._trial, call, choice)
        except Exception:  # what the other choice leads into, the code does not allow for
            return True
        return other != outcome or (outcome.accepted and self._trial.flatten() != after)

    def take(self, at: State, call: Call, closely: bool = False) -> State | None:
        """The state after a call, None when it is refused; its paths and what it shows are taken note of.

        closely: look whether it shows what calls before it did not. Raises `Spent`.
        """
        recorder = self.traced.recorder
        if recorder.passes > self.limit:
            raise Spent
        outcome, paths = self.run(at.values, call)
        after = State(self._trial.flatten(), call, at, at.depth + 1) if outcome.accepted else None
        witness = PathWitness(self.number, at, call, paths, outcome)
        self.number += 1
        choices = list(recorder.choices())
        many = LOOK_PASSES // len(recorder.ended)
        if len(choices) > many:  # decisions before roundings, those that nothing is known of, near the action
            choices.sort(key=lambda c: (c[0][2] == REST, c[0] in self.shown, self.hidden[c[0]], len(c[0][0])))
        fresh = sum(self._keep(path, witness) for path in paths) > 0
        for choice, distance in choices[:many]:
            self._look(witness, after, choice, distance, closely)
        if fresh:
            if at.depth < DEEP:
                self.pool.append(after or at)
            self._pass(witness)
        elif self.draw.random() < 0.02:
            self._pass(witness)
        return after

    def _look(self, witness: PathWitness, after: State | None, choice: Choice, distance: int, closely: bool) -> None:
        """Remember a witness that shows a choice, if it was nearer than what is known."""
        known = self.shown.get(choice)
        if known is not None and (known[0] <= distance or witness.state.depth >= DEEP):
            return
        hidden = self.hidden[choice]
        if not closely and hidden > LOOKS_BEFORE_RARER and self.draw.random() * hidden > LOOKS_BEFORE_RARER:
            return
        values = [] if after is None else after.values
        if self.shows(witness.state.values, witness.call, choice, witness.outcome, values):
            self.shown[choice] = distance, witness
        else:
            self.hidden[choice] += 1

    def _keep(self, path: Path, witness: PathWitness) -> bool:
        """Remember a witness of a path if it is short; whether it is the first."""
        known = self.found.setdefault(path, [])
        if len(known) < WITNESSES_PER_PATH:
            known.append(witness)
        elif witness.state.depth < known[0].state.depth:
            known[-1] = witness
        else:
            return False
        known.sort(key=lambda w: w.state.depth)
        return len(known) == 1

    def _pass(self, witness: PathWitness) -> None:
        """Remember where a call passes."""
        recorder = self.traced.recorder
        for path in witness.paths:
            action, function, events = way = recorder.way(path)
            self.ways.add(way)
            for length in range(len(events)):
                passing = self.passing[action, function, events[:length]]
                if len(passing) < WITNESSES:
                    passing.append(witness)
                elif self.draw.random() < 0.1:
                    passing[self.draw.randrange(WITNESSES)] = witness

    def stroll(self, at: State, length: int) -> State:
        """The state after some steps drawn at random; what they do is taken note of."""
        machine, draw = self._machine, self.draw
        machine.load(at.values)
        machine.last, machine._before = None, None
        self._generator.start(draw.randbytes(START_BYTES))
        for _ in range(length):
            call, _outcome = self._generator.step(machine, at.values, draw.randbytes(STEP_BYTES))
            if all(number.low <= value <= number.high for _, number, value in amounts_of(self.model, call)):
                at = self.take(at, call) or at  # the generator may draw others
            machine.load(at.values)
        return at

    def within(self, passes: int, works: Sequence[Callable[[], object]]) -> None:
        """Do some works, each up to where it has cost its share of so many passes and what those before it left."""
        begin = self.traced.recorder.passes
        for done, work in enumerate(works, 1):
            self.limit = begin + passes * done // len(works)
            with contextlib.suppress(Spent):
                work()
        self.limit = math.inf

    def wander(self, steps: int) -> None:
        """Take steps at random, from states in which something was new."""
        pool, draw, done = self.pool, self.draw, 0
        while done < steps:
            place = max(draw.randrange(len(pool)), draw.randrange(len(pool))) if draw.random() < 0.85 else 0
            length = LONG_STRETCH if draw.random() < STRETCH / LONG_STRETCH else STRETCH
            self.stroll(pool[place], length)
            done += length

    # --- Amounts ------------------------------------------------------------------------------------------------------

    def probe(
        self,
        at: State,
        calls: Sequence[Call],
        name: str,
        watch: Callable[[int, int, tuple[Event, ...], list[Flip]], None],
    ) -> None:
        """Take calls, an argument of the first a probe; `watch` hears how each decision of the last depends on it."""
        trail, recorder = Trail(), self.traced.recorder
        first = probed(calls[0], name, trail)
        machine = self._trial
        machine.load(at.values)
        for call in [first, *calls[1:]][:-1]:
            if not machine.attempt(call, []).accepted:
                return
        heard = len(trail.decisions)

        def hear(place: int, spot: int, events: tuple[Event, ...], truth: bool) -> None:
            nonlocal heard
            watch(place, spot, events, trail.decisions[heard:])
            heard = len(trail.decisions)

        recorder.watch = hear
        try:
            self.traced.run(machine, first if len(calls) == 1 else calls[-1])
        finally:
            recorder.watch = None
