"""Work shared by processes, as it is done or in order.

Workers are forked and know the work from before: a model, a law or a chain in memory cannot be sent to them.
"""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar

from marginspec.base.ending import Ended, asking, ended, leave_workers, until_ended
from marginspec.base.errors import TargetFailed

N = TypeVar("N")
T = TypeVar("T")

SECONDS_TO_LOOK = 1.0
"""Seconds after which progress is told again while a piece is waited for."""

SECONDS_TO_END = 10.0
"""As long those that were asked to end may take for it; what they had done until then counts."""

AHEAD = 4
"""Pieces handed out for each worker at a time: as long nobody waits for one that takes longer."""

Tell = Callable[[int], None]
"""Told by a piece of work how much of it is done. Raises `Ended` where the work is to end."""

Work = Callable[[int, Tell], T]
"""What comes of the piece with a number."""


def cores() -> int:
    """How many processes this one may well start; a worker itself starts none."""
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Protocol[T]):
    """Whoever works on pieces."""

    def ahead(self) -> int:
        """How many pieces may be handed out at a time."""

    def submit(self, number: int) -> Future[T]:
        """Hand out a piece."""

    def done(self) -> int:
        """How much is done, in the unit of `Tell`, of pieces that are not finished too."""

    def end(self) -> None:
        """Ask those that work to end."""


def in_order(
    workers: Workers[T],
    pieces: Sequence[int],
    join: Callable[[T, T], T],
    enough: Callable[[T], bool],
    advance: Callable[[int], object],
) -> T | None:
    """Join what comes of pieces, given by their numbers, in this order, up to the first that is enough.

    Whoever is done with what first, the same is joined. None where nothing came of any. Where the run is told to end,
    what came of pieces until then is joined all the same.
    advance: told how much is done. Raises what the first piece that fails does.
    """
    running: dict[int, Future[T]] = {}
    state: tuple[int, T | None] = 0, None  # in one piece: `Ended` may be raised between any two steps

    def take(number: int, future: Future[T]) -> None:
        nonlocal state
        result = future.result()
        state = state[0] + 1, result if state[1] is None else join(state[1], result)
        running.pop(number, None)

    def is_enough() -> bool:
        return state[1] is not None and enough(state[1])

    def work() -> None:
        while state[0] < len(pieces) and not is_enough() and not ended():
            number = pieces[state[0]]
            for n in pieces[state[0] : state[0] + workers.ahead()]:
                if n not in running:
                    running[n] = workers.submit(n)
            while not wait([running[number]], SECONDS_TO_LOOK).done:
                advance(workers.done())
            take(number, running[number])
            advance(workers.done())

    until_ended(work)
    workers.end()
    if ended():
        waiting = {n: running[n] for n in pieces[state[0] :] if n in running}
        done = wait(waiting.values(), SECONDS_TO_END).done
        for number, future in waiting.items():
            if future in done and not future.cancelled() and future.exception() is None and not is_enough():
                take(number, future)
    return state[1]


class Alone(Workers[T]):
    """This process, one piece after the other."""

    def __init__(self, work: Work[T], advance: Callable[[int], object]) -> None:
        self._work, self._advance = work, advance
        self._before = self._done = 0

    def ahead(self) -> int:
        return 1

    def submit(self, number: int) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(self._work(number, self._tell))
        self._before = self._done
        return future

    def done(self) -> int:
        return self._done

    def end(self) -> None:
        return None

    def _tell(self, done: int) -> None:
        self._done = self._before + done
        self._advance(self._done)


class Forked(Workers[T]):
    """Processes of this machine, for which see `forked`."""

    def __init__(self, pool: ProcessPoolExecutor, many: int, board: _Board) -> None:
        self._pool, self._many, self._board = pool, many, board

    def ahead(self) -> int:
        return AHEAD * self._many

    def submit(self, number: int) -> Future[T]:
        return self._pool.submit(_nth, number)

    def done(self) -> int:
        return self._board.done()

    def end(self) -> None:
        self._board.end()


@contextlib.contextmanager
def forked(work: Work[T], pieces: int, many: int) -> Iterator[Forked[T]]:
    """So many processes of this machine, none of which is left running, whatever happens.

    Raises TargetFailed where one of them is killed: what came of its piece is not known, and no pass.
    """
    global _WORK
    board = _Board(pieces)
    _WORK = work, board
    with _pool(min(many, pieces)) as pool, asking(board.end):
        yield Forked(pool, many, board)


def as_done(
    work: Callable[[N], T], inputs: Iterable[N], many: int, prepare: Callable[[], object] | None = None
) -> Iterator[tuple[N, T]]:
    """Inputs with what comes of them, as they are done, by so many processes; the first of them are begun first.

    prepare: called in each process before. Where the run is told to end, what is not done is lost. Raises what the work
    does, and TargetFailed where a process is killed.
    """
    with _pool(many, prepare) as pool:
        running = {pool.submit(work, each): each for each in inputs}
        for done in as_completed(running):
            yield running[done], done.result()


@contextlib.contextmanager
def _pool(many: int, prepare: Callable[[], object] | None = None) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(many, multiprocessing.get_context("fork"), prepare)
    try:
        yield pool
    except BrokenProcessPool as broken:
        if ended():
            raise Ended from None
        if broken.__cause__ is not None:  # none was killed: one answered with what cannot be read
            raise
        raise TargetFailed(
            "a process that took part in this run was killed, perhaps for want of memory; no verdict"
        ) from None
    finally:
        leave_workers()
        pool.shutdown(cancel_futures=True)


class _Board:
    """Memory that forked processes share: how much of each piece is done, and whether they are to end."""

    def __init__(self, pieces: int) -> None:
        self._cells = memoryview(mmap.mmap(-1, 8 * (pieces + 1))).cast("q")

    def done(self) -> int:
        return sum(self._cells[:-1])

    def end(self) -> None:
        self._cells[-1] = 1

    def tell(self, number: int, done: int) -> None:
        self._cells[number] = done
        if self._cells[-1]:
            raise Ended


_WORK: tuple[Work[Any], _Board]


def _nth(number: int) -> Any:
    work, board = _WORK
    board.tell(number, 0)
    try:
        return work(number, lambda done: board.tell(number, done))
    except Exception as error:
        if _can_be_sent(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _can_be_sent(error: Exception) -> bool:
    """Whether another process can read an error; one with a constructor of its own it may not."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True
