"""Chapter 12, portfolio margin by scenarios. Rules: `spec/reference/12-options.md`.

The rules follow the public ones of Derive's second portfolio margin manager. Values are 10^-18 of money; what is a
profit is rounded down, what is a charge up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NewType

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.black import Discount, black, years
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import (
    WAD,
    Chance,
    Positive,
    Real,
    Seconds,
    above_zero,
    below_zero,
    magnitude,
)
from marginspec.model.risk.numerics import exponential, logarithm, root

MONTH = 30 * 86_400

Shock = NewType("Shock", str)
NONE, UP, DOWN, LINEAR, ABSOLUTE = Shock("none"), Shock("up"), Shock("down"), Shock("linear"), Shock("absolute")

Factor = Annotated[int, Number(0, 20 * WAD, "10^-18", WAD, typical=(WAD, 8 * WAD // 10, 13 * WAD // 10))]
SignedFactor = Annotated[int, Number(-20 * WAD, 20 * WAD, "10^-18", WAD, typical=(0, WAD, -WAD // 20))]


@dataclass
class Scenario(Record):
    """A move of the price, a move of volatilities, and what part of the loss counts."""

    spot: Factor = WAD
    shock: Shock = NONE
    damping: Factor = WAD


@dataclass
class Option(Record):
    """Options of one kind, with their mark volatility."""

    leg: Leg
    volatility: Positive = 0


@dataclass
class Expiry(Record):
    """What all options of one expiry have in common. fixed: the part of the forward that is settled already.

    confidence: the least of those of spot, perpetual, forward, rate and volatility.
    """

    seconds: Seconds = 0
    forward: Positive = 0
    fixed: Positive = 0
    rate: Real = 0
    factor: Discount = WAD
    confidence: Chance = WAD


@dataclass
class Collateral(Record):
    """A holding by its value, and the parts of it that do not count.

    value: amount times price in the stable coin of the account. confidence: the lesser of those of its own price and of
    the spot.
    """

    value: Positive = 0
    maintenance: Chance = 0
    initial: Chance = 0
    confidence: Chance = WAD
    cancels_risk: bool = False


@dataclass
class Account(Record):
    """Cash, a perpetual position with its unpaid profit, and the prices that all of it is worked out at.

    stable: what a unit of the stable coin is worth; cash is not multiplied by it. confidence: of the spot, and of the
    perpetual's price if there is a position.
    """

    cash: Real = 0
    perpetual: Real = 0
    perpetual_price: Positive = 0
    unpaid: Real = 0
    spot: Positive = 0
    stable: Positive = WAD
    confidence: Chance = WAD


@dataclass
class Parameters(Record):
    """All parameters, by the rule that has them."""

    # SCN-3, shocks of volatility.
    range_up: Factor = WAD // 2
    range_down: Factor = 275 * WAD // 1000
    short_power: Factor = 3 * WAD // 10
    long_power: Factor = 13 * WAD // 100
    least_seconds: Seconds = 86_400
    least_volatility: Factor = 45 * WAD // 100
    # SCN-5, skew.
    linear_cap: Factor = 95 * WAD // 10
    linear_slope: SignedFactor = -WAD // 20
    absolute_cap: Factor = 15 * WAD // 100
    absolute_slope: SignedFactor = -WAD // 20
    least_width: Factor = WAD // 100
    width: Factor = 4 * WAD
    width_static: Factor = 45 * WAD // 10
    width_scale: SignedFactor = 9 * WAD // 10
    # SCN-6, static discount.
    long_base: Factor = 95 * WAD // 100
    long_rate: Factor = WAD
    long_add: Factor = 8 * WAD // 100
    short_base: Factor = 104 * WAD // 100
    short_rate: Factor = WAD // 2
    short_add: Factor = 8 * WAD // 100
    # SCN-9, basis.
    basis_up: Factor = 1045 * WAD // 1000
    basis_down: Factor = 955 * WAD // 1000
    basis_add: Factor = WAD // 2
    basis_slope: Factor = 2 * WAD
    # SCN-10 to 12, contingencies.
    perpetual_maintenance: Factor = 15 * WAD // 1000
    perpetual_initial: Factor = 5 * WAD // 1000
    naked_maintenance: Factor = 3 * WAD // 1000
    naked_initial: Factor = 2 * WAD // 1000
    confidence_threshold: Chance = 55 * WAD // 100
    confidence_factor: Factor = WAD
    # SCN-14, factors.
    maintenance: Factor = 8 * WAD // 10
    initial: Factor = WAD
    peg_threshold: Factor = 98 * WAD // 100
    peg_factor: Factor = 2 * WAD


@dataclass
class Margins(Record):
    """What is left after the margin has been taken off, negative when some is missing; and the worst profit or loss."""

    maintenance: Real = 0
    initial: Real = 0
    mark_to_market: Real = 0
    worst: Real = 0


@dataclass
class Marked(Record):
    """An expiry with what no scenario changes: the value of its options at the mark, and its static discounts."""

    expiry: Expiry
    mark: Real = 0
    asset: Factor = WAD
    debt: Factor = WAD


Holdings = Sequence[tuple[Expiry, Sequence[Option]]]
MarkedHoldings = Sequence[tuple[Marked, Sequence[Option]]]


# --- Profit and loss of a scenario ----------------------------------------------------------------------------------


def perpetual_profit(size: int, price: int, spot: int) -> int:
    """SCN-1: what a perpetual position gains when the price moves to this part of itself, rounded down."""
    return mul_div_down(size * price, spot - WAD, WAD * WAD)


def collateral_profit(value: int, spot: int) -> int:
    """SCN-2: what collateral gains that moves with the price, rounded down."""
    return mul_div_down(value, spot - WAD, WAD)


def range_at(seconds: int, size: int, p: Parameters) -> int:
    """How far volatilities move: `size` at 30 days, more of the near expiries, by a power of the time."""
    power = p.short_power if seconds <= MONTH else p.long_power
    nearness = nearness_of(seconds, p.least_seconds)
    return mul_div_down(size, exponential(mul_div_down(power, logarithm(nearness), WAD)), WAD)


def nearness_of(seconds: int, least: int) -> int:
    """SCN-3: 30 days in times of what is left, or of the least that counts, rounded down."""
    return mul_div_down(MONTH, WAD, max(seconds, least, 1))


def shocked_volatility(volatility: int, moved: int, least: int) -> int:
    """SCN-4: a volatility that moved by this part of itself, no less than `least`, and than 0."""
    return max(least, mul_div_down(volatility, above_zero(WAD + moved), WAD))


def skewed_volatility(volatility: int, moneyness: int, cap: int, width: int) -> int:
    """SCN-5: a volatility whose wing is raised, or let down, in proportion to the strike's distance, up to a cap."""
    moved = mul_div_down(moneyness, cap, max(width, 1))
    kept = min(cap, moved) if moneyness >= 0 else max(-cap, moved)
    return mul_div_down(volatility, above_zero(WAD + kept), WAD)


def cap_and_width(seconds: int, shock: Shock, p: Parameters) -> tuple[int, int]:
    """SCN-5: how much a wing is moved at most, and at which distance from the forward."""
    time = root(years(seconds))
    slope, most = (p.linear_slope, p.linear_cap) if shock == LINEAR else (p.absolute_slope, p.absolute_cap)
    static = p.width_static + mul_div_down(time, p.width_scale, WAD)
    width = mul_div_down(mul_div_down(time, p.width, WAD), static, WAD)
    return mul_div_down(slope, time, WAD) + most, max(p.least_width, width)


def static_discounts(expiry: Expiry, p: Parameters) -> tuple[int, int]:
    """The parts that a shocked value counts for where it is an asset, and where it is a debt."""
    time, rate = years(expiry.seconds), above_zero(expiry.rate)
    asset = exponential(-mul_div_down(time, mul_div_down(rate, p.long_rate, WAD) + p.long_add, WAD))
    debt = exponential(-mul_div_down(time, mul_div_down(rate, p.short_rate, WAD) + p.short_add, WAD))
    return asset_part(p.long_base, asset), debt_part(p.short_base, debt, expiry.factor)


def asset_part(base: int, decay: int) -> int:
    """SCN-6: the part that an asset counts for, rounded down. decay: e^(-time (rate * multiple + add))."""
    return mul_div_down(base, decay, WAD)


def debt_part(base: int, decay: int, factor: int) -> int:
    """SCN-6: the part that a debt counts for, rounded up: no more than what undoes its discount."""
    return min(mul_div_up(WAD, WAD, max(factor, 1)), mul_div_up(base, WAD, max(decay, 1)))


def statically_discounted(value: int, asset: int, debt: int) -> int:
    """SCN-7: a shocked value, by the part for its sign, rounded down."""
    return mul_div_down(value, asset if value >= 0 else debt, WAD)


def expiry_profit(value: int, mark: int, damping: int, skewed: bool) -> int:
    """SCN-8: what the options of an expiry gain, damped; in a scenario of skew the loss of either direction."""
    profit = mul_div_down(value - mark, damping, WAD)
    return -magnitude(profit) if skewed else profit


def value_of(expiry: Expiry, options: Sequence[Option], spot: int, shock: Shock, p: Parameters) -> int:
    """The value of the options of an expiry in a scenario, before the static discount, 10^-18 of money."""
    forward = mul_div_down(expiry.forward, spot, WAD) + expiry.fixed
    return sum(option_value(expiry, option, forward, shock, p) for option in options)


def option_value(expiry: Expiry, option: Option, forward: int, shock: Shock, p: Parameters) -> int:
    """What options are worth at a forward, by Black's formula at the volatility of the scenario, rounded down."""
    volatility = volatility_in(expiry, option, forward, shock, p)
    prices = black(forward, option.leg.strike, volatility, expiry.seconds, expiry.factor)
    return mul_div_down(option.leg.amount, prices.call if option.leg.is_call else prices.put, WAD)


def volatility_in(expiry: Expiry, option: Option, forward: int, shock: Shock, p: Parameters) -> int:
    """The volatility of an option in a scenario."""
    if shock == UP:
        return shocked_volatility(option.volatility, range_at(expiry.seconds, p.range_up, p), p.least_volatility)
    if shock == DOWN:
        return shocked_volatility(option.volatility, -range_at(expiry.seconds, p.range_down, p), 0)
    if shock in (LINEAR, ABSOLUTE):
        away = logarithm(option.leg.strike) - logarithm(forward)
        cap, width = cap_and_width(expiry.seconds, shock, p)
        return skewed_volatility(option.volatility, away if shock == LINEAR else magnitude(away), cap, width)
    return option.volatility


def marked(expiry: Expiry, options: Sequence[Option], p: Parameters) -> Marked:
    """An expiry at the mark; SCN-17 where that cannot be said."""
    checked(expiry, options)
    asset, debt = static_discounts(expiry, p)
    return Marked(expiry, value_of(expiry, options, WAD, NONE, p), asset, debt)


def scenario_profit(
    account: Account, holdings: MarkedHoldings, collateral: Sequence[Collateral], scenario: Scenario, p: Parameters
) -> int:
    """What a portfolio gains in a scenario, 10^-18 of money; negative when it loses."""
    moved = perpetual_profit(account.perpetual, account.perpetual_price, scenario.spot)
    total = mul_div_down(moved, scenario.damping, WAD)
    for held in collateral:
        if held.cancels_risk:
            total += mul_div_down(collateral_profit(held.value, scenario.spot), scenario.damping, WAD)
    return total + sum(options_profit(own, options, scenario, p) for own, options in holdings)


def options_profit(own: Marked, options: Sequence[Option], scenario: Scenario, p: Parameters) -> int:
    """What the options of an expiry gain in a scenario. In a scenario of skew the price stays."""
    skewed = scenario.shock in (LINEAR, ABSOLUTE)
    shocked = value_of(own.expiry, options, WAD if skewed else scenario.spot, scenario.shock, p)
    return expiry_profit(statically_discounted(shocked, own.asset, own.debt), own.mark, scenario.damping, skewed)


# --- Contingencies --------------------------------------------------------------------------------------------------


def basis_loss(up: int, down: int, mark: int, factor: int) -> int:
    """SCN-9: what an expiry loses when its forward moves against the others, rounded down."""
    return mul_div_down(below_zero(min(up - mark, down - mark)), factor, WAD)


def naked(first: int, second: int) -> int:
    """SCN-10: options of one strike that are sold and not covered. first, second: amounts of calls and of puts."""
    if first >= 0 and second >= 0:
        return 0
    if first < 0 and second < 0:
        return -first - second
    return above_zero(-first - second)


def charge(amount: int, price: int, part: int) -> int:
    """SCN-11: a part of what an amount is worth, rounded up."""
    return mul_div_up(amount * price, part, WAD * WAD)


def confidence_charge(confidence: int, notional: int, p: Parameters) -> int:
    """SCN-12: a part of the notional where a feed is less sure than the threshold, the more the less it is sure."""
    if confidence >= p.confidence_threshold:
        return 0
    return mul_div_up((WAD - confidence) * p.confidence_factor, notional, WAD * WAD)


def naked_shorts(options: Sequence[Option]) -> int:
    """SCN-10 of all strikes of an expiry."""
    strikes = [option.leg.strike for option in options]
    first = [n for n, strike in enumerate(strikes) if strike not in strikes[:n]]
    return sum(naked(_amount(options, strikes[n], True), _amount(options, strikes[n], False)) for n in first)


def _amount(options: Sequence[Option], strike: int, is_call: bool) -> int:
    return sum(o.leg.amount for o in options if o.leg.strike == strike and o.leg.is_call == is_call)


# --- Margin ---------------------------------------------------------------------------------------------------------


def worst_of(basis: int, profits: Sequence[int]) -> int:
    """SCN-13: the worst of the scenarios and of the basis contingency."""
    return min([basis, *profits])


def initial_factor(stable: int, p: Parameters) -> int:
    """SCN-14: what the worst loss is multiplied by for initial margin: more where the stable coin is off its peg."""
    return p.initial + mul_div_up(above_zero(p.peg_threshold - stable), p.peg_factor, WAD)


def left_over(worst: int, factor: int, contingency: int, mark_to_market: int, cash: int) -> int:
    """SCN-15: value and cash, less the worst loss times a factor and less contingencies, rounded down."""
    return mul_div_down(worst, factor, WAD) - contingency + mark_to_market + cash


@dataclass
class Charges(Record):
    """What is taken off beside the worst loss: for both margins, and for initial margin besides."""

    both: Positive = 0
    initial: Positive = 0


def perpetual_charges(account: Account, p: Parameters) -> Charges:
    """SCN-11 and SCN-12 of the perpetual position."""
    size = magnitude(account.perpetual)
    unsure = confidence_charge(account.confidence, mul_div_up(size, account.spot, WAD), p)
    return Charges(
        charge(size, account.spot, p.perpetual_maintenance), charge(size, account.spot, p.perpetual_initial) + unsure
    )


def option_charges(account: Account, expiry: Expiry, options: Sequence[Option], p: Parameters) -> Charges:
    """SCN-11 of what is sold and not covered, SCN-12 of all options of an expiry."""
    shorts, gross = naked_shorts(options), sum(magnitude(option.leg.amount) for option in options)
    sure = min(account.confidence, expiry.confidence)
    unsure = confidence_charge(sure, mul_div_up(gross, account.spot, WAD), p)
    return Charges(
        charge(shorts, account.spot, p.naked_maintenance), charge(shorts, account.spot, p.naked_initial) + unsure
    )


def collateral_charges(held: Collateral, p: Parameters) -> Charges:
    """SCN-11 and SCN-12 of a holding: its haircuts."""
    unsure = confidence_charge(held.confidence, held.value, p)
    return Charges(mul_div_up(held.value, held.maintenance, WAD), mul_div_up(held.value, held.initial, WAD) + unsure)


def basis_of(own: Marked, options: Sequence[Option], p: Parameters) -> int:
    """SCN-9 of an expiry."""
    factor = p.basis_add + mul_div_down(p.basis_slope, years(own.expiry.seconds), WAD)
    up = value_of(own.expiry, options, p.basis_up, NONE, p)
    return basis_loss(up, value_of(own.expiry, options, p.basis_down, NONE, p), own.mark, factor)


def margins(
    account: Account,
    holdings: Holdings,
    collateral: Sequence[Collateral],
    scenarios: Sequence[Scenario],
    p: Parameters,
) -> Margins:
    """SCN-16: what is left after maintenance and after initial margin."""
    own = [(marked(expiry, options, p), options) for expiry, options in holdings]
    charges = [perpetual_charges(account, p)]
    charges += [option_charges(account, expiry, options, p) for expiry, options in holdings]
    charges += [collateral_charges(held, p) for held in collateral]
    both, initial = sum(c.both for c in charges), sum(c.initial for c in charges)
    value = account.unpaid + sum(each.mark for each, _ in own) + sum(held.value for held in collateral)
    basis = sum(basis_of(each, options, p) for each, options in own)
    worst = worst_of(basis, [scenario_profit(account, own, collateral, s, p) for s in scenarios])
    return Margins(
        left_over(worst, p.maintenance, both, value, account.cash),
        left_over(worst, initial_factor(account.stable, p), both + initial, value, account.cash),
        value + account.cash,
        worst,
    )


def checked(expiry: Expiry, options: Sequence[Option]) -> None:
    """SCN-17: what cannot be valued is refused: forwards and strikes of 0, volatilities and times below it."""
    if expiry.forward + expiry.fixed <= 0 or expiry.seconds < 0 or not 0 <= expiry.factor <= WAD:
        raise Rejected("SCN-17")
    for option in options:
        if option.leg.strike <= 0 or option.volatility < 0:
            raise Rejected("SCN-17")
