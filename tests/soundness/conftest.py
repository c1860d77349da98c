"""The command, run in the process of a test, on a system that is imported anew each time."""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from altered import NAME
from command import Command

from marginspec.__main__ import main


@pytest.fixture
def here(in_process: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Command]:
    """Runs the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield functools.partial(in_process, main)
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]
