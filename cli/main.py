"""`marginspec`: the verbs. Results go to standard output, progress to standard error, verdicts into the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.exceptions
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from marginspec.cli import documents
from marginspec.cli.mutate import mutate
from marginspec.cli.systems import SYSTEMS, System, system
from marginspec.cli.traceability import rules_document
from marginspec.differential.campaign import NothingCompared, run
from marginspec.differential.trace import read, replay, system_of, write
from marginspec.prover.prove import Prover, prove_all
from marginspec.report import terminal
from marginspec.targets.evm.reasons import printable
from marginspec.targets.protocol import BadInput, Target, TargetFailed

DEFAULT = "morpho-blue"
TRACES = Path("out") / "traces"
HOLDS, BROKEN, BAD_INPUT, INCOMPLETE, TARGET_FAILED = range(5)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Prove a venue's margin rules and hold its implementation to them.\n\n"
    "Exit codes: 0 holds, 1 counterexample or divergence, 2 bad input, 3 incomplete, 4 the target failed.",
)

SystemName = Annotated[str, typer.Argument(metavar="SYSTEM", help="Which system, see `marginspec rules --help`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
Seed = Annotated[int, typer.Option(help="The same seed repeats a run, on every target.")]
Steps = Annotated[int, typer.Option(help="How many calls to compare.")]
TargetName = Annotated[
    str,
    typer.Option("--target", help="embedded, anvil, the URL of a local node, sdk (morpho-blue), or a command."),
]
Artifacts = Annotated[
    list[str] | None,
    typer.Option("--artifact", metavar="NAME=FILE", help="Put a candidate build in the place of a contract."),
]
RequireReach = Annotated[bool, typer.Option("--require-reach", help="Exit 3 when a rule or regime is not reached.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A row for everything, not only for what needs a look.")]
Emit = Annotated[Path | None, typer.Option("--emit-smt2", metavar="DIR", help="Write every obligation as SMT-LIB 2.")]


@app.command()
def check(
    name: SystemName = DEFAULT,
    steps: Steps = 20_000,
    seed: Seed = 1,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    require_reach: RequireReach = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Prove every law, then compare the implementation with the model: the main job.

    Example: marginspec check morpho-blue --artifact Morpho=out/Morpho.sol/Morpho.json
    """
    chosen, console = system(name), Console(soft_wrap=False)
    with opened(chosen, target, artifact, steps) as implementation:
        proofs = prove_document(chosen, None, None)
        fuzzed = fuzz_document(chosen, implementation, target, steps, seed)
    codes = {documents.prove_code(proofs), documents.fuzz_code(fuzzed, require_reach)}
    code = next(c for c in (BROKEN, INCOMPLETE, HOLDS) if c in codes)
    verdict = {HOLDS: "holds", BROKEN: "broken", INCOMPLETE: "incomplete"}[code]
    if as_json:
        emit({"schema": "marginspec/check/1", "prove": proofs, "fuzz": fuzzed, "verdict": verdict})
    else:
        terminal.show_prove(proofs, console, verbose)
        terminal.show_fuzz(fuzzed, console)
        terminal.show_verdict(verdict, console)
    return code


@app.command()
def prove(
    name: SystemName = DEFAULT,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="Only this property.")] = None,
    emit_smt2: Emit = None,
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Accepted for uniformity: proofs do not depend on chance.")] = 1,
) -> int:
    """Prove the laws of a system; a second solver re-checks each."""
    chosen = system(name)
    document = prove_document(chosen, only, emit_smt2)
    if as_json:
        emit(document)
    else:
        terminal.show_prove(document, Console(), every=True)
    return documents.prove_code(document)


@app.command()
def fuzz(
    name: SystemName = DEFAULT,
    steps: Steps = 20_000,
    seed: Seed = 1,
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    require_reach: RequireReach = False,
    as_json: Json = False,
) -> int:
    """Compare an implementation with the model, call by call, every observation, exactly."""
    chosen = system(name)
    with opened(chosen, target, artifact, steps) as implementation:
        document = fuzz_document(chosen, implementation, target, steps, seed)
    if as_json:
        emit(document)
    else:
        terminal.show_fuzz(document, Console())
    return documents.fuzz_code(document, require_reach)


@app.command("replay")
def replay_(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A trace file, as `fuzz` writes it.")],
    target: TargetName = "embedded",
    artifact: Artifacts = None,
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Accepted for uniformity: a trace leaves nothing to chance.")] = 1,
) -> int:
    """Repeat a trace on model and implementation. Exit 1 when they (still) diverge, 0 when they agree."""
    chosen = system(system_of(trace, SYSTEMS))
    recorded = read(trace, chosen.model, SYSTEMS)
    with opened(chosen, target, artifact, 1) as implementation:
        found = replay(chosen.model, implementation, recorded)
    document = documents.replay_document(trace, target, recorded, found)
    if as_json:
        emit(document)
    else:
        terminal.show_replay(document, Console())
    return HOLDS if found.divergence is None else BROKEN


@app.command("mutate")
def mutate_(
    name: SystemName = DEFAULT,
    steps: Steps = 20_000,
    seed: Seed = 1,
    proofs: Annotated[bool, typer.Option(help="Also ask which property each mutant breaks.")] = True,
    as_json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Break the model in every small way and see who notices: a law that no mutant breaks is no law.

    Exit 1 when a mutant survives that is not recorded as equivalent.
    """
    chosen = system(name)
    with progress("mutants", 1) as advance:
        document = mutate(
            chosen.name,
            chosen.model,
            lambda: chosen.open("embedded", []),
            chosen.chapter.properties,
            chosen.spec.with_suffix(".equivalent.toml"),
            steps,
            seed,
            proofs,
            os.cpu_count() or 1,
            advance,
        )
    if as_json:
        emit(document)
    else:
        terminal.show_mutate(document, Console(), verbose)
    return BROKEN if document["summary"]["survived"] or document.get("problems") else HOLDS


@app.command()
def rules(name: SystemName = DEFAULT, as_json: Json = False) -> int:
    """Show, for every rule, its title, where it stands in the code, and the properties that speak of it."""
    document = rules_document(system(name))
    if as_json:
        emit(document)
    else:
        terminal.show_rules(document, Console())
    return HOLDS


def prove_document(chosen: System, only: list[str] | None, folder: Path | None) -> dict[str, Any]:
    """Prove, with progress, and describe."""
    claims = chosen.chapter.properties
    if only:
        missing = set(only) - {c.id for c in claims}
        if missing:
            raise BadInput(f"--only {sorted(missing)[0]}: {chosen.name} has no property of this ID")
        claims = [c for c in claims if c.id in only]
    started, verdicts = time.perf_counter(), []
    with progress("proving", len(claims)) as advance:
        for verdict in prove_all(Prover(chosen.model, folder), claims, os.cpu_count() or 1):
            verdicts.append(verdict)
            advance(len(verdicts))
    order = {c.id: n for n, c in enumerate(claims)}
    verdicts.sort(key=lambda v: order[v.id])
    return documents.prove_document(chosen.name, verdicts, time.perf_counter() - started)


def fuzz_document(chosen: System, implementation: Target, target: str, steps: int, seed: int) -> dict[str, Any]:
    """Run a campaign, with progress, keep its traces, and describe."""
    with progress("comparing", steps) as advance:
        campaign = run(chosen.model, implementation, steps, seed, on_progress=lambda tally: advance(tally.steps))
    files = [write(chosen.model, found.trace, TRACES) for found in campaign.divergences]
    return documents.fuzz_document(chosen.name, target, chosen.model, campaign, files)


@contextlib.contextmanager
def opened(chosen: System, target: str, artifacts: list[str] | None, steps: int) -> Iterator[Target]:
    """The implementation under test, closed in every case."""
    if steps < 1:
        raise BadInput(f"--steps {steps}: a run that compares nothing is no pass; give at least 1")
    implementation = chosen.open(target, artifacts or [])
    try:
        yield implementation
    finally:
        implementation.close()


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error; the function that moves it, given what is done and perhaps a new total."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, total=None: bar.update(task, completed=done, total=total)


def emit(document: dict[str, Any]) -> None:
    """A JSON document on standard output."""
    print(json.dumps(document, indent=1))


def main() -> None:
    """Run a verb. A user's mistake is one line and exit code 2, a dead target one line and 4: never a traceback."""
    try:
        code = app(standalone_mode=False)
    except BadInput as error:
        _stop(str(error), BAD_INPUT)
    except (TargetFailed, NothingCompared) as error:
        _stop(str(error), TARGET_FAILED)
    except typer.exceptions.TyperException as error:
        # Without arguments the help has been shown already.
        if not str(error):
            sys.exit(BAD_INPUT)
        _stop(f"{error}; see `marginspec --help`", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        _stop("interrupted", 130)
    sys.exit(code if isinstance(code, int) else HOLDS)


def _stop(message: str, code: int) -> None:
    print(f"marginspec: {printable(' '.join(message.split()), 500)}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
