"""Chapter 7, deposit, withdraw, trade."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import (
    MAX_AMOUNT,
    PENALTY,
    PPM,
    QUOTE_PER_UNIT,
    USD,
    VENUE,
    AccountId,
    Amount,
    Fraction,
    SignedSize,
    Size,
    StoredAmount,
    StoredPrice,
    StoredSize,
    TokenId,
    User,
    magnitude,
)
from marginspec.model.reference.trading import is_reducing, trading_fee
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import (
    ETH,
    FLAT,
    HERE,
    OTHER,
    SIMPLE,
    SIMPLE_BOUNDS,
    chapter,
    settled,
    unchecked,
    worth,
)


@chapter.theorem("REF-TRD-1")
def splitting_a_trade_never_saves_fees(
    venue: Reference, first: StoredSize, second: StoredSize, price: StoredPrice, fee: Fraction
) -> Any:
    """Two trades cost at least the fees of one of their sum, and no trade at a fee is free."""
    apart = trading_fee(first, price, fee) + trading_fee(second, price, fee)
    whole = trading_fee(first + second, price, fee)
    return every((whole <= apart, whole >= 1 or (first + second) * price * fee == 0))


@chapter.theorem("REF-TRD-2")
def reduction_brings_a_position_nearer_to_zero(venue: Reference, position: SignedSize, size: SignedSize) -> Any:
    """A trade reduces a position exactly when that becomes smaller and does not change sides."""
    after = position + size
    nearer = 0 <= after < position or position < after <= 0
    return is_reducing(position, size) == nearer


# --- What an owner can take out -------------------------------------------------------------------------------------


@chapter.theorem("REF-WDR-1", bounds=SIMPLE_BOUNDS, scope=SIMPLE)
def withdrawal_leaves_initial_margin(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """Whoever withdraws then has initial margin, or neither positions nor debts."""
    settled(venue).withdraw(account, token, amount)
    owes_nothing = venue.accounts[account].positions[HERE].size == 0 and venue.accounts[account].cash >= 0
    return owes_nothing or venue.equity(account) >= venue.initial_margin(account)


@chapter.theorem("REF-WDR-2", bounds="whatever margin says; funding settled")
def withdrawal_is_never_beyond_what_is_there(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """A withdrawal takes exactly its tokens, from cash that stays positive or from collateral, and from the vault."""
    own, owner = venue.accounts[account], venue.owner(account)
    before = own.cash, {asset: holding.amount for asset, holding in own.collateral.items()}
    held, vault = venue.held[token], venue.balance[token][VENUE]
    unchecked(venue).withdraw(account, token, amount)
    own = venue.accounts[account]
    paid = amount * QUOTE_PER_UNIT if token == USD else 0
    taken = {asset: amount if asset == token else 0 for asset in own.collateral}
    return every(
        (
            own.cash == before[0] - paid,
            paid == 0 or own.cash >= 0,
            *(own.collateral[asset].amount == before[1][asset] - n for asset, n in taken.items()),
            *(holding.amount >= 0 for asset, holding in own.collateral.items() if asset == token),
            venue.held[token] == held - amount,
            venue.held[token] >= 0,
            venue.balance[token][VENUE] == vault - amount,
            owner == venue.owner(account),
        )
    )


@chapter.theorem("REF-WDR-3", bounds="two markets, two collateral assets")
def whoever_owes_nothing_can_withdraw(venue: Reference, account: AccountId, amount: StoredAmount) -> Any:
    """Without positions and debts, cash can be withdrawn whatever the prices, as far as the vault holds it."""
    own = venue.accounts[account]
    for position in own.positions.values():
        assume(position.size == 0)
    assume(amount >= 1)
    assume(venue.settling_since == 0)
    assume(venue.defaults == 0)
    assume(amount * QUOTE_PER_UNIT <= own.cash)
    assume(amount <= venue.held[USD])
    return refusal(venue.withdraw, account, USD, amount) is None


@chapter.theorem("REF-WDR-4")
def gate_is_shut_while_anybody_is_in_default(
    venue: Reference, account: AccountId, caller: User, token: TokenId, amount: Amount
) -> Any:
    """While an account is in default nobody withdraws anything, nor does the governor collect fees."""
    assume(venue.defaults != 0)
    withdrawn, collected = refusal(venue.withdraw, account, token, amount), refusal(venue.collect_fees, caller, amount)
    return withdrawn is not None and collected is not None


# The way out of a liquidation: no role, gate, cap, pause or price can close it.
@chapter.theorem("REF-DEP-1", bounds="before the final payout is fixed; a token without a fee, within 96 bits in all")
def cash_can_always_be_added(venue: Reference, account: AccountId, amount: StoredAmount) -> Any:
    """Whoever has the settlement asset can deposit it, whatever else is shut."""
    assume(venue.settlement_claims == 0)
    assume(venue.transfer_fee[USD] == 0)
    assume(amount >= 1)
    assume(amount <= venue.balance[USD][venue.owner(account)])
    assume(venue.held[USD] + amount <= MAX_AMOUNT)
    return refusal(venue.deposit, account, USD, amount) is None


@chapter.theorem("REF-DEP-2", bounds="two collateral assets")
def deposit_is_credited_only_for_what_arrives(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """A deposit adds exactly the tokens that arrived, all of them or none: a token that keeps a fee is refused."""
    own, vault = venue.accounts[account].clone(), venue.balance[token][VENUE]
    venue.deposit(account, token, amount)
    after = venue.accounts[account]
    cash = after.cash - own.cash
    added = [after.collateral[asset].amount - held.amount for asset, held in own.collateral.items()]
    return every(
        (
            venue.balance[token][VENUE] - vault == amount,
            cash == (amount * QUOTE_PER_UNIT if token == USD else 0),
            sum(added) == (0 if token == USD else amount),
        )
    )


# Both together: a deposit split over accounts of one owner counts as one.
@chapter.theorem("REF-DEP-3", scope={"token": (ETH,)})
def splitting_a_deposit_over_accounts_never_counts_for_more(
    venue: Reference, account: AccountId, first: Amount, second: Amount
) -> Any:
    """Two deposits to two accounts count exactly as much as one of their sum to one account."""
    terms = venue.asset_terms[ETH]
    assume(terms.tier_1 <= terms.tier_2)
    twin = venue.clone()
    before = sum(venue.accounts[name].collateral[ETH].counted for name in (account, OTHER))
    venue._add_collateral(account, ETH, first)
    venue.held[ETH] += first
    venue._add_collateral(OTHER, ETH, second)
    twin._add_collateral(account, ETH, first + second)
    apart = sum(venue.accounts[name].collateral[ETH].counted for name in (account, OTHER))
    together = sum(twin.accounts[name].collateral[ETH].counted for name in (account, OTHER))
    return every((apart == together, before <= together, together <= before + first + second))


# --- Trades ---------------------------------------------------------------------------------------------------------


# The maker is checked by the same rule; here it is without a position and whatever its margin.
ONE_SIDE = {**SIMPLE, f"accounts[{OTHER}].positions[{HERE}].size": (0,), "orders[here][other].price": (0,)}


@chapter.theorem("REF-TRD-3", bounds=f"{SIMPLE_BOUNDS}; the taker of an offer at the mark", scope=ONE_SIDE)
def trade_leaves_initial_margin_or_reduces(venue: Reference, account: AccountId, size: Size) -> Any:
    """Whoever trades then has initial margin, owes nothing, or has reduced its position at no more than the penalty."""
    check, before = venue._after_trade, venue._before_trade
    instead: Any = settled(venue)
    instead._after_trade = lambda who, *rest: None if who == OTHER else check(who, *rest)
    instead._before_trade = lambda who, *rest: None if who == OTHER else before(who, *rest)
    held = venue.accounts[account].positions[HERE].size
    wealth = worth(venue, account)
    venue.trade(account, OTHER, HERE, size)
    position = venue.accounts[account].positions[HERE]
    if position.size == 0 and venue.accounts[account].cash >= 0:
        return True
    if venue.equity(account) >= venue.initial_margin(account):
        return True
    reduced = 0 <= position.size < held or held < position.size <= 0
    cost = wealth - worth(venue, account)
    return reduced and cost * PPM <= size * venue.assets[ETH].mark * venue.parameters[HERE][PENALTY]


ANY_PRICE = {name: options for name, options in FLAT.items() if not name.startswith("orders")}
ANY_MARGIN = "whatever margin says; one market; funding settled"


@chapter.theorem("REF-TRD-4", bounds=f"{ANY_MARGIN}; the taker without a position before", scope=ANY_PRICE)
def trade_is_zero_sum_but_for_fees(venue: Reference, account: AccountId, size: Size) -> Any:
    """What both sides of a trade lose together is exactly what the fees grow by, and neither fee is negative."""
    before, fees = worth(venue, account) + worth(venue, OTHER), venue.fees
    unchecked(venue).trade(account, OTHER, HERE, size)
    after = worth(venue, account) + worth(venue, OTHER)
    return every((before - after == venue.fees - fees, venue.fees >= fees))


@chapter.theorem("REF-TRD-5", bounds=f"{ANY_MARGIN}; the taker without a position before", scope=ANY_PRICE)
def trade_moves_at_most_five_percent(venue: Reference, account: AccountId, size: Size) -> Any:
    """What a trade gives the taker is at most 5 % of its notional, whatever the offer asks."""
    before = worth(venue, account)
    unchecked(venue).trade(account, OTHER, HERE, size)
    return 20 * (worth(venue, account) - before) <= size * venue.assets[ETH].mark


@chapter.theorem("REF-TRD-6", bounds=ANY_MARGIN, scope=FLAT)
def trade_never_exceeds_consent(venue: Reference, account: AccountId, size: Size) -> Any:
    """A trade takes its size off the maker's offer, at most all of it, and on the side that the maker offered."""
    offered = venue.orders[HERE][OTHER].size
    held = venue.accounts[OTHER].positions[HERE].size
    unchecked(venue).trade(account, OTHER, HERE, size)
    left = venue.orders[HERE][OTHER].size
    got = venue.accounts[OTHER].positions[HERE].size - held
    return every((got == offered - left, magnitude(got) == size, 0 <= left < offered or offered < left <= 0))


@chapter.theorem("REF-TRD-7", bounds="the taker of an offer at the mark; funding settled", scope=ONE_SIDE)
def nobody_opens_while_reduce_only(venue: Reference, account: AccountId, size: Size) -> Any:
    """In a reduce-only market, or while its breaker has tripped, no trade opens or enlarges the taker's position."""
    assume(venue.markets[HERE].reduce_only or venue.assets[ETH].tripped_at != 0)
    check = venue._before_trade
    instead: Any = unchecked(venue)
    instead.equity = lambda account: 0
    instead._before_trade = lambda who, *rest: None if who == OTHER else check(who, *rest)
    held = venue.accounts[account].positions[HERE].size
    venue.trade(account, OTHER, HERE, size)
    return magnitude(venue.accounts[account].positions[HERE].size) < magnitude(held)
