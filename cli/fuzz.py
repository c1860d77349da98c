"""`marginspec fuzz`: the lock-step run, of an implementation and the model, or of the laws alone."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.errors import BadInput
from marginspec.base.process import Output, emit
from marginspec.cli.options import (
    DEFAULT,
    AllowUnmodelled,
    Artifacts,
    Budget,
    Cluster,
    Corpus,
    Json,
    Lcov,
    RequireReach,
    Seed,
    Steps,
    SystemName,
    TargetName,
    Watch,
    watched,
)
from marginspec.conformance.search import seeds
from marginspec.report import terminal
from marginspec.report.gate import show_kept_runs
from marginspec.report.laws import show_laws
from marginspec.results import documents
from marginspec.results.settings import read_settings
from marginspec.runs.cluster import on_cluster
from marginspec.runs.documents import fuzz_document
from marginspec.runs.laws_only import laws_document
from marginspec.runs.line_coverage import opened
from marginspec.systems.registry import system
from marginspec.targets.evm.artifact import candidates


def fuzz(
    name: SystemName = DEFAULT,
    steps: Steps = 20_000,
    seed: Seed = 1,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    require_reach: RequireReach = False,
    allow_unmodelled: AllowUnmodelled = None,
    laws_only: Annotated[
        bool,
        typer.Option("--laws-only", help="Compare with no model: judge what the implementation shows, by the laws."),
    ] = False,
    corpus: Corpus = None,
    cluster: Cluster = None,
    budget: Budget = None,
    lcov: Lcov = None,
    watch: Watch = False,
    as_json: Json = False,
) -> int:
    """Compare an implementation with the model, call by call, every observation, exactly.

    A long run: marginspec fuzz morpho-blue --steps 200000 --require-reach

    For an auditor, who trusts no model of it: marginspec fuzz --laws-only

    What diverged before, first: marginspec fuzz morpho-blue --corpus .marginspec

    On a cluster of Dask's: marginspec fuzz --steps 10000000 --cluster tcp://10.0.0.1:8786

    Morpho's own SDK: marginspec fuzz morpho-blue --target sdk

    Exit code 0: no divergence, no law broken. 1: one of them, shrunk and written to out/traces/. 3: too little was
    seen, e.g. an action never accepted or never refused, a function that no action calls. 4: the implementation failed.
    """
    if watch:
        return watched(name, artifact)
    chosen = system(name)
    settings = read_settings(Path.cwd())
    allowed = {*settings.allow_unmodelled, *(allow_unmodelled or ())}
    if laws_only and (corpus is not None or cluster is not None):
        raise BadInput("--corpus and --cluster are for divergences from a model, and --laws-only compares with none")
    builds = candidates(artifact)
    with opened(chosen, target, builds, lcov) as (implementation, lines_told):
        if laws_only:
            document = laws_document(chosen, implementation, target, steps, seed, builds, allowed)
        else:
            hard = functools.partial(seeds, chosen.model)
            team = on_cluster(cluster, chosen, target, implementation, builds, steps, seed) if cluster else None
            document = fuzz_document(chosen, implementation, target, steps, seed, corpus, builds, allowed, hard, team)
        document |= lines_told()
    if as_json:
        emit(document)
    elif laws_only:
        show_laws(document, Output())
    else:
        terminal.show_fuzz(document, Output())
        show_kept_runs(document, Output())
    return documents.fuzz_code(document, require_reach or settings.require_reach)
