"""A risk service beside the model of chapters 11 and 12: `python -m tools.risk`.

Our own service is started, and stopped in the end; `--url` tests one that is there, `--names FILE` says what it calls
paths and fields. `--planted` starts ours with each of its planted bugs, one at a time, and says which were found.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.lockstep.portfolio_file import read_portfolio
from marginspec.lockstep.portfolios import DRAWS, Question, questions
from marginspec.lockstep.valuation import Valuation, run
from marginspec.targets.services.client import SERVICE, RiskService, ServiceNames, names_from, started

PLANTED = SERVICE.with_name("planted.toml")
FOR_A_BUG = 4000
"""Questions within which a planted bug is found."""


@contextmanager
def chosen(url: str | None, names: ServiceNames) -> Iterator[RiskService]:
    """The service under test."""
    if url is None:
        with started() as service:
            yield service
        return
    service = RiskService(url, names)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def altered(bug: dict[str, Any]) -> Iterator[RiskService]:
    """Our service with one planted bug."""
    text = SERVICE.read_text("utf-8")
    if text.count(bug["find"]) != 1:
        raise BadInput(f"planted.toml: {bug['id']}: its text stands in the service {text.count(bug['find'])} times")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / SERVICE.name
        file.write_text(text.replace(bug["find"], bug["replace"]), "utf-8")
        with started(file) as service:
            yield service


def hunt(seed: int, only: list[str]) -> tuple[list[dict[str, Any]], int]:
    """What came of each planted bug, and how many were not found, or by another rule."""
    found = []
    bugs = [bug for bug in tomllib.loads(PLANTED.read_text("utf-8"))["bug"] if not only or bug["id"] in only]
    for bug in bugs:
        begin = time.monotonic()
        with altered(bug) as service:
            result = run(service, questions(seed, FOR_A_BUG))
        rule = result.off.figure.rule if result.off else None
        found.append(
            {
                "id": bug["id"],
                "found": rule in bug["rules"],
                "rule": rule,
                "questions": result.questions,
                "line": result.off.line() if result.off else "nothing is off",
                "seconds": round(time.monotonic() - begin, 1),
            }
        )
        print(f"{bug['id']}: {found[-1]['line']}", file=sys.stderr, flush=True)
    return found, sum(not each["found"] for each in found)


def summary(result: Valuation, seed: int) -> dict[str, Any]:
    """What came of a run, as a document."""
    off = result.off
    return {
        "schema": "marginspec/valuation/1",
        "seed": str(seed),
        "questions": result.questions,
        "figures": sum(result.rules.values()),
        "rules": dict(sorted(result.rules.items())),
        "off": None if off is None else {"rule": off.figure.rule, "line": off.line(), "question": repr(off.question)},
    }


def risk(
    url: Annotated[str | None, typer.Option(metavar="URL", help="A service that is there, not ours.")] = None,
    names: Annotated[Path | None, typer.Option(metavar="FILE", help="What it calls paths and fields.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Questions.")] = 4000,
    kind: Annotated[list[str] | None, typer.Option(help="Of this kind only. May be repeated.")] = None,
    portfolio: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Compare this account, in the place of others.")
    ] = None,
    planted: Annotated[bool, typer.Option(help="Hunt the bugs planted in ours.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="ID", help="Of these, this one. May be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
) -> int:
    """Compare a risk service with the model.

    Exit code 0: each figure is within its tolerance, or each planted bug is found and named by its rule. 1: one is not.
    """
    if unknown := sorted(set(kind or ()) - DRAWS.keys()):
        raise BadInput(f"--kind {unknown[0]}: expected {', '.join(DRAWS)}")
    if planted:
        bugs, missed = hunt(seed, only or [])
        process.emit({"schema": "marginspec/valuation-planted/1", "seed": str(seed), "bugs": bugs, "missed": missed})
        return process.BROKEN if missed else process.HOLDS
    known = ServiceNames() if names is None else names_from(names)
    asked: list[Question] = [read_portfolio(file) for file in portfolio or ()]
    count = len(asked) or count
    with chosen(url, known) as service, process.progress("questions", count) as advance:
        result = run(service, asked or questions(seed, count, kind or tuple(DRAWS)), advance)
    process.emit(summary(result, seed))
    return process.HOLDS if result.off is None else process.BROKEN


def main() -> None:
    """Compare a service with the model, or hunt planted bugs."""
    app = typer.Typer(add_completion=False)
    app.command()(risk)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
