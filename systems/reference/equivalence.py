"""What proofs that the reference venue's bytecode does what its model does are limited to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from marginspec.model.reference.notation import TokenId
from marginspec.model.reference.venue import Reference
from marginspec.systems.equivalence import Equivalence

MOST_TOKENS = 2**200
MOST_CASH = 2**240


def few_tokens(venue: Reference) -> Iterable[Any]:
    """Of no token there is more than a transfer can reckon with."""
    return [sum(held.values()) <= MOST_TOKENS for held in venue.balance.values()]


def little_cash(venue: Reference) -> Iterable[Any]:
    """No account's cash is near the end of what 256 bits hold: the contract refuses what does not fit."""
    return [side for each in venue.accounts.values() for side in (each.cash >= -MOST_CASH, each.cash <= MOST_CASH)]


def few_collateral(venue: Reference) -> Iterable[Any]:
    """No account's collateral is near the end of what 256 bits hold."""
    return [
        side
        for each in venue.accounts.values()
        for holding in each.collateral.values()
        for side in (holding.amount <= MOST_CASH, holding.counted >= -MOST_CASH, holding.counted <= MOST_CASH)
    ]


def supply_is_enough(venue: Reference, supplies: Sequence[Any]) -> Iterable[Any]:
    """A token counts at least what the accounts of the universe have of it, and no more than there may be."""
    return [
        side
        for token, supply in zip(Reference.universe[TokenId], supplies, strict=True)
        for side in (supply >= sum(venue.balance[token].values()), supply <= MOST_TOKENS)
    ]


EQUIVALENCE = Equivalence(
    options={"caller": ("governor", "guardian", "trader"), "account": ("trader",)},
    given=("REF-LED-5",),
    assumed={
        "of no token there is more than 2^200": few_tokens,
        "no account's cash is beyond 2^240 either way": little_cash,
        "no account's collateral, nor what of it counts, is beyond 2^240": few_collateral,
    },
    limits={f"transfer_fee[{token}]": (0, 10_000) for token in Reference.universe[TokenId]},
    unseen={
        "of each token there is at least what the accounts have, at most 2^200": ("token.totalSupply", supply_is_enough)
    },
)
