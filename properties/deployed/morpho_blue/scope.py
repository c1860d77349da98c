"""What proofs about Morpho Blue are limited to, and what they are not."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    MORPHO,
    NO_IRM,
    SPARE_IRM,
    UTILISATION_IRM,
    WAD,
    ZERO,
    Account,
    Irm,
    Lltv,
    Market,
    MarketId,
    MorphoBlue,
    Token,
    User,
)
from marginspec.model.kernel import Number
from marginspec.properties import scope as everybody
from marginspec.properties.law import Chapter, Step
from marginspec.properties.scope import NumberKey, Scope, pinned

BOUNDS = (
    "any number of accounts (those not named are one entry that carries their sums), any amounts, prices, ratios and "
    "fees within the widths of their types; two markets, one acted on and one standing for the others; what "
    "assumes accrued interest is extended to any time by MB-ACC-1, which loses no case: it equates refusals too"
)

# Of everybody whom no law or action names, the sums. Users differ in nothing but their names.
REST = User(Account(everybody.REST))
USERS = ("actor", "other")

MARKETS, TOKENS = ("here", "elsewhere"), ("loan", "collateral", "another")
IRMS = (NO_IRM, UTILISATION_IRM, SPARE_IRM)

_LLTV = Number(0, 2 * WAD, "fraction", WAD, (8 * 10**17,))
_HERE, _ELSEWHERE = NumberKey("lltv here", _LLTV), NumberKey("lltv elsewhere", _LLTV)

OWED_ELSEWHERE = "what other markets owe of the token no action here changes, and it may be nothing"

SCOPE = Scope(
    keys={
        Account: (*USERS, ZERO, MORPHO, REST),
        User: (*USERS, REST),
        MarketId: MARKETS,
        Token: TOKENS,
        Irm: IRMS,
        Lltv: (_HERE, _ELSEWHERE),
    },
    alike=(TOKENS, IRMS[1:]),
    fixed={
        "market": pinned("here", why="markets differ in nothing but names; an action changes no other one (MB-INV-13)"),
        "params[here].lltv": pinned(_HERE, why="any number, which may equal the other market's"),
        "params[elsewhere].lltv": pinned(_ELSEWHERE, why="any number, which may equal the other market's"),
    },
)

# For laws that ask by which rule a step is refused, and do not look at balances.
NO_BALANCES = {
    "receiver": pinned(MORPHO, why="only balances tell who was paid"),
    "params[here].loan_token": pinned("loan", why="only balances tell one token from another"),
    "params[here].collateral_token": pinned("collateral", why="only balances tell one token from another"),
}

# For laws on all that the contract holds of a token.
HELD = {
    "token": pinned("loan", "collateral", why="two of the tokens, which differ in nothing but names"),
    "params[here].loan_token": pinned("loan", "collateral", why="the token or another one"),
    "params[here].collateral_token": pinned("loan", "collateral", why="the token or another one"),
    "params[elsewhere].loan_token": pinned("loan", why=OWED_ELSEWHERE),
    "params[elsewhere].collateral_token": pinned("loan", why=OWED_ELSEWHERE),
}

# What extends a law that assumes accrued interest to any time.
AT_ANY_TIME = ("MB-ACC-1",)

WITHOUT_ACCRUAL = frozenset(("accrue_interest", "create_market", "supply_collateral", "set_price"))


def accrued(venue: MorphoBlue, market: MarketId) -> Any:
    """Interest on the market has been accrued in this block."""
    return venue.now == venue.markets[market].last_update


def is_created(venue: MorphoBlue, market: MarketId) -> Any:
    """The market exists."""
    return venue.markets[market].last_update != 0


def settled(venue: MorphoBlue, step: Step) -> Any:
    """A step that accrues interest is taken where that has been done already."""
    market = step.argument("market")
    return True if market is None or step.action in WITHOUT_ACCRUAL else accrued(venue, market)


chapter = Chapter(BOUNDS, SCOPE, settled)


def supply_rate_not_lower(before: Market, after: Market) -> Any:
    """A supply share is worth no less after than before, virtual shares and assets included."""
    return (before.total_supply_assets + 1) * (after.total_supply_shares + 10**6) <= (after.total_supply_assets + 1) * (
        before.total_supply_shares + 10**6
    )


def borrow_rate_not_higher(before: Market, after: Market) -> Any:
    """A borrow share owes no more after than before, virtual shares and assets included."""
    return (before.total_borrow_assets + 1) * (after.total_borrow_shares + 10**6) >= (after.total_borrow_assets + 1) * (
        before.total_borrow_shares + 10**6
    )
