"""What an implementation did to the laws, for people at a terminal."""

from __future__ import annotations

from rich.console import Console

from marginspec.base.text import safe
from marginspec.report.terminal import show_floor, show_how_to_repeat, show_limits, show_reach
from marginspec.results.schema import Document


def show_laws(document: Document, console: Console) -> None:
    """What was judged, which law was broken, what was not reached."""
    judged = [law for law, cases in document["laws"].items() if cases]
    console.print(
        f"laws: {document['system']} at {safe(document['target'])} by itself, seed {document['seed']}: "
        f"{document['steps']:,} steps ({document['accepted']:,} accepted, {document['rejected']:,} rejected), "
        f"{len(judged)} laws judged in {document['comparisons']:,} cases, {document['steps_per_second']:,.0f} steps/s"
    )
    for found in document["violations"]:
        calls = "1 call" if found["steps"] == 1 else f"{found['steps']} calls"
        console.print(f"[bold red]broken[/] by {safe(found['action'])}: {found['law']}: {safe(found['text'])}")
        console.print(f"  {safe(found['case'])}; {calls} in {safe(found['trace'])}")
        show_how_to_repeat(found, console)
    also = [law for law in document["broken"] if law not in {found["law"] for found in document["violations"]}]
    if also:
        console.print(f"  broken in the same sequence: {', '.join(also)}")
    if never := [law for law in document["laws"] if law not in judged]:
        console.print(f"  [yellow]never judged[/]: {', '.join(never)}")
    show_reach(document, console)
    show_limits(document, console)
    if not document["violations"]:
        console.print("laws: [green]none broken[/]")
    show_floor(document, console)
