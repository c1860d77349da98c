"""`marginspec check`: the main job, and the gate of a pull request."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base.errors import BadInput
from marginspec.base.files import writable_file, write_whole
from marginspec.base.package import ROOT
from marginspec.base.process import VERDICTS, Output, emit, worst
from marginspec.cli.options import (
    DEFAULT,
    AllowUnmodelled,
    Artifacts,
    Budget,
    Cluster,
    Corpus,
    Json,
    Lcov,
    NoCache,
    RequireReach,
    SystemName,
    TargetName,
    Verbose,
    Watch,
    watched,
)
from marginspec.conformance.run import telling_runs, vector_runs
from marginspec.model.kernel.machine import Call
from marginspec.report import terminal
from marginspec.report.equivalence import show_actions
from marginspec.report.gate import gate_verdicts, show_gate, show_kept_runs
from marginspec.report.junit import junit
from marginspec.report.sarif import sarif
from marginspec.report.summary import summary
from marginspec.report.upgrade import show_departures
from marginspec.results import documents
from marginspec.results.findings import findings
from marginspec.results.gate import gate_code, gate_document
from marginspec.results.provenance import provenance
from marginspec.results.settings import Settings, read_settings
from marginspec.runs.cluster import on_cluster
from marginspec.runs.documents import MUTANT_STEPS, explained, fuzz_document, mutate_document, prove_document
from marginspec.runs.equivalence import decide_document, require_actions, shown_by
from marginspec.runs.line_coverage import opened
from marginspec.systems.registry import system
from marginspec.targets.evm.artifact import candidates


def check(
    name: SystemName = DEFAULT,
    steps: Annotated[
        int | None, typer.Option(help="How many calls to compare.", show_default="20000, or as the settings say")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed repeats a run, on every target.", show_default="1, or as the settings say"),
    ] = None,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    require_reach: RequireReach = False,
    allow_unmodelled: AllowUnmodelled = None,
    corpus: Corpus = None,
    cluster: Cluster = None,
    budget: Budget = None,
    no_cache: NoCache = False,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML, a case per law.")
    ] = None,
    sarif_file: Annotated[
        Path | None,
        typer.Option("--sarif", metavar="FILE", help="Write what is wrong, and where, as SARIF 2.1.0."),
    ] = None,
    summary_file: Annotated[
        Path | None,
        typer.Option("--summary", metavar="FILE", help="Append a summary in Markdown, e.g. to $GITHUB_STEP_SUMMARY."),
    ] = None,
    lcov: Lcov = None,
    watch: Watch = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Compare the implementation with the model, on calls at random and kept, then prove every law: the main job.

    Gate a pull request: marginspec check morpho-blue --artifact Morpho=out/Morpho.sol/Morpho.json

    In CI, also: --junit junit.xml --sarif marginspec.sarif --summary "$GITHUB_STEP_SUMMARY" --corpus .marginspec

    Thresholds stand in \\[tool.marginspec] of pyproject.toml, or in marginspec.toml, here or above: steps, seed,
    require-reach, min-laws, max-declared, min-mutation-score, equivalence. They make the gate stricter, never looser;
    and allow-unmodelled lists functions that no action calls.

    Exit code 0: all proved and confirmed, no divergence, every action accepted and refused on both sides, every
    function that changes state called or listed. 1: a law or the implementation is broken. 3: something is unknown or
    lacking. A divergence is shrunk and written to out/traces/. Calls that tell what an implementer may overlook are
    searched for once, kept, and run last.
    """
    if watch:
        return watched(name, artifact)
    settings = _settings(steps, seed)
    require_reach = require_reach or settings.require_reach
    allowed = {*settings.allow_unmodelled, *(allow_unmodelled or ())}
    chosen, console = system(name), Output()
    for file in (junit_file, sarif_file, summary_file):
        writable_file(file)
    builds = candidates(artifact)
    with opened(chosen, target, builds, lcov) as (implementation, lines_told):
        # What takes seconds goes first, and says what it found before what takes minutes.
        asked = (builds, settings.equivalence, f"{settings.file}: equivalence: no action", no_cache, allowed)
        proved = functools.cache(lambda: decide_document(chosen, *asked) if settings.equivalence else None)
        require_actions(chosen, implementation, settings.equivalence, f"{settings.file}: equivalence")

        def telling() -> Sequence[Sequence[Call]]:
            # What a proof shows to differ is run as well: it is judged and explained like what a run found.
            return [*telling_runs(chosen.model, settings.seed), *shown_by(chosen, proved())]

        steps, seed = settings.steps, settings.seed
        team = on_cluster(cluster, chosen, target, implementation, builds, steps, seed) if cluster else None
        fuzzed = fuzz_document(chosen, implementation, target, steps, seed, corpus, builds, allowed, telling, team)
        fuzzed |= lines_told()
        for row in fuzzed["divergences"]:
            print(f"marginspec: divergence, kept in {row['trace']}: {row['repeat']}", file=sys.stderr, flush=True)
        departures = explained(chosen, implementation, fuzzed, settings.seed)
        if not as_json:
            terminal.show_fuzz(fuzzed, console)
            show_kept_runs(fuzzed, console)
            show_departures(departures, console)
        equal = proved()
        proofs = prove_document(chosen, None, None, anew=no_cache)
        mutants = None
        if settings.min_mutation_score is not None:
            runs = functools.partial(vector_runs, chosen.model, chosen.chapter.properties, settings.seed)
            mutants = mutate_document(chosen, MUTANT_STEPS, settings.seed, runs=runs, anew=no_cache)
        gate = gate_document(settings, require_reach, proofs, fuzzed, mutants, equal)
        found = findings(chosen, implementation, builds, gate, proofs, fuzzed, mutants, departures, equal)
        made = provenance(chosen, implementation, builds, settings)
    code = worst({documents.prove_code(proofs), documents.fuzz_code(fuzzed, require_reach), gate_code(gate)})
    document: dict[str, Any] = {
        "schema": "marginspec/check/1",
        "prove": proofs,
        "fuzz": fuzzed,
        "verdict": VERDICTS[code],
    }
    document |= {} if mutants is None else {"mutate": mutants}
    document |= {} if equal is None else {"equivalence": equal}
    document |= {"gate": gate, "findings": found, "explained": departures, "provenance": made}
    _write(junit_file, document, junit)
    _write(sarif_file, document, _sarif)
    if summary_file is not None:
        with summary_file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(summary(document))
    if as_json:
        emit(document)
    else:
        terminal.show_prove(proofs, console, verbose)
        show_actions(equal, console)
        show_gate(document, console)
        terminal.show_verdict(document["verdict"], gate_verdicts(document), console)
    return code


def _settings(steps: int | None, seed: int | None) -> Settings:
    """What the project demands, and in the place of that what the command line does."""
    found = read_settings(Path.cwd())
    if steps is not None and steps < 1:
        raise BadInput(f"--steps {steps}: a run that compares nothing is no pass; give at least 1")
    return dataclasses.replace(
        found, steps=found.steps if steps is None else steps, seed=found.seed if seed is None else seed
    )


def _sarif(document: Mapping[str, Any]) -> str:
    return sarif(document, version("marginspec"), Path.cwd().as_uri(), ROOT.as_uri())


def _write(file: Path | None, document: Mapping[str, Any], render: Callable[[Mapping[str, Any]], str]) -> None:
    if file is not None:
        write_whole(file, render(document))
