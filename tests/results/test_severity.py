"""Severity is impact times likelihood, each for a stated reason; a title says what happens to whom."""

from __future__ import annotations

from typing import Any

import pytest

from marginspec.results.provenance import compiler_of
from marginspec.results.severity import SEVERITIES, severity, title
from marginspec.systems.registry import shipped


def row(
    role: str = "user", before: str = "refused", after: str = "accepted", shown: int = 1, **changed: Any
) -> dict[str, Any]:
    """An explained difference: a healthy account can borrow and must not."""
    sides = {
        "before": {"decision": before, "status": "cannot borrow"},
        "after": {"decision": after, "status": "can borrow"},
    }
    account = {"account": "supplier", "role": role, "standing": {"word": "healthy"}, "gains": [], **sides}
    account |= {"call": {"action": "borrow", "arguments": {}}, **changed.pop("account", {})}
    ways = [{"at": "HLT-5", "field": "outcome", "count": shown}]
    return {
        "direction": "more permissive for the user",
        "harm": None,
        "ways": ways,
        **changed,
        "minimal_account": account,
    }


LOSS = {"gains": [{"party": "other user", "holder": "lender", "unit": "X", "amount": "-5"}]}
OWN_LOSS = {"gains": [{"party": "user", "holder": "lender", "unit": "X", "amount": "-5"}]}


@pytest.mark.parametrize(
    ("found", "calls", "impact", "likelihood"),
    [
        (row(), 1000, "medium", "medium"),
        (row(shown=10), 1000, "medium", "high"),
        (row(role="owner"), 1000, "medium", "low"),
        (row(harm="supplier becomes insolvent"), 1000, "high", "medium"),
        (row(before="accepted", account=LOSS), 1000, "high", "medium"),
        (row(before="accepted", account=OWN_LOSS), 1000, "medium", "medium"),
        (row(before="accepted"), 1000, "low", "medium"),
    ],
)
def test_severity_follows_its_rule(found: dict[str, Any], calls: int, impact: str, likelihood: str) -> None:
    judged = severity(found, calls)
    assert (judged["impact"]["level"], judged["likelihood"]["level"]) == (impact, likelihood)
    assert judged["severity"] == SEVERITIES[impact, likelihood]
    assert judged["impact"]["because"]
    assert judged["likelihood"]["because"]


def test_a_title_says_what_happens_and_what_the_rules_say() -> None:
    assert title(row()) == "a healthy account: can borrow; by the rules cannot borrow"
    harmed = title(row(harm="supplier becomes insolvent"))
    assert harmed == "a healthy account: can borrow; by the rules cannot borrow; supplier becomes insolvent"
    assert title(row(before="accepted")) == "borrow: more permissive for the user"


def test_the_compiler_is_what_the_code_says_at_its_end() -> None:
    contracts = shipped("morpho-blue").contracts
    assert contracts is not None
    assert compiler_of(contracts()["Morpho"].bytecode) == "solc 0.8.19"
    contracts = shipped("reference").contracts
    assert contracts is not None
    assert (compiler_of(contracts()["venue"].bytecode) or "").startswith("vyper 0.4.")
    assert compiler_of(b"\x00" * 64) is None
