"""Many runs, in processes of their own, up to where somebody says that it is enough."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from marginspec.base.ending import up_to_the_end
from marginspec.base.workers import as_done
from marginspec.simulation.kept import run_kept
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
    keep: bool = False,
) -> Results:
    """All runs, or those that were done when the process was told to end. advance: told how many are done.

    keep: whether what comes of a run is kept, and taken where it was. It is the same with any number of workers.
    """
    found: Results = {}
    for number, result in up_to_the_end(_each(source, terms, seed, runs, workers, keep)):
        found[number] = result
        advance(len(found))
    return dict(sorted(found.items()))


def _each(
    source: PathSource, terms: SimulationTerms, seed: int, runs: int, workers: int, keep: bool
) -> Iterator[tuple[int, dict[str, RunResult]]]:
    global _JOB
    _JOB = source, terms, seed, keep
    if workers <= 1 or runs <= 1:
        yield from ((number, _run_nth(number)) for number in range(runs))
        return
    yield from as_done(_run_nth, range(runs), min(workers, runs))


_JOB: tuple[PathSource, SimulationTerms, int, bool]


def _run_nth(n: int) -> dict[str, RunResult]:
    source, terms, seed, keep = _JOB
    make = functools.partial(run_all, source, terms, seed, n)
    return run_kept(make, source, terms, seed, n) if keep else make()
