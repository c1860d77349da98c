"""What proofs that Morpho Blue's bytecode does what its model does are limited to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marginspec.model.deployed.morpho_blue import ZERO, MorphoBlue
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.systems.equivalence import Equivalence


def tokens_fit_a_word(venue: MorphoBlue) -> Iterable[Any]:
    """Of no token there is more than a word can hold."""
    return [sum(held.values()) <= UINT256_MAX for held in venue.balance.values()]


def accrued_in_this_block(venue: MorphoBlue) -> Iterable[Any]:
    """No interest is due."""
    return [venue.now == market.last_update for name, market in venue.markets.items() if name == "A"]


EQUIVALENCE = Equivalence(
    options={
        "market": ("A",),
        "caller": ("borrower",),
        "on_behalf": ("borrower", "supplier"),
        "receiver": ("supplier",),
        "fee_recipient": (ZERO,),
    },
    given=(),
    assumed={
        "of no token there is more than 2^256 - 1": tokens_fit_a_word,
        "interest has been accrued in this block": accrued_in_this_block,
    },
)
