"""Conformance vectors for people: how many, what they cover, what they do not, which an implementation fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from marginspec.base.text import safe

ROWS_SHOWN = 10

MEASURED = (
    "a path is a way through the decisions in the text of an action and of what it uses: comparisons, `and`, `or`, "
    "`min`, `max`, membership in a list; loops are cut after one round. Amounts are tried at and beside each boundary"
)

RUN_HOLDS = "[bold green]holds[/]: every vector in the folder passed"

VERDICTS = {
    "holds": "[bold green]holds[/]: every path that was looked for is covered or impossible, every vector passed",
    "broken": "[bold red]broken[/]: the implementation fails vectors",
    "incomplete": "[bold yellow]incomplete[/]: paths are open, or vectors were not run",
}


def show_vectors(document: Mapping[str, Any], console: Console) -> None:
    """What was written or run."""
    console.print(
        f"vectors: {document['vectors']:,} of {safe(document['system'])} in {safe(document['folder'])}, "
        f"{document['accepted']:,} accepted and {document['rejected']:,} rejected, {document['calls']:,} calls"
    )
    if "paths" in document:
        paths = document["paths"]
        feasible = paths["covered"] + paths["open"]
        console.print(
            f"paths: {paths['covered']:,} covered, {paths['infeasible']:,} branches impossible, "
            f"{paths['open']:,} open: {100 * paths['covered'] / max(feasible, 1):.1f} % of those that may be feasible"
        )
        console.print(f"  {MEASURED}")
        for row in document["open"]:
            console.print(f"  [yellow]open[/]: {safe(row['action'])}, {safe(row['path'])}")
        if document["open"]:
            console.print("  more --steps search longer for them; proofs that were not come to, the next run looks for")
    for line in document.get("limits", ()):
        console.print(f"  [yellow]no vector says anything of this[/]: {safe(line)}")
    if stated := document.get("not_modelled"):
        console.print(f"  not modelled, as the adapter states: {safe(', '.join(stated))}")
    failed = document["failures"]
    passed = document.get("ran", document["vectors"]) - len(failed)
    left = document["vectors"] - passed - len(failed)
    not_run = f", [yellow]{left:,} not run[/]" if left else ""
    console.print(
        f"{safe(document['target'])}: {passed:,} passed, {len(failed):,} failed{not_run}, {document['seconds']} s"
    )
    for row in failed[:ROWS_SHOWN]:
        expected, found = safe(row["expected"]), safe(row["found"])
        console.print(f"  [red]{safe(row['vector'])}[/], {safe(row['field'])}: expected {expected}, found {found}")
    if len(failed) > ROWS_SHOWN:
        console.print(f"  and {len(failed) - ROWS_SHOWN} more: --json lists all")
    if document.get("ended"):
        console.print(f"  [yellow]{safe(document['ended'])}[/]: the next run goes on from there")
    ran_only = document["verdict"] == "holds" and "paths" not in document
    console.print(f"verdict: {RUN_HOLDS if ran_only else VERDICTS[document['verdict']]}")
