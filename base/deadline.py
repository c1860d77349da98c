"""Limits of time on code that need not end: a mutant may loop for ever."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType


class Overdue(BaseException):
    """Time is over. No `except Exception` swallows it: it says nothing of the code that took the time."""


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise Overdue in this block once its time is over, and again, should something have swallowed it."""
    with _alarm(signal.ITIMER_REAL, signal.SIGALRM, seconds):
        yield


class Budget:
    """Seconds of processor time that some blocks may take together; what happens between them is not counted."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """Raise Overdue in this block once nothing is left."""
        started = time.process_time()
        try:
            with _alarm(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, max(self.left, 0.001)):
                yield
        finally:
            self.left -= time.process_time() - started


@contextlib.contextmanager
def _alarm(timer: int, number: signal.Signals, seconds: float) -> Iterator[None]:
    def ring(signum: int, frame: FrameType | None) -> None:
        raise Overdue

    before = signal.signal(number, ring)
    signal.setitimer(timer, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)
