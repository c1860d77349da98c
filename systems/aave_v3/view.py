"""How accounts in Aave v3 stand, who takes part, and what is whose: for plots, stories and upgrades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import WAD, User, percent_mul
from marginspec.model.kernel.machine import Machine
from marginspec.systems.roles import Parties, Worth
from marginspec.systems.view import Chart, Moment, Standing, accepted_calls, bar, computed

DIGITS = 8


class Borrowing:
    """Debt of an account in all reserves against what the liquidation thresholds of its collateral allow."""

    unit, digits = "US dollars", DIGITS
    lines: Mapping[str, str] = MappingProxyType({"collateral": "equity", "limit": "maintenance", "debt": "debt"})
    danger = ("limit", "debt")
    title = "Debt against its limit"
    note = "Each collateral counts by its liquidation threshold or that of the mode. At equality an account is healthy."

    def subjects(self, model: type[Machine]) -> list[User]:
        """Every user."""
        return list(AaveV3.universe[User])

    def label(self, subject: User) -> str:
        """The user."""
        return str(subject)

    def standing(self, state: AaveV3, subject: User) -> Standing | None:
        """With interest up to now, at the oracle's prices."""

        def figure() -> Standing:
            collateral, debt, _, health, _ = state.account_data(subject)
            limit = percent_mul(collateral, state.average_threshold(subject))
            word = "healthy" if health >= WAD else "liquidatable" if debt <= collateral else "insolvent"
            return Standing(word, {"collateral": collateral, "limit": limit, "debt": debt}, health - WAD, debt > 0)

        return computed(figure)

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The oracle's price of each asset."""
        states: list[Any] = [moment.state for moment in moments]
        return [
            {
                "title": f"Price of {asset}",
                "unit": self.unit,
                "note": "As the oracle answers it.",
                "series": [
                    {
                        "label": "oracle price",
                        "role": "price",
                        "values": [state.price[asset] / 10**DIGITS for state in states],
                    }
                ],
            }
            for asset in states[0].price
        ]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Of each liquidation: what the liquidator repaid, what is still owed, and whether anything backs that."""
        liquidations = accepted_calls(moments, ["liquidate"])
        bars = [self._loss(number, before.state, after) for number, before, after in liquidations]
        note = "The debt at each liquidation. What no collateral backs any more, no rule of 3.0.2 takes from anybody."
        return {"title": "Where the debt went", "unit": self.unit, "note": note, "bars": bars} if bars else None

    def _loss(self, number: int, before: Any, after: Moment) -> Chart:
        assert after.call is not None
        user = after.call.arguments["user"]
        collateral, left, *_ = after.state.account_data(user)  # type: ignore[attr-defined]
        repaid = before.account_data(user)[1] - left
        rest = ("still owed", "open", left) if collateral else ("owed without collateral", "socialised", left)
        return bar(number, after.call, [("liquidator repays", "liquidator", repaid), rest], self.digits)


def _worth(state: AaveV3) -> Worth:
    """Tokens in the wallet and claims, less debts; of the pool, what nobody has a claim to."""
    worth = Counter[tuple[str, str]]()
    for asset, reserve in state.reserves.items():
        worth[POOL, asset] += reserve.idle
        for user, amount in state.balance[asset].items():
            worth[user, asset] += amount
        for account in state.claims[asset]:
            claim = state.claim_of(asset, account)
            worth[account, asset] += claim
            worth[POOL, asset] -= claim
        for user in state.debts[asset]:
            debt = state.debt_of(asset, user)
            worth[user, asset] -= debt
            worth[POOL, asset] += debt
    return worth


POOL = "pool"

PARTIES = Parties({"liquidate": "liquidator", "configure": "owner"}, POOL, _worth)
"""Who takes part, and what is whose."""
