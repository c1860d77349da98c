"""Calls that take paths: a model is run from states that were reached before, and led to what no call did yet."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marginspec.differential.boundary import Flip, Probe, Trail, threshold
from marginspec.differential.generate import START_BYTES, STEP_BYTES, Generator
from marginspec.differential.instrument import traced
from marginspec.differential.paths import REST, Chain, Choice, Event, Gap, Path, Way, gaps
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain

KEPT = 3
"""Of each path, so many witnesses are remembered: the shortest, and others with other amounts."""

PATIENCE = 8
"""How often it is looked whether a choice shows, before it is looked less often."""

STRETCH, LONG_STRETCH = 12, 200
"""Steps from one state before another is chosen; as many steps are taken in long stretches as in short ones."""

WITNESSES = 6
"""Of each beginning of a way, so many calls are remembered."""

FAR = 1 << 512
"""How near a choice was that was not shown."""

BACK = 4
"""How many calls before the last one may have an amount moved."""

LONGEST_CYCLE, LAPS = 4, 400
"""How many calls are taken again and again to come nearer to where a decision flips, and how often."""

DEEP = 100
"""After so many calls nothing is begun from a state any more: what follows would take long to shorten."""

NEWTON, PLACES = 4, 4
"""How often the place where a decision flips is corrected, and how many of them are tried."""

Place = tuple[str, int, tuple[Event, ...]]
"""The beginning of a way."""

IsMeant = Callable[[int, int, tuple[Event, ...]], bool]
"""Whether a decision is the one looked for: place, spot, what happened before on its pass."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
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
    chosen otherwise, the outcome of the call would be another; each with how near it was, and a witness.
    """

    def __init__(self, model: type[Machine], seed: int) -> None:
        self.model, self.traced = model, traced(model)
        self.found: dict[Path, list[Witness]] = {}
        self.ways: set[Way] = set()
        self.shown: dict[Choice, tuple[int, Witness]] = {}
        self.number = self._end = 0
        self._draw = random.Random(seed)
        self._machine, self._trial, self._probed = model.genesis(), self.traced.model.genesis(), model.genesis()
        self._generator = Generator(model)
        self.genesis = State(self._machine.flatten())
        self._pool = [self.genesis]
        self._hidden: Counter[Choice] = Counter()
        self._passing: dict[Place, list[Witness]] = defaultdict(list)

    def gaps(self) -> list[Gap]:
        """What no call did yet."""
        return gaps(self.ways, self.traced.recorder)

    def states(self) -> list[list[Any]]:
        """States in which something was new, flattened."""
        return [state.values for state in self._pool]

    def news(self, since: int) -> list[list[Call]]:
        """The calls of the witnesses that are remembered, from a number on."""
        several = [*self.found.values(), [witness for _, witness in self.shown.values()]]
        found = {w.number: w for some in several for w in some if w.number >= since}
        return [found[number].calls() for number in sorted(found)]

    def reseeded(self, seed: int) -> Explorer:
        """The explorer, drawing from now on what another seed gives."""
        self._draw = random.Random(seed)
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
        self._taken(at, last, closely=True)

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

    def _taken(self, at: State, call: Call, closely: bool = False) -> State | None:
        """The state after a call, None when it is refused; its paths and what it shows are taken note of.

        closely: look whether it shows what calls before it did not.
        """
        outcome, paths = self.run(at.values, call)
        after = State(self._trial.flatten(), call, at, at.depth + 1) if outcome.accepted else None
        witness = Witness(self.number, at, call, paths, outcome)
        self.number += 1
        choices = list(self.traced.recorder.choices())
        fresh = sum(self._keep(path, witness) for path in paths) > 0
        for choice, distance in choices:
            self._look(witness, after, choice, distance, closely)
        if fresh:
            if at.depth < DEEP:
                self._pool.append(after or at)
            self._pass(witness)
        elif self._draw.random() < 0.02:
            self._pass(witness)
        return after

    def _look(self, witness: Witness, after: State | None, choice: Choice, distance: int, closely: bool) -> None:
        """Remember a witness that shows a choice, if it was nearer than what is known."""
        known = self.shown.get(choice)
        if known is not None and (known[0] <= distance or witness.state.depth >= DEEP):
            return
        hidden = self._hidden[choice]
        if not closely and hidden > PATIENCE and self._draw.random() * hidden > PATIENCE:
            return
        values = [] if after is None else after.values
        if self.shows(witness.state.values, witness.call, choice, witness.outcome, values):
            self.shown[choice] = distance, witness
        else:
            self._hidden[choice] += 1

    def _keep(self, path: Path, witness: Witness) -> bool:
        """Remember a witness of a path if it is short; whether it is the first."""
        known = self.found.setdefault(path, [])
        if len(known) < KEPT:
            known.append(witness)
        elif witness.state.depth < known[0].state.depth:
            known[-1] = witness
        else:
            return False
        known.sort(key=lambda w: w.state.depth)
        return len(known) == 1

    def _pass(self, witness: Witness) -> None:
        """Remember where a call passes."""
        recorder = self.traced.recorder
        for path in witness.paths:
            action, function, events = way = recorder.way(path)
            self.ways.add(way)
            for length in range(len(events)):
                passing = self._passing[action, function, events[:length]]
                if len(passing) < WITNESSES:
                    passing.append(witness)
                elif self._draw.random() < 0.1:
                    passing[self._draw.randrange(WITNESSES)] = witness

    def _steps(self, at: State, length: int) -> State:
        """The state after some steps drawn at random; what they do is taken note of."""
        machine, draw = self._machine, self._draw
        machine.load(at.values)
        machine.last, machine._before = None, None
        self._generator.start(draw.randbytes(START_BYTES))
        for _ in range(length):
            call, _outcome = self._generator.step(machine, at.values, draw.randbytes(STEP_BYTES))
            if all(number.low <= value <= number.high for _, number, value in self.amounts(call)):
                at = self._taken(at, call) or at  # the generator may draw others
            machine.load(at.values)
        return at

    def wander(self, steps: int) -> None:
        """Take steps at random, from states in which something was new."""
        pool, draw, done = self._pool, self._draw, 0
        while done < steps:
            place = max(draw.randrange(len(pool)), draw.randrange(len(pool))) if draw.random() < 0.85 else 0
            length = LONG_STRETCH if draw.random() < STRETCH / LONG_STRETCH else STRETCH
            self._steps(pool[place], length)
            done += length

    # --- Aiming ------------------------------------------------------------------------------------------------------

    def aim(self, gap: Gap, effort: int) -> None:
        """Try to close a gap, from calls that come as far as it. effort: about how many calls to take at most."""
        recorder, self._end = self.traced.recorder, self.number + effort
        closed = gap.action, gap.function, (*gap.before, gap.event)

        def is_meant(place: int, spot: int, events: tuple[Event, ...]) -> bool:
            here = spot == gap.event[0] and events == gap.before
            return here and recorder.region(recorder.chain(place)) == gap.function

        passing = list(self._passing.get((gap.action, gap.function, gap.before), ()))
        self.borrow(gap)
        for witness in passing:
            if gap.event[0] >= 0 and not self._passing.get(closed):
                self._move(witness, is_meant)
                self._near(witness, gap)
                self._insert(witness, is_meant)
        while passing and self.number < self._end and not self._passing.get(closed):
            self._vary(self._draw.choice(passing))

    def borrow(self, gap: Gap) -> None:
        """Take an action where another did what is missing of it."""
        passing = list(self._passing.get((gap.action, gap.function, gap.before), ()))
        for action in actions_of(self.model):
            for other in list(self._passing.get((action, gap.function, (*gap.before, gap.event)), ())):
                for witness in passing:
                    self._taken(other.state, witness.call)
                    self._taken(other.state, self._like(witness.call, other.call, 1.0))

    def _near(self, witness: Witness, gap: Gap) -> None:
        """Take the last calls again and again, as long as what they compare comes nearer to where it flips."""
        spot, meant = gap.event
        for length in range(2, 2 * LONGEST_CYCLE + 2):
            cycle, at, distance = witness.calls()[-(length // 2) :], witness.state, FAR
            if length % 2:  # with another start: in equal steps a number may meet the place where it flips, or never
                for call in cycle:
                    at = self._taken(at, self._spoilt(call)) or at
            for _ in range(LAPS):
                if self.number > self._end:
                    return
                for call in cycle:
                    after = self._taken(at, call)
                    if after is None:
                        break
                    at = after
                choices = self.traced.recorder.choices()
                now = min(
                    (d for (_, at_spot, how), d in choices if at_spot == spot and how is not meant), default=distance
                )
                if after is None or now >= distance:
                    break
                distance = now

    def _again(self, at: State, calls: Sequence[Call]) -> None:
        """Take calls instead of the last ones that led to a state, and one more."""
        for _ in range(len(calls) - 1):
            assert at.before is not None
            at = at.before
        for call in calls:
            after = self._taken(at, call)
            at = after or at

    def _vary(self, witness: Witness) -> None:
        """The same call after some other calls, or with another argument."""
        draw = self._draw
        back = draw.choice((0, 0, 1, 2, 4, 8))
        again = witness.state.calls()[-back:] if back else []
        at: State = witness.state
        if draw.random() < 0.3:
            at = draw.choice(self._pool)
        else:
            for _ in again:
                assert at.before is not None
                at = at.before
        if draw.random() < 0.5:
            at = self._steps(at, draw.choice((0, 1, 1, 2, 3)))
        else:
            for _ in range(draw.choice((1, 1, 2))):
                at = self._taken(at, self._any(witness.call)) or at
        for call in again:
            at = self._taken(at, self._spoilt(call) if draw.random() < 0.1 else call) or at
        self._taken(at, self._spoilt(witness.call) if draw.random() < 0.4 else witness.call)

    def _any(self, near: Call, action: str | None = None) -> Call:
        """A call of any action, or of one, often about what another call is about."""
        name = action or self._draw.choice(list(actions_of(self.model)))
        hints = actions_of(self.model)[name].arguments
        return self._like(Call(name, {n: self._argument(hint) for n, hint in hints.items()}), near, 0.6)

    def _argument(self, hint: Any) -> Any:
        kind = plain(hint)
        if kind is int:
            number = hint.__metadata__[0]
            return self._draw.choice((number.low, number.high, *number.typical))
        return self._draw.choice((False, True) if kind is bool else self.model.universe[kind])

    def _like(self, call: Call, other: Call, often: float) -> Call:
        """A call with identifiers of another one, of those that may stand in the same place."""
        infos, arguments = actions_of(self.model), dict(call.arguments)
        given = {plain(hint): other.arguments[name] for name, hint in reversed(infos[other.action].arguments.items())}
        for name, hint in infos[call.action].arguments.items():
            kind = plain(hint)
            options = () if kind in (int, bool) else self.model.universe[kind]
            fitting = [one for one in (given.get(kind), *given.values()) if one in options]
            if fitting and self._draw.random() < often:
                arguments[name] = fitting[0] if often == 1 else self._draw.choice(fitting)
        return Call(call.action, arguments)

    def _spoilt(self, call: Call) -> Call:
        """The call with another argument."""
        draw = self._draw
        name, hint = draw.choice(list(actions_of(self.model)[call.action].arguments.items()) or [("", None)])
        if not name:
            return call
        kind = plain(hint)
        if kind is bool:
            value: Any = not call.arguments[name]
        elif kind is int:
            number, old = hint.__metadata__[0], call.arguments[name]
            near = (0, 1, old + 1, old - 1, old * 2, old // 2, number.high, *number.typical)
            value = min(max(draw.choice(near), number.low), number.high)
        else:
            value = draw.choice(self.model.universe[kind])
        return Call(call.action, {**call.arguments, name: value})

    def blunt(self) -> list[tuple[Chain, int]]:
        """Decisions on numbers, of which it is not shown what they do one unit to each side of where they flip."""
        nearest: dict[tuple[Chain, int], dict[bool | str, int]] = defaultdict(dict)
        for choice in {**self.shown, **self._hidden}:
            chain, spot, how = choice
            if how != REST and self._compares(spot):
                nearest[chain, spot][how] = self.shown[choice][0] if choice in self.shown else FAR
        return [d for d, known in nearest.items() if sum(known.values()) > 1 or len(known) < 2]

    def _compares(self, spot: int) -> bool:
        """Whether a decision compares numbers, by more than whether they are equal."""
        text = self.traced.recorder.spots[spot].text
        return any(sign in text for sign in (" < ", " <= ", " > ", " >= ", "min(", "max("))

    def sharpen(self, chain: Chain, spot: int) -> None:
        """Move amounts to where a decision at a place flips, in calls that come to it in different ways."""
        recorder = self.traced.recorder
        passing = [
            witnesses[0]
            for (place, events), witnesses in self.found.items()
            if place == chain and any(event[0] == spot for event in events)
        ]
        passing += [self.shown[c][1] for how in (False, True) if (c := (chain, spot, how)) in self.shown]
        for witness in {w.number: w for w in passing}.values():
            self._move(witness, lambda place, at, events: at == spot and recorder.chain(place) == chain)

    def _insert(self, witness: Witness, is_meant: IsMeant) -> None:
        """Take a call of each action before one of the last calls, and move its amounts."""
        calls, at = [witness.call], witness.state
        for _ in range(BACK):
            for action in actions_of(self.model):
                if self.number > self._end:
                    return
                more = self._like(self._any(witness.call, action), witness.call, 1.0)
                then = self._taken(at, more)
                for call in calls[:-1]:
                    then = then and self._taken(then, call)
                if then is not None:
                    self._taken(then, witness.call)
                    self._move(Witness(0, then, witness.call, {}, witness.outcome), is_meant, len(calls))
            if at.last is None or at.before is None:
                return
            calls, at = [at.last, *calls], at.before

    def _move(self, witness: Witness, is_meant: IsMeant, back: int = 0) -> None:
        """Move an amount in one of the last calls of a witness to where a decision flips. back: only in the one so far.

        0: in any of them.
        """
        calls = [witness.call]
        at: State | None = witness.state
        for distance in range(max(BACK, back + 1)):
            assert at is not None
            for name, number, value in self.amounts(calls[0]) if back in (0, distance) else ():
                for place in self._places(at, calls, name, number, value, is_meant):
                    self._again(witness.state, [_with(calls[0], name, place), *calls[1:]])
            if at.last is None:
                return
            calls, at = [at.last, *calls], at.before

    def _places(
        self, at: State, calls: Sequence[Call], name: str, number: Number, value: int, is_meant: IsMeant
    ) -> list[int]:
        """Amounts at which a decision flips and beside them, by Newton's method where it is no straight line."""
        found: set[int] = set()
        fresh = {value}
        for _ in range(NEWTON):
            flips = [
                (v, flip)
                for v in fresh
                for flip in self._flips(at, [_with(calls[0], name, v), *calls[1:]], name, is_meant)
            ]
            places = {min(max(threshold(v, flip), number.low), number.high) for v, flip in flips}
            fresh = set(sorted(places - found)[:PLACES])
            found |= fresh
            if not fresh or len(found) >= PLACES:
                break
        return sorted({p + d for p in found for d in (0, 1, -1) if number.low <= p + d <= number.high})

    def amounts(self, call: Call) -> list[tuple[str, Any, int]]:
        """The arguments of a call that are numbers: name, meaning and value."""
        hints = actions_of(self.model)[call.action].arguments
        return [(n, h.__metadata__[0], call.arguments[n]) for n, h in hints.items() if plain(h) is int]

    def _flips(
        self,
        at: State,
        calls: Sequence[Call],
        name: str,
        is_meant: IsMeant,
    ) -> list[Flip]:
        found = list[Flip]()

        def watch(place: int, spot: int, events: tuple[Event, ...], flips: list[Flip]) -> None:
            if flips and is_meant(place, spot, events):
                found.extend(flips)

        self.probe(at, calls, name, watch)
        return found

    def probe(
        self,
        at: State,
        calls: Sequence[Call],
        name: str,
        watch: Callable[[int, int, tuple[Event, ...], list[Flip]], None],
    ) -> None:
        """Take calls, an argument of the first a probe; `watch` hears how each decision of the last depends on it."""
        trail, recorder = Trail(), self.traced.recorder
        first = Call(calls[0].action, {**calls[0].arguments, name: Probe(calls[0].arguments[name], 1 << 160, trail)})
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


def _with(call: Call, name: str, value: int) -> Call:
    return Call(call.action, {**call.arguments, name: value})
