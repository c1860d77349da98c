"""Two implementations and the model, in lock-step: what an upgrade changes.

Both take the calls that the model took. Where one departs from the model and the other does not, or both do and not
alike, the upgrade has changed something; the model says which of the two it is. Then that call is left out and the
sequence goes on, so that one difference does not hide the others.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.differential.blame import Agreed, Cause, Reply, Witness, beginning, causes
from marginspec.differential.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.differential.lockstep import Divergence, LockStep, Tally
from marginspec.differential.sequence import Rehearsal, Step
from marginspec.differential.shrink import shrink
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain
from marginspec.targets.protocol import Target

SIDES = ("base", "head")

BEGINNING = "set-up"
"""What a difference is named after that is there before the first call, when no rule is found that is behind it."""

AGAIN = 6
"""So many calls are left out of one sequence at most; then the next begins."""

KEPT = 4
"""Of each way in which an implementation departs, so many witnesses are kept, or one once there are many."""

MANY = 24
"""Witnesses."""

KEPT_AGREED = 40
"""Of each action, so many calls are kept on which both agreed with the model."""

NEAR_AGREED = 120
"""Of each action, so many more of vectors: they stand near its decisions, which tells causes apart."""

SHORT = 6
"""A difference is shrunk from one witness after another until it shows in so few steps."""

TRIED = 6
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

    steps: Sequence[Step]
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


@dataclass(frozen=True)
class Difference:
    """What an upgrade changes of one rule. rules: concerned, the likeliest first. parting: the shortest found.

    like: the change of the model that makes it do the same, empty if none was found; exact: whether it changes nothing
    else. ways: how it shows, as (rule or action, field), with how often it did.
    """

    rules: tuple[str, ...]
    like: str
    exact: bool
    parting: Parting
    ways: dict[tuple[str, str], int]


@dataclass
class Comparison:
    """What a run compared. steps: calls drawn; vectors: runs that were given; comparisons: values, of both sides, calls
    that were run again included.

    alike: ways in which both sides depart from the model alike, with how often: no difference between them. agreed: how
    often both sides, and the model, accepted an action (True), and how often they refused it.
    """

    steps: int = 0
    sequences: int = 0
    vectors: int = 0
    comparisons: int = 0
    left_out: int = 0
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


def _sequences(model: type[Machine], steps: int, seed: int) -> Iterator[list[Step]]:
    """Sequences of calls as a campaign draws them, `steps` in all."""
    bytes_of, rehearsal, generator = random.Random(seed).randbytes, Rehearsal(model), Generator(model)
    while steps > 0:
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        drawn = []
        for _ in range(min(steps, SEQUENCE_STEPS)):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
            drawn.append(rehearsal.taken(call, outcome))
        steps -= len(drawn)
        yield drawn


class Upgrade:
    """The comparison, in two parts that each take their time: first `run`, then `explained`."""

    def __init__(self, model: type[Machine], base: Target, head: Target) -> None:
        self.result = Comparison()
        self._model, self._targets = model, (base, head)
        self._locksteps = [LockStep(model, target) for target in self._targets]
        self._rehearsal = Rehearsal(model)
        self._genesis = model.genesis().flatten()
        self._apart = [self._begins(target) != self._genesis for target in self._targets]
        self._ways: Counter[tuple[str, tuple[str, str]]] = Counter()
        self._partings: list[Parting] = []
        self._agreed: defaultdict[str, list[Agreed]] = defaultdict(list)
        self._enough_agreed = KEPT_AGREED

    @staticmethod
    def _begins(target: Target) -> list[Any]:
        target.reset()
        return list(target.observe())

    def run(self, steps: int, seed: int, on_progress: Callable[[int], None] | None = None) -> None:
        """Draw `steps` calls and compare base, head and model on them.

        One sequence only where an implementation is in another state than the model from the beginning. on_progress:
        called with the number of steps after each sequence.
        """
        if steps < 1:
            raise ValueError(f"steps is {steps}, must be at least 1: a run that compares nothing is no pass")
        for drawn in _sequences(self._model, steps, seed):
            self.result.steps += len(drawn)
            self._sequence(drawn)
            if on_progress is not None:
                on_progress(self.result.steps)
            if any(self._apart):
                break  # then every call differs

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

    def _sequence(self, steps: list[Step]) -> None:
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
        result.comparisons = sum(lockstep.tally.comparisons for lockstep in self._locksteps)
        result.tally = self._locksteps[0].tally
        base, head = (lockstep.tally.actions for lockstep in self._locksteps)
        result.agreed = base & head

    def _parting(self, steps: list[Step], recheck: bool) -> tuple[int, Parting | None]:
        """After how many steps a side departs from the model, 0 if none does; how the sides part there, if they do."""
        found = [lockstep.run(steps, recheck) for lockstep in self._locksteps]
        at = min((each[0] for each in found if each is not None), default=0)
        if at == 0:
            return 0, None
        here = {side: each[1] for side, each in zip(SIDES, found, strict=True) if each is not None and each[0] == at}
        departs = "both" if len(here) == 2 else next(iter(here))
        divergence = list(here.values())[-1]
        way = departs, divergence.key
        known, enough = self._ways[way], KEPT if len(self._partings) < MANY else 1
        if departs != "both" and known >= enough:
            self._ways[way] += 1
            return at, None
        parting = Parting(steps[:at], departs, divergence, self._replies(steps[:at]))
        if parting.replies[0] == parting.replies[1]:
            self.result.alike[divergence.key] += 1
            return at, None
        self._ways[way] += 1
        if known < enough:
            self._partings.append(parting)
        return at, parting

    def _replies(self, steps: Sequence[Step]) -> tuple[Reply, Reply]:
        return _reply(self._targets[0], steps), _reply(self._targets[1], steps)

    def _note_agreed(self, steps: Sequence[Step]) -> None:
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
        merged, differences = _merged(found), self.result.differences
        for cause, partings in merged:
            if on_progress is not None:
                on_progress(1 + len(differences), 1 + len(merged))
            differences.append(self._difference(cause, partings))
        differences.sort(key=lambda difference: -sum(difference.ways.values()))
        return self.result

    def _beginning(self, side: int) -> Cause:
        rules, like = beginning(self._model, self._begins(self._targets[side]))
        return Cause(rules or (BEGINNING,), like, bool(like), ())

    def _side(self, departs: str) -> int:
        return 0 if departs == "base" else 1

    def _witness(self, parting: Parting, side: int) -> Witness:
        *earlier, last = parting.steps
        before = earlier[-1].state if earlier else self._genesis
        return Witness(before, last.call, last.outcome, parting.replies[side], parting.divergence)

    def _difference(self, cause: Cause, partings: list[Parting]) -> Difference:
        """The plainest way in which it shows that is short, else the shortest."""
        tried = []
        for parting in sorted(partings, key=lambda parting: (parting.plainness, len(parting.steps)))[:TRIED]:
            tried.append(self._shrunk(parting))
            if len(tried[-1].steps) <= SHORT:
                break
        shortest = self._told_apart(min(tried, key=lambda parting: len(parting.steps)))
        ways = dict.fromkeys((parting.departs, parting.divergence.key) for parting in partings)
        counts = {key: self._ways[departs, key] for departs, key in ways}
        return Difference(cause.rules, cause.like, cause.exact, shortest, counts)

    def _shrunk(self, parting: Parting) -> Parting:
        """A parting shrunk on the side that departs, as long as the other side then still does something else."""
        target = self._targets[self._side(parting.departs)]
        calls, divergence = shrink(self._model, target, parting.calls, parting.divergence, EFFORT)
        return self._again(parting, calls, divergence) or parting

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
                if other is not None and other.plainness == parting.plainness:
                    return other
        return parting


def _reply(target: Target, steps: Sequence[Step]) -> Reply:
    """What an implementation does with the last of some calls; what its getters say where its storage says nothing."""
    target.reset()
    for step in steps:
        answer = target.apply(step.call)
    state = list(target.observe())
    return Reply(answer, state if state != steps[-1].state else list(target.recheck()))


def _merged(found: list[tuple[Cause, list[Parting]]]) -> list[tuple[Cause, list[Parting]]]:
    """One difference for each rule and side: the first cause speaks for the others."""
    by_rule: dict[tuple[str, str], tuple[Cause, list[Parting]]] = {}
    for cause, partings in found:
        known = by_rule.setdefault((cause.rules[0], partings[0].departs), (cause, []))
        known[1].extend(partings)
    return list(by_rule.values())
