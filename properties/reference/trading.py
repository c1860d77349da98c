"""Chapter 7, deposit, withdraw, trade."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import Fraction, SignedSize, StoredPrice, StoredSize
from marginspec.model.reference.trading import is_reducing, trading_fee
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import every
from marginspec.properties.reference.scope import chapter


@chapter.theorem("REF-TRD-1")
def splitting_a_trade_never_saves_fees(
    venue: Reference, first: StoredSize, second: StoredSize, price: StoredPrice, fee: Fraction
) -> Any:
    """Two trades cost at least the fees of one of their sum, and no trade at a fee is free."""
    apart = trading_fee(first, price, fee) + trading_fee(second, price, fee)
    whole = trading_fee(first + second, price, fee)
    return every((whole <= apart, whole >= 1 or (first + second) * price * fee == 0))


@chapter.theorem("REF-TRD-2")
def reduction_brings_a_position_nearer_to_zero(venue: Reference, position: SignedSize, size: SignedSize) -> Any:
    """A trade reduces a position exactly when that becomes smaller and does not change sides."""
    after = position + size
    nearer = 0 <= after < position or position < after <= 0
    return is_reducing(position, size) == nearer
