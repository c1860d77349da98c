"""`python -m tools.scaling`: how well up to 32 workers of a cluster are kept busy, plotted for the README.

Chunks of a run are timed here; workers of a cluster of Dask on this machine then sleep for as long, so that there can
be more of them than cores. They are handed out, waited for and joined as those of a campaign are. Efficiency: what
was slept, of what all workers could have slept while the run lasted.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.base.workers import AHEAD, Workers, in_order
from marginspec.lockstep.campaign import hunted
from marginspec.lockstep.chunks import CHUNK_STEPS, chunk_of
from marginspec.systems.registry import system
from marginspec.systems.system import opened
from tools.readme import FINDINGS

SYSTEM = "morpho-blue"
"""The fastest: its chunks are the shortest, and keep a scheduler busiest."""

TIMED = 6
"""Chunks that are timed."""

EACH = 16
"""Chunks for each worker."""

WORKERS = (1, 2, 4, 8, 16, 32)

SECONDS_TO_START = 300
"""All workers."""


class Sleepers(Workers[float]):
    """Workers of a cluster that sleep instead of running a chunk."""

    def __init__(self, client: Any, lengths: list[float]) -> None:
        self._pool, self._many, self._lengths = client.get_executor(pure=False), len(client.nthreads()), lengths

    def ahead(self) -> int:
        return AHEAD * self._many

    def submit(self, number: int) -> Future[float]:
        return self._pool.submit(slept, self._lengths[number % len(self._lengths)])  # type: ignore[no-any-return]

    def done(self) -> int:
        return 0

    def end(self) -> None:
        return None


def slept(seconds: float) -> float:
    """Sleep, on a worker; the seconds that it took."""
    begin = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - begin


def chunk_seconds() -> list[float]:
    """How long each of some chunks takes on this machine."""
    chosen, found = system(SYSTEM), []
    with opened(chosen, "embedded", ()) as target, process.progress("timing chunks", TIMED) as advance:
        for number in range(TIMED):
            begin = time.perf_counter()
            part = hunted(chosen.model, target, chunk_of(TIMED * CHUNK_STEPS, 1, number), lambda done: None)
            if part.failing is not None:
                raise RuntimeError(f"chunk {number}: {part.failing[1]}")
            found.append(time.perf_counter() - begin)
            advance(number + 1)
    return found


def efficiency(workers: int, lengths: list[float]) -> float:
    """What a number of workers slept, of what they could have slept meanwhile."""
    try:
        dask = importlib.import_module("distributed")
    except ImportError:
        raise BadInput("this needs Dask: make scaling") from None
    quiet = {"silence_logs": "CRITICAL", "dashboard_address": None, "memory_limit": 0}
    with (
        dask.LocalCluster(n_workers=workers, threads_per_worker=1, **quiet) as cluster,
        dask.Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(workers, SECONDS_TO_START)
        begin = time.perf_counter()
        pieces = range(EACH * workers)
        total = in_order(Sleepers(client, lengths), pieces, float.__add__, lambda done: False, lambda done: None)
        return (total or 0.0) / (workers * (time.perf_counter() - begin))


def measure(lengths: list[float]) -> int:
    """Measure and plot into `findings/`. lengths: seconds of chunks, else timed here."""
    lengths = lengths or chunk_seconds()
    found = dict[int, float]()
    with process.progress("workers that sleep", len(WORKERS)) as advance:
        for done, workers in enumerate(WORKERS, 1):
            found[workers] = round(efficiency(workers, lengths), 3)
            advance(done)
    scaled = {"system": SYSTEM, "chunk seconds": [round(each, 2) for each in lengths], "efficiency": found}
    (FINDINGS / "scaling.json").write_text(json.dumps(scaled, indent=1) + "\n")
    plot(found, sum(lengths) / len(lengths), FINDINGS / "scaling.svg")
    print(json.dumps(scaled))
    return process.HOLDS


def plot(found: Mapping[int, float], mean: float, file: Path) -> None:
    """Efficiency against the number of workers."""
    matplotlib.use("svg")
    # The same figures are the same file, and text stays text.
    pyplot.rcParams.update({"svg.hashsalt": "marginspec", "svg.fonttype": "none", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(6.4, 3.0), layout="constrained")
    axes.plot(list(found), list(found.values()), marker="o")
    for workers, share in found.items():
        axes.annotate(f"{share:.2f}", (workers, share), xytext=(0, -14), textcoords="offset points", ha="center")
    axes.set(xlabel="workers", ylabel="efficiency", xscale="log", ylim=(0, 1.05), title=f"Chunks of {mean:.1f} s")
    axes.set_xticks(list(found), [str(workers) for workers in found], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    process.run(functools.partial(measure, [float(each) for each in sys.argv[1:]]))
