"""Pieces of work are joined in their order, whoever does them; who is killed at it is no pass."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.workers import Alone, Tell, Workers, as_done, cores, forked, in_order

PIECES = 12

Pieces = list[int]


def piece(number: int, tell: Tell) -> Pieces:
    tell(1)
    time.sleep(0.01 * (number % 3))  # the first is not always the first to be done
    return [number]


def nobody(done: int) -> None:
    """Is told how much is done."""


def joined(workers: Workers[Pieces], last: int = PIECES, advance: Callable[[int], object] = nobody) -> Pieces:
    found = in_order(workers, range(PIECES), lambda one, other: one + other, lambda found: last in found, advance)
    assert found is not None
    return found


@pytest.mark.parametrize("last", [0, 5, PIECES])
def test_the_same_is_found_by_one_process_and_by_several(last: int) -> None:
    expected = list(range(min(last + 1, PIECES)))
    assert joined(Alone(piece, nobody), last) == expected
    with forked(piece, PIECES, 3) as workers:
        assert joined(workers, last) == expected


def test_progress_is_told_of_all_pieces_together() -> None:
    told: list[int] = []
    with forked(piece, PIECES, 2) as workers:
        joined(workers, advance=told.append)
    assert told == sorted(told)
    assert told[-1] == PIECES
    told.clear()
    joined(Alone(piece, told.append), advance=told.append)
    assert told == sorted(told)
    assert told[-1] == PIECES


def failing(number: int, tell: Tell) -> Pieces:
    if number in (4, 9):
        raise BadInput(f"piece {number}")
    return piece(number, tell)


def test_the_first_piece_that_fails_is_told_of_and_none_that_is_not_needed() -> None:
    with pytest.raises(BadInput, match="piece 4"), forked(failing, PIECES, 3) as workers:
        joined(workers)
    with forked(failing, PIECES, 3) as workers:
        assert joined(workers, 3) == [0, 1, 2, 3]


class OddError(Exception):
    """Cannot be read by another process."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"{why} {number}")


def odd(number: int, tell: Tell) -> Pieces:
    raise OddError(number, "odd")


def test_an_error_that_cannot_be_sent_is_told_of_all_the_same() -> None:
    with pytest.raises(RuntimeError, match="OddError: odd 0") as raised, forked(odd, PIECES, 2) as workers:
        joined(workers)
    assert ", in odd" in str(raised.value.__cause__)


def killed(number: int, tell: Tell) -> Pieces:
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece(number, tell)


def test_a_worker_that_is_killed_is_no_pass() -> None:
    with pytest.raises(TargetFailed, match="was killed"), forked(killed, PIECES, 2) as workers:
        joined(workers)


def test_of_what_is_taken_as_it_is_done_nothing_is_left_running() -> None:
    assert sorted(as_done(str, range(5), 2)) == [(n, str(n)) for n in range(5)]
    slow = as_done(time.sleep, [0.01, 60.0], 2)
    assert next(slow) == (0.01, None)
    began = time.monotonic()
    slow.close()
    assert time.monotonic() - began < 30
    with pytest.raises(TargetFailed, match="was killed"):
        list(as_done(os._exit, [9], 1))


def test_a_worker_starts_no_others() -> None:
    with forked(lambda number, tell: [cores()], 1, 1) as workers:
        assert in_order(workers, range(1), lambda one, other: one, lambda found: True, nobody) == [1]


ENDED = """
import sys, time
from marginspec.base import ending, process, workers

def piece(number, tell):
    if number == 1 and sys.argv[1] == "stuck":
        time.sleep(60)
    for done in range(1, 10**6):
        time.sleep(0.01)
        try:
            tell(done)
        except ending.Ended:
            return {number: done > 10}

def verb():
    workers.SECONDS_TO_END = 1.0
    ending.end_after(1)
    with workers.forked(piece, 8, 2) as two:
        found = workers.in_order(two, range(8), lambda a, b: a | b, lambda found: False, lambda done: None)
    print({n: much for n, much in found.items() if much}, ending.ended(), flush=True)

process.run(verb)
"""


@pytest.mark.parametrize(("how", "found"), [("asked", "{0: True, 1: True}"), ("stuck", "{0: True}")])
def test_what_was_done_of_pieces_when_the_run_is_told_to_end_counts(how: str, found: str) -> None:
    done = subprocess.run([sys.executable, "-P", "-c", ENDED, how], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{found} the budget of 1 s is spent\n", "")
