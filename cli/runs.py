"""What several verbs do: open an implementation, prove, compare, keep traces; with progress, as JSON documents."""

from __future__ import annotations

import functools
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

from marginspec.base.ending import until_ended
from marginspec.base.files import writable
from marginspec.base.process import progress
from marginspec.base.text import named
from marginspec.cli import export
from marginspec.lockstep.campaign import Campaign, run
from marginspec.lockstep.corpus_store import open_corpus
from marginspec.lockstep.trace import Trace, file_name, write
from marginspec.model.kernel.machine import Call
from marginspec.mutation.mutants import Mutant
from marginspec.mutation.run import mutate
from marginspec.properties.ranges import with_ranges
from marginspec.prover.cache import KeptProver
from marginspec.prover.dependencies import Dependencies
from marginspec.prover.prove import Prover, Verdict, prove_all
from marginspec.results import documents
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Target

T = TypeVar("T")

TRACES = Path("out") / "traces"

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
            for verdict in prove_all(prover, claims, os.cpu_count() or 1, advance):
                verdicts[verdict.id] = verdict

    until_ended(prove)
    listed = [verdicts.get(c.id) or prover.undecided(c) for c in claims]
    document = documents.prove_document(chosen.name, listed, time.perf_counter() - started)
    for row, verdict in zip(document["properties"], listed, strict=True):
        if verdict.verdict == "refuted" and verdict.replays:
            test = _where_it_can_be(functools.partial(export.write_law, chosen, row))
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
) -> dict[str, Any]:
    """Try every mutant of the model and describe, as `mutate` does, with progress."""
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
            os.cpu_count() or 1,
            advance,
            only,
            weaken,
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
) -> dict[str, Any]:
    """Run a campaign, with progress, keep its traces, and describe.

    corpus: where traces are kept and tried first. builds: the candidates that the implementation has. allowed:
    functions of them that no action need call.
    """
    earlier = None if corpus is None else open_corpus(corpus, chosen.model)
    replayed = None if earlier is None else earlier.replay(implementation, seed)
    campaign = None if replayed is None else replayed.campaign
    if campaign is None:
        with progress("comparing", steps) as advance:
            campaign = run(chosen.model, implementation, steps, seed, on_progress=lambda tally: advance(tally.steps))
    document = campaign_document(chosen, campaign, target, builds, allowed=allowed)
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


def kept(chosen: System, traces: Sequence[Trace]) -> list[Path]:
    """The files of some traces; where they should be, when they can be nowhere."""
    files = _where_it_can_be(lambda folder: [write(chosen.model, trace, folder) for trace in traces])
    return [TRACES / file_name(trace) for trace in traces] if files is None else files


def how_to_repeat(
    chosen: System, trace: Trace | None, file: Path, target: str, builds: Sequence[Candidate]
) -> dict[str, Any]:
    """Of a trace that is kept: `repeat`, a command, and `exports`, files of its other forms beside it.

    trace: with a divergence from the model; None where there is none to export. target, builds: of the options
    `--target` and `--artifact`, the implementation that it was found with.
    """
    options = [] if target == "embedded" else ["--target", target]
    options += [part for build in builds for part in ("--artifact", build.option)]
    repeat = shlex.join(["marginspec", "replay", str(file), *options])
    try:
        exports = {} if trace is None else export.write(chosen, trace, file.stem, target, builds, file.parent)[0]
    except OSError as error:
        print(f"marginspec: other forms of {file} cannot be written ({error.strerror})", file=sys.stderr)
        exports = {}
    return {"exports": exports, "repeat": repeat}


def _where_it_can_be(keep: Callable[[Path], T]) -> T | None:
    """Keep something where it belongs; elsewhere, when that cannot be: it may have cost hours. None: nowhere at all."""
    try:
        return keep(TRACES)
    except OSError as error:
        try:
            instead = Path(tempfile.mkdtemp(prefix="marginspec-"))
            found = keep(instead)
        except OSError:
            print(f"marginspec: nothing can be kept in {TRACES} or elsewhere ({error.strerror})", file=sys.stderr)
            return None
        print(f"marginspec: {TRACES} cannot be written ({error.strerror}): see {instead}", file=sys.stderr)
        return found
