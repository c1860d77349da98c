"""`marginspec export`: a counterexample in the forms that other tools take: ITF, a test for pytest, one for Foundry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import HOLDS, Output, emit
from marginspec.base.text import safe
from marginspec.cli.options import Artifacts, Json, NoChance, Own, TargetName
from marginspec.runs.exports import write
from marginspec.systems.user_system import traced
from marginspec.targets.evm.artifact import candidates

Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The folder to write to; beside the trace when not given.")
]


def export(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace file, as `fuzz` writes it.")],
    out: Out = None,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    own: Own = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Write a trace in the forms that other tools take: ITF, a test for pytest, a test for Foundry.

    With the build that it was found with: marginspec export TRACE --artifact Morpho=out/Morpho.sol/Morpho.json

    Into a Foundry project: marginspec export TRACE --out test

    The tests fail where the implementation differs from the model, and pass where it does not. `fuzz` and `check` write
    all of these beside each trace.

    Exit code 0: written.
    """
    chosen, recorded = traced(trace, own)
    files, omitted = write(chosen, recorded, trace.stem, target, candidates(artifact), out or trace.parent)
    if as_json:
        shown = {"schema": "marginspec/export/1", "system": chosen.name, "trace": str(trace)}
        emit({**shown, "files": files, "omitted": omitted})
        return HOLDS
    console = Output()
    for form, file in files.items():
        console.print(f"{form}: {safe(file)}")
    for form, why in omitted.items():
        console.print(f"[yellow]no {form}[/]: {safe(why)}")
    return HOLDS
