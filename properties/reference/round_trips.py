"""Round trips: going back and forth at unchanged prices never pays, to the last unit (chapters 4, 5 and 7 together)."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import BUY, SELL, AccountId, Amount, Size, TokenId
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import ETH, FLAT, HERE, OTHER, chapter, unchecked, worth

ANY_MARGIN = "whatever margin says; funding settled"
ANY_PRICE = {
    name: options
    for name, options in {**FLAT, f"accounts[{OTHER}].positions[{HERE}].size": (0,)}.items()
    if not name.startswith("orders")
}


@chapter.theorem("REF-RT-1", bounds=ANY_MARGIN)
def deposit_comes_back_exactly(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """Tokens deposited and withdrawn at once leave wallet, cash and the amounts of collateral as they were. What of it
    counts then goes by its present place in the tiers (COL-4), which may be less or more."""
    own = venue.accounts[account].clone()
    wallet = dict(venue.balance[token])
    unchecked(venue).deposit(account, token, amount)
    assume(venue.transfer_fee[token] == 0)
    venue.withdraw(account, token, amount)
    after = venue.accounts[account]
    return every(
        (
            after.cash == own.cash,
            *(after.collateral[asset].amount == held.amount for asset, held in own.collateral.items()),
            *(venue.balance[token][holder] == before for holder, before in wallet.items()),
        )
    )


@chapter.theorem("REF-RT-2", bounds=ANY_MARGIN, scope={"token": (ETH,)})
def deposit_and_withdrawal_never_gain_count(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """Collateral deposited to an account that has none and withdrawn again leaves no count behind."""
    holding = venue.accounts[account].collateral[ETH]
    assume(holding.amount == 0)
    assume(holding.counted == 0)
    unchecked(venue).deposit(account, token, amount)
    venue.withdraw(account, token, amount)
    return venue.accounts[account].collateral[ETH].counted == 0


@chapter.theorem("REF-RT-3", bounds=f"{ANY_MARGIN}; one market, no positions before", scope=ANY_PRICE)
def trade_and_its_reverse_never_profit(venue: Reference, account: AccountId, size: Size) -> Any:
    """Who trades and trades back with the same offer turned round has lost exactly its fees; the maker never gains."""
    before = worth(venue, account), worth(venue, OTHER)
    offer = venue.orders[HERE][OTHER]
    assume(offer.price >= 1)
    price, side = offer.price, BUY if offer.size < 0 else SELL
    unchecked(venue).trade(account, OTHER, HERE, size)
    venue.place_order(OTHER, HERE, side, size, price)
    venue.trade(account, OTHER, HERE, size)
    return every((worth(venue, account) <= before[0], worth(venue, OTHER) <= before[1]))


@chapter.theorem("REF-RT-4", bounds=f"{ANY_MARGIN}; one market, no positions before", scope=ANY_PRICE)
def trading_in_parts_never_saves(venue: Reference, account: AccountId, first: Size, second: Size) -> Any:
    """Two trades leave the taker no richer than one of their sum with the same offer."""
    twin = venue.clone()
    unchecked(venue).trade(account, OTHER, HERE, first)
    venue.trade(account, OTHER, HERE, second)
    unchecked(twin).trade(account, OTHER, HERE, first + second)
    return worth(venue, account) <= worth(twin, account)
