"""Funding and fill prices: who pays whom, and that neither clock nor caller makes a difference."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import (
    UNIT,
    Funding,
    Money,
    Preset,
    Rate,
    Size,
    SizeDelta,
    User,
    Velocity,
    magnitude,
    multiply,
    same_side,
)
from marginspec.properties.deployed.perps_v2.relaxed import any_book, any_velocity
from marginspec.properties.deployed.perps_v2.scope import chapter
from marginspec.properties.law import assume, every, implies


@chapter.invariant("PV-INV-5", relaxed=any_book)
def funding_is_not_ahead_of_time(market: PerpsV2) -> Any:
    """Funding was never recomputed later than now."""
    return market.funding_recomputed_at <= market.now


@chapter.lemma("PV-FND-1")
def velocity_is_bounded(market: PerpsV2) -> Any:
    """The velocity of funding is at most the greatest, either way."""
    return magnitude(market.funding_velocity()) <= market.parameters.max_funding_velocity


@chapter.lemma("PV-FND-2")
def velocity_has_the_sign_of_the_skew(market: PerpsV2) -> Any:
    """The funding rate never falls while longs outweigh shorts, and never rises while shorts outweigh longs."""
    assume(market.skew != 0)
    return market.funding_velocity() >= 0 if market.skew > 0 else market.funding_velocity() <= 0


@chapter.lemma("PV-FND-3")
def funding_of_two_sides_cancels(market: PerpsV2, size: Size, funding: Funding) -> Any:
    """What a long is paid, a short of the same size pays, to the unit."""
    return multiply(size, funding) + multiply(-size, funding) == 0


@chapter.theorem("PV-FND-4", relaxed=any_velocity)
def funding_accrues_once(market: PerpsV2) -> Any:
    """A second time at the same moment, recomputing funding changes nothing but the length of the sequence."""
    market._recompute_funding(market.price)
    before = market.clone()
    market._recompute_funding(market.price)
    before.funding_entries += 1
    return market.flatten() == before.flatten()


@chapter.lemma("PV-FND-5")
def balanced_market_without_rate_has_no_funding(market: PerpsV2) -> Any:
    """Without skew and rate no funding accrues, whatever the price."""
    market.skew = market.funding_rate = 0
    return every((market.unrecorded_funding(market.price) == 0, market.current_funding_rate() == 0))


@chapter.theorem("PV-FND-6", relaxed=any_velocity)
def new_parameters_do_not_change_the_past(market: PerpsV2, caller: User, preset: Preset) -> Any:
    """While there are positions, a change of parameters records the funding so far at the old ones."""
    assume(market.size > 0)
    entry, rate = market.next_funding(market.price), market.current_funding_rate()
    market.set_parameters(caller, preset)
    return every((market.funding == entry, market.funding_rate == rate, market.funding_recomputed_at == market.now))


@chapter.theorem("PV-FND-7", relaxed=any_velocity)
def new_velocity_does_not_change_the_past(market: PerpsV2, caller: User, velocity: Velocity) -> Any:
    """While there are positions, a change of the velocity records the funding so far at the old one."""
    assume(market.size > 0)
    entry, rate = market.next_funding(market.price), market.current_funding_rate()
    market.set_max_funding_velocity(caller, velocity)
    return every((market.funding == entry, market.funding_rate == rate, market.funding_recomputed_at == market.now))


@chapter.lemma("PV-FIL-1")
def order_that_adds_to_the_skew_is_no_bargain(market: PerpsV2, delta: SizeDelta) -> Any:
    """Buying where longs outweigh shorts costs at least the oracle price; selling where shorts do brings at most it."""
    fill = market.fill_price(delta, market.price)
    dear = implies(market.skew >= 0 and delta >= 0, fill >= market.price)
    return every((dear, implies(market.skew <= 0 and delta <= 0, fill <= market.price)))


@chapter.lemma("PV-FIL-2")
def larger_order_fills_no_better(market: PerpsV2, one: SizeDelta, other: SizeDelta) -> Any:
    """Buying more is filled at no lower price, selling more at no higher one."""
    assume(one <= other)
    return market.fill_price(one, market.price) <= market.fill_price(other, market.price)


@chapter.lemma("PV-FIL-3")
def way_back_is_filled_at_the_same_price(market: PerpsV2, delta: SizeDelta) -> Any:
    """An order that undoes another one at once is filled at the price of that one."""
    there = market.fill_price(delta, market.price)
    market.skew += delta
    return market.fill_price(-delta, market.price) == there


@chapter.lemma("PV-FEE-1")
def fee_on_one_side_is_at_one_rate(market: PerpsV2, delta: SizeDelta) -> Any:
    """An order that does not turn the skew costs at most its notional at the higher rate and the dynamic one."""
    assume(delta != 0 and same_side(market.skew + delta, market.skew))
    notional = magnitude(multiply(delta, market.price))
    rate = max(market.parameters.taker_fee, market.parameters.maker_fee) + market.dynamic_fee
    return market.order_fee(delta, market.price) * UNIT <= notional * rate


@chapter.lemma("PV-FEE-2")
def fee_of_a_flip_is_between_the_rates(market: PerpsV2, notional: Money, taken: Rate) -> Any:
    """An order that turns the skew pays for its two parts at most the whole notional at the higher of the two rates."""
    rate = max(market.parameters.taker_fee, market.parameters.maker_fee)
    return market._fee_of_flip(notional, taken) * UNIT <= notional * rate
