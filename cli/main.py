"""`marginspec`: the verbs. Results go to standard output, progress to standard error, verdicts into the exit code."""

from __future__ import annotations

import functools
import itertools
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.ending import ended
from marginspec.base.errors import BadInput
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, Output, emit, progress
from marginspec.cli.audit import audit
from marginspec.cli.check import check
from marginspec.cli.diff import diff
from marginspec.cli.equivalence import equivalence
from marginspec.cli.export import export
from marginspec.cli.init import init
from marginspec.cli.laws_only import laws_document
from marginspec.cli.options import (
    DEFAULT,
    AllowUnmodelled,
    Artifacts,
    Budget,
    Corpus,
    Emit,
    Json,
    NoCache,
    NoChance,
    RequireReach,
    Seed,
    Steps,
    SystemName,
    TargetName,
    Verbose,
)
from marginspec.cli.report import report
from marginspec.cli.runs import MUTANT_STEPS, fuzz_document, mutate_document, prove_document
from marginspec.cli.vectors import vectors
from marginspec.conformance.run import vector_runs
from marginspec.lockstep.trace import replay
from marginspec.mutation.hunt import with_planted
from marginspec.mutation.planted import load as bugs_of
from marginspec.report import terminal
from marginspec.report.gate import show_corpus
from marginspec.report.kill_matrix import show_mutate
from marginspec.report.laws import show_laws
from marginspec.results import documents
from marginspec.results.bounds import EXPOSURES, PRESETS, bounds_document, bounds_report
from marginspec.results.rule_index import rules_document
from marginspec.results.settings import read_settings
from marginspec.systems.reference.presets import load_preset
from marginspec.systems.registry import system
from marginspec.systems.system import opened
from marginspec.systems.user_system import blaming, traced
from marginspec.targets.evm.artifact import candidates

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Prove a venue's margin rules and hold its implementation to them. Begin with `marginspec check`.\n\n"
    "Exit codes: 0 holds, 1 counterexample or divergence, 2 bad input, 3 incomplete, 4 the target failed.",
)

app.command("check")(check)


def _version(asked: bool) -> None:
    if asked:
        print(f"marginspec {version('marginspec')}")
        raise typer.Exit


@app.callback()
def marginspec(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before every verb; what is said of it is in `app`."""


@app.command()
def prove(
    name: SystemName = DEFAULT,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="Only this, or all like REF-LIQ-*. May be repeated."),
    ] = None,
    emit_smt2: Emit = None,
    budget: Budget = None,
    no_cache: NoCache = False,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Prove the laws of a system; a second solver re-checks each.

    One law: marginspec prove morpho-blue --only MB-LIQ-2

    What the solvers were asked: marginspec prove morpho-blue --emit-smt2 out/smt2

    Exit code 0: all proved and confirmed. 1: one is refuted, by integers that are shown. 3: one is unknown.
    """
    chosen = system(name)
    document = prove_document(chosen, only, emit_smt2, anew=no_cache)
    if as_json:
        emit(document)
    else:
        terminal.show_prove(document, Output(), every=True)
    return documents.prove_code(document)


@app.command()
def fuzz(
    name: SystemName = DEFAULT,
    steps: Steps = 20_000,
    seed: Seed = 1,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    require_reach: RequireReach = False,
    allow_unmodelled: AllowUnmodelled = None,
    laws_only: Annotated[
        bool,
        typer.Option("--laws-only", help="Compare with no model: judge what the implementation shows, by the laws."),
    ] = False,
    corpus: Corpus = None,
    budget: Budget = None,
    as_json: Json = False,
) -> int:
    """Compare an implementation with the model, call by call, every observation, exactly.

    A long run: marginspec fuzz morpho-blue --steps 200000 --require-reach

    For an auditor, who trusts no model of it: marginspec fuzz --laws-only

    What diverged before, first: marginspec fuzz morpho-blue --corpus .marginspec

    Morpho's own SDK: marginspec fuzz morpho-blue --target sdk

    Exit code 0: no divergence, no law broken. 1: one of them, shrunk and written to out/traces/. 3: too little was
    seen, e.g. an action never accepted or never refused, a function that no action calls. 4: the implementation failed.
    """
    chosen = system(name)
    settings = read_settings(Path.cwd())
    allowed = {*settings.allow_unmodelled, *(allow_unmodelled or ())}
    if laws_only and corpus is not None:
        raise BadInput("--corpus keeps divergences from a model, and --laws-only compares with none: leave one out")
    builds = candidates(artifact)
    with opened(chosen, target, builds) as implementation:
        if laws_only:
            document = laws_document(chosen, implementation, target, steps, seed, builds, allowed)
        else:
            document = fuzz_document(chosen, implementation, target, steps, seed, corpus, builds, allowed)
    if as_json:
        emit(document)
    elif laws_only:
        show_laws(document, Output())
    else:
        terminal.show_fuzz(document, Output())
        show_corpus(document, Output())
    return documents.fuzz_code(document, require_reach or settings.require_reach)


@app.command("replay")
def replay_(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace file, as `fuzz` writes it.")],
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    own: Annotated[
        str | None,
        typer.Option("--system", metavar="FOLDER", help="Where the trace's system is, when it is not where it was."),
    ] = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Repeat a trace on model and implementation: do they still diverge?

    On the candidate that it was found with: marginspec replay TRACE --artifact Morpho=out/Morpho.sol/Morpho.json

    Exit code 0: they agree, or differ only as declared. 1: they diverge.
    """
    chosen, recorded = traced(trace, own)
    with opened(chosen, target, candidates(artifact)) as implementation:
        found = replay(chosen.model, implementation, recorded)
    document = documents.replay_document(trace, target, recorded, found)
    if as_json:
        emit(document)
    else:
        terminal.show_replay(document, Output())
    return HOLDS if found.divergence is None else BROKEN


@app.command("mutate")
def mutate_(
    name: SystemName = DEFAULT,
    steps: Steps = MUTANT_STEPS,
    seed: Seed = 1,
    model: Annotated[bool, typer.Option(help="Break the model.")] = True,
    planted: Annotated[bool, typer.Option(help="Hunt the bugs planted in the contract.")] = True,
    proofs: Annotated[bool, typer.Option(help="Also ask which property each mutant of the model breaks.")] = True,
    budget: Budget = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Break the model in every small way, and the contract as others were, and see who notices: a law that nothing
    breaks is no law.

    The lock-step run alone, much faster: marginspec mutate morpho-blue --no-planted --no-proofs

    What the laws are worth without a model: marginspec mutate --no-model -v

    Killed is what was seen to differ from the contract, or breaks a law. Counted apart: invalid, what refuses its own
    set-up; crashes, what is no model that runs; timed out, what does not end.

    Exit code 0: all killed, those aside that the specification records as equivalent, with the reason. 1: one survives.
    3: one timed out.
    """
    chosen = system(name)
    bugs = bugs_of(chosen.name) if planted and chosen.planted else []
    if not model and not bugs:
        raise BadInput(f"mutate {name}: nothing to break; leave out --no-model")
    runs = functools.cache(lambda: vector_runs(chosen.model, chosen.chapter.properties, seed))
    only = None if model else lambda mutant: False
    document = mutate_document(chosen, steps, seed, proofs, runs if proofs else None, only, weaken=proofs and model)
    if bugs and not ended():
        with progress("planted bugs", len(bugs)) as advance:
            document = with_planted(document, bugs, steps, runs(), os.cpu_count() or 1, advance)
    if as_json:
        emit(document)
    else:
        show_mutate(document, Output(), verbose)
    missed = any(not bug["killed_by"] for bug in document.get("planted", ()))
    if document["summary"]["survived"] or document.get("problems") or missed:
        return BROKEN
    return INCOMPLETE if document["summary"]["timed_out"] or document.get("ended") else HOLDS


@app.command()
def rules(
    name: SystemName = DEFAULT,
    only: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="These, or 'LIQ-*', in full.")] = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Show, for every rule, its title, where it stands in the code, and the properties that speak of it.

    What a rule says: marginspec rules morpho-blue LIQ-2

    Exit code 0: shown, whatever a rule lacks; that is for a system's tests to refuse. 2: there is no such system.
    """
    document = rules_document(system(name), only)
    if as_json:
        emit(document)
    else:
        terminal.show_rules(document, Output(), in_full=bool(only))
    return HOLDS


@app.command("bounds")
def bounds_(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Parameter files; the shipped presets when none.")
    ] = None,
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


for verb in (equivalence, diff, audit, export, report, init, vectors):
    app.command()(verb)


def run() -> object:
    """Run the verb that the command line says; its exit code."""
    return blaming(lambda: app(standalone_mode=False))
