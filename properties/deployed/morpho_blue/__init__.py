"""What we claim of Morpho Blue. `spec/deployed/morpho-blue.md` lists which published claims each of ours covers."""

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
from marginspec.properties.deployed.morpho_blue.scope import chapter

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
