"""The command, run in the process of a test."""

import functools
from pathlib import Path

import pytest
from command import Command

from marginspec.__main__ import main


@pytest.fixture
def here(in_process: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs the command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return functools.partial(in_process, main)
