"""Round trips: going back and forth at unchanged prices never pays, to the last unit (chapters 4, 5 and 7 together)."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.collateral import counted_in_tiers
from marginspec.model.reference.notation import (
    BUY,
    QUOTE_PER_UNIT,
    SELL,
    USD,
    VENUE,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    MarketId,
    Size,
    TokenId,
)
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, assume, every
from marginspec.properties.reference.relaxed import any_realisation, unchecked_margin
from marginspec.properties.reference.scope import after_funding, chapter, wealth

ANY_MARGIN = "whatever margin says; funding settled before"


@chapter.theorem("REF-RT-1", bounds=ANY_MARGIN, relaxed=unchecked_margin)
def deposit_comes_back_exactly(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """Tokens deposited and withdrawn at once leave wallet, cash and the amount of collateral as they were. Of what
    counted before and what the deposit added, as much stays as is in proportion to what is left: the count may fall or
    rise by a round trip, and is never more than the collateral (REF-LED-6)."""
    own, total = venue.accounts[account].clone(), venue.held[token]
    wallet = venue.balance[token].copy()
    venue.deposit(account, token, amount)
    assume(venue.transfer_fee[token] == 0)
    venue.withdraw(account, token, amount)
    after = venue.accounts[account]
    in_proportion = True
    if token != USD:
        asset = AssetId(token)
        terms, left, before = venue.asset_terms[asset], after.collateral[asset], own.collateral[asset]
        added = counted_in_tiers(total + amount, terms) - counted_in_tiers(total, terms)
        in_proportion = left.counted * (before.amount + amount) <= (before.counted + added) * left.amount
    return every(
        (
            in_proportion,
            after.cash == own.cash,
            *(after.collateral[asset].amount == held.amount for asset, held in own.collateral.items()),
            *(venue.balance[token][holder] == before for holder, before in wallet.items()),
        )
    )


@chapter.theorem("REF-RT-2", bounds=ANY_MARGIN, relaxed=unchecked_margin)
def deposit_and_withdrawal_never_gain_count(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """Collateral deposited to an account that has none and withdrawn again leaves no count behind."""
    assume(token != USD)
    holding = venue.accounts[account].collateral[AssetId(token)]
    assume(holding.amount == 0)
    assume(holding.counted == 0)
    venue.deposit(account, token, amount)
    venue.withdraw(account, token, amount)
    return venue.accounts[account].collateral[AssetId(token)].counted == 0


@chapter.theorem("REF-RT-3", bounds=ANY_MARGIN, relaxed=any_realisation)
def trade_and_its_reverse_never_profit(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """Who trades and trades back with the same offer turned round has lost exactly its fees; the maker never gains."""
    before = wealth(venue, account), wealth(venue, maker)
    offer = venue.orders[market][maker]
    assume(offer.price >= 1)
    price, side = offer.price, BUY if offer.size < 0 else SELL
    venue.trade(account, maker, market, size)
    venue.place_order(maker, market, side, size, price)
    venue.trade(account, maker, market, size)
    return every((wealth(venue, account) <= before[0], wealth(venue, maker) <= before[1]))


@chapter.theorem("REF-RT-4", bounds=ANY_MARGIN, relaxed=any_realisation)
def trading_in_parts_never_saves(
    venue: Reference, account: CounterpartyId, maker: CounterpartyId, market: MarketId, first: Size, second: Size
) -> Any:
    """Two trades leave the taker no richer than one of their sum with the same offer."""
    twin = venue.clone()
    venue.trade(account, maker, market, first)
    venue.trade(account, maker, market, second)
    twin.trade(account, maker, market, first + second)
    return wealth(venue, account) <= wealth(twin, account)


# What both sides own together never grows by trading, so a round trip of any trades between two accounts of one owner,
# whatever their prices, loses its fees.
@chapter.theorem("REF-RT-5", bounds=ANY_MARGIN, relaxed=any_realisation)
def two_trades_between_two_accounts_never_profit(
    venue: Reference, account: CounterpartyId, maker: CounterpartyId, market: MarketId, first: Size, second: Size
) -> Any:
    """Two trades between the same two accounts, in either direction, leave both together no richer at the same mark."""
    before = wealth(venue, account) + wealth(venue, maker)
    venue.trade(account, maker, market, first)
    venue.trade(maker, account, market, second)
    return wealth(venue, account) + wealth(venue, maker) <= before


# Each step of it holds of every state, so it holds of two, three or any number of steps: no round trip profits.
@chapter.theorem("REF-RT-6", bounds=ANY_MARGIN, relaxed=any_realisation)
def going_back_and_forth_never_profits(venue: Reference, one: AccountId, other: AccountId, step: Step) -> Any:
    """However often an owner deposits, offers, trades between two accounts and withdraws, in whatever order, both and
    the wallets together have no more of any token, nor of quote at the same marks, than before."""
    assume(step.action in ("deposit", "withdraw", "place_order", "trade"))
    mine = (one, other)
    assume(step.argument("account") in mine and step.argument("maker") in (None, *mine))
    before = after_funding(venue, *mine)
    step.take(venue)
    after = after_funding(venue, *mine)
    return every(_of_token(after, mine, token) <= _of_token(before, mine, token) for token in venue.held)


def _of_token(venue: Reference, accounts: tuple[AccountId, ...], token: TokenId) -> Any:
    """What two accounts and all wallets have of a token; of the settlement asset in quote, with profits and losses."""
    one, other = accounts
    in_wallets = sum(amount for holder, amount in venue.balance[token].items() if holder != VENUE)
    if token == USD:
        held = wealth(venue, one) + (wealth(venue, other) if other != one else 0)
        return held + in_wallets * QUOTE_PER_UNIT
    asset = AssetId(token)
    held = venue.accounts[one].collateral[asset].amount
    return held + in_wallets + (venue.accounts[other].collateral[asset].amount if other != one else 0)
