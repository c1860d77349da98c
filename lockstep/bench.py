"""How fast the comparison runs, against the same calls on the bare EVM, and how much memory it takes.

Both are measured in one process and in turn, in processor time, so that whatever else the machine does disturbs little.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrevm

from marginspec.base.workers import Work, Workers, forked
from marginspec.lockstep.campaign import run
from marginspec.lockstep.chunks import CHUNK_STEPS, Team, alone
from marginspec.model.kernel.machine import Call, Machine
from marginspec.targets.evm.chain import GAS, Embedded
from marginspec.targets.evm.target import Adapter, EvmTarget
from marginspec.targets.protocol import Answer

MILLION = 1_000_000
LONG = 4 * CHUNK_STEPS
"""Steps of a run that processes share."""


@dataclass(frozen=True)
class Bench:
    """Rates are in steps per second of processor time; ratio is the median over the rounds; memory is in bytes.

    steps: compared, of all rounds. peak: the most that the process took, bench included. slope: what a step adds to
    it, over the second half of a run without a break.
    """

    steps: int
    loop_rate: float
    raw_rate: float
    ratio: float
    peak: int
    slope: float

    @property
    def peak_of_a_million(self) -> float:
        """Peak of a run of a million steps, extrapolated."""
        return self.peak + max(self.slope, 0.0) * MILLION


def measure(
    adapter: Callable[[], Adapter],
    steps: int,
    seed: int,
    rounds: int = 5,
    on_progress: Callable[[int], None] | None = None,
) -> Bench:
    """Run `rounds` campaigns in turn with their calls on the bare EVM, then one for memory; `steps` each.

    The calls of a campaign are recorded in a run of their own, so that keeping them costs the measured one nothing.
    adapter: makes one for each chain. Divergences end a campaign early, so the contracts must be the ones that the
    model is of. on_progress: called after each round.
    """
    chain = Embedded()
    known = adapter()
    model = known.model
    recorder = _Recorder("embedded", known, chain)
    target = EvmTarget("embedded", adapter(), Embedded())
    loops, raws, taken = [], [], 0
    for number in range(rounds):
        recorder.sequences = []
        run(model, recorder, steps, seed + number)
        started = time.process_time()
        campaign = run(model, target, steps, seed + number)
        loops.append(time.process_time() - started)
        raws.append(_bare(chain, known, recorder.sequences))
        taken += campaign.tally.steps
        if on_progress is not None:
            on_progress(number + 1)
    ratio = statistics.median(raw / loop for raw, loop in zip(raws, loops, strict=True))
    slope = _slope(target, model, rounds * steps, seed)
    return Bench(taken, taken / sum(loops), taken / sum(raws), ratio, _peak(), slope)


def gain(model: type[Machine], target: EvmTarget, seed: int) -> float:
    """How much sooner two processes are done with a long run than one, by the clock; the least of some rounds each."""

    def seconds(team: Team) -> float:
        return run(model, target, LONG, seed, team=team).seconds

    rounds = [(seconds(alone), seconds(_two)) for _ in range(2)]
    return min(one for one, _ in rounds) / min(two for _, two in rounds)


def _two(work: Work[Any], chunks: int, advance: Callable[[int], object]) -> AbstractContextManager[Workers[Any]]:
    return forked(work, chunks, 2)


class _Recorder(EvmTarget):
    """Keeps the calls of each sequence."""

    def __init__(self, name: str, adapter: Adapter, chain: Embedded) -> None:
        self.sequences: list[list[Call]] = []
        super().__init__(name, adapter, chain)

    def reset(self) -> None:
        super().reset()
        self.sequences.append([])

    def apply(self, call: Call) -> Answer:
        # Calls of the set-up come before the first sequence.
        if self.sequences:
            self.sequences[-1].append(call)
        return super().apply(call)


def _bare(chain: Embedded, adapter: Adapter, sequences: list[list[Call]]) -> float:
    """Seconds for the same calls and the same words read, encoded beforehand, without anything else."""
    encoded = [[_encoded(adapter, call) for call in calls] for calls in sequences]
    evm, slots = chain.evm, adapter.slots
    call_, clear, storage = evm.message_call, evm.reset_transient_storage, evm.storage
    started = time.process_time()
    for calls in encoded:
        chain.back()
        now = chain.time()
        for call in calls:
            if isinstance(call, int):
                now += call
                evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=now))
            else:
                try:  # noqa: SIM105 - contextlib.suppress takes its time
                    call_(*call, gas=GAS)
                except RuntimeError:
                    pass
                clear()
            [storage(address, slot) for address, slot in slots]
    return time.process_time() - started


def _encoded(adapter: Adapter, call: Call) -> int | tuple[str, str, bytes]:
    return call.arguments["seconds"] if call.action == "advance_time" else adapter.encode(call)


def _slope(target: EvmTarget, model: type[Machine], steps: int, seed: int) -> float:
    """Bytes that the process grows by per step, over the second half of a run."""
    halfway: list[tuple[int, int]] = []

    def note(done: int) -> None:
        if not halfway and done >= steps // 2:
            halfway.append((done, _resident()))

    run(model, target, steps, seed, note, team=alone)
    done, resident = halfway[0]
    return (_resident() - resident) / max(steps - done, 1)


def _resident() -> int:
    """Memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _peak() -> int:
    """The most memory that this process had at any time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
