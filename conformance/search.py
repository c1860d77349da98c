"""The vectors of a model, found in several processes: what is known is shared between rounds, then chosen from.

The work is cut into parts that do not depend on how many processes there are, so that a seed gives the same vectors
everywhere.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import json
import multiprocessing
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import until_ended, until_half, up_to_the_end, whole
from marginspec.base.process import progress
from marginspec.base.workers import cores
from marginspec.conformance.directed import Aimer
from marginspec.conformance.distinguish import Distinguisher
from marginspec.conformance.explorer import Explorer
from marginspec.conformance.recorder import CALLED, REST, PathGap, Recorder, Way
from marginspec.conformance.selection import Calls, Chosen, Selector
from marginspec.lockstep.model_source import modules_of
from marginspec.lockstep.trace import call_document, read_call
from marginspec.model.kernel.machine import Call, Machine, actions_of

SHARDS = 2
ROUNDS = 3

OVERLOOKED = 2_000
"""Steps at random in search of calls that tell an oversight, of each action."""

PASSES = 1_000
"""What a search may cost for each of its steps at random: so many passes through functions. Most models need a tenth of
it; one that reckons curves, or has many accounts to go through, gets as far as that."""

CHOOSING = 4_000_000
"""Passes that it may cost to shorten the calls of an action that take a path; beyond half of it, calls that show no
more than a choice are left out. As much again is for boundaries."""

AIMED = 3
"""How many calls of each round are aimed, for each that a round takes at random."""

Advance = Callable[[int], object]
"""Progress: how many of `PARTS` are done."""

PARTS = SHARDS * (1 + ROUNDS)

SEEDS = Path(__file__).with_name("seeds")

_KNOWN: Explorer


def explored(
    model: type[Machine],
    seed: int,
    steps: int,
    settled: Callable[[Explorer], Collection[PathGap]],
    advance: Advance,
    texts: str,
) -> Explorer:
    """Return what is known of a model's paths after `steps` steps at random, and as many aimed ones.

    settled: gaps that need not be looked for, because they cannot be closed; asked before each round that aims. texts:
    a digest of all that has a part in it: each part is kept under it, so that a run that was ended goes on there. Less
    is known where half of the budget is spent: the other half is for choosing.
    """
    known = whole(lambda: replayed(model, seeds(model), seed))

    def search() -> None:
        done = 0
        for number in range(1 + ROUNDS):
            impossible = settled(known) if number else ()
            gaps = [gap for gap in known.gaps() if gap not in impossible] if number else []
            tasks = [(seed * 1000 + number * SHARDS + shard, shard, steps // SHARDS, gaps) for shard in range(SHARDS)]
            for found in _apart(known, _wandered if number == 0 else _aimed, tasks, texts):
                for calls in found:
                    known.add(calls)
                done += 1
                advance(done)
        aimer = Aimer(known)
        known.within(PASSES * steps, [functools.partial(aimer.borrow, gap) for gap in known.gaps()])

    until_half(search)
    return known


def seeds(model: type[Machine]) -> list[list[Call]]:
    """Calls that are hard to find, kept from longer searches and planted bugs; none for a model that has none kept."""
    return [[read_call(seeds_file(model).name, call, model) for call in calls] for calls in _kept_of(model)["runs"]]


def seeds_file(model: type[Machine]) -> Path:
    """Where the seeds of a model are kept, if it has any: the runs, and the digest of the text last searched."""
    return SEEDS / f"{model.system}.json"


def is_searched(model: type[Machine]) -> bool:
    """Whether a longer search than a gate's was made of this very text of a model, for calls that tell oversights."""
    return bool(_kept_of(model)["searched"] == searched_text(model))


def searched_text(model: type[Machine]) -> str:
    """A digest of a model's own text, in hexadecimal, which is all that decides what can be overlooked in it."""
    found = hashlib.sha256(f"{model.__module__}.{model.__qualname__}".encode())
    for module in sorted(modules_of(model), key=lambda module: module.__name__):
        found.update(module.__name__.encode() + b"\0" + inspect.getsource(module).encode() + b"\0")
    return found.hexdigest()


def _kept_of(model: type[Machine]) -> Any:
    path = seeds_file(model)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"searched": "", "runs": []}


def _wandered(task: tuple[int, int, int, list[PathGap]]) -> list[list[Call]]:
    seed, _, steps, _ = task
    known, before = _KNOWN.reseeded(seed), _KNOWN.number
    known.within(PASSES * steps, [functools.partial(known.wander, steps)])
    return known.news(before)


def _aimed(task: tuple[int, int, int, list[PathGap]]) -> list[list[Call]]:
    seed, shard, steps, gaps = task
    known, before = _KNOWN.reseeded(seed), _KNOWN.number
    aimer = Aimer(known)
    blunt = [functools.partial(aimer.sharpen, *decision) for decision in aimer.blunt()[shard::SHARDS]]
    known.within(PASSES * steps // 2, blunt)
    effort = AIMED * steps // max(len(gaps), 1)
    known.within(PASSES * steps // 2, [functools.partial(aimer.aim, gap, effort) for gap in gaps[shard::SHARDS]])
    return known.news(before)


def _apart(
    known: Explorer, work: Callable[[Any], list[list[Call]]], tasks: Sequence[Any], texts: str
) -> Iterator[list[list[Call]]]:
    """Results in the order of tasks, each of which has a process of its own: it changes what is known there."""
    global _KNOWN
    _KNOWN = known
    with contextlib.ExitStack() as stack:
        fork = multiprocessing.get_context("fork")
        pools = [stack.enter_context(ProcessPoolExecutor(1, fork)) for _ in tasks]
        for result in [pool.submit(_made, work, task, texts) for pool, task in zip(pools, tasks, strict=True)]:
            yield result.result()


def _made(work: Callable[[Any], list[list[Call]]], task: Any, texts: str) -> list[list[Call]]:
    """What a task finds, or found in an earlier run of the same: what it knew before is in what it is asked."""
    asked = json.dumps([_digest(texts, _KNOWN.news(0)), work.__name__, repr(task)])
    found = kept("paths", asked, lambda: [_documents(calls) for calls in work(task)])
    return [list(_calls(calls)) for calls in found]


def _in_parallel(known: Explorer, work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
    """Results in the order of tasks that change nothing."""
    global _KNOWN
    _KNOWN = known
    with ProcessPoolExecutor(cores(), multiprocessing.get_context("fork")) as pool:
        yield from pool.map(work, tasks)


# --- Choosing ---------------------------------------------------------------------------------------------------------


def chosen(known: Explorer, advance: Callable[[int], object], texts: str) -> list[tuple[Chosen, str]]:
    """Return the calls that become vectors, each with what it shows; those of some actions where the run is to end.

    advance: told how many actions are done. texts: as of `explored`; what is chosen for each action is kept.
    """
    asked = _digest(texts, known.news(0))
    infos = actions_of(known.model)
    # What a run draws most often is chosen for first: the world's actions, and what only asks, can wait.
    first = sorted(infos.values(), key=lambda info: (info.environment, -info.weight))
    parts: dict[str, tuple[list[tuple[Chosen, str]], list[Calls]]] = {}

    def choose() -> None:
        work = _in_parallel(known, _chosen, [(info.name, asked) for info in first])
        for number, (info, part) in enumerate(zip(first, work, strict=True), 1):
            parts[info.name] = part
            advance(number)

    until_ended(choose)
    found = [one for name in infos for one in parts.get(name, ([], []))[0]]
    found += [(Chosen(tuple(calls)), "kept: hard to find") for calls in seeds(known.model)]
    if len(parts) == len(infos):
        short = [calls for name in infos for calls in parts[name][1]]
        found += [
            (one, f"accepted right after {one.after}") for one in up_to_the_end(Selector(known).undisturbed(short))
        ]
    return found


def _chosen(task: tuple[str, str]) -> tuple[list[tuple[Chosen, str]], list[Calls]]:
    """What is chosen for an action, or was in an earlier run that knew the same; and calls for what it is worth."""
    action, asked = task

    def make() -> Any:
        found, short = _chosen_now(action)
        return [
            [[_documents(one.calls), one.decision, one.side, shows] for one, shows in found],
            [_documents(calls) for calls in short],
        ]

    found, short = kept("chosen", json.dumps([asked, action]), make)
    return (
        [(Chosen(_calls(calls), decision, side), shows) for calls, decision, side, shows in found],
        [_calls(calls) for calls in short],
    )


def _documents(calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [call_document(call) for call in calls]


def _calls(documents: Sequence[dict[str, Any]]) -> Calls:
    return tuple(read_call("kept", call, _KNOWN.model) for call in documents)


def _digest(texts: str, known: Sequence[Sequence[Call]]) -> str:
    """What stands for some texts and calls."""
    return json.dumps([texts, hashlib.sha256(json.dumps([_documents(calls) for calls in known]).encode()).hexdigest()])


def _chosen_now(action: str) -> tuple[list[tuple[Chosen, str]], list[Calls]]:
    selector, recorder = Selector(_KNOWN), _KNOWN.traced.recorder
    found, short, begin = [], list[Calls](), recorder.passes
    for witness, goal in selector.goals(action):
        spent = recorder.passes - begin
        if spent > CHOOSING or (spent > CHOOSING // 2 and not goal.paths):
            continue
        calls = selector.shortened(witness.calls(), goal)
        short.append(calls)
        found.append((Chosen(calls), _shown(recorder, witness.call.action, goal)))
    for one in selector.boundaries(short):
        if recorder.passes - begin > 2 * CHOOSING:
            break
        assert one.decision is not None
        spot = recorder.spots[one.decision]
        found.append(
            (one, f"{'at' if one.side == 0 else f'{one.side:+} from'} the boundary of `{spot.text}` in {spot.function}")
        )
    return found, short


def distinguishing(
    model: type[Machine], known: Sequence[Sequence[Call]], seed: int, texts: str
) -> list[tuple[Chosen, str]]:
    """Return calls by which oversights show that known runs do not tell, each with what is overlooked.

    Those of some actions where the run is to end. texts: as of `explored`; what is found of each action is kept.
    """
    asked = _digest(texts, known)
    found: dict[str, Chosen] = {}

    def tell() -> None:
        global _DISTINGUISHER
        _DISTINGUISHER = Distinguisher(model, known)
        fork = multiprocessing.get_context("fork")
        actions = _DISTINGUISHER.actions()
        with progress("oversights", len(actions)) as advance, ProcessPoolExecutor(cores(), fork) as pool:
            for done, told in enumerate(pool.map(_told, [(action, seed, asked) for action in actions]), 1):
                found.update({overlooked: Chosen(calls) for calls, overlooked in told if overlooked not in found})
                advance(done)

    until_ended(tell)
    return [(chosen, f"overlooked: {overlooked}") for overlooked, chosen in found.items()]


_DISTINGUISHER: Distinguisher


def _told(task: tuple[str, int, str]) -> list[tuple[Calls, str]]:
    """What a search finds of one action: the calls, and what is overlooked, in words: no process could send more."""
    action, seed, asked = task

    def make() -> Any:
        found = _DISTINGUISHER.search(action, seed, OVERLOOKED)
        return [[_documents(calls), oversight.words] for calls, oversight in found]

    found = kept("overlooked", json.dumps([asked, action, seed]), make)
    model = _DISTINGUISHER.model
    return [(tuple(read_call("kept", call, model) for call in calls), words) for calls, words in found]


def _shown(recorder: Recorder, action: str, goal: Any) -> str:
    """What a vector is chosen for, in words."""
    for (_, spot, how), _ in goal.choices.items():
        at = recorder.spots[spot]
        decided = f"`{at.text}` rounds" if how == REST else f"`{at.text}` is {how}" if isinstance(how, bool) else ""
        more = len(goal.choices) + len(goal.paths) - 1
        return f"{decided} in {at.function}" + (f"; and {more} more" if more else "")
    ways = sorted(recorder.way(path) for path in goal.paths)
    return f"{described(recorder, ways[0])}" + (f"; and {len(ways) - 1} more" if len(ways) > 1 else "")


def described(recorder: Recorder, way: Way | PathGap) -> str:
    """A way, or what is missing of one, in words."""
    function, events = (way[1], way[2]) if isinstance(way, tuple) else (way.function, (*way.before, way.event))
    spot = recorder.spots[function]
    where = spot.function if spot.kind == "function" else f"{spot.function}, loop over {spot.text}"
    decisions = [f"{recorder.spots[at].text} is {how}" for at, how in events if isinstance(how, bool)]
    if isinstance(way, PathGap) and way.event[0] < 0:
        called = next(recorder.spots[at].text for at, how in reversed(way.before) if how == CALLED)
        decisions.append(f"{called} returns")
    return f"{where}: {', '.join(decisions) or 'straight through'}"


def replayed(model: type[Machine], vectors: Sequence[Sequence[Call]], seed: int = 0) -> Explorer:
    """What is known of paths from the last calls of vectors alone. seed: of what the explorer will draw."""
    fresh = Explorer(model, seed)
    for calls in vectors:
        fresh.add(calls)
    return fresh
