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
from marginspec.properties.law import assume, every
from marginspec.properties.reference.relaxed import unchecked_margin
from marginspec.properties.reference.scope import ACTOR, ELSEWHERE, HERE, LEDGER, OTHER, chapter, worth
from marginspec.properties.scope import Options


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
    """The premium of a trade within 5 % of the mark is within 0.5 % of it, on the side of the trade."""
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


@chapter.lemma("REF-POS-7", bounds="one market", scope=LEDGER)
def profits_of_both_sides_cancel(venue: Reference, size: SignedSize, paid: Quote) -> Any:
    """A size passed from one account to another for any price leaves what both own together as it was, at any mark."""
    before = worth(venue, ACTOR) + worth(venue, OTHER)
    venue._change(ACTOR, HERE, size, paid)
    venue._change(OTHER, HERE, -size, -paid)
    return worth(venue, ACTOR) + worth(venue, OTHER) == before


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
    dust = venue.pot * FUNDING_SCALE - sum(p.size * p.funding_index for p in owned.positions.values())
    venue._settle(account)
    left = venue.pot * FUNDING_SCALE - sum(p.size * p.funding_index for p in owned.positions.values())
    same = [position.size == size for position, size in zip(owned.positions.values(), sizes, strict=True)]
    return every((*same, venue.surplus() == surplus, left >= dust))


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
    elsewhere = venue.accounts[account].positions[ELSEWHERE].size
    before = venue.accounts[account].positions[market].clone()
    cash = venue.accounts[account].cash
    venue._change(account, market, size, paid)
    own = venue.accounts[account]
    after = own.positions[market]
    return every(
        (
            not venue.account_terms[account].isolated or elsewhere == 0,
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


# Whoever has a position elsewhere and none here may be isolated or not, on either side of a trade.
ELSEWHERE_TOO: dict[str, Options] = {
    **{name: options for name, options in LEDGER.items() if not name.endswith(".size")},
    **{f"accounts[{account}].positions[{HERE}].size": (0,) for account in (ACTOR, OTHER)},
}


@chapter.theorem(
    "REF-POS-14",
    bounds="whatever margin says; an offer at the mark, to an account without a position here",
    scope=ELSEWHERE_TOO,
    relaxed=unchecked_margin,
)
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
