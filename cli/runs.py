"""What several verbs do: open an implementation, prove, compare, keep traces; with progress, as JSON documents."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marginspec.cli import documents
from marginspec.cli.process import progress
from marginspec.cli.systems import System
from marginspec.differential.campaign import Campaign, run
from marginspec.differential.trace import write
from marginspec.prover.prove import Prover, prove_all
from marginspec.targets.protocol import BadInput, Target

TRACES = Path("out") / "traces"


def prove_document(chosen: System, only: list[str] | None, folder: Path | None) -> dict[str, Any]:
    """Prove, with progress, and describe."""
    claims = chosen.chapter.properties
    if only:
        missing = set(only) - {c.id for c in claims}
        if missing:
            raise BadInput(f"--only {sorted(missing)[0]}: {chosen.name} has no property of this ID")
        claims = [c for c in claims if c.id in only]
    if folder is not None:
        writable(folder)
    started, verdicts = time.perf_counter(), []
    with progress("proving", len(claims)) as advance:
        for verdict in prove_all(Prover(chosen.model, folder), claims, os.cpu_count() or 1):
            verdicts.append(verdict)
            advance(len(verdicts))
    order = {c.id: n for n, c in enumerate(claims)}
    verdicts.sort(key=lambda v: order[v.id])
    return documents.prove_document(chosen.name, verdicts, time.perf_counter() - started)


def writable(folder: Path) -> None:
    """Make a folder for results; BadInput, before any work is done, when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"--emit-smt2 {folder}: {error.strerror}; give a folder that can be written") from None


def fuzz_document(chosen: System, implementation: Target, target: str, steps: int, seed: int) -> dict[str, Any]:
    """Run a campaign, with progress, keep its traces, and describe."""
    with progress("comparing", steps) as advance:
        campaign = run(chosen.model, implementation, steps, seed, on_progress=lambda tally: advance(tally.steps))
    files = kept(chosen, campaign)
    return documents.fuzz_document(chosen.name, target, chosen.model, campaign, files)


def kept(chosen: System, campaign: Campaign) -> list[Path]:
    """The files of a campaign's traces; elsewhere, when they cannot be where they belong: they may have cost hours."""
    traces = [found.trace for found in campaign.divergences]
    try:
        return [write(chosen.model, trace, TRACES) for trace in traces]
    except OSError as error:
        instead = Path(tempfile.mkdtemp(prefix="marginspec-"))
        print(f"marginspec: {TRACES} cannot be written ({error.strerror}): see {instead}", file=sys.stderr)
        return [write(chosen.model, trace, instead) for trace in traces]


@contextlib.contextmanager
def opened(chosen: System, target: str, artifacts: list[str] | None) -> Iterator[Target]:
    """The implementation under test, closed in every case."""
    implementation = chosen.open(target, artifacts or [])
    try:
        yield implementation
    finally:
        implementation.close()
