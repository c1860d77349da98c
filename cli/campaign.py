"""`marginspec campaign`: a long run whose chunks are kept as they are done, by one machine or many."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import Output, emit
from marginspec.base.text import printable
from marginspec.cli.options import DEFAULT, AllowUnmodelled, Artifacts, Budget, Cluster, Json, RequireReach, SystemName
from marginspec.report import terminal
from marginspec.report.gate import show_kept_runs
from marginspec.results import documents
from marginspec.results.settings import read_settings
from marginspec.runs import campaign as kept_run
from marginspec.systems.registry import system

FOLDER = Path("out") / "campaign"


class What(StrEnum):
    """What to do with a campaign."""

    START = "start"
    STATUS = "status"
    STOP = "stop"


def campaign(
    what: Annotated[
        What,
        typer.Argument(
            metavar="start|status|stop",
            help="start: begin, or go on with what is not done. status: what is done. stop: have those that work end.",
        ),
    ],
    name: SystemName = DEFAULT,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="How many calls to compare.", show_default="as it was started, else 1,000,000"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed repeats a run, on every target.", show_default="as it was started, else 1"),
    ] = None,
    artifact: Artifacts = None,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where campaigns are, each in a folder of its system's name.")
    ] = FOLDER,
    shard: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Do the share of one of N machines, whose files are put into one folder."),
    ] = None,
    cluster: Cluster = None,
    require_reach: RequireReach = False,
    allow_unmodelled: AllowUnmodelled = None,
    budget: Budget = None,
    as_json: Json = False,
) -> int:
    """Compare a contract with the model for as long as it takes, and go on where that stopped.

    A night: marginspec campaign start morpho-blue --steps 100000000 --budget 28800, and again the next night

    What it has found until now: marginspec campaign status morpho-blue

    On four machines: marginspec campaign start --shard 1/4, …, then status with all files in one folder

    A page of it: marginspec campaign status --json > out/campaign.json, then marginspec report out/campaign.json

    The document is that of `fuzz`. Exit code 0: all is done, no divergence. 1: a divergence, shrunk and written to
    out/traces/. 3: something is not done yet, or too little was seen. 4: the implementation failed.
    """
    place = folder / printable(Path(name).name, 80)
    if what is What.STOP:
        kept_run.stop(place)
        print(f"marginspec: {place}: whoever works on it ends within seconds")
        return 0
    chosen, settings = system(name), read_settings(Path.cwd())
    plan = kept_run.plan_of(place, name, steps, seed, artifact or ())
    allowed = {*settings.allow_unmodelled, *(allow_unmodelled or ())}
    document = kept_run.document_of(place, chosen, plan, shard, what is What.START, cluster, allowed)
    if as_json:
        emit(document)
    else:
        told = document["campaign"]
        Output().print(
            f"campaign: {told['done']:,} of {told['chunks']:,} chunks are done, in {told['folder']}", markup=False
        )
        terminal.show_fuzz(document, Output())
        show_kept_runs(document, Output())
    return documents.fuzz_code(document, require_reach or settings.require_reach)
