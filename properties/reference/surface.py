"""Chapter 12, surfaces: what is accepted has no arbitrage between strikes or expiries, and nothing else is refused."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
from marginspec.model.risk.black import Forward, Strike
from marginspec.model.risk.notation import Positive
from marginspec.model.risk.surface import Point, calendar, convex, point_of, smile, vertical
from marginspec.properties.law import accepted, assume, every, refusal
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-SRF-1")
def spread_costs_between_nothing_and_its_width(venue: Reference, lower: Point, higher: Point, allowed: Positive) -> Any:
    """On an accepted surface a spread of calls costs at least nothing and at most the distance of its strikes, within
    what is allowed."""
    accepted(vertical, lower, higher, allowed)
    cost, width = lower.price - higher.price, higher.strike - lower.strike
    return every((cost >= -allowed, cost <= width + allowed, width > 0))


@chapter.lemma("REF-SRF-2")
def butterfly_costs_at_least_nothing(
    venue: Reference, lower: Point, middle: Point, higher: Point, allowed: Positive
) -> Any:
    """On an accepted surface calls around a strike, in proportion to their distances, cost at least what the one
    between them does, within what is allowed."""
    accepted(convex, lower, middle, higher, allowed)
    left, right = middle.strike - lower.strike, higher.strike - middle.strike
    return lower.price * right + higher.price * left >= (middle.price - allowed) * (left + right)


@chapter.lemma("REF-SRF-3")
def later_expiry_has_no_less_variance(venue: Reference, near: Positive, far: Positive, allowed: Positive) -> Any:
    """Total variance is refused exactly where it falls with time by more than is allowed."""
    return (refusal(calendar, near, far, allowed) == "SRF-4") == (near > far + allowed)


@chapter.lemma("REF-SRF-4", bounds="three strikes")
def smile_without_arbitrage_is_accepted(
    venue: Reference, one: Point, two: Point, three: Point, forward: Positive
) -> Any:
    """Strikes in order whose calls never gain, never lose more than the distance, and are convex, are accepted."""
    points = [Point(0, forward), one, two, three]
    for n in range(3):
        assume(points[n].strike < points[n + 1].strike)
        assume(points[n].price >= points[n + 1].price)
        assume(points[n].price - points[n + 1].price <= points[n + 1].strike - points[n].strike)
    left, right = two.strike - one.strike, three.strike - two.strike
    assume(two.price * (left + right) <= one.price * right + three.price * left)
    return refusal(smile, [one, two, three], forward, 0) is None


@chapter.lemma("REF-SRF-5", rests_on=("REF-SRF-1", "REF-SRF-2"), bounds="three strikes")
def smile_is_refused_by_its_rule(
    venue: Reference, one: Point, two: Point, three: Point, forward: Positive, allowed: Positive
) -> Any:
    """Strikes out of order are refused, and so is a call that is worth more than the forward."""
    found = refusal(smile, [one, two, three], forward, allowed)
    ordered = one.strike < two.strike and two.strike < three.strike
    return found is not None if not ordered or one.price > forward + allowed else True


@chapter.lemma("REF-SRF-6", bounds="three strikes")
def what_expires_has_no_arbitrage(
    venue: Reference, forward: Forward, volatility: Positive, strike: Strike, width: Strike, other: Strike
) -> Any:
    """When no time is left the calls of any strikes in order pay without arbitrage."""
    strikes = (strike, strike + width, strike + width + other)
    points = [point_of(forward, each, volatility, 0) for each in strikes]
    return refusal(smile, points, forward, 0) is None
