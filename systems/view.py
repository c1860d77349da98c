"""How a system's accounts stand: in its own words, figures and charts, as plain numbers.

Figures are the model's, interest and funding up to the moment included; where the model itself refuses to compute one
(a price too old, an overflow) there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected

Chart = dict[str, Any]
"""title, note, unit, and either series or bars.

series: label, role, values at each moment, None where there is none; band: values between which a price lies; danger:
labels of two series, of which the first below the second is bad news. bars: label, and parts with role and value.
"""


@dataclass(frozen=True)
class Moment:
    """The state after a step, or at the beginning; after a last step that the model refused, as it was when refused."""

    state: Machine
    call: Call | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Standing:
    """How an account stands.

    word: healthy, liquidatable, …. figures: name and amount. spare: below zero is not healthy. owes: whether it has
    anything at stake.
    """

    word: str
    figures: Mapping[str, int]
    spare: int
    owes: bool = True


@dataclass(frozen=True)
class Ability:
    """What an account is, as an action on it decides: when that is accepted, when `rule` refuses it because the account
    is healthy, and when another rule does."""

    able: str
    unable: str
    rule: str
    refused: str


class View(Protocol):
    """What a system's accounts are judged by. unit, digits: of amounts, and how many of their digits are decimals.

    title, note, lines: of the chart of an account: figures of its standing, each with its role in the chart. danger:
    the two of them that tell when the account may be liquidated: when the first is below the second.
    """

    unit: str
    digits: int
    title: str
    note: str
    lines: Mapping[str, str]
    danger: tuple[str, str]

    def subjects(self, model: type[Machine]) -> list[Any]:
        """Everybody who can owe."""

    def label(self, subject: Any) -> str:
        """A subject in words."""

    def standing(self, state: Any, subject: Any) -> Standing | None:
        """How a subject stands; None where that cannot be computed."""

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The prices that matter to subjects."""

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """What liquidations and what comes after them moved; None when there were none."""


def computed(figure: Callable[[], Standing | None]) -> Standing | None:
    """A standing, or None where the model refuses to compute it."""
    try:
        return figure()
    except Rejected:
        return None


def accepted_calls(moments: Sequence[Moment], actions: Collection[str]) -> Iterator[tuple[int, Moment, Moment]]:
    """Each accepted call of some actions: its number, and the moments before and after it."""
    for number, (before, after) in enumerate(itertools.pairwise(moments), 1):
        if after.call is not None and after.call.action in actions and after.outcome and after.outcome.accepted:
            yield number, before, after


def bar(number: int, call: Call, parts: Sequence[tuple[str, str, int]], digits: int) -> Chart:
    """What one step moved, by who bears it: label, role in the chart, amount."""
    shown = [{"label": label, "role": role, "value": value / 10**digits} for label, role, value in parts]
    return {"label": f"{number} {call.action}", "parts": shown}
