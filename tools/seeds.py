"""What a search may miss, added to the seeds that it begins with; to be run again when a model's text has changed.

`python -m tools.seeds SYSTEM [FOLDER]` looks for what tells oversights for minutes, so that no gate of a shipped
system need search. FOLDER: with vectors of a search that was longer, for paths; what several short runs all find need
not be kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from marginspec.base.files import write_whole
from marginspec.base.process import run
from marginspec.conformance.distinguish import Distinguisher
from marginspec.conformance.explorer import Explorer, PathWitness
from marginspec.conformance.recorder import Path as Taken
from marginspec.conformance.recorder import Way, is_whole
from marginspec.conformance.search import replayed, searched_text, seeds, seeds_file
from marginspec.conformance.selection import Calls, Goal, Selector
from marginspec.conformance.vectors import read
from marginspec.lockstep.trace import call_document
from marginspec.model.kernel.machine import Machine
from marginspec.systems.registry import system

RUNS, STEPS = (5, 6, 7), 5000

SEARCHES, LONG = (11, 12, 13), 5_000
"""Seeds of the searches for what tells oversights, and their steps for each action: a few minutes."""


def missing(model: type[Machine], known: Explorer) -> list[Calls]:
    """Few short calls that take all that is known of a model's paths, not found soon and not taken by its seeds."""
    soon = set.intersection(*(_found(model, seed) for seed in RUNS))
    recorder, selector = known.traced.recorder, Selector(known)
    left = {way for way in known.ways - soon - replayed(model, seeds(model)).ways if is_whole(way)}
    witnesses: dict[int, PathWitness] = {w.number: w for several in known.found.values() for w in several}
    chosen = []

    def new(witness: PathWitness) -> dict[Way, Taken]:
        return {way: path for path in witness.paths if (way := recorder.way(path)) in left}

    while left:
        best = max(witnesses.values(), key=lambda witness: len(new(witness)) / (witness.state.depth + 5))
        goal = new(best)
        chosen.append(selector.shortened(best.calls(), Goal(frozenset(goal.values()), {})))
        left -= goal.keys()
    return chosen


def telling(model: type[Machine], known: list[Calls]) -> list[Calls]:
    """Few short calls that tell oversights which known ones do not."""
    told: list[Calls] = []
    for seed in SEARCHES:
        search = Distinguisher(model, [*known, *told])
        for action in search.actions():
            told += (calls for calls, _ in search.search(action, seed, LONG))
    return list({repr(calls): calls for calls in told}.values())


def _found(model: type[Machine], seed: int) -> set[Way]:
    explorer = Explorer(model, seed)
    explorer.wander(STEPS)
    return explorer.ways


def main() -> None:
    """Write the seeds of a system, old and new."""
    name, *folders = sys.argv[1:]
    model = system(name).model
    kept = [*map(tuple, seeds(model))]
    for folder in folders:
        known = Explorer(model, 1)
        for vector in read(Path(folder), model):
            known.add([*vector.steps, vector.call])
        kept += missing(model, known)
    kept += telling(model, kept)
    lines = ",\n".join(json.dumps([call_document(c) for c in calls], separators=(",", ":")) for calls in kept)
    text = f'{{"searched":"{searched_text(model)}",\n"runs":[\n{lines}\n]}}\n'
    write_whole(seeds_file(model), text)


if __name__ == "__main__":
    run(main)
