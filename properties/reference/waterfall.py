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
from marginspec.properties.law import Step, accepted, assume, every, refusal
from marginspec.properties.reference.relaxed import (
    all_prices_are_fresh,
    any_equity,
    any_rank,
    fresh_equity,
    ranking,
    relaxed,
    settled_before,
    watched_idle,
)
from marginspec.properties.reference.scope import (
    ACCOUNTS,
    ANY_STEP,
    HERE,
    after_funding,
    chapter,
    positions_in_one_market,
    watch,
    wealth,
    worth,
)
from marginspec.properties.scope import pinned


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

# A loss is closed in one market at a time, in which the others play no part.
ONE_MARKET = positions_in_one_market(*ACCOUNTS)
THIS_MARKET = {**ONE_MARKET, "market": pinned(HERE, why="markets differ in nothing but their assets; for cost")}
ANY_EQUITY = "whatever equity and margin say; funding settled before"


@chapter.theorem("REF-DEF-6", bounds=ANY_EQUITY, relaxed=any_equity)
def fund_pays_first_and_all_it_can(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """The insurance fund pays a deficit in full or is empty, after which, and only then, the account is in default; it
    pays none of an account that has collateral."""
    equity, fund, cash = (
        accepted(after_funding(venue, account).equity, account),
        venue.insurance,
        venue.accounts[account].cash,
    )
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


@chapter.theorem("REF-DEF-7", bounds=ANY_EQUITY, scope=ONE_MARKET, relaxed=any_rank)
def deleveraging_comes_after_collateral_and_fund(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """Nobody is deleveraged unless the account is in default, without collateral, and the fund is empty."""
    own, fund = venue.accounts[account].clone(), venue.insurance
    equity = accepted(after_funding(venue, account).equity, account)
    venue.deleverage(caller, account, market, counterparty)
    empty = [holding.amount == 0 for holding in own.collateral.values()]
    return every((own.in_default, equity < 0, fund == 0, *empty))


@chapter.theorem("REF-DEF-8", bounds=ANY_EQUITY, scope=ONE_MARKET, relaxed=any_rank)
def deleveraging_leaves_its_counterparty_within_its_margin(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """A deleveraged counterparty keeps all but what it pays, of profit and beyond maintenance, and risks less; it pays
    for the part that it closes (REF-DEF-1 and 2), to the account, of which as much is closed."""
    mark = venue.assets[venue.market_terms[market].asset].mark
    settled = after_funding(venue, account, counterparty)
    before = [worth(settled, party, market) for party in (counterparty, account)]
    position = venue.accounts[counterparty].positions[market]
    size, gained = position.size, profit(settled.accounts[counterparty].positions[market], mark)
    spare = accepted(settled.equity, counterparty) - accepted(settled.maintenance_margin, counterparty)
    whole, deficit = venue.accounts[account].positions[market].size, -accepted(settled.equity, account)
    closed, paid = venue.deleverage(caller, account, market, counterparty)
    left = [venue.accounts[party].positions[market].size for party in (counterparty, account)]
    return every(
        (
            worth(venue, counterparty, market) == before[0] - paid,
            worth(venue, account, market) == before[1] + paid,
            paid == 0 or paid <= gained,
            paid == 0 or paid <= spare,
            paid == deleverage_payment(deficit, closed, magnitude(whole), gained, spare),
            closed == min(magnitude(size), magnitude(whole)),
            magnitude(left[0]) == magnitude(size) - closed,
            magnitude(left[1]) == magnitude(whole) - closed,
            left[0] + left[1] == size + whole,
            (size > 0) == (whole < 0),
            venue.accounts[account].in_default == (paid < deficit),
        )
    )


@chapter.theorem(
    "REF-DEF-9",
    bounds="whatever equity says; funding accrued before, to be settled",
    scope=ONE_MARKET,
    relaxed=ranking,
)
def largest_profit_is_deleveraged_first(
    venue: Reference,
    caller: User,
    account: CounterpartyId,
    market: MarketId,
    counterparty: AccountId,
    rival: AccountId,
) -> Any:
    """Nobody is deleveraged while another account on the same side has a larger unrealised profit, all funding
    settled."""
    mark = venue.assets[venue.market_terms[market].asset].mark
    assume(rival != counterparty and rival != account)
    settled = after_funding(venue, account, counterparty, rival)
    chosen, other = (settled.accounts[party].positions[market] for party in (counterparty, rival))
    venue.deleverage(caller, account, market, counterparty)
    same_side = (other.size > 0) == (chosen.size > 0) and other.size != 0
    return not same_side or profit(other, mark) <= profit(chosen, mark)


@chapter.theorem("REF-DEF-10", bounds=ANY_EQUITY, relaxed=any_equity)
def loss_is_shared_last_and_among_profits_only(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """A loss is shared only without positions and fund; who has no profit pays nothing, nobody more than it."""
    own = venue.accounts[account].clone()
    settled = after_funding(venue, *venue.accounts)
    gains = {name: max(accepted(settled.unrealised, name), 0) for name in venue.accounts}
    cash, fund = {name: held.cash for name, held in venue.accounts.items()}, venue.insurance
    venue.socialise(caller, account)
    paid = {name: cash[name] - held.cash for name, held in venue.accounts.items() if name != account}
    return every(
        (
            own.in_default,
            fund == 0,
            *(position.size == 0 for position in own.positions.values()),
            *(share >= 0 for share in paid.values()),
            *(share <= gains[name] for name, share in paid.items()),
        )
    )


@chapter.theorem("REF-DEF-14", bounds=ANY_EQUITY, relaxed=any_equity)
def shared_loss_goes_to_the_account(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """The account is paid its deficit, or all profit there is; each pays its share, the fund has what rounding leaves
    over, and the account stays in default exactly when something is left unpaid."""
    settled = after_funding(venue, *venue.accounts)
    deficit = -accepted(settled.equity, account)
    gains = {name: max(accepted(settled.unrealised, name), 0) for name in venue.accounts}
    cash, total = {name: held.cash for name, held in venue.accounts.items()}, sum(gains.values())
    paid = venue.socialise(caller, account)
    shares = {name: socialised_share(paid, gained, total) for name, gained in gains.items()}
    received = {name: paid if name == account else 0 for name in venue.accounts}
    return every(
        (
            paid == min(deficit, total),
            *(held.cash == cash[name] - shares[name] + received[name] for name, held in venue.accounts.items()),
            venue.insurance == sum(shares.values()) - paid,
            venue.accounts[account].in_default == (paid < deficit),
        )
    )


# --- Who never pays -------------------------------------------------------------------------------------------------


OWN = ("account", "liquidator", "maker")


@chapter.theorem("REF-DEF-11", bounds=ANY_STEP, relaxed=watched_idle, rests_on=("REF-LED-7",))
def account_without_positions_never_loses(venue: Reference, step: Step, idle: AccountId) -> Any:
    """Whatever others do, be it with this account, an account without positions and debts keeps its cash and its
    collateral; only it, and who takes its own offer, can change that. What it can take out after the final settlement
    is REF-SET-6."""
    own = venue.accounts[idle].clone()
    assume(own.cash >= 0)
    for position in own.positions.values():
        assume(position.size == 0 and position.cost == 0)
    assume(step.action not in ("deposit", "withdraw", "redeem", "trade") or step.argument("account") != idle)
    assume(step.action != "trade" or step.argument("maker") != idle)
    assume(step.action not in ("liquidate", "seize_collateral") or step.argument("liquidator") != idle)
    watch(venue, idle)
    step.take(venue)
    after = venue.accounts[idle]
    return every(
        (
            after.cash >= own.cash,
            *(after.collateral[asset].amount == held.amount for asset, held in own.collateral.items()),
            *(after.collateral[asset].counted == held.counted for asset, held in own.collateral.items()),
        )
    )


# --- Final settlement -----------------------------------------------------------------------------------------------


@chapter.theorem("REF-SET-3", bounds=ANY_STEP, relaxed=relaxed)
def ratio_of_the_settlement_never_changes(venue: Reference, step: Step) -> Any:
    """Once the payout is fixed nothing changes it: it does not matter who redeems first."""
    pool, claims = venue.settlement_pool, venue.settlement_claims
    assume(claims != 0)
    assume(venue.settling_since != 0)
    step.take(venue)
    return every((venue.settlement_pool == pool, venue.settlement_claims == claims))


@chapter.theorem("REF-SET-4")
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


@chapter.theorem("REF-SET-5")
def settlement_promises_what_the_vault_holds(venue: Reference, caller: User) -> Any:
    """When the payout is fixed, after the grace period, the pool is no more than the vault holds of it, and all that is
    claimed where the vault holds it."""
    started = venue.settling_since
    venue.fix_settlement(caller)
    held = venue.held[USD] * QUOTE_PER_UNIT
    return every(
        (
            started != 0,
            venue.now >= started + GRACE,
            venue.settlement_pool <= held,
            venue.settlement_pool <= venue.settlement_claims,
            venue.settlement_pool == venue.settlement_claims or venue.settlement_pool == held,
        )
    )


@chapter.theorem("REF-SET-6")
def redeeming_pays_the_part_of_the_cash_and_all_collateral(venue: Reference, account: AccountId) -> Any:
    """Whoever redeems without debts gets its collateral in kind, and its cash to the token unit where the vault held
    all claims when the payout was fixed; else the part that it then held, no less than one token unit below."""
    own, owner = venue.accounts[account].clone(), venue.owner(account)
    assume(own.cash >= 0)
    for fee in venue.transfer_fee.values():
        assume(fee == 0)
    pool, claims = venue.settlement_pool, venue.settlement_claims
    wallet = {token: holders[owner] for token, holders in venue.balance.items()}
    paid = venue.redeem(account)
    got = {token: holders[owner] - wallet[token] for token, holders in venue.balance.items()}
    return every(
        (
            got[USD] == paid,
            (paid + 1) * QUOTE_PER_UNIT * claims > own.cash * pool,
            pool != claims or (paid + 1) * QUOTE_PER_UNIT > own.cash,
            *(got[asset] == held.amount for asset, held in own.collateral.items()),
        )
    )


@chapter.theorem("REF-SET-7", bounds="funding settled before", relaxed=settled_before)
def settlement_closes_at_the_last_accepted_prices(venue: Reference, caller: User) -> Any:
    """The end closes every position at the last accepted mark, whatever its age: each account has in cash what it was
    worth, nobody gains or loses by it, and no position or open interest is left."""
    worths = {name: wealth(venue, name) for name in venue.accounts}
    venue.start_settlement(caller)
    return every(
        (
            *(held.cash == worths[name] for name, held in venue.accounts.items()),
            *(p.size == 0 and p.cost == 0 for held in venue.accounts.values() for p in held.positions.values()),
            *(market.open_interest == 0 for market in venue.markets.values()),
            venue.settling_since == venue.now,
        )
    )


# --- To the last unit -----------------------------------------------------------------------------------------------


def _ripe(venue: Reference, account: CounterpartyId) -> None:
    """The account is in default, nothing but its equity is in question."""
    assume(venue.settling_since == 0 and venue.insurance == 0 and venue.accounts[account].in_default)
    assume(all(holding.amount == 0 for holding in venue.accounts[account].collateral.values()))


@chapter.lemma("REF-DEF-12", bounds="funding settled before", relaxed=settled_before)
def deficit_of_one_unit_is_a_deficit(venue: Reference, account: CounterpartyId) -> Any:
    """A default is closed exactly while equity is negative, be it by one unit of quote."""
    _ripe(venue, account)
    equity = accepted(venue.equity, account)
    return (refusal(venue._deficit, account) is None) == (equity < 0)


@chapter.theorem("REF-DEF-13", bounds=ANY_EQUITY, scope=THIS_MARKET, relaxed=fresh_equity)
def smallest_position_can_be_deleveraged(
    venue: Reference, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
) -> Any:
    """A position in default closes at fresh prices against the most profitable on the other side, of any sizes."""
    assume(all_prices_are_fresh(venue))
    _ripe(venue, account)
    assume(venue.equity(account) < 0)
    for party in (account, counterparty):
        assume(refusal(venue._in_one_market, party, market) is None)
    one, chosen = (venue.accounts[party].positions[market] for party in (account, counterparty))
    assume((one.size > 0 and chosen.size < 0) or (one.size < 0 and chosen.size > 0))
    assume(refusal(venue._most_profitable, market, counterparty) is None)
    return refusal(venue.deleverage, caller, account, market, counterparty) is None
