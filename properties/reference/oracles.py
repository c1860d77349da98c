"""Chapter 3, oracles: no one source decides a price, and no price under doubt is used."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import Asset, AssetTerms, Report
from marginspec.model.reference.notation import (
    PPM,
    AccountId,
    AssetId,
    MarketId,
    ReportedPrice,
    StoredPrice,
    Timestamp,
    User,
)
from marginspec.model.reference.oracles import (
    BAND,
    CONFIRMATION,
    MAX_AGE,
    MAX_CONFIDENCE,
    QUORUM,
    is_usable,
    lower_median,
    upper_median,
    within_band,
)
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, accepted, assume, every, refusal
from marginspec.properties.reference.relaxed import relaxed, unadapted, unpriced
from marginspec.properties.reference.scope import (
    ACCOUNTS,
    ANY_STEP,
    BTC,
    ETH,
    SOURCES,
    chapter,
    collateral_in_one_asset,
    positions_in_one_market,
)
from marginspec.properties.scope import Options, pinned


@chapter.lemma("REF-ORC-1")
def one_faulty_source_of_three_cannot_move_the_price(
    venue: Reference, faulty: ReportedPrice, right: ReportedPrice, other: ReportedPrice
) -> Any:
    """Whatever one of three sources says, wherever it stands, both medians lie between what the other two say."""
    assume(right <= other)
    return every(
        condition
        for reported in ([faulty, right, other], [right, faulty, other], [other, right, faulty])
        for median in (lower_median(sorted(reported)), upper_median(sorted(reported)))
        for condition in (right <= median, median <= other)
    )


@chapter.lemma("REF-ORC-2")
def two_sources_bound_the_price(venue: Reference, first: ReportedPrice, second: ReportedPrice) -> Any:
    """Of two sources the lower median is the smaller value and the upper median the larger one."""
    values = sorted([first, second])
    low, high = lower_median(values), upper_median(values)
    return every((low <= first, low <= second, first <= high, second <= high, low + high == first + second))


@chapter.lemma("REF-ORC-3", bounds="three reports")
def median_of_larger_values_is_not_smaller(venue: Reference, first: Report, second: Report, third: Report) -> Any:
    """The accepted price is the middle one of three, and smaller values never have a larger median."""
    reports = (first, second, third)
    a, b, c = (r.price for r in reports)
    prices, lower = sorted([a, b, c]), sorted(r.price - r.confidence for r in reports)
    middle = max(min(a, b), min(max(a, b), c))
    return every(
        (
            lower_median(lower) <= lower_median(prices),
            upper_median(lower) <= upper_median(prices),
            lower_median(prices) == middle,
            upper_median(prices) == middle,
        )
    )


@chapter.lemma("REF-ORC-4")
def report_is_usable_exactly_when_fresh_inside_and_sure(
    venue: Reference, report: Report, terms: AssetTerms, now: Timestamp
) -> Any:
    """A report is used exactly when it can be had, is at most an hour old, strictly inside its feed's bounds and sure
    to 2 %."""
    stale = now > report.time + MAX_AGE
    at_bound = report.price <= terms.feed_low or report.price >= terms.feed_high
    unsure = report.confidence * PPM > report.price * MAX_CONFIDENCE
    return is_usable(report, terms, now) == (report.fault == 0 and not stale and not at_bound and not unsure)


@chapter.lemma("REF-ORC-5")
def band_is_twenty_percent_either_way(venue: Reference, price: StoredPrice, last: StoredPrice) -> Any:
    """A price is within the band exactly when it differs from the last by at most 20 %, up or down."""
    fallen, risen = (last - price) * PPM > last * BAND, (price - last) * PPM > last * BAND
    return within_band(price, last) == (not fallen and not risen)


WHATEVER = "whatever ratios and haircuts make of the price"
# Whatever three sources report, what a quorum of two says is one of what they may say.
THIRD = pinned(0, why="a third report, for cost: REF-ORC-1 and 3 are about three")
TWO_SOURCES: dict[str, Options] = {
    f"sources[{asset}][{SOURCES[2]}].{name}": THIRD for asset in (ETH, BTC) for name in ("price", "time")
}
TWO = f"two sources; {WHATEVER}"


@chapter.theorem("REF-ORC-12", bounds=WHATEVER, relaxed=unadapted)
def price_needs_a_quorum_of_sources_that_answer(venue: Reference, caller: User, asset: AssetId) -> Any:
    """Of sources that fail nothing is known: with fewer than two that answer, no price is taken."""
    answering = sum(1 if report.fault == 0 else 0 for report in venue.sources[asset].values())
    venue.update_price(caller, asset)
    return answering >= QUORUM


@chapter.theorem("REF-ORC-6", bounds=WHATEVER, relaxed=unpriced)
def price_out_of_band_is_never_accepted_at_once(venue: Reference, caller: User, asset: AssetId) -> Any:
    """A price beyond the band is taken only after the breaker has stood for half an hour; before, nothing changes."""
    before = venue.assets[asset].clone()
    assume(before.mark != 0)
    venue.update_price(caller, asset)
    price = venue.assets[asset].clone()
    if price.tripped_at != 0:
        price.tripped_at = before.tripped_at
        return every((before.tripped_at == 0, price.flatten() == before.flatten()))
    waited = before.tripped_at != 0 and venue.now >= before.tripped_at + CONFIRMATION
    return waited or within_band(price.mark, before.mark)


@chapter.theorem("REF-ORC-7", bounds=TWO, scope=TWO_SOURCES, relaxed=unadapted)
def accepted_price_is_what_fresh_sources_say(venue: Reference, caller: User, asset: AssetId) -> Any:
    """A price that is accepted is the middle of what a quorum of sources says that are fresh, inside and sure, and its
    edges are the middle of theirs."""
    assume(venue.now >= 1)
    venue.update_price(caller, asset)
    price, terms = venue.assets[asset], venue.asset_terms[asset]
    assume(price.tripped_at == 0)
    reports, now = venue.sources[asset], venue.now
    prices = sorted(r.price for r in reports.values() if is_usable(r, terms, now))
    return every(
        (
            len(prices) >= QUORUM,
            price.time == venue.now,
            price.low <= price.mark,
            price.mark <= price.high,
            price.mark == lower_median(prices),
            price.low
            == lower_median(sorted(r.price - r.confidence for r in reports.values() if is_usable(r, terms, now))),
            price.high
            == upper_median(sorted(r.price + r.confidence for r in reports.values() if is_usable(r, terms, now))),
        )
    )


@chapter.lemma("REF-ORC-8")
def stale_price_is_never_used(venue: Reference, asset: AssetId) -> Any:
    """A price is given to whoever asks for it exactly when there is one and it is at most an hour old. Only the start
    of the final settlement does not ask: it closes at the last accepted price, whatever its age (REF-SET-7)."""
    price = venue.assets[asset]
    stale = price.mark == 0 or venue.now > price.time + MAX_AGE
    return (refusal(venue.price, asset) == "ORC-8") == stale


@chapter.theorem("REF-ORC-11", bounds=ANY_STEP, relaxed=relaxed)
def stale_market_moves_no_position(venue: Reference, step: Step, market: MarketId) -> Any:
    """While a market's price is stale nothing changes a position in it but the start of the final settlement, and no
    collateral of its asset is seized."""
    asset = venue.market_terms[market].asset
    assume(venue.assets[asset].mark == 0 or venue.now > venue.assets[asset].time + MAX_AGE)
    assume(step.action != "start_settlement")
    before = venue.clone()
    step.take(venue)
    return every(
        (
            *(
                own.positions[market].size == before.accounts[name].positions[market].size
                for name, own in venue.accounts.items()
            ),
            step.action != "seize_collateral" or step.argument("asset") != asset,
        )
    )


@chapter.lemma(
    "REF-ORC-9",
    bounds="positions in one market, collateral in its asset",
    scope={**positions_in_one_market(*ACCOUNTS), **collateral_in_one_asset(*ACCOUNTS)},
)
def feed_that_is_not_needed_is_not_read(venue: Reference, account: AccountId, broken: Asset) -> Any:
    """The price of an asset in which an account has neither collateral nor positions has no say in its margin."""
    twin = venue.clone()
    twin.assets[BTC] = broken
    own = [accepted(ask, account) for ask in (venue.equity, venue.maintenance_margin, venue.initial_margin)]
    if refusal(lambda: (twin.equity(account), twin.maintenance_margin(account), twin.initial_margin(account))):
        return False
    with_broken = twin.equity(account), twin.maintenance_margin(account), twin.initial_margin(account)
    return every(mine == same for mine, same in zip(own, with_broken, strict=True))
