"""Interest: who pays it, who receives it, and that it makes no difference when it is accrued."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import WAD, YEAR, ZERO, Account, MarketId, MorphoBlue, User, Wad
from marginspec.model.kernel import Call
from marginspec.properties.deployed.morpho_blue.figures import worth
from marginspec.properties.deployed.morpho_blue.invariants import (
    fee_is_at_most_a_quarter,
    no_market_is_ahead_of_time,
    no_market_lends_more_than_it_holds,
)
from marginspec.properties.deployed.morpho_blue.scope import (
    WITHOUT_ACCRUAL,
    borrow_rate_not_higher,
    chapter,
    is_created,
    supply_rate_not_lower,
)
from marginspec.properties.law import Step, assume, every, refusal
from marginspec.properties.scope import pinned

ANY_TIME = "any time since the last accrual"

# What accrual has no part in, so that it cannot tell an action with accrual before it from one without.
POSITION = "accrual reads of accounts only the fee recipient's position, and every account has one"
NO_SHARES = "accrual changes of positions only supply shares, which this action does not read"
NO_RIGHTS = "accrual reads nobody's rights"
PAID_LAST = "accrual reads and changes no tokens"
ACCRUAL = {
    "fee_recipient": pinned("actor", why=POSITION),
    "caller": pinned("actor", "other", why=NO_RIGHTS),
    "owner": pinned("other", why=NO_RIGHTS),
    "on_behalf": pinned("other", ZERO, why=NO_SHARES),
    "borrower": pinned("other", why=NO_SHARES),
    "step:supply.on_behalf": pinned("actor", "other", ZERO, why=POSITION),
    "step:withdraw.on_behalf": pinned("actor", "other", why=POSITION),
    "receiver": pinned("other", why=PAID_LAST),
    "step:supply.caller": pinned("other", why=PAID_LAST),
    "step:repay.caller": pinned("other", why=PAID_LAST),
    "step:liquidate.caller": pinned("other", why=PAID_LAST),
    "params[here].loan_token": pinned("loan", why=PAID_LAST),
    "params[here].collateral_token": pinned("collateral", why=PAID_LAST),
}

BESIDE_ACCRUAL = {
    **ACCRUAL,
    "token": pinned("loan", why=PAID_LAST),
    "account": pinned("actor", why=PAID_LAST),
    "authorized": pinned("actor", why=NO_RIGHTS),
    "new_owner": pinned("actor", "other", why=NO_RIGHTS),
    "step:transfer.caller": pinned("actor", why=PAID_LAST),
    "step:approve.caller": pinned("actor", why=PAID_LAST),
    "step:supply_collateral.caller": pinned("actor", why=PAID_LAST),
}


# Every law that assumes accrued interest rests on this: an action at any time is an accrual and that action, and where
# either is refused, so is the other, by the same rule.
@chapter.composition(
    "MB-ACC-1",
    covers=(
        "AccrueInterest.supplyAccruesInterest",
        "AccrueInterest.withdrawAccruesInterest",
        "AccrueInterest.borrowAccruesInterest",
        "AccrueInterest.repayAccruesInterest",
        "AccrueInterest.accrueInterestCommutesExceptForSetFeeRecipient",
    ),
    scope=ACCRUAL,
)
def accruing_first_makes_no_difference(venue: MorphoBlue, step: Step) -> Any:
    """An action on a market does the same, or is refused by the same rule, as right after accruing interest."""
    return Step(Call("accrue_interest", {"caller": step.argument("caller"), "market": step.argument("market")}))


@chapter.theorem(
    "MB-ACC-2",
    covers=("AccrueInterest.accrueInterestCommutesExceptForSetFeeRecipient",),
    bounds=ANY_TIME,
    scope=BESIDE_ACCRUAL,
)
def accrual_commutes_with_actions_that_do_not_accrue(
    venue: MorphoBlue, caller: User, step: Step, market: MarketId
) -> Any:
    """An action that accrues no interest, other than changing the fee recipient, may as well come after an accrual: the
    two do the same, or are refused by the same rules, in either order."""
    assume(step.action != "set_fee_recipient" and step.action != "advance_time")
    assume(step.argument("market") is None or step.action in WITHOUT_ACCRUAL)
    assume(is_created(venue, market))
    other = venue.clone()
    accrual, refused = refusal(venue.accrue_interest, caller, market), refusal(step.take, venue)
    if refusal(step.take, other) != refused or refusal(other.accrue_interest, caller, market) != accrual:
        return False
    return venue.flatten() == other.flatten()


@chapter.theorem("MB-ACC-3", bounds=ANY_TIME)
def accruing_twice_is_accruing_once(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """A second accrual in the same block changes nothing."""
    venue.accrue_interest(caller, market)
    once = venue.flatten()
    return refusal(venue.accrue_interest, caller, market) is None and venue.flatten() == once


@chapter.theorem(
    "MB-ACC-4",
    given=(fee_is_at_most_a_quarter,),
    covers=("ExchangeRate.accrueInterestIncreasesSupplyExchangeRate",),
    bounds=ANY_TIME,
)
def accrual_never_lowers_the_supply_rate(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Accruing interest never makes a supply share worth less, the fee included."""
    before = venue.markets[market].clone()
    venue.accrue_interest(caller, market)
    return supply_rate_not_lower(before, venue.markets[market])


@chapter.theorem("MB-ACC-5", covers=("ExchangeRate.accrueInterestIncreasesBorrowExchangeRate",), bounds=ANY_TIME)
def accrual_never_lowers_the_borrow_rate(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Accruing interest never makes a borrow share owe less."""
    before = venue.markets[market].clone()
    venue.accrue_interest(caller, market)
    return borrow_rate_not_higher(venue.markets[market], before)


@chapter.theorem("MB-ACC-6", given=(no_market_lends_more_than_it_holds,), bounds=ANY_TIME)
def borrowers_pay_what_suppliers_and_fee_receive(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """Interest adds the same to what is owed and to what is supplied, so it neither makes nor takes liquidity."""
    m = venue.markets[market]
    idle = m.total_supply_assets - m.total_borrow_assets
    venue.accrue_interest(caller, market)
    return venue.markets[market].total_supply_assets - venue.markets[market].total_borrow_assets == idle


@chapter.theorem("MB-ACC-7", bounds=ANY_TIME)
def accrual_changes_only_the_fee_recipients_shares(
    venue: MorphoBlue, caller: User, market: MarketId, who: Account
) -> Any:
    """Accrual changes no debt, no collateral, no token balance, and no supply shares but the fee recipient's."""
    before, p = venue.clone(), venue.positions[market][who].clone()
    venue.accrue_interest(caller, market)
    q = venue.positions[market][who]
    assume(who != venue.fee_recipient)
    same = (
        q.supply_shares == p.supply_shares,
        q.borrow_shares == p.borrow_shares,
        q.collateral == p.collateral,
    )
    return every((*same, venue.balance == before.balance, venue.allowance == before.allowance))


@chapter.theorem("MB-ACC-8", given=(fee_is_at_most_a_quarter, no_market_is_ahead_of_time), bounds=ANY_TIME)
def fee_shares_are_worth_at_most_the_fee(venue: MorphoBlue, caller: User, market: MarketId) -> Any:
    """What the fee recipient's new shares are worth is at most the fee's part of the interest."""
    before = venue.markets[market].clone()
    venue.accrue_interest(caller, market)
    m = venue.markets[market]
    interest = m.total_supply_assets - before.total_supply_assets
    minted = m.total_supply_shares - before.total_supply_shares
    assume(minted > 0)
    return worth(m, minted) * WAD <= interest * m.fee


@chapter.lemma("MB-ACC-9")
def a_year_of_the_rate_is_at_most_the_utilisation(venue: MorphoBlue, market: MarketId) -> Any:
    """The borrow rate per second, times the seconds of a year, is at most the part of what is supplied that is lent."""
    m = venue.markets[market]
    rate = venue._borrow_rate(m)
    return rate * YEAR * m.total_supply_assets <= m.total_borrow_assets * WAD


@chapter.theorem(
    "MB-ACC-10",
    bounds=ANY_TIME,
    scope=ACCRUAL,
)
def whoever_acts_on_a_market_brings_its_interest_up_to_now(venue: MorphoBlue, step: Step) -> Any:
    """After an action that depends on a market's totals, its interest has been accrued in the same block."""
    market = step.argument("market")
    assume(market is not None and step.action not in WITHOUT_ACCRUAL)
    step.take(venue)
    return venue.markets[market].last_update == venue.now


# A fee that reaches back would take from suppliers what they had earned before it was known.
@chapter.theorem("MB-ACC-11", bounds=ANY_TIME)
def new_fee_takes_nothing_of_the_interest_so_far(
    venue: MorphoBlue, caller: User, market: MarketId, new_fee: Wad
) -> Any:
    """Setting a fee does what accruing interest at the old fee does, and sets it."""
    accrued = venue.clone()
    venue.set_fee(caller, market, new_fee)
    if refusal(accrued.accrue_interest, caller, market) is not None:
        return False
    accrued.markets[market].fee = new_fee
    return venue.flatten() == accrued.flatten()
