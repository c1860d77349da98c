"""The live book of a deployment for people at a terminal, from the document `marginspec/audit/1`."""

from __future__ import annotations

from rich.console import Console

from marginspec.base.text import safe
from marginspec.report.terminal import show_verdict
from marginspec.results.schema import Document

VERDICTS = {
    "holds": "model and contract agree on every account asked about, every invariant and every bound holds",
    "broken": "model and contract differ, or an invariant or a bound does not hold",
    "incomplete": "something could not be evaluated, or is missing; this is not a pass",
}
ROWS_SHOWN = 10
"""Of differences and of what could not be evaluated; the document has more."""


def show_audit(document: Document, console: Console) -> None:
    """What was read, what the model and the contract say of it, who is close to liquidation."""
    requests = document["requests"]
    console.print(
        f"audit: {document['system']} at {_short(document['address'])}, chain {safe(document['chain'])}, block "
        f"{safe(document['block'])}: {document['accounts']:,} accounts, {document['positions']:,} positions"
    )
    console.print(
        f"read: {requests['asked']:,} requests, {requests['kept']:,} answers kept from before, "
        f"{document['seconds']:.1f} s" + (f"; all in {safe(document['state'])}" if document["state"] else "")
    )
    _show_closest(document, console)
    _show_comparison(document, console)
    _show_invariants(document, console)
    _show_bounds(document, console)
    gaps = document["not_evaluated"]
    for gap in gaps[:ROWS_SHOWN]:
        console.print(f"[yellow]not evaluated[/]: {_shortened(gap['what'])}: {safe(gap['why'])}")
    if len(gaps) > ROWS_SHOWN:
        console.print(f"  and {len(gaps) - ROWS_SHOWN:,} more that could not be evaluated")
    show_verdict(document["verdict"], VERDICTS, console)


def _show_closest(document: Document, console: Console) -> None:
    if document["closest"]:
        console.print("closest to liquidation, by what they have of what they need:")
    for row in document["closest"]:
        where = f" in {_short(row['market'])}" if row["market"] else ""
        health = f"{row['health'] or 'no need':>12}"
        lost = f", bad debt {safe(row['bad_debt'])}" if row["bad_debt"] != "0" else ""
        console.print(
            f"{health if row['healthy'] else f'[bold red]{health}[/]'} {safe(row['account'])}{where}: "
            f"{safe(row['has'])} of {safe(row['needs'])} {_short(row['unit'])}{lost}"
        )
    console.print(
        f"health: {document['evaluated']:,} accounts that owe, {document['liquidatable']:,} of them below what they "
        "need: liquidatable"
    )
    for row in document["bad_debt"]:
        where = f" in market {_short(row['market'])}" if row["market"] else ""
        console.print(
            f"bad debt: {safe(row['amount'])} of {_short(row['unit'])}{where}, of {row['accounts']:,} accounts"
        )


def _show_comparison(document: Document, console: Console) -> None:
    asked = ", ".join(f"{count:,} {safe(what)}" for what, count in document["compared"].items())
    found = f"[bold red]{document['different']:,} differ[/]" if document["different"] else "[green]all agree[/]"
    console.print(f"contract: {asked + ': ' + found if asked else '[yellow]nothing to ask it[/]'}")
    for row in document["differences"][:ROWS_SHOWN]:
        where = f" in {_short(row['market'])}" if row["market"] else ""
        console.print(
            f"  {safe(row['question'])} of {safe(row['account'])}{where}: model {safe(row['model'])}, "
            f"contract {safe(row['contract'])}"
        )
    if document["different"] > ROWS_SHOWN:
        console.print(f"  and {document['different'] - ROWS_SHOWN:,} more")


def _show_invariants(document: Document, console: Console) -> None:
    rows = document["invariants"]
    broken = [row for row in rows if row["broken"]]
    cases = sum(row["cases"] for row in rows)
    found = f"[bold red]{len(broken)} broken[/]" if broken else "[green]all hold[/]"
    console.print(f"invariants: {len(rows)} on {cases:,} cases: {found}")
    for row in broken:
        first = ", ".join(row["broken_by"][0])
        times = "once" if row["broken"] == 1 else f"{row['broken']:,} times"
        console.print(f"  [bold red]{row['id']}[/] {times}: {safe(row['law'])}" + (f" ({safe(first)})" * bool(first)))


def _show_bounds(document: Document, console: Console) -> None:
    """Which bounds on what is stored are violated, and what the totals were compared with."""
    violated = document["violated"]
    found = f"[bold red]{len(violated)} violated[/]" if violated else "[green]all kept[/]"
    console.print(f"bounds on parameters and prices: {document['bounds']:,}: {found}")
    for row in violated[:ROWS_SHOWN]:
        console.print(
            f"  [bold red]{safe(row['rule'])}[/] {_shortened(row['subject'])}: {_shortened(row['text'])}: "
            f"{safe(row['left'])} is more than {safe(row['right'])}"
        )
    if len(violated) > ROWS_SHOWN:
        console.print(f"  and {len(violated) - ROWS_SHOWN:,} more")
    if document["totals"]:
        others = [row for row in document["totals"] if row["total"] != row["read"]]
        alike = len(document["totals"]) - len(others)
        console.print(f"totals: {alike:,} of {len(document['totals']):,} are the sum of what was read")
        for row in others[:ROWS_SHOWN]:
            console.print(f"  {_shortened(row['what'])}: {safe(row['total'])}, read {safe(row['read'])}")


def _short(name: str) -> str:
    """An address or an identifier as one can compare it by eye."""
    return safe(name if len(name) < 24 else f"{name[:10]}…{name[-8:]}")


def _shortened(text: str) -> str:
    return " ".join(map(_short, text.split(" ")))
