"""The venue with fewer refusals: what holds after each of its steps holds after each of the venue's.

Equity and margin only decide whether an action is accepted and how much it moves. Laws about every action that hold
whatever they say are proved where they may be any numbers; so are all accounts, in any markets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from marginspec.model.kernel import Machine
from marginspec.model.kernel.machine import per_model
from marginspec.model.reference.ledger import Asset
from marginspec.model.reference.notation import AccountId, AssetId, Fund, MarketId, Quote, StoredPrice, StoredSize

if TYPE_CHECKING:
    from marginspec.model.reference.venue import Reference as _Venue
else:
    # What it is mixed into is a venue, the one that is spoken of: it must not bring another.
    _Venue = Machine

# So far from any mark that every size that LIQ-6 asks for is the whole position.
FAR = 2**90
ALL = 2**200


@dataclass
class Relaxed(_Venue):
    """Replaces what an action of the venue asks at most once of an account by any number, and checks by nothing.

    Funding has accrued before, up to any index. Prices in force are any at all, a liquidation closes any size.
    """

    any_equity: dict[AccountId, Quote] = field(default_factory=dict)
    any_profit: dict[AccountId, Quote] = field(default_factory=dict)
    any_maintenance: Fund = 0
    any_size: StoredSize = 0
    any_mark: StoredPrice = 0

    def equity(self, account: AccountId) -> int:
        return self.any_equity[account]

    def unrealised(self, account: AccountId) -> int:
        return self.any_profit[account]

    def maintenance_margin(self, account: AccountId) -> int:
        return self.any_maintenance

    def price(self, asset: AssetId) -> Asset:
        return Asset(mark=self.assets[asset].mark, high=FAR)

    def _requirement(self, account: AccountId, buffered: bool) -> int:
        return ALL

    def _within_limit(self, market: MarketId, size: int, mark: int, urgent: bool) -> int:
        return self.any_size

    def _update_price(self, asset: AssetId) -> None:
        """Accepted, whatever the sources say. Ratios and parameters in force are no part of the laws proved so."""
        self.assets[asset].mark = self.any_mark

    def _settle(self, account: AccountId) -> None:
        """Whatever the size: funding on no size is nothing."""
        for market, position in self.accounts[account].positions.items():
            self._settle_funding(market, position)

    def _accrue(self, market: MarketId) -> None:
        """Accrued already."""

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""

    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> None:
        """Accepted."""

    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """Accepted."""


@per_model
def relaxed(model: type[Machine]) -> type[Machine]:
    """A model of the venue with fewer refusals."""
    combined: Any = type("Relaxed" + model.__name__, (Relaxed, model), {})
    return cast(type[Machine], dataclass(combined))
