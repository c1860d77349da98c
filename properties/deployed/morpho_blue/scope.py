"""What proofs about Morpho Blue are limited to, and what they are not."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import (
    MORPHO,
    NO_IRM,
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
from marginspec.properties.law import Chapter, Step
from marginspec.properties.scope import NumberKey, Scope

BOUNDS = (
    "any number of accounts (those not named are one entry that carries their sums), any amounts, prices, ratios and "
    "fees within the widths of their types; two markets, one acted on and one standing for the others; interest "
    "accrued in the same block, which MB-ACC-1 extends to any time"
)

# Everybody else, as one position that no action touches.
REST = Account("rest")

_LLTV = Number(0, 2 * WAD, "fraction", WAD, (8 * 10**17,))
_HERE, _ELSEWHERE = NumberKey("lltv here", _LLTV), NumberKey("lltv elsewhere", _LLTV)

SCOPE = Scope(
    keys={
        Account: ("actor", "other", "third", ZERO, MORPHO, REST),
        User: ("actor", "other"),
        MarketId: ("here", "elsewhere"),
        Token: ("loan", "collateral"),
        Irm: (NO_IRM, UTILISATION_IRM),
        Lltv: (_HERE, _ELSEWHERE),
    },
    free={Account: ("other", "actor", ZERO, MORPHO), MarketId: ("here",)},
    # Accounts differ only in their roles: whoever acts is called actor, whoever else is named is called other.
    fixed={
        "caller": ("actor",),
        "owner": ("actor", "other"),
        "fee_recipient": ("third", "actor", "other"),
        "on_behalf": ("actor", "other", ZERO),
        "receiver": ("other", ZERO),
        "borrower": ("other", "actor"),
        # Positions are read only of the account acted for and of the fee recipient, so that the caller of an action for
        # somebody else is as good a bystander as any third account.
        "who": ("other", "actor"),
        "params[here].loan_token": ("loan",),
        "params[here].collateral_token": ("collateral",),
        "params[here].lltv": (_HERE,),
        "params[elsewhere].lltv": (_ELSEWHERE,),
        "lltv": (_HERE,),
        # The other markets: of each token they owe some amount that no action here changes.
        "params[elsewhere].loan_token": ("loan",),
        "params[elsewhere].collateral_token": ("collateral",),
    },
)

# For claims about token balances: the contract itself may receive, and a market may lend its collateral token.
ANY_TOKENS = {
    "receiver": ("other", MORPHO, ZERO),
    "params[here].collateral_token": ("collateral", "loan"),
}

# For claims about the account acted for: who receives makes no difference to it.
TO_ANOTHER = {"receiver": ("other",), "on_behalf": ("other", "actor")}

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
