"""What proofs of equivalence take for given of the state before an action, and whether that is proved itself."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from marginspec.equivalence.product import Deployed, Product, given_of
from marginspec.model.kernel.machine import actions_of
from marginspec.properties.law import Irrelevant, Property, every
from marginspec.properties.ranges import fields_of_ranges, with_ranges
from marginspec.prover.cache import KeptProver
from marginspec.prover.prove import Prover, Verdict, prove_all
from marginspec.prover.symbolic import Unsupported, explore
from marginspec.systems.system import System

ONLY_WHERE = "only where"
"""How a limit of a law begins that nothing justifies."""


@dataclass(frozen=True)
class Basis:
    """What is taken for given, in sentences that say whether it is proved. lacking: why it cannot be."""

    assumes: tuple[str, ...]
    lacking: tuple[str, ...]


def basis_of(deployed: Deployed, workers: int, anew: bool = False, allowed: Collection[str] = ()) -> Basis:
    """Prove what is taken for given, as far as that can be. anew: also laws that were proved of the same texts.

    allowed: functions that no action need call, beside those that the adapter states.
    """
    laws = laws_of(deployed.system)
    prover = (Prover if anew else KeptProver)(deployed.model)
    verdicts = {each.id: each for each in prove_all(prover, laws, workers)}
    lacking = [line for law in laws for line in _lacking(law, verdicts[law.id])]
    told = [*(_told(verdicts[law.id]) for law in laws), *_assumed(deployed, not lacking)]
    unstated, stated = deployed.uncalled()
    uncalled = [*stated, *(each for each in unstated if each in allowed)]
    told += [f"nobody calls what no action stands for: {', '.join(uncalled)}"] if uncalled else []
    lacking += [f"no action stands for {each}" for each in unstated if each not in allowed]
    return Basis(tuple(told), tuple(lacking))


def laws_of(system: System) -> list[Property]:
    """The invariants that are assumed, and that numbers are within the ranges of their types."""
    given = given_of(system)
    ranges = [each for each in with_ranges(system.model, system.chapter) if fields_of_ranges(each) is not None]
    return [*given, *(each for each in ranges if each.id not in {law.id for law in given})]


def _told(verdict: Verdict) -> str:
    limits = f", with {len(verdict.scope)} limits that `marginspec prove --verbose` shows" if verdict.scope else ""
    return f"{verdict.id}: {verdict.law} ({_known(verdict)}{limits})"


def _known(verdict: Verdict) -> str:
    return "proved by one solver only" if verdict.verdict == "proved" and not verdict.confirmed else verdict.verdict


def _lacking(law: Property, verdict: Verdict) -> Iterable[str]:
    """Why a law may not be taken for given of every state; nothing where it may."""
    if verdict.verdict != "proved" or not verdict.confirmed:
        yield f"it assumes {verdict.id}, which is {_known(verdict)}" + (f": {verdict.reason}" * bool(verdict.reason))
    limits = [limit for limit in verdict.scope if limit.startswith(ONLY_WHERE)]
    if law.chapter is None or dict(law.scope.fixed) != dict(law.chapter.scope.fixed):
        limits.append("of fewer identifiers than others of its chapter")
    yield from (f"it assumes {verdict.id}, which is proved {limit}" for limit in limits)


def _assumed(deployed: Deployed, are_proved: bool) -> Iterable[str]:
    """What the system assumes besides, with whether it follows from the laws."""
    limits, names = deployed.limits, deployed.names
    for sentence, conditions in limits.assumed.items():
        yield _besides(sentence, are_proved and follows(deployed, conditions))
    yield from (_besides(sentence, founded=False) for sentence in limits.unseen)
    for name, other in limits.since.items():
        ordered = functools.partial(_ordered, names.index(name), names.index(other))
        yield _besides(f"{name} is at least {other}", are_proved and follows(deployed, ordered))


def _ordered(place: int, other: int, state: Any) -> Iterable[Any]:
    values = state.flatten()
    return [values[place] >= values[other]]


def _besides(sentence: str, founded: bool) -> str:
    return f"{sentence} (follows from these laws)" if founded else f"assumed, not proved: {sentence}"


def follows(deployed: Deployed, conditions: Callable[[Any], Iterable[Any]]) -> bool:
    """Whether two solvers find that conditions hold of every state of which the laws that are assumed hold."""
    bare = copy.copy(deployed)
    bare.limits = dataclasses.replace(deployed.limits, assumed={}, since={}, unseen={})
    product = Product(bare, next(iter(bare.cases(next(iter(actions_of(deployed.model)))))))
    prover = Prover(deployed.model)

    def body() -> Any:
        _, state = product.given_state()
        return every(conditions(state))

    told = Verdict("", "", "unknown", "", confirmed=True)
    try:
        found = explore(body, (Irrelevant,))
        claimed = [path for path in found.paths if path.ended is None]
        shown = all(path.result is True or prover.discharge(found, path, "", "", told) for path in claimed)
        return bool(claimed) and shown and not prover.unchecked(found, told) and told.confirmed
    except Unsupported:
        return False
