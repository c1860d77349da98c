"""The monitor: an implementation by itself, judged by laws on its own observations; for who has no model to trust.

The model compares nothing here. It draws the calls, as any fuzzer might, and begins each from the state that the
implementation was last seen in; its own opinion of a call (accepted or refused, and what then is) is thrown away.
"""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.base.ending import ended, until_ended
from marginspec.base.errors import BadInput
from marginspec.base.workers import Tell
from marginspec.lockstep.chunks import Chunk, Team, in_chunks
from marginspec.lockstep.comparison import Divergence, Tally
from marginspec.lockstep.floor import missing
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.judge import Breach, Judge, Transition
from marginspec.lockstep.rehearsal import Rehearsal, RehearsedStep, rehearse
from marginspec.lockstep.rules_reached import rules_of, unreached
from marginspec.lockstep.shrink import confirm, shrink_by
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.model.kernel.machine import Call, Machine
from marginspec.properties.law import Property
from marginspec.targets.protocol import Limits, Partial, Target, build_of, limits_of

AT_FIRST = "genesis"
"""In the place of an action, of a law that does not hold before any."""


@dataclass(frozen=True)
class Violation:
    """A law that an implementation broke, and the shortest trace that shows it; the first call, if it began so.

    divergence: the action, the law's ID, its text, and the case in which it is broken.
    """

    divergence: Divergence
    trace: Trace


@dataclass(frozen=True)
class MonitorRun:
    """What a run of the monitor found.

    violation: the first, if any. broken: every law broken in the sequence that it was found in. found_after: steps,
    None if nothing was. judged: in how many cases each law was asked, by ID. unreached: rules and regimes of the model.
    limits: what the run cannot have seen of the implementation. ended: why it was told to end early, empty where it was
    not. The tally's actions are those of the implementation.
    """

    tally: Tally
    violation: Violation | None
    broken: tuple[str, ...]
    found_after: int | None
    judged: Mapping[str, int]
    seed: int
    seconds: float
    unreached: list[str]
    limits: Limits
    ended: str = ""

    @property
    def steps_per_second(self) -> float:
        """Of drawing, implementation and laws together; shrinking is not counted."""
        return self.tally.steps / self.seconds if self.seconds else 0.0


class Monitor:
    """One implementation and the laws. Takes calls as `LockStep` does, so that traces shrink by either."""

    def __init__(self, model: type[Machine], target: Target, claims: Sequence[Property]) -> None:
        places = len(model.blank().flatten())
        if isinstance(target, Partial) and len(target.observed) != places:
            raise BadInput(
                f"{target.name} shows {len(target.observed)} of {places} observations: laws need all of them"
            )
        self._target, self._judge = target, Judge(model, claims)
        self._rules = _rules_by_reason(model, target)
        self.state: list[Any] = []

    @property
    def judged(self) -> Counter[str]:
        """How often each law said something."""
        return self._judge.judged

    def start(self) -> list[Breach]:
        """Begin anew; invariants that do not hold then."""
        self._target.reset()
        self.state = self._target.observe()
        return list(self._judge.state(self.state))

    def take(self, call: Call) -> tuple[Transition, list[Breach]]:
        """Let the implementation take a call: what was seen, and which laws that breaks."""
        before, answer = self.state, self._target.apply(call)
        self.state = self._target.observe()
        rule = None if answer.accepted else self._rules.get(answer.reason, answer.reason)
        seen = Transition(call, rule, answer.returns, before, self.state)
        return seen, list(self._judge.transition(seen))

    def run(self, steps: Sequence[RehearsedStep], recheck: bool) -> tuple[int, Divergence] | None:
        """The calls of some steps, up to the first broken law. recheck: has no meaning here."""
        breaches = self.start()
        if breaches and not steps:
            return 0, divergence(AT_FIRST, breaches[0])
        for done, step in enumerate(steps, 1):
            seen, breaches = self.take(step.call)
            if breaches:
                return done, divergence(seen.call.action, breaches[0])
        return None


def _rules_by_reason(model: type[Machine], target: Target) -> dict[str, str]:
    """The rule that an implementation means by a reason, where it is the only one."""
    rules = defaultdict(list)
    for rule in rules_of(model):
        with contextlib.suppress(KeyError):  # a rule that refuses nothing has no reason
            rules[target.expected_reason(rule)].append(rule)
    return {reason: found[0] for reason, found in rules.items() if len(found) == 1}


def divergence(action: str, breach: Breach) -> Divergence:
    """A broken law in the form of a divergence: the action, the law's ID, the law, and the case."""
    return Divergence(action, breach.law.id, breach.law.law, told(breach))


def told(breach: Breach) -> str:
    """The case in which a law is broken, in words."""
    shown = ", ".join(f"{name} = {value}" for name, value in breach.case.items())
    return f"broken for {shown}" if shown else "broken"


@dataclass(frozen=True)
class MonitorPart:
    """What came of a chunk of a run, or of several: `MonitorRun` says more. found: broken laws, each with the calls
    that show it. calls: of the last sequence."""

    tally: Tally
    judged: Counter[str]
    found: Sequence[tuple[list[Call], Divergence]] = ()
    found_after: int | None = None
    calls: list[Call] = field(default_factory=list)

    def __add__(self, other: MonitorPart) -> MonitorPart:
        after = None if other.found_after is None else self.tally.steps + other.found_after
        # The sum of two counters leaves out what neither counted: laws that said nothing.
        judged = Counter({law: self.judged[law] + other.judged[law] for law in other.judged})
        return MonitorPart(self.tally + other.tally, judged, other.found, after, other.calls)


def run(
    model: type[Machine],
    target: Target,
    claims: Sequence[Property],
    steps: int,
    seed: int,
    on_progress: Callable[[int], object] | None = None,
    shrinking: bool = True,
    team: Team | None = None,
) -> MonitorRun:
    """Take `steps` steps, fewer only when a law breaks, which ends the run with its sequence.

    on_progress: told how many steps are done. team: who does the chunks of a long run, see `in_chunks`. Raises BadInput
    for a target that does not show everything, and what the target raises.
    """
    watch = Monitor(model, target, claims)
    started = time.perf_counter()
    do = functools.partial(judged, model, target, claims)
    part = in_chunks(target, steps, seed, do, lambda part: bool(part.found), on_progress, team)
    part = part or MonitorPart(Tally(), Counter())
    seconds, violation, limits = time.perf_counter() - started, None, limits_of(target)
    if part.found:
        calls, first = part.found[0]
        if shrinking:
            if calls:
                calls, first = shrink_by(watch, model, calls, first)
            confirm(watch, rehearse(model, calls), first)
        trace = trace_of(model, target.name, seed, calls or part.calls[:1], first, build_of(target))
        violation = Violation(first, trace)
    broken = tuple(dict.fromkeys(each.field for _, each in part.found))
    lost = unreached(model, part.tally)
    return MonitorRun(
        part.tally, violation, broken, part.found_after, part.judged, seed, seconds, lost, limits, ended()
    )


def judged(model: type[Machine], target: Target, claims: Sequence[Property], chunk: Chunk, tell: Tell) -> MonitorPart:
    """Take the steps of a chunk, up to the end of the sequence in which a law breaks."""
    hunt, draw = _Monitored(model, Monitor(model, target, claims)), random.Random(chunk.seed)

    def judging() -> None:
        while (left := chunk.steps - hunt.tally.steps) > 0 and not hunt.found and not ended():
            hunt.look_for(missing(model, hunt.tally.actions) if hunt.tally.steps >= left else ())
            hunt.sequence(draw.randbytes, min(SEQUENCE_STEPS, left))
            tell(hunt.tally.steps)

    until_ended(judging)
    return MonitorPart(hunt.tally, hunt.monitor.judged, hunt.found, hunt.found_after, hunt.calls)


class _Monitored:
    """Sequences, one after the other; the calls of the last, and what was found in it."""

    def __init__(self, model: type[Machine], monitor: Monitor) -> None:
        self.monitor, self.tally = monitor, Tally()
        self.found: list[tuple[list[Call], Divergence]] = []
        self.found_after: int | None = None
        self.calls: list[Call] = []
        self._rehearsal, self._generator = Rehearsal(model), Generator(model)
        self._strayed = False

    def look_for(self, lacking: Collection[tuple[str, bool]]) -> None:
        """Draw more often what a run lacks: actions never accepted (True) or never refused."""
        self._generator.wanted = frozenset(action for action, _ in lacking)

    def sequence(self, bytes_of: Callable[[int], bytes], length: int) -> None:
        """Draw calls and let the implementation take them."""
        rehearsal, generator, tally = self._rehearsal, self._generator, self.tally
        self.calls = calls = list[Call]()
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        tally.sequences += 1
        self._strayed = False
        self._note(calls, AT_FIRST, self.monitor.start())
        self._follow()
        for _ in range(length):
            try:
                call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
                step = rehearsal.taken(call, outcome)
            except (ArithmeticError, LookupError):
                if self._strayed and calls:
                    break  # the implementation is in a state for which the model knows no calls
                raise
            calls.append(call)
            seen, breaches = self.monitor.take(call)
            tally.steps += 1
            tally.accepted += seen.rule is None
            tally.rejected += seen.rule is not None
            tally.actions[call.action, seen.rule is None] += 1
            tally.rules.update(step.rules)
            tally.regimes.update(step.regimes)
            self._note(calls, call.action, breaches)
            self._follow()
        tally.comparisons = sum(self.monitor.judged.values())

    def _note(self, calls: list[Call], action: str, breaches: list[Breach]) -> None:
        if breaches and self.found_after is None:
            self.found_after = self.tally.steps
        self.found += [(calls.copy(), divergence(action, breach)) for breach in breaches]

    def _follow(self) -> None:
        """The next call is drawn for the state that the implementation is in."""
        rehearsal, seen = self._rehearsal, self.monitor.state
        if rehearsal.state != seen:
            self._strayed = True
            rehearsal.machine.load(seen)
            rehearsal.state = seen
