"""Chapter 14, margin that looks ahead. Rules: `spec/reference/14-predictive-margin.md`."""

from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_down, mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import WAD, Chance, Positive, above_zero, magnitude
from marginspec.model.risk.numerics import normal, root
from marginspec.model.risk.tail import Variance

FAR = 100 * WAD
"""A distance that no move covers."""

Times = Annotated[int, Number(0, 1000 * WAD, "10^-18", WAD, typical=(WAD, 10 * WAD, 50 * WAD))]


@dataclass
class Outlook(Record):
    """Parameters. ahead, habits: the parts of maintenance margin that a probability of one, and the worst habits, add.

    cap: of both together. rise, fall: by which an add-on moves in a period. warn, clear: probabilities from which a
    warning is given, and below which it is taken back. leverage: from which it counts in full.
    """

    ahead: Chance = WAD // 4
    habits: Chance = WAD // 10
    cap: Chance = 3 * WAD // 10
    rise: Chance = WAD // 20
    fall: Chance = WAD // 50
    warn: Chance = WAD // 10
    clear: Chance = WAD // 20
    leverage: Times = 50 * WAD


@dataclass
class Explained(Record):
    """An add-on as a part of maintenance margin: what the outlook and the habits ask for, and both under the cap."""

    ahead: Chance = 0
    habits: Chance = 0
    total: Chance = 0


def distance(room: int, exposure: int) -> int:
    """PRD-1: the move of the price that takes what an account has beyond maintenance, as a part of it, rounded down."""
    if room <= 0:
        return 0
    return min(FAR, mul_div_down(room, WAD, magnitude(exposure))) if exposure != 0 else FAR


def deviation(variance: int, days: int) -> int:
    """PRD-2: how far a price is from where it was after some days, by the forecast of a day, rounded down."""
    return root(variance * days)


def touched(tail: int) -> int:
    """PRD-3: the probability that a price was ever so far, at most one: twice that of being there at the end."""
    return min(WAD, 2 * tail)


def probability(room: int, exposure: int, variance: Variance, days: int) -> int:
    """PRD-3: that an account falls below maintenance within a horizon."""
    far, spread = distance(room, exposure), deviation(variance, days)
    if far == 0:
        return WAD
    return touched(normal(-mul_div_down(far, WAD, spread))) if spread > 0 else 0


def habits(withdrawn: int, deposited: int, leverage: int, outlook: Outlook) -> int:
    """PRD-4: from 0 to 1: what was withdrawn of what was deposited, or the leverage, whichever is the worse."""
    drained = min(WAD, mul_div_up(withdrawn, WAD, max(deposited, 1)))
    return max(drained, min(WAD, mul_div_up(leverage, WAD, max(outlook.leverage, 1))))


def explained(chance: int, habit: int, outlook: Outlook) -> Explained:
    """PRD-5: the parts of the add-on, each rounded up, and their sum, at most the cap."""
    ahead, used = mul_div_up(chance, outlook.ahead, WAD), mul_div_up(habit, outlook.habits, WAD)
    return Explained(ahead, used, min(outlook.cap, ahead + used))


def damped(addon: int, target: int, outlook: Outlook) -> int:
    """PRD-6: the add-on of the next period: towards what is asked for, by no more than a step."""
    return min(max(addon - outlook.fall, target), addon + outlook.rise)


def required(maintenance: int, addon: int) -> int:
    """PRD-7: what an account needs: maintenance margin and the add-on's part of it, rounded up."""
    return maintenance + mul_div_up(maintenance, addon, WAD)


def warned(before: bool, chance: int, outlook: Outlook) -> bool:
    """PRD-8: whether an account is warned: from `warn` on, and then until it is below `clear`."""
    return chance >= outlook.warn or (before and chance >= outlook.clear)


@dataclass
class Bin(Record):
    """Predictions of about the same probability: how many were made, their sum, and how often it came so."""

    made: Annotated[int, Number(0, 2**40, "predictions")] = 0
    predicted: Positive = 0
    realised: Annotated[int, Number(0, 2**40, "predictions")] = 0


def recorded(record: Bin, chance: int, came: bool) -> None:
    """PRD-9: a further prediction, and whether it came so."""
    record.made += 1
    record.predicted += chance
    record.realised += 1 if came else 0


def gap(record: Bin) -> int:
    """PRD-10: realised frequency less mean prediction, rounded down; 0 where nothing was predicted."""
    return div_down(record.realised * WAD - record.predicted, record.made) if record.made > 0 else 0


def unexplained(addons: Explained) -> int:
    """What the cap took away."""
    return above_zero(addons.ahead + addons.habits - addons.total)
