"""Two implementations and the model, in lock-step: what an upgrade changes.

Both take the calls that the model took. Where one departs from the model and the other does not, or both do and not
alike, the upgrade has changed something; the model says which of the two it is. Then that call is left out and the
sequence goes on, so that one difference does not hide the others.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from marginspec.lockstep.campaign import Part
from marginspec.lockstep.chunks import ChunkResult
from marginspec.lockstep.comparison import Divergence, LockStep, Tally
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal, RehearsedStep
from marginspec.lockstep.shrink import shrink_by
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain
from marginspec.targets.protocol import Divisible, Target
from marginspec.upgrade.candidates import Variant
from marginspec.upgrade.explain import Agreed, Cause, Departure, Reply, beginning, causes, explains

SIDES = ("base", "head")

BEGINNING = "set-up"
"""What a difference is named after that is there before the first call, when no rule is found that is behind it."""

BEGINS = "begins in another state"
"""The effect of a difference that is there before the first call."""

AGAIN = 6
"""So many calls are left out of one sequence at most; then the next begins."""

WITNESSES_PER_WAY = 4
"""Of each way in which an implementation departs, so many witnesses are kept, or one once there are many."""

MANY_WITNESSES = 32
"""Witnesses."""

CHECKED_STEPS = 2_000
"""So many steps the model, with every change that explains something, is run against the implementation once more."""

BEYOND = 4
"""So many calls at most are looked for that those changes do not explain."""

KEPT_AGREED = 40
"""Of each action, so many calls are kept on which both agreed with the model."""

NEAR_AGREED = 120
"""Of each action, so many more of vectors: they stand near its decisions, which tells causes apart."""

SHORT = 6
"""In so few steps a difference should show."""

TRIED = 2
"""Of the witnesses of a difference, so many are shrunk, or more until it shows in `SHORT` steps."""

MOST_TRIED = 5
"""Of the witnesses of a difference, so many are shrunk at most."""

PLAIN = ((False, True), (True, False), (True, True), (False, False))
"""Whether base and head accept a call on which they part: allowed now, forbidden now, another result or reason."""

EFFORT = 8_000
"""Steps that an implementation takes at most to shrink one witness."""

RECHECK_EVERY = 10


@dataclass(frozen=True)
class Parting:
    """Calls after the last of which two implementations that agreed before no longer do.

    departs: the side that leaves the model there, `base` or `head`, `both` where both do. divergence: of that side, of
    the head where both do. replies: of base and head. steps: the model's.
    """

    steps: Sequence[RehearsedStep]
    departs: str
    divergence: Divergence
    replies: tuple[Reply, Reply]

    @property
    def calls(self) -> list[Call]:
        return [step.call for step in self.steps]

    @property
    def plainness(self) -> int:
        """The place in `PLAIN`."""
        before, after = (reply.answer.accepted for reply in self.replies)
        return PLAIN.index((before, after))


Effect = Callable[[Parting], tuple[str, str | None]]
"""What a parting does, in words, and the harm in it that no declaration covers."""


def effect_of(parting: Parting) -> tuple[str, str | None]:
    """Whether the head accepts more, refuses more, or does otherwise."""
    words = ("accepts more", "refuses more", "another result", "another reason")
    return words[parting.plainness], None


@dataclass(frozen=True)
class Difference:
    """One effect of one change of a rule. rules: concerned, the likeliest first. parting: the shortest found.

    like: the change of the model that makes it do the same, empty if none was found; exact: whether it changes nothing
    else, and explains the parting that is shown. ways: how it shows, as (rule or action, field), with how often it did.
    effect, harm: of every parting that is behind it.
    """

    rules: tuple[str, ...]
    like: str
    exact: bool
    parting: Parting
    ways: dict[tuple[str, str], int]
    effect: str = ""
    harm: str | None = None


@dataclass
class Comparison:
    """What a run compared. steps: calls drawn; vectors: runs that were given; comparisons: values, of both sides, calls
    that were run again included. taken_over: steps of an earlier run of the same, among them.

    alike: ways in which both sides depart from the model alike, with how often: no difference between them. agreed: how
    often both sides, and the model, accepted an action (True), and how often they refused it.
    """

    steps: int = 0
    sequences: int = 0
    vectors: int = 0
    comparisons: int = 0
    left_out: int = 0
    taken_over: int = 0
    tally: Tally = field(default_factory=Tally)
    alike: Counter[tuple[str, str]] = field(default_factory=Counter)
    agreed: Counter[tuple[str, bool]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def compare(
    model: type[Machine],
    base: Target,
    head: Target,
    steps: int,
    seed: int,
    vectors: Sequence[Sequence[Call]] = (),
) -> Comparison:
    """What an upgrade changes, of exactly `steps` calls, the same for the same seed; where these show nothing, of some
    vectors. Raises what a target raises.
    """
    upgrade = Upgrade(model, base, head)
    upgrade.run(steps, seed)
    if not upgrade.differs:
        upgrade.follow(vectors)
    return upgrade.explained()


def _sequences(model: type[Machine], steps: int, seed: int) -> Iterator[Callable[[], list[RehearsedStep]]]:
    """Sequences of calls as a campaign draws them, `steps` in all; each is drawn when asked for, or not at all."""
    bytes_of, rehearsal, generator = random.Random(seed).randbytes, Rehearsal(model), Generator(model)
    while steps > 0:
        length = min(steps, SEQUENCE_STEPS)
        steps -= length
        start, data = bytes_of(START_BYTES), [bytes_of(STEP_BYTES) for _ in range(length)]
        yield functools.partial(_drawn, rehearsal, generator, start, data)


def _drawn(rehearsal: Rehearsal, generator: Generator, start: bytes, data: Sequence[bytes]) -> list[RehearsedStep]:
    rehearsal.start()
    generator.start(start)
    drawn = []
    for each in data:
        call, outcome = generator.step(rehearsal.machine, rehearsal.state, each)
        drawn.append(rehearsal.taken(call, outcome))
    return drawn


Block = list[ChunkResult[Part]]
"""What came of some sequences, of the base and of the head."""

Keep = Callable[[range, Callable[[], Block | None]], Block | None]
"""Returns what came of a block, by its steps: made now, or by an earlier run of the same. None is not kept."""

BLOCK = 8
"""Sequences that are kept together: a few seconds."""


Way = tuple[str, tuple[str, str], str, bool]
"""In which a side departs: which side, rule and field, the action, and whether the model accepts it."""


class Upgrade:
    """The comparison, in two parts that each take their time: first `run`, then `explained`."""

    def __init__(self, model: type[Machine], base: Target, head: Target, effect: Effect = effect_of) -> None:
        """effect: by which the partings that one change explains are told apart."""
        self.result = Comparison()
        self._effect, self._seed = effect, 0
        self._model, self._targets = model, (base, head)
        self._locksteps = [LockStep(model, target) for target in self._targets]
        self._rehearsal = Rehearsal(model)
        self._genesis = model.genesis().flatten()
        self._apart = [self._begins(target) != self._genesis for target in self._targets]
        self._ways: Counter[Way] = Counter()
        self._partings: list[Parting] = []
        self._agreed: defaultdict[str, list[Agreed]] = defaultdict(list)
        self._enough_agreed = KEPT_AGREED

    @staticmethod
    def _begins(target: Target) -> list[Any]:
        target.reset()
        return list(target.observe())

    def run(
        self,
        steps: int,
        seed: int,
        on_progress: Callable[[int], None] | None = None,
        keep: Keep = lambda steps, make: make(),
    ) -> None:
        """Draw `steps` calls and compare base, head and model on them.

        One sequence only where an implementation is in another state than the model from the beginning. on_progress:
        called with the number of steps after each sequence. keep: what an earlier run compared is not compared again,
        but for the first sequences: calls on which all agree tell causes apart.
        """
        if steps < 1:
            raise ValueError(f"steps is {steps}, must be at least 1: a run that compares nothing is no pass")
        self._seed = seed
        sequences = _sequences(self._model, steps, seed)
        for number in itertools.count():
            block = list(itertools.islice(sequences, BLOCK))
            if not block or (any(self._apart) and number):
                break  # where one begins apart, every call differs
            look = functools.partial(self._block, block[:1] if any(self._apart) else block, on_progress)
            if number == 0:
                look()
                continue
            begin = self.result.steps
            found = keep(range(begin, min(steps, begin + BLOCK * SEQUENCE_STEPS)), look)
            if found is not None and self.result.steps == begin:
                self._add(found)
                done = found[0][0].tally
                self.result.steps += done.steps
                self.result.taken_over += done.steps
                self.result.sequences += done.sequences
                if on_progress is not None:
                    on_progress(self.result.steps)

    def _block(
        self, sequences: Sequence[Callable[[], list[RehearsedStep]]], on_progress: Callable[[int], None] | None
    ) -> Block | None:
        """Compare some sequences; what came of them, None where a side departed from the model."""
        earlier = self._since()
        try:
            for draw in sequences:
                drawn = draw()
                self.result.steps += len(drawn)
                self._sequence(drawn)
                if on_progress is not None:
                    on_progress(self.result.steps)
        finally:
            found = self._since()
            self._add(earlier)
            self._add(found)
        return None if self.result.left_out or self._partings or any(self._apart) else found

    def _since(self) -> Block:
        """What came of each side since this was asked last."""
        found = []
        for lockstep, target in zip(self._locksteps, self._targets, strict=True):
            found.append((Part(lockstep.tally), target.seen() if isinstance(target, Divisible) else None))
            lockstep.tally = Tally()
        return found

    def _add(self, found: Block) -> None:
        """Count what came of each side."""
        for lockstep, target, (part, seen) in zip(self._locksteps, self._targets, found, strict=True):
            lockstep.tally += part.tally
            if isinstance(target, Divisible) and seen is not None:
                target.add(seen)
        self._count()

    @property
    def differs(self) -> bool:
        """Whether the two sides were seen to part."""
        return bool(self._partings)

    def follow(self, vectors: Sequence[Sequence[Call]]) -> None:
        """Compare base, head and model on some vectors, calls from genesis, besides."""
        self._enough_agreed = KEPT_AGREED + NEAR_AGREED
        for calls in vectors if not any(self._apart) else ():
            self._sequence(self._rehearsal.run(calls))
            self.result.vectors += 1

    def _sequence(self, steps: list[RehearsedStep]) -> None:
        """Compare a sequence; a call on which somebody departs is left out of what follows."""
        result = self.result
        result.sequences += 1
        recheck = result.sequences % RECHECK_EVERY == 1
        for _ in range(AGAIN):
            at, parting = self._parting(steps, recheck)
            self._note_agreed(steps[: at - 1] if parting or at < len(steps) else steps)
            if at == 0:
                break
            steps = self._rehearsal.run(step.call for place, step in enumerate(steps, 1) if place != at)
            result.left_out += 1
        self._count()

    def _count(self) -> None:
        result = self.result
        result.comparisons = sum(lockstep.tally.comparisons for lockstep in self._locksteps)
        result.tally = self._locksteps[0].tally
        base, head = (lockstep.tally.actions for lockstep in self._locksteps)
        result.agreed = base & head

    def _parting(self, steps: list[RehearsedStep], recheck: bool, always: bool = False) -> tuple[int, Parting | None]:
        """After how many steps a side departs from the model, 0 if none does; how the sides part there, if they do.

        always: also where enough such partings are known; it is then not kept.
        """
        found = [lockstep.run(steps, recheck) for lockstep in self._locksteps]
        at = min((each[0] for each in found if each is not None), default=0)
        if at == 0:
            return 0, None
        here = {side: each[1] for side, each in zip(SIDES, found, strict=True) if each is not None and each[0] == at}
        departs = "both" if len(here) == 2 else next(iter(here))
        divergence = list(here.values())[-1]
        way = _way(steps[at - 1], departs, divergence)
        known, enough = self._ways[way], WITNESSES_PER_WAY if len(self._partings) < MANY_WITNESSES else 1
        if departs != "both" and known >= enough and not always:
            self._ways[way] += 1
            return at, None
        parting = Parting(steps[:at], departs, divergence, self._replies(steps[:at]))
        if parting.replies[0] == parting.replies[1]:
            self.result.alike[divergence.key] += 1
            return at, None
        self._ways[way] += 1
        if known < enough and not always:
            self._partings.append(parting)
        return at, parting

    def _replies(self, steps: Sequence[RehearsedStep]) -> tuple[Reply, Reply]:
        return _reply(self._targets[0], steps), _reply(self._targets[1], steps)

    def _note_agreed(self, steps: Sequence[RehearsedStep]) -> None:
        before = self._genesis
        for step in steps:
            kept = self._agreed[step.call.action]
            if len(kept) < self._enough_agreed:
                kept.append((before, step))
            before = step.state

    # --- What is behind it ---------------------------------------------------------------------------------------

    def explained(self, on_progress: Callable[[int, int], None] | None = None) -> Comparison:
        """The result, with the differences by the rule behind them, those that show most often first.

        on_progress: called with how much is done and of how much, which becomes known on the way.
        """
        found = self._found()
        if beyond := self._beyond(found):
            self._partings += beyond
            found = self._found()
            if self._beyond(found):  # what is left over has no row: then no change explains all of it
                found = [(replace(cause, exact=False), partings) for cause, partings in found]
        apart, differences = list(self._by_effect(found)), self.result.differences
        for cause, effect, harm, partings in apart:
            if on_progress is not None:
                on_progress(1 + len(differences), 1 + len(apart))
            differences.append(self._difference(cause, effect, harm, partings))
        differences.sort(key=lambda difference: (not difference.harm, -sum(difference.ways.values())))
        return self.result

    def _found(self) -> list[tuple[Cause, list[Parting]]]:
        """The causes of all partings, each with those that it explains."""
        found: list[tuple[Cause, list[Parting]]] = []
        for departs in ("head", "base", "both"):
            partings = [parting for parting in self._partings if parting.departs == departs]
            side = self._side(departs)
            if partings and self._apart[side]:
                found.append((self._beginning(side), partings))
                continue
            witnesses = [self._witness(parting, side) for parting in partings]
            of = {id(witness): parting for witness, parting in zip(witnesses, partings, strict=True)}
            agreed = list(itertools.chain.from_iterable(self._agreed.values()))
            reason = self._targets[side].expected_reason
            if witnesses:
                known = causes(self._model, witnesses, agreed, reason)
                found += [(cause, [of[id(witness)] for witness in cause.witnesses]) for cause in known]
        return found

    def _beyond(self, found: list[tuple[Cause, list[Parting]]]) -> list[Parting]:
        """Partings that the changes which explain the others, all made at once, do not explain.

        Two changes of one rule can show in the same way: the witnesses that are kept may be of the first alone.
        """
        beyond: list[Parting] = []
        for departs in ("head", "base"):
            side = self._side(departs)
            variants = [c.variant for c, partings in found if c.variant and partings[0].departs == departs]
            changed = [(id(place), name) for variant in variants for place, name, _ in variant.patches]
            # Two changes of one function cannot be made at once here: each is then checked on its own witnesses alone.
            if not variants or self._apart[side] or len(set(changed)) < len(changed):
                continue
            for calls in self._unexplained(side, variants):
                _, parting = self._parting(self._rehearsal.run(calls), recheck=False, always=True)
                if parting is not None and len(parting.steps) == len(calls):
                    beyond.append(parting)
        return beyond

    def _unexplained(self, side: int, variants: Sequence[Variant]) -> list[list[Call]]:
        """Shortest calls on which the model with some changes, all made at once, is not the implementation."""
        found: dict[Way, list[Call]] = {}
        with contextlib.ExitStack() as stack:
            for variant in variants:
                stack.enter_context(variant.installed())
            lockstep = LockStep(self._model, self._targets[side])
            try:
                for draw in _sequences(self._model, CHECKED_STEPS, self._seed + 1):
                    steps = draw()
                    shown = lockstep.run(steps, recheck=False)
                    if shown is None:
                        continue
                    at, divergence = shown
                    way = _way(steps[at - 1], SIDES[side], divergence)
                    if way not in found:
                        calls = [step.call for step in steps[:at]]
                        found[way], _ = shrink_by(lockstep, self._model, calls, divergence, EFFORT)
                    if len(found) == BEYOND:
                        break
            except Exception:
                pass
        return list(found.values())

    def _by_effect(
        self, found: list[tuple[Cause, list[Parting]]]
    ) -> Iterator[tuple[Cause, str, str | None, list[Parting]]]:
        """One difference for each rule, side, change and effect: a declared one must not hide another."""
        grouped: dict[tuple[Any, ...], tuple[Cause, str, str | None, list[Parting]]] = {}
        for cause, partings in found:
            refused: list[Parting] = []
            for parting in partings:
                effect, harm = self._effect(parting)
                if self._apart[self._side(parting.departs)]:
                    effect = BEGINS
                elif PLAIN[parting.plainness] == (False, False):
                    refused.append(parting)
                    continue
                # What no change explains exactly may be two changes: then each action is told by itself.
                action = "" if cause.exact or effect == BEGINS else parting.steps[-1].call.action
                key = cause.rules[0], parting.departs, cause.like, effect, harm is not None, action
                grouped.setdefault(key, (cause, effect, harm, []))[-1].append(parting)
            # What both refuse treats nobody otherwise: of one change that does more it is a part.
            if refused and cause.like:
                same = (v for k, v in grouped.items() if k[:3] == (cause.rules[0], refused[0].departs, cause.like))
                joined = next(same, None)
                if joined is not None:
                    joined[-1].extend(refused)
                    continue
            for parting in refused:
                effect, harm = self._effect(parting)
                key = cause.rules[0], parting.departs, cause.like, effect, False, parting.steps[-1].call.action
                grouped.setdefault(key, (cause, effect, harm, []))[-1].append(parting)
        yield from grouped.values()

    def _beginning(self, side: int) -> Cause:
        rules, like = beginning(self._model, self._begins(self._targets[side]))
        return Cause(rules or (BEGINNING,), like, bool(like), ())

    def _side(self, departs: str) -> int:
        return 0 if departs == "base" else 1

    def _witness(self, parting: Parting, side: int) -> Departure:
        *earlier, last = parting.steps
        before = earlier[-1].state if earlier else self._genesis
        return Departure(before, last.call, last.outcome, parting.replies[side], parting.divergence)

    def _difference(self, cause: Cause, effect: str, harm: str | None, partings: list[Parting]) -> Difference:
        """The plainest way in which it shows that is short, else the shortest."""
        tried: list[Parting] = []
        for parting in sorted(partings, key=lambda parting: (parting.plainness, len(parting.steps)))[:MOST_TRIED]:
            tried.append(self._shrunk(parting))
            if len(tried) >= TRIED and min(len(each.steps) for each in tried) <= SHORT:
                break
        shortest = self._told_apart(min(tried, key=lambda parting: len(parting.steps)))
        side = self._side(shortest.departs)
        exact = cause.exact and (
            cause.variant is None
            or explains(self._model, cause.variant, self._witness(shortest, side), self._targets[side].expected_reason)
        )
        shown = {_way(parting.steps[-1], parting.departs, parting.divergence) for parting in partings}
        ways: Counter[tuple[str, str]] = Counter()
        for way in shown:
            ways[way[1]] += self._ways[way]
        _, harmed = self._effect(shortest)
        return Difference(cause.rules, cause.like, exact, shortest, dict(ways), effect, harmed or harm)

    def _shrunk(self, parting: Parting) -> Parting:
        """A parting shrunk on the side that departs, as long as the other side then still does something else.

        What it does, and whom it harms, stays the same.
        """
        lockstep = self._locksteps[self._side(parting.departs)]
        watch = _Watched(lockstep, lambda steps, divergence: self._alike(parting, steps, divergence))
        calls, divergence = shrink_by(watch, self._model, parting.calls, parting.divergence, EFFORT)
        return self._again(parting, calls, divergence) or parting

    def _alike(self, parting: Parting, steps: Sequence[RehearsedStep], divergence: Divergence) -> bool:
        """Whether some steps, after the last of which a side departs, show the same effect."""
        if divergence.key != parting.divergence.key:
            return False
        other = self._again(parting, [step.call for step in steps], divergence)
        return other is not None and _same(self._effect(other), self._effect(parting))

    def _again(self, parting: Parting, calls: list[Call], divergence: Divergence) -> Parting | None:
        """The parting that other calls lead to; None when the sides do the same."""
        steps = self._rehearsal.run(calls)
        replies = self._replies(steps)
        return None if replies[0] == replies[1] else Parting(steps, parting.departs, divergence, replies)

    def _told_apart(self, parting: Parting) -> Parting:
        """The same with another actor in the last call, when somebody acts there on its own account as on another's."""
        *others, last = parting.calls
        (name, actor), *rest = last.arguments.items() or [("", None)]
        kind = plain(actions_of(self._model)[last.action].arguments.get(name))
        if actor not in [value for _, value in rest]:
            return parting
        lockstep = self._locksteps[self._side(parting.departs)]
        for option in self._model.universe.get(kind, ()):
            calls = [*others, last.changed(name, option)]
            found = None if option == actor else lockstep.run(self._rehearsal.run(calls), recheck=False)
            if found is not None and found[0] == len(calls) and found[1].key == parting.divergence.key:
                other = self._again(parting, calls, found[1])
                if other is not None and _same(self._effect(other), self._effect(parting)):
                    return other
        return parting


def _reply(target: Target, steps: Sequence[RehearsedStep]) -> Reply:
    """What an implementation does with the last of some calls; what its getters say where its storage says nothing."""
    target.reset()
    for step in steps:
        answer = target.apply(step.call)
    state = list(target.observe())
    return Reply(answer, state if state != steps[-1].state else list(target.recheck()))


def _way(step: RehearsedStep, departs: str, divergence: Divergence) -> Way:
    return departs, divergence.key, step.call.action, step.outcome.accepted


def _same(one: tuple[str, str | None], other: tuple[str, str | None]) -> bool:
    """Whether two effects are the same; harm to another account is as much harm."""
    return (one[0], one[1] is None) == (other[0], other[1] is None)


class _Watched:
    """The lock-step run, which sees only divergences that some condition holds of."""

    def __init__(self, lockstep: LockStep, holds: Callable[[Sequence[RehearsedStep], Divergence], bool]) -> None:
        self._lockstep, self._holds = lockstep, holds

    def run(self, steps: Sequence[RehearsedStep], recheck: bool) -> tuple[int, Divergence] | None:
        """As that of `LockStep`."""
        found = self._lockstep.run(steps, recheck)
        return found if found is not None and self._holds(steps[: found[0]], found[1]) else None
