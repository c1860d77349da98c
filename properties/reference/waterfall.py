"""Chapter 9, default waterfall and final settlement: who bears a loss, and never more than that."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import QUOTE_PER_UNIT, Count, Fund, Quote, StoredSize
from marginspec.model.reference.venue import Reference
from marginspec.model.reference.waterfall import deleverage_payment, settlement_payout, socialised_share
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.theorem("REF-DEF-1")
def deleveraged_counterparty_pays_at_most_profit_and_spare_equity(
    venue: Reference, deficit: Fund, size: StoredSize, whole: StoredSize, gained: Quote, spare: Quote
) -> Any:
    """A deleveraged counterparty pays at most its profit, at most its equity above maintenance, else nothing."""
    assume(whole >= 1)
    paid = deleverage_payment(deficit, size, whole, gained, spare)
    return every((paid >= 0, paid == 0 or paid <= gained, paid == 0 or paid <= spare))


@chapter.theorem("REF-DEF-2")
def deleveraging_pays_the_part_closed_where_profit_allows(
    venue: Reference, deficit: Fund, size: StoredSize, whole: StoredSize, gained: Quote, spare: Quote
) -> Any:
    """A counterparty with enough profit and spare equity pays the deficit of the part closed, and not a unit more."""
    assume(whole >= 1)
    assume(size <= whole)
    assume(deficit <= gained)
    assume(deficit <= spare)
    paid = deleverage_payment(deficit, size, whole, gained, spare)
    return every(
        (
            paid * whole >= deficit * size,
            (paid - 1) * whole < deficit * size,
            paid <= deficit,
            size != whole or paid == deficit,
        )
    )


@chapter.theorem("REF-DEF-3")
def share_of_a_loss_never_exceeds_the_profit(venue: Reference, paid: Fund, gained: Fund, total: Fund) -> Any:
    """A share of a loss is at most the profit it falls on: who has none pays nothing."""
    assume(total >= 1)
    assume(paid <= total)
    assume(gained <= total)
    share = socialised_share(paid, gained, total)
    return every((share >= 0, share <= gained))


# Induction over the accounts, so for any number of them: the two sums of n accounts give those of n + 1.
@chapter.theorem("REF-DEF-4")
def shares_add_up_to_the_loss(
    venue: Reference, paid: Fund, gained: Fund, total: Fund, profits: Fund, collected: Fund, accounts: Count
) -> Any:
    """Shares collected from any number of accounts are at least their part of the loss, at most one quote each more."""
    assume(total >= 1)
    assume(paid * profits <= collected * total)
    assume((collected - accounts) * total <= paid * profits)
    collected, profits = collected + socialised_share(paid, gained, total), profits + gained
    return every((paid * profits <= collected * total, (collected - accounts - 1) * total <= paid * profits))


# Induction as before: what is left in the pool after n payouts covers the claims that are left.
@chapter.theorem("REF-SET-1")
def payouts_never_exceed_the_pool(
    venue: Reference, cash: Fund, pool: Fund, claims: Fund, claimed: Fund, paid: Fund
) -> Any:
    """Payouts to any number of accounts, in any order, are together at most the pool's part of what they claimed."""
    assume(claims >= 1)
    assume(paid * QUOTE_PER_UNIT * claims <= claimed * pool)
    paid, claimed = paid + settlement_payout(cash, pool, claims), claimed + cash
    return paid * QUOTE_PER_UNIT * claims <= claimed * pool


@chapter.theorem("REF-SET-2")
def payout_is_pro_rata(venue: Reference, cash: Fund, more: Fund, pool: Fund, claims: Fund) -> Any:
    """A payout is never more than the cash, within a token unit of its part of the pool, and never less for more."""
    assume(claims >= 1)
    assume(pool <= claims)
    assume(cash <= more)
    paid = settlement_payout(cash, pool, claims)
    return every(
        (
            paid * QUOTE_PER_UNIT <= cash,
            (paid + 1) * QUOTE_PER_UNIT * claims > cash * pool,
            paid <= settlement_payout(more, pool, claims),
        )
    )
