"""A solver has so much processor time; what it is told of one text changes nothing of the next."""

import threading

import pytest

from marginspec.prover import solvers

HARD = """(set-logic QF_NIA)
(declare-fun x () Int) (declare-fun y () Int) (declare-fun z () Int)
(assert (= (+ (* x x x) (* y y y) (* z z z)) 114)) (assert (> x 100000000))
(check-sat)"""
"""Whether 114 is a sum of three cubes is not known to anybody."""

EASY = "(set-logic QF_NIA) (declare-fun x () Int) (assert (= (* x x) 49)) (check-sat)"


@pytest.mark.parametrize("solver", solvers.SOLVERS)
def test_what_takes_too_long_is_unknown_and_does_not_end_the_next(solver: str) -> None:
    for _ in range(3):
        assert solvers.solve(solver, HARD, 0.05).verdict == "unknown"
        assert solvers.solve(solver, EASY, 30.0).verdict == "sat"


def test_time_that_a_solver_did_not_have_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, ended, had = threading.Semaphore(0), threading.Event(), 0.0

    def clock(_: int) -> float:
        looked.release()
        return had

    monkeypatch.setattr(solvers, "_time_of", clock)
    monkeypatch.setattr(solvers, "LOADED", 1e6)
    overdue = solvers._Overdue(0, ended.set, 0.001)
    for _ in range(5):
        assert looked.acquire(timeout=60)
    assert not ended.is_set()
    had = 1.0
    assert ended.wait(timeout=60)
    overdue.cancel()


def test_what_is_cancelled_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    had, ended = 0.0, threading.Event()
    monkeypatch.setattr(solvers, "_time_of", lambda _: had)
    overdue = solvers._Overdue(0, ended.set, 0.001)
    overdue.cancel()
    had = 1.0
    overdue._look()
    assert not ended.is_set()
