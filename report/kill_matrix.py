"""The kill matrix for people: which change of the model, and which bug in the contract, was noticed by what."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe
from marginspec.results.schema import Document

SURVIVED = "[bold red]survived[/]"


def show_mutate(document: Document, console: Console, every: bool) -> None:
    """Mutants of the model and planted bugs of the contract. every: all of them, not only those that survived."""
    table = Table(title="Mutants of the model", title_justify="left")
    for column in ("mutant", "rule", "operator", "line", "killed by"):
        table.add_column(column, overflow="fold")
    for row in document["mutants"]:
        if every or not row["killed_by"]:
            killers = ", ".join(row["killed_by"]) or (SURVIVED if row["status"] == "survived" else row["status"])
            table.add_row(safe(row["id"]), row["rule"], row["operator"], str(row["line"]), killers)
    if table.row_count:
        console.print(table)
    bugs = [bug for bug in document.get("planted", ()) if every or not bug["killed_by"]]
    if bugs:
        show_planted(bugs, console)
    show_weak(document, console, every)
    summary = document["summary"]
    console.print(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in summary.items()))


def show_weak(document: Document, console: Console, every: bool) -> None:
    """Laws that no mutant breaks, and parts of laws that can go without anybody noticing.

    every: also each part that somebody notices.
    """
    hollow = document.get("hollow") or [law for law, mutant in document["broken_by"].items() if mutant is None]
    if hollow:
        console.print(f"[yellow]hollow[/], no mutant was found that breaks them: {', '.join(hollow)}")
    rows = [row for row in document.get("weakened", ()) if row["kind"] != "claim"]
    missed = [row for row in rows if row["noticed_by"] is None]
    if rows:
        console.print(f"weakened laws: {len(rows) - len(missed):,} of {len(rows):,} noticed")
    for row in rows if every else missed:
        who = "[yellow]nobody notices[/]" if row["noticed_by"] is None else safe(row["noticed_by"])
        console.print(f"  {row['law']} {row['kind']}: {safe(row['change'])}: {who}")


def show_planted(bugs: Sequence[Document], console: Console) -> None:
    """Which bug the lock-step run found, by which field, and which laws alone did on what the contract showed."""
    table = Table(title="Bugs planted in the contract", title_justify="left")
    for column in ("bug", "rule", "incident", "found after", "shrunk to", "divergence", "laws alone"):
        table.add_column(column, overflow="fold", justify="right" if column in ("found after", "shrunk to") else "left")
    for bug in bugs:
        found = ("not found", "", "")
        if bug["found_after"] is not None:
            shown = " ".join((bug["divergence"]["rule"], bug["divergence"]["field"]))
            found = (f"{bug['found_after']:,} steps", f"{bug['trace_length']} steps", safe(shown))
        elif "vector" in bug["killed_by"]:
            shown = " ".join((bug["divergence"]["rule"], bug["divergence"]["field"]))
            found = ("vectors only", f"{bug['trace_length']} steps", safe(shown))
        laws = f"{', '.join(bug['laws'])} after {bug['laws_after']:,} steps" if bug["laws"] else "none"
        style = None if bug["passed"] else "red" if bug["killed_by"] else "bold red"
        table.add_row(safe(bug["id"]), safe(bug["rule"]), safe(bug["incident"]), *found, laws, style=style)
    console.print(table)
