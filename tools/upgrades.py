"""`python -m tools.upgrades SYSTEM`: each planted bug as an upgrade: does `diff` name the rule that it breaks?

A table for people on standard error, the document `marginspec/upgrades/1` on standard output.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from marginspec.base import process
from marginspec.base.text import safe
from marginspec.conformance.run import vector_runs
from marginspec.model.kernel.machine import Call
from marginspec.mutation.planted import Bug, build, load
from marginspec.systems.registry import system
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.upgrade.comparison import SHORT, compare

STEPS = 20_000
SEED = 1


def verify(name: str, steps: int) -> int:
    """Compare the shipped contracts with each buggy build; code 1 when a rule is not named, or its account is long."""
    chosen, bugs, rows = system(name), load(name), list[dict[str, Any]]()
    vectors = vector_runs(chosen.model, chosen.chapter.properties, SEED)
    fork = multiprocessing.get_context("fork")
    with process.progress("upgrades", len(bugs)) as advance, ProcessPoolExecutor(os.cpu_count() or 1, fork) as pool:
        for row in pool.map(_row, bugs, itertools.repeat(steps), itertools.repeat(vectors)):
            rows.append(row)
            advance(len(rows))
    Console(stderr=True, width=None if sys.stderr.isatty() else 160).print(_table(rows))
    summary = {
        "bugs": len(rows),
        "found": sum(row["differences"] > 0 for row in rows),
        "named": sum(row["place"] is not None for row in rows),
        "named_first": sum(row["place"] == 1 for row in rows),
        "short": sum(row["steps"] is not None and row["steps"] <= SHORT for row in rows),
    }
    process.emit(
        {
            "schema": "marginspec/upgrades/1",
            "system": name,
            "seed": str(SEED),
            "steps": steps,
            "longest_account_allowed": SHORT,
            "bugs": rows,
            "summary": summary,
        }
    )
    return process.HOLDS if summary["named"] == summary["short"] == len(rows) else process.BROKEN


def _row(bug: Bug, steps: int, vectors: Sequence[Sequence[Call]]) -> dict[str, Any]:
    """place: of the broken rule among those named, in the first difference that names it. steps: of its account."""
    chosen = system(bug.system)
    base = EvmTarget("base", chosen.adapter({}), Embedded())
    head = EvmTarget("head", chosen.adapter(build(bug)), Embedded())
    with contextlib.closing(base), contextlib.closing(head):
        found = compare(chosen.model, base, head, steps, SEED, vectors).differences
    right = next((difference for difference in found if bug.rule in difference.rules), None)
    return {
        "id": bug.id,
        "rule": bug.rule,
        "differences": len(found),
        "named": [list(difference.rules) for difference in found],
        "place": None if right is None else right.rules.index(bug.rule) + 1,
        "steps": None if right is None else len(right.parting.steps),
        "like": None if right is None else right.like or None,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("bug", "rule", "differences", "place", "steps", "named")
    for row in rows:
        good = row["place"] is not None and row["steps"] <= SHORT
        figures = [str(row[name] or "-") for name in ("differences", "place", "steps")]
        named = "; ".join(", ".join(rules) for rules in row["named"])
        table.add_row(safe(row["id"]), row["rule"], *figures, named, style=None if good else "red")
    return table


def main() -> None:
    """Verify the bugs of the system that is named; a second argument is how many steps to compare."""
    process.run(lambda: verify(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else STEPS))


if __name__ == "__main__":
    main()
