"""`marginspec mutate`: what is broken on purpose, and who notices."""

from __future__ import annotations

import functools
from typing import Annotated

import typer

from marginspec.base.ending import ended
from marginspec.base.errors import BadInput
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, Output, emit, progress
from marginspec.base.workers import cores
from marginspec.cli.options import DEFAULT, Budget, Json, NoCache, Seed, Steps, SystemName, Verbose
from marginspec.conformance.run import vector_runs
from marginspec.mutation.hunt import with_planted
from marginspec.mutation.planted import load as bugs_of
from marginspec.report.kill_matrix import show_mutate
from marginspec.runs.documents import MUTANT_STEPS, mutate_document
from marginspec.systems.registry import system


def mutate(
    name: SystemName = DEFAULT,
    steps: Steps = MUTANT_STEPS,
    seed: Seed = 1,
    model: Annotated[bool, typer.Option(help="Break the model.")] = True,
    planted: Annotated[bool, typer.Option(help="Hunt the bugs planted in the contract.")] = True,
    proofs: Annotated[bool, typer.Option(help="Also ask which property each mutant of the model breaks.")] = True,
    budget: Budget = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Break the model in every small way, and the contract as others were, and see who notices: a law that nothing
    breaks is no law.

    The lock-step run alone, much faster: marginspec mutate morpho-blue --no-planted --no-proofs

    What the laws are worth without a model: marginspec mutate --no-model -v

    Killed is what was seen to differ from the contract, or breaks a law. Counted apart: invalid, what refuses its own
    set-up; crashes, what is no model that runs; timed out, what does not end.

    What was tried is kept, and not tried again while no text and no contract changes: a run that was ended goes on.

    Exit code 0: all killed, those aside that the specification records as equivalent, with the reason. 1: one survives.
    3: one timed out.
    """
    chosen = system(name)
    bugs = bugs_of(chosen.name) if planted and chosen.planted else []
    if not model and not bugs:
        raise BadInput(f"mutate {name}: nothing to break; leave out --no-model")
    runs = functools.cache(lambda: vector_runs(chosen.model, chosen.chapter.properties, seed))
    only = None if model else lambda mutant: False
    document = mutate_document(
        chosen, steps, seed, proofs, runs if proofs else None, only, weaken=proofs and model, anew=no_cache
    )
    if bugs and not ended():
        with progress("planted bugs", len(bugs)) as advance:
            document = with_planted(document, bugs, steps, runs(), cores(), advance)
    if as_json:
        emit(document)
    else:
        show_mutate(document, Output(), verbose)
    missed = any(not bug["killed_by"] for bug in document.get("planted", ()))
    if document["summary"]["survived"] or document.get("problems") or missed:
        return BROKEN
    return INCOMPLETE if document["summary"]["timed_out"] or document.get("ended") else HOLDS
