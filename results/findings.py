"""What a check found wrong, finding by finding, each with the places that it points at."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marginspec.lockstep.rehearsal import RehearsedStep, rehearse
from marginspec.lockstep.rules_reached import rules_of
from marginspec.lockstep.trace import read
from marginspec.model.kernel.machine import regimes_of
from marginspec.results.differences import STEPS_TO_EXPLAIN
from marginspec.results.places import (
    Place,
    SourceLines,
    law_places,
    regime_places,
    rule_places,
    rule_title,
    specification_place,
)
from marginspec.results.schema import Document
from marginspec.results.severity import LEVELS, severity, title
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Target

ERROR, WARNING, NOTE = "error", "warning", "note"


def findings(
    chosen: System,
    implementation: Target,
    builds: Sequence[Candidate],
    gate: Document,
    prove: Document,
    fuzz: Document,
    mutate: Document | None,
    explained: Sequence[Document] = (),
    equal: Document | None = None,
) -> list[dict[str, Any]]:
    """Everything that keeps a check from passing, and the differences that are declared.

    Each has id (a law, a rule, or the action), kind, level (`error`, `warning`, `note`), text, rules, places (at least
    one; the first is where to look first), and for a divergence its trace, the command that repeats it, the trace's
    calls with their places, and where it is explained its title, severity, impact and likelihood.

    explained: how the implementation departs from the model, as `differences.departures` tells.
    """
    found = [_law(chosen, row) for row in prove["properties"] if row["verdict"] != "proved" or not row["confirmed"]]
    if fuzz["divergences"]:
        sources = SourceLines(chosen, builds)
        found += [_divergence(chosen, implementation, sources, row, explained) for row in fuzz["divergences"]]
    missed = {row["check"] for row in gate["checks"] if row["verdict"] != "holds"}
    if "rules and regimes not reached" in missed:
        found += [_unreached(chosen, name) for name in fuzz["unreached"]]
    found += [_lacking(chosen, line) for line in fuzz.get("below_floor", ())]
    if mutate is not None and "mutation score" in missed:
        found += [_survivor(chosen, row) for row in mutate["mutants"] if row["status"] == "survived"]
    if equal is not None:
        found += [_unequal(chosen, row) for row in equal["actions"] if row["verdict"] in ("refuted", "open")]
    level = ERROR if "declared differences" in missed else NOTE
    return found + [_declared(chosen, row, level) for row in fuzz["declared"]]


def _finding(id: str, kind: str, level: str, text: str, rules: Sequence[str], places: list[Place]) -> dict[str, Any]:
    return {"id": id, "kind": kind, "level": level, "text": text, "rules": list(rules), "places": places}


def _law(chosen: System, row: Document) -> dict[str, Any]:
    kind = row["verdict"] if row["verdict"] != "proved" else "unconfirmed"
    text = f"{row['id']} is {kind}: {row['law']}"
    if row["counterexample"]:
        text += " Broken by " + ", ".join(f"{name} = {value}" for name, value in row["counterexample"].items())
    if row["reason"]:
        text += f" ({row['reason']})"
    return _finding(row["id"], kind, ERROR if kind == "refuted" else WARNING, text, [], law_places(chosen, row["id"]))


def _divergence(
    chosen: System, implementation: Target, sources: SourceLines, row: Document, explained: Sequence[Document]
) -> dict[str, Any]:
    trace = read(Path(row["trace"]), chosen.model, [chosen.model.system])
    steps = rehearse(chosen.model, trace.calls)
    # The rule behind it names the finding, where that was found out; else the rule that refused, or the only one
    # concerned; where several meet, the call does.
    behind = [rule for rule in _worst(explained)["rules"] if rule in rules_of(chosen.model)] if explained else []
    concerned = _concerned(chosen, implementation, row, steps[-1])
    rules = list(dict.fromkeys([*behind, *concerned]))
    places = [place for rule in rules for place in rule_places(chosen, rule)]
    at_fault = sources.places(trace.calls[-1])
    text = f"{row['rule']}, {row['field']}: model {row['model']}, target {row['target']}; call {row['steps']} shows it"
    named = behind or row["rule"] in concerned or len(concerned) == 1
    id = rules[0] if named else f"{chosen.name}/{trace.calls[-1].action}"
    return {
        **_finding(id, "divergence", ERROR, text, rules, at_fault + places or [specification_place(chosen)]),
        "titles": [rule_title(chosen, rule) for rule in rules],
        "key": [row["rule"], row["field"]],
        "trace": row["trace"],
        "repeat": row["repeat"],
        "calls": [_call(step, sources) for step in steps],
        **_explained(explained),
    }


def _explained(rows: Sequence[Document]) -> dict[str, Any]:
    """What a divergence does, in words, and how severe that is; nothing where it could not be explained."""
    if not rows:
        return {}
    worst = _worst(rows)
    return {"title": title(worst), "like": worst["like"], **severity(worst, STEPS_TO_EXPLAIN)}


def _worst(rows: Sequence[Document]) -> Document:
    """The most severe of some explained differences."""
    return min(rows, key=lambda row: LEVELS.index(severity(row, STEPS_TO_EXPLAIN)["severity"]))


def _call(step: RehearsedStep, sources: SourceLines) -> dict[str, Any]:
    arguments = ", ".join(f"{name}={value}" for name, value in step.call.arguments.items())
    refused = f", refused by {step.outcome.rule}" if step.outcome.rule else ""
    return {"text": f"{step.call.action}({arguments}){refused}", "places": sources.places(step.call)}


def _concerned(chosen: System, implementation: Target, row: Document, last: RehearsedStep) -> list[str]:
    """The rules that a divergence is about.

    The one by which the model refused, then those whose reason the target gave; without any, all that the call reached
    in the model.
    """
    rules = rules_of(chosen.model)
    own = [row["rule"]] if row["rule"] in rules else []
    reasons: dict[str, list[str]] = {}
    for rule in rules:
        with contextlib.suppress(LookupError):  # not every rule refuses
            reasons.setdefault(implementation.expected_reason(rule), []).append(rule)
    reason = row["target"].removeprefix("rejected: ")
    given = reasons.get(reason, []) if row["field"] in ("outcome", "reason") else []
    return list(dict.fromkeys(own + given)) or list(dict.fromkeys(last.rules))


def _unreached(chosen: System, name: str) -> dict[str, Any]:
    text = f"{name} was not reached, so nothing was compared there"
    if name in regimes_of(chosen.model):
        return _finding(name, "unreached", WARNING, text, [], regime_places(chosen, name))
    return _finding(name, "unreached", WARNING, text, [name], rule_places(chosen, name))


def _unequal(chosen: System, row: Document) -> dict[str, Any]:
    differs = row["verdict"] == "refuted"
    told = row["differs"] if differs else "; ".join(row["open"])
    text = f"the bytecode of {row['action']} is {'not the model' if differs else 'not proved to be the model'}: {told}"
    kind, level = ("different", ERROR) if differs else ("open", WARNING)
    finding = _finding(f"{chosen.name}/{row['action']}", kind, level, text, [], [specification_place(chosen)])
    return finding | ({"trace": row["trace"]} if row["trace"] else {})


def _lacking(chosen: System, line: str) -> dict[str, Any]:
    return _finding("FLOOR", "lacking", WARNING, f"too little was seen: {line}", [], [specification_place(chosen)])


def _survivor(chosen: System, row: Document) -> dict[str, Any]:
    text = f"no law and no comparison notices this change of the model: {row['id']}, {row['change']}"
    return _finding(row["rule"], "survived", WARNING, text, [row["rule"]], rule_places(chosen, row["rule"]))


def _declared(chosen: System, row: Document, level: str) -> dict[str, Any]:
    text = f"declared difference {row['id']}, {row['count']} times: {row['reason']}"
    return _finding(row["id"], "declared", level, text, [], [specification_place(chosen)])
