"""What proofs about the reference venue are limited to, and what they are not."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import (
    BUY,
    MAX_SIZE,
    MINIMUM_RATIO,
    PPM,
    SELL,
    USD,
    VENUE,
    AccountId,
    AssetId,
    CounterpartyId,
    Holder,
    MarketId,
    ParameterId,
    Side,
    SourceId,
    TokenId,
    User,
)
from marginspec.model.reference.venue import BALANCED
from marginspec.properties.law import Chapter, Step
from marginspec.properties.scope import Options, Scope

ETH, BTC = AssetId(TokenId("ETH")), AssetId(TokenId("BTC"))
HERE, ELSEWHERE = MarketId("here"), MarketId("elsewhere")
ACTOR, OTHER, THIRD = (AccountId(User(Holder(name))) for name in ("actor", "other", "third"))

BOUNDS = "any amounts, prices, ratios and times within the widths of their types"

SCOPE = Scope(
    keys={
        AccountId: (ACTOR, OTHER, THIRD),
        User: (ACTOR, OTHER, THIRD),
        Holder: (ACTOR, OTHER, THIRD, VENUE),
        MarketId: (HERE, ELSEWHERE),
        TokenId: (USD, ETH, BTC),
        AssetId: (ETH, BTC),
        SourceId: ("first", "second", "third"),
        ParameterId: tuple(BALANCED),
        Side: (BUY, SELL),
    },
    free={MarketId: (HERE,), CounterpartyId: (OTHER,), AccountId: (ACTOR,), User: (ACTOR,), AssetId: (ETH,)},
    # Accounts differ only in their roles: whoever acts is called actor, whoever it is done to is called other.
    fixed={
        "governor": (ACTOR, OTHER),
        "guardian": (ACTOR, OTHER),
        "account_terms[actor].owner": (ACTOR,),
        "account_terms[other].owner": (OTHER,),
        "account_terms[third].owner": (THIRD,),
        "market_terms[here].asset": (ETH,),
        "market_terms[elsewhere].asset": (BTC,),
        "counterparty": (OTHER,),
    },
)


# For laws that speak of no ratio or parameter. Positions are changed in one market at a time; elsewhere there are none.
LEDGER: dict[str, Options] = {
    **{
        f"accounts[{account}].positions[{ELSEWHERE}].{n}": (0,)
        for account in (ACTOR, OTHER, THIRD)
        for n in ("size", "cost")
    },
    "markets[here].ratio": (PPM,),
    "parameter": (MINIMUM_RATIO,),
    "most": (MAX_SIZE,),
}


def any_step(venue: Any, step: Step) -> bool:
    """Nothing is assumed of a step."""
    return True


chapter = Chapter(BOUNDS, SCOPE, any_step)
