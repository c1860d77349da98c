"""Chapter 14, margin that looks ahead: add-ons are bounded, explained, damped, and never fall as things get worse."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.venue import Reference
from marginspec.model.risk.notation import WAD, Chance, Positive, Real
from marginspec.model.risk.predictive import (
    FAR,
    Bin,
    Outlook,
    Times,
    damped,
    deviation,
    distance,
    explained,
    gap,
    habits,
    probability,
    recorded,
    required,
    touched,
    unexplained,
    warned,
)
from marginspec.properties.law import assume, every
from marginspec.properties.reference.scope import chapter


@chapter.lemma("REF-PRD-1")
def more_room_is_farther_away(
    venue: Reference, room: Real, more: Positive, exposure: Positive, larger: Positive
) -> Any:
    """The move that takes an account to maintenance is never smaller with more room, never larger with more exposure,
    the same for a short, nothing below maintenance, and beyond all moves without exposure."""
    found = distance(room, exposure)
    return every(
        (
            found <= distance(room + more, exposure),
            distance(room, exposure + larger + 1) <= found,
            found == distance(room, -exposure),
            room > 0 or found == 0,
            exposure > 0 or room <= 0 or found == FAR,
        )
    )


@chapter.lemma("REF-PRD-2", bounds="whatever the probability at the end is")
def touching_is_likelier_than_staying(venue: Reference, tail: Chance, more: Chance) -> Any:
    """A price was ever so far with at least the probability of being there at the end, at most one, and never less
    where that is more."""
    found = touched(tail)
    return every((found >= tail, found <= WAD, found <= touched(tail + more)))


@chapter.lemma("REF-PRD-3")
def account_below_maintenance_is_certain(venue: Reference, room: Real, exposure: Real, days: Times) -> Any:
    """An account without room is below maintenance with certainty; one with room, where nothing moves, never gets
    there; without variance no days bring a deviation."""
    found = probability(room, exposure, 0, days)
    reached = distance(room, exposure) == 0
    return every((deviation(0, days) == 0, not reached or found == WAD, reached or found == 0))


@chapter.lemma("REF-PRD-4")
def worse_habits_never_count_less(
    venue: Reference, withdrawn: Positive, more: Positive, deposited: Positive, leverage: Times, outlook: Outlook
) -> Any:
    """Habits count from nothing to one, never less the more was withdrawn or the higher the leverage."""
    found = habits(withdrawn, deposited, leverage, outlook)
    return every(
        (
            found >= 0,
            found <= WAD,
            found <= habits(withdrawn + more, deposited, leverage, outlook),
            found <= habits(withdrawn, deposited, leverage + more, outlook),
        )
    )


@chapter.lemma("REF-PRD-5")
def addon_is_explained_and_capped(
    venue: Reference, chance: Chance, more: Chance, habit: Chance, outlook: Outlook
) -> Any:
    """An add-on is the sum of what explains it, less what the cap took away; at most the cap; each part is at most what
    it may add; and none falls with the probability."""
    found, worse = explained(chance, habit, outlook), explained(chance + more, habit, outlook)
    return every(
        (
            found.total == found.ahead + found.habits - unexplained(found),
            found.total >= 0,
            found.total <= outlook.cap,
            found.ahead <= outlook.ahead,
            found.habits <= outlook.habits,
            found.ahead <= worse.ahead,
            found.total <= worse.total,
        )
    )


@chapter.lemma("REF-PRD-6")
def addon_moves_by_a_step(venue: Reference, addon: Chance, target: Chance, higher: Chance, outlook: Outlook) -> Any:
    """An add-on moves towards what is asked for and never beyond, by at most a step in either direction, and never less
    far up where more is asked for."""
    found = damped(addon, target, outlook)
    return every(
        (
            min(addon, target) <= found,
            found <= max(addon, target),
            found <= addon + outlook.rise,
            found >= addon - outlook.fall,
            found <= damped(addon, target + higher, outlook),
        )
    )


@chapter.lemma("REF-PRD-7")
def requirement_is_bounded_by_the_addon(
    venue: Reference, maintenance: Positive, more: Positive, addon: Chance, higher: Chance
) -> Any:
    """What an account needs is at least maintenance margin, at most that and the add-on's part, within a unit, and
    never falls with either; without an add-on it is maintenance margin."""
    found = required(maintenance, addon)
    return every(
        (
            found >= maintenance,
            (found - 1) * WAD < maintenance * (WAD + addon) or found == 0,
            found <= required(maintenance + more, addon + higher),
            required(maintenance, 0) == maintenance,
        )
    )


@chapter.lemma("REF-PRD-8")
def warning_comes_in_time_and_stays(venue: Reference, before: bool, chance: Chance, outlook: Outlook) -> Any:
    """Whoever is as likely as that to fall below maintenance is warned; a warning is not taken back before the
    probability is below the lower bound, and nobody is warned below both."""
    assume(outlook.clear <= outlook.warn)
    found = warned(before, chance, outlook)
    kept = not before or chance < outlook.clear or found
    return every((chance < outlook.warn or found, kept, chance >= outlook.clear or not found))


@chapter.lemma("REF-PRD-9")
def gap_is_between_minus_one_and_one(venue: Reference, record: Bin, chance: Chance, came: bool) -> Any:
    """The gap of a bin is from minus one to one, if it was; a prediction that came so moves realised frequency up, and
    one that did not leaves it: one step of any number."""
    assume(record.realised <= record.made)
    assume(record.predicted <= record.made * WAD)
    before = record.clone()
    recorded(record, chance, came)
    found = gap(record)
    return every(
        (
            found >= -WAD,
            found <= WAD,
            record.realised <= record.made,
            record.predicted <= record.made * WAD,
            record.realised == before.realised + (1 if came else 0),
            gap(Bin()) == 0,
        )
    )
