"""Runs of the reference venue into bad debt: what a price move beyond the survivable one does, call by call.

Each run brings one account to the edge, equity just not below maintenance, in one block; then one price moves.
"""

from __future__ import annotations

from collections.abc import Callable

from marginspec.model.kernel.machine import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import BUY, PPM, USD, AccountId, AssetId, MarketId, SourceId, User
from marginspec.model.reference.oracles import BAND, CONFIRMATION, within_band

QUOTE_VALUE = 10**16  # 10,000 USD
_trader, _bystander, _maker, _liquidator = "trader", "bystander", "maker", "liquidator"


class Unreachable(Exception):  # noqa: N818 - a result: no such run was found
    """The run was refused somewhere, or ended without bad debt. The argument says where."""


class Script:
    """Calls that were all accepted, from genesis on."""

    def __init__(self, model: type[Reference]) -> None:
        self.venue = model.genesis()
        self.calls: list[Call] = []

    def do(self, action: str, **arguments: object) -> tuple[int, ...]:
        """Take an action; raises Unreachable when it is refused."""
        call = Call(action, arguments)
        outcome = self.venue.apply(call)
        if outcome.rule is not None:
            raise Unreachable(f"{action} is refused by {outcome.rule}")
        self.calls.append(call)
        return outcome.returns

    def reprice(self, asset: AssetId, price: int) -> None:
        """All sources report a price, without any doubt, and the venue takes it, confirmed where the breaker trips."""
        self._report(asset, price)
        if self.venue.assets[asset].tripped_at != 0:
            self.do("advance_time", seconds=CONFIRMATION)
            self._report(asset, price)

    def approach(self, asset: AssetId, price: int) -> None:
        """Bring a price down in moves within the band, in one block, so that no ratio or haircut changes."""
        while not within_band(price, mark := self.venue.assets[asset].mark):
            self.reprice(asset, _fallen(mark, BAND))
        self.reprice(asset, price)

    def _report(self, asset: AssetId, price: int) -> None:
        for source in self.venue.universe[SourceId]:
            self.do("post", asset=asset, source=source, price=price, confidence=0)
        self.do("update_price", caller=User(AccountId("keeper")), asset=asset)  # type: ignore[arg-type]

    def withdraw_all(self, account: str, token: str) -> None:
        """Withdraw as much as the venue lets go."""
        accepted = _largest(2**96 - 1, lambda n: self._accepts("withdraw", account=account, token=token, amount=n))
        if accepted:
            self.do("withdraw", account=account, token=token, amount=accepted)

    def _accepts(self, action: str, **arguments: object) -> bool:
        return self.venue.clone().apply(Call(action, arguments)).accepted

    def cover(self, account: str) -> list[Call]:
        """End the run: the deficit is covered. Raises Unreachable when there is none."""
        if self.do("cover", caller="keeper", account=account)[0] <= 0:
            raise Unreachable("the insurance fund is not needed")
        return self.calls


def _largest(high: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `high` for which something holds that holds of all smaller ones; 0 if of none."""
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def by_position(model: type[Reference], market: MarketId, delta: int) -> list[Call]:
    """A long position without collateral, met by a fall of `delta` ppm."""
    run = Script(model)
    asset = run.venue.market_terms[market].asset
    mark = run.venue.assets[asset].mark
    run.do("trade", account=_trader, maker=_maker, market=market, size=QUOTE_VALUE // mark)
    run.withdraw_all(_trader, USD)
    run.approach(asset, edge(run.venue, _trader, asset))
    run.reprice(asset, _fallen(run.venue.assets[asset].mark, delta))
    return run.cover(_trader)


def by_collateral(model: type[Reference], asset: AssetId, delta: int) -> list[Call]:
    """Negative cash against collateral in one asset, without positions, met by a fall of `delta` ppm."""
    run = Script(model)
    market = next(m for m, terms in run.venue.market_terms.items() if terms.asset != asset)
    lost = run.venue.market_terms[market].asset
    unit, mark = run.venue.asset_terms[asset].unit, run.venue.assets[asset].mark
    run.do("deposit", account=_bystander, token=asset, amount=QUOTE_VALUE * unit // mark)
    run.withdraw_all(_bystander, USD)
    size = QUOTE_VALUE // run.venue.assets[lost].mark
    run.do("trade", account=_bystander, maker=_maker, market=market, size=size)
    run.reprice(lost, _fallen(run.venue.assets[lost].mark, 30_000))
    run.do("place_order", account=_liquidator, market=market, side=BUY, size=size, price=0)
    run.do("trade", account=_bystander, maker=_liquidator, market=market, size=size)
    for other in run.venue.asset_terms:
        if other != asset:
            run.withdraw_all(_bystander, other)
    run.withdraw_all(_bystander, asset)
    run.approach(asset, edge(run.venue, _bystander, asset))
    run.reprice(asset, _fallen(run.venue.assets[asset].mark, delta))
    amount = run.venue.accounts[AccountId(_bystander)].collateral[asset].amount  # type: ignore[arg-type]
    run.do("seize_collateral", liquidator=_liquidator, account=_bystander, asset=asset, amount=amount)
    return run.cover(_bystander)


def _fallen(mark: int, delta: int) -> int:
    """The lowest price that is at most `delta` ppm below a mark."""
    return -(-mark * (PPM - delta) // PPM)


def edge(venue: Reference, account: str, asset: AssetId) -> int:
    """The lowest price of an asset at which equity is at least maintenance margin, nothing else changed."""

    def liquidatable(price: int) -> bool:
        copy = venue.clone()
        copy.assets[asset].low = copy.assets[asset].mark = copy.assets[asset].high = price
        return copy.equity(account) < copy.maintenance_margin(account)  # type: ignore[arg-type]

    return _largest(venue.assets[asset].mark, liquidatable) + 1
