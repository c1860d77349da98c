"""A check as Markdown, for the summary of a CI run and for comments on a pull request."""

from __future__ import annotations

import html
import re

from marginspec.report.gate import place_text
from marginspec.results.schema import Document

MARKS = {"holds": "✅", "broken": "❌", "incomplete": "⚠️"}
FINDINGS_PER_KIND = 20
"""Findings of a kind; a summary has a limit of size, and nobody reads more."""


def summary(document: Document) -> str:
    """Markdown of a `marginspec/check/1` document: the verdict, what was demanded and found, then every finding."""
    prove, fuzz, verdict = document["prove"], document["fuzz"], document["verdict"]
    compared = f"{fuzz['steps']:,} steps with seed {fuzz['seed']}, {fuzz['comparisons']:,} values compared exactly"
    lines = [
        f"## {MARKS[verdict]} marginspec {_text(prove['system'])}: {verdict}",
        "",
        f"{len(prove['properties'])} laws of the model; {_text(fuzz['target'])} against it, {compared}.",
        "",
        "| | check | demanded | found |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {MARKS[row['verdict']]} | {row['check']} | {row['demanded']} | {row['found']} |"
        for row in document["gate"]["checks"]
    ]
    reached = sum(1 for hits in (*fuzz["rules"].values(), *fuzz["regimes"].values()) if hits)
    lines += ["", f"Reached: {reached} of {len(fuzz['rules']) + len(fuzz['regimes'])} rules and regimes."]
    if fuzz["unreached"]:
        lines[-1] += f" Not reached: {_text(', '.join(fuzz['unreached']))}."
    for name in fuzz.get("allowed_unmodelled", ()):
        lines.append(f"Unmodelled, and allowed: {_text(name)}.")
    for name, why in fuzz.get("not_modelled", {}).items():
        lines.append(f"Not modelled: {_text(name)} ({_text(why)}).")
    for kind in dict.fromkeys(finding["kind"] for finding in document["findings"]):
        lines += _findings(kind, [finding for finding in document["findings"] if finding["kind"] == kind])
    return "\n".join([*lines, "", ""])


def _findings(kind: str, found: list[Document]) -> list[str]:
    lines = ["", f"### {kind.capitalize()}: {len(found)}", ""]
    for finding in found[:FINDINGS_PER_KIND]:
        severity = f" ({finding['severity']})" if "severity" in finding else ""
        text = finding["text"].removeprefix(finding["id"]).lstrip(", ")
        told = f"{finding['title']}. {text}" if "title" in finding else text
        lines.append(f"- **{_text(finding['id'])}**{severity}: {_text(told)}")
        if finding["places"]:
            places = (f"{place['what']} {_code(place_text(place))}" for place in finding["places"])
            lines.append(f"  - {', '.join(places)}")
        if calls := finding.get("calls"):
            lines += [f"  {n}. {_code(call['text'])}" for n, call in enumerate(calls, 1)]
            lines.append(f"  - repeat it: {_code(finding['repeat'])}")
    return lines + ([f"- and {len(found) - FINDINGS_PER_KIND} more"] if len(found) > FINDINGS_PER_KIND else [])


def _text(text: str) -> str:
    """Text in which nothing is markup, neither of HTML nor of Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _code(text: str) -> str:
    """Text as code, by HTML's tag: backticks could be closed by the text itself. Inside, Markdown goes on."""
    return f"<code>{_text(text)}</code>"
