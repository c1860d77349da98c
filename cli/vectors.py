"""`marginspec vectors`: conformance vectors from the model, and for every path without one a proof or an open entry."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base.errors import BadInput
from marginspec.base.files import writable
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, Output, emit
from marginspec.cli.options import DEFAULT, Artifacts, Json, Seed, SystemName, TargetName
from marginspec.conformance.run import STEPS, coverage_document, searched
from marginspec.conformance.vectors import failures, own_folder, read, write
from marginspec.lockstep.floor import below
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.report.vectors import show_vectors
from marginspec.results.documents import limits_document
from marginspec.systems.registry import system
from marginspec.systems.system import opened
from marginspec.targets.evm.artifact import candidates
from marginspec.targets.protocol import Limits, limits_of


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
    as_json: Json = False,
) -> int:
    """Write conformance vectors: calls and what must come of them, for any implementation in any language.

    Every path of every action, as the text of the model decides, every decision at its boundary and one unit to each
    side; what no vector covers is proved impossible or listed as open. DIR/README.md describes the format and what is
    counted as a path, examples/vectors/ has consumers.

    Write those of Morpho Blue: marginspec vectors morpho-blue --out vectors

    Hold a candidate to them: marginspec vectors morpho-blue --run vectors --artifact Morpho=out/Morpho.sol/Morpho.json

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
            found, document = made.vectors, coverage_document(known.model, made)
            document["files"] = [file.name for file in write(known.model, found, document, out)]
        failed = list(failures(known.model, implementation, found))
        limits = limits_of(implementation)
    counts = Counter((vector.call.action, vector.rule is None) for vector in found)
    result = {
        "schema": "marginspec/vectors/1",
        "system": known.name,
        "seed": str(seed),
        "folder": str(run or out),
        "target": target,
        "vectors": len(found),
        "accepted": sum(vector.rule is None for vector in found),
        "rejected": sum(vector.rule is not None for vector in found),
        "calls": sum(len(vector.steps) + 1 for vector in found),
        **document,
        "actions": {
            action: {"accepted": counts[action, True], "refused": counts[action, False]}
            for action in actions_of(known.model)
        },
        **limits_document(limits),
        "limits": vector_limits(known.model, counts, limits),
        "failures": [{"vector": f.vector, "field": f.field, "expected": f.expected, "found": f.found} for f in failed],
        "seconds": round(time.perf_counter() - started, 1),
    }
    code = BROKEN if failed else INCOMPLETE if result.get("open") else HOLDS
    result["verdict"] = VERDICTS[code]
    if as_json:
        emit(result)
    else:
        show_vectors(result, Output())
    return code


def vector_limits(model: type[Machine], counts: Mapping[tuple[str, bool], int], limits: Limits) -> list[str]:
    """What no vector says anything of, in lines. counts: of vectors by action and whether it must be accepted."""
    lines = [f"{action}: {what}" for action, what in below(model, counts).items()]
    if limits.unmodelled:
        lines.append(f"unmodelled, no action calls them: {', '.join(limits.unmodelled)}")
    return lines
