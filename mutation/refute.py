"""Which laws a changed model breaks: on states that it reaches first, and with solvers where that shows nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from marginspec.base.deadline import Budget, Overdue
from marginspec.lockstep.model_source import Patch, installed
from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.record import plain
from marginspec.mutation.concrete_laws import broken
from marginspec.properties.law import Property, Step, arguments_of, assume
from marginspec.prover.encode import ENCODINGS, Obligation, smt_lib
from marginspec.prover.prove import Prover, Verdict
from marginspec.prover.solvers import solve
from marginspec.prover.symbolic import Exploration, Path

SAMPLE_SECONDS = 1.0
"""Of one change, over all laws: as long they are run on states that the changed model reaches."""

PROOF_SECONDS = 10.0
"""Of one change, over all laws: as long counterexamples are looked for by solvers."""

PROPERTY_SECONDS = 5.0
SOLVER_SECONDS = 0.3

ANY_STEP = 1000
"""What it costs a law to speak of any action."""


@dataclass(frozen=True)
class Changed:
    """A model with `patches` installed, and the names of the functions that can behave differently by them."""

    model: type[Machine]
    users: frozenset[str]
    patches: Sequence[Patch]


def refutation(changed: Changed, laws: Sequence[Property], seed: int, solvers: bool) -> tuple[tuple[str, ...], int]:
    """The first law found that a change breaks, and how many could be broken and there was no time for.

    solvers: whether they are asked too, when no state of a run breaks any.
    """
    laws = [law for law in laws if concerns(law, changed.users)]
    if not laws:
        return (), 0
    # A model that crashes on its own states is told by the lock-step run.
    with contextlib.suppress(Exception, Overdue), Budget(10 * SAMPLE_SECONDS).spent():
        found = broken(changed.model, laws, changed.users, SAMPLE_SECONDS, seed)
        if found is not None:
            return (found.id,), 0
    return disproved(changed, sorted(laws, key=cost)) if solvers else ((), len(laws))


def disproved(changed: Changed, laws: Sequence[Property]) -> tuple[tuple[str, ...], int]:
    """The first law of which a solver finds a counterexample, and how many it had no time for.

    That is the processor's, so that a busy machine finds the same.
    """
    end = time.process_time() + PROOF_SECONDS
    watch = FunctionWatch()
    refuter = Refuter(changed.model, recheck=False, watch=watch)
    untried = 0
    with installed(watch.over(changed.patches)):
        for law in laws:
            left = min(end - time.process_time(), PROPERTY_SECONDS)
            if left <= 0:
                untried += 1
                continue
            try:
                with Budget(left).spent():
                    verdict = refuter.alone(_narrowed(law, changed.users))
            except Overdue:
                untried += 1
                continue
            except Exception:  # the change makes no model that can be run on unknowns, as the lock-step run will tell
                continue
            if verdict.is_broken:
                return (law.id,), untried
    return (), untried


# --- Which laws a change concerns -------------------------------------------------------------------------------------


def cost(law: Property) -> int:
    """Laws about any action, and with many unknowns, cost most."""
    hints = arguments_of(law.predicate)
    steps = law.kind == "invariant" or any(plain(hint) is Step for hint in hints.values())
    return ANY_STEP * steps + 10 * len(law.given) + len(hints)


def concerns(law: Property, users: frozenset[str]) -> bool:
    """Whether a law can run any of these functions: it speaks of any action, or uses one by its name."""
    return cost(law) >= ANY_STEP or any(not users.isdisjoint(used_by(p.predicate)) for p in (law, *law.given))


@functools.cache
def used_by(function: Callable[..., Any]) -> frozenset[str]:
    """The names that a function uses, and those that functions of its own package use."""
    code = inspect.unwrap(function).__code__
    names = set(code.co_names)
    for inner in code.co_consts:
        names.update(inner.co_names if isinstance(inner, CodeType) else ())
    known = inspect.unwrap(function).__globals__
    used = [known[name] for name in names if inspect.isfunction(known.get(name))]
    room = function.__module__.rpartition(".")[0]
    return frozenset(names).union(*(used_by(f) for f in used if f.__module__.rpartition(".")[0] == room))


def _narrowed(law: Property, users: frozenset[str]) -> Property:
    """The law of those steps only that can behave differently."""
    if law.kind == "invariant":
        return dataclasses.replace(law, before=lambda venue, step: step.action in users and law.before(venue, step))

    @functools.wraps(law.predicate)
    def predicate(venue: Machine, **arguments: Any) -> Any:
        assume(all(a.action in users for a in arguments.values() if isinstance(a, Step)))
        return law.predicate(venue, **arguments)

    return dataclasses.replace(law, predicate=predicate)


class FunctionWatch:
    """Whether a changed function was run; always, where a constant was changed."""

    def __init__(self) -> None:
        self.hit, self._function = True, False

    def over(self, patches: Sequence[Patch]) -> list[Patch]:
        """The same patches, watched."""
        return [(place, name, self._watched(value)) for place, name, value in patches]

    def _watched(self, value: Any) -> Any:
        self._function = inspect.isfunction(value)
        if not self._function:
            return value

        @functools.wraps(value)
        def watched(*arguments: Any, **named: Any) -> Any:
            self.hit = True
            return value(*arguments, **named)

        return watched

    def reset(self) -> None:
        """Forget what was run."""
        self.hit = not self._function


@dataclass(frozen=True)
class Refuter(Prover):
    """A prover that only looks for counterexamples, and only where the changed function of a mutant is run.

    Everywhere else a mutant is the model, of which the property is proved. `proved` by it means nothing.
    """

    watch: FunctionWatch = dataclasses.field(kw_only=True)

    def around(self, body: Callable[[], Any]) -> Callable[[], Any]:
        def watched() -> Any:
            self.watch.reset()
            result = body()
            return result if self.watch.hit else True

        return watched

    def _witness(self, found: Exploration, path: Path, claim: str, seen: bool, doubtful: bool) -> str:
        return "not looked for"

    def _discharge(
        self, found: Exploration, path: Path, name: str, law: str, verdict: Verdict, impossible: str = ""
    ) -> bool:
        obligation = Obligation(found.atoms, tuple(path.constraints), path.claims)
        texts = (smt_lib(obligation, encoding) for encoding in ENCODINGS)
        return any(solve("z3", text, SOLVER_SECONDS).verdict == "unsat" for text in texts)
