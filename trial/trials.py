"""Every law is also run: plain Python on concrete states, before anybody says that it is proved.

This is the second executor. It shares no code with the one that runs laws on unknowns; `meaning.py` says once more what
a law claims. States are random ones in range and ones that the model reaches;
identifiers are equal and unequal in every way, whatever a scope says of them. Nothing found means nothing.
"""

from __future__ import annotations

import functools
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, Step
from marginspec.properties.scope import Scope
from marginspec.trial.cases import Case, TriedLaw, text_of
from marginspec.trial.meaning import HELD, Arguments, holds, instances, judged
from marginspec.trial.situations import (
    BIT,
    Draw,
    Frame,
    Situation,
    Walks,
    constants_of,
    functions_of,
    ids_of,
    is_identifier,
    number_of,
    plainly,
    random_situations,
    reached_situations,
)
from marginspec.trial.steering import ComparedInts, flip, steer, watch

SECONDS = 0.3
CASES = 4000

# How many times as long a law is tried that has spoken in fewer cases than this.
LONGER = 3
FEW_CASES = 60

# How many times as long a composition is tried, on which every invariant rests, and a lemma, on which a law does.
COMPOSED = 5
BRIEFLY = 0.3

# How many cases of each action are looked at for comparisons that turn out otherwise.
LOOKED = 40

# How many cases are many.
MANY_CASES = 300

# How often a comparison is turned into what was never seen at its place in the text, before that is given up.
ATTEMPTS = 8

# Of processor time, for making a failure smaller.
SHRINKING_SECONDS = 0.3

# Cases in which a law said something, of each action, in each of which the comparisons turn out otherwise: later ones
# are variations of them.
CASES_KEPT = 60

# A difference beyond which a comparison only bounds the width of a number.
FAR = 2**120

# How many moves lead a case to where the law speaks, and how many of those that came far are gone on with.
TRIES = 10
NEAR = 12

# How many random states are moved to where given invariants hold, in how many moves each.
MENDED = 40
MENDING = 40


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


class Trials:
    """Runs laws of one model, and remembers the states that it made for them."""

    def __init__(self, model: type[Machine], seed: int = 1) -> None:
        self._model, self._seed = model, seed
        self._constants = constants_of(functions_of(model))
        self._walks = Walks(model, seed, self._constants)
        self._situations: dict[str, tuple[list[Situation], list[Situation]]] = {}
        self._mending: dict[str, list[Situation]] = {}

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
        law = TriedLaw(self._model, claim)
        chance, reached = self.prepare(claim.scope)
        seconds *= {"composition": COMPOSED, "lemma": BRIEFLY}.get(claim.kind, 1)
        pools = [pool for pool in (chance, reached, self._mended(law, chance)) if pool]
        return _Search(law, self._seed, self._constants).run(pools, seconds, cases)

    def _mended(self, law: TriedLaw, chance: list[Situation]) -> list[Situation]:
        """Random states moved to where the invariants hold that a law may assume."""
        claim = law.claim
        assumed = [*claim.given, claim] if claim.kind == "invariant" else [*claim.given]
        key = repr((claim.scope, [invariant.id for invariant in assumed]))
        if assumed and key not in self._mending:
            draw = random.Random(f"{self._seed} {key}")
            tried = (_mended(law, assumed, draw.choice(chance), draw) for _ in range(MENDED))
            self._mending[key] = [situation for situation in tried if situation is not None]
        return self._mending.get(key, [])


def _mended(law: TriedLaw, assumed: list[Property], at: Situation, draw: random.Random) -> Situation | None:
    pins = law.pins(at.frame)
    at = at.pinned(pins, draw)
    ranges = [None if leaf.path in pins else leaf.number for leaf in at.frame.leaves]
    cases = [(invariant, case) for invariant in assumed for case in instances(invariant, at.frame.ids)]

    def run(values: list[Any]) -> bool:
        state = at.frame.machine(values)
        return all(holds(invariant, state, case) for invariant, case in cases)

    found = steer(run, at.values, ranges, draw, MENDING)
    return Situation(at.frame, plainly(found.values, ranges), False) if found.arrived else None


class _Search:
    """The trial of one law."""

    def __init__(self, law: TriedLaw, seed: int, constants: list[int]) -> None:
        self._law, self._claim, self._model = law, law.claim, law.model
        claim = law.claim
        constants = sorted({*constants, *constants_of([claim.predicate])})
        self._draw = Draw(f"{claim.id} {seed}", constants)
        self._good: dict[tuple[str, bool], dict[int, Case]] = {}
        self._near: list[tuple[int, Case]] = []
        self._news: list[Case] = []
        self._accepting: dict[str, list[Situation]] = {}
        self._found: dict[tuple[int, str], Call | None] = {}
        self._met: set[tuple[str, int, int]] = set()
        self._vain: Counter[tuple[str, int, int]] = Counter()
        self._looked: Counter[tuple[str, bool]] = Counter()
        self._failed: tuple[Case, str] | None = None
        self.cases = self.tried = 0

    def run(self, pools: list[list[Situation]], seconds: float, cases: int) -> Trial:
        """Try cases in situations of several kinds; longer where the law hardly ever says anything."""
        if self._claim.kind == "invariant" and (failure := self._unkept(pools)) is not None:
            return Trial(1, failure)
        draw, start = self._draw.random, time.process_time()
        while self._failed is None and self.cases < cases:
            passed = time.process_time() - start
            if passed > (seconds if self.cases >= FEW_CASES else LONGER * seconds):
                break
            mode = draw.random()
            # Once there are many cases, others are looked for where something turns out otherwise.
            varied, edged = (0.3, 0.5) if self.cases < MANY_CASES else (0.15, 0.75)
            if self._good and mode < varied:
                self._try(self._varied(self._spoken()))
            elif self._good and mode < edged:
                self._edge(self._news.pop() if self._news else self._spoken())
            elif (case := self._fresh(self._situation(pools))) is not None:
                silent = self._try(case) is None
                # The rarer the cases in which the law speaks, the more of the silent ones are led to one.
                if silent and draw.random() < 0.3 and self.cases < self.tried / 5:
                    self._steered(case)
        return Trial(self.cases, self._failure())

    # --- One case --------------------------------------------------------------------------------------------------

    def _judged(self, case: Case, given: bool = True) -> str | None:
        at = case.situation
        self._after = at.frame.machine(at.values)
        return judged(self._claim, self._after, case.fresh(), at.frame.ids, given)

    def _try(self, case: Case, way: int = 0) -> str | None:
        """Run a law on a case. way: which comparisons turned out how, if that is known."""
        self.tried += 1
        draw = self._draw.random
        why = self._judged(case) if self._is_given(case.situation) else None
        if why is None:
            return None
        if why != HELD and self._is_missing(case, why):
            return None
        self.cases += 1
        if why != HELD:
            self._failed = self._failed or (case, why)
        else:
            happened = case.situation.frame.read(self._after) != case.situation.values
            ways = self._good.setdefault((case.action, happened), {})
            self._looked[case.action, happened] += way == 0
            if way == 0 and self._looked[case.action, happened] <= LOOKED:
                case.trail = watch(self._watched(case), case.flat(), self._law.ranges(case))[1]
                self._news += [case] * ATTEMPTS * self._meets(case)
                way = case.way()
            way = way or -draw.randrange(CASES_KEPT // 4)
            if len(ways) < CASES_KEPT or way in ways:
                ways[way] = case
            else:
                ways[draw.choice(list(ways))] = case
        return why

    def _is_given(self, at: Situation) -> bool:
        """Whether the invariants that are given hold; known of each situation once."""
        for invariant in self._claim.given:
            if invariant.predicate not in at.holds:
                state = at.frame.machine(at.values)
                cases = instances(invariant, at.frame.ids)
                at.holds[invariant.predicate] = all(holds(invariant, state, case) for case in cases)
            if not at.holds[invariant.predicate]:
                return False
        return True

    def _is_missing(self, case: Case, why: str) -> bool:
        """Whether a law only spoke of an identifier that a run of the model does not have."""
        known = {str(i) for options in case.situation.frame.ids.values() for i in options}
        named = {str(o) for options in self._claim.scope.keys.values() for o in options}
        return any(why == f"KeyError: {name!r}" for name in named - known)

    def _spoken(self) -> Case:
        """A case in which the law said something, of any action, rather one in which something happened, of any way."""
        draw, kinds = self._draw.random, list(self._good)
        kind = draw.choice([kind for kind in kinds if kind[1]] or kinds) if draw.random() < 0.7 else draw.choice(kinds)
        return draw.choice(list(self._good[kind].values()))

    # --- Which cases -----------------------------------------------------------------------------------------------

    def _situation(self, pools: list[list[Situation]]) -> Situation:
        """Any situation; half of the time one that accepts some action, or one that the law names."""
        draw = self._draw.random
        if not self._accepting:
            for at in itertools.chain(*pools):
                for action in at.calls:
                    self._accepting.setdefault(action, []).append(at)
        named = [action for action in self._law.actions or self._accepting if action in self._accepting]
        if named and draw.random() < 0.5:
            return draw.choice(self._accepting[draw.choice(named)])
        return draw.choice(draw.choice(pools))

    def _fresh(self, at: Situation) -> Case | None:
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
        return Case(law, at, arguments)

    def _pinned(self, at: Situation) -> Situation:
        pins = self._law.pins(at.frame)
        return at.pinned(pins, self._draw.random) if pins else at

    def _call(self, at: Situation, actions: list[str]) -> Call | None:
        """A call that is accepted here, of one of some actions."""
        action = self._draw.random.choice(actions)
        # A situation keeps its calls when it is pinned or varied, so they stand for it.
        place = id(at.calls), action
        if action not in at.calls and at.reached and place not in self._found:
            try:
                self._found[place] = self._draw.accepted(self._law.infos[action], at.frame, at.values, 2)
            except Exception:
                self._found[place] = None
        return at.calls.get(action) or self._found.get(place)

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

    def _varied(self, case: Case) -> Case:
        """A case in which a few values are others."""
        draw, at = self._draw.random, case.situation
        values, ranges = case.flat(), self._law.ranges(case)
        size, hints = len(at.values), self._hints(case)
        asked = case.asked()
        for _ in range(draw.choice((1, 1, 2, 4))):
            chance = draw.random()
            if asked and chance < 0.5:
                i = draw.choice(asked)
            elif len(values) > size and chance < 0.8:
                i = draw.randrange(size, len(values))
            else:
                i = draw.randrange(size)
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

    def _hints(self, case: Case) -> list[Any]:
        return [hint for _, hint, _ in case.given()]

    def _watched(self, case: Case) -> Any:
        """Whether the law speaks of a case, given its values."""

        def run(values: list[Any]) -> bool:
            return self._judged(case.with_values(values, compared=False)) is not None

        return run

    def _steered(self, case: Case) -> None:
        """Lead a case in which the law says nothing to one in which it does, or nearer to one."""
        draw = self._draw.random
        if self._near and draw.random() < 0.6:
            case = draw.choice(self._near)[1]
            if draw.random() < 0.3:
                case = self._varied(case)
        ranges = self._law.ranges(case)
        found = steer(self._watched(case), case.flat(), ranges, draw, TRIES)
        case = case.with_values(plainly(found.values, ranges))
        if found.arrived:
            self._try(case)
        else:
            self._near = sorted([*self._near, (found.passed, case)], key=lambda n: -n[0])[:NEAR]

    def _edge(self, case: Case) -> None:
        """Move a number to where one of the comparisons on the way turns out otherwise."""
        draw, values, ranges, run = self._draw.random, case.flat(), self._law.ranges(case), self._watched(case)
        if case.trail is None:
            case.trail = watch(run, values, ranges)[1]
        place, wanted = self._aim(case)
        moved = flip(run, values, ranges, case.trail, place, draw, wanted) if place >= 0 else None
        if moved is None:
            return
        then = case.with_values(plainly(moved, ranges))
        then.trail = watch(run, moved, ranges)[1]
        if self._try(then, then.way()) is not None and self._meets(then):
            self._news += [then] * ATTEMPTS

    def _meets(self, case: Case) -> bool:
        """Whether a comparison turned out on the way as it never had at its place in the text."""
        met = {(case.action, comparison.where, comparison.sign) for comparison in case.trail or ()}
        new = not met <= self._met
        self._met |= met
        return new

    def _aim(self, case: Case) -> tuple[int, int | None]:
        """Which comparison to turn, and into what: first of all what was not seen of its place in the text."""
        draw, trail, action = self._draw.random, case.trail or [], case.action
        self._meets(case)
        # Numbers that only have to fit their width are far from it.
        near = [i for i, comparison in enumerate(trail) if comparison.made_of and abs(comparison.difference) < FAR]
        signs = ((i, sign, (action, trail[i].where, sign)) for i in near for sign in (-1, 0, 1))
        unmet = [(i, sign, way) for i, sign, way in signs if way not in self._met and self._vain[way] < ATTEMPTS]
        if unmet:
            place, wanted, way = draw.choice(unmet)
            self._vain[way] += 1
            return place, wanted
        if draw.random() < 0.4 and (gap := self._gap(trail, near)) is not None:
            return gap
        # A place in the text counts once, however often it is passed.
        places = near if near and draw.random() < 0.8 else [i for i, c in enumerate(trail) if c.made_of]
        passed: dict[int, list[int]] = {}
        for i in places:
            passed.setdefault(trail[i].where, []).append(i)
        return (draw.choice(passed[draw.choice(list(passed))]), None) if passed else (-1, None)

    def _gap(self, trail: list[ComparedInts], near: list[int]) -> tuple[int, int] | None:
        """A comparison that is passed twice with different numbers, and what of the first tells the two apart."""
        draw, last, gaps = self._draw.random, dict[int, int](), dict[int, tuple[int, int]]()
        for i in near:
            comparison = trail[i]
            before = last.get(comparison.where)
            if before is not None and (gap := trail[before].difference - comparison.difference):
                gaps[comparison.where] = before, gap
            last[comparison.where] = i
        if not gaps:
            return None
        place, gap = draw.choice(list(gaps.values()))
        return place, draw.randrange(gap) if gap > 0 else -draw.randrange(-gap)

    # --- Failures --------------------------------------------------------------------------------------------------

    def _unkept(self, pools: list[list[Situation]]) -> Failure | None:
        """Where the model reaches a state of which an invariant is false."""
        reached = [at for pool in pools for at in pool if at.reached]
        first = Frame(self._model.blank(), self._model.universe)
        states = [Situation(first, first.read(first.template), True), *reached[:: max(1, len(reached) // 60)]]
        for at in states:
            if self._pinned(at) is not at:
                continue
            for arguments in instances(self._claim, at.frame.ids):
                state = at.frame.machine(at.values)
                try:
                    said = self._claim.predicate(state, **arguments)
                    why = "" if said else "returned nothing" if said is None else "returned False"
                except Rejected as refused:
                    why = f"{refused.rule} refused outside an action"
                except Exception as error:
                    why = f"{type(error).__name__}: {error}"
                if why and not self._is_missing(Case(self._law, at, arguments), why):
                    where = "in the state before anything happens" if at is states[0] else "in a state that is reached"
                    return Failure(text_of(Case(self._law, at, arguments)), f"{why} {where}")
        return None

    def _failure(self) -> Failure | None:
        if self._failed is None:
            return None
        case, why = self._failed
        case = self._smaller(case, time.process_time() + SHRINKING_SECONDS)
        again = self._judged(case)
        return Failure(
            text_of(case, functools.partial(self._matters, case)),
            again or f"{why} once, and not again: it rests on something beside the state",
        )

    def _matters(self, case: Case, place: int) -> bool:
        """Whether the law is true with another identifier in a place of the state."""
        frame, values = case.situation.frame, case.flat()
        others = [option for option in ids_of(frame.ids, frame.leaves[place].kind) if option != values[place]]
        return any(not self._judged(case.with_values([*values[:place], o, *values[place + 1 :]])) for o in others)

    def _smaller(self, case: Case, end: float) -> Case:
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

    def _same_names(self, case: Case, end: float) -> Case:
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
