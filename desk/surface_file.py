"""A surface of volatilities in a file, as `surface.schema.json` describes it, checked for arbitrage by chapter 12."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.desk.portfolio_file import checked, scaled
from marginspec.model.kernel import Rejected
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.surface import Point, calendar, point_of, smile, total_variance

SCHEMA = Path(__file__).with_name("surface.schema.json")


def surface_without_arbitrage(document: Any, where: str) -> dict[str, int]:
    """How many expiries and points a surface has; BadInput names the rule that one with arbitrage breaks, and where."""
    checked(document, SCHEMA, where)
    allowed, expiries = scaled(document.get("allowed", 0)), document["surface"]
    for n, expiry in enumerate(expiries):
        place = f"{where}: surface[{n}]"
        forward, seconds, points = scaled(expiry["forward"]), int(expiry["seconds"]), expiry["points"]
        rounding = 2 * _rounding(forward, points)
        made = [_point(forward, seconds, each) for each in points]
        _refused(place, lambda made=made, forward=forward, more=rounding: smile(made, forward, allowed + more))
        if n > 0 and seconds <= int(expiries[n - 1]["seconds"]):
            raise BadInput(f"{place}: seconds: not after the expiry before")
        for at, volatility in _at_same_distance(expiries[n - 1], expiry) if n > 0 else ():
            before = total_variance(volatility, int(expiries[n - 1]["seconds"]))
            after = total_variance(scaled(points[at]["volatility"]), seconds)
            _refused(f"{place}: points[{at}]", lambda before=before, after=after: calendar(before, after, 2))
    return {"expiries": len(expiries), "points": sum(len(each["points"]) for each in expiries)}


def _point(forward: int, seconds: int, point: Any) -> Point:
    return point_of(forward, scaled(point["strike"]), scaled(point["volatility"]), seconds)


def _rounding(forward: int, points: Any) -> int:
    """What a price of OPT-4 may be off at the highest of the strikes."""
    return 4 * (forward + max(scaled(each["strike"]) for each in points)) // WAD + 3


def _at_same_distance(near: Any, far: Any) -> list[tuple[int, int]]:
    """Points of the later expiry with the volatility of the earlier at the same strike in parts of the forward."""
    of = {
        scaled(each["strike"]) * WAD // scaled(near["forward"]): scaled(each["volatility"]) for each in near["points"]
    }
    places = ((n, scaled(each["strike"]) * WAD // scaled(far["forward"])) for n, each in enumerate(far["points"]))
    return [(n, of[place]) for n, place in places if place in of]


def _refused(where: str, check: Any) -> None:
    try:
        check()
    except Rejected as refused:
        what = {"SRF-2": "between strikes", "SRF-3": "in a butterfly", "SRF-4": "between expiries"}.get(refused.rule)
        told = f"arbitrage {what}" if what else "strikes are not in order"
        raise BadInput(f"{where}: {told}, {refused.rule}: marginspec rules reference {refused.rule}") from None
