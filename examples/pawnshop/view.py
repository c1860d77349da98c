"""How users of Pawnshop stand, who takes part, and what is whose: for plots, stories and upgrades."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.kernel.machine import Machine
from marginspec.systems import Parties
from marginspec.systems.view import Chart, Moment, Standing, bar

from .model import PAWNSHOP, SCALE, Pawnshop


class Pawns:
    """The debt of a user against its limit. See `marginspec.systems.View`."""

    unit, digits = "cash base units", 0
    title = "Debt against its limit"
    note = "The limit is 80 % of what the pledged coins are worth; in a liquidation they bring 95 %."
    lines: Mapping[str, str] = MappingProxyType({"value": "equity", "limit": "maintenance", "debt": "debt"})
    danger = ("limit", "debt")

    def subjects(self, model: type[Machine]) -> list[Any]:
        """Every user."""
        return list(Pawnshop.blank().debt)

    def label(self, subject: Any) -> str:
        """The user."""
        return str(subject)

    def standing(self, state: Pawnshop, subject: Any) -> Standing:
        """By debt, limit, and what a liquidation brings."""
        debt, limit = state.debt[subject], state.limit(subject)
        word = "healthy" if debt <= limit else "forfeit" if debt <= state.sale_value(subject) else "insolvent"
        figures = {"value": state.value(subject), "limit": limit, "debt": debt}
        return Standing(word, figures, limit - debt, debt > 0)

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The price of coins."""
        prices = [moment.state.price / SCALE for moment in moments]  # type: ignore[attr-defined]
        series = [{"label": "price", "role": "price", "values": prices}]
        return [{"title": "Price of coins", "unit": "cash per coin", "note": "As the feed says.", "series": series}]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Of each liquidation: what was paid, and what was written off."""
        bars = []
        for number, (before, after) in enumerate(itertools.pairwise(moments), 1):
            call, outcome = after.call, after.outcome
            if call is not None and outcome is not None and call.action == "liquidate" and outcome.rule is None:
                lost = after.state.written_off - before.state.written_off  # type: ignore[attr-defined]
                parts = [("liquidator pays", "liquidator", outcome.returns[1]), ("written off", "socialised", lost)]
                bars.append(bar(number, call, parts, self.digits))
        note = "What the coins do not bring, the pawnshop loses."
        return {"title": "Where the debt went", "unit": self.unit, "note": note, "bars": bars} if bars else None


def worth(state: Pawnshop) -> Mapping[tuple[str, str], int]:
    """Coins and cash: in the wallet and pledged, less what is owed; of the pawnshop, what is nobody's."""
    found = Counter[tuple[str, str]]()
    for unit, balances in (("coin", state.coin), ("cash", state.cash)):
        for holder, amount in balances.items():
            found[holder, unit] += amount
    for user, amount in state.pledged.items():
        found[user, "coin"] += amount
        found[PAWNSHOP, "coin"] -= amount
        found[user, "cash"] -= state.debt[user]
        found[PAWNSHOP, "cash"] += state.debt[user]
    return found


PARTIES = Parties({"liquidate": "liquidator"}, PAWNSHOP, worth)
