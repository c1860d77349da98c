"""Three independent solvers, each of which reads the same SMT-LIB 2 text. `unknown` is an answer like the others."""

from __future__ import annotations

import atexit
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import z3

Z3_RESOURCES = 40_000_000


@dataclass(frozen=True)
class SolverAnswer:
    """A solver's verdict on one text: `sat`, `unsat` or `unknown`, and how long it took."""

    verdict: str
    seconds: float


def solve(solver: str, text: str, seconds: float) -> SolverAnswer:
    """Ask one of `SOLVERS`, with a fresh instance, a fixed seed and a wall clock."""
    start = time.perf_counter()
    verdict = SOLVERS[solver](text, seconds)
    return SolverAnswer(verdict, time.perf_counter() - start)


def _z3(text: str, seconds: float) -> str:
    try:
        return str(z3_solver(text, seconds).check())
    except z3.Z3Exception:  # a text that it does not read
        return "unknown"


_CONTEXTS: list[z3.Context] = []


def forget_texts() -> None:
    """Let Z3 begin with nothing: what it answers then does not depend on what it read before."""
    _CONTEXTS[:] = [z3.Context()]


def z3_solver(text: str, seconds: float) -> z3.Solver:
    """A fresh Z3 that has read a text; the caller may ask it for a model."""
    logic = re.search(r"\(set-logic (\w+)\)", text)
    if not _CONTEXTS:
        forget_texts()
    solver = z3.SolverFor(logic[1] if logic else "ALL", ctx=_CONTEXTS[0])
    solver.set("timeout", int(seconds * 1000))
    solver.set("rlimit", Z3_RESOURCES)
    solver.set("random_seed", 0)
    solver.from_string(text.replace("(check-sat)", ""))
    return solver


class _Cvc5:
    """A cvc5 process, started when first needed and anew after it had to be killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, text: str, seconds: float) -> str:
        """A portfolio of the default strategy and, for reals, the coverings strategy."""
        verdict = self._ask(text, "default", seconds / 2)
        return self._ask(text, "coverings", seconds / 2) if verdict == "unknown" and "QF_NRA" in text else verdict

    def _ask(self, text: str, strategy: str, seconds: float) -> str:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "marginspec.prover.cvc5_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            atexit.register(self._process.kill)
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        overdue = threading.Timer(2 * seconds, process.kill)
        overdue.start()
        try:
            process.stdin.write(f"{len(text)} {int(seconds * 1000)} {strategy}\n{text}")
            process.stdin.flush()
            verdict = process.stdout.readline().strip()
        except BrokenPipeError:
            verdict = ""
        finally:
            overdue.cancel()
        if not verdict:
            process.wait()
            self._process = None
        return verdict or "unknown"


def _yices(text: str, seconds: float) -> str:
    program = Path(sys.executable).with_name("yices-smt2")
    try:
        done = subprocess.run(
            [str(program)],
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return "unknown"
    answer = done.stdout.strip()
    return answer if answer in ("sat", "unsat") else "unknown"


SOLVERS: dict[str, Callable[[str, float], str]] = {"z3": _z3, "cvc5": _Cvc5(), "yices": _yices}
