"""Debt: what the market owes its traders, worked out from totals alone, is what they have, up to rounding."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import Funding, Price, User, multiply
from marginspec.properties.deployed.perps_v2.invariants import (
    account_without_size_has_no_position,
    position_starts_from_an_entry,
    sizes_sum_to_the_skew,
)
from marginspec.properties.deployed.perps_v2.liquidation import LIQUIDATIONS, TRADERS
from marginspec.properties.deployed.perps_v2.relaxed import MOST_PER_ACCOUNT, any_figures, any_state, near_equity
from marginspec.properties.deployed.perps_v2.scope import USERS, chapter
from marginspec.properties.law import Step, assume, every, implies

KEPT = "where the debt correction is the sum of the accounts' parts, as every action keeps it (PV-DBT-2, PV-FLG-4)"


def part_of(market: PerpsV2, account: User) -> Any:
    """What an account adds to the debt correction."""
    held = market.positions[account]
    return market.correction(held.margin, held.size, held.last_price, held.funding)


# The market has no list of its accounts to sum: it keeps this number instead, and every action has to mend it.
@chapter.theorem("PV-DBT-2", given=(account_without_size_has_no_position,), relaxed=any_figures)
def debt_correction_follows_the_account(market: PerpsV2, account: User, step: Step) -> Any:
    """An action on an account changes the debt correction by exactly what it changes of that account's part."""
    subject = step.argument("account") if step.action in LIQUIDATIONS else step.argument("caller")
    assume(step.action in (*TRADERS, *LIQUIDATIONS) and subject == account)
    others = market.debt_correction - part_of(market, account)
    step.take(market)
    return market.debt_correction - part_of(market, account) == others


@chapter.theorem("PV-DBT-3", relaxed=any_figures)
def debt_correction_is_of_margin_and_trades(market: PerpsV2, step: Step) -> Any:
    """No other action, prices and parameters included, changes the debt correction."""
    assume(step.action not in (*TRADERS, *LIQUIDATIONS))
    before = market.debt_correction
    step.take(market)
    return market.debt_correction == before


@chapter.lemma("PV-DBT-4", relaxed=any_state)
def debt_without_skew_is_the_correction(market: PerpsV2) -> Any:
    """The debt of a market is never negative; while longs and shorts are of one size neither price nor funding changes
    it."""
    debt = market.market_debt()
    return every((debt >= 0, implies(market.skew == 0, debt == max(market.debt_correction, 0))))


@chapter.theorem(
    "PV-DBT-1",
    bounds=KEPT,
    given=(sizes_sum_to_the_skew, account_without_size_has_no_position, position_starts_from_an_entry),
    rests_on=("PV-DBT-2", "PV-DBT-3", "PV-FLG-4"),
    relaxed=near_equity,
)
def debt_is_the_sum_of_equities(market: PerpsV2, price: Price, funding: Funding) -> Any:
    """The debt that the market works out from its totals is at most three units for each account from the sum of their
    equities, before what is negative is cut off."""
    assume(market.debt_correction == sum(part_of(market, account) for account in market.positions))
    debt = multiply(market.skew, price + funding) + market.debt_correction
    gap = debt - sum(market.equity(account, price, funding) for account in market.positions)
    most = MOST_PER_ACCOUNT * len(USERS)
    return every((-most <= gap, gap <= most))
