"""`bounds`: the largest price move that the reference venue survives with a parameter file, with its certificate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from marginspec.base.package import ROOT
from marginspec.base.process import VERDICTS
from marginspec.lockstep.trace import Replay, call_document, replay, trace_of
from marginspec.model.kernel.machine import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import AssetId, MarketId
from marginspec.model.reference.presets import Preset, venue_with
from marginspec.properties.reference.insolvency import Unreachable, by_collateral, by_position
from marginspec.properties.reference.survival import ASSUMED, Exposure, constraints, survivable, survival
from marginspec.prover.prove import Prover
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.systems.reference.presets import load_preset
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

PRESETS = ROOT / "spec" / "presets"

EXPOSURES = len(Reference.universe[MarketId]) + len(Reference.universe[AssetId]) + 1
"""How many figures a report has."""


def exposures(preset: Preset) -> Iterator[tuple[str, Exposure]]:
    """Each market alone, each collateral asset alone, and everything at once."""
    for market in preset.parameters:
        yield market, Exposure((market,))
    for asset in preset.minimum_haircut:
        yield asset, Exposure((), (asset,))
    yield "portfolio", Exposure(tuple(preset.parameters), tuple(preset.minimum_haircut))


def bounds_document(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """`marginspec/bounds/1`."""
    verdicts = {report["verdict"] for report in reports}
    worst = next(v for v in VERDICTS.values() if v in verdicts)
    return {"schema": "marginspec/bounds/1", "system": Reference.system, "reports": reports, "verdict": worst}


def bounds_report(file: Path, on_figure: Callable[[], None]) -> dict[str, Any]:
    """What one parameter file survives, with certificates. Raises BadInput when it is malformed."""
    started = time.perf_counter()
    preset = load_preset(file)
    model, prover = venue_with(preset), Prover(Reference)
    bounds = list(constraints(preset))
    violated = next((bound.rule for bound in bounds if bound.slack < 0), None)
    rows = []
    for name, exposure in exposures(preset):
        rows.append({"exposure": name, **_certificate(preset, model, prover, exposure, violated)})
        on_figure()
    portfolio = rows[-1]["delta"]
    certified = all(row["certified"] for row in rows)
    return {
        "parameters": str(file),
        "survives": rows,
        "binding": [row["exposure"] for row in rows[:-1] if row["delta"] == portfolio],
        "constraints": [
            {
                "rule": bound.rule,
                "subject": bound.subject,
                "text": bound.text,
                "left": str(bound.left),
                "right": str(bound.right),
                "slack": str(bound.slack),
            }
            for bound in bounds
        ],
        "assumed": list(ASSUMED),
        "verdict": "broken" if violated else "holds" if certified else "incomplete",
        "seconds": round(time.perf_counter() - started, 3),
    }


def _certificate(
    preset: Preset, model: type[Reference], prover: Prover, exposure: Exposure, violated: str | None
) -> dict[str, Any]:
    """Proved at delta; at the next a concrete account that goes bankrupt, and bad debt on the contracts.

    violated: the rule whose safety bound the preset breaks, if any; there are no contracts with such parameters then.
    """
    delta = survivable(preset, exposure)
    proved = prover.prove(survival(preset, exposure, delta))
    beyond = prover.prove(survival(preset, exposure, delta + 1))
    if violated:
        reason = f"no run: the contracts refuse these parameters, by {violated}"
        bankruptcy: dict[str, Any] = {"calls": [], "bad_debt": None, "reason": reason}
    else:
        bankruptcy = _bankruptcy(preset, model, exposure, delta + 1)
    return {
        "delta": str(delta),
        "proof": {
            "verdict": proved.verdict,
            "confirmed": proved.confirmed,
            "paths": proved.paths,
            "bounds": proved.bounds,
        },
        "beyond": {"verdict": beyond.verdict, "counterexample": beyond.counterexample},
        "bankruptcy": bankruptcy,
        "certified": (proved.verdict, proved.confirmed, beyond.verdict, bankruptcy["reason"])
        == ("proved", True, "refuted", None),
    }


def _bankruptcy(preset: Preset, model: type[Reference], exposure: Exposure, delta: int) -> dict[str, Any]:
    """A run of the contracts into bad debt, in quote, by the first part of an exposure that fails at `delta`."""
    try:
        calls = _run(preset, model, exposure, delta)
    except Unreachable as reason:
        return {"calls": [], "bad_debt": None, "reason": f"no run into bad debt: {reason}"}
    target = EvmTarget("embedded", ReferenceAdapter({}, model), Embedded())
    try:
        found = replay(model, target, trace_of(model, "embedded", 1, calls, None))
    finally:
        target.close()
    shown = [call_document(call) for call in calls]
    return {"calls": shown, "bad_debt": str(_bad_debt(model, calls)), "reason": _differs(found)}


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
    """The deficit that the last call of a run, a cover, met with; quote."""
    venue = model.genesis()
    for call in calls[:-1]:
        venue.apply(call)
    return -venue.equity(calls[-1].arguments["account"])
