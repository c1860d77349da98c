"""A run of which everything is said that a report can say, by a hostile contract."""

from typing import Any

import pytest

HOSTILE = '"><script>alert(1)</script><img src="http://example.invalid/x" onerror=alert(2)>'


def law(name: str, verdict: str, **changed: Any) -> dict[str, Any]:
    solvers = {"z3": {"verdict": "unsat", "seconds": 0.25}, "yices": {"verdict": "unsat", "seconds": 0.5}}
    return {
        "id": name,
        "law": f"{name} holds of `every` account.",
        "verdict": verdict,
        "reason": "",
        "solvers": solvers,
        "confirmed": verdict == "proved",
        "paths": 1234,
        "obligations": 5,
        "witnessed": True,
        "bounds": "two markets",
        "counterexample": None,
        "seconds": 12.345,
    } | changed


def rule(name: str, title: str, laws: list[str], **changed: Any) -> dict[str, Any]:
    text = f"An action MUST {HOSTILE} ![x](http://example.invalid/y) [z](javascript:alert(3)).\n- *Why:* `code`"
    return (
        {"id": name, "title": title, "text": text, "code": ["model/m.py:7"], "properties": laws}
        | {"never": None}
        | changed
    )


def mutant(number: int, name: str, status: str, killers: list[str]) -> dict[str, Any]:
    kind = "rounding" if number % 2 else "order"
    return {
        "id": f"m:{number}",
        "rule": name,
        "operator": kind,
        "file": "model/m.py",
        "line": number,
        "change": f"a < b -> {HOSTILE}",
        "status": status,
        "killed_by": killers,
        "why": "the same" if status == "equivalent" else "",
    }


def a_run() -> dict[str, Any]:
    """Its documents by kind; broken in every way that there is."""
    laws = [
        law("L-1", "proved"),
        law("L-2", "proved", solvers={}, seconds=0.01),
        law("L-3", "unknown", reason="time-out"),
        law("L-4", "refuted", counterexample={"x": "123456789", HOSTILE: "-1"}),
        law("L-5", "proved", confirmed=False),
    ]
    divergence = {"rule": "borrow", "field": "outcome", "model": "accepted", "target": f"rejected: {HOSTILE}"}
    return {
        "prove": {
            "schema": "marginspec/prove/1",
            "system": "morpho-blue",
            "properties": laws,
            "summary": {"proved": 3, "refuted": 1, "unknown": 1, "confirmed": 2, "seconds": 61.5},
        },
        "fuzz": {
            "schema": "marginspec/fuzz/1",
            "system": "morpho-blue",
            "target": f"embedded {HOSTILE}",
            "seed": "7",
            "sequences": 2,
            "steps": 12345,
            "accepted": 12000,
            "rejected": 345,
            "comparisons": 9876543,
            "not_compared": 11,
            "divergences": [{**divergence, "trace": "out/traces/one.json", "steps": 1}],
            "declared": [{"id": "SDK-1", "reason": f"known {HOSTILE}", "count": 3}],
            "rules": {"AAA-1": 1000, "AAA-2": 0, "AAA-10": 5},
            "regimes": {"liquidatable": 4, "bankrupt": 0},
            "never": {"AAA-3": "L-2"},
            "unreached": ["AAA-2", "bankrupt"],
            "steps_per_second": 4321.5,
        },
        "mutate": {
            "schema": "marginspec/mutate/1",
            "system": "morpho-blue",
            "problems": ["an entry is stale"],
            "broken_by": {"L-1": "m1", "L-2": None},
            "mutants": [
                mutant(1, "AAA-1", "killed", ["differential", "L-1"]),
                mutant(2, "AAA-1", "killed", ["L-1"]),
                mutant(3, "AAA-1", "survived", []),
                mutant(4, "AAA-10", "equivalent", []),
                mutant(5, "AAA-2", "killed", ["crash"]),
            ],
            "summary": {"killed": 3, "survived": 1, "equivalent": 1, "total": 5},
        },
        "planted": {
            "schema": "marginspec/planted/1",
            "system": "morpho-blue",
            "bugs": [
                {
                    "id": f"bug-{n}",
                    "rule": "AAA-1",
                    "incident": HOSTILE,
                    "why": "Somebody loses.",
                    "found_after": n,
                    "trace_length": 3,
                    "divergence": {"rule": "AAA-1", "field": "outcome"},
                    "passed": n is not None,
                }
                for n in (17, None)
            ],
        },
        "bounds": {
            "schema": "marginspec/bounds/1",
            "system": "morpho-blue",
            "verdict": "broken",
            "reports": [
                {
                    "parameters": f"some/{HOSTILE}.toml",
                    "binding": ["ETH"],
                    "assumed": ["Somebody liquidates."],
                    "verdict": "broken",
                    "survives": [
                        {
                            "exposure": name,
                            "delta": "41666",
                            "certified": debt is not None,
                            "proof": {"verdict": "proved", "confirmed": True},
                            "beyond": {"verdict": "refuted", "counterexample": None},
                            "bankruptcy": {"calls": [], "bad_debt": debt, "reason": None if debt else HOSTILE},
                        }
                        for name, debt in (("ETH", "1500000000000"), ("BTC", None))
                    ],
                    "constraints": [
                        {
                            "rule": "MRG-12",
                            "subject": HOSTILE,
                            "text": "x <= y",
                            "left": "2",
                            "right": "1",
                            "slack": "-1",
                        }
                    ],
                }
            ],
        },
        "diff": {
            "schema": "marginspec/diff/1",
            "system": "morpho-blue",
            "base": "shipped",
            "head": HOSTILE,
            "steps": 5000,
            "unreached": ["AAA-10"],
            "differences": [
                {
                    "rule": "AAA-1",
                    "direction": f"stricter for the {HOSTILE}",
                    "minimal_account": {
                        "account": HOSTILE,
                        "standing": {"word": "healthy", "figures": {"debt": "15000", HOSTILE: "1"}},
                        "before": {"status": "can borrow", "reason": None, "returns": ["7000", "1"]},
                        "after": {"status": "cannot borrow", "reason": HOSTILE, "standing": None},
                        "steps": [{"action": "borrow", "arguments": {"assets": "7000", "caller": HOSTILE}}],
                    },
                    "trace": None,
                    "declared": False,
                }
            ],
        },
        "vectors": {
            "schema": "marginspec/vectors/1",
            "system": "morpho-blue",
            "target": HOSTILE,
            "vectors": 1234,
            "accepted": 1000,
            "rejected": 234,
            "calls": 5000,
            "paths": {"covered": 99, "infeasible": 1, "open": 1},
            "infeasible": [{"action": "supply", "path": HOSTILE, "why": "impossible in supply"}],
            "open": [{"action": "borrow", "path": "_accrue: `a < b` is True"}],
            "failures": [{"vector": "borrow-001", "field": HOSTILE, "expected": "accepted", "found": HOSTILE}],
            "verdict": "broken",
        },
        "audit": {
            "schema": "marginspec/audit/1",
            "system": "morpho-blue",
            "chain": "1",
            "address": HOSTILE,
            "block": "18883124",
            "accounts": 5001,
            "positions": 7000,
            "compared": {HOSTILE: 5001},
            "different": 1,
            "differences": [
                {"question": "healthy", "account": "0x12", "market": HOSTILE, "model": "1", "contract": HOSTILE}
            ],
            "not_evaluated": [{"what": "market 0x56", "why": f"its oracle {HOSTILE}"}],
            "invariants": [
                {"id": "L-1", "law": "L-1 holds of `every` account.", "cases": 5001, "broken": 0},
                {"id": "L-2", "law": "Sums are sums.", "cases": 2, "broken": 1},
            ],
            "evaluated": 4000,
            "liquidatable": 1,
            "closest": [
                {
                    "account": account,
                    "market": "",
                    "healthy": health is None,
                    "has": "1500000",
                    "needs": "1500001",
                    "unit": HOSTILE,
                    "health": health,
                    "bad_debt": "0" if health is None else "12",
                }
                for account, health in (("0x34", "0.999999"), (HOSTILE, None))
            ],
            "bad_debt": [{"market": HOSTILE, "unit": HOSTILE, "accounts": 1, "amount": "12"}],
            "verdict": "broken",
        },
        "rules": {
            "schema": "marginspec/rules/1",
            "system": "morpho-blue",
            "rules": [
                rule("AAA-1", "First", ["L-1", "L-3"]),
                rule("AAA-2", f"Second {HOSTILE}", [], code=[]),
                rule("AAA-3", "Third", ["L-2"], never="L-2"),
                rule("AAA-10", "Tenth", ["L-4"], code=["a/b.py:1", "a/b.py:2", "a/c.py:3"]),
            ],
        },
    }


def line(label: str, role: str, *values: float | None) -> dict[str, Any]:
    return {"label": label, "role": role, "values": list(values)}


def counterexamples() -> list[dict[str, Any]]:
    """One, with every kind of plot."""
    amount = {"name": "assets", "value": "1000000", "unit": "token base units", "human": "1 token"}
    change = {"name": f"debt[{HOSTILE}]", "before": "0", "after": "5", "unit": "shares", "human": ""}
    standing = {
        "who": "borrower",
        "word": "liquidatable",
        "changed": True,
        "spare": "0",
        "unit": "USD",
        "figures": {"equity": "10.5", "maintenance margin": "10.5"},
    }
    price = line("mark price", "price", 2000.0, 1e40)
    margins = [line("equity", "equity", 5.0, -1.0), line("maintenance margin", "maintenance", 2.0, None)]
    parts = [
        {"label": "insurance fund", "role": "fund", "value": 12.5},
        {"label": "deficit still open", "role": "open", "value": 100.0},
    ]
    return [
        {
            "file": f"out/traces/{HOSTILE}.json",
            "target": HOSTILE,
            "seed": "7",
            "length": 1,
            "first": 1,
            "stale": "step 1",
            "divergence": {"rule": "borrow", "field": "outcome", "model": "accepted", "target": HOSTILE, "unit": ""},
            "steps": [
                {
                    "number": 1,
                    "action": "borrow",
                    "meaning": f"Borrow `assets` {HOSTILE}.",
                    "world": False,
                    "arguments": [amount, {"name": "caller", "value": HOSTILE, "unit": "", "human": ""}],
                    "rule": None,
                    "returns": ["1000000", "2"],
                    "changes": [change],
                    "standings": [standing],
                }
            ],
            "charts": [
                {
                    "title": "Price",
                    "unit": "USD per ETH",
                    "note": "n",
                    "series": [price],
                    "band": [[1999.0, 9e39], [2001.0, 2e40]],
                },
                {
                    "title": "Equity against margin",
                    "unit": "USD",
                    "note": "n",
                    "series": margins,
                    "danger": ["equity", "maintenance margin"],
                },
                {
                    "title": "Where the money went",
                    "unit": "USD",
                    "note": "n",
                    "bars": [{"label": "1 cover", "parts": parts}],
                },
            ],
        }
    ]


def origin() -> dict[str, Any]:
    """Of the run."""
    source = {"file": HOSTILE, "schema": "marginspec/check/1", "digest": "ab" * 32}
    return {
        "system": "morpho-blue",
        "version": "0.1.0",
        "sources": [source],
        "commands": [f"marginspec check {HOSTILE}"],
    }


@pytest.fixture
def documents() -> dict[str, Any]:
    """The run's documents, for a test to change."""
    return a_run()


@pytest.fixture
def stories() -> list[dict[str, Any]]:
    """The run's stories, for a test to change."""
    return counterexamples()


@pytest.fixture
def about() -> dict[str, Any]:
    """Where the run is from."""
    return origin()


@pytest.fixture(scope="session")
def page() -> str:
    """The report of all of it."""
    # Here, because plots take a second to load, which the other tests of this folder need not wait.
    from marginspec.report.html import render

    modelled = ["**Signatures.** `permit` is absent.", HOSTILE]
    return render("broken", a_run(), counterexamples(), modelled, [f"trace {HOSTILE}: not found"], origin())
