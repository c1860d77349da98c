"""Limits of time on code that need not end: a mutant may loop for ever."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType


class Overdue(BaseException):
    """Time is over. No `except Exception` swallows it: it says nothing of the code that took the time."""


class Budget:
    """Seconds of processor time that some blocks may take together; what happens between them is not counted."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """Raise Overdue in this block once nothing is left, and again, should something have swallowed it."""
        started = time.process_time()
        before = signal.signal(signal.SIGVTALRM, _ring)
        signal.setitimer(signal.ITIMER_VIRTUAL, max(self.left, 0.001), 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            self.left -= time.process_time() - started


def _ring(signum: int, frame: FrameType | None) -> None:
    raise Overdue
