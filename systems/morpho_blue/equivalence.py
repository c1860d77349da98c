"""What proofs that Morpho Blue's bytecode does what its model does are limited to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marginspec.model.deployed.morpho_blue import MORPHO, ZERO, MorphoBlue
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.systems.equivalence import Equivalence

OWNERS = ("set_owner", "enable_irm", "enable_lltv", "set_fee", "set_fee_recipient")


def tokens_fit_a_word(venue: MorphoBlue) -> Iterable[Any]:
    """Of no token there is more than a word can hold."""
    return [sum(held.values()) <= UINT256_MAX for held in venue.balance.values()]


EQUIVALENCE = Equivalence(
    options={
        # Whoever acts, for himself, for somebody else, or for one of the two accounts that are like no other.
        "market": ("A",),
        "create_market.market": ("A", "B", "C"),
        "accrue_interest.market": ("A", "B", "C"),
        "set_fee.market": ("A", "B"),
        "caller": ("borrower",),
        "on_behalf": ("borrower", "supplier", ZERO, MORPHO),
        "receiver": ("borrower", "supplier", "liquidator", ZERO, MORPHO),
        "borrower": ("borrower", "supplier", MORPHO),
        "authorized": ("borrower", "supplier"),
        "account": ("borrower",),
        **{f"{action}.caller": ("owner", "borrower") for action in OWNERS},
    },
    given=("MB-INV-1", "MB-INV-2", "MB-INV-4", "MB-INV-9"),
    assumed={
        "of no token there is more than 2^256 - 1": tokens_fit_a_word,
    },
    since={"now": "markets[A].last_update"},
)
