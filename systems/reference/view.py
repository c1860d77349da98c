"""How accounts of the reference venue stand: equity against initial and maintenance margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.kernel.machine import Machine
from marginspec.model.reference import Reference
from marginspec.systems.view import Chart, Moment, Standing, bar, computed

MOST = 2
"""Of the prices that moved, or that matter to somebody: so many are plotted."""

USD_DIGITS, PRICE_DIGITS = 12, 6
"""Of quote, and of a price: decimals of a USD."""


class Venue:
    """The reference venue: equity of an account against initial and maintenance margin."""

    unit, digits = "USD", USD_DIGITS
    lines: Mapping[str, str] = MappingProxyType(
        {"equity": "equity", "initial margin": "initial", "maintenance margin": "maintenance"}
    )
    danger = ("equity", "maintenance margin")
    title = "Equity against margin"
    note = (
        "Below maintenance margin anybody may liquidate; below zero the waterfall pays. Funding is settled up to now."
    )

    def subjects(self, model: type[Machine]) -> list[str]:
        """Every account."""
        return list(model.blank().accounts)  # type: ignore[attr-defined]

    def label(self, subject: str) -> str:
        """The account."""
        return subject

    def standing(self, state: Reference, subject: Any) -> Standing | None:
        """By equity after the funding up to now."""

        def figure() -> Standing:
            now = state.clone()
            now._settle(subject)
            equity, initial = now.equity(subject), now.initial_margin(subject)
            maintenance = now.maintenance_margin(subject)
            owes = not now._owes_nothing(subject)  # by MRG-7, and then it needs nothing
            edges = {"bankrupt": 0, "liquidatable": maintenance, "below initial margin": initial} if owes else {}
            word = next((word for word, edge in edges.items() if equity < edge), "healthy")
            figures = {"equity": equity, "initial margin": initial, "maintenance margin": maintenance}
            return Standing(word, figures, equity - maintenance, owes)

        return computed(figure)

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """Mark prices that moved, or else those that the subjects depend on."""
        states: list[Any] = [moment.state for moment in moments]
        assets = list(states[0].assets)
        moved = [a for a in assets if len({state.assets[a].mark for state in states}) > 1]
        needed = [a for a in assets if any(_depends(state, subject, a) for state in states for subject in subjects)]
        return [
            {
                "title": f"Price of {asset}",
                "unit": f"USD per {asset}",
                "note": "The accepted price (mark), between its lower and its higher edge.",
                "band": [[_price(state.assets[asset], edge) for state in states] for edge in ("low", "high")],
                "series": [
                    {
                        "label": "mark price",
                        "role": "price",
                        "values": [_price(state.assets[asset], "mark") for state in states],
                    }
                ],
            }
            for asset in (moved or needed)[:MOST]
        ]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Each liquidation and each step of the waterfall: who paid whom."""
        bars = [shown for number in range(1, len(moments)) if (shown := self._loss(number, *moments[number - 1 :][:2]))]
        if not bars:
            return None
        note = "The order is fixed: own margin, insurance fund, profits of counterparties, all profits, all cash."
        return {"title": "Where the waterfall took the money", "unit": self.unit, "note": note, "bars": bars}

    def _loss(self, number: int, before: Moment, after: Moment) -> Chart | None:
        if after.call is None or after.outcome is None or after.outcome.rule:
            return None
        then: Any = before.state
        now: Any = after.state
        returns, account = after.outcome.returns, after.call.arguments.get("account")
        open_ = self.standing(now, account) if account in now.accounts else None
        left = ("deficit still open", "open", max(-open_.figures["equity"], 0) if open_ else 0)
        match after.call.action:
            case "liquidate":
                fund = now.insurance - then.insurance
                parts = [
                    ("margin to the liquidator", "liquidator", returns[1] - fund),
                    ("margin to the insurance fund", "margin", fund),
                ]
            case "seize_collateral":
                parts = [("collateral sold", "liquidator", returns[0]), left]
            case "cover":
                parts = [("insurance fund", "fund", returns[0]), left]
            case "deleverage":
                parts = [("profit of the counterparty", "counterparty", returns[1]), left]
            case "socialise":
                parts = [("all unrealised profits", "socialised", returns[0]), left]
            case "fix_settlement":
                short = now.settlement_claims - now.settlement_pool - 1
                parts = [("all cash, in proportion", "cash", max(short, 0))]
            case _:
                return None
        return bar(number, after.call, parts, self.digits)


def _price(asset: Any, name: str) -> float | None:
    return getattr(asset, name) / 10**PRICE_DIGITS if asset.mark else None


def _depends(state: Any, account: str, asset: str) -> bool:
    held = state.accounts[account]
    markets = [market for market, terms in state.market_terms.items() if terms.asset == asset]
    return held.collateral[asset].counted != 0 or any(held.positions[market].size != 0 for market in markets)
