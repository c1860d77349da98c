"""Services of risk beside the model of chapters 11, 12 and 16: `python -m tools.risk`.

Our own services are started, and stopped in the end; `--service` says which.
`--url` tests one that is there, `--names FILE` says what it calls paths and fields. `--planted`
starts ours with each of its planted bugs, one at a time, and says which were found.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base import process
from marginspec.base.ending import ended
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.workers import cores
from marginspec.desk.portfolio_file import read_portfolio
from marginspec.desk.service_run import DRAWS, ELSEWHERE, KNOWN, SERVICES, Question, Questions, Valuation, run
from marginspec.targets.services.client import RiskService, ServiceNames, names_from, started

PLANTED = SERVICES["risk"][0].with_name("planted.toml")
FOR_A_BUG = 4000
"""Questions within which a planted bug is found."""


@contextmanager
def chosen(url: str | None, names: ServiceNames, own: Path, patience: float) -> Iterator[RiskService]:
    """The service under test."""
    if url is None:
        with started(own) as service:
            yield service
        return
    service = RiskService(url, names, patience)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def altered(bug: dict[str, Any], own: Path) -> Iterator[RiskService]:
    """Our service with one planted bug."""
    text = own.read_text("utf-8")
    if text.count(bug["find"]) != 1:
        raise BadInput(f"planted.toml: {bug['id']}: its text stands in the service {text.count(bug['find'])} times")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / own.name
        file.write_text(text.replace(bug["find"], bug["replace"]), "utf-8")
        with started(file) as service:
            yield service


def hunt(seed: int, names: Collection[str], only: list[str]) -> tuple[list[dict[str, Any]], int]:
    """What came of each bug planted in some services, and how many were not found, or by another rule."""
    found = []
    bugs = [
        bug
        for bug in tomllib.loads(PLANTED.read_text("utf-8"))["bug"]
        if bug.get("service", "risk") in names and (not only or bug["id"] in only)
    ]
    for bug in bugs:
        begin = time.monotonic()
        of = bug.get("service", "risk")
        own, kinds = SERVICES[of]
        with altered(bug, own) as service:
            result = run(service, Questions(seed, FOR_A_BUG, kinds), processes=cores(), known=KNOWN.get(of, ()))
        rule = result.off.figure.rule if result.off else None
        found.append(
            {
                "id": bug["id"],
                "found": rule in bug["rules"],
                "rule": rule,
                "questions": result.questions,
                "line": result.off.line() if result.off else result.failed or "nothing is off",
                "seconds": round(time.monotonic() - begin, 1),
            }
        )
        print(f"{bug['id']}: {found[-1]['line']}", file=sys.stderr, flush=True)
    return found, sum(not each["found"] for each in found)


def summary(result: Valuation, name: str, seed: int, asked: int, seconds: float) -> dict[str, Any]:
    """What came of a run, as a document. asked: how many questions there were. questions: how many were compared."""
    off = result.off
    return {
        "schema": "marginspec/valuation/1",
        "system": "reference",
        "service": name,
        "seed": str(seed),
        "asked": asked,
        "questions": result.questions,
        "kinds": dict(sorted(result.kinds.items())),
        "figures": sum(result.rules.values()),
        "rules": dict(sorted(result.rules.items())),
        "declared": dict(sorted(result.declared.items())),
        "off": None if off is None else {"rule": off.figure.rule, "line": off.line(), "question": repr(off.question)},
        "failed": result.failed,
        "ended": ended(),
        "verdict": process.VERDICTS[_code(result, asked)],
        "seconds": round(seconds, 1),
    }


def _code(result: Valuation, asked: int) -> int:
    if result.off is not None:
        return process.BROKEN
    return process.HOLDS if result.questions == asked else process.INCOMPLETE


def risk(
    name: Annotated[
        str | None,
        typer.Option("--service", metavar="NAME", help=f"Ours: {', '.join(SERVICES)}; risk if none is given."),
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="A service that is there, not ours.")] = None,
    names: Annotated[Path | None, typer.Option(metavar="FILE", help="What it calls paths and fields.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Questions.")] = 4000,
    kind: Annotated[list[str] | None, typer.Option(help="Of this kind only. May be repeated.")] = None,
    portfolio: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Compare this account, in the place of others.")
    ] = None,
    planted: Annotated[bool, typer.Option(help="Hunt the bugs planted in ours.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Of these, this one. May be repeated.")] = None,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a service of one's own may take to answer.")
    ] = 30,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are cores if not given.")] = None,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
) -> int:
    """Compare a service with the model, by all cores of this machine.

    Exit code 0: each figure is within its tolerance or a declared difference, or each planted bug is found and named by
    its rule. 1: one is not. 4: the service failed; what was compared until then is in the document.
    """
    if name is not None and name not in SERVICES and (name not in ELSEWHERE or url is None):
        raise BadInput(f"--service {name}: expected {', '.join(SERVICES)}, or {', '.join(ELSEWHERE)} with its --url")
    if unknown := sorted(set(kind or ()) - DRAWS.keys()):
        raise BadInput(f"--kind {unknown[0]}: expected {', '.join(DRAWS)}")
    if planted:
        bugs, missed = hunt(seed, [name] if name else SERVICES, only or [])
        document = {"schema": "marginspec/valuation-planted/1", "system": "reference", "seed": str(seed)}
        process.emit({**document, "bugs": bugs, "missed": missed})
        return process.BROKEN if missed else process.HOLDS
    known = ServiceNames() if names is None else names_from(names)
    name = name or "risk"
    own, kinds = SERVICES[name] if name in SERVICES else (SERVICES["simm"][0], ELSEWHERE[name])
    asked: list[Question] | Questions = [read_portfolio(file) for file in portfolio or ()]
    asked = asked or Questions(seed, count, kind or kinds)
    begin = time.monotonic()
    with chosen(url, known, own, patience) as service, process.progress("questions", len(asked)) as advance:
        result = run(service, asked, advance, jobs or cores(), KNOWN.get(name, ()))
    process.emit(summary(result, name, seed, len(asked), time.monotonic() - begin))
    if result.failed:
        raise TargetFailed(result.failed)
    return _code(result, len(asked))


def main() -> None:
    """Compare a service with the model, or hunt planted bugs."""
    app = typer.Typer(add_completion=False)
    app.command()(risk)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
