"""How severe a divergence is, by a stated rule: impact times likelihood.

| impact | |
|---|---|
| high | an account becomes bankrupt by it, or somebody who does not act loses |
| medium | somebody may do, or is kept from doing, what the rules say otherwise |
| low | nobody gains, loses or decides otherwise: another reason, or a figure that nothing follows from yet |

| likelihood | |
|---|---|
| high | anybody can do it, and at least one in 100 calls drawn at random showed it |
| medium | anybody can do it, and fewer showed it |
| low | only a privileged role can do it |
"""

from __future__ import annotations

from typing import Any

from marginspec.results.schema import Document

PRIVILEGED = ("owner", "governance", "keeper")
"""Roles that not anybody has."""

OFTEN = 100
"""One in so many calls."""

LEVELS = ("critical", "high", "medium", "low")

SEVERITIES = {
    ("high", "high"): "critical",
    ("high", "medium"): "high",
    ("medium", "high"): "high",
    ("high", "low"): "medium",
    ("medium", "medium"): "medium",
    ("low", "high"): "low",
    ("medium", "low"): "low",
    ("low", "medium"): "low",
    ("low", "low"): "low",
}
"""By impact and likelihood."""


def severity(row: Document, calls: int) -> dict[str, Any]:
    """Judge an explained difference, an entry of `differences`: severity, impact and likelihood, each with its reason.

    calls: how many were drawn when it was looked for.
    """
    impact, who = _impact(row)
    likelihood, needs = _likelihood(row, calls)
    return {
        "severity": SEVERITIES[impact, likelihood],
        "impact": {"level": impact, "because": who},
        "likelihood": {"level": likelihood, "because": needs},
    }


def _impact(row: Document) -> tuple[str, str]:
    account = row["minimal_account"]
    if row["harm"]:
        return "high", str(row["harm"])
    losers = [gain for gain in account["gains"] if int(gain["amount"]) < 0 and gain["party"] != account["role"]]
    if losers:
        lost = losers[0]
        return "high", f"{lost['holder']}, who does not act, loses {-int(lost['amount'])} {lost['unit']}"
    if account["before"]["decision"] != account["after"]["decision"] or account["gains"]:
        return "medium", str(row["direction"])
    return "low", "nobody gains, loses or decides otherwise in the calls that were seen"


def _likelihood(row: Document, calls: int) -> tuple[str, str]:
    role, shown = row["minimal_account"]["role"], sum(way["count"] for way in row["ways"])
    if role in PRIVILEGED:
        return "low", f"it needs the {role}"
    often = shown * OFTEN >= calls
    return ("high" if often else "medium"), f"any {role} can do it; {shown} of {calls} random calls showed it"


def title(row: Document) -> str:
    """Say in words what happens: who is treated how, and how by the rules."""
    account = row["minimal_account"]
    before, after, standing = account["before"], account["after"], account["standing"]
    who = f"{_article(standing['word'])} account" if standing else account["account"]
    if before["decision"] == after["decision"]:
        return f"{account['call']['action'].replace('_', ' ')}: {row['direction']}"
    harm = f"; {row['harm']}" if row["harm"] else ""
    return f"{who}: {after['status']}; by the rules {before['status']}{harm}"


def _article(word: str) -> str:
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
