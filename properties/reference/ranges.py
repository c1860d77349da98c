"""Every number of the state stays within the range that its type declares; every law rests on it.

Prices, ratios and funding are moved in steps; of each a lemma says that it stays within the ranges, and the law about
all actions leaves open what else the step does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.kernel import Machine
from marginspec.model.reference.notation import AccountId, AssetId, Edge, MarketId, StoredPrice
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import anything, every
from marginspec.properties.reference.ledger import (
    counted_collateral_is_collateral,
    defaults_are_counted,
    funds_are_never_negative,
    vault_holds_what_is_recorded,
)
from marginspec.properties.reference.relaxed import (
    AnyEquity,
    AnyFunding,
    AnyMarkets,
    AnyPayment,
    AnyRank,
    AnyRealisation,
    AnyReport,
    AnyRequirement,
    AnySize,
    AnyValue,
    NoNegativeSize,
    Unadapted,
    Unchecked,
    Unlooked,
    any_charge,
    has_position,
    has_price,
)
from marginspec.properties.reference.scope import ANY_STEP, chapter
from marginspec.properties.relaxation import EACH, AnyInteger, Relaxation, forget, simulates

if TYPE_CHECKING:
    from marginspec.model.reference.venue import Reference as _Venue
else:
    # What it is mixed into is a venue, the one that is spoken of: it must not bring another.
    _Venue = Machine


class _Timed(
    AnyReport,
    Unadapted,
    AnyEquity,
    Unchecked,
    Unlooked,
    AnySize,
    AnyMarkets,
    AnyFunding,
    AnyRealisation,
    AnyRank,
):
    """Whatever prices, equity, margin, funding and ranks say; the time of a price is as in the venue."""


@chapter.invariant("REF-ORC-20", bounds=ANY_STEP, relaxed=Relaxation(_Timed))
def no_price_is_of_the_future(venue: Reference, asset: AssetId) -> Any:
    """No price was accepted later than now."""
    return venue.assets[asset].time <= venue.now


# --- Steps, within the ranges -----------------------------------------------------------------------------------------


class ReportsWithin(_Venue):
    """Usable reports agree on any prices."""

    @simulates("REF-RLX-40")
    def _reported(self, asset: AssetId) -> Any:
        """What reports agree on are prices, and reading them changes nothing."""
        return anything(StoredPrice), anything(StoredPrice), anything(Edge)


def no_time_ran_back(venue: Any, market: MarketId, time: int) -> Any:
    """Time went on."""
    return time >= 0


class RampWithin(_Venue):
    """Parameters ramp in any way."""

    @simulates("REF-RLX-41", given=no_time_ran_back)
    def _ramp(self, market: MarketId, time: int) -> None:
        """A step of a ramp changes nothing but the parameters of its market and how far they have come, within their
        ranges."""
        for name in ("ramp_at", "ramp_progress"):
            forget(self, "markets", market, name, within=True)
        forget(self, "parameters", market, within=True)
        forget(self, "ramp_from", market, within=True)


def no_time_ran_back_since(venue: Any, market: MarketId, volatility: int, time: int) -> Any:
    """Time went on."""
    return time >= 0


class FollowWithin(_Venue):
    """Ratios move in any way."""

    @simulates("REF-RLX-42", over=Relaxation(RampWithin), given=no_time_ran_back_since)
    def _follow(self, market: MarketId, volatility: int, time: int) -> None:
        """A step of the ratio changes nothing but it, within its range, and what a step of a ramp does."""
        RampWithin._ramp(self, market, time)  # type: ignore[arg-type]
        forget(self, "markets", market, "ratio", within=True)


def has_price_of_the_past(venue: Any, asset: AssetId, mark: int, elapsed: int) -> Any:
    """The asset has a price, and time went on since."""
    return every((has_price(venue, asset), elapsed >= 0))


class AdaptWithin(_Venue):
    """Whatever ratios and haircuts make of a price."""

    @simulates("REF-RLX-43", over=Relaxation(FollowWithin), given=has_price_of_the_past)
    def _adapt(self, asset: AssetId, mark: int, elapsed: int) -> None:
        """A new price changes, besides itself, volatility and haircut, and ratio and parameters of its markets, all
        within their ranges."""
        for name in ("volatility", "haircut"):
            forget(self, "assets", asset, name, within=True)
        _move(self, asset)


def _move(venue: Any, asset: AssetId) -> None:
    """Let the ratios of the markets of an asset be anything."""
    for market, terms in venue.market_terms.items():
        if terms.asset == asset:
            FollowWithin._follow(venue, market, 0, 0)


class _NewPrice(ReportsWithin, AdaptWithin):
    """Any price, whatever ratios and haircuts make of it."""


def is_of_the_past(venue: Any, asset: AssetId) -> Any:
    """The price of the asset was accepted before now, if there is one."""
    return venue.assets[asset].time <= venue.now


class PriceWithin(_Venue):
    """An update leaves any price."""

    @simulates("REF-RLX-44", over=Relaxation(_NewPrice), given=is_of_the_past)
    def _update_price(self, asset: AssetId) -> None:
        """An update of a price changes nothing but the asset, and ratio and parameters of its markets, within their
        ranges."""
        for name in ("mark", "low", "high", "time", "tripped_at", "volatility", "haircut"):
            forget(self, "assets", asset, name, within=True)
        _move(self, asset)


class FundingWithin(_Venue):
    """Settling charges any funding."""

    @simulates("REF-RLX-45")
    def _settle(self, account: AccountId) -> None:
        """Settling moves funding between an account's cost and the pot, and changes besides only what accrual does and
        what indices are."""
        for market in self.markets:
            FundingWithin._accrue(self, market)
            any_charge(self, account, market)

    @simulates("REF-RLX-46")
    def _accrue(self, market: MarketId) -> None:
        """Accrual changes only the index of a market, its time and its limit of liquidations, within their ranges."""
        for name in ("accrued_at", "funding_index", "interval_start", "room"):
            forget(self, "markets", market, name, within=True)


class _UnrankedWithin(FundingWithin, AnyEquity, AnyPayment):
    """Any funding, equity and payment, whoever has the largest profit."""


class RankWithin(_Venue):
    """Any counterparty may be deleveraged."""

    @simulates("REF-RLX-47", over=Relaxation(_UnrankedWithin), given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> Any:
        """Terms of deleveraging are two numbers; finding them settles all funding, refuses, or changes nothing else,
        within the ranges."""
        for each in self.markets:
            FundingWithin._accrue(self, each)  # type: ignore[arg-type]
            any_charge(self, EACH, each)
        return anything(AnyInteger), anything(AnyInteger)


class _Within(
    PriceWithin,
    FundingWithin,
    RankWithin,
    NoNegativeSize,
    AnyRequirement,
    AnyValue,
    Unchecked,
    Unlooked,
    AnyMarkets,
    AnyRealisation,
):
    """Whatever prices, equity, margin and funding say, within the ranges."""


within = Relaxation(_Within)

# What the ranges rest on.
GIVEN = (
    no_price_is_of_the_future,
    vault_holds_what_is_recorded,
    counted_collateral_is_collateral,
    defaults_are_counted,
    funds_are_never_negative,
)
