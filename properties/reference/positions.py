"""Chapter 5, positions and funding: what longs pay shorts receive, and the pot keeps what is rounded off."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import Position
from marginspec.model.reference.notation import (
    DAY,
    PPM,
    AccountId,
    CounterpartyId,
    Duration,
    FundingIndex,
    MarketId,
    Premium,
    Quote,
    SignedSize,
    Size,
    StoredPrice,
)
from marginspec.model.reference.positions import (
    FUNDING_PERIOD,
    FUNDING_SCALE,
    funding_payment,
    index_growth,
    premium,
    profit,
)
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import accepted, assume, every
from marginspec.properties.reference.relaxed import in_one_market, relaxed
from marginspec.properties.reference.scope import ANY_STEP, chapter, worth


@chapter.lemma("REF-POS-1")
def funding_between_two_sides_is_zero_sum(venue: Reference, size: SignedSize, growth: FundingIndex) -> Any:
    """What a long pays its short receives, up to one quote that the pot keeps."""
    kept = funding_payment(size, growth) + funding_payment(-size, growth)
    return every((kept >= 0, kept <= 1))


@chapter.lemma("REF-POS-2")
def splitting_a_position_never_saves_funding(
    venue: Reference, first: SignedSize, second: SignedSize, growth: FundingIndex
) -> Any:
    """Two positions pay at least the funding of one of their sum."""
    return funding_payment(first + second, growth) <= funding_payment(first, growth) + funding_payment(second, growth)


@chapter.lemma("REF-POS-3")
def settling_often_never_saves_funding(
    venue: Reference, size: SignedSize, growth: FundingIndex, later: FundingIndex
) -> Any:
    """Settling twice costs at least as much as settling once, and at most one quote more."""
    twice = funding_payment(size, growth) + funding_payment(size, later)
    once = funding_payment(size, growth + later)
    return every((once <= twice, twice <= once + 1))


@chapter.lemma("REF-POS-4")
def funding_is_what_the_index_says(venue: Reference, size: SignedSize, growth: FundingIndex) -> Any:
    """A payment is at least the exact one, and exceeds it by less than one quote."""
    paid = funding_payment(size, growth)
    return every((paid * FUNDING_SCALE >= size * growth, (paid - 1) * FUNDING_SCALE < size * growth))


@chapter.lemma("REF-POS-5")
def funding_per_period_is_at_most_the_premium(
    venue: Reference, premium: Premium, higher: Premium, elapsed: Duration
) -> Any:
    """Over one period longs pay the premium, in proportion for other times; a higher premium never costs less."""
    assume(premium <= higher)
    assume(elapsed <= DAY)
    growth = index_growth(premium, elapsed)
    return every(
        (
            growth * FUNDING_PERIOD <= premium * FUNDING_SCALE * elapsed,
            (growth + 1) * FUNDING_PERIOD > premium * FUNDING_SCALE * elapsed,
            growth <= index_growth(higher, elapsed),
        )
    )


@chapter.lemma("REF-POS-6")
def premium_is_a_tenth_of_the_distance(venue: Reference, price: StoredPrice, mark: StoredPrice) -> Any:
    """The premium for a price within 5 % of the mark is within 0.5 % of it, to the unit that is rounded off, on the
    side of the price."""
    assume(-mark * 50_000 <= (price - mark) * PPM)
    assume((price - mark) * PPM <= mark * 50_000)
    charged = premium(price, mark)
    return every(
        (
            200 * charged <= mark,
            200 * (charged + 1) > -mark,
            price < mark or charged >= 0,
            price >= mark or charged < 0,
        )
    )


@chapter.theorem("REF-POS-15", bounds=ANY_STEP, relaxed=relaxed)
def trade_sets_the_premium_of_its_price(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """After a trade its market's premium is a tenth of the distance of its price from the mark, and so within 0.5 % of
    the mark, to the unit that is rounded off."""
    mark = venue.assets[venue.market_terms[market].asset].mark
    price = venue.orders[market][maker].price or mark
    venue.trade(account, maker, market, size)
    charged = venue.markets[market].premium
    return every((charged == premium(price, mark), 200 * charged <= mark, 200 * (charged + 1) > -mark))


@chapter.lemma("REF-POS-16")
def accruing_often_costs_at_most_a_unit_each_time(
    venue: Reference, premium: Premium, first: Duration, second: Duration
) -> Any:
    """Two accruals of a premium never raise the index above one over their time, and leave it at most one unit lower,
    which a long pays less and a short receives less for each unit of size: a thousandth of a thousandth of a quote."""
    apart = index_growth(premium, first) + index_growth(premium, second)
    once = index_growth(premium, first + second)
    return every((apart <= once, once <= apart + 1))


@chapter.lemma("REF-POS-7")
def profits_of_both_sides_cancel(
    venue: Reference, account: AccountId, other: AccountId, market: MarketId, size: SignedSize, paid: Quote
) -> Any:
    """A size passed from one account to another for any price leaves what both own together as it was, at any mark."""
    assume(account != other)
    before = worth(venue, account, market) + worth(venue, other, market)
    accepted(venue._change, account, market, size, paid)
    accepted(venue._change, other, market, -size, -paid)
    return worth(venue, account, market) + worth(venue, other, market) == before


@chapter.lemma("REF-POS-8")
def profit_follows_the_price(venue: Reference, position: Position, mark: StoredPrice, higher: StoredPrice) -> Any:
    """A price that rises makes a long richer and a short poorer by exactly size times the move."""
    gained = profit(position, higher) - profit(position, mark)
    assume(mark < higher)
    assume(position.size != 0)
    return every((gained == position.size * (higher - mark), (gained > 0) == (position.size > 0)))


SETTLING = "two markets, both collateral assets"


@chapter.lemma("REF-POS-9", bounds=SETTLING)
def settling_funding_conserves(venue: Reference, account: AccountId) -> Any:
    """Settling moves funding between an account's cost and the pot and changes no size, no cash and no collateral."""
    owned, surplus = venue.accounts[account], venue.surplus()
    sizes = [position.size for position in owned.positions.values()]
    cash, holdings = owned.cash, {asset: holding.clone() for asset, holding in owned.collateral.items()}
    dust = venue.pot * FUNDING_SCALE - sum(p.size * p.funding_index for p in owned.positions.values())
    venue._settle(account)
    left = venue.pot * FUNDING_SCALE - sum(p.size * p.funding_index for p in owned.positions.values())
    same = [position.size == size for position, size in zip(owned.positions.values(), sizes, strict=True)]
    same += [owned.collateral[asset].amount == held.amount for asset, held in holdings.items()]
    same += [owned.collateral[asset].counted == held.counted for asset, held in holdings.items()]
    return every((*same, owned.cash == cash, venue.surplus() == surplus, left >= dust))


@chapter.lemma("REF-POS-10", bounds=SETTLING)
def settling_again_changes_nothing(venue: Reference, account: AccountId) -> Any:
    """Settling an account a second time in the same block changes nothing: it may be done before any action."""
    venue._settle(account)
    settled = venue.flatten()
    venue._settle(account)
    return venue.flatten() == settled


@chapter.lemma("REF-POS-12", bounds="two markets")
def isolated_account_never_gets_a_second_market(
    venue: Reference, account: AccountId, market: MarketId, size: SignedSize, paid: Quote
) -> Any:
    """An isolated account with a position elsewhere takes no other; where it does, size and cost add up exactly."""
    elsewhere = [p.size for name, p in venue.accounts[account].positions.items() if name != market]
    before = venue.accounts[account].positions[market].clone()
    cash = venue.accounts[account].cash
    accepted(venue._change, account, market, size, paid)
    own = venue.accounts[account]
    after = own.positions[market]
    return every(
        (
            not venue.account_terms[account].isolated or elsewhere[0] == 0,
            after.size == before.size + size,
            own.cash - after.cost == cash - before.cost - paid,
            after.size == 0 or own.cash == cash,
        )
    )


@chapter.lemma("REF-POS-13")
def a_day_of_funding_is_the_most_that_is_charged_at_once(venue: Reference, market: MarketId) -> Any:
    """However long nothing has happened, a market is charged at most a day of its premium, and up to now from then."""
    before, day = venue.markets[market].clone(), 86_400
    venue._accrue(market)
    moved = venue.markets[market].funding_index - before.funding_index
    most = index_growth(before.premium, min(venue.now - before.accrued_at, day))
    return every((venue.markets[market].accrued_at == venue.now, moved == most))


@chapter.theorem("REF-POS-14", bounds="whatever margin says; funding settled before", relaxed=in_one_market)
def isolated_account_trades_in_one_market(
    venue: Reference, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size
) -> Any:
    """An isolated account that has traded has a position in no other market, on whichever side it was."""
    venue.trade(account, maker, market, size)
    return every(
        not venue.account_terms[party].isolated or position.size == 0
        for party in (account, maker)
        for name, position in venue.accounts[party].positions.items()
        if name != market
    )
