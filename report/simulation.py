"""Results of `simulate` for people at a terminal."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe
from marginspec.results.schema import Document

NAMES = {
    "bad_debt": "bad debt",
    "insurance_used": "  insurance fund paid",
    "taken_from_profits": "  taken from profits",
    "unpaid": "  unpaid at the end",
    "liquidations": "liquidations",
    "accounts_liquidated": "accounts liquidated",
    "notional_liquidated": "notional liquidated",
    "penalties": "penalties",
    "backstopped": "taken by the backstop",
    "forced_closures": "forced closures (ADL)",
    "hedge_cost": "cost of hedging",
    "venue_result": "what the venue made",
}
"""What each figure is called, in the order of the table."""

VERDICTS = {
    "holds": "[bold green]holds[/]: no loss that the buffer theorem excludes; no value from nowhere",
    "broken": "[bold red]broken[/]: a loss that the buffer theorem excludes, or value from nowhere",
    "incomplete": "[bold yellow]incomplete[/]: too little was seen; this is not a pass",
}

QUOTE_OF_USD = 10**12


def show_simulate(document: Document, console: Console) -> None:
    """The variants side by side, what differs run by run, the theorem, and how good the predictions were."""
    of = "" if document["done"] == document["runs"] else f" of {document['runs']}"
    name, people = safe(document["path"]["name"]), document["terms"]["accounts"]
    console.print(f"{name}: {document['done']}{of} runs, {people:,} accounts, USD")
    for line in textwrap.wrap(safe(document["path"]["told"]), 76):
        console.print(f"  {line}")
    if document["variants"]:
        console.print(_figures(document))
        _differences(document, console)
        _theorem(document, console)
        _calibration(document, console)
    if document["surplus"] != "0":
        console.print(f"[bold red]what went in, came out and is held do not agree, by {document['surplus']}[/]")
    if document["ended"]:
        console.print(f"[yellow]ended early: {safe(document['ended'])}[/]")
    console.print(f"verdict: {VERDICTS[document['verdict']]}")


def _figures(document: Document) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("mean, [dim]95 % interval[/]", min_width=21)
    for variant in document["variants"]:
        table.add_column(safe(variant["name"]), justify="right")
    for figure, name in NAMES.items():
        unit = document["units"][figure]
        table.add_row(name, *(amount(v["figures"][figure]["mean"], unit) for v in document["variants"]))
        ranges = [between(v["figures"][figure], unit) for v in document["variants"]]
        if any(ranges):
            table.add_row("", *(f"[dim]{each}[/]" for each in ranges))
    return table


def amount(value: str, unit: str) -> str:
    """A figure in few characters: USD or a count, from ten thousand on in thousands, millions or billions."""
    number = int(value) / QUOTE_OF_USD if unit == "quote" else float(value)
    if abs(number) < 10**4:
        return f"{number:,.0f}"
    power, letter = next((p, c) for p, c in ((10**9, "bn"), (10**6, "m"), (10**3, "k")) if abs(number) >= p)
    part = number / power
    return f"{part:,.0f}{letter}" if abs(part) >= 100 else f"{part:.1f}{letter}"


def between(interval: Document, unit: str) -> str:
    """The interval of a mean, empty where there is none or it is a point."""
    if interval["low"] is None or interval["low"] == interval["high"]:
        return ""
    return f"{amount(interval['low'], unit)}…{amount(interval['high'], unit)}"


def _differences(document: Document, console: Console) -> None:
    console.print("what differs from plain, as a mean, and in how many runs it was better or worse:")
    for row in document["compared"]:
        unit = document["units"][row["figure"]]
        runs = f"better {row['better']}, [red]worse {row['worse']}[/], same {row['same']}"
        off = amount(row["difference"]["mean"], unit)
        name = NAMES[row["figure"]].strip()
        console.print(f"  {safe(row['variant']):<10} {name:<21} {off:>8}   {runs}")


def _theorem(document: Document, console: Console) -> None:
    console.print("buffer theorem (chapter 8): loss allowed and loss seen where its premises held")
    for row in document["promise"]:
        worse = int(row["realised"]) > int(row["bound"])
        seen = f"[bold red]{amount(row['realised'], 'quote')}[/]" if worse else amount(row["realised"], "quote")
        allowed = amount(row["bound"], "quote")
        console.print(f"  {safe(row['variant']):<10} allowed {allowed}, seen {seen}, in {row['held']:,} cases")
        for each in row["outside"]:
            lost = amount(each["lost"], "quote")
            console.print(f"    {each['episodes']:,} not covered, {lost} lost: {safe(each['premise'])}")


def _calibration(document: Document, console: Console) -> None:
    found = document["calibration"]
    if not found["made"]:
        console.print("no prediction could be judged: the path is shorter than a horizon and a period")
        return
    score = found["brier"]
    console.print(
        f"predictions of falling below maintenance within {document['terms']['horizon']} day: {found['made']:,}"
    )
    table = Table(box=None, pad_edge=False)
    for column in ("predicted", "mean", "came so", "95 % (Wilson)", "runs", "count"):
        table.add_column(column, justify="right")
    for row in found["bins"]:
        interval, runs = (f"{a:.1%} … {b:.1%}" for a, b in ((row["low"], row["high"]), row["by_run"]))
        parts = [f"{row[name]:.1%}" for name in ("predicted", "realised")]
        table.add_row(f"{row['begin']:.1%} on", *parts, interval, runs, f"{row['made']:,}")
    console.print(table)
    console.print(
        f"Brier score {score['score']:.4f} = reliability {score['reliability']:.4f} - resolution "
        f"{score['resolution']:.4f} + uncertainty\n  {score['uncertainty']:.4f} + within bins {score['within']:z.4f}; "
        "accounts of one path fall together, so that\n  Wilson's intervals are too narrow: see those of single runs"
    )
