"""What we claim of Lyra v1."""

from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.deployed.lyra_v1 import cache, collateral, parameters, positions, pricing
from marginspec.properties.deployed.lyra_v1.relaxed import any_judgement
from marginspec.properties.deployed.lyra_v1.scope import BOUNDS, SCOPE, chapter
from marginspec.properties.ranges import every_field, ranges
from marginspec.properties.relaxation import simulations

chapter.add([ranges("LYR-RNG-1", chapter, every_field, bounds=collateral.ANY_PRICES, relaxed=any_judgement)])
chapter.add(p for r in chapter.relaxations() for p in simulations(r, LyraV1, BOUNDS, SCOPE))

__all__ = ["cache", "chapter", "collateral", "parameters", "positions", "pricing"]
