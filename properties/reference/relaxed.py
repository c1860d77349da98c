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
from marginspec.model.reference.notation import (
    BUFFER,
    AccountId,
    AssetId,
    Fund,
    MarketId,
    Quote,
    StoredPrice,
    StoredSize,
    magnitude,
)
from marginspec.properties.law import Relaxation
from marginspec.properties.reference.scope import HERE, OTHER

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

    def equity(self, account: AccountId, aged: bool = False) -> int:
        return self.any_equity[account]

    def unrealised(self, account: AccountId, aged: bool = False) -> int:
        return self.any_profit[account]

    def maintenance_margin(self, account: AccountId, aged: bool = False) -> int:
        return self.any_maintenance

    def price(self, asset: AssetId, aged: bool = False) -> Asset:
        return Asset(mark=self.assets[asset].mark, high=FAR)

    def _requirement(self, account: AccountId, buffered: bool, aged: bool = False) -> int:
        return ALL

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
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


# --- Funding settled, and one thing less ------------------------------------------------------------------------------


class Settled(_Venue):
    """The venue where all funding is settled before: settling does nothing."""

    def _settle(self, account: AccountId) -> None:
        """Done before."""

    def _accrue(self, market: MarketId) -> None:
        """Done before."""


class Unchecked(Settled):
    """Margin checks accept everything, so that what holds does not rest on them."""

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""

    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> None:
        """Accepted."""

    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """Accepted."""


@dataclass
class AnyEquity(Settled):
    """Equity and profit are any numbers, of each account, and so is what is required of it."""

    any_equity: dict[AccountId, Quote] = field(default_factory=dict)
    any_profit: dict[AccountId, Quote] = field(default_factory=dict)
    any_maintenance: dict[AccountId, Fund] = field(default_factory=dict)

    def equity(self, account: AccountId, aged: bool = False) -> int:
        return self.any_equity[account]

    def unrealised(self, account: AccountId, aged: bool = False) -> int:
        return self.any_profit[account]

    def maintenance_margin(self, account: AccountId, aged: bool = False) -> int:
        return self.any_maintenance[account]

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""

    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """Accepted."""


@dataclass
class AnyPortfolio(Settled):
    """Accounts have any equity, and any requirement elsewhere, in millionths of quote; liquidators have margin."""

    any_equity: Quote = 0
    any_requirement: Fund = 0
    any_buffered: Fund = 0

    def equity(self, account: AccountId, aged: bool = False) -> int:
        return self.any_equity

    def _requirement(self, account: AccountId, buffered: bool, aged: bool = False) -> int:
        """As of the position in one market, and any number in the others."""
        size, ratio = magnitude(self.accounts[account].positions[HERE].size), self.markets[HERE].ratio
        high = self.assets[self.market_terms[HERE].asset].high
        if buffered:
            return self.any_buffered + size * high * (ratio + self.parameters[HERE][BUFFER])
        return self.any_requirement + size * high * ratio

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""


@dataclass
class AnyJudgement(_Venue):
    """Accounts have any equity and requirement, a liquidation closes any size, and liquidators have margin."""

    any_equity: dict[AccountId, Quote] = field(default_factory=dict)
    any_maintenance: Fund = 0
    any_size: StoredSize = 0

    def equity(self, account: AccountId, aged: bool = False) -> int:
        return self.any_equity[account]

    def maintenance_margin(self, account: AccountId, aged: bool = False) -> int:
        return self.any_maintenance

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
        return self.any_size

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""


@dataclass
class AnyPortfolioAnySize(AnyPortfolio):
    """The same, and a liquidation closes any size."""

    any_size: StoredSize = 0

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
        return self.any_size


@dataclass
class AnyTakeover(_Venue):
    """Any account may be liquidated, of any size."""

    any_maintenance: Fund = 0
    any_size: StoredSize = 0

    def maintenance_margin(self, account: AccountId, aged: bool = False) -> int:
        return self.any_maintenance

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
        return self.any_size


@dataclass
class AnySize(_Venue):
    """A liquidation closes any size, and liquidators have margin."""

    any_size: StoredSize = 0

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
        return self.any_size

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Accepted."""


@dataclass
class AnyPrices(_Venue):
    """A price update accepts any mark, or leaves it; ratios, haircuts and edges after it are no part of the laws."""

    any_mark: dict[AssetId, StoredPrice] = field(default_factory=dict)

    def _update_price(self, asset: AssetId) -> None:
        self.assets[asset].mark = self.any_mark[asset]


@dataclass
class AnyReport(_Venue):
    """Usable reports agree on any price, and parameters stay."""

    any_mark: StoredPrice = 0
    any_low: StoredPrice = 0
    any_high: StoredPrice = 0

    def _reported(self, asset: AssetId) -> tuple[int, int, int]:
        return self.any_mark, self.any_low, self.any_high

    def _ramp(self, market: MarketId, time: int) -> None:
        """Parameters have been ramped before."""


class Unadapted(_Venue):
    """Whatever ratios and haircuts make of a price."""

    def _adapt(self, asset: AssetId, mark: int, elapsed: int) -> None:
        """No part of these laws."""


class OnlyTaker(Settled):
    """The maker of a trade is checked by the same rule as the taker; here it is not."""

    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> int | None:
        return None if account == OTHER else super()._before_trade(account, market, size)

    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        if account != OTHER:
            super()._after_trade(account, before, allowance)


class OnlyMaker(Settled):
    """The taker of a trade is checked by the same rule as the maker; here it is not."""

    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> int | None:
        return None if account != OTHER else super()._before_trade(account, market, size)

    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        if account == OTHER:
            super()._after_trade(account, before, allowance)


def relaxation(way: type) -> Relaxation:
    """What makes of a model of the venue one with fewer refusals, in one of these ways."""

    @per_model
    def relaxed(model: type[Machine]) -> type[Machine]:
        combined: Any = type(f"{way.__name__}{model.__name__}", (way, model), {})
        return cast(type[Machine], dataclass(combined))

    return relaxed


relaxed = relaxation(Relaxed)
settled_before = relaxation(Settled)
unchecked_margin = relaxation(Unchecked)
any_equity = relaxation(AnyEquity)
any_portfolio = relaxation(AnyPortfolio)
any_portfolio_any_size = relaxation(AnyPortfolioAnySize)
any_report = relaxation(AnyReport)
any_judgement = relaxation(AnyJudgement)
any_prices = relaxation(AnyPrices)
any_size = relaxation(AnySize)
any_takeover = relaxation(AnyTakeover)
unadapted = relaxation(Unadapted)
only_taker = relaxation(OnlyTaker)
only_maker = relaxation(OnlyMaker)
