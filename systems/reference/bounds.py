"""What parameters and prices in the storage of a reference venue must satisfy: its safety bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import MAX_SPREAD, MAXIMUM_HAIRCUT
from marginspec.model.reference.margin import MAX_VOLATILITY
from marginspec.model.reference.notation import MINIMUM_RATIO, PPM, MarketId, ParameterId
from marginspec.model.reference.oracles import MAX_CONFIDENCE
from marginspec.model.reference.presets import Preset
from marginspec.properties.reference.survival import constraints
from marginspec.systems.judgement import Judgement


def judgements(state: Reference) -> Iterator[Judgement]:
    """The bounds on parameters, terms and prices; all of them, kept or not."""
    for what, parameters in (
        ("in force", state.parameters),
        ("ramping from", state.ramp_from),
        ("announced", state.ramp_to),
    ):
        yield from _safe(state, what, parameters)
    for market, m in state.markets.items():
        terms, least = state.market_terms[market], state.parameters[market][MINIMUM_RATIO]
        yield Judgement("MRG-11", market, "the ratio in force is at least the minimum ratio", least, m.ratio)
        yield Judgement("LIQ-9", market, "what may still be liquidated is within the limit", m.room, terms.limit)
        for name in state.parameters[market]:
            ends = state.ramp_from[market][name], state.ramp_to[market][name]
            now, text = state.parameters[market][name], f"{name} in force lies between where its ramp begins and ends"
            yield Judgement("MRG-13", market, text, min(ends), now)
            yield Judgement("MRG-13", market, text, now, max(ends))
    for asset, price in state.assets.items():
        own = state.asset_terms[asset]
        yield Judgement("COL-3", asset, "the tiers are in order", own.tier_1, own.tier_2)
        yield Judgement("ORC-2", asset, "the feed's own bounds are in order", own.feed_low, own.feed_high)
        least, most = own.minimum_haircut, MAXIMUM_HAIRCUT
        yield Judgement("COL-9", asset, "the minimum haircut is one that can be in force", least, most)
        yield Judgement("COL-9", asset, "the haircut is at least the minimum", least, price.haircut)
        yield Judgement("COL-9", asset, "the haircut is at most the maximum", price.haircut, most)
        yield Judgement("PRM-7", asset, "the spread is at most its maximum", price.spread, MAX_SPREAD)
        yield Judgement("MRG-9", asset, "the volatility is at most its maximum", price.volatility, MAX_VOLATILITY)
        yield Judgement("ORC-1", asset, "the price was accepted no later than now", price.time, state.now)
        yield Judgement("ORC-6", asset, "the breaker tripped no later than now", price.tripped_at, state.now)
        yield Judgement("ORC-1", asset, "the lower edge is at most the mark", price.low, price.mark)
        yield Judgement("ORC-1", asset, "the mark is at most the higher edge", price.mark, price.high)
        if price.mark != 0:
            surest, widest = price.mark * (PPM - MAX_CONFIDENCE), own.feed_high * (PPM + MAX_CONFIDENCE)
            yield Judgement("ORC-2", asset, "the mark is above the feed's lower bound", own.feed_low + 1, price.mark)
            yield Judgement("ORC-2", asset, "the mark is below the feed's upper bound", price.mark + 1, own.feed_high)
            yield Judgement("ORC-2", asset, "the lower edge is as near as a usable report", surest, price.low * PPM)
            yield Judgement("ORC-2", asset, "the higher edge is one of a usable report", price.high * PPM, widest)
            yield Judgement("ORC-1", asset, "a price has a time of acceptance", 1, price.time)


def _safe(state: Reference, what: str, parameters: Mapping[MarketId, Mapping[ParameterId, int]]) -> Iterator[Judgement]:
    """The safety bounds (MRG-12, MRG-14) on a set of parameters."""
    delta = {market: terms.delta for market, terms in state.market_terms.items()}
    slope = {market: terms.slope for market, terms in state.market_terms.items()}
    haircut = {asset: terms.minimum_haircut for asset, terms in state.asset_terms.items()}
    for bound in constraints(Preset(parameters, delta, slope, haircut)):
        ramping = what == "in force" and bound.right == PPM and parameters != state.ramp_to
        if not ramping:  # during a ramp, rounding may take the highest initial ratio above one: MRG-13
            yield Judgement(bound.rule, f"{bound.subject}, {what}", bound.text, bound.left, bound.right)
