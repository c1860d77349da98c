"""Calls led to what no call did yet: amounts are moved to where a decision flips, and calls put before others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from marginspec.conformance.explorer import Explorer, PathWitness, State, amounts_of
from marginspec.conformance.recorder import REST, Chain, Event, PathGap
from marginspec.conformance.vary import Variations
from marginspec.lockstep.thresholds import Flip, threshold
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.model.kernel.numbers import Number

FAR = 1 << 512
"""How near a choice was that was not shown."""

BACK = 4
"""How many calls before the last one may have an amount moved."""

LONGEST_CYCLE, LAPS = 4, 400
"""How many calls are taken again and again to come nearer to where a decision flips, and how often."""

NEWTON, PLACES = 4, 4
"""How often the place where a decision flips is corrected, and how many of them are tried."""

IsMeant = Callable[[int, int, tuple[Event, ...]], bool]
"""Whether a decision is the one looked for: place, spot, what happened before on its pass."""


class Aimer:
    """Takes calls that tell an explorer what it does not know yet."""

    def __init__(self, known: Explorer) -> None:
        self._known, self._end = known, 0
        self._calls = Variations(known.model, known.draw)

    def aim(self, gap: PathGap, effort: int) -> None:
        """Try to close a gap, from calls that come as far as it. effort: about how many calls to take at most."""
        recorder, self._end = self._known.traced.recorder, self._known.number + effort
        closed = gap.action, gap.function, (*gap.before, gap.event)

        def is_meant(place: int, spot: int, events: tuple[Event, ...]) -> bool:
            here = spot == gap.event[0] and events == gap.before
            return here and recorder.region(recorder.chain(place)) == gap.function

        passing = list(self._known.passing.get((gap.action, gap.function, gap.before), ()))
        self.borrow(gap)
        for witness in passing:
            if gap.event[0] >= 0 and not self._known.passing.get(closed):
                self._move(witness, is_meant)
                self._near(witness, gap)
                self._insert(witness, is_meant)
        while passing and self._known.number < self._end and not self._known.passing.get(closed):
            self._vary(self._known.draw.choice(passing))

    def borrow(self, gap: PathGap) -> None:
        """Take an action where another did what is missing of it."""
        passing = list(self._known.passing.get((gap.action, gap.function, gap.before), ()))
        for action in actions_of(self._known.model):
            for other in list(self._known.passing.get((action, gap.function, (*gap.before, gap.event)), ())):
                for witness in passing:
                    self._known.take(other.state, witness.call)
                    self._known.take(other.state, self._calls.like(witness.call, other.call, 1.0))

    def _near(self, witness: PathWitness, gap: PathGap) -> None:
        """Take the last calls again and again, as long as what they compare comes nearer to where it flips."""
        spot, meant = gap.event
        for length in range(2, 2 * LONGEST_CYCLE + 2):
            cycle, at, distance = witness.calls()[-(length // 2) :], witness.state, FAR
            if length % 2:  # with another start: in equal steps a number may meet the place where it flips, or never
                for call in cycle:
                    at = self._known.take(at, self._calls.spoilt(call)) or at
            for _ in range(LAPS):
                if self._known.number > self._end:
                    return
                for call in cycle:
                    after = self._known.take(at, call)
                    if after is None:
                        break
                    at = after
                choices = self._known.traced.recorder.choices()
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
            after = self._known.take(at, call)
            at = after or at

    def _vary(self, witness: PathWitness) -> None:
        """The same call after some other calls, or with another argument."""
        draw = self._known.draw
        back = draw.choice((0, 0, 1, 2, 4, 8))
        again = witness.state.calls()[-back:] if back else []
        at: State = witness.state
        if draw.random() < 0.3:
            at = draw.choice(self._known.pool)
        else:
            for _ in again:
                assert at.before is not None
                at = at.before
        if draw.random() < 0.5:
            at = self._known.stroll(at, draw.choice((0, 1, 1, 2, 3)))
        else:
            for _ in range(draw.choice((1, 1, 2))):
                at = self._known.take(at, self._calls.any(witness.call)) or at
        for call in again:
            at = self._known.take(at, self._calls.spoilt(call) if draw.random() < 0.1 else call) or at
        self._known.take(at, self._calls.spoilt(witness.call) if draw.random() < 0.4 else witness.call)

    def blunt(self) -> list[tuple[Chain, int]]:
        """Decisions on numbers, of which it is not shown what they do one unit to each side of where they flip."""
        nearest: dict[tuple[Chain, int], dict[bool | str, int]] = defaultdict(dict)
        for choice in {**self._known.shown, **self._known.hidden}:
            chain, spot, how = choice
            if how != REST and self._compares(spot):
                nearest[chain, spot][how] = self._known.shown[choice][0] if choice in self._known.shown else FAR
        return [d for d, known in nearest.items() if sum(known.values()) > 1 or len(known) < 2]

    def _compares(self, spot: int) -> bool:
        """Whether a decision compares numbers, by more than whether they are equal."""
        text = self._known.traced.recorder.spots[spot].text
        return any(sign in text for sign in (" < ", " <= ", " > ", " >= ", "min(", "max("))

    def sharpen(self, chain: Chain, spot: int) -> None:
        """Move amounts to where a decision at a place flips, in calls that come to it in different ways."""
        recorder = self._known.traced.recorder
        passing = [
            witnesses[0]
            for (place, events), witnesses in self._known.found.items()
            if place == chain and any(event[0] == spot for event in events)
        ]
        passing += [self._known.shown[c][1] for how in (False, True) if (c := (chain, spot, how)) in self._known.shown]
        for witness in {w.number: w for w in passing}.values():
            self._move(witness, lambda place, at, events: at == spot and recorder.chain(place) == chain)

    def _insert(self, witness: PathWitness, is_meant: IsMeant) -> None:
        """Take a call of each action before one of the last calls, and move its amounts."""
        calls, at = [witness.call], witness.state
        for _ in range(BACK):
            for action in actions_of(self._known.model):
                if self._known.number > self._end:
                    return
                more = self._calls.like(self._calls.any(witness.call, action), witness.call, 1.0)
                then = self._known.take(at, more)
                for call in calls[:-1]:
                    then = then and self._known.take(then, call)
                if then is not None:
                    self._known.take(then, witness.call)
                    self._move(PathWitness(0, then, witness.call, {}, witness.outcome), is_meant, len(calls))
            if at.last is None or at.before is None:
                return
            calls, at = [at.last, *calls], at.before

    def _move(self, witness: PathWitness, is_meant: IsMeant, back: int = 0) -> None:
        """Move an amount in one of the last calls of a witness to where a decision flips. back: only in the one so far.

        0: in any of them.
        """
        calls = [witness.call]
        at: State | None = witness.state
        for distance in range(max(BACK, back + 1)):
            assert at is not None
            for name, number, value in amounts_of(self._known.model, calls[0]) if back in (0, distance) else ():
                for place in self._places(at, calls, name, number, value, is_meant):
                    self._again(witness.state, [calls[0].changed(name, place), *calls[1:]])
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
                for flip in self._flips(at, [calls[0].changed(name, v), *calls[1:]], name, is_meant)
            ]
            places = {min(max(threshold(v, flip), number.low), number.high) for v, flip in flips}
            fresh = set(sorted(places - found)[:PLACES])
            found |= fresh
            if not fresh or len(found) >= PLACES:
                break
        return sorted({p + d for p in found for d in (0, 1, -1) if number.low <= p + d <= number.high})

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

        self._known.probe(at, calls, name, watch)
        return found
