"""Chapter 9, default waterfall and final settlement: who bears a loss, and never more than that."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import (
    QUOTE_PER_UNIT,
    USD,
    AccountId,
    Count,
    CounterpartyId,
    Fund,
    MarketId,
    Quote,
    StoredSize,
    User,
    magnitude,
)
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import Reference
from marginspec.model.reference.waterfall import GRACE, deleverage_payment, settlement_payout, socialised_share
from marginspec.properties.law import Step, assume, every, refusal
from marginspec.properties.reference.relaxed import any_equity, relaxed
from marginspec.properties.reference.scope import ACTOR, HERE, LEDGER, OTHER, THIRD, after_funding, chapter, worth


@chapter.lemma("REF-DEF-1")
def deleveraged_counterparty_pays_at_most_profit_and_spare_equity(
    venue: Reference, deficit: Fund, size: StoredSize, whole: StoredSize, gained: Quote, spare: Quote
) -> Any:
    """A deleveraged counterparty pays at most its profit, at most its equity above maintenance, else nothing."""
    assume(whole >= 1)
    paid = deleverage_payment(deficit, size, whole, gained, spare)
    return every((paid >= 0, paid == 0 or paid <= gained, paid == 0 or paid <= spare))


@chapter.lemma("REF-DEF-2")
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


@chapter.lemma("REF-DEF-3")
def share_of_a_loss_never_exceeds_the_profit(venue: Reference, paid: Fund, gained: Fund, total: Fund) -> Any:
    """A share of a loss is in proportion to the profit it falls on and at most it: who has none pays nothing."""
    assume(total >= 1)
    assume(paid <= total)
    assume(gained <= total)
    share = socialised_share(paid, gained, total)
    return every((share >= 0, share <= gained, share * total >= paid * gained, (share - 1) * total < paid * gained))


# Induction over the accounts, so for any number of them: the two sums of n accounts give those of n + 1.
@chapter.lemma("REF-DEF-4")
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
@chapter.lemma("REF-SET-1")
def payouts_never_exceed_the_pool(
    venue: Reference, cash: Fund, pool: Fund, claims: Fund, claimed: Fund, paid: Fund
) -> Any:
    """Payouts to any number of accounts, in any order, are together at most the pool's part of what they claimed."""
    assume(claims >= 1)
    assume(paid * QUOTE_PER_UNIT * claims <= claimed * pool)
    paid, claimed = paid + settlement_payout(cash, pool, claims), claimed + cash
    return paid * QUOTE_PER_UNIT * claims <= claimed * pool


@chapter.lemma("REF-SET-2")
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

DELEVERAGING = {**LEDGER, "counterparty": (ACTOR,)}
ANY_EQUITY = "whatever equity and margin say; one market; three accounts; funding settled"


@chapter.theorem("REF-DEF-6", bounds=ANY_EQUITY, scope=LEDGER, relaxed=any_equity)
def fund_pays_first_and_all_it_can(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """The insurance fund pays a deficit in full or is empty, after which, and only then, the account is in default; it
    pays none of an account that has collateral."""
    settled = after_funding(venue, account)
    equity, fund, cash = settled.equity(account), venue.insurance, settled.accounts[account].cash
    collateral = [holding.amount == 0 for holding in venue.accounts[account].collateral.values()]
    paid = venue.cover(caller, account)
    return every(
        (
            *collateral,
            venue.insurance == fund - paid,
            venue.accounts[account].cash == cash + paid,
            paid == max(-equity, 0) or venue.insurance == 0,
            paid <= max(-equity, 0),
            venue.accounts[account].in_default == (paid < -equity),
        )
    )


@chapter.theorem("REF-DEF-7", bounds=ANY_EQUITY, scope=DELEVERAGING, relaxed=any_equity)
def deleveraging_comes_after_collateral_and_fund(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """Nobody is deleveraged unless the account is in default, without collateral, and the fund is empty."""
    own, fund = venue.accounts[account].clone(), venue.insurance
    equity = after_funding(venue, account).equity(account)
    venue.deleverage(caller, account, market, counterparty)
    empty = [holding.amount == 0 for holding in own.collateral.values()]
    return every((own.in_default, equity < 0, fund == 0, *empty))


@chapter.theorem("REF-DEF-8", bounds=ANY_EQUITY, scope=DELEVERAGING, relaxed=any_equity)
def deleveraging_leaves_its_counterparty_within_its_margin(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """A deleveraged counterparty keeps all but what it pays, of profit and beyond maintenance, and risks less; it pays
    for the part that it closes (REF-DEF-1 and 2)."""
    settled, mark = after_funding(venue, account, counterparty), venue.assets[venue.market_terms[market].asset].mark
    before, position = worth(settled, counterparty, market), settled.accounts[counterparty].positions[market]
    size, gained = magnitude(position.size), profit(position, mark)
    spare = settled.equity(counterparty) - settled.maintenance_margin(counterparty)
    whole, deficit = magnitude(venue.accounts[account].positions[market].size), -settled.equity(account)
    closed, paid = venue.deleverage(caller, account, market, counterparty)
    return every(
        (
            worth(venue, counterparty, market) == before - paid,
            paid == 0 or paid <= gained,
            paid == 0 or paid <= spare,
            paid == deleverage_payment(deficit, closed, whole, gained, spare),
            magnitude(venue.accounts[counterparty].positions[market].size) < size,
        )
    )


@chapter.theorem("REF-DEF-9", bounds=ANY_EQUITY, scope={**DELEVERAGING, "rival": (THIRD,)}, relaxed=any_equity)
def largest_profit_is_deleveraged_first(
    venue: Reference,
    caller: User,
    account: CounterpartyId,
    market: MarketId,
    counterparty: AccountId,
    rival: AccountId,
) -> Any:
    """Nobody is deleveraged while another account on the same side has a larger unrealised profit."""
    mark = venue.assets[venue.market_terms[market].asset].mark
    chosen = after_funding(venue, counterparty).accounts[counterparty].positions[market]
    other = venue.accounts[rival].positions[market].clone()
    venue.deleverage(caller, account, market, counterparty)
    same_side = (other.size > 0) == (chosen.size > 0) and other.size != 0
    return not same_side or profit(other, mark) <= profit(chosen, mark)


@chapter.theorem("REF-DEF-10", bounds=ANY_EQUITY, scope=LEDGER, relaxed=any_equity)
def loss_is_shared_last_and_among_profits_only(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """A loss is shared only without positions and fund; who has no profit pays nothing, nobody more than it."""
    settled, own = after_funding(venue, *venue.accounts), venue.accounts[account].clone()
    others = [name for name in venue.accounts if name != account]
    gains = [max(settled.unrealised(name), 0) for name in others]
    cash, fund = [venue.accounts[name].cash for name in others], venue.insurance
    venue.socialise(caller, account)
    paid = [before - venue.accounts[name].cash for name, before in zip(others, cash, strict=True)]
    return every(
        (
            own.in_default,
            fund == 0,
            *(position.size == 0 for position in own.positions.values()),
            *(share >= 0 for share in paid),
            *(share <= gain for share, gain in zip(paid, gains, strict=True)),
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
    """Whoever redeems is paid at most its cash and all its collateral, once: then there is nothing left to redeem."""
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
        )
    )


@chapter.theorem("REF-SET-5", bounds="three accounts")
def settlement_promises_what_the_vault_holds(venue: Reference, caller: User) -> Any:
    """When the payout is fixed, after the grace period, the pool is no more than the vault holds of it."""
    started = venue.settling_since
    venue.fix_settlement(caller)
    return every(
        (
            started != 0,
            venue.now >= started + GRACE,
            venue.settlement_pool <= venue.held[USD] * QUOTE_PER_UNIT,
            venue.settlement_pool <= venue.settlement_claims,
        )
    )


# --- To the last unit -----------------------------------------------------------------------------------------------


def _ripe(venue: Reference, account: CounterpartyId) -> None:
    """The account is in default, nothing but its equity is in question."""
    assume(venue.settling_since == 0 and venue.insurance == 0 and venue.accounts[account].in_default)
    assume(all(holding.amount == 0 for holding in venue.accounts[account].collateral.values()))


@chapter.lemma("REF-DEF-12", bounds=ANY_EQUITY, scope=LEDGER, relaxed=any_equity)
def deficit_of_one_unit_is_a_deficit(venue: Reference, account: CounterpartyId) -> Any:
    """A default is closed exactly while equity is negative, be it by one unit of quote."""
    _ripe(venue, account)
    return (refusal(venue._deficit, account) is None) == (venue.equity(account) < 0)


@chapter.theorem("REF-DEF-13", bounds=ANY_EQUITY, scope=DELEVERAGING, relaxed=any_equity)
def smallest_position_can_be_deleveraged(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """A position in default closes against any on the other side, whatever their sizes, and against no other."""
    _ripe(venue, account)
    assume(venue.equity(account) < 0)
    one, other = (venue.accounts[party].positions[market].size for party in (account, counterparty))
    opposite = (one > 0 and other < 0) or (one < 0 and other > 0)
    return (refusal(venue.deleverage, caller, account, market, counterparty) != "DEF-9") == opposite
