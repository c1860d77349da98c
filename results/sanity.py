"""What a live book must satisfy besides its invariants: parameters in storage, prices, and totals of what was read.

An invariant says what actions keep; it says nothing of what a deployment was given. A safety bound that is violated in
storage is a finding, as a broken invariant is. A total that is larger than the sum of what was read says that somebody
is missing from the book.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin

from marginspec.model.deployed.morpho_blue import MAX_FEE, MORPHO, WAD, MorphoBlue
from marginspec.model.kernel import Machine, Number, Record
from marginspec.model.kernel.record import plain
from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import MAX_SPREAD, MAXIMUM_HAIRCUT
from marginspec.model.reference.margin import MAX_VOLATILITY
from marginspec.model.reference.notation import MINIMUM_RATIO, PPM, MarketId, ParameterId
from marginspec.model.reference.oracles import MAX_CONFIDENCE
from marginspec.model.reference.presets import Preset
from marginspec.properties.reference.survival import constraints


@dataclass(frozen=True)
class Judgement:
    """A bound on what is stored. left must be at most right."""

    rule: str
    subject: str
    text: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.left <= self.right


@dataclass(frozen=True)
class Total:
    """A total that the contract keeps, and the sum of what was read of it.

    law: the invariant by which they are equal, and case: of which it speaks; empty where it may be more, by what was
    sent unasked.
    """

    law: str
    case: tuple[Any, ...]
    what: str
    total: int
    read: int

    @property
    def missing(self) -> int:
        """What belongs to accounts that were not read. Negative: more was read than there is."""
        return self.total - self.read if self.law else 0


def judgements(state: Machine) -> list[Judgement]:
    """Every bound on the parameters and prices of a book, those of its system first."""
    own = _JUDGED.get(type(state).system, lambda _: iter(()))
    return [*own(state), *_ranges(state, "")]


def totals(state: Machine) -> list[Total]:
    """The totals from which one sees that accounts are missing, where accounts are known by their events alone."""
    return list(_TOTALS.get(type(state).system, lambda _: iter(()))(state))


def _ranges(value: Any, path: str, hint: Any = None) -> Iterator[Judgement]:
    """Every number of a state against the range that the model declares for it; only those outside are yielded."""
    if isinstance(value, Record):
        hints = typing.get_type_hints(type(value), include_extras=True)
        for each in fields(value):  # type: ignore[arg-type]
            yield from _ranges(getattr(value, each.name), f"{path}.{each.name}".lstrip("."), hints[each.name])
    elif isinstance(value, dict):
        inner = get_args(plain(hint))
        for key, item in value.items():
            yield from _ranges(item, f"{path}[{key}]", inner[1] if len(inner) == 2 else None)
    elif isinstance(value, int) and get_origin(hint) is Annotated:
        for number in get_args(hint)[1:]:
            if isinstance(number, Number) and not number.low <= value <= number.high:
                low, high = (value, number.high) if value > number.high else (number.low, value)
                yield Judgement("range", path, f"{path} is within what the model declares of it", low, high)


# --- The reference venue ----------------------------------------------------------------------------------------------


def _venue(state: Reference) -> Iterator[Judgement]:
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
        yield Judgement("COL-9", asset, "the minimum haircut is one that can be in force", own.minimum_haircut, HAIRCUT)
        yield Judgement("COL-9", asset, "the haircut is at least the minimum", own.minimum_haircut, price.haircut)
        yield Judgement("COL-9", asset, "the haircut is at most the maximum", price.haircut, HAIRCUT)
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


HAIRCUT = MAXIMUM_HAIRCUT


def _safe(state: Reference, what: str, parameters: Mapping[MarketId, Mapping[ParameterId, int]]) -> Iterator[Judgement]:
    """The safety bounds (MRG-12, MRG-14) on a set of parameters."""
    delta = {market: terms.delta for market, terms in state.market_terms.items()}
    slope = {market: terms.slope for market, terms in state.market_terms.items()}
    haircut = {asset: terms.minimum_haircut for asset, terms in state.asset_terms.items()}
    for bound in constraints(Preset(parameters, delta, slope, haircut)):
        ramping = what == "in force" and bound.right == PPM and parameters != state.ramp_to
        if not ramping:  # during a ramp, rounding may take the highest initial ratio above one: MRG-13
            yield Judgement(bound.rule, f"{bound.subject}, {what}", bound.text, bound.left, bound.right)


# --- Morpho Blue ------------------------------------------------------------------------------------------------------


def _lending(state: MorphoBlue) -> Iterator[Judgement]:
    for market, m in state.markets.items():
        lltv = int(state.params[market].lltv)
        yield Judgement("OWN-7", market, "the loan-to-value of liquidation is below one", lltv + 1, WAD)
        yield Judgement("OWN-8", market, "the fee is at most a quarter of the interest", m.fee, MAX_FEE)
        yield Judgement("ACC-2", market, "interest accrued no later than now", m.last_update, state.now)
        if market in state.price and m.total_borrow_shares != 0:
            yield Judgement("HLT-2", market, "a market with debt has a price above zero", 1, state.price[market])


def _shares(state: MorphoBlue) -> Iterator[Total]:
    for market, m in state.markets.items():
        held = state.positions[market].values()
        lent, owed = sum(p.supply_shares for p in held), sum(p.borrow_shares for p in held)
        yield Total("MB-INV-2", (market,), f"supply shares of market {market}", m.total_supply_shares, lent)
        yield Total("MB-INV-3", (market,), f"borrow shares of market {market}", m.total_borrow_shares, owed)
    for token, balance in state.balance.items():
        if MORPHO in balance:
            yield Total("", (), f"token {token}", balance[MORPHO], int(_owed(state, token)))


def _owed(state: MorphoBlue, token: str) -> int:
    """Idle assets and collateral of all markets that were read."""
    lent = [m for name, m in state.markets.items() if state.params[name].loan_token == token]
    held = [p for name, p in state.positions.items() if state.params[name].collateral_token == token]
    idle = sum(m.total_supply_assets - m.total_borrow_assets for m in lent)
    return idle + sum(p.collateral for positions in held for p in positions.values())


_JUDGED: Mapping[str, Callable[[Any], Iterator[Judgement]]] = {
    Reference.system: _venue,
    MorphoBlue.system: _lending,
}
_TOTALS: Mapping[str, Callable[[Any], Iterator[Total]]] = {MorphoBlue.system: _shares}
