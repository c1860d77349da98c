"""What we claim of the reference venue: one module per chapter of `spec/reference/`."""

from marginspec.properties.reference import (
    collateral,
    ledger,
    liquidation,
    margin,
    oracles,
    positions,
    trading,
    waterfall,
)
from marginspec.properties.reference.scope import chapter

__all__ = ["chapter", "collateral", "ledger", "liquidation", "margin", "oracles", "positions", "trading", "waterfall"]
