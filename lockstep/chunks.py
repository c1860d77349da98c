"""A long run in chunks: short runs with seeds of their own, which any number of processes can do.

What they find is joined in their order, up to the first that ends the run. So a run is the same, finding for finding
and count for count, whoever does its chunks and whenever; and the first chunk is what a short run of the same seed is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol, Self, TypeVar

from marginspec.base.workers import Alone, Tell, Work, Workers, cores, forked, in_order
from marginspec.targets.protocol import Divisible, Target

CHUNK_STEPS = 20_000
"""Steps of a chunk: seconds, half a minute with the slowest systems. Another number is other calls in a long run."""


@dataclass(frozen=True)
class Chunk:
    """A part of a run: so many steps, drawn from a seed."""

    seed: int
    steps: int


def many_chunks(steps: int) -> int:
    """How many chunks a run of so many steps has."""
    return -(-steps // CHUNK_STEPS)


def chunk_of(steps: int, seed: int, number: int) -> Chunk:
    """A chunk of a run, by its number: it depends on the steps and the seed of the run alone."""
    digest = blake2b(f"{seed} {number}".encode(), digest_size=8).digest()
    own = int.from_bytes(digest) if number else seed
    return Chunk(own, min(CHUNK_STEPS, steps - number * CHUNK_STEPS))


class Summed(Protocol):
    """What comes of a chunk: with that of the next it is what comes of both."""

    def __add__(self, other: Self, /) -> Self: ...


P = TypeVar("P", bound=Summed)

ChunkResult = tuple[P, Any]
"""What came of chunks, and what the target saw meanwhile, see `Divisible`; None where it is none."""

Team = Callable[[Work[Any], int, Callable[[int], object]], AbstractContextManager[Workers[Any]]]
"""Makes whoever does the chunks, given what one is, how many there are, and whom to tell what is done."""


def alone(work: Work[Any], chunks: int, advance: Callable[[int], object]) -> AbstractContextManager[Workers[Any]]:
    """This process does all chunks, with the target that it has."""
    return nullcontext(Alone(work, advance))


def together(work: Work[Any], chunks: int, advance: Callable[[int], object]) -> AbstractContextManager[Workers[Any]]:
    """As many processes of this machine as it has cores, each with a copy of the target."""
    return forked(work, chunks, cores())


def of_this_machine(target: Target, chunks: int) -> Team:
    """All cores where there is more than one and the target can be copied, else this process."""
    copied = isinstance(target, Divisible) and target.forks and chunks > 1 and cores() > 1
    return together if copied else alone


def in_chunks(
    target: Target,
    steps: int,
    seed: int,
    do: Callable[[Chunk, Tell], P],
    enough: Callable[[P], bool],
    advance: Callable[[int], object] | None = None,
    team: Team | None = None,
    share: Sequence[int] | None = None,
) -> P | None:
    """Do a run, chunk by chunk, up to the first with which it is enough. None where it was told to end before.

    advance: told how many steps are done. team: `of_this_machine`, else given. share: numbers of chunks, else all.
    """
    chunks, tell = many_chunks(steps), advance or (lambda done: None)
    earlier = target.seen() if isinstance(target, Divisible) else None
    team, share = team or of_this_machine(target, chunks), range(chunks) if share is None else share
    work = functools.partial(_chunk, target, steps, seed, do)
    with team(work, chunks, tell) as workers:
        found = in_order(workers, share, _joined, lambda seen: enough(seen[0]), tell)
    if isinstance(target, Divisible):
        target.add(earlier if found is None else earlier | found[1])
    return None if found is None else found[0]


def _chunk(
    target: Target, steps: int, seed: int, do: Callable[[Chunk, Tell], P], number: int, tell: Tell
) -> ChunkResult[P]:
    part = do(chunk_of(steps, seed, number), tell)
    return part, target.seen() if isinstance(target, Divisible) else None


def _joined(one: ChunkResult[P], other: ChunkResult[P]) -> ChunkResult[P]:
    return one[0] + other[0], None if one[1] is None else one[1] | other[1]
