"""Runs that were done before, of the same texts: a simulation that was interrupted goes on where it stopped."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.model.risk.predictive import Bin
from marginspec.simulation.desk import Hedge
from marginspec.simulation.forecast import Scores
from marginspec.simulation.keepers import RunLosses
from marginspec.simulation.paths import PathSource
from marginspec.simulation.promise import Promise
from marginspec.simulation.run import RunResult
from marginspec.simulation.terms import SimulationTerms

ROOMS = ("model", "simulation")
"""Whose texts decide what comes of a run."""


def run_kept(
    make: Callable[[], dict[str, RunResult]], source: PathSource, terms: SimulationTerms, seed: int, number: int
) -> dict[str, RunResult]:
    """What came of a run, by variant: as it was kept, or as `make` makes it now."""
    path = f"{source.name!r} {source.told!r} {source.digest} {source.hours}"
    made = kept("run", f"{_texts()} {path} {terms!r} {seed} {number}", lambda: _plain(make()))
    return {variant: _result(each) for variant, each in made.items()}


@functools.cache
def _texts() -> str:
    """A digest of the texts that decide, and of the Python that runs them."""
    package, found = Path(__file__).parents[1], hashlib.sha256(sys.version.encode())
    for room in ROOMS:
        for file in sorted((package / room).rglob("*.py")):
            found.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def _plain(results: Mapping[str, RunResult]) -> dict[str, Any]:
    plain = {variant: asdict(result) for variant, result in results.items()}
    for each in plain.values():
        for name in ("liquidated", "forced"):
            each["losses"][name] = sorted(each["losses"][name])
    return plain


def _result(plain: Mapping[str, Any]) -> RunResult:
    losses, scores = dict(plain["losses"]), plain["scores"]
    for name in ("liquidated", "forced"):
        losses[name] = set(losses[name])
    return RunResult(
        **{
            **plain,
            "losses": RunLosses(**losses),
            "hedge": Hedge(**plain["hedge"]),
            "promise": Promise(**plain["promise"]),
            "scores": Scores([Bin(**each) for each in scores["bins"]], scores["squares"], scores["hits"]),
            "owed": [(at, owed) for at, owed in plain["owed"]],
        }
    )
