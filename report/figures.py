"""The figures that the README states: taken from the JSON documents of the runs that gave them, shown as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from marginspec.results.schema import Document

MIB = 2**20


def figures_of(document: Document) -> dict[str, dict[str, Document]]:
    """What is kept of a document, by system and what was run. Raises KeyError for one that has no figures."""
    return {document["system"]: _TAKEN[document["schema"].split("/")[1]](document)}


def _bench(document: Document) -> dict[str, Document]:
    return {"bench": {name: value for name, value in document.items() if name not in ("schema", "system")}}


def _fuzz(document: Document) -> dict[str, Document]:
    counts = ("target", "seed", "steps", "accepted", "rejected", "comparisons", "not_compared", "steps_per_second")
    return {
        f"fuzz {document['target']}": {
            **{name: document[name] for name in counts},
            "divergences": len(document["divergences"]),
            "declared": {found["id"]: found["count"] for found in document["declared"]},
            "rules": [_reached(document["rules"]), len(document["rules"])],
            "regimes": [_reached(document["regimes"]), len(document["regimes"])],
        }
    }


def _reached(hits: Mapping[str, int]) -> int:
    return sum(1 for count in hits.values() if count)


def _mutate(document: Document) -> dict[str, Document]:
    return {"mutate": document["summary"]}


def _planted(document: Document) -> dict[str, Document]:
    found = [bug for bug in document["bugs"] if bug["found_after"] is not None]
    return {
        "planted": {
            "bugs": len(document["bugs"]),
            "found": len(found),
            "most_steps": max((bug["found_after"] for bug in found), default=0),
            "longest_trace": max((bug["trace_length"] for bug in found), default=0),
        }
    }


def _upgrades(document: Document) -> dict[str, Document]:
    longest = max((bug["steps"] for bug in document["bugs"] if bug["steps"] is not None), default=0)
    return {"upgrades": {**document["summary"], "longest_account": longest}}


def _vectors(document: Document) -> dict[str, Document]:
    counts = ("covered", "infeasible", "open")
    return {
        "vectors": {
            "vectors": document["vectors"],
            "failed": len(document["failures"]),
            **{name: document["paths"][name] for name in counts},
        }
    }


def _valuation(document: Document) -> dict[str, Document]:
    counts = ("service", "asked", "questions", "figures", "declared", "verdict", "seconds")
    kinds = {"kinds": document["kinds"], "off": document["off"] is not None}
    return {f"valuation {document['service']}": {**{name: document[name] for name in counts}, **kinds}}


def _valuation_planted(document: Document) -> dict[str, Document]:
    found = sum(bug["found"] for bug in document["bugs"])
    most = max((bug["questions"] for bug in document["bugs"]), default=0)
    return {"valuation planted": {"bugs": len(document["bugs"]), "found": found, "most_questions": most}}


def _risk_bench(document: Document) -> dict[str, Document]:
    names = ("cores", "revaluation", "accounts", "peak_bytes")
    return {"risk bench": {name: document[name] for name in names}}


_TAKEN: Mapping[str, Callable[[Document], dict[str, Document]]] = {
    "bench": _bench,
    "fuzz": _fuzz,
    "mutate": _mutate,
    "planted": _planted,
    "risk-bench": _risk_bench,
    "upgrades": _upgrades,
    "valuation": _valuation,
    "valuation-planted": _valuation_planted,
    "vectors": _vectors,
}


# --- The table --------------------------------------------------------------------------------------------------------

Rows = list[tuple[str, str]]
"""What a figure is, and the figure."""


def table(figures: Mapping[str, Mapping[str, Document]]) -> str:
    """The figures as Markdown tables, with the command that gives each: what several systems have is side by side, then
    comes what one system alone has."""
    shown = [
        (what, command, {system: cells[what] for system, cells in of.items() if what in cells})
        for name, (command, rows) in _SHOWN.items()
        for of in [{system: dict(rows(known[name])) for system, known in figures.items() if name in known}]
        for what in dict.fromkeys(what for cells in of.values() for what in cells)
    ]
    shared = [(what, command, cells) for what, command, cells in shown if len(cells) > 1]
    systems = [system for system in figures if any(system in cells for _, _, cells in shared)]
    tables = [_table(systems, shared)] if shared else []
    for system in figures:
        alone = [(what, command, cells) for what, command, cells in shown if [*cells] == [system]]
        tables += [_table([system], alone)] if alone else []
    return "\n\n".join(tables)


def _table(systems: Sequence[str], shown: Sequence[tuple[str, str, Mapping[str, str]]]) -> str:
    lines = [f"| figure | {' | '.join(systems)} | of |", "|---" * (len(systems) + 2) + "|"]
    for what, command, cells in shown:
        lines.append(f"| {what} | {' | '.join(cells.get(system, '-') for system in systems)} | `{command}` |")
    return "\n".join(lines)


def _bench_rows(f: Document) -> Rows:
    return [
        ("laws proved, and confirmed by a second solver", f"{f['proved']} and {f['confirmed']} of {f['properties']}"),
        ("all proofs", f"{f['proof_seconds']:.0f} s on {f['cores']} cores"),
        ("lock-step run, steps/s of one core", f"{f['loop_steps_per_second']:,}"),
        ("the same calls and reads on bare pyrevm, encoded before", f"{f['raw_steps_per_second']:,}"),
        ("ratio of the two", f"{f['ratio']:.2f}"),
        *(
            [("steps/s of two processes against one", f"{f['gain_of_two_processes']:.2f}")]
            if "gain_of_two_processes" in f
            else []
        ),
        ("peak memory", f"{f['peak_bytes'] / MIB:,.0f} MiB"),
        ("the same of a million steps, from the slope", f"{f['peak_bytes_of_a_million_steps'] / MIB:,.0f} MiB"),
        *([("`marginspec --help`", f"{f['start_seconds']:.2f} s")] if "start_seconds" in f else []),
        *(_gate_rows(f["gate"]) if "gate" in f else []),
    ]


def _gate_rows(f: Document) -> Rows:
    """Seconds of processor time of the gate in `examples/gate`, once the laws are proved."""
    return [
        (
            "gate: a broken build is told of; explained and judged",
            f"{f['told']:.0f} s; {f['broken']:.0f} s of one core",
        ),
        ("gate: a clean build holds", f"{f['clean_again']:.0f} s of one core"),
    ]


def _fuzz_rows(f: Document) -> Rows:
    found = f"{f['divergences'] or 'no'} divergence{'s' if f['divergences'] > 1 else ''}"
    if f["declared"]:
        found += f", {sum(f['declared'].values()):,} declared differences of {len(f['declared'])} kinds"
    if f["not_compared"]:
        found += f", {f['not_compared']:,} steps that it does not implement"
    reach = f"{_of(f['rules'])} rules and {_of(f['regimes'])} regimes reached"
    compared = f"{f['steps']:,} steps, {f['comparisons']:,} values compared"
    return [(f"lock-step with {_TARGETS[f['target']]}", f"{compared}: {found}; {reach}")]


_TARGETS = {"embedded": "the bytecode in this process", "anvil": "anvil over JSON-RPC", "sdk": "Morpho's SDK"}


def _of(reached: list[int]) -> str:
    return "{} of {}".format(*reached)


def _mutate_rows(f: Document) -> Rows:
    unfit = f.get("invalid", 0) + f.get("crashes", 0)
    real = f["total"] - f["equivalent"] - unfit
    aside = f"{f['equivalent']} equivalent ones" + (f" and {unfit} that do not run" if unfit else "")
    late = f", {f['timed_out']} timed out" if f.get("timed_out") else ""
    return [
        ("mutants of the model killed", f"{f['killed']} of {real}{late}, {aside} aside"),
        ("by the lock-step run alone", f"{f['killed_by_differential'] / real:.1%}"),
        ("only by the conformance vectors", f"{f['killed_by_vectors']}"),
        ("laws that some mutant breaks", f"{f['laws_broken']} of {f['laws']}"),
        ("bugs planted in the contract killed", f"{f['planted_killed']} of {f['planted']}"),
        (
            "by the lock-step run alone; by the laws alone, without a model",
            f"{f['planted_killed_by_differential']}; {f['planted_killed_by_laws']}",
        ),
    ]


def _planted_rows(f: Document) -> Rows:
    return [
        ("bugs planted in the contract found", f"{f['found']} of {f['bugs']}"),
        ("most steps to find one; longest shrunk trace", f"{f['most_steps']:,}; {f['longest_trace']}"),
    ]


def _upgrade_rows(f: Document) -> Rows:
    named = f"{f['named']} of {f['bugs']}, {f['named_first']} of them first"
    return [
        ("planted bugs as upgrades: `diff` names the rule", named),
        ("most calls to show one on an account", f"{f['longest_account']}"),
    ]


def _vector_rows(f: Document) -> Rows:
    paths = f"{f['covered']} taken, {f['infeasible']} branches proved impossible, {f['open']} open"
    return [("conformance vectors; failed by the bytecode", f"{f['vectors']:,}; {f['failed']}"), ("paths", paths)]


def _valuation_rows(f: Document) -> Rows:
    told = "a difference" if f["off"] else "no difference"
    if f["declared"]:
        told += f", {sum(f['declared'].values()):,} declared ones ({', '.join(f['declared'])})"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in f["kinds"].items())
    return [
        (
            f"risk: questions to {_SERVICES[f['service']]}",
            f"{kinds}; {f['figures']:,} figures compared: {told}; {f['seconds']:.0f} s",
        )
    ]


_SERVICES = {
    "risk": "QuantLib, NumPy and SciPy",
    "frameworks": "the Common Domain Model and marginism",
    "simm": "ORE",
    "quantark": "quantark",
}


def _valuation_planted_rows(f: Document) -> Rows:
    return [
        (
            "bugs planted in risk services found, and named by their rule; most questions to find one",
            f"{f['found']} of {f['bugs']}; {f['most_questions']:,}",
        )
    ]


def _risk_bench_rows(f: Document) -> Rows:
    book, many = f["revaluation"], f["accounts"]
    return [
        (f"{book['positions']:,} options in {book['scenarios']:,} scenarios, by arrays", f"{book['seconds']:.2f} s"),
        (
            f"portfolio margin of {many['accounts']:,} accounts: by arrays on one core; exactly, on {f['cores']}",
            f"{many['seconds']:.0f} s; {many['exact_seconds']:.0f} s",
        ),
        ("peak memory of both", f"{f['peak_bytes'] / MIB:,.0f} MiB"),
    ]


_SHOWN: Mapping[str, tuple[str, Callable[[Document], Rows]]] = {
    "bench": ("make bench", _bench_rows),
    "fuzz embedded": ("make fuzz-long", _fuzz_rows),
    "fuzz anvil": ("make fuzz-anvil", _fuzz_rows),
    "fuzz sdk": ("make fuzz-sdk", _fuzz_rows),
    "mutate": ("make mutate", _mutate_rows),
    "planted": ("make planted", _planted_rows),
    "upgrades": ("make upgrades", _upgrade_rows),
    "vectors": ("make conformance", _vector_rows),
    "valuation risk": ("make services", _valuation_rows),
    "valuation frameworks": ("make services", _valuation_rows),
    "valuation simm": ("make services", _valuation_rows),
    "valuation quantark": ("tools.risk --service quantark", _valuation_rows),
    "valuation planted": ("make services", _valuation_planted_rows),
    "risk bench": ("make services", _risk_bench_rows),
}
