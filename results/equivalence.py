"""`marginspec/equivalence/1`: for each action, whether the bytecode is the model's action on all numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS
from marginspec.equivalence.product import NO_CALL, Deployed
from marginspec.equivalence.run import ActionVerdict, assumptions
from marginspec.lockstep.trace import Trace
from marginspec.model.kernel.machine import actions_of


def equivalence_document(
    deployed: Deployed, found: Mapping[str, ActionVerdict], files: Mapping[str, Path], seconds: float
) -> dict[str, Any]:
    """Describe what was found. files: of traces, by action."""
    rows = [_row(deployed, each, files.get(each.action)) for each in found.values()]
    if NO_CALL in actions_of(deployed.model):
        rows.append(_row(deployed, ActionVerdict(NO_CALL, 0), None))
    count = Counter(row["verdict"] for row in rows)
    summary: dict[str, Any] = {verdict: count[verdict] for verdict in ("proved", "refuted", "open", "skipped")}
    return {
        "schema": "marginspec/equivalence/1",
        "system": deployed.system.name,
        "artifacts": deployed.target.build(),
        "actions": rows,
        "summary": {**summary, "seconds": round(seconds, 1)},
        "verdict": VERDICTS[equivalence_code(rows)],
    }


def _row(deployed: Deployed, found: ActionVerdict, file: Path | None) -> dict[str, Any]:
    cases = found.cases
    shown = min((case for case in cases if case.trace), key=lambda case: len(case.trace or ()), default=None)

    def total(name: str) -> int:
        return sum(getattr(case, name) for case in cases)

    return {
        "action": found.action,
        "verdict": found.verdict,
        "cases": found.of,
        "done": len(cases),
        "cached": total("cached"),
        "paths": total("paths"),
        "algebra": total("algebra"),
        "impossible": total("learned"),
        "rechecked": total("rechecked"),
        "replayed": total("replayed"),
        "open_paths": total("left"),
        "open": found.open if cases else [_why_skipped(found)],
        "assumes": assumptions(deployed, found) if cases else [],
        "solvers": dict(sum((case.solvers for case in cases), Counter[str]())),
        "differs": shown.differs if shown else next((case.differs for case in cases if case.differs), ""),
        "seconds": round(sum(case.seconds for case in cases), 1),
        "trace": None if file is None else str(file),
    }


def _why_skipped(found: ActionVerdict) -> str:
    return "it is no call of a contract" if found.action == NO_CALL else "not come to"


def traces_of(found: Mapping[str, ActionVerdict]) -> dict[str, Trace]:
    """The shortest trace of each action that has one."""
    each = {action: [case.trace for case in verdict.cases if case.trace] for action, verdict in found.items()}
    return {action: min(traces, key=len) for action, traces in each.items() if traces}


def equal_in_both(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The actions that are proved equal to the model in every one of some builds, so that these do not differ."""
    proved = [{row["action"] for row in each["actions"] if row["verdict"] == "proved"} for each in documents.values()]
    return sorted(set.intersection(*proved)) if proved else []


def equivalence_code(rows: Collection[Mapping[str, Any]]) -> int:
    """The exit code: time that passes is no call of a contract, and nothing is missing where it alone is skipped."""
    verdicts = {row["verdict"] for row in rows if row["action"] != NO_CALL}
    if "refuted" in verdicts:
        return BROKEN
    return HOLDS if verdicts == {"proved"} else INCOMPLETE
