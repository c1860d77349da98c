"""Which way the code of a model went: a copy of the model that tells what it decides.

A *decision* is a comparison, another truth that the code asks for, or which argument `min` or `max` takes. A *way* is
one pass through the text of one function: what it decided itself, which functions it called, and how it ended. The body
of a loop is a function of its own, of which each round is a pass. So loops are cut, and there are finitely many ways.
A *path* is a way at a place: an action, and the calls and loops in its text that lead to the function.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected

Event = tuple[int, Any]
"""What happened on a way: the number of a spot in the text and, of a decision, how it was decided."""

RETURNED, REFUSED, LEFT = (-1, "returned"), (-1, "refused"), (-1, "left")
"""How a way ends. Left: a round of a loop after which there was no other, for whatever reason."""

CALLED, LOOPED, REFUSES, LEAVES, REST = "called", "looped", "refuses", "leaves", "rest"


@dataclass(frozen=True)
class Spot:
    """Something in the text of a model that a way can tell of.

    kind: function, decision, call, loop, division, refusal or return. function: in which it stands. text: its source.
    refuses: for a decision, the rule by which the code refuses where it holds. calls: for a call, the function's key.
    within: the key of the function in which it stands. checks: for a loop, whether all that it can do is refuse.
    """

    number: int
    kind: str
    function: str
    file: str
    line: int
    text: str
    refuses: str | None = None
    calls: str | None = None
    within: str = ""
    checks: bool = False


Chain = tuple[int, ...]
"""A place: the spot of an action, then those of calls and loops, each within the one before."""

Path = tuple[Chain, tuple[Event, ...]]
"""A place, and what happened on a pass."""

Way = tuple[str, int, tuple[Event, ...]]
"""The same wherever the action calls the function from: action, spot of the function or loop, what happened."""

Choice = tuple[Chain, int, bool | str]
"""A place, the spot of a decision there and how it was decided; or the spot of a division, and `REST`: it left one."""

Watch = Callable[[int, int, tuple[Event, ...], bool], None]
"""Told of each decision taken: place, spot, what had happened before on this pass, how it was taken."""

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "is": operator.is_,
    "is not": operator.is_not,
}


class _Pass:
    __slots__ = ("events", "place", "region")

    def __init__(self, place: int, region: int) -> None:
        self.place, self.region = place, region
        self.events: list[Event] = []


class Recorder:
    """What instrumented code tells. It listens during `run` only.

    spots: of the text. regions: the spot of each function, by its key. keys: of functions outside of classes. stores:
    the names of all that each function stores into, itself. stubs: by key, what is called instead of a function.
    skipped: loops that are left out. ordered: what `sorted` does. passes: how many there were, in all runs: what a
    search costs, on any machine.
    ended: the passes of the last run, as places and what happened. places, by number: the place around each, -1 if
    none, and its own spot.
    """

    def __init__(self) -> None:
        self.spots: list[Spot] = []
        self.regions: dict[str, int] = {}
        self.keys: dict[Any, str] = {}
        self.stores: dict[str, frozenset[str]] = {}
        self.stubs: Mapping[str, Callable[..., Any]] = {}
        self.skipped: frozenset[int] = frozenset()
        self.ordered: Callable[[Iterable[Any]], Sequence[Any]] = sorted
        self.places: list[tuple[int, int]] = []
        self.watch: Watch | None = None
        self.passes = 0
        self._numbers: dict[tuple[int, int], int] = {}
        self._chains: dict[int, Chain] = {}
        self._stack: list[_Pass] = []
        self.ended: list[tuple[int, tuple[Event, ...]]] = []
        self._choices: dict[tuple[int, int, bool | str], int] = {}
        self._other: tuple[Chain, int, bool | str] | None = None
        self._listening = False

    def run(self, function: int, body: Callable[[], Any], other: Choice | None = None) -> Any:
        """What `body`, which runs the function of this spot, returns; `paths` has its paths then.

        other: what is decided the other way, wherever it comes up, or rounded the other way.
        """
        self.ended, self._stack, self._choices = [], [_Pass(self._place(-1, function), function)], {}
        self._listening, self._other = True, other
        try:
            result = body()
        except Rejected:
            self._end(0, REFUSED)
            raise
        else:
            self._end(0, RETURNED)
        finally:
            self._listening = False
            self.passes += len(self.ended)
        return result

    def paths(self) -> dict[Path, None]:
        """The paths of the last run, in the order in which they ended."""
        return dict.fromkeys((self.chain(place), events) for place, events in self.ended)

    def choices(self) -> Iterator[tuple[Choice, int]]:
        """What the last run decided and how near it was: by how much, at least, two numbers that it compared differed.

        0 where no numbers were compared, and of a division.
        """
        for (place, spot, how), distance in self._choices.items():
            yield (self.chain(place), spot, how), distance

    def chain(self, place: int) -> Chain:
        """The spots that lead to a place."""
        if place not in self._chains:
            within, spot = self.places[place]
            self._chains[place] = (*(self.chain(within) if within >= 0 else ()), spot)
        return self._chains[place]

    def region(self, chain: Chain) -> int:
        """The spot of the function or loop that runs at a place."""
        return self.inside(chain[-1])

    def inside(self, spot: int) -> int:
        """The spot of the function that a call runs; a loop or a function is its own."""
        calls = self.spots[spot].calls
        return spot if calls is None else self.regions[calls]

    def way(self, path: Path) -> Way:
        """A path without the calls that led to it."""
        chain, events = path
        return self.spots[chain[0]].function, self.region(chain), events

    def _place(self, within: int, spot: int) -> int:
        key = within, spot
        if key not in self._numbers:
            self._numbers[key] = len(self.places)
            self.places.append(key)
        return self._numbers[key]

    # --- Told by the code, which gives the spot, and the function or loop that it stands in ---------------------------

    def decided(self, spot: int, region: int, truth: Any, distance: int = 0) -> bool:
        """A condition was asked for. distance: of the numbers that it compares."""
        known = bool(truth)
        if not self._listening:
            return known
        top = self._top(region)
        place = top.place
        if self.watch is not None:
            self.watch(place, spot, tuple(top.events), known)
        if distance <= self._choices.get((place, spot, known), distance):
            self._choices[place, spot, known] = distance
        if self._other is not None and self._other == (self.chain(place), spot, known):
            known = not known
        top.events.append((spot, known))
        return known

    def asked(self, spot: int, region: int, value: Any) -> Any:
        """The truth of a value was asked for, which itself may be the result."""
        known = bool(value)
        return value if self.decided(spot, region, known) == known else not known

    def compared(self, spot: int, region: int, how: str, left: Any, right: Any) -> bool:
        """Two values were compared."""
        distance = abs(left - right) if type(left) is int and type(right) is int else 0
        return self.decided(spot, region, COMPARISONS[how](left, right), distance)

    def least(self, spot: int, region: int, *values: Any) -> Any:
        """`min` of some values."""
        return self._best("<", spot, region, values)

    def most(self, spot: int, region: int, *values: Any) -> Any:
        """`max` of some values."""
        return self._best(">", spot, region, values)

    def _best(self, how: str, spot: int, region: int, values: Sequence[Any]) -> Any:
        best = values[0]
        for value in values[1:]:
            if self.compared(spot, region, how, value, best):
                best = value
        return best

    def divided(self, spot: int, region: int, numerator: Any, denominator: Any) -> Any:
        """`//` of two numbers."""
        if self._listening and type(numerator) is int and type(denominator) is int and numerator % denominator:
            place = self._top(region).place
            self._choices[place, spot, REST] = 0
            if self._other is not None and self._other == (self.chain(place), spot, REST):
                return numerator // denominator + 1
        return numerator // denominator

    def call(self, spot: int, region: int, key: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """A function of the model is called."""
        return self._call(spot, region, spot, key, function, given, named)

    def chosen(self, spot: int, region: int, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """A function is called by a name that stands for one or another."""
        if (key := self.keys.get(function)) is None:
            return function(*given, **named)
        return self._call(spot, region, self.regions[key], key, function, given, named)

    def _call(
        self, spot: int, region: int, site: int, key: str, function: Callable[..., Any], given: Any, named: Any
    ) -> Any:
        if not self._listening:
            return function(*given, **named)
        top = self._top(region)
        top.events.append((spot, CALLED))
        if (stub := self.stubs.get(key)) is not None:
            return stub(function, *given, **named)
        depth = len(self._stack)
        self._stack.append(_Pass(self._place(top.place, site), self.regions[key]))
        try:
            result = function(*given, **named)
        except Rejected:
            self._end(depth, REFUSED)
            raise
        self._end(depth, RETURNED)
        return result

    def each(self, spot: int, region: int, values: Iterable[Any]) -> Iterator[Any]:
        """A loop goes through some values."""
        if not self._listening:
            yield from values
            return
        top = self._top(region)
        top.events.append((spot, LOOPED))
        if spot in self.skipped:
            return
        place, depth = self._place(top.place, spot), len(self._stack)
        for value in values:
            self._stack.append(_Pass(place, spot))
            yield value
            while len(self._stack) > depth:
                self._close(RETURNED)

    def arranged(self, values: Iterable[Any]) -> Sequence[Any]:
        """`sorted` of some values."""
        return self.ordered(values)

    def refusal(self, spot: int, region: int, error: Any) -> Any:
        """An exception is about to be raised."""
        if self._listening:
            self._top(region).events.append((spot, REFUSES))
        return error

    def leaves(self, spot: int, region: int, outer: tuple[int, ...], value: Any) -> Any:
        """A value is about to be returned from inside of loops."""
        if self._listening:
            for left in (region, *outer):
                self._top(left).events.append((spot, LEAVES))
        return value

    def _top(self, region: int) -> _Pass:
        """The pass that is in a function or loop: the loops inside of it have been left."""
        while self._stack[-1].region != region:
            self._close(LEFT)
        return self._stack[-1]

    def _end(self, depth: int, how: Event) -> None:
        inner = REFUSED if how == REFUSED else LEFT
        while len(self._stack) > depth + 1:
            self._close(inner)
        self._close(how)

    def _close(self, how: Event) -> None:
        ended = self._stack.pop()
        self.ended.append((ended.place, (*ended.events, how)))


@dataclass(frozen=True)
class Traced:
    """A copy of a model that tells its paths to a recorder."""

    model: type[Machine]
    recorder: Recorder

    def run(self, machine: Machine, call: Call, other: Choice | None = None) -> Outcome:
        """Take a call; the recorder has its paths. The machine, of the copy, is spoilt when the call is refused.

        other: what is decided or rounded the other way.
        """
        action = getattr(type(machine), call.action).__wrapped__
        function = self.recorder.regions[f"self.{call.action}"]
        try:
            result = self.recorder.run(function, lambda: action(machine, **call.arguments), other)
        except Rejected as refusal:
            return Outcome(rule=refusal.rule)
        return Outcome(() if result is None else result if isinstance(result, tuple) else (result,))


# --- What is missing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class PathGap:
    """Something that no way did yet: behind these events of a way, another event."""

    action: str
    function: int
    before: tuple[Event, ...]
    event: Event


def gaps(ways: Iterable[Way], recorder: Recorder) -> list[PathGap]:
    """The gaps of some ways, which none must have once all ways that there are, are among them.

    For a way that is not among them differs from each of them; so there is a first event in the run that takes it
    which is none of theirs, behind events that are. What runs next in a text depends on its decisions alone, and on
    whether what it calls returns. So that event is a decision taken the other way, or the first after a call or a loop
    that was always refused or left: a gap.
    """
    after: dict[Way, set[Event]] = defaultdict(set)
    leaving: dict[tuple[str, int], set[Event]] = defaultdict(set)
    for action, function, events in ways:
        for at, event in enumerate(events):
            after[action, function, events[:at]].add(event)
            if event[1] == LEAVES:
                leaving[action, function].add(event)
    found = set()
    for (action, function, before), following in after.items():
        wanted: set[Event] = {(spot, not decided) for spot, decided in following if isinstance(decided, bool)}
        if before and before[-1][1] in (CALLED, LOOPED):
            wanted |= leaving[action, recorder.inside(before[-1][0])]
            if all(map(_leads_out, following)):
                wanted.add(RETURNED)
        found |= {PathGap(action, function, before, event) for event in wanted - following}
    return sorted(found)


def closes(gap: PathGap, ways: Iterable[Way]) -> bool:
    """Whether some ways do what is missing."""
    length = len(gap.before)
    for action, function, events in ways:
        if (action, function, events[:length]) != (gap.action, gap.function, gap.before):
            continue
        if events[length] == gap.event or (gap.event == RETURNED and not _leads_out(events[length])):
            return True
    return False


def is_whole(way: Way) -> bool:
    """Whether a way came to its own end. What a refusal elsewhere cut short is no path: the refusal ends one."""
    events = way[2]
    return events[-1] != REFUSED or (len(events) > 1 and events[-2][1] == REFUSES)


def _leads_out(event: Event) -> bool:
    return event == REFUSED or event[1] == LEAVES
