"""What takes long to make, kept between runs under what it is made of."""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from marginspec.base.files import PARTIAL, write_whole

SECONDS_TO_LOOK = 0.2
"""From one look whether another run has made something to the next."""


def kept(name: str, made_of: str, make: Callable[[], Any], worth: Callable[[Any], bool] = lambda made: True) -> Any:
    """What `make` returns, as JSON has it, from a file if it was made before of the same.

    name: the beginning of the file's name, with the version of whoever makes it. made_of: all that decides what it
    becomes. worth: whether to keep what was made.

    Files are in `~/.cache/marginspec`; `MARGINSPEC_CACHE` overrides. A file that is damaged, or of something else, is
    made again; where none can be written, or nobody has a home, nothing is kept. What another run is making is waited
    for.
    """
    folder = _folder()
    if folder is None:
        return make()
    file = folder / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.json"
    if (entry := _entry(file, made_of)) is not None:
        return entry["made"]
    with _one_at_a_time(file):
        if (entry := _entry(file, made_of)) is not None:
            return entry["made"]
        made = make()
        if worth(made):
            with contextlib.suppress(OSError):
                write_whole(file, json.dumps({"made": made, "digest": _digest(made_of, made)}))
        return made


def _entry(file: Path, made_of: str) -> dict[str, Any] | None:
    """What a file says, if it can be believed."""
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        entry: dict[str, Any] = json.loads(file.read_text())
        if entry["digest"] == _digest(made_of, entry["made"]):
            return entry
    return None


@contextlib.contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Let one process make a file, where it can be locked; the others wait, with progress. A killed one is no more."""
    lock, held = file.with_name(f".{file.name}.lock{PARTIAL}"), None
    with contextlib.suppress(OSError):
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = lock.open("ab")
    if held is None:
        yield
        return
    with held:
        _locked(held.fileno())
        try:
            yield
        finally:
            # Who waits has it open; who comes later makes another, and finds the file.
            with contextlib.suppress(OSError):
                lock.unlink()


def _locked(lock: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    from marginspec.base.process import progress  # here: it takes long to load, and hardly anybody waits

    with progress("another run is making the same", 1) as advance:
        while True:
            advance(0)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(SECONDS_TO_LOOK)
            except OSError:
                return  # a file system without locks
            else:
                return


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
