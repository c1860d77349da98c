"""Where results go: looked at before any work is done, and written whole or not at all. What people write: TOML."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.text import printable

PARTIAL = ".marginspec-partial"
"""How the name of a file ends that is not yet whole."""

SECONDS_TO_WRITE = 3_600.0
"""After its last change; then whoever wrote it was killed."""


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


def write_whole(file: Path, text: str | bytes) -> None:
    """Write a file, in a folder that is made: what was there before is there until all is written.

    A link to a file is replaced, not followed. What UTF-8 cannot say is written as `\\ud800`. Raises OSError, which
    names the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    if file.exists() and not file.is_file():  # a device or pipe
        file.write_bytes(content)
        return
    _sweep(file.parent)
    # Not by the number of the process: two containers that share a folder number theirs alike.
    partial = file.with_name(f".{file.name[:100]}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise OSError(error.errno, error.strerror, str(file)) from None


@functools.cache
def _sweep(folder: Path) -> None:
    """Remove, once in a process, what runs that were killed left half written in a folder."""
    with contextlib.suppress(OSError):
        for file in folder.glob(f".*{PARTIAL}"):
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > SECONDS_TO_WRITE:
                    file.unlink()


def read_text(file: Path, most: int, encoding: str = "utf-8") -> str:
    """The text of a file of a user's, of so many characters at most; BadInput where it cannot be read or is longer."""
    try:
        with file.open(encoding=encoding) as opened:
            text = opened.read(most + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: {printable(str(error), 120)}") from None
    if len(text) > most:
        raise BadInput(f"{file}: larger than {most} characters")
    return text


def read_toml(file: Path, name: str = "") -> dict[str, Any]:
    """What a TOML file says; BadInput, in one line, where it cannot be read or is none. name: as it is called."""
    name = name or str(file)
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        json.dumps(found, default=str)  # which finds numbers that have too many digits to be shown
        return found
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or error}") from None
    except RecursionError:
        raise BadInput(f"{name}: not TOML: nested too deeply") from None
    except ValueError as error:
        raise BadInput(f"{name}: not TOML: {error}") from None
