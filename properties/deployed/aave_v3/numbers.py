"""Rounding and interest: what half-up rounding gives away, and that it never takes a claim apart."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.market import above_base, health_factor, linear_interest
from marginspec.model.deployed.aave_v3.notation import (
    ALL,
    PERCENT,
    RAY,
    WAD,
    Asset,
    Bonus,
    Index,
    Percent,
    Rate,
    Scaled,
    Seconds,
    Units,
    percent_div,
    percent_mul,
    ray_div,
    ray_mul,
)
from marginspec.model.kernel.fixed import div_down
from marginspec.properties.deployed.aave_v3.scope import chapter
from marginspec.properties.law import assume, every, implies


@chapter.lemma("AV-NUM-1")
def product_is_off_by_half_a_unit(pool: AaveV3, x: Scaled, y: Index) -> Any:
    """A product is at most half a unit more or less than the exact one."""
    apart = 2 * (ray_mul(x, y) * RAY - x * y)
    return every((apart > -RAY, apart <= RAY))


@chapter.lemma("AV-NUM-2")
def quotient_is_off_by_half_a_unit(pool: AaveV3, x: Units, y: Index) -> Any:
    """A quotient is at most half a unit more or less than the exact one."""
    apart = 2 * (ray_div(x, y) * y - x * RAY)
    return every((-y - 1 < apart, apart <= y))


def is_within_the_unit(scaled: int, index: int) -> Any:
    """The worth of a scaled balance is less than half an index away from it."""
    doubled = ray_mul(scaled, index) * RAY + div_down(index, 2)
    return every((scaled * index <= doubled, doubled < scaled * index + index))


@chapter.lemma("AV-NUM-6")
def worth_is_less_than_half_an_index_away(pool: AaveV3, scaled: Scaled, index: Index) -> Any:
    """Rounding the worth of a scaled balance moves it by less than half of what one unit of that is worth, where the
    index is above one."""
    assume(index > RAY)
    return is_within_the_unit(scaled, index)


@chapter.lemma("AV-NUM-7")
def index_of_one_changes_nothing(pool: AaveV3, amount: Units) -> Any:
    """At an index of one, a scaled balance is worth itself."""
    return ray_mul(amount, RAY) == amount


def is_rounded_well(scaled: int, index: int) -> Any:
    """What AV-NUM-6 and AV-NUM-7 say of a scaled balance."""
    return is_within_the_unit(scaled, index) if index > RAY else ray_mul(scaled, index) == scaled


@chapter.lemma("AV-NUM-8")
def number_by_itself_is_one(pool: AaveV3, number: Units) -> Any:
    """A number divided by itself is one."""
    assume(number > 0)
    return ray_div(number, number) == RAY


# A claim or a debt that is closed as a whole leaves nothing behind, and never asks for more than there is.
@chapter.lemma("AV-NUM-3", rests_on=("AV-NUM-6", "AV-NUM-7"))
def what_a_claim_is_worth_is_the_whole_claim(pool: AaveV3, scaled: Scaled, index: Index) -> Any:
    """The worth of a scaled balance, divided by the same index again, is that balance, to the unit."""
    assume(is_rounded_well(scaled, index))
    return ray_div(ray_mul(scaled, index), index) == scaled


@chapter.lemma("AV-NUM-4", rests_on=("AV-NUM-6", "AV-NUM-7"))
def part_of_a_claim_is_at_most_the_claim(pool: AaveV3, scaled: Scaled, index: Index, amount: Units) -> Any:
    """An amount up to the worth of a scaled balance is never more than that balance, by the index."""
    assume(is_rounded_well(scaled, index))
    assume(amount <= ray_mul(scaled, index))
    return ray_div(amount, index) <= scaled


@chapter.lemma("AV-NUM-5")
def part_is_at_most_the_whole(pool: AaveV3, amount: Units, part: Percent, bonus: Bonus) -> Any:
    """A part of an amount is at most the amount, and an amount less its bonus is at most the amount."""
    return every((percent_mul(amount, part) <= amount, percent_div(amount, bonus) <= amount))


@chapter.lemma("AV-INT-1")
def interest_is_never_negative(pool: AaveV3, rate: Rate, seconds: Seconds) -> Any:
    """Neither a claim nor a debt shrinks by interest."""
    return every((linear_interest(rate, seconds) >= RAY, pool.compounded_interest(rate, seconds) >= RAY))


# Borrowers compound and suppliers do not: the difference stays in the pool.
@chapter.lemma("AV-INT-2")
def compounding_is_at_least_linear(pool: AaveV3, rate: Rate, seconds: Seconds) -> Any:
    """Compounded interest is never less than linear interest at the same rate."""
    return pool.compounded_interest(rate, seconds) >= linear_interest(rate, seconds)


@chapter.lemma("AV-INT-3")
def first_second_is_linear(pool: AaveV3, rate: Rate) -> Any:
    """For no time and for one second, compounded and linear interest are the same."""
    none = pool.compounded_interest(rate, 0) == RAY
    return every((none, pool.compounded_interest(rate, 1) == linear_interest(rate, 1)))


@chapter.lemma("AV-RAT-1")
def no_use_costs_nothing_above_the_base(pool: AaveV3, asset: Asset, slope1: Rate, slope2: Rate) -> Any:
    """A reserve of which nothing is lent has the base rate."""
    return above_base(pool.curves[asset], 0, slope1, slope2) == 0


@chapter.lemma("AV-RAT-2", rests_on=("AV-NUM-8",))
def full_use_costs_both_slopes(pool: AaveV3, asset: Asset, slope1: Rate, slope2: Rate) -> Any:
    """A reserve of which all is lent has the base rate and both slopes, to the unit."""
    above = RAY - pool.curves[asset].optimal
    assume(ray_div(above, above) == RAY)
    return above_base(pool.curves[asset], RAY, slope1, slope2) == slope1 + slope2


@chapter.lemma("AV-RAT-3")
def usage_is_at_most_all(pool: AaveV3, owed: Units, idle: Units) -> Any:
    """The usage of a reserve is between nothing and all."""
    assume(owed > 0)
    return 0 <= ray_div(owed, idle + owed) <= RAY


@chapter.lemma("AV-HLT-1")
def debt_within_its_backing_is_healthy(pool: AaveV3, collateral: Units, debt: Units, threshold: Percent) -> Any:
    """Debt that is exactly its backing has health one, less has more, and none has the greatest health there is."""
    health, backing = health_factor(collateral, debt, threshold), percent_mul(collateral, threshold)
    exact = implies(debt != 0 and debt == backing, health == WAD)
    within = implies(debt != 0 and debt <= backing, health >= WAD)
    return every((exact, within, implies(debt == 0, health == ALL)))


@chapter.lemma("AV-LIQ-1")
def close_factor_is_all_at_the_threshold(pool: AaveV3, health: Units) -> Any:
    """At a health factor of 0.95 and below all of a debt may be closed, one unit above it half."""
    threshold = 95 * WAD // 100
    return pool.close_factor(health) == (PERCENT if health <= threshold else PERCENT // 2)
