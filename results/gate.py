"""One verdict of everything that a gate looks at: proofs, vacuity, divergences, reach, and mutants when asked for.

Each has its row, with what is demanded of it; no row can excuse another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, worst
from marginspec.equivalence.product import NO_CALL
from marginspec.results.equivalence import equivalence_code
from marginspec.results.schema import Document, equivalence_text
from marginspec.results.settings import Settings


def gate_document(
    settings: Settings,
    require_reach: bool,
    prove: Document,
    fuzz: Document,
    mutate: Document | None,
    equal: Document | None = None,
) -> dict[str, Any]:
    """What is demanded and what was found, row by row. file: where the thresholds are from, None if from nowhere."""
    rows = [*_laws(prove, settings.min_laws), *_lock_step(fuzz, settings.max_declared, require_reach)]
    if settings.min_mutation_score is not None and mutate is not None:
        rows.append(_mutation(mutate, settings.min_mutation_score))
    if equal is not None:
        rows.append(_equal(equal))
    return {"file": settings.file, "checks": rows}


def gate_code(gate: Document) -> int:
    """The code of the worst row."""
    codes = {verdict: code for code, verdict in VERDICTS.items()}
    return worst({codes[row["verdict"]] for row in gate["checks"]})


def _row(check: str, demanded: str, found: str, code: int, threshold: bool = False) -> dict[str, Any]:
    """threshold: whether a setting or an option demands it, not the tool itself."""
    return {
        "check": check,
        "demanded": demanded,
        "found": found,
        "verdict": VERDICTS[code],
        "threshold": threshold,
    }


def _laws(document: Document, at_least: int | None) -> list[dict[str, Any]]:
    summary, laws = document["summary"], document["properties"]
    proved, confirmed, refuted = summary["proved"], summary["confirmed"], summary["refuted"]
    vacuous = sum(not law["witnessed"] for law in laws if law["verdict"] != "refuted")
    rows = [
        _row("laws refuted", "none", f"{refuted} of {len(laws)}", BROKEN if refuted else HOLDS),
        _row("laws proved", "all", f"{proved} of {len(laws)}", HOLDS if 0 < proved == len(laws) else INCOMPLETE),
        _row("laws confirmed", "all", f"{confirmed} of {len(laws)}", HOLDS if confirmed == len(laws) else INCOMPLETE),
        _row("laws without witnesses", "none", str(vacuous), INCOMPLETE if vacuous else HOLDS),
    ]
    if at_least is not None:
        code = HOLDS if proved >= at_least else INCOMPLETE
        rows.append(_row("number of laws", f"at least {at_least}", f"{proved} proved", code, threshold=True))
    return rows


def _lock_step(document: Document, declared: int | None, require_reach: bool) -> list[dict[str, Any]]:
    found, unreached, kinds = document["divergences"], document["unreached"], len(document["declared"])
    lacking = document.get("below_floor", ())
    rows = [
        _row("divergences", "none", str(len(found)), BROKEN if found else HOLDS),
        _row("enough seen", "everything", "; ".join(lacking) or "everything", INCOMPLETE if lacking else HOLDS),
    ]
    if declared is not None:
        code = BROKEN if kinds > declared else HOLDS
        rows.append(_row("declared differences", f"at most {declared}", str(kinds), code, threshold=True))
    if require_reach:
        of = len(document["rules"]) + len(document["regimes"])
        code = INCOMPLETE if unreached else HOLDS
        rows.append(_row("rules and regimes not reached", "none", f"{len(unreached)} of {of}", code, threshold=True))
    return rows


def _equal(document: Document) -> dict[str, Any]:
    """Of the actions that were to be proved equal, how each stands."""
    rows = [row for row in document["actions"] if row["action"] != NO_CALL]
    proved = sum(row["verdict"] == "proved" for row in rows)
    others = [f"{row['action']} {equivalence_text(row)}" for row in rows if row["verdict"] != "proved"]
    found = "; ".join([f"{proved} of {len(rows)}", *others])
    return _row("actions proved equal", f"all {len(rows)}", found, equivalence_code(rows), threshold=True)


def _mutation(document: Document, least: float) -> dict[str, Any]:
    problems: Sequence[str] = document.get("problems") or ()
    score = mutation_score(document)
    found = f"{score:.1f} %" + (f", {len(problems)} problems" if problems else "")
    code = BROKEN if score < least or problems else HOLDS
    if document.get("ended"):
        code, found = BROKEN if problems else INCOMPLETE, f"{found}, {document['ended']}"
    return _row("mutation score", f"at least {least:g} %", found, code, threshold=True)


def mutation_score(document: Document) -> float:
    """Percent of the mutants killed, aside those that are equivalent or do not run; nothing to kill is no score."""
    summary = document["summary"]
    tried = summary["total"] - summary["equivalent"] - summary.get("invalid", 0) - summary.get("crashes", 0)
    return 100.0 * float(summary["killed"]) / tried if tried else 0.0
