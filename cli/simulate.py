"""`marginspec simulate`: many accounts of the reference venue under price paths."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from marginspec.base.errors import BadInput
from marginspec.base.process import VERDICTS, Output, emit, progress
from marginspec.base.workers import cores
from marginspec.cli.options import DEFAULT, Budget, Json, NoCache, Seed, SystemName
from marginspec.report.simulation import show_simulate
from marginspec.results.simulation import simulate_code, simulate_document
from marginspec.simulation.experiment import simulate as all_runs
from marginspec.simulation.paths import path_source
from marginspec.simulation.terms import VARIANTS, SimulationTerms

STEP = 60  # seconds, of drawn paths


def simulate(
    name: SystemName = DEFAULT,
    path: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="gbm, jumps, garch, crash, or a CSV file: seconds,price (USD).")
    ] = "crash",
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="How often to draw people, and a path.")] = 8,
    accounts: Annotated[int, typer.Option(min=10, max=100_000, help="How many trade.")] = 2000,
    hours: Annotated[int, typer.Option(min=2, max=720, help="How long drawn paths are.")] = 48,
    latency: Annotated[int, typer.Option(min=0, help="Seconds until liquidators act.")] = SimulationTerms.latency,
    capacity: Annotated[
        int, typer.Option(min=0, help="USD a minute that a liquidator takes over, for each account of the venue.")
    ] = SimulationTerms.capacity,
    budget: Budget = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    seed: Seed = 1,
) -> int:
    """What becomes of thousands of accounts when prices move: bad debt, liquidations, who pays; with and without margin
    that looks ahead (chapter 14) and hedging (chapter 15).

    A crash, with liquidators that are late: marginspec simulate --latency 1800

    Jumps, for an hour of two cores: marginspec simulate --path jumps --runs 200 --budget 3600

    One's own prices: marginspec simulate --path prices.csv

    With pictures: marginspec simulate --json > out/simulate.json, then marginspec report out/simulate.json

    A run that is done is kept: what was interrupted goes on where it stopped, by the same command.

    The exact model decides what becomes of every account; paths, people and liquidators are drawn and assumed, and no
    forecast. Each run has all variants on the same path with the same people. All trades are at the mark: no funding
    flows. Owners do nothing once they have traded.

    Exit code 0: where the premises of the buffer theorem held nobody lost more than it allows, and what went in is what
    came out and is held. 1: not so. 3: nobody was ever liquidated under these premises, or not all runs were done.
    """
    if name != "reference":
        raise BadInput(f"simulate {name}: nobody has said how its accounts behave; simulate takes reference alone")
    started, terms = time.perf_counter(), SimulationTerms(accounts=accounts, latency=latency, capacity=capacity)
    source = path_source(path, hours, STEP)
    with progress(f"runs of {len(VARIANTS)} variants", runs) as advance:
        found = all_runs(source, terms, seed, runs, cores(), advance, keep=not no_cache)
    document = simulate_document(name, source, terms, seed, runs, found, time.perf_counter() - started)
    code = simulate_code(document)
    document["verdict"] = VERDICTS[code]
    if as_json:
        emit(document)
    else:
        show_simulate(document, Output())
    return code
