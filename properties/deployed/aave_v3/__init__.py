"""What we claim of Aave v3."""

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.properties.deployed.aave_v3 import actions, invariants, liquidation, numbers, rights
from marginspec.properties.deployed.aave_v3.invariants import (
    claims_sum_to_what_is_supplied,
    debts_sum_to_what_is_borrowed,
    no_reserve_is_ahead_of_time,
)
from marginspec.properties.deployed.aave_v3.relaxed import any_book
from marginspec.properties.deployed.aave_v3.scope import BOUNDS, SCOPE, chapter
from marginspec.properties.ranges import every_field, ranges
from marginspec.properties.relaxation import simulations

chapter.add(
    [
        ranges(
            "AV-RNG-1",
            chapter,
            every_field,
            given=(no_reserve_is_ahead_of_time, claims_sum_to_what_is_supplied, debts_sum_to_what_is_borrowed),
            relaxed=any_book,
        )
    ]
)
chapter.add(p for r in chapter.relaxations() for p in simulations(r, AaveV3, BOUNDS, SCOPE))

__all__ = ["actions", "chapter", "invariants", "liquidation", "numbers", "rights"]
