"""Chapter 3, oracles: no one source decides a price, and no price under doubt is used."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import AssetTerms, Report
from marginspec.model.reference.notation import PPM, ReportedPrice, StoredPrice, Timestamp
from marginspec.model.reference.oracles import (
    BAND,
    MAX_AGE,
    MAX_CONFIDENCE,
    is_usable,
    lower_median,
    upper_median,
    within_band,
)
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.theorem("REF-ORC-1")
def one_faulty_source_of_three_cannot_move_the_price(
    venue: Reference, faulty: ReportedPrice, right: ReportedPrice, other: ReportedPrice
) -> Any:
    """Whatever one of three sources says, wherever it stands, both medians lie between what the other two say."""
    assume(right <= other)
    return every(
        condition
        for values in ([faulty, right, other], [right, faulty, other], [other, right, faulty])
        for median in (lower_median(values), upper_median(values))
        for condition in (right <= median, median <= other)
    )


@chapter.theorem("REF-ORC-2")
def two_sources_bound_the_price(venue: Reference, first: ReportedPrice, second: ReportedPrice) -> Any:
    """Of two sources the lower median is the smaller value and the upper median the larger one."""
    values = [first, second]
    low, high = lower_median(values), upper_median(values)
    return every((low <= first, low <= second, first <= high, second <= high, low + high == first + second))


@chapter.theorem("REF-ORC-3", bounds="three reports")
def edges_enclose_the_mark(venue: Reference, first: Report, second: Report, third: Report) -> Any:
    """The lower edge is at most the mark and the upper edge at least the mark."""
    reports = (first, second, third)
    mark = lower_median([r.price for r in reports])
    low = lower_median([r.price - r.confidence for r in reports])
    high = upper_median([r.price + r.confidence for r in reports])
    return every((low <= mark, mark <= high))


@chapter.theorem("REF-ORC-4")
def report_is_usable_exactly_when_fresh_inside_and_sure(
    venue: Reference, report: Report, terms: AssetTerms, now: Timestamp
) -> Any:
    """A report is used exactly when it is at most an hour old, strictly inside its feed's bounds and sure to 2 %."""
    stale = now > report.time + MAX_AGE
    at_bound = report.price <= terms.feed_low or report.price >= terms.feed_high
    unsure = report.confidence * PPM > report.price * MAX_CONFIDENCE
    return is_usable(report, terms, now) == (not stale and not at_bound and not unsure)


@chapter.theorem("REF-ORC-5")
def band_is_twenty_percent_either_way(venue: Reference, price: StoredPrice, last: StoredPrice) -> Any:
    """A price is within the band exactly when it differs from the last by at most 20 %, up or down."""
    fallen, risen = (last - price) * PPM > last * BAND, (price - last) * PPM > last * BAND
    return within_band(price, last) == (not fallen and not risen)
