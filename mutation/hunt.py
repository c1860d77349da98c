"""The planted bugs of a system, hunted: by the lock-step run, by the laws alone and by the conformance vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from marginspec.base.ending import ended, until_ended
from marginspec.base.workers import as_done
from marginspec.model.kernel.machine import Call
from marginspec.mutation.planted import Bug, Hunt, noticed

Vectors = Sequence[Sequence[Call]]
"""The calls of the conformance vectors, from genesis."""


def hunted(bugs: Sequence[Bug], steps: int, watched: int, seed: int, workers: int, vectors: Vectors) -> Iterator[Hunt]:
    """What comes of each bug, in the order in which that is known."""
    notice = functools.partial(noticed, steps=steps, watched=watched, seed=seed, vectors=vectors)
    yield from (hunt for _, hunt in as_done(notice, bugs, workers))


def bugs_document(bugs: Sequence[Bug], hunts: Sequence[Hunt]) -> list[dict[str, Any]]:
    """An entry for each bug that was hunted, in the order of their file: who noticed it, when, and by what."""
    of = {each.bug.id: each for each in hunts}
    return [_entry(of[bug.id]) for bug in bugs if bug.id in of]


def _entry(found: Hunt) -> dict[str, Any]:
    bug = found.bug
    seen = found.vector if found.vector is not None and found.found_after is None else found.key
    return {
        "id": bug.id,
        "rule": bug.rule,
        "file": bug.file,
        "incident": bug.incident,
        "why": bug.why,
        "killed_by": [
            *(["differential"] if found.found_after is not None else []),
            *(["vector"] if found.vector is not None else []),
            *found.laws,
        ],
        "found_after": found.found_after,
        "trace_length": found.shortest,
        "divergence": dict(zip(("rule", "field"), seen, strict=True)),
        "laws": list(found.laws),
        "laws_after": found.laws_after,
        "passed": found.passed,
    }


def planted_summary(hunts: Sequence[Hunt]) -> dict[str, int]:
    """How many bugs there are, and how many were noticed: by anything, by the lock-step run, by the vectors, by
    the laws alone."""
    return {
        "planted": len(hunts),
        "planted_killed": sum(each.killed for each in hunts),
        "planted_killed_by_differential": sum(each.found_after is not None for each in hunts),
        "planted_killed_by_vectors": sum(each.vector is not None for each in hunts),
        "planted_killed_by_laws": sum(bool(each.laws) for each in hunts),
    }


def with_planted(
    document: dict[str, Any],
    bugs: Sequence[Bug],
    steps: int,
    vectors: Vectors,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The same document with the bugs planted in the implementation: who notices each, of whom at most `steps` steps.

    The lock-step run is one; the laws are another, by themselves on what the implementation shows. A run that is told
    to end says so in `ended`, and lists those that it came to.
    """
    hunts = list[Hunt]()

    def hunt() -> None:
        for each in hunted(bugs, steps, steps, document["seed"], workers, vectors):
            hunts.append(each)
            if on_progress is not None:
                on_progress(len(hunts), len(bugs))

    until_ended(hunt)
    summary = {**document["summary"], **planted_summary(hunts)}
    early = {"ended": ended()} if ended() else {}
    return {**document, "planted": bugs_document(bugs, hunts), "summary": summary, **early}
