"""What we claim of the reference venue: one module per chapter of `spec/reference/`."""

from marginspec.properties.reference import (
    buffer,
    collateral,
    ledger,
    liquidation,
    margin,
    oracles,
    parameters,
    positions,
    round_trips,
    trading,
    waterfall,
)
from marginspec.properties.reference.scope import chapter

__all__ = [
    "buffer",
    "chapter",
    "collateral",
    "ledger",
    "liquidation",
    "margin",
    "oracles",
    "parameters",
    "positions",
    "round_trips",
    "trading",
    "waterfall",
]
