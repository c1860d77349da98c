"""How the command behaves as a process: exit codes, one line for each mistake, progress, and a quick end when asked."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn

import typer
import typer.exceptions
from rich.console import Console
from rich.errors import MarkupError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from marginspec.base import ending
from marginspec.base.errors import BadInput, NothingCompared, TargetFailed
from marginspec.base.text import printable, visible

HOLDS, BROKEN, BAD_INPUT, INCOMPLETE, TARGET_FAILED = range(5)

VERDICTS = {BROKEN: "broken", INCOMPLETE: "incomplete", HOLDS: "holds"}
"""What the codes of a verdict are called, the worst first."""

INTERNAL = 70
"""Of an error in the tool itself, `EX_SOFTWARE` of sysexits.h. Python's own 1 would read as a counterexample."""

SECONDS_BEFORE_PROGRESS = 2.0
SECONDS_BETWEEN_PROGRESS = 10.0
"""Seconds before the first line of progress, and between two, where there is no terminal to draw a bar on."""


class Unread(Exception):  # noqa: N818 - not an error: the reader has seen enough
    """Nobody reads the output any more. Not a BrokenPipeError: typer ends with code 1 on that, which is a verdict."""


class Output(Console):
    """Standard output for people; whoever pastes a line from it (a file, a command) wants it in one piece."""

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of contracts and files is shown as it is where it is no markup, and never controls the terminal."""
        try:
            return super().render_str(visible(text), **options)
        except MarkupError:
            return super().render_str(visible(text), **{**options, "markup": False})

    def on_broken_pipe(self) -> None:
        raise Unread


def worst(codes: Collection[int]) -> int:
    """The code of a whole, from those of its parts."""
    return next(code for code in VERDICTS if code in codes)


def emit(document: Mapping[str, Any]) -> None:
    """A JSON document on standard output."""
    try:
        print(json.dumps(document, indent=1), flush=True)
    except BrokenPipeError:
        raise Unread from None


def run(app: Callable[[], object]) -> NoReturn:
    """Run a verb and end the process. A mistake is one line and code 2, a dead target one line and 4.

    Ended by a signal, or by a reader of its output that has gone: 128 and the signal's number, as shells count; by its
    budget with nothing to tell: one line and code 3. Only an error in the tool itself shows a traceback.
    """
    ending.listen()
    _Shown.at = time.monotonic()
    try:
        code = app()
        if not ending.unanswered():
            sys.exit(ending.signal_code() or (code if isinstance(code, int) else HOLDS))
    except BadInput as error:
        _stop(str(error), BAD_INPUT)
    except typer.exceptions.TyperException as error:
        # Without arguments the help has been shown already.
        if not str(error):
            sys.exit(BAD_INPUT)
        _stop(f"{error.format_message().rstrip('.')}; see `{_verb(error)} --help`", BAD_INPUT)
    except Unread:
        _discard()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        _discard()
        where = f"{error.filename}: " if error.filename else ""
        _stop(f"{where}{error.strerror or error}", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        pass
    except Exception as error:
        if not ending.ended():  # what was told to end fails because of that
            if isinstance(error, TargetFailed | NothingCompared):
                _stop(str(error), TARGET_FAILED)
            traceback.print_exc()
            _stop("this is an error in marginspec itself, and no verdict: please report it", INTERNAL)
    # typer makes a code 130 of a KeyboardInterrupt.
    _stop(f"{ending.ended() or 'interrupted'}, no verdict", ending.signal_code() or INCOMPLETE)


def _discard() -> None:
    """Forget what could not be written, or Python tries again when it ends, and says so."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _verb(error: typer.exceptions.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return "marginspec" if context is None or context.parent is None else f"marginspec {context.info_name}"


def _stop(message: str, code: int) -> NoReturn:
    print(f"marginspec: {printable(' '.join(message.split()), 500)}", file=sys.stderr)
    sys.exit(code)


class _Shown:
    """When something of how far the work is was shown last, and whether that is on the screen all the time."""

    at, bar = time.monotonic(), False


def still(what: str, done: int) -> None:
    """Say that somebody slow is waited for, where nothing was said for long.

    Whoever asks a node or a service calls it with each answer. done: how many there were.
    """
    if not _Shown.bar and time.monotonic() - _Shown.at >= SECONDS_BETWEEN_PROGRESS:
        _Shown.at = time.monotonic()
        print(f"marginspec: answers of {printable(what)}: {done:,} so far", file=sys.stderr)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[..., None]]:
    """Progress on standard error: a bar on a terminal, elsewhere a line now and then.

    Yields the function that reports, given how much is done and, where that becomes known later, of how much.
    """
    if not sys.stderr.isatty():
        yield _Lines(what, total)
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, _Shown.bar = bar.add_task(what, total=total), True
        try:
            yield lambda done, total=None: bar.update(task, completed=done, total=total)
        finally:
            _Shown.bar = False


class _Lines:
    """Progress for a log."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._started = time.monotonic()
        self._next = self._started + SECONDS_BEFORE_PROGRESS

    def __call__(self, done: int, total: int | None = None) -> None:
        self._total = total or self._total
        now = time.monotonic()
        if now >= self._next:
            _Shown.at = now
            self._next = now + SECONDS_BETWEEN_PROGRESS
            seconds = now - self._started
            print(f"marginspec: {self._what}: {done:,} of {self._total:,}, {seconds:.0f} s", file=sys.stderr)
