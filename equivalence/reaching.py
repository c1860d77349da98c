"""From integers on which bytecode and model differ to a trace: calls from genesis that lead there.

The state of a product run is any state. Where the two differ on a path, states that random runs of the model reach are
put in its place, and a solver is asked for the numbers of the last call. What comes of it is run in lock-step, like any
other trace, and shrunk.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

from marginspec.equivalence.product import Deployed, Product, more_than
from marginspec.lockstep.comparison import Divergence, LockStep
from marginspec.lockstep.generate import START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal, rehearse
from marginspec.lockstep.shrink import shrink
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain
from marginspec.prover.evaluate import satisfies
from marginspec.prover.symbolic import Atoms, Path, SymBool, Unknown
from marginspec.prover.witness import Witnesses

SEQUENCES, STEPS = 40, 150
SECONDS = 4.0
"""Processor time for the search of one path."""

AIMED_FROM = 100
"""States from which one more call is aimed."""


@dataclass(frozen=True)
class ReachedState:
    """Calls that the model accepts, and the state after them, flattened."""

    calls: tuple[Call, ...]
    values: list[Any]


def reached(model: type[Machine], seed: int = 0) -> list[ReachedState]:
    """Genesis, and states that random runs lead to, the nearest first."""
    draw, generator, rehearsal = random.Random(seed), Generator(model), Rehearsal(model)
    found = [ReachedState((), rehearsal.state)]
    for _ in range(SEQUENCES):
        calls: list[Call] = []
        rehearsal.start()
        generator.start(draw.randbytes(START_BYTES))
        for _ in range(STEPS):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, draw.randbytes(STEP_BYTES))
            step = rehearsal.taken(call, outcome)
            if outcome.accepted:
                calls.append(call)
                found.append(ReachedState(tuple(calls), step.state))
    return sorted(found, key=lambda each: len(each.calls))


@dataclass
class Reacher:
    """Looks for traces on one deployed system."""

    deployed: Deployed
    _witnesses: Witnesses = field(default_factory=Witnesses)
    _states: list[ReachedState] = field(default_factory=list)

    def trace(self, run: Product, atoms: Atoms, path: Path) -> Trace | None:
        """A trace that shows, on the implementation, what a path says; None where none was found in time."""
        if not self._states:
            self._states = reached(self.deployed.model)
        cases = [[*path.constraints, claim.negated()] for claim in path.claims] or [path.constraints]
        until = time.process_time() + SECONDS
        states = self._fitting(run, chain(self._states, self._aimed(atoms, path), self._in_other_worlds()))
        for state, conditions in ((state, conditions) for state in states for conditions in cases):
            if time.process_time() > until:
                break
            call = self._call(run, atoms, conditions, state)
            if call is not None and (found := self._shown([*state.calls, call])) is not None:
                return found
        return None

    def _aimed(self, atoms: Atoms, path: Path) -> Iterator[ReachedState]:
        """States one call further, in which a variable is exactly what the path asks it to be."""
        wanted = list(_equal_to(atoms, path.constraints, self.deployed))
        if not wanted:
            return
        for state in self._states[:AIMED_FROM]:
            for place, other, more in wanted:
                value = more if other is None else state.values[other] + more
                for call in _calls_towards(self.deployed.model, value, state.values[place]):
                    further = self._further(state, call)
                    if further is not None and further.values[place] == value:
                        yield further

    def _in_other_worlds(self) -> Iterator[ReachedState]:
        """States after a while, at another price and so on: one call of the environment further."""
        for call in _of_the_world(self.deployed.model):
            for state in reversed(self._states):
                if (further := self._further(state, call)) is not None:
                    yield further

    def _further(self, state: ReachedState, call: Call) -> ReachedState | None:
        """The state after one more call; None where the model refuses it."""
        machine = self.deployed.genesis.clone()
        machine.load(state.values)
        accepted = machine.apply(call).accepted
        return ReachedState((*state.calls, call), machine.flatten()) if accepted else None

    def _fitting(self, run: Product, states: Iterable[ReachedState]) -> Iterator[ReachedState]:
        """The states that have the identifiers of a case."""
        wanted = {
            place: run.case.identifiers[f"state.{self.deployed.names[place]}"]
            for place in self.deployed.encoding.identifiers
        }
        for state in states:
            if all(state.values[place] == value for place, value in wanted.items()):
                yield state

    def _call(self, run: Product, atoms: Atoms, conditions: Sequence[SymBool], state: ReachedState) -> Call | None:
        """The call that takes a path from a state."""
        given = run.numbers_of(state.values)
        if satisfies(atoms, conditions, given):
            return run.call(run.concrete(given))
        numbers = self._witnesses.completed(atoms, conditions, given) if run.numbers else None
        return None if numbers is None else run.call(run.concrete(numbers))

    def _shown(self, calls: list[Call]) -> Trace | None:
        """The trace of calls that diverge, shrunk."""
        model, target = self.deployed.model, self.deployed.target
        found = LockStep(model, target).run(rehearse(model, calls), recheck=False)
        if found is None:
            return None
        done, divergence = found
        shorter, shown = self._shrunk(calls[:done], divergence)
        return trace_of(model, target.name, 0, shorter, shown, target.build())

    def _shrunk(self, calls: list[Call], divergence: Divergence) -> tuple[list[Call], Divergence]:
        return shrink(self.deployed.model, self.deployed.target, calls, divergence)


def _equal_to(atoms: Atoms, conditions: Sequence[SymBool], deployed: Deployed) -> Iterator[tuple[int, int | None, int]]:
    """The variables of the state, by their places, that conditions say to be one number, or another one and a number.

    Of each its place, that of the other if there is one, and the number.
    """
    places = {name: (place, None) for place, name in enumerate(deployed.names)}
    since = {
        more_than(name, other): (places[name][0], places[other][0]) for name, other in deployed.limits.since.items()
    }
    known: dict[str, tuple[int, int | None]] = {**places, **since}
    for condition in conditions:
        base, offset, sign = condition.term.split()
        unknown = None if (atom := base.atom()) is None else atoms.all[atom]
        if condition.kind == "eq" and isinstance(unknown, Unknown) and unknown.name in known:
            yield (*known[unknown.name], -offset * sign)


def _calls_towards(model: type[Machine], value: int, now: int) -> Iterator[Call]:
    """Every call with one number, which is the distance of a variable to a value, or the value."""
    for info in actions_of(model).values():
        numbers = [name for name, hint in info.arguments.items() if plain(hint) is int]
        if len(numbers) != 1:
            continue
        allowed = info.arguments[numbers[0]].__metadata__[0]
        others = {name: model.universe.get(plain(hint), (True, False)) for name, hint in info.arguments.items()}
        for amount in {abs(value - now), value}:
            options = [(amount,) if name in numbers else others[name] for name in info.arguments]
            if allowed.low <= amount <= allowed.high:
                yield from (Call(info.name, dict(zip(info.arguments, case, strict=True))) for case in product(*options))


def _of_the_world(model: type[Machine]) -> Iterator[Call]:
    """Every call of the environment with one number, which is a typical one; time passes first."""
    for info in sorted(actions_of(model).values(), key=lambda each: len(each.arguments)):
        numbers = {name: hint.__metadata__[0] for name, hint in info.arguments.items() if plain(hint) is int}
        if info.environment and len(numbers) == 1:
            ((name, number),) = numbers.items()
            options = {n: model.universe.get(plain(hint), (True, False)) for n, hint in info.arguments.items()}
            for case in product(*{**options, name: number.typical}.values()):
                yield Call(info.name, dict(zip(info.arguments, case, strict=True)))
