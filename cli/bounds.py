"""`bounds`: the largest price move that the reference venue survives with a parameter file, with its certificate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from marginspec.cli.presets import load_preset
from marginspec.differential.trace import Replay, replay, trace_of
from marginspec.model.kernel.machine import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.presets import Preset, venue_with
from marginspec.properties.reference.insolvency import Unreachable, by_collateral, by_position
from marginspec.properties.reference.survival import Exposure, constraints, survivable, survival
from marginspec.prover.prove import Prover, Verdict
from marginspec.targets.protocol import Target

Opener = Callable[[type[Reference]], Target]
"""Deploys the contracts for a model."""


def exposures(preset: Preset) -> Iterator[tuple[str, Exposure]]:
    """Each market alone, each collateral asset alone, and everything at once."""
    for market in preset.parameters:
        yield market, Exposure((market,))
    for asset in preset.minimum_haircut:
        yield asset, Exposure((), (asset,))
    yield "portfolio", Exposure(tuple(preset.parameters), tuple(preset.minimum_haircut))


def bounds_document(file: Path, deploy: Opener, advance: Callable[[int], None]) -> dict[str, Any]:
    """`marginspec/bounds/1` for one parameter file. Raises BadInput when it is malformed."""
    started = time.perf_counter()
    preset = load_preset(file)
    model = venue_with(preset)
    rows = []
    for name, exposure in exposures(preset):
        rows.append(_certificate(preset, model, name, exposure, deploy))
        advance(len(rows))
    portfolio = rows[-1]["delta"]
    unsafe = [c for c in constraints(preset) if c.slack < 0]
    certified = all(row["certified"] for row in rows)
    return {
        "schema": "marginspec/bounds/1",
        "system": Reference.system,
        "parameters": str(file),
        "survives": rows,
        "binding": [row["exposure"] for row in rows[:-1] if row["delta"] == portfolio],
        "constraints": [
            {
                "rule": c.rule,
                "subject": c.subject,
                "text": c.text,
                "left": str(c.left),
                "right": str(c.right),
                "slack": str(c.slack),
                "binds": c.slack == 0,
            }
            for c in constraints(preset)
        ],
        "verdict": "broken" if unsafe else "holds" if certified else "incomplete",
        "seconds": round(time.perf_counter() - started, 3),
    }


def _certificate(
    preset: Preset, model: type[Reference], name: str, exposure: Exposure, deploy: Opener
) -> dict[str, Any]:
    """One row: proved at delta, refuted at the next, and bad debt on the contracts at the next."""
    delta = survivable(preset, exposure)
    proved = Prover(model).prove(survival(preset, exposure, delta))
    beyond = Prover(model).prove(survival(preset, exposure, delta + 1))
    bankrupt = _bankrupt(preset, model, exposure, delta + 1, deploy)
    return {
        "exposure": name,
        "delta": str(delta),
        "proof": _summary(proved),
        "beyond": {**_summary(beyond), "counterexample": beyond.counterexample},
        "bankruptcy": bankrupt,
        "certified": proved.verdict == "proved"
        and proved.confirmed
        and beyond.verdict == "refuted"
        and bankrupt["reason"] is None,
    }


def _summary(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.verdict,
        "confirmed": verdict.confirmed,
        "paths": verdict.paths,
        "bounds": verdict.bounds,
    }


def _bankrupt(preset: Preset, model: type[Reference], exposure: Exposure, delta: int, deploy: Opener) -> dict[str, Any]:
    """A run of the contracts into bad debt: by the part of an exposure that fails at `delta`."""
    try:
        calls = _run(preset, model, exposure, delta)
    except Unreachable as reason:
        return {"calls": 0, "bad_debt": None, "reason": f"no run into bad debt: {reason}"}
    trace = trace_of(model, "embedded", 1, calls, None)
    target = deploy(model)
    try:
        found = replay(model, target, trace)
    finally:
        target.close()
    return {"calls": len(calls), "bad_debt": str(_bad_debt(model, calls)), "reason": _differs(found)}


def _differs(found: Replay) -> str | None:
    return None if found.divergence is None else f"the contracts differ at step {found.at}: {found.divergence.field}"


def _run(preset: Preset, model: type[Reference], exposure: Exposure, delta: int) -> list[Call]:
    """The run by the market or the asset that is the first to fail."""
    for market in exposure.markets:
        if survivable(preset, Exposure((market,))) < delta:
            return by_position(model, market, delta)
    for asset in exposure.assets:
        if survivable(preset, Exposure((), (asset,))) < delta:
            return by_collateral(model, asset, delta)
    raise Unreachable("nothing fails")


def _bad_debt(model: type[Reference], calls: list[Call]) -> int:
    """What the last call of a run, a cover, took from the insurance fund or left uncovered, quote."""
    venue = model.genesis()
    for call in calls[:-1]:
        venue.apply(call)
    return -venue.equity(calls[-1].arguments["account"])
