"""What we claim of PerpsV2."""

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.properties.deployed.perps_v2 import debt, funding, invariants, liquidation, margin, trading
from marginspec.properties.deployed.perps_v2.relaxed import any_book
from marginspec.properties.deployed.perps_v2.scope import BOUNDS, SCOPE, chapter
from marginspec.properties.ranges import every_field, ranges
from marginspec.properties.relaxation import simulations

chapter.add([ranges("PV-RNG-1", chapter, every_field, relaxed=any_book)])
chapter.add(p for r in chapter.relaxations() for p in simulations(r, PerpsV2, BOUNDS, SCOPE))

__all__ = ["chapter", "debt", "funding", "invariants", "liquidation", "margin", "trading"]
