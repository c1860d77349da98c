"""Results as the JSON documents of the CLI contract, a schema in each.

What a model or a user gives is unbounded (amounts, arguments, observations, results, seeds): decimal strings. What the
tool counts or measures (steps, hits, seconds) is a JSON number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from marginspec.conformance.vectors import Vector, VectorFailure
from marginspec.lockstep.campaign import Campaign
from marginspec.lockstep.floor import below, shortfalls
from marginspec.lockstep.hidden import constants_of, plain_name
from marginspec.lockstep.refusals import refusable
from marginspec.lockstep.rules_reached import rules_of
from marginspec.lockstep.trace import Replay, Trace, call_document
from marginspec.model.kernel.machine import Machine, actions_of, regimes_of
from marginspec.prover.prove import Verdict
from marginspec.targets.protocol import Limits


def prove_document(system: str, verdicts: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    """`marginspec/prove/1`."""
    return {
        "schema": "marginspec/prove/1",
        "system": system,
        "properties": [
            {
                "id": v.id,
                "law": v.law,
                "verdict": v.verdict,
                "reason": v.reason,
                "solvers": {
                    name: {"verdict": r.verdict, "seconds": round(r.seconds, 3)} for name, r in v.solvers.items()
                },
                "confirmed": v.confirmed,
                "paths": v.paths,
                "obligations": v.obligations,
                "witnessed": v.witnessed,
                "bounds": "; ".join((v.bounds, *v.scope)),
                "kind": "lemma" if v.kind == "lemma" else "law",
                "algebra": v.algebra,
                "vacuous": v.vacuous,
                "cached": v.cached,
                "rechecked": v.rechecked,
                "cases": v.cases,
                "scope": list(v.scope),
                "relaxed": list(v.relaxed),
                "rests_on": list(v.rests_on),
                "counterexample": v.counterexample,
                "seconds": round(v.seconds, 3),
            }
            for v in verdicts
        ],
        "summary": {
            **{kind: sum(v.verdict == kind for v in verdicts) for kind in ("proved", "refuted", "unknown")},
            "confirmed": sum(v.confirmed for v in verdicts),
            "laws": sum(v.kind != "lemma" for v in verdicts),
            "lemmas": sum(v.kind == "lemma" for v in verdicts),
            "algebra": sum(v.algebra for v in verdicts),
            "limited": sum(bool(v.scope or v.relaxed) for v in verdicts),
            "cases": sum(v.cases for v in verdicts),
            "seconds": round(seconds, 3),
        },
    }


def fuzz_document(
    system: str,
    target: str,
    model: type[Machine],
    campaign: Campaign,
    traces: Sequence[Path],
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """`marginspec/fuzz/1`. allowed: functions that no action need call."""
    tally, limits = campaign.tally, campaign.limits
    return {
        "schema": "marginspec/fuzz/1",
        "system": system,
        "target": target,
        "seed": str(campaign.seed),
        "sequences": tally.sequences,
        "steps": tally.steps,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "comparisons": tally.comparisons,
        "not_compared": tally.not_compared,
        "divergences": [
            {
                "rule": found.divergence.rule,
                "field": found.divergence.field,
                "model": found.divergence.model,
                "target": found.divergence.target,
                "trace": str(file),
                "steps": len(found.trace),
            }
            for found, file in zip(campaign.divergences, traces, strict=True)
        ],
        "declared": _declared(tally.declared),
        "rules": {rule: tally.rules[rule] for rule in sorted(rules_of(model)) if rule not in model.never},
        "regimes": {name: tally.regimes[name] for name in regimes_of(model)},
        "never": dict(model.never),
        "unreached": list(campaign.unreached),
        "actions": {
            action: {"accepted": tally.actions[action, True], "refused": tally.actions[action, False]}
            for action in actions_of(model)
        },
        "never_refused": [action for action, may_be in refusable(model).items() if not may_be],
        **limits_document(limits, allowed),
        "unobserved": {
            **{name: CONSTANT for name in constants_of(model) if not _is_shown(name, limits)},
            **dict.fromkeys(map(plain_name, limits.hidden), NOT_SHOWN),
            **limits.unobserved,
        },
        # Of a run that a divergence ended, what it did not come to is no matter.
        "below_floor": [] if campaign.divergences else [*_early(campaign), *shortfalls(model, tally, limits, allowed)],
        "steps_per_second": round(campaign.steps_per_second, 1),
    }


def _early(campaign: Campaign) -> list[str]:
    return [f"ended early: {campaign.ended}"] if campaign.ended else []


def _is_shown(constant: str, limits: Limits) -> bool:
    """Whether an adapter gives what the contracts have of a constant."""
    return any(re.match(rf"{re.escape(constant)}\W", f"{plain_name(name)} ") for name in limits.constants)


NOT_SHOWN = "the implementation does not show it"
CONSTANT = "constant in the model: that no action changes it was checked"


def limits_document(limits: Limits, allowed: Collection[str] = ()) -> dict[str, Any]:
    """Of a document, what the run cannot have seen of an implementation. allowed: of the unmodelled functions."""
    return {
        "unmodelled": list(limits.unmodelled),
        "allowed_unmodelled": [name for name in limits.unmodelled if name in allowed],
        "not_modelled": dict(limits.not_modelled),
        "not_executed": dict(limits.not_executed),
        "not_refused": dict(limits.not_refused),
    }


def _declared(differences: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [{"id": id, "reason": reason, "count": count} for (id, reason), count in sorted(differences.items())]


def replay_document(file: Path, target: str, trace: Trace, found: Replay) -> dict[str, Any]:
    """`marginspec/replay/1`. recorded: what the trace was kept for. stale: where the model no longer does the same.

    other_build: contracts whose code is not that of the trace; null where that is not known.
    """
    divergence = None if found.divergence is None else {"step": found.at, **asdict(found.divergence)}
    return {
        "schema": "marginspec/replay/1",
        "system": trace.system,
        "trace": str(file),
        "target": target,
        "steps": len(trace),
        "calls": [{**call_document(step.call), "rule": step.rule} for step in trace.steps],
        "recorded": None if trace.divergence is None else asdict(trace.divergence),
        "divergence": divergence,
        "declared": _declared(found.declared),
        "stale": found.stale,
        "other_build": None if found.other_build is None else list(found.other_build),
    }


def vectors_document(
    system: str,
    target: str,
    folder: Path,
    seed: int,
    model: type[Machine],
    vectors: Sequence[Vector],
    coverage: Mapping[str, Any],
    failed: Sequence[VectorFailure],
    limits: Limits,
    seconds: float,
) -> dict[str, Any]:
    """`marginspec/vectors/1`. coverage: of paths, where the vectors were made and not read."""
    counts = Counter((vector.call.action, vector.rule is None) for vector in vectors)
    return {
        "schema": "marginspec/vectors/1",
        "system": system,
        "seed": str(seed),
        "folder": str(folder),
        "target": target,
        "vectors": len(vectors),
        "accepted": sum(vector.rule is None for vector in vectors),
        "rejected": sum(vector.rule is not None for vector in vectors),
        "calls": sum(len(vector.steps) + 1 for vector in vectors),
        **coverage,
        "actions": {
            action: {"accepted": counts[action, True], "refused": counts[action, False]} for action in actions_of(model)
        },
        **limits_document(limits),
        "limits": _vector_limits(model, counts, limits),
        "failures": [{"vector": f.vector, "field": f.field, "expected": f.expected, "found": f.found} for f in failed],
        "seconds": round(seconds, 1),
    }


def _vector_limits(model: type[Machine], counts: Mapping[tuple[str, bool], int], limits: Limits) -> list[str]:
    """What no vector says anything of, in lines. counts: of vectors by action and whether it must be accepted."""
    lines = [f"{action}: {what}" for action, what in below(model, counts).items()]
    if limits.unmodelled:
        lines.append(f"unmodelled, no action calls them: {', '.join(limits.unmodelled)}")
    return lines


def fuzz_code(document: dict[str, Any], require_reach: bool) -> int:
    """0 holds, 1 divergence, 3 below the floor, or something unreached that had to be reached."""
    if document["divergences"]:
        return 1
    return 3 if document.get("below_floor") or (require_reach and document["unreached"]) else 0


def prove_code(document: dict[str, Any]) -> int:
    """0 all proved and confirmed, 1 something refuted, 3 something unknown or without a second opinion."""
    summary = document["summary"]
    if summary["refuted"]:
        return 1
    return 3 if summary["unknown"] or summary["confirmed"] < summary["proved"] or not summary["proved"] else 0
