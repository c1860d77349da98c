"""Chapter 2, accounts and the ledger: no action creates or destroys money, collateral or size."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import SILENT
from marginspec.model.reference.notation import (
    QUOTE_PER_UNIT,
    USD,
    VENUE,
    AccountId,
    AssetId,
    MarketId,
    StoredPrice,
    TokenId,
    above_zero,
)
from marginspec.model.reference.positions import FUNDING_SCALE, profit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, assume, every
from marginspec.properties.reference.relaxed import charging, relaxed, relaxed_but_size, watched, watched_market
from marginspec.properties.reference.scope import (
    ACCOUNTS,
    ANY_STEP,
    ELSEWHERE,
    ETH,
    HERE,
    chapter,
    positions_in_one_market,
    watch,
)
from marginspec.properties.relaxation import EACH, put
from marginspec.properties.scope import pinned


@chapter.invariant("REF-LED-2", bounds=ANY_STEP, relaxed=relaxed)
def collateral_is_conserved(venue: Reference, asset: AssetId) -> Any:
    """Of every other asset the venue holds exactly the collateral of all accounts."""
    return venue.collateral_surplus(asset) == 0


@chapter.invariant("REF-LED-3", bounds=ANY_STEP, relaxed=relaxed)
def longs_equal_shorts(venue: Reference, market: MarketId) -> Any:
    """The sizes of all positions in a market add up to nothing."""
    return sum(account.positions[market].size for account in venue.accounts.values()) == 0


@chapter.invariant("REF-LED-1", given=(longs_equal_shorts,), bounds=ANY_STEP, relaxed=relaxed)
def settlement_asset_is_conserved(venue: Reference) -> Any:
    """The settlement asset held is exactly all cash less all cost, and the insurance fund, the fees and the pot."""
    return venue.surplus() == 0


@chapter.invariant("REF-LED-4", bounds=ANY_STEP, relaxed=watched_market)
def open_interest_is_the_sum_of_longs(venue: Reference, market: MarketId) -> Any:
    """Open interest is the sum of all long sizes."""
    watch(venue, market)
    longs = sum(above_zero(account.positions[market].size) for account in venue.accounts.values())
    return venue.markets[market].open_interest == longs


@chapter.invariant("REF-LED-5", bounds=ANY_STEP, relaxed=relaxed)
def vault_holds_what_is_recorded(venue: Reference) -> Any:
    """The venue's token balances are at least what it has recorded as received and not paid out."""
    return every(venue.balance[token][VENUE] >= held for token, held in venue.held.items())


@chapter.invariant("REF-LED-6", bounds=ANY_STEP, relaxed=relaxed)
def counted_collateral_is_collateral(venue: Reference, asset: AssetId) -> Any:
    """No more of a holding counts than there is of it."""
    return every(
        condition
        for account in venue.accounts.values()
        for holding in (account.collateral[asset],)
        for condition in (holding.counted >= 0, holding.counted <= holding.amount)
    )


@chapter.invariant("REF-LED-7", bounds=ANY_STEP, relaxed=watched)
def closed_position_costs_nothing(venue: Reference, account: AccountId, market: MarketId) -> Any:
    """A position of size zero has no cost left, whosever it is: what it made or lost is in cash."""
    watch(venue, account)
    position = venue.accounts[account].positions[market]
    return position.size != 0 or position.cost == 0


@chapter.invariant("REF-DEF-5", bounds=ANY_STEP, relaxed=relaxed)
def defaults_are_counted(venue: Reference) -> Any:
    """The withdrawal gate counts exactly the accounts in default."""
    return venue.defaults == sum(1 if account.in_default else 0 for account in venue.accounts.values())


@chapter.invariant("REF-LED-8", bounds=ANY_STEP, relaxed=relaxed_but_size)
def funds_are_never_negative(venue: Reference) -> Any:
    """Neither the insurance fund nor the fees are ever negative, and settlement pays out no more than is claimed."""
    return every((venue.insurance >= 0, venue.fees >= 0, venue.settlement_pool <= venue.settlement_claims))


FUNDING = {
    **positions_in_one_market(*ACCOUNTS),
    "market": pinned(HERE, why="the sum over markets is kept in each by itself; for cost"),
    "asset": pinned(ETH, why="collateral is no part of funding"),
    "price": pinned(0, why="what was paid for a position is no part of its funding"),
}


# What is charged and not yet credited is in the pot; once all have settled, each index is the market's and the sum on
# the right is the index times REF-LED-3, nothing.
@chapter.theorem(
    "REF-POS-11",
    given=(longs_equal_shorts,),
    bounds=f"{ANY_STEP}; positions in one market; funding accrued before, which changes no position and no pot",
    scope=FUNDING,
    relaxed=charging,
)
def funding_never_pays_out_more_than_it_takes(venue: Reference, step: Step) -> Any:
    """No action leaves the pot short of funding that is still to be credited, where it was not before: funding is
    zero-sum, rounding stays with the venue."""
    assume(covers_funding(venue))
    step.take(venue)
    return covers_funding(venue)


def covers_funding(venue: Reference) -> Any:
    """The pot covers all funding that is still to be credited."""
    owed = sum(p.size * p.funding_index for account in venue.accounts.values() for p in account.positions.values())
    return venue.pot * FUNDING_SCALE >= owed


@chapter.theorem("REF-LED-11", bounds=ANY_STEP, relaxed=relaxed)
def token_that_fails_never_moves(venue: Reference, step: Step, token: TokenId) -> Any:
    """While a token refuses or reverts, the venue neither gets nor gives any, and books none."""
    assume(venue.token_fault[token] > SILENT)
    held, vault = venue.held[token], venue.balance[token][VENUE]
    step.take(venue)
    return every((venue.held[token] == held, venue.balance[token][VENUE] == vault))


# --- Solvency -------------------------------------------------------------------------------------------------------


# With REF-DEF-6, 10 and REF-POS-11, under which no account has a deficit and no fund is negative, the vault covers all.
@chapter.lemma("REF-LED-9", bounds="two markets, three accounts; no conditions on prices")
def vault_covers_all_claims(venue: Reference, mark: StoredPrice, other_mark: StoredPrice) -> Any:
    """What all accounts own at any marks, with the funds and the pot, is exactly the settlement asset in the vault."""
    marks = {HERE: mark, ELSEWHERE: other_mark}
    for market in marks:
        assume(longs_equal_shorts(venue, market))
    assume(settlement_asset_is_conserved(venue))
    owned = sum(
        account.cash + sum(profit(position, marks[market]) for market, position in account.positions.items())
        for account in venue.accounts.values()
    )
    return owned + venue.insurance + venue.fees + venue.pot == venue.held[USD] * QUOTE_PER_UNIT


@chapter.lemma("REF-LED-10", bounds="two markets, three accounts, settled before, of which none has a deficit")
def nobody_owns_more_than_the_vault_holds(venue: Reference, mark: StoredPrice, other_mark: StoredPrice) -> Any:
    """Where no account owes more than it has, the vault can pay every account what it owns, at any marks."""
    marks = {HERE: mark, ELSEWHERE: other_mark}
    for market in marks:
        assume(longs_equal_shorts(venue, market))
        put(venue.markets[market].funding_index, venue, "accounts", EACH, "positions", market, "funding_index")
    assume(settlement_asset_is_conserved(venue))
    assume(covers_funding(venue))
    assume(funds_are_never_negative(venue))
    owned = 0
    for account in venue.accounts.values():
        own = account.cash + sum(profit(position, marks[market]) for market, position in account.positions.items())
        assume(own >= 0)
        owned += own
    return owned <= venue.held[USD] * QUOTE_PER_UNIT
