"""`python -m tools.bench SYSTEM`: how fast, and how much memory, in one run, as the document `…/bench/1`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

from marginspec.base import process
from marginspec.lockstep import bench
from marginspec.properties.ranges import with_ranges
from marginspec.prover.prove import Prover, prove_all
from marginspec.systems.registry import system
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from tools import gate_bench

ROUNDS = 5
STEPS = 20_000
"""Of each round: long enough that what a run does once does not count."""


def measure(name: str) -> int:
    """Measure everything, and emit the document."""
    chosen, workers = system(name), os.cpu_count() or 1
    claims, verdicts = with_ranges(chosen.model, chosen.chapter), []
    # Proofs first: they run in other processes, so that their memory is not counted as the comparison's.
    started = time.perf_counter()
    with process.progress("proving", len(claims)) as advance:
        for verdict in prove_all(Prover(chosen.model), claims, workers):
            verdicts.append(verdict)
            advance(len(verdicts))
    seconds = time.perf_counter() - started
    with process.progress("comparing, in rounds", ROUNDS) as advance:
        measured = bench.measure(lambda: chosen.adapter({}), STEPS, 1, ROUNDS, advance)
    gain = bench.gain(chosen.model, EvmTarget("embedded", chosen.adapter({}), Embedded()), 1)
    process.emit(
        {
            "schema": "marginspec/bench/1",
            "system": chosen.name,
            "cores": workers,
            "python": platform.python_version(),
            "steps": measured.steps,
            "loop_steps_per_second": round(measured.loop_rate),
            "raw_steps_per_second": round(measured.raw_rate),
            "ratio": round(measured.ratio, 3),
            "gain_of_two_processes": round(gain, 2),
            "peak_bytes": measured.peak,
            "bytes_per_step": round(measured.slope, 3),
            "peak_bytes_of_a_million_steps": round(measured.peak_of_a_million),
            "proof_seconds": round(seconds, 1),
            "proved": sum(v.verdict == "proved" for v in verdicts),
            "confirmed": sum(v.confirmed for v in verdicts),
            "properties": len(claims),
            "start_seconds": _start_seconds(),
            **({"gate": gate_bench.measure()} if chosen.name == "morpho-blue" else {}),
        }
    )
    return process.HOLDS


def _start_seconds() -> float:
    """Seconds until `marginspec --help` has said what there is, the least of some."""
    spent = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "marginspec", "--help"], stdout=subprocess.DEVNULL, check=True)
        spent.append(time.perf_counter() - started)
    return round(min(spent), 2)


def main() -> None:
    """Measure the system that is named."""
    process.run(lambda: measure(sys.argv[1]))


if __name__ == "__main__":
    main()
