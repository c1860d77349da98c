"""What takes long to make, kept between runs under what it is made of."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marginspec.base.files import write_whole


def kept(name: str, made_of: str, make: Callable[[], Any], worth: Callable[[Any], bool] = lambda made: True) -> Any:
    """What `make` returns, as JSON has it, from a file if it was made before of the same.

    name: the beginning of the file's name, with the version of whoever makes it. made_of: all that decides what it
    becomes. worth: whether to keep what was made.

    Files are in `~/.cache/marginspec`; `MARGINSPEC_CACHE` overrides. A file that is damaged, or of something else, is
    made again; where none can be written, or nobody has a home, nothing is kept.
    """
    folder = _folder()
    if folder is None:
        return make()
    file = folder / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.json"
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        entry = json.loads(file.read_text())
        if entry["digest"] == _digest(made_of, entry["made"]):
            return entry["made"]
    made = make()
    if not worth(made):
        return made
    with contextlib.suppress(OSError):
        write_whole(file, json.dumps({"made": made, "digest": _digest(made_of, made)}))
    return made


def _digest(made_of: str, made: Any) -> str:
    """Of what was made and of what: an entry that was damaged, or is of something else, is not believed."""
    return hashlib.sha256(f"{made_of}\0{json.dumps(made, sort_keys=True)}".encode()).hexdigest()


def _folder() -> Path | None:
    """Where files are kept; None where there is no place for what belongs to a user."""
    if given := os.environ.get("MARGINSPEC_CACHE"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "marginspec"
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "marginspec"
    return None
