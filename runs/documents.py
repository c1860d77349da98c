"""Runs of the prover, of the lock-step comparison and of mutants: with progress, described as JSON documents."""

from __future__ import annotations

import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from marginspec.base.ending import ended, until_ended
from marginspec.base.files import writable
from marginspec.base.process import progress
from marginspec.base.text import named, printable
from marginspec.base.workers import cores
from marginspec.lockstep.campaign import Campaign, follow, run
from marginspec.lockstep.chunks import Team
from marginspec.lockstep.corpus_store import open_corpus
from marginspec.lockstep.trace import Trace, read
from marginspec.model.kernel.machine import Call
from marginspec.mutation.mutants import Mutant
from marginspec.mutation.run import mutate
from marginspec.properties.ranges import with_ranges
from marginspec.prover.cache import KeptProver
from marginspec.prover.dependencies import Dependencies
from marginspec.prover.prove import Prover, Verdict, prove_all
from marginspec.results import documents
from marginspec.results.differences import departures
from marginspec.runs import exports
from marginspec.runs.traces import how_to_repeat, kept, where_it_can_be
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Partial, Target

Told = Callable[[int], object]
"""Is told how much is done."""

MUTANT_STEPS = 60_000  # of the lock-step run of each mutant


def prove_document(chosen: System, only: list[str] | None, folder: Path | None, anew: bool) -> dict[str, Any]:
    """Prove, with progress, and describe. anew: also what an earlier run proved of the same texts."""
    claims = with_ranges(chosen.model, chosen.chapter)
    if only:
        wanted = named(only, [c.id for c in claims], f"--only: {chosen.name} has no property")
        claims = [c for c in claims if c.id in wanted]
    if folder is not None:
        writable(folder, "--emit-smt2")
    prover = (Prover if anew else KeptProver)(chosen.model, folder)
    started, verdicts = time.perf_counter(), dict[str, Verdict]()

    def prove() -> None:
        with progress("proving", len(Dependencies(chosen.model, claims).claims)) as advance:
            for verdict in prove_all(prover, claims, cores(), advance):
                verdicts[verdict.id] = verdict

    until_ended(prove)
    listed = [verdicts.get(c.id) or prover.undecided(c) for c in claims]
    document = documents.prove_document(chosen.name, listed, time.perf_counter() - started)
    for row, verdict in zip(document["properties"], listed, strict=True):
        if verdict.verdict == "refuted" and verdict.replays:
            test = where_it_can_be(functools.partial(exports.write_law, chosen, row))
            row |= {} if test is None else {"test": test}
    return document


def mutate_document(
    chosen: System,
    steps: int,
    seed: int,
    proofs: bool = True,
    runs: Callable[[], Sequence[Sequence[Call]]] | None = None,
    only: Callable[[Mutant], bool] | None = None,
    weaken: bool = False,
    anew: bool = False,
) -> dict[str, Any]:
    """Try every mutant of the model and describe, as `mutate` does, with progress. anew: also those tried before."""
    with progress("mutants and laws", 1) as advance:
        return mutate(
            chosen.name,
            chosen.model,
            lambda: chosen.open("embedded"),
            chosen.chapter.properties,
            chosen.spec.with_suffix(".equivalent.toml"),
            steps,
            seed,
            proofs,
            runs,
            cores(),
            advance,
            only,
            weaken,
            anew,
        )


def fuzz_document(
    chosen: System,
    implementation: Target,
    target: str,
    steps: int,
    seed: int,
    corpus: str | None = None,
    builds: Sequence[Candidate] = (),
    allowed: Collection[str] = (),
    more: Callable[[], Iterable[Sequence[Call]]] = tuple,
    team: Team | None = None,
    share: Sequence[int] | None = None,
    looking: Callable[[Told], Told] = lambda told: told,
) -> dict[str, Any]:
    """Run a campaign, with progress, keep its traces, and describe.

    corpus: where traces are kept and tried first. builds: the candidates that the implementation has. allowed:
    functions of them that no action need call. more: asked for runs that come last, where nothing diverged so far.
    team, share: see `marginspec.lockstep.campaign.run`. looking: what is told of progress, made of who shows it.
    """
    earlier = None if corpus is None else open_corpus(corpus, chosen.model)
    replayed = None if earlier is None else earlier.replay(implementation, seed)
    campaign = None if replayed is None else replayed.campaign
    if campaign is None:
        with progress("comparing", steps) as advance:
            campaign = run(chosen.model, implementation, steps, seed, looking(advance), team=team, share=share)
    followed = None
    if not campaign.divergences and not ended():
        followed, diverged = follow(chosen.model, implementation, _when_asked(more), seed)
        divergences = [] if diverged is None else diverged.divergences
        campaign = dataclasses.replace(campaign, divergences=divergences, ended=ended())
    document = campaign_document(chosen, campaign, target, builds, allowed=allowed)
    if followed is not None:
        # How many of `more` were run, and whether the last of them ended the run.
        document["more_runs"] = {"followed": followed, "diverged": bool(campaign.divergences)}
    if earlier is not None and replayed is not None:
        for found in campaign.divergences:
            earlier.keep(found.trace)
        # Of what is kept: how many were run again, how many not, how many of these are no traces, and whether one of
        # them ended the run.
        document["corpus"] = {
            "replayed": replayed.traces,
            "left_out": replayed.left_out,
            "damaged": replayed.damaged,
            "diverged": replayed.campaign is not None,
        }
    return document


def _when_asked(more: Callable[[], Iterable[Sequence[Call]]]) -> Iterator[Sequence[Call]]:
    """Some runs, searched for when the first is asked for: a budget may be spent while they are."""
    yield from more()


def explained(chosen: System, implementation: Target, fuzz: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Explain the divergences of a `marginspec/fuzz/1` document, with progress: which rule, whom it hurts.

    Nothing where there are none, where the target implements a part of the rules only, where the run is to end, and
    where an explanation fails, which is told: a finding is not lost for what decorates it.
    """
    rows: list[dict[str, Any]] = []
    if not fuzz["divergences"] or isinstance(implementation, Partial):
        return rows
    try:
        runs = [read(Path(row["trace"]), chosen.model, [chosen.model.system]).calls for row in fuzz["divergences"]]
        until_ended(lambda: rows.extend(departures(chosen, implementation, runs, seed)))
    except Exception as error:
        why = printable(f"{type(error).__name__}: {error}")
        print(f"marginspec: the divergence could not be explained ({why})", file=sys.stderr)
    return rows


def campaign_document(
    chosen: System,
    campaign: Campaign,
    target: str,
    builds: Sequence[Candidate],
    exported: Callable[[Trace], Trace | None] = lambda trace: trace,
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """Keep what a campaign found, in every form, and describe it. exported: what other forms of a trace are made of."""
    traces = [found.trace for found in campaign.divergences]
    files = kept(chosen, traces)
    document = documents.fuzz_document(chosen.name, target, chosen.model, campaign, files, allowed)
    document["artifacts"] = {build.name: {"file": str(build.file), "sha256": build.sha256} for build in builds}
    for row, file, trace in zip(document["divergences"], files, traces, strict=True):
        row |= how_to_repeat(chosen, exported(trace), file, target, builds)
    return document
