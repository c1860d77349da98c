"""Results for people at a terminal, from the JSON documents of the CLI contract."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from rich.console import Console
from rich.table import Table

from marginspec.base.text import safe, visible
from marginspec.results.schema import Document

STYLE = {
    "proved": "green",
    "refuted": "bold red",
    "unknown": "yellow",
    "killed": "green",
    "survived": "bold red",
}

CHECK_VERDICTS = {
    "holds": "every law proved and confirmed, no divergence, no unknown",
    "broken": "a law is refuted or the implementation diverges",
    "incomplete": "something is unknown, or too little was seen; this is not a pass",
}
BOUNDS_VERDICTS = {
    "holds": "every figure is certified, every safety bound is kept",
    "broken": "a safety bound is violated",
    "incomplete": "a certificate is missing; this is not a pass",
}

BOUNDS_SHOWN = 4
"""Of the safety bounds, the tightest."""


def show_prove(document: Document, console: Console, every: bool) -> None:
    """What was proved. every: a row for each property, not only for those that need attention."""
    limits: dict[str, int] = {}
    ahead = Counter(row["reason"] for row in document["properties"] if row["reason"].startswith("not come to"))
    table = Table(title=f"Proofs about {safe(document['system'])}", title_justify="left")
    for column in ("property", "verdict", "solvers", "paths", "cases", "seconds", "law", "limits"):
        numeric = column in ("paths", "cases", "seconds")
        table.add_column(column, overflow="fold", justify="right" if numeric else "left")
    for row in document["properties"]:
        if row["reason"] not in ahead and (every or row["verdict"] != "proved" or not row["confirmed"]):
            table.add_row(
                safe(row["id"]) + (" (lemma)" if row.get("kind") == "lemma" else ""),
                f"[{STYLE[row['verdict']]}]{row['verdict']}[/]",
                _solvers(row),
                str(row["paths"]),
                str(row.get("cases", "-")),
                f"{row['seconds']:.1f}",
                safe(row["law"]) + (f" [yellow]({safe(row['reason'])})[/]" if row["reason"] else ""),
                " ".join(str(limits.setdefault(limit, len(limits) + 1)) for limit in _limits(row)),
            )
    if table.row_count:
        console.print(table)
    for limit, number in limits.items():
        console.print(f"  limit {number}: {safe(limit)}")
    for reason, many in ahead.items():
        console.print(f"[yellow]{many} laws and lemmas {safe(reason)}[/]")
    for row in document["properties"]:
        if row["counterexample"]:
            numbers = ", ".join(f"{k} = {v}" for k, v in row["counterexample"].items())
            console.print(f"[bold red]{safe(row['id'])}[/] is broken, replayed on the model, by {safe(numbers)}")
    summary = document["summary"]
    cached = sum(row.get("cached", False) for row in document["properties"])
    kept = f", {cached} of them proved before, from the same texts" if cached else ""
    console.print(
        f"proofs: {summary['proved']} proved ({summary['confirmed']} confirmed by a second solver), "
        f"{summary['refuted']} refuted, {summary['unknown']} unknown, in {summary['seconds']:.0f} s{kept}"
    )
    if "laws" in summary:
        console.print(
            f"  {summary['laws']} laws about actions, {summary['lemmas']} lemmas; {summary['algebra']} by algebra "
            f"alone, {summary['limited']} with limits (--verbose); run on numbers in {summary['cases']:,} cases"
        )


def _limits(row: Document) -> list[str]:
    """What a proof does not speak of: what its variables are limited to, and which methods it replaces."""
    relaxed = [f"replaced by what allows more: {', '.join(row['relaxed'])}"] if row.get("relaxed") else []
    return [*row.get("scope", ()), *relaxed]


def _solvers(row: Document) -> str:
    if not row["solvers"]:
        return "algebra" if row["verdict"] == "proved" else "-"
    return " ".join(f"{name}{'' if r['verdict'] == 'unsat' else '?'}" for name, r in row["solvers"].items())


def show_fuzz(document: Document, console: Console) -> None:
    """What was compared, what differed, what was not reached."""
    steps, compared = document["steps"], document["steps"] - document["not_compared"]
    console.print(
        f"lock-step: {safe(document['system'])} against {safe(document['target'])}, seed {document['seed']}: "
        f"{steps:,} steps ({document['accepted']:,} accepted, {document['rejected']:,} rejected), "
        f"{document['comparisons']:,} values compared, {document['steps_per_second']:,.0f} steps/s"
    )
    if document["not_compared"]:
        console.print(f"  {compared:,} steps compared; {document['not_compared']:,} the target does not implement")
    for found in document["divergences"]:
        console.print(
            f"[bold red]divergence[/] at {_difference(found)}; {_steps(found['steps'])} in {safe(found['trace'])}"
        )
        show_how_to_repeat(found, console)
    for declared in document["declared"]:
        _show_declared(declared, console)
    show_reach(document, console)
    show_limits(document, console)
    show_lines(document, console)
    if not document["divergences"]:
        console.print("lock-step: [green]no divergence[/]")
    show_floor(document, console)


def show_limits(document: Document, console: Console) -> None:
    """What the run cannot have seen, whatever its verdict: one line for each reason."""
    for title, key in (
        ("not modelled", "not_modelled"),
        ("not executed by the target", "not_executed"),
        ("never refused by the target", "not_refused"),
        ("not observed", "unobserved"),
    ):
        given = document.get(key, {})
        for why in dict.fromkeys(given.values()):
            names = ", ".join(name for name, reason in given.items() if reason == why)
            console.print(f"  {title}: {safe(names)} ({safe(why)})")
    if allowed := document.get("allowed_unmodelled"):
        console.print(f"  [yellow]unmodelled, and allowed here[/]: {safe(', '.join(allowed))}")


def show_lines(document: Document, console: Console) -> None:
    """Which lines of candidate builds ran, where that was asked for."""
    if (told := document.get("lines")) is None:
        return
    for row in told["files"]:
        missed = f"; not: {', '.join(row['unreached'])}" if row["unreached"] else ""
        console.print(f"lines: {safe(row['file'])}, {row['reached']:,} of {row['lines']:,} ran{missed}")
    if told["unmapped"]:
        console.print(f"  [yellow]without a source map[/]: {safe(', '.join(told['unmapped']))}")
    if told["missed"]:
        console.print(f"  [yellow]not followed[/]: {told['missed']:,} of {told['missed'] + told['followed']:,} calls")


def show_floor(document: Document, console: Console) -> None:
    """What keeps a run below the floor."""
    for line in document.get("below_floor", ()):
        console.print(f"  [yellow]incomplete[/]: {safe(line)}")


def show_how_to_repeat(found: Document, console: Console) -> None:
    """How to repeat what was found, and in which other forms it is written."""
    console.print(f"  repeat it: {safe(found['repeat'])}", soft_wrap=True)
    if found["exports"]:
        names = (PurePath(file).name for file in found["exports"].values())
        console.print(f"  beside it, for {', '.join(found['exports'])}: {safe(', '.join(names))}", soft_wrap=True)


def show_reach(document: Document, console: Console) -> None:
    """How many rules and regimes a run reached, and which it did not."""
    rules, regimes = document["rules"], document["regimes"]
    reached = sum(1 for hits in rules.values() if hits), sum(1 for hits in regimes.values() if hits)
    console.print(f"reach: {reached[0]} of {len(rules)} rules, {reached[1]} of {len(regimes)} regimes")
    if document["unreached"]:
        console.print(f"  [yellow]not reached[/]: {', '.join(document['unreached'])}")
    for rule, why in document["never"].items():
        console.print(f"  {rule} cannot be reached: {why}")


def show_replay(document: Document, console: Console) -> None:
    """The calls of a trace, and whether model and target still differ."""
    found = document["divergence"]
    for number, call in enumerate(document["calls"], 1):
        arguments = ", ".join(f"{name}={value}" for name, value in call["arguments"].items())
        refused = f" [yellow]refused by {call['rule']}[/]" if call["rule"] else ""
        console.print(f"{number:>4} {call['action']}({safe(arguments)}){refused}")
    if document["stale"]:
        console.print(f"[yellow]the model has changed since the trace was recorded[/]: {safe(document['stale'])}")
    for declared in document["declared"]:
        _show_declared(declared, console)
    if document["declared"] and (kept := document["recorded"]):
        console.print(f"  recorded: {_difference(kept)}")
    other = document.get("other_build") or []
    if other:
        console.print(
            f"[yellow]the trace was recorded with another build of {safe(', '.join(other))}[/], of which this says "
            f"nothing: give it with {' '.join(f'--artifact {safe(name)}=FILE' for name in other)}"
        )
    if found is None and other:
        console.print(f"replay: {_steps(document['steps'])}, no difference on the build that is here")
        return
    if found is None:
        agree = "differ only as declared" if document["declared"] else "agree"
        console.print(f"replay: {_steps(document['steps'])}, model and {safe(document['target'])} {agree}")
        return
    console.print(f"replay: [bold red]diverges[/] at step {found['step']}, {_difference(found)}")


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _difference(found: Document) -> str:
    fields = {name: safe(found[name]) for name in ("rule", "field", "model", "target")}
    return "{rule}, {field}: model {model}, target {target}".format(**fields)


def _show_declared(declared: Document, console: Console) -> None:
    times = "once" if declared["count"] == 1 else f"{declared['count']:,} times"
    console.print(f"[yellow]declared[/] {declared['id']}, {times}: {safe(declared['reason'])}")


def show_verdict(verdict: str, meaning: Document, console: Console) -> None:
    """The last line of a verb. meaning: what each verdict says there."""
    style = {"holds": "bold green", "broken": "bold red", "incomplete": "bold yellow"}[verdict]
    console.print(f"verdict: [{style}]{verdict}[/]: {meaning[verdict]}")


def show_bounds(document: Document, console: Console) -> None:
    """What each parameter file survives, what binds, and how its figures are certified."""
    for report in document["reports"]:
        table = Table(title=f"Survived by {safe(report['parameters'])}", title_justify="left")
        for column in ("exposure", "price move", "proved", "one ppm more", "on the contracts"):
            table.add_column(column, justify="right" if column == "price move" else "left")
        for row in report["survives"]:
            table.add_row(
                f"[bold]{row['exposure']}[/]" if row["exposure"] == "portfolio" else row["exposure"],
                _percent(row["delta"]),
                f"{row['proof']['verdict']}{', confirmed' if row['proof']['confirmed'] else ''}",
                "an account goes bankrupt" if row["beyond"]["verdict"] == "refuted" else row["beyond"]["verdict"],
                _bankruptcy(row["bankruptcy"]),
            )
        console.print(table)
        console.print(f"binding: {', '.join(report['binding'])}")
        for number, sentence in enumerate(report["assumed"], 1):
            console.print(f"  assumed {number}: {safe(sentence)}")
        for bound in sorted(report["constraints"], key=lambda bound: int(bound["slack"]))[:BOUNDS_SHOWN]:
            mark = "[bold red]violated[/]" if int(bound["slack"]) < 0 else "slack"
            console.print(f"  {bound['rule']} {bound['subject']}: {bound['text']}, {mark} {_percent(bound['slack'])}")
    show_verdict(document["verdict"], BOUNDS_VERDICTS, console)


def _percent(ppm: str) -> str:
    return f"{int(ppm) / 10_000:.4f} %"


def _bankruptcy(run: Document) -> str:
    if run["reason"] is not None:
        return f"[yellow]{safe(run['reason'])}[/]"
    return f"{len(run['calls'])} calls to a bad debt of {int(run['bad_debt']) / 10**12:.6f} USD"


def show_rules(document: Document, console: Console, in_full: bool) -> None:
    """Rule, title, where it stands in the code, which laws and lemmas speak of it. in_full: its text too, no table."""
    for row in document["rules"] if in_full else ():
        console.print(f"[bold]{safe(row['id'])} {safe(row['title'])}[/]")
        console.print(visible(row["text"]), markup=False)
        for what, named in (("code", row["code"]), ("laws and lemmas", row["properties"])):
            console.print(f"{what}: {safe(', '.join(named) or 'none')}")
        console.print()
    if in_full:
        return
    table = Table(title="Rules", title_justify="left")
    for column in ("rule", "title", "code", "laws", "lemmas"):
        table.add_column(column, overflow="fold")
    for row in document["rules"]:
        laws = [id for id in row["properties"] if id not in row["lemmas"]]
        columns = "\n".join(row["code"]), ", ".join(laws), ", ".join(row["lemmas"])
        table.add_row(row["id"], safe(row["title"]), *columns)
    console.print(table)
