"""Where results go: looked at before any work is done."""

from __future__ import annotations

import tempfile
from pathlib import Path

from marginspec.base.errors import BadInput


def writable(folder: Path, option: str) -> None:
    """Make a folder for results, named by an option; BadInput, before any work, when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"{option} {folder}: {error.strerror}; give a folder that can be written") from None


def writable_file(file: Path | None) -> None:
    """BadInput, before any work is done, when a report could not be written."""
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = not file.exists()
        with file.open("a"):
            pass
        if new:
            file.unlink()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}; give a file that can be written") from None
