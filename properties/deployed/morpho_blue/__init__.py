"""What we claim of Morpho Blue. `spec/deployed/morpho-blue.md` lists which published claims each of ours covers."""

from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.properties.deployed.morpho_blue import (
    accounting,
    authorisation,
    health,
    interest,
    invariants,
    liquidation,
    refusals,
    round_trips,
)
from marginspec.properties.deployed.morpho_blue.scope import BOUNDS, SCOPE, chapter
from marginspec.properties.relaxation import simulations

chapter.add(p for r in chapter.relaxations() for p in simulations(r, MorphoBlue, BOUNDS, SCOPE))

__all__ = [
    "accounting",
    "authorisation",
    "chapter",
    "health",
    "interest",
    "invariants",
    "liquidation",
    "refusals",
    "round_trips",
]
