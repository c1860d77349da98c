"""A verb that runs anew whenever an artifact that it was given changes, or a file of the system that it looks at."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change, run_process

from marginspec.base.package import ROOT
from marginspec.base.text import printable

SOURCES = (".py", ".md", ".toml", ".vy", ".sol")
"""What counts in a folder: not what a run itself writes there."""

ROOMS = tuple(ROOT / room for room in ("model", "properties", "spec", "contracts", "systems"))
"""Where the systems that come with marginspec are."""


def watch(arguments: list[str], given: Iterable[Path]) -> None:
    """Run `marginspec` with some arguments, and again after each change, until interrupted.

    Each run is a process of its own, so that what changed is loaded; one that still runs is told to end first. given:
    files and folders that count; those that do not exist are left to the run, which says so.
    """
    paths = [path.resolve() for path in given if path.exists()]
    folders, files = [path for path in paths if path.is_dir()] + [*ROOMS], {path for path in paths if path.is_file()}

    def counts(_: Change, changed: str) -> bool:
        path = Path(changed)
        return path in files or (path.suffix in SOURCES and any(path.is_relative_to(folder) for folder in folders))

    def tell(changes: set[tuple[Change, str]]) -> None:
        names = ", ".join(sorted({printable(Path(changed).name) for _, changed in changes}))
        print(f"marginspec: {names} changed: once more", file=sys.stderr, flush=True)

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # that a run has ended before a change is no news
    command = shlex.join([sys.executable, "-m", "marginspec", *arguments])
    # A file that is written beside and renamed is a new one: its folder is watched.
    places = {*folders, *(file.parent for file in files)}
    run_process(*places, target=command, target_type="command", watch_filter=counts, callback=tell)
