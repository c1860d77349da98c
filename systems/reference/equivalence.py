"""What proofs that the reference venue's bytecode does what its model does are limited to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marginspec.model.reference.notation import TokenId
from marginspec.model.reference.venue import Reference
from marginspec.systems.equivalence import Equivalence

MOST_TOKENS = 2**200


def few_tokens(venue: Reference) -> Iterable[Any]:
    """Of no token there is more than a transfer can reckon with."""
    return [sum(held.values()) <= MOST_TOKENS for held in venue.balance.values()]


EQUIVALENCE = Equivalence(
    options={"caller": ("governor", "guardian", "trader"), "account": ("trader",)},
    given=(),
    assumed={"of no token there is more than 2^200": few_tokens},
    limits={f"transfer_fee[{token}]": (0, 10_000) for token in Reference.universe[TokenId]},
)
