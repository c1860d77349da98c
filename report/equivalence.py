"""For people: which actions of the bytecode are proved to be the model's, which differ, which are open, and why."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe
from marginspec.results.schema import Document, equivalence_text

COLOURS = {"proved": "green", "refuted": "red", "open": "yellow", "skipped": "dim"}

OPEN_SHOWN = 5
"""Reasons of one action that are shown; --json lists all."""

VERDICTS = {
    "holds": "[bold green]holds[/]: the bytecode of each of these actions is the model's, where what is listed is so",
    "broken": "[bold red]broken[/]: the contract does something else than the model",
    "incomplete": "[bold yellow]incomplete[/]: what is open or skipped is not proved",
}


def show_equivalence(document: Document, console: Console) -> None:
    """What `show_actions` shows, and the verdict."""
    show_actions(document, console)
    console.print(f"verdict: {VERDICTS[document['verdict']]}")


def show_actions(document: Document | None, console: Console) -> None:
    """A row for each action; why some are not proved; what the others stand on. Nothing without a document."""
    if document is None:
        return
    table = Table(
        "action", "bytecode", "cases", "paths", "by algebra", "on pyrevm", "seconds", box=None, pad_edge=False
    )
    for row in document["actions"]:
        colour = COLOURS[row["verdict"]]
        counts = [f"{row[name]:,}" for name in ("cases", "paths", "algebra", "replayed")]
        seconds = "cached" if row["cached"] == row["cases"] > 0 else f"{row['seconds']:.1f}"
        table.add_row(safe(row["action"]), f"[{colour}]{equivalence_text(row)}[/]", *counts, seconds)
    console.print(table)
    for row in document["actions"]:
        if row["differs"]:
            console.print(f"[red]{safe(row['action'])}[/]: {safe(row['differs'])}")
        if row["trace"]:
            console.print(f"  {safe(row['repeat'])}", soft_wrap=True)
        for line in row["open"][:OPEN_SHOWN]:
            console.print(f"  [yellow]{safe(row['action'])}[/]: {safe(line)}")
        if len(row["open"]) > OPEN_SHOWN:
            console.print(f"  and {len(row['open']) - OPEN_SHOWN} more: --json lists all")
    if lines := stands_on(document):
        console.print("proved of the deployed code, as far as this goes:")
    for line in lines:
        console.print(f"  {safe(line)}")


def stands_on(document: Document, actions: Collection[str] | None = None) -> list[str]:
    """What the actions that are proved equal stand on, or some of them; what not all do, with those that do."""
    proved = [row for row in document["actions"] if row["verdict"] == "proved"]
    proved = [row for row in proved if actions is None or row["action"] in actions]
    lines = []
    for line in dict.fromkeys(line for row in proved for line in row["assumes"]):
        those = [row["action"] for row in proved if line in row["assumes"]]
        lines.append(line if len(those) == len(proved) else f"{line} ({', '.join(those)})")
    return lines
