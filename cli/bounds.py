"""`marginspec bounds`: the price moves that the reference venue survives with given parameters."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import VERDICTS, Output, emit, progress
from marginspec.cli.options import Budget, Json, NoChance
from marginspec.report import terminal
from marginspec.results.bounds import EXPOSURES, PRESETS, bounds_document, bounds_report
from marginspec.systems.reference.presets import load_preset


def bounds(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Parameter files; the shipped presets when none.")
    ] = None,
    budget: Budget = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """The largest price move between two chances to liquidate that the reference venue survives, with a certificate.

    One's own parameters: marginspec bounds my-parameters.toml (spec/presets/ has files to begin with)

    Each figure is proved; at the next ppm the proof fails with a concrete account, and the venue's contracts are run
    into bad debt.

    Exit code 0: all certified, all safety bounds kept. 1: a safety bound is violated. 3: a certificate is missing.
    """
    chosen = files or sorted(PRESETS.glob("*.toml"))
    for file in chosen:
        load_preset(file)
    with progress("certifying", len(chosen) * EXPOSURES) as advance:
        done = itertools.count(1)
        document = bounds_document([bounds_report(file, lambda: advance(next(done))) for file in chosen])
    if as_json:
        emit(document)
    else:
        terminal.show_bounds(document, Output())
    return next(code for code, verdict in VERDICTS.items() if verdict == document["verdict"])
