"""How short options in Lyra v1 stand: for plots and stories. The model has no wallets, so nobody's wealth is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.deployed.lyra_v1.decimals import UNIT, multiply
from marginspec.model.deployed.lyra_v1.ledger import ACTIVE, CALL_BASE, PositionId, is_short
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel.machine import Machine
from marginspec.systems.view import Chart, Moment, Standing, accepted_calls, bar, computed

DIGITS = 18
BEARERS = (
    ("back to the holder", "open"),
    ("pool, for the option", "open"),
    ("pool, as fee", "liquidator"),
    ("liquidator", "liquidator"),
    ("security module", "liquidator"),
    ("missing", "socialised"),
)
"""Who gets what of a liquidation, in the order in which the action returns it."""


class Shorts:
    """Collateral of a short option against the least that it must have, in quote at the present spot."""

    unit, digits = "quote", DIGITS
    lines: Mapping[str, str] = MappingProxyType({"collateral": "equity", "least collateral": "maintenance"})
    danger = ("collateral", "least collateral")
    title = "Collateral against the least of it"
    note = "The least is what the option costs at a shocked spot and volatility, within bounds. Exactly that is enough."

    def subjects(self, model: type[Machine]) -> list[PositionId]:
        """Every position."""
        return list(LyraV1.blank().positions)

    def label(self, subject: PositionId) -> str:
        """The position."""
        return f"position {subject}"

    def standing(self, state: LyraV1, subject: PositionId) -> Standing | None:
        """At the present spot; of what is no active short, nothing is at stake."""

        def figure() -> Standing:
            held = state.positions[subject]
            if held.state != ACTIVE or not is_short(held.kind):
                return Standing("healthy", {"collateral": 0, "least collateral": 0}, 0, owes=False)
            spare = held.collateral - state.least_collateral_of(subject)
            value = multiply(held.collateral, _worth_of_one(state, subject))
            least = multiply(held.collateral - spare, _worth_of_one(state, subject))
            word = "liquidatable" if spare < 0 else "healthy"
            return Standing(word, {"collateral": value, "least collateral": least}, spare)

        return computed(figure)

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The spot price."""
        states: list[Any] = [moment.state for moment in moments]
        series = [{"label": "spot", "role": "price", "values": [state.spot / UNIT for state in states]}]
        note = "What the exchange of the protocol answers."
        return [{"title": "Spot price of the base", "unit": self.unit, "note": note, "series": series}]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Of each liquidation: who got the collateral, and what was missing."""
        liquidations = accepted_calls(moments, ["liquidate"])
        bars = [self._loss(number, before.state, after) for number, before, after in liquidations]
        note = "Collateral in base counts at the spot of the moment."
        return {"title": "Where the collateral went", "unit": self.unit, "note": note, "bars": bars} if bars else None

    def _loss(self, number: int, before: Any, after: Moment) -> Chart:
        assert after.call is not None
        assert after.outcome is not None
        one = _worth_of_one(before, after.call.arguments["position"])
        *paid, missing = after.outcome.returns  # what is missing is in quote already
        amounts = [*(multiply(amount, one) for amount in paid), missing]
        parts = [(label, role, amount) for (label, role), amount in zip(BEARERS, amounts, strict=True)]
        return bar(number, after.call, parts, self.digits)


def _worth_of_one(state: Any, position: PositionId) -> int:
    """One of what a position is collateralised with, in quote."""
    return int(state.spot) if state.positions[position].kind == CALL_BASE else UNIT
