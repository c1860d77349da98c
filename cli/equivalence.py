"""`marginspec equivalence`: is the deployed bytecode the model, on all numbers and not only on sampled ones?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import Output, emit
from marginspec.cli.options import DEFAULT, Artifacts, Budget, Json, NoCache, NoChance, SystemName
from marginspec.report.equivalence import show_equivalence
from marginspec.results.equivalence import equivalence_code
from marginspec.results.settings import read_settings
from marginspec.runs.equivalence import decide_document
from marginspec.systems.registry import system
from marginspec.targets.evm.artifact import candidates


def equivalence(
    name: SystemName = DEFAULT,
    action: Annotated[
        list[str] | None, typer.Option("--action", metavar="NAME", help="Only this, or all like 'set_*'. Repeatable.")
    ] = None,
    artifact: Artifacts = None,
    budget: Budget = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Prove, action by action, that the bytecode does what the model does: on all numbers, not only on sampled ones.

    One action of a candidate: marginspec equivalence morpho-blue --action supply --artifact Morpho=out/Morpho.json

    Exit code 0: every action is proved. 1: one is refuted, by a trace in out/traces/. 3: one is open, or was skipped.
    """
    chosen = system(name)
    told = f"--action: {chosen.name} has no action"
    allowed = read_settings(Path.cwd()).allow_unmodelled
    document = decide_document(chosen, candidates(artifact), action or (), told, no_cache, allowed)
    if as_json:
        emit(document)
    else:
        show_equivalence(document, Output())
    return equivalence_code(document["actions"])
