"""`report`: one self-contained HTML file for people, from the JSON documents of a run and the traces that they name."""

from __future__ import annotations

import os
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base.errors import BadInput
from marginspec.base.files import write_whole
from marginspec.base.process import BROKEN, INCOMPLETE, VERDICTS, Output, emit, progress, worst
from marginspec.cli.options import Json, NoChance
from marginspec.lockstep.trace import read
from marginspec.report import terminal
from marginspec.results.rule_index import not_modelled, rules_document
from marginspec.results.run_files import RunFiles, codes, commands, named_traces, read_run
from marginspec.results.timeline import Story, story
from marginspec.systems.system import System
from marginspec.systems.user_system import of_file

REPORT = Path("out") / "report.html"

VERDICT_OF_REPORT = {
    "holds": "everything in it that can fail did not",
    "broken": "a law, an implementation or a safety bound is",
    "incomplete": "something is unknown, unconfirmed or unnoticed; this is not a pass",
}


def report(
    run: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="JSON documents of check, prove, fuzz, mutate, rules, bounds, planted, diff, vectors, audit, "
            "simulate and equivalence, each once; a folder of them; a trace.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The HTML file to write.")] = REPORT,
    own: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="FOLDER",
            help="The folder of the run's system, if it is one of your own: its code is run.",
        ),
    ] = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Write a run as one HTML file that opens offline, prints to PDF, and works with the keyboard and on a phone.

    What a check found: marginspec check --json > out/check.json, then marginspec report out/check.json

    With the kill matrix: marginspec report out/check.json out/mutate.json --out audit.html

    A live book: marginspec audit --json > out/audit.json, then marginspec report out/audit.json

    One counterexample: marginspec report out/traces/TRACE.json

    Exit code 0: the run holds. 1: a counterexample, a divergence or a violated bound. 3: something is unknown or was
    not noticed (a surviving mutant), or nothing in RUN is a verdict.
    """
    # Here, because plots take half a second to load, which no other verb needs.
    from marginspec.report import html

    given = read_run(run)
    if any(os.path.realpath(out) == os.path.realpath(source.file) for source in given.sources):
        raise BadInput(f"--out {out}: that is a file of the run, give another")
    chosen = of_file(given.system, own)
    known = {"rules": rules_document(chosen), **given.documents}
    traces = [*named_traces(given), *given.traces]
    stories, remarks = [], []
    with progress("report", len(traces) + 1) as advance:
        for number, file in enumerate(traces, 1):
            try:
                stories.append(_story(chosen, file))
            except BadInput as problem:
                if file in given.traces:
                    raise
                remarks.append(str(problem))
            advance(number)
        code = worst(set(codes(given)) or {_code_of_traces(stories)})
        page = html.render(VERDICTS[code], known, stories, not_modelled(chosen.text()), remarks, _about(given))
    write_whole(out, page)
    _say(given, out, code, len(stories), remarks, as_json)
    return code


def _code_of_traces(stories: list[Story]) -> int:
    return BROKEN if any(each["divergence"] for each in stories) else INCOMPLETE


def _story(chosen: System, file: Path) -> Story:
    return story(chosen, file, read(file, chosen.model, (chosen.model.system,)))


def _about(run: RunFiles) -> dict[str, Any]:
    try:
        made_by = version("marginspec")
    except PackageNotFoundError:
        made_by = "(not installed)"
    sources = [{**asdict(source), "file": str(source.file)} for source in run.sources]
    return {"system": run.system, "version": made_by, "sources": sources, "commands": list(commands(run))}


def _say(run: RunFiles, out: Path, code: int, stories: int, remarks: list[str], as_json: bool) -> None:
    if as_json:
        emit(
            {
                "schema": "marginspec/report/1",
                "system": run.system,
                "file": str(out),
                "verdict": VERDICTS[code],
                "documents": [{**asdict(source), "file": str(source.file)} for source in run.sources],
                "left_out": [str(file) for file in run.left_out],
                "stories": stories,
                "unreadable": remarks,
            }
        )
        return
    console = Output()
    for file in run.left_out:
        console.print(f"left out: {file}", markup=False)
    for remark in remarks:
        console.print(f"no story: {remark}", markup=False)
    told = f", {stories} told as a story" if stories else ""
    console.print(f"report: {out}, of {len(run.sources)} documents{told}", markup=False)
    terminal.show_verdict(VERDICTS[code], VERDICT_OF_REPORT, console)
