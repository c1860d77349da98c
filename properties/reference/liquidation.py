"""Chapter 8, liquidation: only below maintenance, the least that restores, at a penalty that equity can pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.reference.collateral import collateral_value, gross_value
from marginspec.model.reference.ledger import Asset
from marginspec.model.reference.liquidation import (
    liquidator_share,
    penalty_of,
    price_to_seize,
    seizure_price,
    size_to_restore,
    without_dust,
)
from marginspec.model.reference.margin import SEIZURE_DISCOUNT, is_covered
from marginspec.model.reference.notation import (
    BUFFER,
    MAX_AMOUNT,
    MAX_SIZE,
    PENALTY,
    PPM,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    Fraction,
    Fund,
    MarketId,
    Quote,
    Size,
    StoredAmount,
    StoredPrice,
    StoredSize,
    Unit,
    User,
    above_zero,
    magnitude,
)
from marginspec.model.reference.oracles import MAX_AGE
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.buffer import net_worth
from marginspec.properties.reference.relaxed import (
    LIQUIDATOR,
    any_equity,
    any_portfolio,
    any_portfolio_any_size,
    any_worth_any_size,
    asked_margin,
    has_fresh_price,
    judged,
    judged_without_feeds,
    needs_no_other_price,
    settled_before,
)
from marginspec.properties.reference.scope import (
    ACTOR,
    BTC,
    ELSEWHERE,
    ETH,
    HERE,
    SIMPLE,
    SIMPLE_BOUNDS,
    after_funding,
    chapter,
    owes_nothing,
    settled,
    worth,
)
from marginspec.properties.scope import Options, pinned


@chapter.lemma("REF-LIQ-1")
def size_to_restore_restores_and_is_minimal(venue: Reference, shortfall: Fund, gain: Fund, whole: StoredSize) -> Any:
    """The size restores what is missing or is all there is, and one unit less would not restore it."""
    assume(gain >= 1)
    size = size_to_restore(shortfall, gain, whole)
    return every((size <= whole, size == whole or size * gain >= shortfall, size == 0 or (size - 1) * gain < shortfall))


@chapter.lemma("REF-LIQ-2")
def no_dust_is_left(venue: Reference, size: StoredSize, whole: StoredSize, mark: StoredPrice, dust: Fund) -> Any:
    """What a liquidation leaves is nothing or worth at least the dust threshold; else its size is what was needed."""
    assume(size <= whole)
    closed = without_dust(size, whole, mark, dust)
    return every(
        (
            closed >= size,
            closed == whole or (whole - closed) * mark >= dust,
            closed == size or (whole - size) * mark < dust,
            closed <= whole,
        )
    )


@chapter.lemma("REF-LIQ-3")
def penalty_never_exceeds_equity(
    venue: Reference, size: StoredSize, mark: StoredPrice, penalty: Fraction, equity: Quote
) -> Any:
    """A penalty is at most the equity, at most the penalty ratio of the notional closed, and never negative."""
    paid = penalty_of(size, mark, penalty, equity)
    return every((paid >= 0, paid == 0 or paid <= equity, paid * PPM <= size * mark * penalty))


@chapter.lemma("REF-LIQ-4")
def liquidator_has_at_most_half_of_a_penalty(venue: Reference, penalty: Fund) -> Any:
    """The liquidator's part of a penalty is never more than the fund's."""
    share = liquidator_share(penalty)
    return every((share >= 0, 2 * share <= penalty, 2 * share >= penalty - 1))


@chapter.lemma("REF-LIQ-5")
def seized_collateral_costs_at_least_its_discounted_value(
    venue: Reference, amount: StoredAmount, mark: StoredPrice, unit: Unit, spare: Fund
) -> Any:
    """Seized collateral costs at least its value at the mark less 4 %, and nothing is taken for nothing."""
    paid = price_to_seize(amount, mark, unit, spare)
    return every(
        (
            paid * unit * PPM >= amount * mark * (PPM - SEIZURE_DISCOUNT),
            paid >= 1 or amount * mark == 0,
        )
    )


@chapter.lemma("REF-LIQ-6")
def seizing_in_parts_never_costs_less(
    venue: Reference, first: StoredAmount, second: StoredAmount, mark: StoredPrice, unit: Unit
) -> Any:
    """Collateral seized in two parts costs at least as much as at once."""
    apart = seizure_price(first, mark, unit) + seizure_price(second, mark, unit)
    values = [mul_div_up(amount, mark, unit) for amount in (first + second, first, second)]
    if values[0] > values[1] + values[2]:
        return False
    return seizure_price(first + second, mark, unit) <= apart


@chapter.lemma("REF-LIQ-7")
def seizure_pays_more_than_the_collateral_counted_for(
    venue: Reference,
    amount: StoredAmount,
    counted: StoredAmount,
    low: StoredPrice,
    mark: StoredPrice,
    unit: Unit,
    haircut: Fraction,
    delta: Fraction,
) -> Any:
    """Where the haircut covers the discount, each seizure leaves the account with at least the equity it had."""
    assume(counted <= amount)
    assume(low <= mark)
    assume(is_covered(haircut, delta))
    return collateral_value(gross_value(counted, low, unit), haircut) <= seizure_price(amount, mark, unit)


# --- The action -----------------------------------------------------------------------------------------------------

# The liquidator's own position and margin play no part in what happens to the account.
TAKING_OVER: dict[str, Options] = {
    f"accounts[{account}].positions[{market}].size": pinned(0, why="the liquidator's own positions play no part")
    for account, market in ((ACTOR, HERE), (ACTOR, ELSEWHERE))
}
THIS_MARKET = {"market": pinned(HERE, why="markets differ in nothing but their assets; for cost")}
PORTFOLIO = "whatever equity and margin the account has in other markets and in collateral; funding settled"


@dataclass
class Liquidated:
    """What is liquidated: its size, the price, what a unit of it requires; equity, quote, and requirements, exact."""

    size: int
    price: Asset
    ratio: int
    buffer: int
    penalty: int
    equity: int
    maintenance: int
    buffered: int

    @property
    def gain(self) -> int:
        """What each unit closed brings the account nearer to maintenance and buffer, in millionths of quote."""
        return self.price.high * (self.ratio + self.buffer) - self.price.mark * self.penalty

    @property
    def shortfall(self) -> int:
        """What is missing to maintenance and buffer, in millionths of quote."""
        return self.buffered - self.equity * PPM


def _case(venue: Reference, account: AccountId, market: MarketId) -> Liquidated:
    """A position before its liquidation, within the safety bounds, its account's funding settled."""
    settled, parameters = after_funding(venue, account), venue.parameters[market]
    case = Liquidated(
        magnitude(venue.accounts[account].positions[market].size),
        venue.assets[venue.market_terms[market].asset].clone(),
        venue.markets[market].ratio,
        parameters[BUFFER],
        parameters[PENALTY],
        settled.equity(account, aged=True),
        settled._requirement(account, buffered=False, aged=True),
        settled._requirement(account, buffered=True, aged=True),
    )
    assume(case.maintenance <= case.buffered)
    assume(case.price.mark <= case.price.high)
    assume(case.penalty + 1 <= case.ratio)
    return case


@chapter.theorem("REF-LIQ-8", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_portfolio_any_size)
def only_accounts_below_maintenance_are_liquidated(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """No account whose equity is at least its maintenance margin is liquidated; nor one in default, which the waterfall
    has to resolve; nor any by itself, or at a stale price."""
    case, in_default = _case(venue, account, market), venue.accounts[account].in_default
    fresh = case.price.mark != 0 and venue.now <= case.price.time + MAX_AGE
    venue.liquidate(liquidator, account, market, most)
    return every((case.equity * PPM < case.maintenance, not in_default, liquidator != account, fresh))


@chapter.theorem("REF-LIQ-25", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_portfolio)
def liquidation_closes_something_and_no_more_than_there_is(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """A liquidation closes at least one unit, at most what is offered, and at most the position."""
    case = _case(venue, account, market)
    closed, _ = venue.liquidate(liquidator, account, market, most)
    return every((closed >= 1, closed <= case.size, closed <= most))


@chapter.theorem(
    "REF-LIQ-9", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_portfolio_any_size, rests_on=("REF-LIQ-25",)
)
def liquidation_strictly_improves_the_account(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """A liquidation makes the position smaller by what it returns and never turns it, the liquidator has that part, and
    what is then missing to maintenance is strictly less."""
    case, position = _case(venue, account, market), venue.accounts[account].positions[market]
    size, taken = position.size, venue.accounts[liquidator].positions[market].size
    closed, paid = venue.liquidate(liquidator, account, market, most)
    # By REF-LIQ-25 no case is lost.
    assume(closed >= 1)
    assume(closed <= case.size)
    bought = closed if size > 0 else -closed
    missing = venue._requirement(account, buffered=False, aged=True) - (case.equity - paid) * PPM
    return every(
        (
            position.size == size - bought,
            venue.accounts[liquidator].positions[market].size == taken + bought,
            missing < case.maintenance - case.equity * PPM,
        )
    )


@chapter.theorem("REF-LIQ-10", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_portfolio)
def liquidation_is_minimal_to_one_unit(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """Unless the least would leave dust, one unit less would not have restored maintenance and buffer."""
    case = _case(venue, account, market)
    venue.liquidate(liquidator, account, market, most)
    gone = case.size - magnitude(venue.accounts[account].positions[market].size)
    if (gone - 1) * case.gain < case.shortfall:
        return True
    left = case.size - size_to_restore(case.shortfall, case.gain, case.size)
    return left * case.price.mark < venue.market_terms[market].dust


@chapter.theorem("REF-LIQ-13", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_portfolio)
def liquidation_restores_and_leaves_no_dust(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """But for what is offered, a liquidation restores maintenance, whatever the limit of the interval, and the buffer
    as far as that allows, and leaves at least the dust threshold, or closes all."""
    case = _case(venue, account, market)
    _, paid = venue.liquidate(liquidator, account, market, most)
    left = magnitude(venue.accounts[account].positions[market].size)
    if left == 0 or case.size - left == most:
        return True
    equity, limited = (case.equity - paid) * PPM, venue.markets[market].room < case.price.mark
    return every(
        (
            venue._requirement(account, buffered=False, aged=True) <= equity,
            limited or venue._requirement(account, buffered=True, aged=True) <= equity,
            left * case.price.mark >= venue.market_terms[market].dust,
        )
    )


@chapter.theorem("REF-LIQ-11", bounds=PORTFOLIO, scope=THIS_MARKET, relaxed=any_worth_any_size)
def penalty_is_paid_from_equity_and_shared(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """The account pays the penalty and nothing else, never more than its equity, to liquidator and insurance fund."""
    settled, equity = after_funding(venue, account, liquidator), _case(venue, account, market).equity
    before = worth(settled, account, market), worth(settled, liquidator, market), venue.insurance
    _, paid = venue.liquidate(liquidator, account, market, most)
    after = worth(venue, account, market), worth(venue, liquidator, market), venue.insurance
    return every(
        (
            after[0] == before[0] - paid,
            paid >= 0,
            paid <= max(equity, 0),
            after[1] + after[2] == before[1] + before[2] + paid,
            2 * (after[1] - before[1]) <= paid,
        )
    )


ITS_MARGIN = "whatever equity the account has; the margin of the liquidator is whatever it is; funding settled"


@chapter.theorem("REF-LIQ-12", bounds=f"{ITS_MARGIN}; a fresh price of the market", scope=THIS_MARKET, relaxed=judged)
def every_account_below_maintenance_can_be_liquidated(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """Nothing but the margin of who takes it over stops the liquidation of an account below maintenance, long or short:
    not dust, not a used-up limit, not how little is offered, not an empty fund, no gate, no pause, no cap."""
    assume(liquidator != account)
    assume(venue.accounts[account].positions[market].size != 0)
    assume(venue.settling_since == 0)
    assume(not venue.accounts[account].in_default)
    assume(1 <= most <= MAX_SIZE)
    for party in (account, liquidator):
        assume(refusal(venue._in_one_market, party, market) is None)
    assume(has_fresh_price(venue, market))
    assume(venue.equity(account, aged=True) < venue.maintenance_margin(account, aged=True))
    return refusal(venue.liquidate, liquidator, account, market, most) in (None, *LIQUIDATOR)


@chapter.theorem("REF-LIQ-15", bounds=ITS_MARGIN, scope=THIS_MARKET, relaxed=judged)
def liquidation_is_not_refused_for_a_reason_that_is_none(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """A liquidation is refused by LIQ-5 only at maintenance."""
    sound = venue.equity(account, aged=True) >= venue.maintenance_margin(account, aged=True)
    return refusal(venue.liquidate, liquidator, account, market, most) != "LIQ-5" or sound


@chapter.theorem("REF-LIQ-20", bounds=ITS_MARGIN, scope=THIS_MARKET, relaxed=judged_without_feeds)
def feed_that_is_down_shields_nobody(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """For want of a fresh price a liquidation by who needs no other is refused only where the market itself has none,
    whatever the account holds: no other feed can shield it."""
    assume(needs_no_other_price(venue, liquidator))
    fresh = has_fresh_price(venue, market)
    return refusal(venue.liquidate, liquidator, account, market, most) != "ORC-8" or not fresh


@chapter.theorem("REF-LIQ-21", bounds="whatever equity and margin say; funding settled before", relaxed=asked_margin)
def liquidator_has_initial_margin(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """Who takes a position over has initial margin afterwards."""
    venue.liquidate(liquidator, account, market, most)
    if owes_nothing(venue, liquidator):
        return True
    return venue.equity(liquidator) >= venue.initial_margin(liquidator)


# --- Two accounts of one owner ----------------------------------------------------------------------------------------

# Nobody can know who owns an account. Of one that owes more than it is worth, its owner has nothing; that is all.


@chapter.theorem(
    "REF-LIQ-22", bounds=PORTFOLIO, scope=TAKING_OVER, relaxed=any_worth_any_size, rests_on=("REF-BUF-4", "REF-BUF-7")
)
def liquidating_an_own_account_never_pays(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
) -> Any:
    """Whoever owns both accounts has no more together after a liquidation of one by the other, and of no account that
    owes more than it is worth does it owe more: nothing is gained at the expense of others either."""
    # By REF-BUF-7.
    assume(settled(venue).equity(account, aged=True) <= net_worth(venue, account))
    before = [net_worth(venue, party) for party in (account, liquidator)]
    venue.liquidate(liquidator, account, market, most)
    after = [net_worth(venue, party) for party in (account, liquidator)]
    return every(
        (sum(after) <= sum(before), after[0] >= min(before[0], 0), after[0] <= before[0], after[1] >= before[1])
    )


@chapter.theorem("REF-LIQ-23", bounds=f"{SIMPLE_BOUNDS}; at any margin", scope=SIMPLE, relaxed=any_worth_any_size)
def seizing_from_an_own_account_never_pays(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """Whoever owns both accounts has no more after one seizes collateral of the other, at its exact value."""
    unit, mark = venue.asset_terms[asset].unit, settled(venue).assets[asset].mark

    def owned(party: AccountId) -> int:
        held = venue.accounts[party]
        cash = held.cash + sum(profit(p, venue.mark(m, aged=True)) for m, p in held.positions.items())
        return cash * unit + held.collateral[asset].amount * mark

    for party in (account, liquidator):
        for position in venue.accounts[party].positions.values():
            assume(position.size != 0 or position.cost == 0)
    assume(venue.accounts[liquidator].positions[HERE].size == 0)  # or it has initial margin, and is worth something
    debtor, buyer = owned(account), owned(liquidator)
    venue.seize_collateral(liquidator, account, asset, amount)
    gained = owned(liquidator) - buyer
    # The buyer, who pays in cash, is worth something before and after; what a debtor owes beyond its worth nobody has.
    return every((buyer >= 0, gained >= -buyer, above_zero(owned(account)) + gained <= above_zero(debtor)))


@chapter.theorem("REF-LIQ-24", bounds="two markets, two collateral assets; funding settled")
def covering_an_own_account_never_pays(venue: Reference, caller: User, account: CounterpartyId) -> Any:
    """The insurance fund pays no account more than brings it to nothing: after REF-LIQ-22 and 23, no order of
    liquidations, seizures and covers leaves an owner of both accounts with more."""
    for position in settled(venue).accounts[account].positions.values():
        assume(position.size != 0 or position.cost == 0)
    before = net_worth(venue, account)
    paid = venue.cover(caller, account)
    return every((paid == 0 or net_worth(venue, account) <= 0, net_worth(venue, account) == before + paid))


# --- Seizure ----------------------------------------------------------------------------------------------------------

ANY_DEBT = "whatever equity, profit and margin say; funding settled"


@chapter.theorem("REF-LIQ-16", bounds=ANY_DEBT, scope={"asset": (ETH, BTC)}, relaxed=any_equity)
def collateral_is_seized_in_order_and_only_of_a_debtor(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """Collateral is seized only of another account with negative equity, or at the end, and in the order of assets."""
    settled = after_funding(venue, account)
    assume(venue.settling_since == 0)
    equity, holdings = settled.equity(account, aged=True), venue.accounts[account].collateral
    names = tuple(holdings)
    earlier = [holdings[name].amount == 0 for name in names[: names.index(asset)]]
    venue.seize_collateral(liquidator, account, asset, amount)
    return every((liquidator != account, equity < 0, *earlier))


@chapter.theorem("REF-LIQ-17", bounds=ANY_DEBT, relaxed=any_equity)
def seizure_is_a_purchase_at_the_discount(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """The liquidator pays the account at least the discounted value, and gets exactly the collateral, all but funding
    unchanged."""
    settled, mark = after_funding(venue, account, liquidator), venue.assets[asset].mark
    cash = settled.accounts[account].cash, settled.accounts[liquidator].cash
    held = [settled.accounts[party].collateral[asset].amount for party in (account, liquidator)]
    unit = venue.asset_terms[asset].unit
    paid = venue.seize_collateral(liquidator, account, asset, amount)
    seller, buyer = venue.accounts[account], venue.accounts[liquidator]
    return every(
        (
            paid * unit * PPM >= amount * mark * (PPM - SEIZURE_DISCOUNT),
            seller.cash == cash[0] + paid,
            buyer.cash == cash[1] - paid,
            seller.collateral[asset].amount == held[0] - amount,
            buyer.collateral[asset].amount == held[1] + amount,
        )
    )


@chapter.theorem("REF-LIQ-14", bounds=ANY_DEBT, relaxed=any_equity)
def seizure_ends_with_the_debt(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """No unit of collateral is seized once the units before it have paid the debt."""
    settled, mark = after_funding(venue, account), venue.assets[asset].mark
    debt = -(settled.accounts[account].cash + settled.unrealised(account, aged=True))
    unit = venue.asset_terms[asset].unit
    venue.seize_collateral(liquidator, account, asset, amount)
    return seizure_price(amount - 1, mark, unit) < debt


@chapter.theorem("REF-COL-15", bounds=ANY_DEBT, relaxed=any_equity)
def seized_collateral_takes_its_part_of_the_count(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """A seizure leaves the account no more of the count than of the collateral, and moves the rest of it."""
    held, got = (venue.accounts[party].collateral[asset].clone() for party in (account, liquidator))
    venue.seize_collateral(liquidator, account, asset, amount)
    left = venue.accounts[account].collateral[asset]
    return every(
        (
            left.counted * held.amount <= held.counted * left.amount,
            venue.accounts[liquidator].collateral[asset].counted == got.counted + held.counted - left.counted,
        )
    )


# Which of two refusals comes first decides what a caller is told; deployed code is compared by it.
@chapter.theorem("REF-LIQ-18", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=judged)
def liquidator_is_asked_for_cash_before_margin(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """Who seizes collateral is refused for want of margin only if its cash pays for it."""
    cash, mark, unit = venue.accounts[liquidator].cash, venue.assets[asset].mark, venue.asset_terms[asset].unit
    assume(refusal(venue.seize_collateral, liquidator, account, asset, amount) == "MRG-6")
    return cash >= seizure_price(amount, mark, unit)


@chapter.theorem("REF-LIQ-19", bounds=SIMPLE_BOUNDS, scope=SIMPLE, relaxed=settled_before)
def sound_account_is_told_so_whatever_the_feed_of_its_collateral(
    venue: Reference, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount
) -> Any:
    """Collateral of an account with equity is refused by LIQ-15, be the price of what does not count stale."""
    holdings = venue.accounts[account].collateral
    names = tuple(holdings)
    assume(venue.settling_since == 0 and venue.settlement_claims == 0 and liquidator != account)
    assume(all(holdings[name].amount == 0 for name in names[: names.index(asset)]))
    assume(0 < amount <= MAX_AMOUNT and amount <= holdings[asset].amount)
    assume(venue.equity(account, aged=True) >= 0)
    return refusal(venue.seize_collateral, liquidator, account, asset, amount) == "LIQ-15"
