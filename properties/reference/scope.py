"""What proofs about the reference venue are limited to, and what they are not."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import (
    BUY,
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
from marginspec.properties.relaxation import EACH, put
from marginspec.properties.scope import Options, Scope, pinned

ETH, BTC = AssetId(TokenId("ETH")), AssetId(TokenId("BTC"))
HERE, ELSEWHERE = MarketId("here"), MarketId("elsewhere")
ACTOR, THIRD = (AccountId(User(Holder(name))) for name in ("actor", "third party"))
OTHER = CounterpartyId(AccountId(User(Holder("other"))))
ACCOUNTS = (ACTOR, OTHER, THIRD)
USERS = tuple(User(Holder(name)) for name in ("owner", "keeper", "stranger", "outsider"))
SOURCES = tuple(SourceId(f"{name} source") for name in ("first", "second", "third"))

BOUNDS = "any amounts, prices, ratios and times; three accounts, four users, two markets, each of its own asset"

SCOPE = Scope(
    keys={
        AccountId: ACCOUNTS,
        CounterpartyId: ACCOUNTS,
        User: USERS,
        Holder: (*USERS, VENUE),
        MarketId: (HERE, ELSEWHERE),
        TokenId: (USD, ETH, BTC),
        AssetId: (ETH, BTC),
        SourceId: SOURCES,
        ParameterId: tuple(BALANCED),
        Side: (BUY, SELL),
    },
    fixed={
        "market_terms[here].asset": pinned(ETH, why="a deployment has a market for each asset, and ETH comes first"),
        "market_terms[elsewhere].asset": pinned(BTC, why="a deployment has a market for each asset"),
    },
    # Neither assets, which are seized in their order, nor markets, each with its asset, are alike.
    alike=(ACCOUNTS, USERS, SOURCES),
)

ONE_MARKET = "markets differ in nothing but their assets, and those in nothing but the order of seizure"


# --- Narrower scopes: for cost, and for what has no influence on a law ------------------------------------------------

ANY_STEP = "whatever equity, margin and prices say"


def positions_in_one_market(*accounts: AccountId) -> dict[str, Options]:
    """Accounts without positions in the second market."""
    return {
        f"accounts[{account}].positions[{ELSEWHERE}].{name}": pinned(0, why="positions in one market, for cost")
        for account in accounts
        for name in ("size", "cost")
    }


def collateral_in_one_asset(*accounts: AccountId) -> dict[str, Options]:
    """Accounts without collateral in the second asset."""
    return {
        f"accounts[{account}].collateral[{BTC}].{name}": pinned(0, why="collateral in one asset, for cost")
        for account in accounts
        for name in ("amount", "counted")
    }


# Accounts with one position and one kind of collateral.
SIMPLE: dict[str, Options] = {
    **positions_in_one_market(*ACCOUNTS),
    **collateral_in_one_asset(*ACCOUNTS),
    "asset": pinned(ETH, why="collateral in one asset, for cost"),
}
SIMPLE_BOUNDS = "accounts with one position and one kind of collateral; funding settled before"


def settled(venue: Reference) -> Reference:
    """The venue with all funding accrued and settled."""
    for name, market in venue.markets.items():
        market.accrued_at = venue.now
        put(market.funding_index, venue, "accounts", EACH, "positions", name, "funding_index")
    return venue


def worth(venue: Reference, account: AccountId, market: MarketId = HERE) -> int:
    """Cash and unrealised profit of an account in one market, quote."""
    position = venue.accounts[account].positions[market]
    return venue.accounts[account].cash + profit(position, venue.assets[venue.market_terms[market].asset].mark)


def wealth(venue: Reference, account: AccountId) -> int:
    """Cash and unrealised profit of an account in all markets at the marks, whatever their age, quote."""
    own = venue.accounts[account]
    marks = {name: venue.assets[terms.asset].mark for name, terms in venue.market_terms.items()}
    return own.cash + sum(profit(position, marks[name]) for name, position in own.positions.items())


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


def watch(venue: Any, one: AccountId | MarketId) -> None:
    """Tell a venue of which not all is followed which account or market a law speaks of."""
    venue.watched = one


def check_only(venue: Any, account: AccountId) -> None:
    """Tell a venue that checks one side of a trade which."""
    venue.checked = account


def any_step(venue: Reference, step: Step) -> bool:
    """Nothing is assumed of a step."""
    return True


chapter = Chapter(BOUNDS, SCOPE, any_step)
