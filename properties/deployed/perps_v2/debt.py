"""Debt: what the market owes its traders, worked out from totals alone, is what they have, up to rounding."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import (
    Funding,
    Price,
    multiply,
)
from marginspec.properties.deployed.perps_v2.invariants import (
    account_without_size_has_no_position,
    position_starts_from_an_entry,
    sizes_sum_to_the_skew,
)
from marginspec.properties.deployed.perps_v2.relaxed import MOST_PER_ACCOUNT, any_figures, near_equity
from marginspec.properties.deployed.perps_v2.scope import USERS, chapter
from marginspec.properties.law import every


# The debt of the market is worked out without a list of its accounts: from this sum.
@chapter.invariant("PV-INV-3", given=(account_without_size_has_no_position,), relaxed=any_figures)
def corrections_sum_to_the_debt_correction(market: PerpsV2) -> Any:
    """The parts of the debt correction that positions add sum to it, to the unit."""
    held = list(market.positions.values())
    parts = [market.correction(each.margin, each.size, each.last_price, each.funding) for each in held]
    return market.debt_correction == sum(parts)


@chapter.theorem(
    "PV-DBT-1",
    given=(
        sizes_sum_to_the_skew,
        corrections_sum_to_the_debt_correction,
        account_without_size_has_no_position,
        position_starts_from_an_entry,
    ),
    relaxed=near_equity,
)
def debt_is_the_sum_of_equities(market: PerpsV2, price: Price, funding: Funding) -> Any:
    """The debt that the market works out from its totals is at most three units for each account from the sum of their
    equities, before what is negative is cut off."""
    debt = multiply(market.skew, price + funding) + market.debt_correction
    gap = debt - sum(market.equity(account, price, funding) for account in market.positions)
    most = MOST_PER_ACCOUNT * len(USERS)
    return every((-most <= gap, gap <= most))
