"""Whether what a proof found breaks a law, on plain integers: what an exported test asks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.model.kernel.machine import Rejected
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, arguments_of
from marginspec.prover.prove import LawRun
from marginspec.prover.symbolic import ConcreteRun
from marginspec.systems.system import System

AT_FIRST = {"state": "initial"}
"""The counterexample of an invariant that does not hold where everything begins."""


def breaks(chosen: System, law: str, counterexample: Mapping[str, Any]) -> bool:
    """Whether a law of a system is false of what a counterexample of a proof names: identifiers and integers."""
    claim = next((claim for claim in chosen.chapter.properties if claim.id == law), None)
    if claim is None:
        raise BadInput(f"{chosen.name} has no property {law}: was it renamed?")
    if counterexample == AT_FIRST:
        options = [chosen.model.universe[plain(hint)] for hint in arguments_of(claim.predicate).values()]
        return not all(claim.predicate(chosen.model.blank(), *case) for case in itertools.product(*options))
    numbers = {name: value for name, value in counterexample.items() if isinstance(value, int)}
    try:
        return not ConcreteRun(dict(counterexample), numbers).run(LawRun(chosen.model, claim).body)
    except (Irrelevant, Rejected):
        return False
