"""From what is known of paths to few, short vectors: every path, every choice that can be observed, every boundary."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marginspec.conformance.explorer import Explorer, PathWitness, State, amounts_of
from marginspec.conformance.recorder import Chain, Choice, Event, Path, is_whole
from marginspec.lockstep.thresholds import Flip, threshold
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain

BACK = 3
"""How many calls before the last one may have an amount moved to a boundary."""

TURNS = 6
"""Of each action, so many calls are tried right before another one."""

ENDS = 3
"""Of each action, so many calls are tried at each end of the world."""

HIDDEN = 6
"""How many boundaries of a decision are looked at that cannot be observed, before one of those is taken."""

Decision = tuple[Chain, int]
"""A place and the spot of a decision there."""

Calls = tuple[Call, ...]


@dataclass(frozen=True)
class Goal:
    """What a vector is chosen for: paths, and choices that it shows, each with how near it must be."""

    paths: frozenset[Path]
    choices: Mapping[Choice, int]


@dataclass(frozen=True)
class Chosen:
    """Calls from genesis, the last of which is what matters.

    decision, side: for one at a boundary, the spot of the decision and how far from the boundary the amount is.
    after: for a call that must not mind it, the action right before.
    """

    calls: Calls
    decision: int | None = None
    side: int = 0
    after: str | None = None


Taken = Callable[[Iterable[Call]], tuple[list[Call], list[Any]]]
"""Those of some steps that are accepted from genesis, and the state after them, flattened."""


def accepted(machine: Machine, genesis: list[Any], steps: Iterable[Call]) -> tuple[list[Call], list[Any]]:
    """Those of some steps that are accepted from genesis, and the state after them, flattened."""
    values, taken = genesis, list[Call]()
    machine.load(values)
    for call in steps:
        if machine.apply(call, values).accepted:
            values = machine.flatten()
            taken.append(call)
    return taken, values


def fewer(taken: Taken, calls: Sequence[Call], shows: Callable[[list[Any], Call], bool]) -> Calls:
    """Fewer calls, all but the last accepted, of which the last still shows something. shows: in a state, flattened."""
    *steps, last = calls
    for action in dict.fromkeys(step.action for step in steps):  # most of a long run is of kinds that do not matter
        left, values = taken(step for step in steps if step.action != action)
        if shows(values, last):
            steps = left
    size = max(len(steps) // 2, 1)
    while size > 0:
        at = len(steps) - size
        while at >= 0:
            left, values = taken([*steps[:at], *steps[at + size :]])
            if shows(values, last):
                steps = left
            at = min(at, len(steps)) - size
        size //= 2
    return (*steps, last)


class Selector:
    """Chooses among what an explorer knows."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._machine: Machine = explorer.model.genesis()

    # --- Few ---------------------------------------------------------------------------------------------------------

    def goals(self, action: str) -> list[tuple[PathWitness, Goal]]:
        """Witnesses that together take every path of an action and show every choice, each with what it is for."""
        recorder, found = self._explorer.traced.recorder, self._explorer.found
        choices: dict[int, dict[Choice, int]] = defaultdict(dict)
        witnesses: dict[int, PathWitness] = {}
        for choice, (distance, witness) in self._explorer.shown.items():
            if witness.call.action != action:
                continue
            choices[witness.number][choice] = distance
            witnesses[witness.number] = witness
        left = {path for path in found if is_whole(way := recorder.way(path)) and way[0] == action}
        chosen = []
        for key, witness in witnesses.items():
            chosen.append((witness, Goal(frozenset(witness.paths.keys() & left), choices[key])))
            left -= witness.paths.keys()
        return chosen + [(witness, Goal(goal, {})) for witness, goal in self._cover(left)]

    def _cover(self, left: set[Path]) -> Iterator[tuple[PathWitness, frozenset[Path]]]:
        """Few witnesses that take some paths."""
        witnesses = {w.number: w for path in self._explorer.found if path in left for w in self._explorer.found[path]}
        # What a witness is worth only ever falls: it is looked at again when it comes to the top.
        queue = [(float("-inf"), number, witness) for number, witness in enumerate(witnesses.values())]
        while left:
            was, number, witness = heapq.heappop(queue)
            goal = frozenset(witness.paths.keys() & left)
            now = -len(goal) / (witness.state.depth + 3)
            if was == now:
                yield witness, goal
                left -= goal
            elif goal:
                heapq.heappush(queue, (now, number, witness))

    # --- Short -------------------------------------------------------------------------------------------------------

    def shortened(self, calls: Sequence[Call], goal: Goal) -> Calls:
        """Fewer calls, all but the last accepted, of which the last still reaches a goal."""
        return fewer(self._taken, calls, lambda values, last: self._reaches(values, last, goal))

    def _reaches(self, values: list[Any], call: Call, goal: Goal) -> bool:
        explorer, recorder = self._explorer, self._explorer.traced.recorder
        outcome, paths = explorer.run(values, call)
        if not goal.paths <= paths.keys():
            return False
        if not goal.choices:
            return True
        after = explorer.after()
        now = dict(recorder.choices())
        return all(
            choice in now and now[choice] <= distance and explorer.shows(values, call, choice, outcome, after)
            for choice, distance in goal.choices.items()
        )

    def _taken(self, steps: Iterable[Call]) -> tuple[list[Call], list[Any]]:
        return accepted(self._machine, self._explorer.genesis.values, steps)

    # --- At the boundary ---------------------------------------------------------------------------------------------

    def boundaries(self, chosen: Sequence[Calls]) -> Iterator[Chosen]:
        """For each decision that an amount flips: at the boundary and one unit to each side.

        The amount is one of the call itself, preferably, or of a call shortly before it; the decision one that can be
        observed there, preferably.
        """
        done: set[Decision] = set()
        hidden: dict[Decision, list[Chosen]] = {}
        misses: Counter[Decision] = Counter()
        for back in range(BACK + 1):
            for calls in sorted(chosen, key=len):
                if len(calls) <= back:
                    continue
                for decision, triple, shown in self._around(calls, len(calls) - 1 - back, done):
                    misses[decision] += 1
                    if shown:
                        yield from triple
                    else:
                        hidden.setdefault(decision, triple)
                    if shown or misses[decision] == HIDDEN:
                        done.add(decision)
        for decision, triple in hidden.items():
            if decision not in done or misses[decision] >= HIDDEN:
                yield from triple

    def _around(self, calls: Calls, at: int, done: set[Decision]) -> Iterator[tuple[Decision, list[Chosen], bool]]:
        """The boundaries of decisions not yet done in an amount of one of some calls, and whether they can be seen."""
        explorer = self._explorer
        state = State(self._taken(calls[:at])[1])
        for name, number, value in amounts_of(explorer.model, calls[at]):
            for decision, flips in self._flips(state, calls[at:], name).items():
                for place in sorted({threshold(value, flip) for flip in flips}, key=lambda place: abs(place - value)):
                    if decision in done or not number.low <= place <= number.high:
                        continue
                    moved = {
                        v: (*calls[:at], calls[at].changed(name, v), *calls[at + 1 :])
                        for v in range(max(place - 2, number.low), min(place + 2, number.high) + 1)
                    }
                    if found := self._triple(moved, place, decision):
                        yield decision, *found
                        break

    def _flips(self, state: State, calls: Sequence[Call], name: str) -> dict[Decision, list[Flip]]:
        """By how much each decision of the last call misses its boundary, and how that depends on an amount."""
        found: dict[Decision, list[Flip]] = {}
        chain = self._explorer.traced.recorder.chain

        def watch(place: int, spot: int, events: tuple[Event, ...], flips: list[Flip]) -> None:
            if flips:
                found.setdefault((chain(place), spot), []).extend(flips)

        self._explorer.probe(state, calls, name, watch)
        return found

    def _triple(self, moved: Mapping[int, Calls], place: int, decision: Decision) -> tuple[list[Chosen], bool] | None:
        """Calls with an amount at the boundary and beside it; whether the decision can be seen on both of its sides."""
        decided: dict[int, bool] = {}
        shown: dict[int, bool] = {}
        chain, spot = decision
        for value, calls in moved.items():
            taken, values = self._taken(calls[:-1])
            if len(taken) < len(calls) - 1:
                continue
            outcome, _ = self._explorer.run(values, calls[-1])
            after = self._explorer.after()
            how = [c for c, _ in self._explorer.traced.recorder.choices() if c[:2] == (chain, spot)]
            if len(how) == 1:
                decided[value] = how[0][2] is True
                shown[value] = self._explorer.shows(values, calls[-1], how[0], outcome, after)
        edges = [v for v in decided if v + 1 in decided and decided[v] != decided[v + 1]]
        if not edges:
            return None
        edge = min(edges, key=lambda v: abs(v - place))
        centre = edge if abs(edge - place) <= abs(edge + 1 - place) else edge + 1
        triple = [Chosen(moved[centre + s], spot, s) for s in (-1, 0, 1) if centre + s in decided]
        return triple, shown[edge] and shown[edge + 1]

    # --- After what must not matter ----------------------------------------------------------------------------------

    def undisturbed(self, chosen: Sequence[Calls]) -> Iterator[Chosen]:
        """Accepted calls of each action right after each other action, and after each extreme of the world."""
        accepted = [calls for calls in sorted(chosen, key=len) if len(self._taken(calls)[0]) == len(calls)]
        others: dict[tuple[Any, ...], list[Call]] = defaultdict(list)
        for *_, last in accepted:
            others[last.action, *(v for v in last.arguments.values() if isinstance(v, bool))].append(last)
        done: Counter[tuple[Any, ...]] = Counter()
        for *steps, last in accepted:
            if actions_of(self._explorer.model)[last.action].environment:
                continue
            taken, values = self._taken(steps)
            turns = [(key, call) for key, calls in others.items() for call in calls[:TURNS]]
            for enough, key, turn in [*((1, *turn) for turn in turns), *((ENDS, *end) for end in self._ends(last))]:
                if done[last.action, *key] < enough and turn != last and self._both(values, turn, last):
                    done[last.action, *key] += 1
                    yield Chosen((*taken, turn, last), after=turn.action)

    def _ends(self, last: Call) -> Iterator[tuple[tuple[Any, ...], Call]]:
        """The world's actions on what a call concerns, one number of each at an end of its range."""
        model = self._explorer.model
        hints = actions_of(model)[last.action].arguments
        concerned = {plain(hint): last.arguments[argument] for argument, hint in reversed(hints.items())}
        for info in actions_of(model).values():
            if not info.environment:
                continue
            arguments: dict[str, Any] = {}
            for name, hint in info.arguments.items():
                kind = plain(hint)
                options = (False, True) if kind is bool else () if kind is int else model.universe[kind]
                named = [one for one in (concerned.get(kind), *last.arguments.values()) if one in options]
                arguments[name] = hint.__metadata__[0].low if kind is int else named[0] if named else options[0]
            for name, hint in info.arguments.items():
                if plain(hint) is int:
                    for end in (hint.__metadata__[0].low, hint.__metadata__[0].high):
                        yield (info.name, name, end), Call(info.name, {**arguments, name: end})

    def _both(self, values: list[Any], turn: Call, last: Call) -> bool:
        """Whether both calls are accepted, one after the other."""
        self._machine.load(values)
        return self._machine.apply(turn, values).accepted and self._machine.apply(last).accepted
