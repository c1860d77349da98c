"""What a trace does to the accounts in it: price, equity against margin, who bore a loss, as charts of plain numbers.

A view of a system knows its own words: margins of the reference venue, debt and limit of Morpho Blue. Figures are the
model's, interest and funding up to the moment included; where the model itself refuses to compute one (a price too old,
an overflow) there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from marginspec.model.deployed.morpho_blue import ORACLE_PRICE_SCALE, MorphoBlue
from marginspec.model.kernel.evm import mul_div_down
from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected
from marginspec.model.reference import Reference

Chart = dict[str, Any]
"""title, note, unit, and either series or bars.

series: label, role, values at each moment, None where there is none; band: values between which a price lies; danger:
labels of two series, of which the first below the second is bad news. bars: label, and parts with role and value.
"""

MOST = 2
"""Of the accounts in a trace, those nearest to liquidation, and of the prices: so many are plotted."""

USD_DIGITS, PRICE_DIGITS = 12, 6
"""Of quote, and of a price of the reference venue: decimals of a USD."""


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


def followed(view: View, moments: Sequence[Moment]) -> dict[Any, list[Standing | None]]:
    """The accounts that a trace is about, those first that came closest to liquidation, and how each stood."""
    named = {value for moment in moments if moment.call for value in moment.call.arguments.values()}
    found = {}
    for subject in view.subjects(type(moments[0].state)):
        if named.issuperset(subject if isinstance(subject, tuple) else (subject,)):
            stood = [view.standing(moment.state, subject) for moment in moments]
            if any(standing is not None and standing.owes for standing in stood):
                found[subject] = stood
    nearest = sorted(found, key=lambda subject: min(s.spare for s in found[subject] if s is not None and s.owes))
    return {subject: found[subject] for subject in nearest[:MOST]}


def charts(view: View, moments: Sequence[Moment], stood: Mapping[Any, Sequence[Standing | None]]) -> list[Chart]:
    """Price, margin and losses of a trace."""
    margins = [
        {
            "title": f"{view.title}: {view.label(subject)}",
            "unit": view.unit,
            "note": view.note,
            "danger": view.danger,
            "series": [
                {"label": name, "role": role, "values": _over(standings, name, view.digits)}
                for name, role in view.lines.items()
            ],
        }
        for subject, standings in stood.items()
    ]
    losses = view.losses(moments)
    return [*view.prices(moments, list(stood)), *margins, *([losses] if losses else [])]


def _over(standings: Sequence[Standing | None], name: str, digits: int) -> list[float | None]:
    return [None if standing is None else standing.figures[name] / 10**digits for standing in standings]


def _computed(figure: Callable[[], Standing | None]) -> Standing | None:
    try:
        return figure()
    except Rejected:
        return None


# --- Morpho Blue --------------------------------------------------------------------------------------------


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

        return _computed(figure)

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
        bars = [bar for number in range(1, len(moments)) if (bar := self._loss(number, *moments[number - 1 :][:2]))]
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
        return _bar(number, after.call, parts, self.digits)


# --- The reference venue ------------------------------------------------------------------------------------


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
            edges = {"bankrupt": 0, "liquidatable": maintenance, "below initial margin": initial}
            word = next((word for word, edge in edges.items() if equity < edge), "healthy")
            figures = {"equity": equity, "initial margin": initial, "maintenance margin": maintenance}
            held = now.accounts[subject]
            owes = held.cash < 0 or any(position.size != 0 for position in held.positions.values())
            return Standing(word, figures, equity - maintenance, owes)

        return _computed(figure)

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
        bars = [bar for number in range(1, len(moments)) if (bar := self._loss(number, *moments[number - 1 :][:2]))]
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
        return _bar(number, after.call, parts, self.digits)


def _price(asset: Any, name: str) -> float | None:
    return getattr(asset, name) / 10**PRICE_DIGITS if asset.mark else None


def _depends(state: Any, account: str, asset: str) -> bool:
    held = state.accounts[account]
    markets = [market for market, terms in state.market_terms.items() if terms.asset == asset]
    return held.collateral[asset].counted != 0 or any(held.positions[market].size != 0 for market in markets)


def _bar(number: int, call: Call, parts: Sequence[tuple[str, str, int]], digits: int) -> Chart:
    shown = [{"label": label, "role": role, "value": value / 10**digits} for label, role, value in parts]
    return {"label": f"{number} {call.action}", "parts": shown}


VIEWS: Mapping[str, View] = {MorphoBlue.system: Lending(), Reference.system: Venue()}
"""By system; the others have stories without plots."""
