"""Chapter 7, deposit, withdraw, trade."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.collateral import counted_in_tiers
from marginspec.model.reference.ledger import SILENT
from marginspec.model.reference.notation import (
    MAKER_FEE,
    MAX_AMOUNT,
    PENALTY,
    PPM,
    QUOTE_PER_UNIT,
    TAKER_FEE,
    USD,
    VENUE,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    Fraction,
    MarketId,
    Quote,
    SignedSize,
    Size,
    StoredAmount,
    StoredPrice,
    StoredSize,
    TokenId,
    magnitude,
)
from marginspec.model.reference.oracles import MAX_AGE
from marginspec.model.reference.trading import is_reducing, trading_fee
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, accepted, assume, every, refusal
from marginspec.properties.reference.relaxed import (
    any_close,
    any_realisation,
    one_checked,
    settled_before,
    settled_market,
    unchecked_margin,
)
from marginspec.properties.reference.scope import (
    HERE,
    SIMPLE,
    SIMPLE_BOUNDS,
    after_funding,
    chapter,
    check_only,
    owes_nothing,
    watch,
    worth,
)
from marginspec.properties.scope import pinned


@chapter.lemma("REF-TRD-1")
def splitting_a_trade_never_saves_fees(
    venue: Reference, first: StoredSize, second: StoredSize, price: StoredPrice, fee: Fraction
) -> Any:
    """Two trades cost at least the fees of one of their sum, and no trade at a fee is free."""
    apart = trading_fee(first, price, fee) + trading_fee(second, price, fee)
    whole = trading_fee(first + second, price, fee)
    return every((whole <= apart, whole >= 1 or (first + second) * price * fee == 0))


@chapter.lemma("REF-TRD-2")
def reduction_brings_a_position_nearer_to_zero(venue: Reference, position: SignedSize, size: SignedSize) -> Any:
    """A trade reduces a position exactly when that becomes smaller and does not change sides."""
    after = position + size
    nearer = 0 <= after < position or position < after <= 0
    return is_reducing(position, size) == nearer


# --- What an owner can take out -------------------------------------------------------------------------------------


@chapter.theorem("REF-WDR-1", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def withdrawal_leaves_initial_margin(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """Whoever withdraws then has initial margin, or neither positions nor debts."""
    venue.withdraw(account, token, amount)
    return owes_nothing(venue, account) or venue.equity(account) >= venue.initial_margin(account)


@chapter.theorem("REF-WDR-2", bounds="whatever margin says; funding settled", relaxed=unchecked_margin)
def withdrawal_is_never_beyond_what_is_there(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """A withdrawal takes exactly its tokens, from cash that stays positive or from collateral, and from the vault."""
    own, owner = venue.accounts[account], venue.owner(account)
    before = own.cash, {asset: holding.amount for asset, holding in own.collateral.items()}
    held, vault = venue.held[token], venue.balance[token][VENUE]
    venue.withdraw(account, token, amount)
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


@chapter.theorem("REF-WDR-5", bounds="whatever margin says; funding settled", relaxed=unchecked_margin)
def withdrawn_collateral_takes_its_part_of_the_count(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """A withdrawal leaves no more of the count than of the collateral."""
    assume(token != USD)
    held = venue.accounts[account].collateral[AssetId(token)].clone()
    venue.withdraw(account, token, amount)
    left = venue.accounts[account].collateral[AssetId(token)]
    return left.counted * held.amount <= held.counted * left.amount


@chapter.theorem("REF-WDR-6", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def feed_that_is_not_needed_stops_no_withdrawal(
    venue: Reference, account: AccountId, token: TokenId, amount: Amount
) -> Any:
    """A withdrawal is refused for a stale price only by an account with a position or collateral in that asset."""
    own = venue.accounts[account]
    assume(token == USD)
    needed = [asset for asset, holding in own.collateral.items() if holding.counted != 0]
    needed += [venue.market_terms[market].asset for market, position in own.positions.items() if position.size != 0]
    prices = [venue.assets[asset] for asset in needed]
    stale = any(price.mark == 0 or venue.now > price.time + MAX_AGE for price in prices)
    return stale or refusal(venue.withdraw, account, token, amount) != "ORC-8"


@chapter.theorem("REF-WDR-3", bounds="two markets, two collateral assets")
def whoever_owes_nothing_can_withdraw(venue: Reference, account: AccountId, amount: StoredAmount) -> Any:
    """Without positions and debts, cash can be withdrawn whatever the prices, exactly as far as the vault holds it."""
    own = venue.accounts[account]
    for position in own.positions.values():
        assume(position.size == 0)
    assume(amount >= 1)
    assume(venue.settling_since == 0)
    assume(venue.defaults == 0)
    assume(amount * QUOTE_PER_UNIT <= own.cash)
    assume(venue.token_fault[USD] <= SILENT)
    held = venue.held[USD]
    return refusal(venue.withdraw, account, USD, amount) == (None if amount <= held else "LED-8")


@chapter.theorem("REF-WDR-4")
def gate_is_shut_while_anybody_is_in_default(venue: Reference, step: Step) -> Any:
    """While an account is in default nobody withdraws anything, nor does the governor collect fees."""
    assume(venue.defaults != 0)
    assume(step.action in ("withdraw", "collect_fees"))
    return refusal(step.take, venue) is not None


# The way out of a liquidation: no role, gate, cap, pause or price can close it.
@chapter.theorem(
    "REF-DEP-1", bounds="before the final payout is fixed; a token that works, without a fee, within 96 bits"
)
def cash_can_always_be_added(venue: Reference, account: AccountId, amount: StoredAmount) -> Any:
    """Whoever has the settlement asset can deposit it, whatever else is shut."""
    assume(venue.settlement_claims == 0)
    assume(venue.transfer_fee[USD] == 0)
    assume(venue.token_fault[USD] <= SILENT)
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


@chapter.theorem("REF-DEP-4", bounds="two collateral assets")
def deposit_keeps_to_the_cap(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """After a deposit of collateral the venue holds no more of it than its cap."""
    assume(token != USD)
    venue.deposit(account, token, amount)
    return venue.held[token] <= venue.cap[AssetId(token)]


@chapter.theorem("REF-DEP-5")
def deposit_counts_for_its_tiers(venue: Reference, account: AccountId, token: TokenId, amount: Amount) -> Any:
    """A deposit adds to the count exactly what the tiers give for what the venue then holds more."""
    assume(token != USD)
    asset, total = AssetId(token), venue.held[token]
    before, terms = venue.accounts[account].collateral[asset].counted, venue.asset_terms[asset]
    venue.deposit(account, token, amount)
    added = venue.accounts[account].collateral[asset].counted - before
    return added == counted_in_tiers(venue.held[token], terms) - counted_in_tiers(total, terms)


# Both together: a deposit split over accounts of one owner counts as one.
@chapter.lemma("REF-DEP-3")
def splitting_a_deposit_over_accounts_never_counts_for_more(
    venue: Reference, account: AccountId, other: AccountId, asset: AssetId, first: Amount, second: Amount
) -> Any:
    """Two deposits to two accounts count exactly as much as one of their sum to one account."""
    terms = venue.asset_terms[asset]
    assume(terms.tier_1 <= terms.tier_2 and account != other)
    twin = venue.clone()
    before = sum(venue.accounts[name].collateral[asset].counted for name in (account, other))
    accepted(venue._add_collateral, account, asset, first)
    venue.held[asset] += first
    accepted(venue._add_collateral, other, asset, second)
    accepted(twin._add_collateral, account, asset, first + second)
    apart = sum(venue.accounts[name].collateral[asset].counted for name in (account, other))
    together = sum(twin.accounts[name].collateral[asset].counted for name in (account, other))
    return every((apart == together, before <= together, together <= before + first + second))


# --- Trades ---------------------------------------------------------------------------------------------------------


def _margin_or_reduction(
    venue: Reference, party: AccountId, account: AccountId, maker: CounterpartyId, market: MarketId, size: int
) -> Any:
    """Whether a party to a trade then has margin or nothing to lose, or has reduced its position at a bounded cost."""
    offer, held = venue.orders[market][maker].size, venue.accounts[party].positions[market].size
    bought = (-size if offer > 0 else size) * (1 if party == account else -1)
    reduces = is_reducing(held, bought)
    # A trade that reduces asks for equity first, so that it is refused where there is no answer.
    before = accepted(venue.equity, party) if reduces else 0
    check_only(venue, party)
    venue.trade(account, maker, market, size)
    if owes_nothing(venue, party):
        return True
    equity = venue.equity(party)
    if equity >= venue.initial_margin(party):
        return True
    mark = venue.assets[venue.market_terms[market].asset].mark
    most = size * mark * venue.parameters[market][PENALTY]
    return every((reduces, equity >= 0, (before - equity) * PPM <= most))


THIS_MARKET = {"market": pinned(HERE, why="markets differ in nothing but their assets; for cost")}
ASKED = "whatever equity and margin say; funding settled before"


@chapter.theorem("REF-TRD-3", bounds=ASKED, scope=THIS_MARKET, relaxed=one_checked)
def taker_has_initial_margin_or_reduces(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """Whoever trades then has initial margin, owes nothing, or has reduced its position, keeping equity and losing of
    it at most the penalty."""
    return _margin_or_reduction(venue, account, account, maker, market, size)


@chapter.theorem("REF-TRD-8", bounds=ASKED, scope=THIS_MARKET, relaxed=one_checked)
def maker_has_initial_margin_or_reduces(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """So has whoever made the offer: no offer is taken that its maker could not trade on."""
    return _margin_or_reduction(venue, maker, account, maker, market, size)


ANY_MARGIN = "whatever margin says; funding settled before"


@chapter.theorem("REF-TRD-4", bounds=ANY_MARGIN, relaxed=any_realisation)
def trade_is_zero_sum_but_for_fees(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """What both sides of a trade lose together is exactly what the fees grow by, and neither fee is negative."""
    fees, settled = venue.fees, after_funding(venue, account, maker)
    before = worth(settled, account, market) + worth(settled, maker, market)
    venue.trade(account, maker, market, size)
    after = worth(venue, account, market) + worth(venue, maker, market)
    return every((before - after == venue.fees - fees, venue.fees >= fees))


@chapter.theorem("REF-TRD-5", bounds=ANY_MARGIN, relaxed=any_realisation)
def trade_moves_at_most_five_percent(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """What a trade gives either side is at most 5 % of its notional, whatever the offer asks."""
    settled = after_funding(venue, account, maker)
    before = worth(settled, account, market), worth(settled, maker, market)
    venue.trade(account, maker, market, size)
    most = size * venue.assets[venue.market_terms[market].asset].mark
    return every(
        (
            20 * (worth(venue, account, market) - before[0]) <= most,
            20 * (worth(venue, maker, market) - before[1]) <= most,
        )
    )


@chapter.theorem("REF-TRD-9", bounds=ANY_MARGIN, relaxed=any_realisation)
def trade_pays_both_fees_in_full(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """A trade adds to the fees at least the taker's and the maker's part of its notional."""
    fees, price = venue.fees, venue.orders[market][maker].price or venue.assets[venue.market_terms[market].asset].mark
    parameters = venue.parameters[market]
    rates = parameters[TAKER_FEE] + parameters[MAKER_FEE]
    venue.trade(account, maker, market, size)
    return (venue.fees - fees) * PPM >= size * price * rates


@chapter.theorem("REF-TRD-6", bounds=ANY_MARGIN, relaxed=any_realisation)
def trade_never_exceeds_consent(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """A trade takes its size off the maker's offer, at most all of it, and on the side that the maker offered."""
    offered = venue.orders[market][maker].size
    held = venue.accounts[maker].positions[market].size
    venue.trade(account, maker, market, size)
    left = venue.orders[market][maker].size
    got = venue.accounts[maker].positions[market].size - held
    return every((got == offered - left, magnitude(got) == size, 0 <= left < offered or offered < left <= 0))


WHOEVER = "whatever equity and margin say; funding settled before"


@chapter.theorem("REF-TRD-7", bounds=WHOEVER, relaxed=any_close)
def nobody_opens_while_reduce_only(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """In a reduce-only market, or while its breaker has tripped, a trade makes the positions of both sides smaller."""
    assume(venue.markets[market].reduce_only or venue.assets[venue.market_terms[market].asset].tripped_at != 0)
    before = [magnitude(venue.accounts[party].positions[market].size) for party in (account, maker)]
    venue.trade(account, maker, market, size)
    after = [magnitude(venue.accounts[party].positions[market].size) for party in (account, maker)]
    return every((after[0] < before[0], after[1] < before[1]))


@chapter.theorem("REF-TRD-10", bounds=WHOEVER, relaxed=settled_market)
def trade_keeps_to_the_cap_at_a_fresh_price(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """A trade leaves open interest within its cap, or no larger than it was, and needs a price at most an hour old."""
    watch(venue, market)
    before, price = venue.markets[market].open_interest, venue.assets[venue.market_terms[market].asset].clone()
    venue.trade(account, maker, market, size)
    after = venue.markets[market]
    capped = after.open_interest <= before or after.open_interest <= after.open_interest_cap
    return every((capped, price.mark != 0, venue.now <= price.time + MAX_AGE))


# --- To the last unit -----------------------------------------------------------------------------------------------


@chapter.lemma("REF-TRD-11", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def exactly_initial_margin_is_enough_for_a_trade(venue: Reference, account: AccountId, allowance: Quote) -> Any:
    """A trade that adds risk is refused exactly when it leaves less than initial margin, be it by one unit."""
    assume(not owes_nothing(venue, account))
    enough = accepted(venue.equity, account) >= accepted(venue.initial_margin, account)
    return (refusal(venue._after_trade, account, None, allowance) is None) == enough


@chapter.lemma("REF-TRD-12", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def reduction_may_cost_as_much_as_a_liquidation(
    venue: Reference, account: AccountId, before: Quote, allowance: Quote
) -> Any:
    """A reduction below initial margin is accepted exactly when equity stays positive or zero and falls by at most the
    allowance."""
    equity = accepted(venue.equity, account)
    assume(not owes_nothing(venue, account) and equity < accepted(venue.initial_margin, account))
    fair = equity >= 0 and before - equity <= allowance
    return (refusal(venue._after_trade, account, before, allowance) is None) == fair


# Which of two refusals comes first decides what a caller is told; deployed code is compared by it. Only the settlement
# asset can lack: of others the vault holds all collateral (REF-LED-2).
@chapter.theorem("REF-WDR-7", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def margin_is_asked_before_the_vault(venue: Reference, account: AccountId, amount: Amount) -> Any:
    """A withdrawal of cash that the vault cannot pay is refused for that only if margin would allow it."""
    assume(refusal(venue.withdraw, account, USD, amount) == "LED-8")
    venue.accounts[account].cash -= amount * QUOTE_PER_UNIT
    return owes_nothing(venue, account) or venue.equity(account) >= venue.initial_margin(account)
