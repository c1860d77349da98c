"""One path, one crowd, one variant: from the first price to the last."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace

from marginspec.model.reference.notation import PPM, QUOTE_PER_UNIT, USD, AccountId, magnitude
from marginspec.model.reference.venue import ETH
from marginspec.simulation.crowd import BACKSTOP, KEEPER, report
from marginspec.simulation.desk import Desk, Hedge
from marginspec.simulation.forecast import Forecast, Scores
from marginspec.simulation.keepers import Keepers, RunLosses, deficits
from marginspec.simulation.paths import PathSource, Points
from marginspec.simulation.population import Cast, populated
from marginspec.simulation.promise import Promise, PromiseKeeper
from marginspec.simulation.terms import VARIANTS, SimulationTerms
from marginspec.simulation.watch import Watch

DEVIATION, HEARTBEAT = 5_000, 1_800
"""The venue takes a price when it has moved so much, ppm, or so many seconds after the last."""

HEDGED_EVERY = 600
"""Seconds: the period of chapter 15."""


@dataclass
class RunResult:
    """What one run came to, amounts in quote. uncovered: what is owed at the end and nobody has paid.

    venue: the change of insurance fund, backstop and desk together. surplus: what the books do not account for (LED-1,
    LED-2) or tokens that came from nowhere: 0, or the run is worth nothing. updates: prices that the venue took.
    scores: of predictions; none where only hedging is on. owed: seconds, and the bad debt until then.
    """

    losses: RunLosses
    hedge: Hedge
    promise: Promise
    scores: Scores
    uncovered: int
    venue: int
    surplus: int
    updates: int
    owed: list[tuple[int, int]] = field(default_factory=list)

    @property
    def bad_debt(self) -> int:
        """All deficits, whoever paid them, quote."""
        return self.losses.insured + self.losses.taken + self.losses.socialised + self.uncovered


def run_variant(cast: Cast, points: Points, terms: SimulationTerms, predictive: bool, hedging: bool) -> RunResult:
    """Run a crowd, which is left as it is, along a path."""
    return _Run(replace(cast, venue=cast.venue.copy()), terms, predictive, hedging).along(points)


def path_of(source: PathSource, seed: int, number: int) -> Points:
    """The path of a run, by its number."""
    return source.draw(random.Random(f"{seed} path {number}"))


def run_all(source: PathSource, terms: SimulationTerms, seed: int, number: int) -> dict[str, RunResult]:
    """Draw a path and a crowd, and run every variant on the same: differences between them are no chance."""
    points = path_of(source, seed, number)
    cast = populated(random.Random(f"{seed} crowd {number}"), terms, points[0][1])
    return {name: run_variant(cast, points, terms, *each) for name, each in VARIANTS.items()}


class _Run:
    def __init__(self, cast: Cast, terms: SimulationTerms, predictive: bool, hedging: bool) -> None:
        self._venue, self._terms, self._predictive = cast.venue, terms, predictive
        self._watch = Watch(cast.venue)
        self._promise = PromiseKeeper(cast.venue)
        self._keepers = Keepers(cast, terms, self._promise, self._watch.touch)
        self._forecast = Forecast(cast.venue, cast.traders, terms)
        self._desk = Desk(cast.venue, terms) if hedging else None
        self._tokens = cast.venue.held[USD]
        self._own = self._venue_owns()
        self._updates = 0
        self._owed: list[tuple[int, int]] = []

    def along(self, points: Points) -> RunResult:
        begin = self._venue.now
        for (before, _), (at, price) in itertools.pairwise(points):
            self._venue.must("advance_time", seconds=at - before)
            unsafe = self._reprice(price)
            self._keepers.act(unsafe, max(1, (at - before) // 60))
            if unsafe:
                self._promise.settled(self._watch.unsafe())
            if self._desk is not None and at % HEDGED_EVERY < at - before and self._desk.rebalance():
                self._watch.touch((str(BACKSTOP),))
            if at % self._terms.period < at - before:
                self._new_period(begin + points[-1][0])
                self._owed.append((at, self._bad_debt()))
        return self._result()

    def _reprice(self, price: int) -> list[AccountId]:
        """The venue takes a price if it is due; who is unsafe then."""
        venue, asset = self._venue, self._venue.assets[ETH]
        before, tripped = asset.mark, asset.tripped_at != 0
        moved = magnitude(price - before) * PPM >= before * DEVIATION
        if moved or venue.now >= asset.time + HEARTBEAT:
            report(venue, price)
            taken = venue.try_to("update_price", (), caller=KEEPER, asset=ETH).accepted
            self._updates += taken and asset.tripped_at == 0
            if self._desk is not None and self._desk.mark_to_market():
                self._watch.touch((str(BACKSTOP),))
            unsafe = self._watch.unsafe()
            self._promise.priced(before, unsafe, tripped)
            self._forecast.seen(unsafe)
        return self._watch.unsafe()

    def _new_period(self, until: int) -> None:
        if self._desk is not None and not self._predictive:
            return  # nobody asks
        chances = self._forecast.predict(until)
        if self._predictive:
            self._venue.addons = self._forecast.addons(chances, self._venue.addons)  # type: ignore[misc]
            self._watch.touch(self._venue.accounts)

    # --- What it came to ----------------------------------------------------------------------------------------

    def _bad_debt(self) -> int:
        losses = self._keepers.losses
        return losses.insured + losses.taken + losses.socialised + deficits(self._venue)

    def _venue_owns(self) -> int:
        return self._venue.insurance + self._venue.equity(AccountId(BACKSTOP), aged=True)

    def _result(self) -> RunResult:
        hedge = self._desk.hedge if self._desk is not None else Hedge()
        return RunResult(
            losses=self._keepers.losses,
            hedge=hedge,
            promise=self._promise.finish(),
            scores=self._forecast.scores,
            uncovered=deficits(self._venue),
            venue=self._venue_owns()
            - self._own
            + (hedge.withdrawn - hedge.deposited) * QUOTE_PER_UNIT
            + hedge.gained
            - hedge.cost,
            surplus=self._unaccounted(hedge),
            updates=self._updates,
            owed=self._owed,
        )

    def _unaccounted(self, hedge: Hedge) -> int:
        """What went in, came out and is held do not agree by, in quote and base units: 0."""
        venue = self._venue
        tokens = venue.held[USD] - self._tokens - hedge.deposited + hedge.withdrawn
        desk = hedge.gained - hedge.cost - hedge.cash - (hedge.deposited - hedge.withdrawn) * QUOTE_PER_UNIT
        return abs(venue.surplus()) + abs(venue.collateral_surplus(ETH)) + abs(tokens) + abs(desk)
