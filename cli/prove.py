"""`marginspec prove`: the laws of a system, by solvers."""

from __future__ import annotations

from typing import Annotated

import typer

from marginspec.base.process import Output, emit
from marginspec.cli.options import DEFAULT, Budget, Emit, Json, NoCache, NoChance, SystemName, Watch, watched
from marginspec.report import terminal
from marginspec.results import documents
from marginspec.runs.documents import prove_document
from marginspec.systems.registry import system


def prove(
    name: SystemName = DEFAULT,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="Only this, or all like REF-LIQ-*. May be repeated."),
    ] = None,
    emit_smt2: Emit = None,
    budget: Budget = None,
    no_cache: NoCache = False,
    watch: Watch = False,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Prove the laws of a system; a second solver re-checks each.

    One law: marginspec prove morpho-blue --only MB-LIQ-2

    What the solvers were asked: marginspec prove morpho-blue --emit-smt2 out/smt2

    Exit code 0: all proved and confirmed. 1: one is refuted, by integers that are shown. 3: one is unknown.
    """
    if watch:
        return watched(name)
    chosen = system(name)
    document = prove_document(chosen, only, emit_smt2, anew=no_cache)
    if as_json:
        emit(document)
    else:
        terminal.show_prove(document, Output(), every=True)
    return documents.prove_code(document)
