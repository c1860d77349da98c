"""Chapter 12, a surface of prices by expiry and strike without arbitrage. Rules: `spec/reference/12-options.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.kernel.record import Record
from marginspec.model.risk.black import black, years
from marginspec.model.risk.notation import MAX_REAL, WAD, Positive


@dataclass
class Point(Record):
    """A call of one strike: undiscounted price, and volatility by which it is marked."""

    strike: Annotated[int, Number(1, MAX_REAL, "10^-18 of money", WAD, typical=(1900 * WAD, 2000 * WAD))] = WAD
    price: Positive = 0


def point_of(forward: int, strike: int, volatility: int, seconds: int) -> Point:
    """SRF-1: a point of the surface, by OPT-4 without discount."""
    return Point(strike, black(forward, strike, volatility, seconds, WAD).call)


def vertical(lower: Point, higher: Point, allowed: int) -> None:
    """SRF-2: between two strikes a call never gains, and loses at most their distance."""
    if lower.strike >= higher.strike:
        raise Rejected("SRF-5")
    if higher.price > lower.price + allowed or lower.price - higher.price > higher.strike - lower.strike + allowed:
        raise Rejected("SRF-2")


def convex(lower: Point, middle: Point, higher: Point, allowed: int) -> None:
    """SRF-3: a call is worth at most what calls of strikes around it are, in proportion to their distances."""
    left, right = middle.strike - lower.strike, higher.strike - middle.strike
    if middle.price * (left + right) > lower.price * right + higher.price * left + allowed * (left + right):
        raise Rejected("SRF-3")


def total_variance(volatility: int, seconds: int) -> int:
    """The square of the volatility times the time to expiry, rounded down."""
    return mul_div_down(mul_div_down(volatility, volatility, WAD), years(seconds), WAD)


def calendar(near: int, far: int, allowed: int) -> None:
    """SRF-4: at the same distance from the forward, total variance never falls with time."""
    if near > far + allowed:
        raise Rejected("SRF-4")


def smile(points: Sequence[Point], forward: int, allowed: int) -> None:
    """SRF-2 and SRF-3 of all strikes of an expiry, in order; at a strike of 0 a call is worth the forward."""
    vertical(Point(0, forward), points[0], allowed)
    for n in range(len(points) - 1):
        vertical(points[n], points[n + 1], allowed)
    for n in range(len(points) - 2):
        convex(points[n], points[n + 1], points[n + 2], allowed)
