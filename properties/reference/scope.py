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
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import BALANCED, Reference
from marginspec.properties.law import Chapter, Step
from marginspec.properties.scope import Options, Scope

ETH, BTC = AssetId(TokenId("ETH")), AssetId(TokenId("BTC"))
HERE, ELSEWHERE = MarketId("here"), MarketId("elsewhere")
ACTOR, THIRD = (AccountId(User(Holder(name))) for name in ("actor", "third"))
OTHER = CounterpartyId(AccountId(User(Holder("other"))))

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
# Offers are at the mark, which may be any price.
LEDGER: dict[str, Options] = {
    **{
        f"accounts[{account}].positions[{ELSEWHERE}].{n}": (0,)
        for account in (ACTOR, OTHER, THIRD)
        for n in ("size", "cost")
    },
    "markets[here].ratio": (PPM,),
    "parameter": (MINIMUM_RATIO,),
    "most": (MAX_SIZE,),
    f"orders[{HERE}][{OTHER}].price": (0,),
}
# The same for laws that positions play no part in.
FLAT: dict[str, Options] = {**LEDGER, f"accounts[{ACTOR}].positions[{HERE}].size": (0,)}


# An account with one position and one kind of collateral.
SIMPLE: dict[str, Options] = {
    **{f"accounts[{a}].positions[{ELSEWHERE}].{n}": (0,) for a in (ACTOR, OTHER) for n in ("size", "cost")},
    **{f"accounts[{a}].collateral[{BTC}].{n}": (0,) for a in (ACTOR, OTHER) for n in ("amount", "counted")},
    "asset": (ETH,),
}
SIMPLE_BOUNDS = "accounts with one position and one kind of collateral; funding settled"


def settled(venue: Reference) -> Reference:
    """The venue with all funding accrued and settled."""
    for name, market in venue.markets.items():
        market.accrued_at = venue.now
        for account in venue.accounts.values():
            account.positions[name].funding_index = market.funding_index
    return venue


def worth(venue: Reference, account: AccountId, market: MarketId = HERE) -> int:
    """Cash and unrealised profit of an account in one market, quote."""
    position = venue.accounts[account].positions[market]
    return venue.accounts[account].cash + profit(position, venue.assets[venue.market_terms[market].asset].mark)


def after_funding(venue: Reference, *accounts: AccountId) -> Reference:
    """A copy of the venue in which these accounts' funding is settled, as actions that depend on it do first."""
    copy = venue.clone()
    for account in accounts:
        copy._settle(account)
    return copy


def owes_nothing(venue: Reference, account: AccountId) -> Any:
    """No positions and no negative cash."""
    own = venue.accounts[account]
    return all(position.size == 0 for position in own.positions.values()) and own.cash >= 0


def any_step(venue: Reference, step: Step) -> bool:
    """Nothing is assumed of a step."""
    return True


chapter = Chapter(BOUNDS, SCOPE, any_step)
