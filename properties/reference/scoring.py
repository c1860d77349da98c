"""Chapter 13, haircuts from history: bounded, monotone in each part, and moved by a step a period."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.notation import PPM
from marginspec.model.reference.venue import Reference
from marginspec.model.risk.notation import WAD, Chance, Positive
from marginspec.model.risk.scoring import (
    Correlation,
    Drawdown,
    Weights,
    asked,
    crowding,
    next_haircut,
    parts_per_million,
    seen,
    wrong_way,
)
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-SCO-1", bounds="one price of any number")
def deepest_fall_is_remembered(venue: Reference, history: Drawdown, price: Positive) -> Any:
    """A further price never makes the deepest fall smaller or the peak lower, and the fall is at least that to this
    price, and at most all of the peak."""
    before = history.clone()
    seen(history, price)
    fallen = (history.peak - price) * WAD
    return every(
        (
            before.deepest <= history.deepest,
            before.peak <= history.peak,
            price <= history.peak,
            history.deepest * history.peak >= fallen,
            history.deepest <= WAD,
        )
    )


@chapter.lemma("REF-SCO-2")
def lower_price_never_falls_less_deep(venue: Reference, history: Drawdown, price: Positive, lower: Positive) -> Any:
    """Of two prices not above the peak the lower one leaves the deeper fall."""
    assume(lower <= price)
    assume(price <= history.peak)
    other = history.clone()
    seen(history, price)
    seen(other, lower)
    return history.deepest <= other.deepest


@chapter.lemma("REF-SCO-3")
def crowding_grows_with_what_is_held(
    venue: Reference, held: Positive, more: Positive, depth: Positive, deeper: Positive
) -> Any:
    """Crowding is from nothing to one, never falls with what is held, and never rises with depth."""
    found = crowding(held, depth)
    return every(
        (found >= 0, found <= WAD, found <= crowding(held + more, depth), crowding(held, depth + deeper) <= found)
    )


@chapter.lemma("REF-SCO-4")
def only_falling_together_counts(venue: Reference, correlation: Correlation, more: Chance) -> Any:
    """What moves against what it secures adds nothing; the more it moves with it the more is added."""
    found = wrong_way(correlation)
    return every((found >= 0, correlation > 0 or found == 0, found <= wrong_way(correlation + more)))


@chapter.lemma("REF-SCO-5")
def asked_haircut_is_bounded(
    venue: Reference, volatility: Chance, fall: Chance, crowd: Chance, together: Chance, w: Weights
) -> Any:
    """The haircut that is asked for lies between the least and the most, and is at least what each part asks for by
    itself where that is not more than the most."""
    assume(w.least <= w.most)
    found = asked(volatility, fall, crowd, together, w)
    alone = (volatility * w.volatility, fall * w.drawdown, crowd * w.depth, together * w.wrong_way)
    return every((w.least <= found, found <= w.most, *(found == w.most or found * WAD >= part for part in alone)))


@chapter.lemma("REF-SCO-6")
def worse_part_never_asks_for_less(
    venue: Reference, volatility: Chance, fall: Chance, crowd: Chance, together: Chance, more: Chance, w: Weights
) -> Any:
    """More volatility, a deeper fall, more crowding or more correlation never ask for a smaller haircut."""
    found = asked(volatility, fall, crowd, together, w)
    worse = asked(volatility + more, fall + more, crowd + more, together + more, w)
    single = asked(volatility, fall + more, crowd, together, w)
    return every((found <= worse, found <= single, single <= worse))


@chapter.lemma("REF-SCO-7")
def haircut_moves_by_a_step(venue: Reference, haircut: Chance, target: Chance, higher: Chance, w: Weights) -> Any:
    """A haircut moves towards what is asked for and never beyond, by at most a step in either direction, and never
    less far up where more is asked for."""
    found = next_haircut(haircut, target, w)
    return every(
        (
            min(haircut, target) <= found,
            found <= max(haircut, target),
            found <= haircut + w.rise,
            found >= haircut - w.fall,
            found <= next_haircut(haircut, target + higher, w),
        )
    )


@chapter.lemma("REF-SCO-8")
def haircut_reaches_the_venue_rounded_up(venue: Reference, haircut: Chance, more: Chance) -> Any:
    """As chapter 4 has it a haircut is at most one, at least itself and less than a unit more, and keeps its order."""
    found = parts_per_million(haircut)
    return every(
        (
            found <= PPM,
            found * WAD >= haircut * PPM,
            (found - 1) * WAD < haircut * PPM,
            found <= parts_per_million(haircut + more),
        )
    )
