"""What we claim of Curie."""

from marginspec.model.deployed.curie import Curie
from marginspec.properties.deployed.curie import invariants, liquidation, numbers, trading, vault
from marginspec.properties.deployed.curie.relaxed import any_book
from marginspec.properties.deployed.curie.scope import BOUNDS, SCOPE, chapter
from marginspec.properties.ranges import every_field, ranges
from marginspec.properties.relaxation import simulations

chapter.add([ranges("CU-RNG-1", chapter, every_field, relaxed=any_book)])
chapter.add(p for r in chapter.relaxations() for p in simulations(r, Curie, BOUNDS, SCOPE))

__all__ = ["chapter", "invariants", "liquidation", "numbers", "trading", "vault"]
