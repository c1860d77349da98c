"""How positions in Morpho Blue stand: debt against the value of the collateral and the limit that the LLTV sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.deployed.morpho_blue import ORACLE_PRICE_SCALE, MorphoBlue
from marginspec.model.kernel.evm import mul_div_down
from marginspec.model.kernel.machine import Machine
from marginspec.systems.view import Chart, Moment, Standing, bar, computed


class Lending:
    """Morpho Blue: debt of a position against the value of its collateral and the limit that the LLTV puts on it."""

    unit, digits = "loan base units", 0
    lines: Mapping[str, str] = MappingProxyType({"collateral value": "equity", "limit": "maintenance", "debt": "debt"})
    danger = ("limit", "debt")
    title = "Debt against its limit"
    note = "One limit serves as initial and as maintenance margin: collateral value times LLTV, both rounded down."

    def subjects(self, model: type[Machine]) -> list[tuple[str, str]]:
        """Every account in every market."""
        markets, positions = model.blank().markets, model.blank().positions  # type: ignore[attr-defined]
        return [(market, account) for market in markets for account in positions[market]]

    def label(self, subject: tuple[str, str]) -> str:
        """Account and market."""
        market, account = subject
        return f"{account} in market {market}"

    def standing(self, state: MorphoBlue, subject: Any) -> Standing | None:
        """By the debt with interest up to now."""
        market, account = subject

        def figure() -> Standing:
            now = state.clone()
            now._accrue_interest(market)
            debt, limit = now.borrowed_assets(market, account), now.max_borrow(market, account)
            value = mul_div_down(now.positions[market][account].collateral, now.price[market], ORACLE_PRICE_SCALE)
            word = "healthy" if debt <= limit else "liquidatable" if debt <= value else "insolvent"
            return Standing(word, {"collateral value": value, "limit": limit, "debt": debt}, limit - debt, debt > 0)

        return computed(figure)

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The oracle prices of the subjects' markets."""
        return [
            {
                "title": f"Price of collateral in market {market}",
                "unit": "loan base units per collateral base unit",
                "note": "As the market's oracle answers it.",
                "series": [
                    {
                        "label": "oracle price",
                        "role": "price",
                        "values": [moment.state.price[market] / ORACLE_PRICE_SCALE for moment in moments],  # type: ignore[attr-defined]
                    }
                ],
            }
            for market in dict.fromkeys(market for market, _ in subjects)
        ]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Of each liquidation: what the liquidator repaid, what suppliers lost, what is still owed."""
        bars = [shown for number in range(1, len(moments)) if (shown := self._loss(number, *moments[number - 1 :][:2]))]
        if not bars:
            return None
        note = (
            "The debt at each liquidation, by who bears it. What no collateral backs any more, suppliers lose (LIQ-6)."
        )
        return {"title": "Where the debt went", "unit": self.unit, "note": note, "bars": bars}

    def _loss(self, number: int, before: Moment, after: Moment) -> Chart | None:
        if after.call is None or after.call.action != "liquidate" or after.outcome is None or after.outcome.rule:
            return None
        market, borrower = after.call.arguments["market"], after.call.arguments["borrower"]
        owed, left = self.standing(before.state, (market, borrower)), self.standing(after.state, (market, borrower))  # type: ignore[arg-type]
        _, repaid = after.outcome.returns
        debt, rest = (standing.figures["debt"] if standing else 0 for standing in (owed, left))
        parts = [("liquidator repays", "liquidator", repaid), ("still owed", "open", rest)]
        if after.state.positions[market][borrower].collateral == 0:  # type: ignore[attr-defined]
            parts.insert(1, ("suppliers lose", "socialised", max(debt - repaid - rest, 0)))
        return bar(number, after.call, parts, self.digits)
