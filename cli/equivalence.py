"""`marginspec equivalence`: is the deployed bytecode the model, on all numbers and not only on sampled ones?"""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from marginspec.base.process import Output, emit, progress
from marginspec.base.text import named
from marginspec.cli.options import DEFAULT, Artifacts, Budget, Json, NoCache, NoChance, SystemName
from marginspec.equivalence.product import Deployed
from marginspec.equivalence.run import compared_actions, decide_all
from marginspec.report.equivalence import show_equivalence
from marginspec.results.equivalence import equivalence_code, equivalence_document, traces_of
from marginspec.runs.traces import kept
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
    started = time.perf_counter()
    deployed = Deployed(system(name), candidates(artifact))
    actions = compared_actions(deployed)
    if action:
        wanted = named(action, actions, f"--action: {deployed.system.name} has no action")
        actions = [each for each in actions if each in wanted]
    with progress("proving", deployed.count(actions)) as advance:
        found = decide_all(deployed, actions, os.cpu_count() or 1, no_cache, advance)
    traces = traces_of(found)
    files = dict(zip(traces, kept(deployed.system, list(traces.values())), strict=True))
    document = equivalence_document(deployed, found, files, time.perf_counter() - started)
    if as_json:
        emit(document)
    else:
        show_equivalence(document, Output())
    return equivalence_code(document["actions"])
