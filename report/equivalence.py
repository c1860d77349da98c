"""For people: which actions of the bytecode are proved to be the model's, which differ, which are open, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe

COLOURS = {"proved": "green", "refuted": "red", "open": "yellow", "skipped": "dim"}

OPEN_SHOWN = 5
"""Reasons of one action that are shown; --json lists all."""

VERDICTS = {
    "holds": "[bold green]holds[/]: the bytecode of every action is the model's, where all that is listed is so",
    "broken": "[bold red]broken[/]: the contract does something else than the model",
    "incomplete": "[bold yellow]incomplete[/]: what is open or skipped is not proved",
}


def show_equivalence(document: Mapping[str, Any], console: Console) -> None:
    """A row for each action; why some are not proved; what the others stand on."""
    table = Table("action", "verdict", "cases", "paths", "by algebra", "on pyrevm", "seconds", box=None, pad_edge=False)
    for row in document["actions"]:
        colour = COLOURS[row["verdict"]]
        counts = [f"{row[name]:,}" for name in ("cases", "paths", "algebra", "replayed")]
        seconds = "cached" if row["cached"] == row["cases"] > 0 else f"{row['seconds']:.1f}"
        table.add_row(safe(row["action"]), f"[{colour}]{row['verdict']}[/]", *counts, seconds)
    console.print(table)
    for row in document["actions"]:
        if row["differs"]:
            console.print(f"[red]{safe(row['action'])}[/]: {safe(row['differs'])}")
        if row["trace"]:
            console.print(f"  marginspec replay {safe(row['trace'])}")
        for line in row["open"][:OPEN_SHOWN]:
            console.print(f"  [yellow]{safe(row['action'])}[/]: {safe(line)}")
        if len(row["open"]) > OPEN_SHOWN:
            console.print(f"  and {len(row['open']) - OPEN_SHOWN} more: --json lists all")
    console.print("where proved, for:")
    for line in _assumed(document):
        console.print(f"  {line}")
    console.print(f"verdict: {VERDICTS[document['verdict']]}")


def _assumed(document: Mapping[str, Any]) -> list[str]:
    """What verdicts stand on; what not all of them do, with the actions that do."""
    actions = [row for row in document["actions"] if row["assumes"]]
    found = dict.fromkeys(line for row in actions for line in row["assumes"])
    lines = []
    for line in found:
        those = [row["action"] for row in actions if line in row["assumes"]]
        lines.append(safe(line) if len(those) == len(actions) else f"{safe(line)} ({safe(', '.join(those))})")
    return lines
