"""Traces of a run as files, and how a user repeats them."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from marginspec.lockstep.trace import Trace, file_name, write
from marginspec.runs import exports
from marginspec.systems.registry import NAMES
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate

T = TypeVar("T")

TRACES = Path("out") / "traces"


def kept(chosen: System, traces: Sequence[Trace]) -> list[Path]:
    """The files of some traces; where they should be, when they can be nowhere."""
    files = where_it_can_be(lambda folder: [write(chosen.model, trace, folder) for trace in traces])
    return [TRACES / file_name(trace) for trace in traces] if files is None else files


def kept_as(chosen: System, trace: Trace, called: str) -> Path:
    """The file of a trace, called as told and not after what it shows: other traces may show the same."""
    name = re.sub("[^A-Za-z0-9]+", "-", called).strip("-")[:120] + ".json"
    return where_it_can_be(lambda folder: write(chosen.model, trace, folder, name)) or TRACES / name


def command_to_repeat(chosen: System, file: Path, target: str, builds: Sequence[Candidate]) -> str:
    """The command that replays a kept trace on the implementation that it was found with."""
    options = [] if target == "embedded" else ["--target", target]
    options += [part for build in builds for part in ("--artifact", build.option)]
    options += [] if chosen.name in NAMES else ["--system", chosen.name]
    return shlex.join(["marginspec", "replay", str(file), *options])


def how_to_repeat(
    chosen: System, trace: Trace | None, file: Path, target: str, builds: Sequence[Candidate]
) -> dict[str, Any]:
    """Of a trace that is kept: `repeat`, a command, and `exports`, files of its other forms beside it.

    trace: with a divergence from the model; None where there is none to export. target, builds: of the options
    `--target` and `--artifact`, the implementation that it was found with.
    """
    repeat = command_to_repeat(chosen, file, target, builds)
    try:
        forms = {} if trace is None else exports.write(chosen, trace, file.stem, target, builds, file.parent)[0]
    except OSError as error:
        print(f"marginspec: other forms of {file} cannot be written ({error.strerror})", file=sys.stderr)
        forms = {}
    return {"exports": forms, "repeat": repeat}


def where_it_can_be(keep: Callable[[Path], T]) -> T | None:
    """Keep something where it belongs; elsewhere, when that cannot be: it may have cost hours. None: nowhere at all."""
    try:
        return keep(TRACES)
    except OSError as error:
        try:
            instead = Path(tempfile.mkdtemp(prefix="marginspec-"))
            found = keep(instead)
        except OSError:
            print(f"marginspec: nothing can be kept in {TRACES} or elsewhere ({error.strerror})", file=sys.stderr)
            return None
        print(f"marginspec: {TRACES} cannot be written ({error.strerror}): see {instead}", file=sys.stderr)
        return found
