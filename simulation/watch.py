"""Which accounts may be liquidated: all are watched, few are worked out at each price.

An account's equity less its requirement is a straight line of the price, but for rounding, and falls with ratio and
haircut. So whoever is safe at both ends of a range of prices, at a ratio and a haircut as high as any within it,
is safe in all of it. The ends are worked out by the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.reference.collateral import MAXIMUM_HAIRCUT
from marginspec.model.reference.notation import MAXIMUM_RATIO, PPM, AccountId, magnitude
from marginspec.model.reference.venue import ETH
from marginspec.simulation.crowd import MARKET, CrowdedVenue

WIDEST = 400_000
"""Part of the price, ppm, to either side of it."""

HEADROOM = 6_000
"""ppm of ratio and haircut, where the highest are too much."""

Band = tuple[int, int, int, int]
"""Lowest and highest price, highest ratio and haircut at which an account is known to be safe."""

NOWHERE: Band = (1, 0, 0, 0)


class Watch:
    """Accounts with a position or a debt, and the bands in which they are safe."""

    def __init__(self, venue: CrowdedVenue) -> None:
        self._venue = venue
        self._bands: dict[AccountId, Band] = {}
        self._unsafe: set[AccountId] = set()
        self._changed: set[AccountId] = set()
        self._at = (0, 0, 0)
        self._order = list(venue.accounts)
        self.touch(venue.accounts)

    def touch(self, accounts: Iterable[str]) -> None:
        """Forget what was known of accounts that changed, in themselves or in what is asked of them."""
        for account in accounts:
            self._bands[account] = NOWHERE  # type: ignore[index]
            self._changed.add(account)  # type: ignore[arg-type]

    def unsafe(self) -> list[AccountId]:
        """The accounts that may be liquidated now (LIQ-5), in the order of the venue.

        Time alone changes nothing: all trades are at the mark, so that no funding flows.
        """
        price, ratio = self._venue.assets[ETH], self._venue.markets[MARKET].ratio
        mark, haircut = at = price.mark, price.haircut
        if (*at, ratio) != self._at:
            self._changed = {
                name
                for name, (low, high, most, cut) in self._bands.items()
                if not (low <= mark <= high and ratio <= most and haircut <= cut)
            }
            self._at = *at, ratio
        if self._changed:
            found = {name for name in self._changed if not self._venue.is_safe_from_liquidation(name)}
            self._unsafe = (self._unsafe - self._changed) | found
            self._bands |= dict.fromkeys(found, NOWHERE)
            self._find_bands([name for name in self._changed if name not in found])
            self._changed = set()
        return [name for name in self._order if name in self._unsafe] if self._unsafe else []

    def _find_bands(self, accounts: list[AccountId]) -> None:
        price, m = self._venue.assets[ETH], self._venue.markets[MARKET]
        highest = max(m.ratio, self._venue.parameters[MARKET][MAXIMUM_RATIO])
        ceilings = ((highest, MAXIMUM_HAIRCUT), (m.ratio + HEADROOM, price.haircut + HEADROOM))
        mark = price.mark
        with self._supposing():
            for name in accounts:
                for ratio, haircut in ceilings:
                    if self._room(name, mark, ratio, haircut) >= 0:
                        low, high = (self._edge(name, mark, side, ratio, haircut) for side in (-1, 1))
                        self._bands[name] = (low, high, ratio, haircut)
                        break

    def _edge(self, account: AccountId, mark: int, side: int, ratio: int, haircut: int) -> int:
        """How far the price may go to one side: as far as a straight line says, if the model agrees, else nowhere."""
        here = self._room(account, mark, ratio, haircut)
        there = self._room(account, mark + side * mul_div_down(mark, WIDEST, PPM), ratio, haircut)
        part = WIDEST if there >= 0 else mul_div_down(WIDEST, here, here - there)
        edge = mark + side * mul_div_down(mark, part, PPM)
        return edge if self._room(account, edge, ratio, haircut) >= 0 else mark

    def _room(self, account: AccountId, mark: int, ratio: int, haircut: int) -> int:
        """What an account would have beyond maintenance, less all roundings, quote; the last state stays supposed."""
        price, doubt = self._venue.assets[ETH], div_down(mark, 1000)
        price.mark, price.low, price.high, price.haircut = mark, mark - doubt, mark + doubt, haircut
        self._venue.markets[MARKET].ratio = ratio
        room = self._venue.equity(account, aged=True) - self._venue.maintenance_margin(account, aged=True)
        return room - self._rounding(account)

    def _rounding(self, account: AccountId) -> int:
        """More than all roundings between two prices come to, quote."""
        held = self._venue.accounts[account]
        counted = div_down(held.collateral[ETH].counted, self._venue.asset_terms[ETH].unit)
        return 2 * magnitude(held.positions[MARKET].size) + 2 * counted + 10

    @contextmanager
    def _supposing(self) -> Iterator[None]:
        """Put back what is supposed of price, haircut and ratio within."""
        price, m = self._venue.assets[ETH], self._venue.markets[MARKET]
        kept = price.mark, price.low, price.high, price.haircut, m.ratio
        try:
            yield
        finally:
            price.mark, price.low, price.high, price.haircut, m.ratio = kept
