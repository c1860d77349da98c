"""What an upgrade changes, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe
from marginspec.report.equivalence import OPEN_SHOWN, stands_on
from marginspec.report.terminal import show_how_to_repeat
from marginspec.results.schema import Document, equivalence_text

FIGURES = ("equity", "initial margin", "maintenance margin")
USD_DIGITS = 12
"""Of quote: decimals of a USD."""

ACCOUNTS = 40
"""Of the accounts of a book that stand otherwise, so many are shown."""

WAYS = 3
"""Of the ways in which a difference shows, so many are listed."""


def show_diff(document: Document, console: Console) -> None:
    """Every difference with its account, those that are not declared first; what was compared; the verdict."""
    if "book" in document:
        _show_book(document, console)
    else:
        for row in sorted(document["differences"], key=lambda row: bool(row["declared"])):
            _show_difference(row, console)
        _show_compared(document, console)
    show_equal(document, console)
    for vain in document["stale"]:
        console.print(f"[yellow]declared and unchanged[/]: {safe(vain.removesuffix(','))}")
    rows = [*document["differences"], *document.get("parameters", ())]
    undeclared = sum(not row["declared"] for row in rows)
    intended = len(rows) - undeclared
    violated = sum(bound["side"] == "head" for bound in document.get("bounds", ()))
    also = f", {intended} intended" if intended else ""
    also += f", [bold red]{_count(violated, 'safety bound')} violated[/]" if violated else ""
    if document.get("ended"):
        console.print(f"[yellow]{safe(document['ended'])}[/]: nothing is said of what was not come to")
    if undeclared:
        console.print(f"diff: [bold red]{_count(undeclared, 'difference')}[/] not declared{also}")
    else:
        found, style = (
            "no difference but intended ones" if intended else "no difference",
            "red" if violated else "green",
        )
        found, style = (f"{found} so far", "yellow") if document.get("ended") else (found, style)
        console.print(f"diff: [bold {style}]{found}[/]{also}; {_limits(document)}")


def show_equal(document: Document, console: Console) -> None:
    """Of which actions both builds are proved equal to the model, what that stands on, and of which they are not."""
    proofs = document.get("equivalence", {})
    for side, proof in proofs.items():
        for row in proof["actions"]:
            if row["verdict"] in ("refuted", "open"):
                why = safe(row["differs"] or "; ".join(row["open"][:OPEN_SHOWN]))
                console.print(f"  [yellow]{side}, {safe(row['action'])} {equivalence_text(row)}[/]: {why}")
    if document.get("equal"):
        console.print(
            f"[green]no difference on any numbers[/] in {safe(', '.join(document['equal']))}: both are proved"
        )
        console.print("  equal to the model, as far as this goes:")
        for line in dict.fromkeys(line for proof in proofs.values() for line in stands_on(proof, document["equal"])):
            console.print(f"    {safe(line)}")


def _limits(document: Document) -> str:
    """What "no difference" speaks of."""
    if "book" in document:
        return f"every entry of both files, and {_count(document['book']['accounts'], 'account')} at rest"
    proved = f"in {', '.join(document['equal'])} on any numbers; else " if document.get("equal") else ""
    return proved + _seen_in(document)


def _seen_in(document: Document) -> str:
    vectors = f" and {_count(document['vectors'], 'vector')}" if document["vectors"] else ""
    reached = f"{document['rules_reached']} of {document['rules']} rules"
    return f"in {document['steps']:,} steps{vectors}, which reached {reached}"


def _seen(document: Document) -> str:
    also = f" and {_count(document['vectors'], 'vector')}" if document["vectors"] else ""
    return f"{_count(document['steps'], 'step')}{also}"


def _show_limits(document: Document, console: Console) -> None:
    """What the comparison cannot have seen."""
    unseen = document.get("unseen_actions", {})
    for what in dict.fromkeys(unseen.values()):
        names = ", ".join(action for action, lack in unseen.items() if lack == what)
        console.print(f"  [yellow]{what}[/]: {safe(names)}")
    for side, functions in document.get("unmodelled", {}).items():
        if functions:
            console.print(f"  [yellow]unmodelled in the {side}, no action calls them[/]: {safe(', '.join(functions))}")
    stated = {name: why for found in document.get("not_modelled", {}).values() for name, why in found.items()}
    if stated:
        console.print(f"  not modelled, as the adapter states: {safe(', '.join(stated))}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _show_compared(document: Document, console: Console) -> None:
    console.print(
        f"three ways: {document['system']}, {safe(document['base'])} and {safe(document['head'])}, seed "
        f"{document['seed']}: {_seen(document)}, {document['comparisons']:,} values compared, "
        f"{document['rules_reached']} of {document['rules']} rules reached"
    )
    if document.get("taken_over"):
        console.print(f"  {_count(document['taken_over'], 'step')} of these compared by an earlier run of the same")
    if document["left_out"]:
        console.print(f"  {_count(document['left_out'], 'call')} left out after a difference, so that others show too")
    if document["unreached"]:
        console.print(f"  [yellow]not reached[/]: {', '.join(document['unreached'])}")
    _show_limits(document, console)
    for way in document["alike"]:
        where = f"{safe(way['at'])}, {safe(way['field'])}"
        console.print(f"  [yellow]both differ from the model alike[/] at {where}, {_count(way['count'], 'time')}")


def show_departures(rows: Sequence[Document], console: Console) -> None:
    """Show how an implementation departs from the model: the rule, the change that does the same, whom it hurts."""
    for row in rows:
        console.print(f"explained: [bold red]{safe(row['rule'])}[/] {safe(row['direction'])}")
        if row["harm"]:
            console.print(f"  [bold red]{safe(row['harm'])}[/]")
        if row["like"]:
            does = "does what the model would" if row["exact"] else "comes close to what the model would do"
            console.print(f"  the implementation {does}, changed: {safe(row['like'])}")
        _show_account(row["minimal_account"], console, ("model", "target"))


def _show_difference(row: Document, console: Console) -> None:
    account, style = row["minimal_account"], "green" if row["declared"] else "bold red"
    word = f"intended: {row['reason']}" if row["declared"] else "not declared"
    console.print(f"[{style}]{safe(row['rule'])}[/] {safe(row['direction'])} ({safe(word)})")
    if row.get("harm"):
        console.print(f"  [bold red]no declaration covers this[/]: {safe(row['harm'])}")
    named = ", ".join(row["rules"][1:])
    if named:
        console.print(f"  other rules concerned: {safe(named)}")
    if row["departs"] == "base":
        console.print("  [green]the base departs from the model here[/], the head does as the model does")
    elif row["departs"] == "both":
        console.print("  [yellow]both depart from the model here, and not alike[/]")
    if row["like"]:
        who = "the base" if row["departs"] == "base" else "the head"
        does = "does what the model would" if row["exact"] else "comes close to what the model would do"
        console.print(f"  {who} {does}, changed: {safe(row['like'])}")
    _show_account(account, console)
    shown = [f"{w['at']} {w['field']} ({w['count']:,})" for w in row["ways"]]
    more = f" and {len(shown) - WAYS} other ways" if len(shown) > WAYS else ""
    if shown:
        console.print(f"  seen at: {safe(', '.join(shown[:WAYS]))}{more}")
    if row["trace"]:
        console.print(f"  {_count(row['steps'], 'step')} in {safe(row['trace'])}")
        show_how_to_repeat(row, console)


def _show_account(account: Document, console: Console, called: tuple[str, str] = ("before", "after")) -> None:
    console.print(f"  {safe(account['account'])}{_figures(account['standing'])}")
    for side, name in zip(("before", "after"), called, strict=True):
        console.print(f"    {name:>6}: {safe(_told(account[side]))}")
    than = "after than before" if called[0] == "before" else "than by the model"
    for gain in account["gains"]:
        amount = int(gain["amount"])
        word = "more" if amount > 0 else "less"
        who = f"{gain['holder']} ({gain['party']})"
        console.print(f"    {safe(who)} has {abs(amount):,} {safe(gain['unit'])} {word} {than}")


def _told(side: Document) -> str:
    status = str(side["status"])
    if side["reason"]:
        return f"{status}: {side['reason']}"
    results = f", returns {', '.join(side['returns'])}" if side["returns"] else ""
    standing = side["standing"]
    return status + results + (f"; then {standing['word']}{_figures(standing)}" if standing else "")


def _figures(standing: Document | None) -> str:
    if not standing:
        return ""
    return ", " + ", ".join(f"{name} {value}" for name, value in standing["figures"].items())


def _show_book(document: Document, console: Console) -> None:
    """Who stands otherwise, with the figures of both sides in USD."""
    book, table = document["book"], Table(title="Who stands otherwise, USD", title_justify="left")
    for column in ("account", "before", "after", "equity", "initial margin", "maintenance margin", "rule"):
        table.add_column(column, justify="right" if column in FIGURES else "left", overflow="fold")
    for row in document["differences"][:ACCOUNTS]:
        account = row["minimal_account"]
        before, after = account["before"], account["after"]
        figures = [_moved(before["figures"][name], after["figures"][name]) for name in FIGURES]
        rule = safe(row["rule"]) + (" [green]intended[/]" if row["declared"] else "")
        table.add_row(safe(account["account"]), before["status"], after["status"], *figures, rule)
    if table.row_count:
        console.print(table)
    more = len(document["differences"]) - ACCOUNTS
    if more > 0:
        console.print(f"  and {more:,} more: --json has them all")
    for row in document["parameters"]:
        word = f"[green]intended: {safe(row['reason'])}[/]" if row["declared"] else "[bold red]not declared[/]"
        console.print(
            f"{row['rule']} {row['subject']} {row['entry']}: {row['before']} → {row['after']} ppm, {row['direction']} "
            f"({word})"
        )
    for bound in document["bounds"]:
        console.print(
            f"[bold red]unsafe {bound['side']}[/]: {bound['rule']} {bound['subject']}: {safe(bound['text'])}: "
            f"{bound['left']} is more than {bound['right']} ppm"
        )
    for row in document["differences"]:
        if row["harm"]:
            console.print(f"[bold red]no declaration covers this[/]: {safe(row['harm'])}")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in book["changes"].items()) or "nobody stands otherwise"
    console.print(f"book: {_count(book['accounts'], 'account')} of {safe(book['file'])}: {kinds}")


def _moved(before: str, after: str) -> str:
    texts = [f"{Decimal(value).scaleb(-USD_DIGITS):,.2f}" for value in (before, after)]
    return texts[0] if texts[0] == texts[1] else " → ".join(texts)
