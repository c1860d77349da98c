"""Conformance vectors for people: how many, what they cover, what they do not, which an implementation fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

SHOWN = 10

VERDICTS = {
    "holds": "[bold green]holds[/]: every path covered or impossible, every vector passed",
    "broken": "[bold red]broken[/]: the implementation fails vectors",
    "incomplete": "[bold yellow]incomplete[/]: paths are open",
}


def show_vectors(document: Mapping[str, Any], console: Console) -> None:
    """What was written or run."""
    console.print(
        f"vectors: {document['vectors']:,} of {escape(document['system'])} in {escape(document['folder'])}, "
        f"{document['accepted']:,} accepted and {document['rejected']:,} rejected, {document['calls']:,} calls"
    )
    if "paths" in document:
        paths = document["paths"]
        feasible = paths["covered"] + paths["open"]
        console.print(
            f"paths: {paths['covered']:,} covered, {paths['infeasible']:,} branches impossible, "
            f"{paths['open']:,} open: {100 * paths['covered'] / max(feasible, 1):.1f} % of those that may be feasible"
        )
        for row in document["open"]:
            console.print(f"  [yellow]open[/]: {escape(row['action'])}, {escape(row['path'])}")
    failed = document["failures"]
    passed = document["vectors"] - len(failed)
    console.print(f"{escape(document['target'])}: {passed:,} passed, {len(failed):,} failed, {document['seconds']} s")
    for row in failed[:SHOWN]:
        expected, found = escape(row["expected"]), escape(row["found"])
        console.print(f"  [red]{escape(row['vector'])}[/], {escape(row['field'])}: expected {expected}, found {found}")
    if len(failed) > SHOWN:
        console.print(f"  and {len(failed) - SHOWN} more: --json lists all")
    console.print(f"verdict: {VERDICTS[document['verdict']]}")
