"""What chapter 14 says ahead of each account, and whether it came so."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down
from marginspec.model.reference.notation import DAY, PPM, AccountId
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.predictive import Bin, damped, explained, habits, probability, recorded
from marginspec.model.risk.tail import next_variance
from marginspec.simulation.crowd import MARKET, CrowdedVenue, exposure, leverage
from marginspec.simulation.population import Trader
from marginspec.simulation.terms import SimulationTerms

EDGES = tuple(WAD * part // 1000 for part in (0, 5, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900))
"""Where bins begin: narrow ones near 0, where most predictions are."""


@dataclass
class Scores:
    """Predictions by bin, and what a Brier score needs, as sums, so that those of several runs add up.

    squares: of predictions, 36 decimals. hits: of predictions that came true, 18 decimals.
    """

    bins: list[Bin] = field(default_factory=lambda: [Bin() for _ in EDGES])
    squares: list[int] = field(default_factory=lambda: [0] * len(EDGES))
    hits: list[int] = field(default_factory=lambda: [0] * len(EDGES))

    def record(self, chance: int, came: bool) -> None:
        """PRD-9: a further prediction, and whether it came so."""
        place = sum(edge <= chance for edge in EDGES) - 1
        recorded(self.bins[place], chance, came)
        self.squares[place] += chance * chance
        self.hits[place] += chance if came else 0

    def add(self, other: Scores) -> None:
        """Take the predictions of another run, too."""
        for place, more in enumerate(other.bins):
            known = self.bins[place]
            known.made += more.made
            known.predicted += more.predicted
            known.realised += more.realised
            self.squares[place] += other.squares[place]
            self.hits[place] += other.hits[place]


class Forecast:
    """The forecast of a desk: a variance from each period's move, a probability for each account, and its add-on."""

    def __init__(self, venue: CrowdedVenue, traders: Iterable[Trader], terms: SimulationTerms) -> None:
        self._venue, self._terms = venue, terms
        self._traders = {AccountId(each.name): each for each in traders}  # type: ignore[arg-type]
        self._mark = venue.mark(MARKET, aged=True)
        # VAR-3 of moves of a period; a day has so many periods.
        self._periods = div_down(DAY, terms.period)
        self._variance = div_down(mul_div_down(terms.calm, terms.calm, WAD), self._periods)
        self._pending: deque[tuple[int, dict[AccountId, int]]] = deque()
        self._falls: dict[AccountId, list[int]] = {}
        self.scores = Scores()

    def seen(self, unsafe: Collection[AccountId]) -> None:
        """Accounts that may be liquidated at the last price: of which those below maintenance have come true."""
        now = self._venue.now
        for name in unsafe:
            if name in self._traders and not self._venue.is_maintained(name):
                self._falls.setdefault(name, []).append(now)

    def predict(self, until: int) -> dict[AccountId, int]:
        """Move the variance on by a period's move, and say the probability of each account that is at maintenance.

        until: the time at which the path ends: what cannot be judged any more is not recorded.
        """
        mark = self._venue.mark(MARKET, aged=True)
        move = mul_div_down(mark - self._mark, WAD, self._mark)
        self._variance, self._mark = next_variance(self._variance, move, self._terms.memory), mark
        self._judge()
        chances = {
            name: chance
            for name in self._traders
            if self._venue.size(name) != 0 and (chance := self._chance(name)) is not None
        }
        if self._venue.now + self._terms.horizon * DAY <= until:
            self._pending.append((self._venue.now, chances))
        return chances

    def _chance(self, account: AccountId) -> int | None:
        room = self._venue.equity(account, aged=True) - div_up(self._venue.own_requirement(account), PPM)
        if room < 0:
            return None
        notional = exposure(self._venue, account)
        return probability(room, notional, self._variance * self._periods, self._terms.horizon)

    def _judge(self) -> None:
        """Record the predictions whose horizon is over, and whether the account fell below maintenance within it."""
        now = self._venue.now
        while self._pending and self._pending[0][0] + self._terms.horizon * DAY <= now:
            made, chances = self._pending.popleft()
            for name, chance in chances.items():
                self.scores.record(chance, self._fell(name, made))

    def _fell(self, account: AccountId, made: int) -> bool:
        return any(made < at <= made + self._terms.horizon * DAY for at in self._falls.get(account, ()))

    def addons(self, chances: Mapping[AccountId, int], before: Mapping[str, int]) -> dict[str, int]:
        """The add-ons of the next period (PRD-4 to PRD-6). before: those until now."""
        outlook = self._terms.outlook
        found: dict[str, int] = {}
        for name, chance in chances.items():
            trader = self._traders[name]
            habit = habits(trader.withdrawn, trader.cash + trader.collateral, leverage(self._venue, name), outlook)
            found[name] = damped(before.get(name, 0), explained(chance, habit, outlook).total, outlook)
        return {name: addon for name, addon in found.items() if addon}
