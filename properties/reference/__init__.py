"""What we claim of the reference venue: one module per chapter of `spec/reference/`."""

from typing import Any

from marginspec.model.reference import Reference
from marginspec.properties.ranges import every_field
from marginspec.properties.ranges import ranges as ranges_of
from marginspec.properties.reference import (
    buffer,
    collateral,
    hedging,
    ledger,
    legs,
    liquidation,
    margin,
    options,
    oracles,
    parameters,
    positions,
    predictive,
    ranges,
    round_trips,
    scan,
    schedule,
    scoring,
    simm,
    slices,
    surface,
    trading,
    value_at_risk,
    waterfall,
)
from marginspec.properties.reference.scope import ANY_STEP, BOUNDS, SCOPE, chapter
from marginspec.properties.relaxation import always, simulations

_options: dict[str, Any] = {"given": ranges.GIVEN, "bounds": ANY_STEP, "relaxed": ranges.within}
chapter.add([ranges_of("REF-RNG-1", chapter, every_field, **_options)])

# Those that assume nothing first: where two leave the same open, the lemma is that of the first.
_relaxations = sorted(chapter.relaxations(), key=lambda r: r.given is not always)
chapter.add(p for r in _relaxations for p in simulations(r, Reference, BOUNDS, SCOPE))

__all__ = [
    "buffer",
    "chapter",
    "collateral",
    "hedging",
    "ledger",
    "legs",
    "liquidation",
    "margin",
    "options",
    "oracles",
    "parameters",
    "positions",
    "predictive",
    "ranges",
    "round_trips",
    "scan",
    "schedule",
    "scoring",
    "simm",
    "slices",
    "surface",
    "trading",
    "value_at_risk",
    "waterfall",
]
