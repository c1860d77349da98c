"""Three independent solvers, each of which reads the same SMT-LIB 2 text. `unknown` is an answer like the others.

Their limits are of processor time, not of time that passes: a machine that has other work too gives the same answers,
later.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import z3

from marginspec.base.ending import end_with_parent

Z3_RESOURCES = 40_000_000

LOADED = 20
"""So many times a limit may pass on a machine that has other work."""


@dataclass(frozen=True)
class SolverAnswer:
    """A solver's verdict on one text: `sat`, `unsat` or `unknown`, and how long it took."""

    verdict: str
    seconds: float


def solve(solver: str, text: str, seconds: float) -> SolverAnswer:
    """Ask one of `SOLVERS`, with a fresh instance and a fixed seed. seconds: of a processor of its own."""
    start = time.perf_counter()
    verdict = SOLVERS[solver](text, seconds)
    return SolverAnswer(verdict, time.perf_counter() - start)


def _z3(text: str, seconds: float) -> str:
    try:
        return str(checked(z3_solver(text), seconds))
    except z3.Z3Exception:  # a text that it does not read
        return "unknown"


def checked(solver: z3.Solver, seconds: float) -> z3.CheckSatResult:
    """What Z3 answers, within so many seconds of a processor."""
    overdue = _Overdue(time.pthread_getcpuclockid(threading.get_ident()), solver.ctx.interrupt, seconds)
    try:
        return solver.check()
    finally:
        overdue.cancel()


_CONTEXTS: list[z3.Context] = []


def forget_texts() -> None:
    """Let Z3 begin with nothing: what it answers then does not depend on what it read before."""
    _CONTEXTS[:] = [z3.Context()]


def z3_solver(text: str) -> z3.Solver:
    """A fresh Z3 that has read a text; the caller may ask it for a model."""
    logic = re.search(r"\(set-logic (\w+)\)", text)
    if not _CONTEXTS:
        forget_texts()
    solver = z3.SolverFor(logic[1] if logic else "ALL", ctx=_CONTEXTS[0])
    solver.set("rlimit", Z3_RESOURCES)
    solver.set("random_seed", 0)
    solver.from_string(text.replace("(check-sat)", ""))
    return solver


class _Overdue:
    """Ends what has taken so many seconds of a processor, by its clock, unless it is cancelled."""

    def __init__(self, clock: int, end: Callable[[], None], seconds: float) -> None:
        self._clock, self._end, self._lock, self._over = clock, end, threading.Lock(), False
        self._until = _time_of(clock) + seconds
        self._latest = time.monotonic() + seconds * LOADED
        self._look_after(seconds)

    def cancel(self) -> None:
        with self._lock:
            self._over = True
        self._timer.cancel()

    def _look_after(self, seconds: float) -> None:
        self._timer = threading.Timer(max(seconds, 0.01), self._look)
        self._timer.start()

    def _look(self) -> None:
        with self._lock:
            if self._over:
                return
            left = min(self._until - _time_of(self._clock), self._latest - time.monotonic())
            if left <= 0:
                self._end()
            else:
                self._look_after(left)


def _time_of(clock: int) -> float:
    """Seconds that a clock has counted; of time that passes, where the system has no such clock."""
    try:
        return time.clock_gettime(clock)
    except OSError:
        return time.monotonic()


class _Process:
    """A program that answers one text after the other, started when first needed and anew after it had to be killed.

    What it says of a text ends with a line `end`.
    """

    def __init__(self, *command: str) -> None:
        self._command = command
        self._running: subprocess.Popen[str] | None = None
        os.register_at_fork(after_in_child=self._leave)

    def _leave(self) -> None:
        """Begin anew: two processes that ask the same one would take each other's answers."""
        self._left, self._running = self._running, None

    def ask(self, text: str, seconds: float) -> str:
        """`sat` or `unsat`; `unknown` where it says anything else or more, or nothing within so much processor time."""
        if self._running is None:
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                preexec_fn=end_with_parent,
            )
            atexit.register(self._running.kill)
        process = self._running
        assert process.stdin is not None and process.stdout is not None
        clock = (~process.pid << 3) | 2  # Linux's number for the processor time of a process
        overdue = _Overdue(clock, process.kill, seconds)
        said: list[str] = []
        try:
            process.stdin.write(text)
            process.stdin.flush()
            while said[-1:] != ["end"] and (line := process.stdout.readline()):
                said.append(line.strip())
        except BrokenPipeError:
            pass
        finally:
            overdue.cancel()
        if said[-1:] != ["end"]:
            self._running = None
            with contextlib.suppress(BrokenPipeError), process:
                process.kill()
        return said[0] if said in (["sat", "end"], ["unsat", "end"]) else "unknown"


_CVC5 = _Process(sys.executable, "-m", "marginspec.prover.cvc5_worker")


def _cvc5(text: str, seconds: float) -> str:
    """A portfolio of the default strategy and, for reals, the coverings strategy."""
    verdict = _cvc5_by("default", text, seconds / 2)
    return _cvc5_by("coverings", text, seconds / 2) if verdict == "unknown" and "QF_NRA" in text else verdict


def _cvc5_by(strategy: str, text: str, seconds: float) -> str:
    # It keeps to its limit by itself, mostly.
    return _CVC5.ask(f"{len(text)} {int(seconds * 1000)} {strategy}\n{text}", 3 * seconds)


# It takes longer to start than for most texts.
_YICES = _Process(str(Path(sys.executable).with_name("yices-smt2")), "--incremental")


def _yices(text: str, seconds: float) -> str:
    return _YICES.ask(f'{text}\n(reset)\n(echo "end")\n', seconds)


SOLVERS: dict[str, Callable[[str, float], str]] = {"z3": _z3, "cvc5": _cvc5, "yices": _yices}
