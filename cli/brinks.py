"""Runs in which decisions are at equality and one unit to each side: where random amounts hardly ever are.

They are made of runs that reach a decision at all: an amount of theirs, or one of a call that is put before the last,
is solved for. That other call is a move of the same accounts, markets and assets.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from marginspec.differential.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.differential.sequence import Rehearsal
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of
from marginspec.model.kernel.record import plain
from marginspec.prover.brink import Brink, Knob, brinks

NEAR = 3
"""So many calls before the last one may have an amount changed."""

TRIES = 3
"""So often a brink is looked for with the same amounts before they are given up."""

Signature = tuple[tuple[str, str], ...]
"""Action and argument of each amount that is solved for."""

SAMPLES = (10**3, 10**6, 10**12, 10**18, 1)
"""Amounts with which a move is tried."""


WANDER = 60_000
"""Steps at random in which runs are looked for."""

ALIKE = 4
"""So many runs are taken that end in the same action, accepted or refused by the same rule."""


def brink_runs(
    model: type[Machine], seed: int, on_progress: Callable[[int, int], None] = lambda done, of: None
) -> list[list[Call]]:
    """Calls from genesis, all but the last accepted, that bring decisions of the last to their brink.

    The same for the same seed. on_progress: called with how many runs of how many were tried.
    """
    return [calls for _, calls in at_brinks(model, short_runs(model, seed), on_progress)]


def at_brinks(
    model: type[Machine], runs: Iterable[Sequence[Call]], on_progress: Callable[[int, int], None]
) -> Iterator[tuple[Brink, list[Call]]]:
    """Each brink that was found, with the calls that lead to it. runs: such calls, to begin with."""
    found, tries = set[Brink](), Counter[tuple[Brink, Signature]]()
    begin = model.genesis()
    candidates = [calls for run in runs for calls in (list(run), *_with_moves(begin, run))]
    tasks = list(itertools.product((1, 2), candidates))
    for done, (amounts, calls) in enumerate(tasks):
        on_progress(done, len(tasks))
        for knobs in itertools.combinations(_amounts(model, calls), amounts):
            signature = tuple((calls[at].action, name) for at, name in knobs)

            def wanted(brink: Brink, by: Signature = signature) -> bool:
                tries[brink, by] += brink not in found
                return brink not in found and tries[brink, by] <= TRIES

            for brink, brought in brinks(begin, calls, knobs, wanted):
                if brink not in found:
                    found.add(brink)
                    yield brink, brought


def _amounts(model: type[Machine], calls: Sequence[Call]) -> list[Knob]:
    """The amounts of the last calls, the last first."""
    hints = [actions_of(model)[call.action].arguments for call in calls]
    places = range(max(len(calls) - 1 - NEAR, 0), len(calls))
    return [(at, name) for at in reversed(places) for name, hint in hints[at].items() if plain(hint) is int]


def _with_moves(begin: Machine, run: Sequence[Call]) -> Iterator[list[Call]]:
    """A run with another call before the last, by what that is about."""
    *before, last = run
    model, machine = type(begin), begin.clone()
    for call in before:
        machine.apply(call)
    state = machine.flatten()
    for move in _moves(model, last):
        for amount in SAMPLES:
            call = _of(model, move, amount)
            accepted = machine.apply(call, state).accepted
            machine.load(state)
            if accepted:
                yield [*before, call, last]
                break


def _moves(model: type[Machine], last: Call) -> Iterator[Call]:
    """Every action with an amount, by identifiers of a call; where that has none of a type, by the model's first."""
    given = actions_of(model)[last.action].arguments
    for info in actions_of(model).values():
        kinds = {name: plain(hint) for name, hint in info.arguments.items() if plain(hint) not in (int, bool)}
        if len(kinds) == len(info.arguments):
            continue
        options = []
        for kind in kinds.values():
            known = model.universe[kind]
            same = [last.arguments[name] for name, hint in given.items() if last.arguments[name] in known]
            options.append(list(dict.fromkeys(same)) or known[:1])
        for chosen in itertools.product(*options):
            yield Call(info.name, dict(zip(kinds, chosen, strict=True)))


def _of(model: type[Machine], move: Call, amount: int) -> Call:
    arguments: dict[str, Any] = {}
    for name, hint in actions_of(model)[move.action].arguments.items():
        kind = plain(hint)
        if kind is int:
            number = hint.__metadata__[0]
            arguments[name] = min(max(amount, number.low), number.high)
        else:
            arguments[name] = False if kind is bool else move.arguments[name]
    return Call(move.action, arguments)


# --- Runs to begin with -----------------------------------------------------------------------------------------------


def short_runs(model: type[Machine], seed: int) -> list[list[Call]]:
    """Runs of the generator that end in each action, accepted or refused by each rule, without needless calls."""
    rehearsal, generator = Rehearsal(model), Generator(model)
    bytes_of, begin = random.Random(seed).randbytes, model.genesis()
    found: dict[tuple[str, str | None], list[list[Call]]] = defaultdict(list)
    for _ in range(WANDER // SEQUENCE_STEPS):
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        accepted: list[Call] = []
        for _ in range(SEQUENCE_STEPS):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
            rehearsal.taken(call, outcome)
            found[call.action, outcome.rule].append([*accepted, call])
            if outcome.accepted:
                accepted.append(call)
    shortest = (run for runs in found.values() for run in sorted(runs, key=len)[:ALIKE])
    short = {str(run): run for run in (_shortened(begin, run) for run in shortest)}
    return sorted(short.values(), key=len)


def _shortened(begin: Machine, run: list[Call]) -> list[Call]:
    """A run without calls that its last one does as well without."""
    machine, state = begin.clone(), begin.flatten()

    def last(calls: Sequence[Call]) -> Outcome | None:
        machine.load(state)
        return machine.apply(calls[-1]) if all(machine.apply(call).accepted for call in calls[:-1]) else None

    ends, size = last(run), max(1, (len(run) - 1) // 2)
    while size:
        at = 0
        while at < len(run) - 1:
            fewer = run[:at] + run[min(at + size, len(run) - 1) :]
            other = last(fewer)
            if other is not None and ends is not None and other.rule == ends.rule:
                run = fewer
            else:
                at += size
        size //= 2
    return run
