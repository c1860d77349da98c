"""Many runs, in processes of their own, up to where somebody says that it is enough."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from marginspec.base.ending import up_to_the_end
from marginspec.simulation.paths import PathSource
from marginspec.simulation.run import RunResult, run_all
from marginspec.simulation.terms import SimulationTerms

Results = dict[int, dict[str, RunResult]]
"""Of each run, by its number, what came of every variant."""


def simulate(
    source: PathSource,
    terms: SimulationTerms,
    seed: int,
    runs: int,
    workers: int,
    advance: Callable[[int], None],
) -> Results:
    """All runs, or those that were done when the process was told to end. advance: told how many are done."""
    found: Results = {}
    for number, result in up_to_the_end(_each(source, terms, seed, runs, workers)):
        found[number] = result
        advance(len(found))
    return dict(sorted(found.items()))


def _each(
    source: PathSource, terms: SimulationTerms, seed: int, runs: int, workers: int
) -> Iterator[tuple[int, dict[str, RunResult]]]:
    global _JOB
    _JOB = source, terms, seed
    if workers <= 1 or runs <= 1:
        yield from map(_run_nth, range(runs))
        return
    with ProcessPoolExecutor(min(workers, runs), mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(_run_nth, n) for n in range(runs)]):
            yield done.result()


_JOB: tuple[PathSource, SimulationTerms, int]


def _run_nth(n: int) -> tuple[int, dict[str, RunResult]]:
    return n, run_all(*_JOB, n)
