"""Chapter 16, the standardised schedule and risk arrays: bounded, monotone, and netting never costs margin."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
from marginspec.model.risk.notation import WAD, Chance, Positive, Real, Seconds, above_zero, magnitude
from marginspec.model.risk.schedule import (
    COMMODITY,
    CREDIT,
    EQUITY,
    EXCHANGE,
    OTHER,
    RATES,
    AssetClass,
    Ratio,
    Trade,
    array_loss,
    extreme_loss,
    gross_margin,
    net_margin,
    net_to_gross,
    scan_risk,
    schedule_margin,
    schedule_rate,
    short_minimum,
    spread_charge,
    spreads_formed,
    total_requirement,
    unmatched,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter

KINDS = (CREDIT, COMMODITY, EQUITY, EXCHANGE, RATES, OTHER)


@chapter.lemma("REF-FRM-1", bounds="each kind of trade")
def longer_trade_never_needs_less(venue: Reference, remaining: Seconds, longer: Seconds) -> Any:
    """A trade with more time to go never needs a smaller part of its notional, and none needs more than 15 %."""
    rates = [(schedule_rate(kind, remaining), schedule_rate(kind, remaining + longer)) for kind in KINDS]
    return every([near <= far for near, far in rates] + [far <= 15 * WAD // 100 for _, far in rates])


@chapter.lemma("REF-FRM-2")
def unknown_kind_is_refused(venue: Reference, remaining: Seconds, position: Real, loss: Real) -> Any:
    """A trade of a kind that the schedule has not, and an array that does not fit its positions, are refused."""
    unknown = refusal(schedule_rate, AssetClass("weather"), remaining) == "FRM-2"
    return unknown and refusal(array_loss, [position], [loss, loss]) == "FRM-2"


@chapter.lemma("REF-FRM-3")
def gross_margin_grows_with_the_notional(venue: Reference, notional: Real, more: Positive, rate: Chance) -> Any:
    """Gross margin is the rate of the notional, less than a unit more, the same for either side, never falls with size,
    and of one trade is at most what the two need into which it is split."""
    found, larger = gross_margin(notional, rate), gross_margin(magnitude(notional) + more, rate)
    exact = magnitude(notional) * rate
    return every(
        (
            found * WAD >= exact,
            (found - 1) * WAD < exact,
            found == gross_margin(-notional, rate),
            found <= larger,
            larger <= found + gross_margin(more, rate),
        )
    )


@chapter.lemma("REF-FRM-4", bounds="three trades, each the sum of any number")
def net_to_gross_is_a_ratio(venue: Reference, one: Real, two: Real, three: Real) -> Any:
    """The net-to-gross ratio is from nothing to one; one where nothing nets, nothing where all of it does."""
    found, total = net_to_gross([one, two, three]), one + two + three
    nothing = one >= 0 and two >= 0 and three >= 0
    positive = above_zero(one) + above_zero(two) + above_zero(three)
    return every((found >= 0, found <= WAD, not nothing or found == WAD, total > 0 or positive == 0 or found == 0))


@chapter.lemma("REF-FRM-5")
def netting_saves_at_most_60_percent(
    venue: Reference, gross: Positive, more: Positive, ratio: Chance, higher: Chance
) -> Any:
    """Net margin is between 40 % of the gross margin and all of it, and never falls with the gross margin or with the
    ratio."""
    assume(ratio <= higher)
    found = net_margin(gross, ratio)
    return every(
        (
            found * 10 >= gross * 4,
            found <= gross,
            found <= net_margin(gross + more, ratio),
            found <= net_margin(gross, higher),
            net_margin(gross, WAD) == gross,
        )
    )


@chapter.lemma("REF-FRM-6", bounds="two trades on equities")
def netting_set_needs_no_more_than_its_trades(venue: Reference, one: Trade, two: Trade) -> Any:
    """Trades of one netting set need at most what they need in a set each."""
    apart = [schedule_margin([(EQUITY, trade)]) for trade in (one, two)]
    return schedule_margin([(EQUITY, one), (EQUITY, two)]) <= sum(apart)


@chapter.lemma("REF-FRM-7", bounds="two positions")
def arrays_are_linear(venue: Reference, one: Real, two: Real, first: Real, second: Real, more: Real) -> Any:
    """What positions lose is the sum of what each does, and of positions that are added up the sum of both."""
    return every(
        (
            array_loss([one, two], [first, second]) == array_loss([one], [first]) + array_loss([two], [second]),
            array_loss([one + more], [first]) == array_loss([one], [first]) + array_loss([more], [first]),
        )
    )


@chapter.lemma("REF-FRM-8", bounds="three scenarios, each the worst of any number")
def scan_risk_pays_each_scenario_and_nets(
    venue: Reference, a: Real, b: Real, c: Real, d: Real, e: Real, f: Real
) -> Any:
    """Scan risk is at least the loss in each scenario and never negative, and of two portfolios together at most the
    sum of both."""
    found = scan_risk([a, b, c])
    together = scan_risk([a + d, b + e, c + f])
    return every((found >= 0, found >= a, found >= b, found >= c, together <= found + scan_risk([d, e, f])))


@chapter.lemma("REF-FRM-9")
def extreme_scenario_counts_in_part(venue: Reference, loss: Real, more: Positive, part: Chance, larger: Chance) -> Any:
    """Of an extreme loss no more counts than all of it, of a profit neither; more of a loss never counts less."""
    assume(part <= larger)
    found = extreme_loss(loss, part)
    return every(
        (
            magnitude(found) <= magnitude(loss),
            loss < 0 or found >= 0,
            loss > 0 or found <= 0,
            found <= extreme_loss(loss + more, part),
            loss < 0 or found <= extreme_loss(loss, larger),
        )
    )


@chapter.lemma("REF-FRM-10")
def requirement_follows_what_it_is_made_of(
    venue: Reference, scan: Positive, calendar: Positive, short: Positive, value: Real, more: Positive
) -> Any:
    """A requirement is never negative, covers scan risk and charge, and the least of options sold, beside their value,
    and never falls with any of them nor rises with the value."""
    found = total_requirement(scan, calendar, short, value)
    return every(
        (
            found >= 0,
            found + value >= scan + calendar,
            found + value >= short,
            found <= total_requirement(scan + more, calendar, short, value),
            found <= total_requirement(scan, calendar, short + more, value),
            total_requirement(scan, calendar, short, value + more) <= found,
        )
    )


@chapter.lemma("REF-FRM-21")
def spreads_are_between_opposite_months(
    venue: Reference, near: Real, far: Real, near_ratio: Ratio, far_ratio: Ratio
) -> Any:
    """Two months on one side form no spread; of two on opposite sides the spreads match no more than there is of
    either, and turn neither."""
    formed = spreads_formed(near, far, near_ratio, far_ratio)
    left, other = unmatched(near, formed, near_ratio), unmatched(far, formed, far_ratio)
    return every(
        (
            formed >= 0,
            near * far < 0 or formed == 0,
            0 <= left <= near if near >= 0 else near <= left <= 0,
            0 <= other <= far if far >= 0 else far <= other <= 0,
        )
    )


@chapter.lemma("REF-FRM-22")
def spreads_are_charged_whole(venue: Reference, formed: Positive, more: Positive, rate: Positive) -> Any:
    """The charge for spreads is at least their number times the rate, less than a unit more, and never less for more of
    them."""
    found = spread_charge(formed, rate)
    return every(
        (found * WAD >= formed * rate, (found - 1) * WAD < formed * rate, found <= spread_charge(formed + more, rate))
    )


@chapter.lemma("REF-FRM-23", bounds="two positions")
def bought_options_are_no_reason_for_a_minimum(
    venue: Reference, sold: Positive, bought: Positive, rate: Positive
) -> Any:
    """The least is for options sold alone: bought ones neither raise it nor set it off."""
    least = short_minimum([-sold], rate)
    return every(
        (least == short_minimum([-sold, bought], rate), least * WAD >= sold * rate, least > 0 or sold * rate == 0)
    )
