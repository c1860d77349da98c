"""Runs of the proof that the bytecode is the model: with progress, its traces kept, described as a document."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.process import progress
from marginspec.base.text import named
from marginspec.base.workers import cores
from marginspec.equivalence.product import Deployed
from marginspec.equivalence.run import compared_actions, decide_all
from marginspec.lockstep.trace import read
from marginspec.model.kernel.machine import Call
from marginspec.results.equivalence import equivalence_document, traces_of
from marginspec.results.settings import read_settings
from marginspec.runs.traces import command_to_repeat, kept_as
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Target


def decide_document(
    chosen: System,
    builds: Sequence[Candidate],
    actions: Sequence[str],
    told: str,
    anew: bool,
    allowed: Collection[str] = (),
    side: str = "",
) -> dict[str, Any]:
    """Decide actions, with progress, keep the traces of those that differ, and describe.

    actions: patterns, all where there are none; told: how a message about one begins. anew: also what an earlier run
    found of the same texts. allowed: functions that no action need call. side: a part of the names of traces, so that
    those of two builds do not meet.
    """
    started = time.perf_counter()
    deployed = Deployed(chosen, builds)
    known = compared_actions(chosen.model)
    wanted = named(actions, known, told) if actions else set(known)
    those = [each for each in known if each in wanted]
    with progress("proving", deployed.count(those)) as advance:
        found = decide_all(deployed, those, cores(), anew, advance, allowed=allowed)
    files = {
        action: kept_as(chosen, trace, "-".join(filter(None, (chosen.name, "equivalence", side, action))))
        for action, trace in traces_of(found).items()
    }
    document = equivalence_document(deployed, found, files, time.perf_counter() - started)
    for row in document["actions"]:
        if row["trace"]:
            row["repeat"] = command_to_repeat(chosen, Path(row["trace"]), "embedded", builds)
    return document


def decide_both(chosen: System, builds: Mapping[str, Sequence[Candidate]]) -> dict[str, dict[str, Any]]:
    """Decide every action of each side of an upgrade."""
    allowed = read_settings(Path.cwd()).allow_unmodelled
    return {side: decide_document(chosen, of, (), "", False, allowed, side) for side, of in builds.items()}


def require_actions(chosen: System, implementation: Target, actions: Sequence[str], told: str) -> None:
    """Raise BadInput for an implementation that is no contract, and for actions that there are not. told: who asks."""
    if actions and not isinstance(implementation, EvmTarget):
        raise BadInput(f"{told} is about bytecode, and --target {implementation.name!r} runs none")
    named(actions, compared_actions(chosen.model), f"{told}: no action")


def shown_by(chosen: System, document: Mapping[str, Any] | None) -> list[Sequence[Call]]:
    """The calls of the traces that a document names, if there is one."""
    files = [Path(row["trace"]) for row in (document or {"actions": ()})["actions"] if row["trace"]]
    return [read(file, chosen.model, (chosen.model.system,)).calls for file in files if file.exists()]
