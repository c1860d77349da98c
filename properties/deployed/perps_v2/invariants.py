"""Invariants: what the totals say of the accounts, and what states there are of a position."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import User, magnitude
from marginspec.properties.deployed.perps_v2.relaxed import any_book
from marginspec.properties.deployed.perps_v2.scope import chapter
from marginspec.properties.law import every, implies


# Funding, fill prices and the debt of the whole market are worked out from the skew alone.
@chapter.invariant("PV-INV-1", relaxed=any_book)
def sizes_sum_to_the_skew(market: PerpsV2) -> Any:
    """The sizes of all positions, shorts negative, sum to the skew of the market."""
    return market.skew == sum(position.size for position in market.positions.values())


@chapter.invariant("PV-INV-2", relaxed=any_book)
def magnitudes_sum_to_the_size(market: PerpsV2) -> Any:
    """The magnitudes of all positions sum to the size of the market."""
    return market.size == sum(magnitude(position.size) for position in market.positions.values())


@chapter.invariant("PV-INV-7", relaxed=any_book)
def position_starts_from_an_entry(market: PerpsV2, account: User) -> Any:
    """A position starts from an entry of the funding sequence that is there, and not from the first."""
    held = market.positions[account]
    return held.size == 0 or 0 < held.funding_index < market.funding_entries


@chapter.invariant("PV-INV-4", relaxed=any_book)
def account_without_size_has_no_position(market: PerpsV2, account: User) -> Any:
    """An account of size zero has margin and nothing else: no number, no price, no entry of the funding sequence."""
    held = market.positions[account]
    rest = (held.id, held.funding_index, held.funding, held.last_price)
    return implies(held.size == 0, every(each == 0 for each in rest))
