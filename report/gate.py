"""What a gate demanded and found, for people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from marginspec.base.text import safe
from marginspec.report.terminal import CHECK_VERDICTS
from marginspec.results.schema import Document


def show_kept_runs(document: Document, console: Console) -> None:
    """Of a `marginspec/fuzz/1` document: the kept traces that were tried first, the runs that came last; if any."""
    if corpus := document.get("corpus"):
        left_out = f", {corpus['left_out']} left out" if corpus["left_out"] else ""
        left_out += f" ({corpus['damaged']} damaged: no traces)" if corpus.get("damaged") else ""
        ended = ", the last of them diverges" if corpus["diverged"] else ""
        console.print(f"corpus: kept traces tried first: {corpus['replayed']}{left_out}{ended}")
    if (more := document.get("more_runs")) and more["followed"]:
        ended = ", the last of them diverges" if more["diverged"] else ""
        console.print(f"runs that random ones rarely are like, kept or searched for: {more['followed']}{ended}")


def show_gate(document: Document, console: Console) -> None:
    """Every threshold that the project sets, nothing where it sets none; and where to look for what is broken."""
    for row in document["gate"]["checks"]:
        if row["threshold"]:
            style = "green" if row["verdict"] == "holds" else "bold red"
            console.print(
                f"gate: {row['check']}: {safe(row['found'])} ({safe(row['demanded'])}): [{style}]{row['verdict']}[/]"
            )
    for found in document["findings"]:
        if found["level"] == "error":
            console.print(f"  see {safe(found['id'])}: {', '.join(safe(place_text(p)) for p in found['places'])}")


def place_text(place: Document) -> str:
    """A place in one word, as compilers write it; in the installed package it begins with `marginspec/`."""
    base = f"{place['base']}/" if place["base"] == "marginspec" else "" if place["base"] else "/"
    return f"{base}{place['file']}:{place['line']}"


def gate_verdicts(document: Document) -> Mapping[str, str]:
    """What each verdict means. A threshold that is missed is named, where all that the tool itself demands holds."""
    missed = [row for row in document["gate"]["checks"] if row["verdict"] != "holds"]
    if not missed or not all(row["threshold"] for row in missed):
        return CHECK_VERDICTS
    return dict.fromkeys(CHECK_VERDICTS, "not what is demanded here: " + ", ".join(row["check"] for row in missed))
