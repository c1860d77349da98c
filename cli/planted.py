"""Planted bugs, hunted by the lock-step run and by the laws alone: with the mutants of the model, the kill matrix.

`python -m marginspec.cli.planted SYSTEM` hunts those of one system: a table for people on standard error, the document
`marginspec/planted/1` on standard output.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Annotated, Any

import typer
from rich.console import Console

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.cli.options import Seed
from marginspec.conformance.run import vector_runs
from marginspec.model.kernel.machine import Call
from marginspec.mutation.planted import LONGEST_TRACE, STEPS, SYSTEMS, WATCHED_STEPS, Bug, Hunt, load, noticed
from marginspec.report.kill_matrix import show_planted

Vectors = Sequence[Sequence[Call]]
"""The calls of the conformance vectors, from genesis."""


def hunted(bugs: Sequence[Bug], steps: int, watched: int, seed: int, workers: int, vectors: Vectors) -> Iterator[Hunt]:
    """What comes of each bug, in the order in which that is known."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(noticed, bug, steps, watched, seed, vectors) for bug in bugs]):
            yield done.result()


def bugs_document(bugs: Sequence[Bug], hunts: Sequence[Hunt]) -> list[dict[str, Any]]:
    """An entry for each bug, in the order of their file: who noticed it, when, and by what."""
    of = {each.bug.id: each for each in hunts}
    return [_entry(of[bug.id]) for bug in bugs]


def _entry(found: Hunt) -> dict[str, Any]:
    bug = found.bug
    seen = found.vector if found.vector is not None and found.found_after is None else found.key
    return {
        "id": bug.id,
        "rule": bug.rule,
        "file": bug.file,
        "incident": bug.incident,
        "why": bug.why,
        "killed_by": [
            *(["differential"] if found.found_after is not None else []),
            *(["vector"] if found.vector is not None else []),
            *found.laws,
        ],
        "found_after": found.found_after,
        "trace_length": found.trace_length,
        "divergence": dict(zip(("rule", "field"), seen, strict=True)),
        "laws": list(found.laws),
        "laws_after": found.laws_after,
        "passed": found.passed,
    }


def planted_summary(hunts: Sequence[Hunt]) -> dict[str, int]:
    """How many bugs there are, and how many were noticed: by anything, by the lock-step run, by the vectors, by
    the laws alone."""
    return {
        "planted": len(hunts),
        "planted_killed": sum(each.killed for each in hunts),
        "planted_killed_by_differential": sum(each.found_after is not None for each in hunts),
        "planted_killed_by_vectors": sum(each.vector is not None for each in hunts),
        "planted_killed_by_laws": sum(bool(each.laws) for each in hunts),
    }


def with_planted(
    document: dict[str, Any],
    bugs: Sequence[Bug],
    steps: int,
    vectors: Vectors,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The same document with the bugs planted in the implementation: who notices each, of whom at most `steps` steps.

    The lock-step run is one; the laws are another, by themselves on what the implementation shows.
    """
    hunts = []
    for each in hunted(bugs, steps, steps, document["seed"], workers, vectors):
        hunts.append(each)
        if on_progress is not None:
            on_progress(len(hunts), len(bugs))
    summary = {**document["summary"], **planted_summary(hunts)}
    return {**document, "planted": bugs_document(bugs, hunts), "summary": summary}


def planted(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="Whose bugs.")],
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Hunt this bug. May be repeated.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of the lock-step run, at most, per bug.")] = STEPS,
    watched: Annotated[int, typer.Option(min=1, help="Of the laws alone, at most, per bug.")] = WATCHED_STEPS,
    seed: Seed = 1,
) -> int:
    """Hunt the planted bugs of a system.

    Exit code 0: the lock-step run finds all and shrinks them to short traces. 1: it does not.
    """
    bugs = load(name)
    if unknown := sorted(set(only or ()) - {bug.id for bug in bugs}):
        raise BadInput(f"--only {unknown[0]}: no planted bug of {name} has this ID")
    bugs, hunts = [bug for bug in bugs if not only or bug.id in only], list[Hunt]()
    vectors = vector_runs(SYSTEMS[name].model, SYSTEMS[name].chapter.properties, seed)
    with process.progress("planted bugs", len(bugs)) as advance:
        for each in hunted(bugs, steps, watched, seed, os.cpu_count() or 1, vectors):
            hunts.append(each)
            advance(len(hunts))
    document: dict[str, Any] = {
        "schema": "marginspec/planted/1",
        "system": name,
        "seed": str(seed),
        "longest_trace_allowed": LONGEST_TRACE,
        "bugs": bugs_document(bugs, hunts),
        "summary": planted_summary(hunts),
    }
    show_planted(document["bugs"], Console(stderr=True, width=None if sys.stderr.isatty() else 160))
    process.emit(document)
    return process.HOLDS if all(each.passed for each in hunts) else process.BROKEN


def main() -> None:
    """Hunt the bugs of the system that is named."""
    app = typer.Typer(add_completion=False)
    app.command()(planted)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
