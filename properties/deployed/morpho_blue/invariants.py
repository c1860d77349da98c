"""What is true of every reachable state of Morpho Blue."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import MAX_FEE, MORPHO, WAD, Account, Lltv, MarketId, MorphoBlue, Token
from marginspec.properties.deployed.morpho_blue.relaxed import any_tokens
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, HELD, chapter, is_created, settled
from marginspec.properties.law import Step, assume, every, implies, refusal
from marginspec.properties.scope import pinned


# Lenders can be paid out only as long as nobody else was lent their assets twice.
@chapter.invariant("MB-INV-1", covers=("ConsistentState.borrowLessSupply",), relaxed=any_tokens)
def no_market_lends_more_than_it_holds(venue: MorphoBlue, market: MarketId) -> Any:
    """In every market, the assets borrowed do not exceed the assets supplied."""
    return venue.markets[market].total_borrow_assets <= venue.markets[market].total_supply_assets


@chapter.invariant("MB-INV-2", covers=("ConsistentState.sumSupplySharesCorrect",), relaxed=any_tokens)
def supply_shares_add_up(venue: MorphoBlue, market: MarketId) -> Any:
    """In every market, the supply shares of all accounts sum to the total."""
    return venue.markets[market].total_supply_shares == sum(p.supply_shares for p in venue.positions[market].values())


@chapter.invariant("MB-INV-3", covers=("ConsistentState.sumBorrowSharesCorrect",), relaxed=any_tokens)
def borrow_shares_add_up(venue: MorphoBlue, market: MarketId) -> Any:
    """In every market, the borrow shares of all accounts sum to the total."""
    return venue.markets[market].total_borrow_shares == sum(p.borrow_shares for p in venue.positions[market].values())


@chapter.invariant("MB-INV-4", covers=("ConsistentState.feeInRange", "ExchangeRate.feeInRange"), relaxed=any_tokens)
def fee_is_at_most_a_quarter(venue: MorphoBlue, market: MarketId) -> Any:
    """No market takes more than 25 % of the interest as a fee."""
    return venue.markets[market].fee <= MAX_FEE


@chapter.invariant("MB-INV-5", covers=("ConsistentState.lltvSmallerThanWad",), relaxed=any_tokens)
def enabled_lltv_is_below_one(venue: MorphoBlue, lltv: Lltv) -> Any:
    """Every enabled liquidation loan-to-value is below 100 %."""
    return implies(venue.is_lltv_enabled[lltv], lltv < WAD)


@chapter.invariant("MB-INV-6", covers=("ConsistentState.onlyEnabledLltv",), relaxed=any_tokens)
def created_market_has_enabled_lltv(venue: MorphoBlue, market: MarketId) -> Any:
    """A market exists only over an enabled liquidation loan-to-value."""
    return implies(is_created(venue, market), venue.is_lltv_enabled[venue.params[market].lltv])


@chapter.invariant("MB-INV-14", given=(enabled_lltv_is_below_one,), relaxed=any_tokens)
def created_market_has_lltv_below_one(venue: MorphoBlue, market: MarketId) -> Any:
    """A market exists only with a liquidation loan-to-value below 100 %."""
    return implies(is_created(venue, market), venue.params[market].lltv < WAD)


@chapter.invariant("MB-INV-7", covers=("ConsistentState.onlyEnabledIrm",), relaxed=any_tokens)
def created_market_has_enabled_irm(venue: MorphoBlue, market: MarketId) -> Any:
    """A market exists only over an enabled interest rate model."""
    return implies(is_created(venue, market), venue.is_irm_enabled[venue.params[market].irm])


@chapter.invariant("MB-INV-8", covers=("Reverts.notInitializedEmpty",), relaxed=any_tokens)
def market_not_created_is_empty(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """A market that was not created holds nothing: no totals, no position."""
    m, p = venue.markets[market], venue.positions[market][who]
    if m.last_update != 0:
        return True
    held = (m.total_supply_assets, m.total_supply_shares, m.total_borrow_assets, m.total_borrow_shares)
    return every(x == 0 for x in (*held, p.supply_shares, p.borrow_shares, p.collateral))


@chapter.invariant("MB-INV-9", covers=("ConsistentState.noTimeTravel",), relaxed=any_tokens)
def no_market_is_ahead_of_time(venue: MorphoBlue, market: MarketId) -> Any:
    """No market's last accrual lies in the future."""
    return venue.markets[market].last_update <= venue.now


# What the whole protocol stands on: a claim that is not covered by tokens is a bank run waiting to happen.
@chapter.invariant(
    "MB-INV-10",
    given=(no_market_lends_more_than_it_holds,),
    covers=("ConsistentState.isLiquid", "ConsistentState.marketInvariant"),
    scope=HELD,
)
def contract_holds_what_it_owes(venue: MorphoBlue, token: Token) -> Any:
    """Of every token, the contract holds at least what all markets can still pay out: idle assets and collateral."""
    return _owed(venue, token) <= venue.balance[token][MORPHO]


def _owed(venue: MorphoBlue, token: Token) -> Any:
    idle = sum(
        m.total_supply_assets - m.total_borrow_assets
        for name, m in venue.markets.items()
        if venue.params[name].loan_token == token
    )
    collateral = sum(
        p.collateral
        for name, book in venue.positions.items()
        if venue.params[name].collateral_token == token
        for p in book.values()
    )
    return idle + collateral


@chapter.invariant("MB-INV-11", given=(created_market_has_lltv_below_one,), relaxed=any_tokens)
def every_debt_has_collateral(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """No account owes without any collateral."""
    return implies(venue.positions[market][who].borrow_shares != 0, venue.positions[market][who].collateral != 0)


PAID = {
    **HELD,
    "token": pinned("loan", "collateral", why="the tokens of the market, which may be one"),
    "params[here].loan_token": pinned("loan", why="a token is a name"),
    "receiver": pinned(MORPHO, why="whoever is paid is paid after the check"),
}
PAYING = ("withdraw", "borrow", "withdraw_collateral", "liquidate")


# The contract relies on the token to refuse a payment that it cannot make; it never comes to that.
@chapter.theorem(
    "MB-INV-12",
    given=(no_market_lends_more_than_it_holds, contract_holds_what_it_owes),
    rests_on=AT_ANY_TIME,
    scope=PAID,
)
def payment_by_the_contract_never_fails(venue: MorphoBlue, step: Step) -> Any:
    """No action is refused because the contract lacks the tokens it has to pay (TOK-5 is never reached)."""
    assume(step.action in PAYING and settled(venue, step))
    for market in venue.markets:
        assume(no_market_lends_more_than_it_holds(venue, market))
    return refusal(step.take, venue) != "TOK-5"


@chapter.theorem("MB-INV-13", rests_on=AT_ANY_TIME, relaxed=any_tokens)
def markets_are_independent(venue: MorphoBlue, step: Step) -> Any:
    """An action on one market changes no total, position or parameter of another."""
    assume(settled(venue, step))
    before = venue.clone()
    step.take(venue)
    others = [name for name in venue.markets if name != step.argument("market")]
    return all(venue.markets[n] == before.markets[n] and venue.positions[n] == before.positions[n] for n in others)
