"""`python -m tools.tutorial FILE`: run the commands of a tutorial, and write into it what a terminal shows.

A command is a line `$ …` in a block of the language `console`; what follows it, up to the next, is what it printed. A
block that says `console exit=N` ends with that code, every other with 0.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from marginspec.base import process
from marginspec.base.errors import BadInput

BLOCK = re.compile(r"(?ms)^```console(?: exit=(\d+))?\n(.*?)^```$")
COLUMNS = "150"
"""Enough for tables to need no second line, whatever solvers answer."""

REPLAY = "marginspec replay "
REPEAT = "  repeat it: "
"""How `fuzz` announces a command."""


def run(text: str, root: Path, folder: Path) -> str:
    """A tutorial with what its commands print now, run one after the other in a folder.

    root: what it calls $MARGINSPEC. Raises BadInput for a command that ends otherwise than it should.
    """
    environment = {**os.environ, "MARGINSPEC": str(root), "PATH": _path(folder), "COLUMNS": COLUMNS}
    workplace = folder / "audit"
    workplace.mkdir()
    shell = _Shell(workplace, environment)
    return BLOCK.sub(shell.shown, text)


def _path(folder: Path) -> str:
    """A search path on which the commands are those of this very Python."""
    programs = folder / "bin"
    programs.mkdir()
    for name, module in (("marginspec", "-P -m marginspec"), ("pytest", "-m pytest"), ("python3", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        program.chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


class _Shell:
    """Runs the commands of blocks."""

    def __init__(self, workplace: Path, environment: Mapping[str, str]) -> None:
        self._workplace, self._environment = workplace, environment
        self._replay: str | None = None

    def shown(self, block: re.Match[str]) -> str:
        """A block with what its commands print now; only the last may end with another code than 0."""
        commands = [line.removeprefix("$ ") for line in block[2].splitlines() if line.startswith("$ ")]
        expected = int(block[1] or 0)
        *others, last = commands
        shown = [*(self._run(command, 0) for command in others), self._run(last, expected)]
        return f"```console{f' exit={expected}' if expected else ''}\n{''.join(shown)}```"

    def _run(self, command: str, expected: int) -> str:
        # A trace is called after what it shows, which another run may show differently.
        if self._replay and command.startswith(REPLAY):
            command = self._replay
        done = subprocess.run(
            command,
            shell=True,
            cwd=self._workplace,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != expected:
            raise BadInput(f"`{command}` ended with code {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}")
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        for line in lines:
            if line.startswith(REPEAT):
                self._replay = line.removeprefix(REPEAT)
        return "".join(f"{line}\n" for line in (f"$ {command}", *lines))


def record(file: Path) -> int:
    """Write what the commands print now into a tutorial."""
    with tempfile.TemporaryDirectory() as folder:
        file.write_text(run(file.read_text(), file.resolve().parents[1], Path(folder)))
    return process.HOLDS


def main() -> None:
    """Record into the file that is named."""
    process.run(lambda: record(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
