"""Parameter sets: what of the reference venue is chosen, and the venue that begins with a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

from marginspec.model.kernel import Call
from marginspec.model.reference.notation import AssetId, MarketId, ParameterId
from marginspec.model.reference.venue import Reference


@dataclass(frozen=True)
class Preset:
    """Ratios in ppm. parameters: of each market, those that the governor may change later.

    delta: price move between two chances to liquidate that a market is built for. slope: initial ratio added at full
    open interest. minimum_haircut: of each asset at rest.
    """

    parameters: Mapping[MarketId, Mapping[ParameterId, int]]
    delta: Mapping[MarketId, int]
    slope: Mapping[MarketId, int]
    minimum_haircut: Mapping[AssetId, int]


def venue_with(preset: Preset) -> type[Reference]:
    """The reference venue that is deployed with a preset."""

    class Configured(Reference):
        @classmethod
        def blank(cls) -> Self:
            venue = cast(Self, super().blank())
            for market, parameters in preset.parameters.items():
                for chosen in (venue.parameters, venue.ramp_from, venue.ramp_to):
                    chosen[market] = dict(parameters)
                venue.market_terms[market].delta = preset.delta[market]
                venue.market_terms[market].slope = preset.slope[market]
                venue.markets[market].ratio = parameters[ParameterId("minimum_ratio")]
            for asset, haircut in preset.minimum_haircut.items():
                venue.asset_terms[asset].minimum_haircut = haircut
                venue.assets[asset].haircut = haircut
            return venue

        @classmethod
        def prelude(cls) -> list[Call]:
            """As usual but for the trades, which not every preset has margin for."""
            return [call for call in super().prelude() if call.action != "trade"]

    return Configured
