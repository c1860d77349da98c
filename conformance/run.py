"""Conformance vectors of a model, found, and a proof for each path of which there is none, where one is found."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.deadline import Budget, Overdue
from marginspec.base.ending import cut_short, ended, up_to_the_end, whole
from marginspec.base.process import progress
from marginspec.base.workers import as_done, cores
from marginspec.conformance.explorer import Explorer
from marginspec.conformance.infeasibility import EFFORTS, Feasibility
from marginspec.conformance.instrument import Untraced
from marginspec.conformance.recorder import PathGap, is_whole
from marginspec.conformance.search import (
    PARTS,
    chosen,
    described,
    distinguishing,
    explored,
    is_searched,
    replayed,
    seeds,
)
from marginspec.conformance.vectors import Vector, vectors_of
from marginspec.lockstep.trace import call_document, read_call
from marginspec.model.kernel.machine import Call, Machine, actions_of, per_model
from marginspec.properties.law import Property
from marginspec.prover.cache import digest

STEPS = 30_000
"""Drawn at random in search of paths; more are aimed."""

GAP_SECONDS = (6.0, 30.0, 60.0)
"""Of processor time that each effort to prove a path impossible may take, whatever it is at."""

LOOK_SECONDS = 90.0
"""As long proofs are looked for at a time; the next run goes on with those gaps that were not come to."""

ROOMS = ("model", "base", "properties", "trial", "prover", "lockstep", "conformance")
"""Whose texts have a part in what vectors become."""


@dataclass(frozen=True)
class FoundVectors:
    """Vectors, what is known of paths from them alone, and of each gap that they leave why it cannot be closed, None if
    that is not known."""

    vectors: list[Vector]
    taken: Explorer
    gaps: Mapping[PathGap, str | None]


def searched(model: type[Machine], claims: Sequence[Property], seed: int, steps: int = STEPS) -> FoundVectors:
    """Vectors that take every path of every action that can be taken, as far as the search goes. claims: of the model.

    Two to four minutes of processor time; progress goes to standard error.
    """
    proofs = _Proofs(model, claims)
    vectors = _vectors(model, proofs, seed, steps)
    taken = whole(lambda: replayed(model, [(*vector.steps, vector.call) for vector in vectors]))
    proofs.look(taken, EFFORTS)
    return FoundVectors(vectors, taken, {gap: proofs.why.get(gap) for gap in taken.gaps()})


def coverage_document(model: type[Machine], found: FoundVectors) -> dict[str, Any]:
    """What vectors cover, of `marginspec/vectors/1`: paths, those that nothing takes, and those that are open."""
    recorder = found.taken.traced.recorder
    left = [({"action": gap.action, "path": described(recorder, gap)}, why) for gap, why in found.gaps.items()]
    infeasible = [{**row, "why": why} for row, why in left if why is not None]
    open_paths = [row for row, why in left if why is None]
    per_action = Counter(action for action, _, events in found.taken.ways if is_whole((action, 0, events)))
    return {
        "paths": {
            "covered": per_action.total(),
            "infeasible": len(infeasible),
            "open": len(open_paths),
            "by_action": {action: per_action[action] for action in actions_of(model)},
        },
        "infeasible": infeasible,
        "open": open_paths,
    }


def _vectors(model: type[Machine], proofs: _Proofs, seed: int, steps: int) -> list[Vector]:
    with progress("looking for paths", PARTS) as advance:
        explorer = explored(model, seed, steps, proofs.settled, advance, made_of(model))
    with progress("choosing vectors", len(actions_of(model))) as advance:
        found = chosen(explorer, advance, made_of(model))
    if not ended():
        found += distinguishing(model, [one.calls for one, _ in found], seed, made_of(model))
    return whole(lambda: vectors_of(model, found))


def vector_runs(model: type[Machine], claims: Sequence[Property], seed: int) -> list[list[Call]]:
    """The calls of the vectors, from genesis: all but the last of a run are accepted.

    They are kept until a text changes that has a part in them. None for a model of which no paths are told: that is
    said on standard error.
    """

    def make() -> Any:
        found = _vectors(model, _Proofs(model, claims), seed, STEPS)
        return [[call_document(call) for call in (*vector.steps, vector.call)] for vector in found]

    try:
        runs = kept("vectors", f"{made_of(model)} {seed}", make, worth=lambda _: not cut_short())
    except Untraced as problem:
        print(f"marginspec: no vectors: {problem}", file=sys.stderr)
        return []
    return [[read_call("vectors", call, model) for call in run] for run in runs]


def telling_runs(model: type[Machine], seed: int) -> list[list[Call]]:
    """Calls from genesis by which oversights show, and those that are hard to find: what a gate runs besides.

    A part of what vectors are, for a fraction of their time: seconds, and kept until a text changes. Of a model whose
    very text was searched for longer, what that found is taken, and nothing is searched.
    """
    if is_searched(model):
        return seeds(model)

    def make() -> Any:
        told = distinguishing(model, seeds(model), seed, made_of(model))
        return [[call_document(call) for call in one.calls] for one, _ in told]

    found = kept("oversights", f"{made_of(model)} {seed}", make, worth=lambda _: not ended())
    return [*seeds(model), *([read_call("oversights", call, model) for call in run] for run in found)]


@per_model
def made_of(model: type[Machine]) -> str:
    """A digest of every text that has a part in what the vectors of a model become."""
    return digest(model, {kind.__module__ for kind in model.__mro__}, ROOMS)


# --- Proofs -----------------------------------------------------------------------------------------------------------


class _Proofs:
    """What is known of gaps. why: for each that was looked at, why it cannot be closed, None if that is not known."""

    def __init__(self, model: type[Machine], claims: Sequence[Property]) -> None:
        self.why: dict[PathGap, str | None] = {}
        self._model, self._claims = model, claims
        self._efforts = dict[PathGap, int]()

    def settled(self, explorer: Explorer) -> Collection[PathGap]:
        """The gaps that soon turn out to be impossible to close."""
        self.look(explorer, EFFORTS[:1])
        return {gap for gap, why in self.why.items() if why is not None}

    def look(self, explorer: Explorer, efforts: Sequence[int]) -> None:
        """Look for proofs about all gaps of which none is known, with efforts not yet made."""
        end = time.monotonic() + LOOK_SECONDS
        for effort in efforts if not ended() else ():
            gaps = [g for g in explorer.gaps() if self.why.get(g) is None and self._efforts.get(g, -1) < effort]
            gaps.sort(key=lambda gap: len(gap.before))  # what closes a short one closes all that begin with it
            with progress("proving paths impossible", len(gaps)) as advance:
                for done, (gap, why) in enumerate(up_to_the_end(self._proved(explorer, gaps, effort)), 1):
                    self.why[gap], self._efforts[gap] = why, effort
                    advance(done)
                    if time.monotonic() > end:
                        return

    def _proved(self, explorer: Explorer, gaps: Sequence[PathGap], effort: int) -> Iterator[tuple[PathGap, str | None]]:
        """Each gap with why it cannot be closed. Workers are forked: a claim is a function and cannot be sent."""
        global _FEASIBILITY
        if not gaps:
            return
        _FEASIBILITY = Feasibility(self._model, self._claims, explorer.states())
        texts = f"{made_of(self._model)} {[claim.id for claim in self._claims]}"
        for (gap, _, _), why in as_done(_excluded, [(gap, effort, texts) for gap in gaps], cores()):
            yield gap, why


_FEASIBILITY: Feasibility


def _excluded(task: tuple[PathGap, int, str]) -> str | None:
    """Why a gap cannot be closed, or what an earlier run found of it: that no proof was found in time, too."""
    gap, effort, texts = task

    def look() -> str | None:
        # A single run on unknowns may take minutes where a model reckons much.
        with contextlib.suppress(Overdue), Budget(GAP_SECONDS[effort]).spent():
            return _FEASIBILITY.excluded(gap, effort)
        return None

    made: str | None = kept("gap", f"{texts} {effort} {gap}", look)
    return made
