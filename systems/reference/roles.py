"""Who takes part in the reference venue, and what is whose."""

from __future__ import annotations

from collections import Counter

from marginspec.model.reference import Reference
from marginspec.model.reference.notation import QUOTE_PER_UNIT, USD, VENUE
from marginspec.model.reference.positions import profit
from marginspec.systems.roles import Parties, Worth


def _worth(state: Reference) -> Worth:
    """Cash, profit at the mark prices and USD in the wallet, in quote; other tokens in wallet and account."""
    worth = Counter[tuple[str, str]]()
    for token, holders in state.balance.items():
        for holder, amount in holders.items():
            if holder != VENUE:
                worth[holder, "quote" if token == USD else token] += amount * (QUOTE_PER_UNIT if token == USD else 1)
    for name, account in state.accounts.items():
        marks = {market: state.assets[terms.asset].mark for market, terms in state.market_terms.items()}
        worth[name, "quote"] += account.cash
        worth[name, "quote"] += sum(profit(held, marks[market]) for market, held in account.positions.items())
        for asset, holding in account.collateral.items():
            worth[name, asset] += holding.amount
    worth[VENUE, "quote"] += state.insurance + state.fees + state.pot
    return worth


GOVERNANCE = (
    "announce",
    "set_cap",
    "set_open_interest_cap",
    "set_spread",
    "set_reduce_only",
    "set_deposits_paused",
    "set_guardian",
    "collect_fees",
    "start_settlement",
)
KEEPER = ("update_price", "cover", "deleverage", "socialise", "fix_settlement")

PARTIES = Parties(
    {
        "liquidate": "liquidator",
        "seize_collateral": "liquidator",
        **dict.fromkeys(GOVERNANCE, "governance"),
        **dict.fromkeys(KEEPER, "keeper"),
    },
    VENUE,
    _worth,
)
