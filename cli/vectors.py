"""`marginspec vectors`: conformance vectors from the model, and for every path without one a proof or an open entry."""

from __future__ import annotations

import functools
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.cli.feasible import EFFORTS, Feasibility
from marginspec.cli.options import DEFAULT, Artifacts, Json, Seed, SystemName, TargetName
from marginspec.cli.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, Output, emit, progress
from marginspec.cli.runs import opened, writable
from marginspec.cli.systems import System, system
from marginspec.differential.paths import Gap, is_whole
from marginspec.differential.reach import Explorer
from marginspec.differential.search import PARTS, chosen, described, explored, replayed
from marginspec.differential.vectors import Vector, failures, read, vectors_of, write
from marginspec.model.kernel.machine import actions_of
from marginspec.report.vectors import show_vectors
from marginspec.targets.protocol import BadInput

STEPS = 30_000


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

    Every path of every action, every decision at its boundary and one unit to each side; what no vector covers is
    proved impossible or listed as open. DIR/README.md describes the format, examples/vectors/ has consumers.

    Write those of Morpho Blue: marginspec vectors morpho-blue --out vectors

    Hold a candidate to them: marginspec vectors morpho-blue --run vectors --artifact Morpho=out/Morpho.sol/Morpho.json

    Exit code 0: no path is open, all vectors passed. 1: the implementation fails one. 3: a path is open.
    """
    known = system(name)
    with opened(known, target, artifact) as implementation:
        started = time.perf_counter()
        if run is not None:
            document: dict[str, Any] = {}
            found = read(run, known.model)
        else:
            writable(out, "--out")
            found, document = _made(known, seed, steps, out)
        failed = list(failures(known.model, implementation, found))
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


def _made(known: System, seed: int, steps: int, out: Path) -> tuple[list[Vector], dict[str, Any]]:
    """Vectors, written, and what they cover."""
    proofs = _Proofs(known)
    with progress("looking for paths", PARTS) as advance:
        explorer = explored(known.model, seed, steps, proofs.settled, advance)
    with progress("choosing vectors", len(actions_of(known.model))) as advance:
        found = vectors_of(known.model, chosen(explorer, advance))
    taken = replayed(known.model, [(*vector.steps, vector.call) for vector in found])
    proofs.look(taken, EFFORTS)
    recorder = taken.traced.recorder
    left = [(gap, {"action": gap.action, "path": described(recorder, gap)}) for gap in taken.gaps()]
    infeasible = [{**row, "why": why} for gap, row in left if (why := proofs.why[gap]) is not None]
    open_paths = [row for gap, row in left if proofs.why[gap] is None]
    per_action = Counter(action for action, _, events in taken.ways if is_whole((action, 0, events)))
    coverage = {
        "paths": {
            "covered": per_action.total(),
            "infeasible": len(infeasible),
            "open": len(open_paths),
            "by_action": {action: per_action[action] for action in actions_of(known.model)},
        },
        "infeasible": infeasible,
        "open": open_paths,
    }
    files = write(known.model, found, coverage, out)
    return found, {**coverage, "files": [file.name for file in files]}


# --- Proofs -----------------------------------------------------------------------------------------------------------


class _Proofs:
    """What is known of gaps. why: for each that was looked at, why it cannot be closed, None if that is not known."""

    def __init__(self, known: System) -> None:
        self.why: dict[Gap, str | None] = {}
        self._known = known
        self._efforts = dict[Gap, int]()

    def settled(self, explorer: Explorer) -> Collection[Gap]:
        """The gaps that soon turn out to be impossible to close."""
        self.look(explorer, EFFORTS[:1])
        return {gap for gap, why in self.why.items() if why is not None}

    def look(self, explorer: Explorer, efforts: Sequence[int]) -> None:
        """Look for proofs about all gaps of which none is known, with efforts not yet made."""
        for effort in efforts:
            gaps = [g for g in explorer.gaps() if self.why.get(g) is None and self._efforts.get(g, -1) < effort]
            with progress("proving paths impossible", len(gaps)) as advance:
                for done, (gap, why) in enumerate(_in_parallel(self._known, explorer.states(), gaps, effort), 1):
                    self.why[gap], self._efforts[gap] = why, effort
                    advance(done)


_FEASIBILITY: Feasibility


def _in_parallel(
    known: System, states: Sequence[Sequence[Any]], gaps: Sequence[Gap], effort: int
) -> Iterator[tuple[Gap, str | None]]:
    """Each gap with why it cannot be closed. Workers are forked: a claim is a function and cannot be sent to others."""
    global _FEASIBILITY
    if not gaps:
        return
    _FEASIBILITY = Feasibility(known.model, known.chapter.properties, states)
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(gaps)), multiprocessing.get_context("fork")) as pool:
        yield from pool.map(functools.partial(_excluded, effort), gaps)


def _excluded(effort: int, gap: Gap) -> tuple[Gap, str | None]:
    return gap, _FEASIBILITY.excluded(gap, effort)
