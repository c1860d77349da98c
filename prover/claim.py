"""What a property claims of one venue."""

from __future__ import annotations

from typing import Any

from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, Step, arguments_of, assume
from marginspec.prover.arbitrary import Arbitrary


def claimed(model: type[Machine], claim: Property, arbitrary: Arbitrary, venue: Machine) -> Any:
    """Whether a property holds of a venue, which may be changed, and of arbitrary arguments.

    An invariant is the theorem that every accepted action keeps it. Raises `Irrelevant` and `Rejected` where nothing is
    claimed.
    """
    for invariant in claim.given:
        for case in arbitrary.instances(arguments_of(invariant.predicate)):
            assume(invariant.predicate(venue, **case))
    hints = arguments_of(claim.predicate)
    arguments = {n: arbitrary.value(h, n) for n, h in hints.items() if plain(h) is not Step}
    if claim.kind == "theorem":
        steps = {n: arbitrary.step(model, n) for n, h in hints.items() if plain(h) is Step}
        return claim.predicate(venue, **arguments, **steps)
    assume(claim.predicate(venue, **arguments))
    step = arbitrary.step(model, "step")
    assume(claim.before(venue, step))
    step.take(venue)
    return claim.predicate(venue, **arguments)
