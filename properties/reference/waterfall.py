"""Chapter 9, default waterfall and final settlement: who bears a loss, and never more than that."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import (
    QUOTE_PER_UNIT,
    USD,
    AccountId,
    Count,
    Fund,
    Quote,
    StoredSize,
    User,
    magnitude,
)
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import Reference
from marginspec.model.reference.waterfall import deleverage_payment, settlement_payout, socialised_share
from marginspec.properties.law import Step, assume, every
from marginspec.properties.reference.relaxed import relaxed
from marginspec.properties.reference.scope import ACTOR, ETH, HERE, LEDGER, OTHER, THIRD, chapter, settled, worth


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
    """A share of a loss is in proportion to the profit it falls on and at most it: who has none pays nothing."""
    assume(total >= 1)
    assume(paid <= total)
    assume(gained <= total)
    share = socialised_share(paid, gained, total)
    return every((share >= 0, share <= gained, share * total >= paid * gained, (share - 1) * total < paid * gained))


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


# --- Who pays, in which order ---------------------------------------------------------------------------------------

ANY_EQUITY = "whatever equity and margin say; one market; three accounts; funding settled"


def _with_equity(venue: Reference, equity: int, spare: int = 0) -> Any:
    """Gives the account in trouble some equity, and its counterparty some equity beyond maintenance."""
    instead: Any = settled(venue)
    instead.equity = lambda account: equity if account == OTHER else spare
    instead.maintenance_margin = lambda account: 0
    return instead


@chapter.theorem("REF-DEF-6", bounds=ANY_EQUITY, scope=LEDGER)
def fund_pays_first_and_all_it_can(venue: Reference, caller: User, equity: Quote) -> Any:
    """The insurance fund pays a deficit in full or is empty, after which, and only then, the account is in default."""
    fund, cash = venue.insurance, venue.accounts[OTHER].cash
    paid = _with_equity(venue, equity).cover(caller, OTHER)
    return every(
        (
            venue.insurance == fund - paid,
            venue.accounts[OTHER].cash == cash + paid,
            paid == max(-equity, 0) or venue.insurance == 0,
            paid <= max(-equity, 0),
            venue.accounts[OTHER].in_default == (paid < -equity),
        )
    )


@chapter.theorem("REF-DEF-7", bounds=ANY_EQUITY, scope=LEDGER)
def deleveraging_comes_after_collateral_and_fund(venue: Reference, caller: User, equity: Quote, spare: Quote) -> Any:
    """Nobody is deleveraged unless the account is in default, without collateral, and the fund is empty."""
    account = venue.accounts[OTHER].clone()
    fund = venue.insurance
    _with_equity(venue, equity, spare).deleverage(caller, OTHER, HERE, ACTOR)
    return every(
        (
            account.in_default,
            equity < 0,
            fund == 0,
            *(holding.amount == 0 for holding in account.collateral.values()),
        )
    )


@chapter.theorem("REF-DEF-8", bounds=ANY_EQUITY, scope=LEDGER)
def deleveraging_leaves_its_counterparty_within_its_margin(
    venue: Reference, caller: User, equity: Quote, spare: Quote
) -> Any:
    """A deleveraged counterparty keeps all but what it pays, of profit and beyond maintenance, and risks less."""
    before, size = worth(venue, ACTOR), magnitude(venue.accounts[ACTOR].positions[HERE].size)
    gained = profit(venue.accounts[ACTOR].positions[HERE], venue.assets[ETH].mark)
    _, paid = _with_equity(venue, equity, spare).deleverage(caller, OTHER, HERE, ACTOR)
    return every(
        (
            worth(venue, ACTOR) == before - paid,
            paid == 0 or paid <= gained,
            paid == 0 or paid <= spare,
            magnitude(venue.accounts[ACTOR].positions[HERE].size) < size,
        )
    )


@chapter.theorem("REF-DEF-9", bounds=ANY_EQUITY, scope=LEDGER)
def largest_profit_is_deleveraged_first(venue: Reference, caller: User, equity: Quote, spare: Quote) -> Any:
    """Nobody is deleveraged while another account on the same side has a larger unrealised profit."""
    mark = venue.assets[ETH].mark
    rival, chosen = venue.accounts[THIRD].positions[HERE].clone(), venue.accounts[ACTOR].positions[HERE].clone()
    _with_equity(venue, equity, spare).deleverage(caller, OTHER, HERE, ACTOR)
    same_side = (rival.size > 0) == (chosen.size > 0) and rival.size != 0
    return not same_side or profit(rival, mark) <= profit(chosen, mark)


@chapter.theorem("REF-DEF-10", bounds=ANY_EQUITY, scope=LEDGER)
def loss_is_shared_last_and_among_profits_only(
    venue: Reference, caller: User, equity: Quote, gain: Quote, other_gain: Quote
) -> Any:
    """A loss is shared only without positions and fund; who has no profit pays nothing, nobody more than it."""
    fund, account = venue.insurance, venue.accounts[OTHER].clone()
    cash = venue.accounts[ACTOR].cash, venue.accounts[THIRD].cash
    gains = {ACTOR: gain, OTHER: 0, THIRD: other_gain}
    instead = _with_equity(venue, equity)
    instead.unrealised = lambda account: gains[account]
    instead.socialise(caller, OTHER)
    paid = cash[0] - venue.accounts[ACTOR].cash, cash[1] - venue.accounts[THIRD].cash
    return every(
        (
            account.in_default,
            fund == 0,
            account.positions[HERE].size == 0,
            paid[0] >= 0,
            paid[1] >= 0,
            paid[0] <= max(gain, 0),
            paid[1] <= max(other_gain, 0),
        )
    )


# --- Who never pays -------------------------------------------------------------------------------------------------


IDLE = {**LEDGER, **{f"accounts[{OTHER}].positions[{HERE}].{name}": (0,) for name in ("size", "cost", "funding_index")}}


@chapter.theorem("REF-DEF-11", bounds=f"{ANY_EQUITY}; but for its own offers", scope=IDLE, relaxed=relaxed)
def account_without_positions_never_loses(venue: Reference, step: Step) -> Any:
    """Whatever others do, an account without positions and debts keeps its cash and its collateral."""
    assume(step.action != "trade")
    any_venue: Any = venue
    any_venue.any_profit[OTHER] = 0
    own = venue.accounts[OTHER].clone()
    assume(own.cash >= 0)
    step.take(venue)
    after = venue.accounts[OTHER]
    return every(
        (
            after.cash >= own.cash,
            *(after.collateral[asset].amount == held.amount for asset, held in own.collateral.items()),
            *(after.collateral[asset].counted == held.counted for asset, held in own.collateral.items()),
        )
    )


# --- Final settlement -----------------------------------------------------------------------------------------------


@chapter.theorem("REF-SET-3", bounds=ANY_EQUITY, scope=LEDGER, relaxed=relaxed)
def ratio_of_the_settlement_never_changes(venue: Reference, step: Step) -> Any:
    """Once the payout is fixed nothing changes it: it does not matter who redeems first."""
    pool, claims = venue.settlement_pool, venue.settlement_claims
    assume(claims != 0)
    assume(venue.settling_since != 0)
    step.take(venue)
    return every((venue.settlement_pool == pool, venue.settlement_claims == claims))


@chapter.theorem("REF-SET-4", bounds="two collateral assets")
def nobody_redeems_twice(venue: Reference, account: AccountId) -> Any:
    """Whoever redeems is paid at most its cash and all its collateral, once: then nothing is left, and nothing owed."""
    own = venue.accounts[account].clone()
    owner = venue.owner(account)
    assume(venue.settlement_pool <= venue.settlement_claims)
    for token, fee in venue.transfer_fee.items():
        assume(fee == 0 or token != USD)
    wallet = venue.balance[USD][owner]
    paid = venue.redeem(account)
    after = venue.accounts[account]
    return every(
        (
            after.cash == 0,
            paid * QUOTE_PER_UNIT <= max(own.cash, 0),
            (venue.balance[USD][owner] - wallet) * QUOTE_PER_UNIT <= own.cash,
            *(held.amount == 0 for held in after.collateral.values()),
            venue.redeem(account) == 0,
        )
    )
