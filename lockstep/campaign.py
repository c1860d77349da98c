"""A campaign: sequences of calls from Hypothesis, model and implementation in lock-step, failures shrunk."""

from __future__ import annotations

import contextlib
import functools
import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import hypothesis
from hypothesis import Phase
from hypothesis.strategies import binary

from marginspec.base.ending import Ended, ended, until_ended
from marginspec.base.errors import NothingCompared
from marginspec.base.workers import Tell
from marginspec.lockstep.chunks import Chunk, Team, in_chunks
from marginspec.lockstep.comparison import Divergence, LockStep, Tally
from marginspec.lockstep.floor import missing
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal, RehearsedStep, rehearse
from marginspec.lockstep.rules_reached import unreached
from marginspec.lockstep.shrink import shrink
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.model.kernel.machine import Call, Machine
from marginspec.targets.protocol import Limits, Partial, Target, build_of, limits_of

# Asking public getters costs as much as tens of steps.
RECHECK_EVERY = 10

TRIES = 100
"""Sequences that a run draws anew at most, of the model alone, in search of what it lacks: a few seconds."""


@dataclass(frozen=True)
class Found:
    """A divergence and the shortest trace that shows it."""

    divergence: Divergence
    trace: Trace


@dataclass(frozen=True)
class Campaign:
    """What a run found.

    unreached: rules and regimes of the model that it did not reach, those of `never` aside. limits: what the run cannot
    have seen of the implementation. ended: why it was told to end early, empty where it was not; a trace is then not
    shrunk to its end.
    """

    tally: Tally
    divergences: list[Found]
    seed: int
    seconds: float
    unreached: list[str]
    limits: Limits
    ended: str = ""

    @property
    def steps_per_second(self) -> float:
        """Of all processes that took part; generation, model, implementation and comparison, and no shrinking."""
        return self.tally.steps / self.seconds if self.seconds else 0.0


def follow(
    model: type[Machine], target: Target, runs: Iterable[Sequence[Call]], seed: int, most: int | None = None
) -> tuple[int, Campaign | None]:
    """Run some calls from genesis, run by run: how many runs, and the campaign that the first divergence makes.

    seed: of the campaign. most: steps, after which no run is begun. Fewer runs where the run is told to end, also while
    `runs` are made. Raises what the target raises.
    """
    started, lockstep, number = time.perf_counter(), LockStep(model, target), 0
    failing: tuple[list[Call], Divergence] | None = None

    def compare() -> None:
        nonlocal number, failing
        for calls in runs:
            if ended() or (most is not None and lockstep.tally.steps + len(calls) > most):
                break
            found = lockstep.run(rehearse(model, calls), recheck=True)
            number += 1
            if found is not None:
                done, divergence = found
                failing = list(calls[:done]), divergence
                break

    until_ended(compare)
    if failing is None:
        return number, None
    seconds, limits = time.perf_counter() - started, limits_of(target)
    found = [_shortest(model, target, seed, *failing)]
    missing = unreached(model, lockstep.tally)
    return number, Campaign(lockstep.tally, found, seed, seconds, missing, limits, ended())


def _shortest(model: type[Machine], target: Target, seed: int, calls: list[Call], divergence: Divergence) -> Found:
    """The shortest trace that shows a divergence. seed: of the run that found it."""
    calls, divergence = shrink(model, target, calls, divergence)
    return Found(divergence, trace_of(model, target.name, seed, calls, divergence, build_of(target)))


@dataclass(frozen=True)
class Part:
    """What came of a chunk of a run, or of several. failing: the calls of a sequence, the last of which diverges."""

    tally: Tally
    failing: tuple[list[Call], Divergence] | None = None

    def __add__(self, other: Part) -> Part:
        return Part(self.tally + other.tally, self.failing or other.failing)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Steps make many objects and no cycles: looking for cycles as often as Python does costs a tenth of a run."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def run(
    model: type[Machine],
    target: Target,
    steps: int,
    seed: int,
    on_progress: Callable[[int], object] | None = None,
    only: frozenset[str] | None = None,
    team: Team | None = None,
    share: Sequence[int] | None = None,
) -> Campaign:
    """Take exactly `steps` steps, fewer only when a divergence ends the run, or who runs it; the same calls for a seed.

    on_progress: told how many steps are done. only: actions to draw from, all if None. team, share: who does which
    chunks of a long run, see `in_chunks`. Raises what the target raises.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}, must be at least 1: a run that compares nothing is no pass")
    started = time.perf_counter()
    do = functools.partial(hunted, model, target, only=only)
    found = in_chunks(target, steps, seed, do, lambda part: part.failing is not None, on_progress, team, share)
    part = found or Part(Tally())
    seconds, tally = time.perf_counter() - started, part.tally
    if tally.comparisons == 0 and not ended():
        raise NothingCompared(f"{target.name}: {tally.steps} steps, nothing compared")
    limits = limits_of(target)
    shortest = [] if part.failing is None else [_shortest(model, target, seed, *part.failing)]
    return Campaign(tally, shortest, seed, seconds, unreached(model, tally), limits, ended())


def hunted(model: type[Machine], target: Target, chunk: Chunk, tell: Tell, only: frozenset[str] | None = None) -> Part:
    """Take the steps of a chunk, up to the first divergence."""
    hunt = _Drawing(model, target, chunk.steps, tell, only)
    with _rare_collections():
        until_ended(functools.partial(_hypothesize, hunt, -(-chunk.steps // SEQUENCE_STEPS), chunk.seed))
    return Part(hunt.lockstep.tally, hunt.failing)


class _Drawing:
    """What the function that Hypothesis calls needs and leaves behind."""

    def __init__(
        self,
        model: type[Machine],
        target: Target,
        steps: int,
        tell: Tell,
        only: frozenset[str] | None,
    ) -> None:
        self.lockstep, self._model, self._partial = LockStep(model, target), model, isinstance(target, Partial)
        self.failing: tuple[list[Call], Divergence] | None = None
        self.error: Exception | None = None
        self.left = steps
        self._stated = limits_of(target)
        self._recheck_every = getattr(target, "recheck_every", RECHECK_EVERY)
        self._tries = TRIES
        self._rehearsal, self._trial = Rehearsal(model), Rehearsal(model)
        self._generator = Generator(model, only)
        self._tell = tell

    @property
    def ended(self) -> bool:
        return self.failing is not None or self.error is not None

    def sequence(self, data: bytes) -> None:
        """Decode a sequence, first on the model alone, and run it on both sides."""
        steps = self._drawn(data, min(self.left, SEQUENCE_STEPS))
        self._rehearsal.check()
        found = self.lockstep.run(steps, recheck=self.lockstep.tally.sequences % self._recheck_every == 0)
        self.left -= len(steps)
        if found is not None:
            done, divergence = found
            self.failing = [step.call for step in steps[:done]], divergence
        self._tell(self.lockstep.tally.steps)

    def _drawn(self, data: bytes, length: int) -> list[RehearsedStep]:
        """Steps out of some bytes; in the second half of a run, out of others where they show nothing of what it lacks.

        The model alone says whether they do, which costs little.
        """
        lacking = self._lacking() if self.lockstep.tally.steps >= self.left else set()
        self._generator.wanted = frozenset(action for action, _ in lacking)
        steps = self._rehearsed(data, length, self._rehearsal)
        while lacking and self._tries and not any((s.call.action, s.outcome.accepted) in lacking for s in steps):
            self._tries -= 1
            data = blake2b(data, digest_size=START_BYTES).digest() + data[START_BYTES:]
            steps = self._rehearsed(data, length, self._trial)
        return steps

    def _lacking(self) -> set[tuple[str, bool]]:
        """What keeps the run below the floor and could still be drawn, in actions that the target executes."""
        counts = self.lockstep.tally.actions
        executed = {action for action, _ in counts} if self._partial else self._generator.drawn
        return {
            each for each in missing(self._model, counts, self._stated) if each[0] in executed & self._generator.drawn
        }

    def _rehearsed(self, data: bytes, length: int, rehearsal: Rehearsal) -> list[RehearsedStep]:
        generator, steps = self._generator, list[RehearsedStep]()
        rehearsal.start()
        generator.start(data[:START_BYTES])
        for at in range(START_BYTES, START_BYTES + length * STEP_BYTES, STEP_BYTES):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, data[at : at + STEP_BYTES])
            steps.append(rehearsal.taken(call, outcome))
        return steps


class _Ended(Exception):  # noqa: N818 - how a test function tells Hypothesis to stop
    """There is a divergence, or an error."""


def _hypothesize(hunt: _Drawing, examples: int, seed: int) -> None:
    size = START_BYTES + SEQUENCE_STEPS * STEP_BYTES

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        phases=[Phase.generate],
        derandomize=False,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.given(binary(min_size=size, max_size=size))
    def sequence(data: bytes) -> None:
        # Hypothesis runs a failing example again; what it does is known, and must not be counted twice.
        if not hunt.ended:
            # Its first example is the simplest, the same for every seed: all bytes zero.
            hypothesis.assume(any(data))
            if ended():
                raise Ended  # what the signal raised was lost, as in a callback of the collector of garbage
            try:
                hunt.sequence(data)
            except Exception as error:
                hunt.error = error
        if hunt.ended:
            raise _Ended

    with contextlib.suppress(_Ended):
        sequence()
    if hunt.error is not None:
        raise hunt.error
