"""How positions in PerpsV2 stand, who takes part, and what is whose: for plots, stories and upgrades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import FEE_POOL, NOBODY, UNIT, User, above_zero
from marginspec.model.kernel.machine import Machine
from marginspec.systems.roles import Parties, Worth
from marginspec.systems.view import Chart, Moment, Standing, accepted_calls, bar

DIGITS = 18
LIQUIDATIONS = ("liquidate_position", "force_liquidate_position")


class Perpetuals:
    """Equity of a position less the premium of its liquidation, against the margin at which it is liquidated."""

    unit, digits = "sUSD", DIGITS
    lines: Mapping[str, str] = MappingProxyType(
        {"equity": "equity", "equity less premium": "equity", "liquidation margin": "maintenance"}
    )
    danger = ("equity less premium", "liquidation margin")
    title = "Equity against the liquidation margin"
    note = "Equity has profit and funding up to now. At equality a position is liquidated already."

    def subjects(self, model: type[Machine]) -> list[User]:
        """Every account."""
        return list(PerpsV2.blank().positions)

    def label(self, subject: User) -> str:
        """The account."""
        return str(subject)

    def standing(self, state: PerpsV2, subject: User) -> Standing:
        """By the oracle price, be it stale or zero."""
        size, price = state.positions[subject].size, state.price
        equity = state.equity(subject, price, state.next_funding(price))
        left = equity - state.liquidation_premium(size, price)
        needed = state.liquidation_margin(size, price) if size != 0 else 0
        figures = {"equity": equity, "equity less premium": left, "liquidation margin": needed}
        return Standing(self._word(state, subject, equity, left - needed), figures, left - needed - 1, size != 0)

    def _word(self, state: PerpsV2, subject: User, equity: int, spare: int) -> str:
        if state.flagger[subject] != NOBODY:
            return "flagged"
        if state.positions[subject].size == 0 or spare > 0:
            return "healthy"
        return "liquidatable" if equity >= 0 else "insolvent"

    def prices(self, moments: Sequence[Moment], subjects: Sequence[Any]) -> list[Chart]:
        """The oracle price, and that at which the skew would be closed."""
        states: list[Any] = [moment.state for moment in moments]
        oracle = [state.price / UNIT for state in states]
        skewed = [state.fill_price(-state.skew, state.price) / UNIT for state in states]
        series = [
            {"label": "oracle price", "role": "price", "values": oracle},
            {"label": "fill price of the whole skew", "role": "price", "values": skewed},
        ]
        return [{"title": "Price", "unit": "sUSD", "note": "Trades are filled between the two.", "series": series}]

    def losses(self, moments: Sequence[Moment]) -> Chart | None:
        """Of each liquidation: who got the margin, and what the debt pool added for fees."""
        liquidations = accepted_calls(moments, LIQUIDATIONS)
        bars = [self._loss(number, before.state, after) for number, before, after in liquidations]
        note = "Fees are paid whatever is left of the margin; the rest of it goes to the fee pool."
        return {"title": "Where the margin went", "unit": self.unit, "note": note, "bars": bars} if bars else None

    def _loss(self, number: int, before: Any, after: Moment) -> Chart:
        call, state = after.call, after.state
        assert call is not None
        equity = before.equity(call.arguments["account"], before.price, before.next_funding(before.price))
        pool = state.balance[FEE_POOL] - before.balance[FEE_POOL]  # type: ignore[attr-defined]
        fees = sum(state.balance.values()) - sum(before.balance.values()) - pool  # type: ignore[attr-defined]
        added = above_zero(fees - above_zero(equity))
        parts = [("keepers", "liquidator", fees - added), ("debt pool adds", "socialised", added)]
        return bar(number, call, [*parts, ("fee pool", "open", pool)], self.digits)


def _worth(state: PerpsV2) -> Worth:
    """sUSD in the wallet and equity, which the debt pool owes."""
    worth = Counter[tuple[str, str]]()
    for holder, amount in state.balance.items():
        worth[holder, "sUSD"] += amount
        worth[POOL, "sUSD"] -= amount
    for account in state.positions:
        equity = state.equity(account, state.price, state.next_funding(state.price))
        worth[account, "sUSD"] += equity
        worth[POOL, "sUSD"] -= equity
    return worth


POOL = "debt pool"
OWNERS = ("set_parameters", "set_max_funding_velocity")
KEEPERS = ("flag_position", *LIQUIDATIONS)

PARTIES = Parties({**dict.fromkeys(KEEPERS, "keeper"), **dict.fromkeys(OWNERS, "owner")}, POOL, _worth)
"""Who takes part, and what is whose: the debt pool issues and burns all sUSD, and is the other side of every trade."""
