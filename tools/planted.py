"""The planted bugs of one system, hunted: is each noticed, and shrunk to a short trace?

`python -m tools.planted SYSTEM` hunts those of one system: a table for people on standard error, the document
`marginspec/planted/1` on standard output.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.cli.options import Seed
from marginspec.conformance.run import vector_runs
from marginspec.mutation.hunt import bugs_document, hunted, planted_summary
from marginspec.mutation.planted import LONGEST_TRACE, STEPS, WATCHED_STEPS, Hunt, load
from marginspec.report.kill_matrix import show_planted
from marginspec.systems.registry import system


def planted(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="Whose bugs.")],
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Hunt this bug. May be repeated.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of the lock-step run, at most, per bug.")] = STEPS,
    watched: Annotated[int, typer.Option(min=1, help="Of the laws alone, at most, per bug.")] = WATCHED_STEPS,
    seed: Seed = 1,
) -> int:
    """Hunt the planted bugs of a system.

    Exit code 0: the lock-step run or a conformance vector shows each in few calls. 1: one is missed, or takes many.
    """
    bugs = load(name)
    if unknown := sorted(set(only or ()) - {bug.id for bug in bugs}):
        raise BadInput(f"--only {unknown[0]}: no planted bug of {name} has this ID")
    bugs, hunts = [bug for bug in bugs if not only or bug.id in only], list[Hunt]()
    chosen = system(name)
    vectors = vector_runs(chosen.model, chosen.chapter.properties, seed)
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
