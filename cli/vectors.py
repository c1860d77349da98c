"""`marginspec vectors`: conformance vectors from the model, and for every path without one a proof or an open entry."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base.ending import cut_short, until_ended, whole
from marginspec.base.errors import BadInput
from marginspec.base.files import writable
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, Output, emit
from marginspec.cli.options import DEFAULT, Artifacts, Budget, Json, Seed, SystemName, TargetName
from marginspec.conformance.run import STEPS, coverage_document, searched
from marginspec.conformance.vectors import Vector, VectorFailure, counted, failures, own_folder, read, write
from marginspec.report.vectors import show_vectors
from marginspec.results.documents import vectors_document
from marginspec.systems.registry import system
from marginspec.systems.system import opened
from marginspec.targets.evm.artifact import candidates
from marginspec.targets.protocol import limits_of


def _at_least_one(steps: int) -> int:
    if steps < 1:
        raise BadInput(f"--steps {steps}: paths are found by runs; give at least 1")
    return steps


def vectors(
    name: SystemName = DEFAULT,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write them.")] = Path("out/vectors"),
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="Write none: run those in this folder instead.")
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            callback=_at_least_one, help="How many calls to draw at random in search of paths; others are aimed."
        ),
    ] = STEPS,
    seed: Seed = 1,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    budget: Budget = None,
    as_json: Json = False,
) -> int:
    """Write conformance vectors: calls and what must come of them, for any implementation in any language.

    Every path of every action, as the text of the model decides, every decision at its boundary and one unit to each
    side; what no vector covers is proved impossible or listed as open. DIR/README.md describes the format and what is
    counted as a path, examples/vectors/ has consumers.

    Write those of Morpho Blue: marginspec vectors morpho-blue --out vectors

    Hold a candidate to them: marginspec vectors morpho-blue --run vectors --artifact Morpho=out/Morpho.sol/Morpho.json

    The search costs at most so much for each of --steps, whatever the model, and half of --budget; then vectors are
    chosen, of the actions that a run draws most often first. What is known when the budget is spent, or at an
    interrupt, is written; what was found, chosen and proved is kept, and the next run goes on from there.

    Exit code 0: no path is open, all vectors passed. 1: the implementation fails one. 3: a path is open.
    """
    known = system(name)
    with opened(known, target, candidates(artifact)) as implementation:
        started = time.perf_counter()
        if run is not None:
            document: dict[str, Any] = {}
            found = read(run, known.model)
        else:
            writable(out, "--out")
            own_folder(known.model, out)
            made = searched(known.model, known.chapter.properties, seed, steps)
            found, document = made.vectors, whole(lambda: coverage_document(known.model, made))
            earlier = counted(out) if cut_short() else 0
            if len(found) > earlier:
                document["files"] = [file.name for file in whole(lambda: write(known.model, found, document, out))]
            elif earlier:
                print(
                    f"marginspec: {out} keeps {earlier:,} vectors of a run before, of which this one found fewer",
                    file=sys.stderr,
                )
        failed: list[VectorFailure] = []
        ran: list[Vector] = []

        def run_all() -> None:
            for vector in found:
                failed.extend(failures(known.model, implementation, [vector]))
                ran.append(vector)

        until_ended(run_all)
        limits = limits_of(implementation)
    seconds = time.perf_counter() - started
    result = vectors_document(
        known.name, target, run or out, seed, known.model, found, document, failed, limits, seconds
    )
    code = BROKEN if failed else INCOMPLETE if result.get("open") or cut_short() else HOLDS
    result |= {"verdict": VERDICTS[code]} | ({"ended": cut_short(), "ran": len(ran)} if cut_short() else {})
    if as_json:
        emit(result)
    else:
        show_vectors(result, Output())
    return code
