"""`marginspec replay`: a trace, once more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import BROKEN, HOLDS, Output, emit
from marginspec.cli.options import Artifacts, Json, NoChance, Own, TargetName
from marginspec.lockstep.trace import replay as replayed
from marginspec.report import terminal
from marginspec.results import documents
from marginspec.systems.system import opened
from marginspec.systems.user_system import traced
from marginspec.targets.evm.artifact import candidates


def replay(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace file, as `fuzz` writes it.")],
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    own: Own = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Repeat a trace on model and implementation: do they still diverge?

    On the candidate that it was found with: marginspec replay TRACE --artifact Morpho=out/Morpho.sol/Morpho.json

    Exit code 0: they agree, or differ only as declared. 1: they diverge.
    """
    chosen, recorded = traced(trace, own)
    with opened(chosen, target, candidates(artifact)) as implementation:
        found = replayed(chosen.model, implementation, recorded)
    document = documents.replay_document(trace, target, recorded, found)
    if as_json:
        emit(document)
    else:
        terminal.show_replay(document, Output())
    return HOLDS if found.divergence is None else BROKEN
