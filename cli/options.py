"""The options that several verbs take."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base.ending import end_after
from marginspec.base.errors import BadInput
from marginspec.results.settings import read_settings
from marginspec.systems.registry import NAMES

DEFAULT: Any = None
"""In the place of a SYSTEM that is not given: the settings', else `reference`."""

MOST_SECONDS = 10_000_000  # of a budget: four months


def _at_least_one(steps: int) -> int:
    if steps < 1:
        raise BadInput(f"--steps {steps}: a run that compares nothing is no pass; give at least 1")
    return steps


def _or_of_the_settings(name: str | None) -> str:
    if name is not None:
        return name
    settings = read_settings(Path.cwd())
    taken, whence = (settings.system, f", as {settings.file} says") if settings.system else ("reference", "")
    print(f"marginspec: no SYSTEM is given: {taken}{whence}", file=sys.stderr)
    return taken


def _end_after(seconds: int | None) -> int | None:
    if seconds is not None:
        if not 1 <= seconds <= MOST_SECONDS:
            raise BadInput(f"--budget {seconds}: give seconds, 1 to {MOST_SECONDS:,}")
        end_after(seconds)
    return seconds


def watched(name: str, artifacts: list[str] | None = None) -> int:
    """Run the verb of the command line anew whenever its system, an artifact or the settings change."""
    from marginspec.runs.watch import watch

    settings = read_settings(Path.cwd()).file
    files = [name, *(each.partition("=")[2] for each in artifacts or ()), *([settings] if settings else ())]
    signal.setitimer(signal.ITIMER_REAL, 0)  # a budget is each run's
    watch([each for each in sys.argv[1:] if each != "--watch"], map(Path, files))
    return 128 + signal.SIGINT  # no verdict


SystemName = Annotated[
    str,
    typer.Argument(
        metavar="SYSTEM",
        callback=_or_of_the_settings,
        help=f"What to look at: {', '.join(NAMES)}, or the folder of your own (marginspec init).",
        show_default="as the settings say, else reference",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
Seed = Annotated[int, typer.Option(help="The same seed repeats a run, on every target.")]
NoChance = Annotated[int, typer.Option("--seed", help="Taken by every verb; nothing here is left to chance.")]
Steps = Annotated[int, typer.Option(callback=_at_least_one, help="How many calls to compare.")]
TargetName = Annotated[
    str,
    typer.Option(
        "--target",
        help="What to compare with: embedded (the real bytecode in this process), anvil (started and stopped here), "
        "the URL of a local anvil, sdk (morpho-blue: Morpho's TypeScript SDK), or a command that speaks JSON lines.",
    ),
]
Artifacts = Annotated[
    list[str] | None,
    typer.Option(
        "--artifact",
        metavar="NAME=FILE",
        help="Put a candidate build in the place of a contract: a JSON artifact of Foundry, Hardhat, Truffle, solc or "
        "Vyper. May be repeated.",
    ),
]
RequireReach = Annotated[bool, typer.Option("--require-reach", help="Exit 3 when a rule or regime is not reached.")]
AllowUnmodelled = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-unmodelled",
        metavar="FUNCTION",
        help="A function that no action need call, e.g. 'Vault.sweep(address)'; it is shown all the same. May be "
        "repeated.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A row for everything, not only for what needs a look.")]
Emit = Annotated[Path | None, typer.Option("--emit-smt2", metavar="DIR", help="Write every obligation as SMT-LIB 2.")]
Budget = Annotated[
    int | None,
    typer.Option(
        "--budget",
        metavar="SECONDS",
        callback=_end_after,
        help="End after so many seconds, and say what was found until then; what was not come to is no pass.",
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Believe nothing that was kept of earlier runs of the same texts.")
]
Corpus = Annotated[
    str | None,
    typer.Option(
        "--corpus",
        metavar="DIR|URL",
        help="Keep the traces of divergences there, a folder or a Redis database (redis://…), and try them first.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Have the workers of a Dask scheduler do the run, e.g. tcp://10.0.0.1:8786; without, the cores of this "
        "machine do. The result is the same: see docs/campaign.md.",
    ),
]
Lcov = Annotated[
    Path | None,
    typer.Option(
        "--lcov",
        metavar="FILE",
        help="Write which lines of the artifacts ran, as lcov: each call is followed, which takes twice as long.",
    ),
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Run anew whenever the system or an artifact changes, until interrupted.")
]
Own = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="FOLDER",
        help="The folder of the trace's system, if it is one of your own: its code is run.",
    ),
]
