"""How a run is told to end before it is done: by SIGINT or SIGTERM, or because its budget of time is spent.

What was found until then is told all the same, by whoever works in `until_ended` or takes `up_to_the_end`. And how
what was started ends with this process, even if that is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import InvalidStateError
from types import FrameType
from typing import ClassVar, TypeVar

T = TypeVar("T")

SECONDS_TO_INSIST = 1.0
"""A signal so much later than the first ends the process at once; `timeout` and others send the same one twice."""

A_MOMENT = 0.01
"""Seconds."""


class Ended(KeyboardInterrupt):
    """The run is to end. A KeyboardInterrupt for any signal: Hypothesis takes a SystemExit for a failing example."""


class _HalfSpent(Ended):
    """Half of what was left of the budget is spent: what is being done is left, and the run goes on."""


def leave_workers() -> None:
    """A pool of workers would otherwise finish all that it was given first."""
    for worker in multiprocessing.active_children():
        worker.kill()


class _Told:
    """What this process was told, and what becomes of its workers then."""

    why, code, at, answered, cut, budget = "", 0, 0.0, False, "", 0
    stop_workers: ClassVar[Callable[[], object]] = leave_workers


_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Loaded here: between fork and exec little is allowed."""


def listen() -> None:
    """Raise `Ended` where the main thread is when a signal tells to end; once more ends the process at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    # A pool's workers do not notice that the process that started them was killed.
    os.register_at_fork(after_in_child=end_with_parent)
    threading.excepthook = _of_no_killed_pool


def _of_no_killed_pool(failed: threading.ExceptHookArgs) -> None:
    """Show what went wrong in a thread, but for a pool's own that finds work cancelled whose workers were killed."""
    if failed.exc_type is not InvalidStateError:
        threading.__excepthook__(failed)


def end_with_parent() -> None:
    """Have this process killed when the thread that started it ends, however that is; on Linux alone.

    For `preexec_fn`: a program that is computing does not notice that nobody reads its answer any more.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end_group_with_this(group: int) -> subprocess.Popen[bytes]:
    """Have a group of processes killed when this process ends, however that is.

    Whoever ends the group ends what this returns first, by `kill`.
    """
    watch = ["/bin/sh", "-c", 'read -r _; kill -9 "-$0"', str(group)]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(watch, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True)


def end_after(seconds: int) -> None:
    """Raise `Ended` so many seconds from now."""
    _Told.budget = seconds
    signal.signal(signal.SIGALRM, functools.partial(_spent, seconds))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def end(why: str) -> None:
    """Raise `Ended` here and now. why: in words."""
    if not _Told.why:
        _Told.stop_workers()
        _Told.why = why
        raise Ended


def until_half(work: Callable[[], object]) -> None:
    """Do something up to where half of what is left of the budget is spent, if there is one; the other half is for what
    comes after. Nothing if the run was already told to end."""
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    until = time.monotonic() + left
    if not left or _Told.why:
        until_ended(work)
        return
    whole = signal.signal(signal.SIGALRM, _half_spent)
    signal.setitimer(signal.ITIMER_REAL, left / 2)
    try:
        work()
    except Ended as end:
        _Told.answered = not isinstance(end, _HalfSpent)
        _Told.cut = f"half of what was left of the budget, {left / 2:.0f} s, was spent before all was found"
    finally:
        signal.signal(signal.SIGALRM, whole)
        signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), A_MOMENT))


def whole(work: Callable[[], T]) -> T:
    """Return what some short work does, which no budget cuts short: one that is spent meanwhile ends the run then."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    until = time.monotonic() + left
    try:
        return work()
    finally:
        rest = until - time.monotonic()
        if left and rest > A_MOMENT:
            signal.setitimer(signal.ITIMER_REAL, rest)
        elif left and not _Told.why:
            _Told.why, _Told.answered = f"the budget of {_Told.budget} s is spent", True


def ended() -> str:
    """Why the run was told to end, in words; empty where it was not."""
    return _Told.why


def cut_short() -> str:
    """Why something was left out, in words: the run was told to end, or half of its budget was spent; empty if not."""
    return _Told.why or _Told.cut


def unanswered() -> bool:
    """Whether the run was told to end where nothing was found that could be told."""
    return bool(_Told.why) and not _Told.answered


def signal_code() -> int:
    """128 and the number of the signal that told to end, as shells count; 0 where none did."""
    return _Told.code


def until_ended(work: Callable[[], object]) -> None:
    """Do something up to where the run is told to end; nothing if it was already."""
    if not _Told.why:
        try:
            work()
        except Ended as end:
            _take_note(end)


def up_to_the_end(items: Iterator[T]) -> Iterator[T]:
    """What an iterator gives until the run is told to end."""
    if not _Told.why:
        try:
            yield from items
        except Ended as end:
            _take_note(end)


def _take_note(end: Ended) -> None:
    """Something was found until the run was told to end. Raises again where only half of the budget is spent."""
    if isinstance(end, _HalfSpent):
        raise end
    _Told.answered = True


def _end(number: int, frame: FrameType | None) -> None:
    if multiprocessing.parent_process() is not None:
        return  # a worker: its parent, which has the signal too, ends it
    if _Told.code and time.monotonic() - _Told.at < SECONDS_TO_INSIST:
        return
    if _Told.code:
        leave_workers()
        os._exit(128 + number)
    _Told.stop_workers()
    spent, _Told.code, _Told.at = _Told.why, 128 + number, time.monotonic()
    _Told.why = f"interrupted by {signal.Signals(number).name}"
    if not spent:
        _leave(number, frame)


def _spent(seconds: int, number: int, frame: FrameType | None) -> None:
    if not _Told.why:
        _Told.stop_workers()
        _Told.why = f"the budget of {seconds} s is spent"
        _leave(number, frame)


def _half_spent(number: int, frame: FrameType | None) -> None:
    """Leave what is being done, though the run is not told to end."""
    _Told.stop_workers()
    _leave(number, frame, _HalfSpent)


def _leave(number: int, frame: FrameType | None, how: type[Ended] = Ended) -> None:
    """Raise `Ended`; a moment later where Python would ignore it: in what is called as memory is collected."""
    names = {each.f_code.co_name for each, _ in traceback.walk_stack(frame)} if frame is not None else set()
    if names & {"gc_callback", "__del__"}:
        signal.signal(signal.SIGALRM, functools.partial(_leave, how=how))
        signal.setitimer(signal.ITIMER_REAL, A_MOMENT)
    else:
        raise how


@contextlib.contextmanager
def asking(ask: Callable[[], object]) -> Iterator[None]:
    """Have workers asked to end when the run is told to, where they would be killed otherwise."""
    _Told.stop_workers = ask
    try:
        yield
    finally:
        _Told.stop_workers = leave_workers
