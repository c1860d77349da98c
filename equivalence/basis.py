"""What proofs of equivalence take for given of the state before an action, and whether that is proved itself."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
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
    """What is taken for given, in sentences that say whether it is proved. lacking: laws among it that are not."""

    assumes: tuple[str, ...]
    lacking: tuple[str, ...]


def basis_of(deployed: Deployed, workers: int, anew: bool = False) -> Basis:
    """Prove what is taken for given, as far as that can be. anew: also laws that were proved of the same texts."""
    laws = laws_of(deployed.system)
    prover = (Prover if anew else KeptProver)(deployed.model)
    verdicts = {each.id: each for each in prove_all(prover, laws, workers)}
    lacking = [line for law in laws for line in _lacking(verdicts[law.id])]
    return Basis((*(_told(verdicts[law.id]) for law in laws), *_assumed(deployed, not lacking)), tuple(lacking))


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


def _lacking(verdict: Verdict) -> Iterable[str]:
    """Why a law may not be taken for given; nothing where it may."""
    if verdict.verdict != "proved" or not verdict.confirmed:
        yield f"it assumes {verdict.id}, which is {_known(verdict)}" + (f": {verdict.reason}" * bool(verdict.reason))
    yield from (f"it assumes {verdict.id}, which is proved {limit}" for limit in verdict.scope if limit.startswith(ONLY_WHERE))


def _assumed(deployed: Deployed, are_proved: bool) -> Iterable[str]:
    """What the system assumes besides, with whether it follows from the laws."""
    limits, names = deployed.limits, deployed.names
    for sentence, conditions in limits.assumed.items():
        yield _besides(sentence, are_proved and follows(deployed, conditions))
    for name, other in limits.since.items():
        at, least = names.index(name), names.index(other)
        founded = are_proved and follows(deployed, lambda s, at=at, least=least: [s.flatten()[at] >= s.flatten()[least]])
        yield _besides(f"{name} is at least {other}", founded)


def _besides(sentence: str, founded: bool) -> str:
    return f"{sentence} (follows from these laws)" if founded else f"assumed, not proved: {sentence}"


def follows(deployed: Deployed, conditions: Callable[[Any], Iterable[Any]]) -> bool:
    """Whether two solvers find that conditions hold of every state of which the laws that are assumed hold."""
    bare = copy.copy(deployed)
    bare.limits = dataclasses.replace(deployed.limits, assumed={}, since={})
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
