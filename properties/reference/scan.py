"""Chapter 12, portfolio margin by scenarios: it pays the loss in each scenario, and hedges never cost margin.

A portfolio of any number of expiries, legs and scenarios is worked out by sums and a minimum over them. So a law of two
parts, each of which stands for a sum over any number, is one of all.
"""

from __future__ import annotations

from typing import Any

from marginspec.model.kernel.fixed import div_up, mul_div_down
from marginspec.model.reference.venue import Reference
from marginspec.model.risk.black import Discount
from marginspec.model.risk.notation import WAD, Chance, Positive, Real, Seconds, magnitude
from marginspec.model.risk.scan import (
    MONTH,
    NONE,
    Account,
    Expiry,
    Factor,
    Option,
    Parameters,
    Scenario,
    asset_part,
    basis_loss,
    charge,
    checked,
    collateral_profit,
    confidence_charge,
    debt_part,
    expiry_profit,
    initial_factor,
    left_over,
    margins,
    naked,
    nearness_of,
    perpetual_profit,
    shocked_volatility,
    skewed_volatility,
    statically_discounted,
    worst_of,
)
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import chapter

PARTS = "two parts, each the sum of any number"


# --- Scenarios ------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-SCN-1", bounds="three scenarios, each the worst of any number")
def margin_pays_the_loss_in_each_scenario(
    venue: Reference, basis: Real, one: Real, two: Real, three: Real, factor: Factor
) -> Any:
    """What is left after margin is at most value and cash less the loss in each scenario, times the factor; so with a
    factor of at least one the margin pays that loss."""
    left = left_over(worst_of(basis, [one, two, three]), factor, 0, 0, 0)
    whole = [left * WAD <= profit * factor for profit in (basis, one, two, three)]
    return every((*whole, factor < WAD or one >= 0 or left <= one))


@chapter.lemma("REF-SCN-2", bounds="three scenarios, each the worst of any number")
def further_scenario_never_lowers_margin(
    venue: Reference, basis: Real, one: Real, two: Real, three: Real, factor: Factor
) -> Any:
    """One more scenario never lowers a margin."""
    fewer, more = worst_of(basis, [one, two]), worst_of(basis, [one, two, three])
    return left_over(more, factor, 0, 0, 0) <= left_over(fewer, factor, 0, 0, 0)


@chapter.lemma("REF-SCN-3", bounds=f"two scenarios, each the worst of any number; {PARTS}")
def worst_of_two_portfolios_together_is_no_worse(
    venue: Reference, basis: Real, one: Real, two: Real, basis_2: Real, one_2: Real, two_2: Real
) -> Any:
    """The worst profit of two portfolios together is at least the sum of their worst."""
    together = worst_of(basis + basis_2, [one + one_2, two + two_2])
    return together >= worst_of(basis, [one, two]) + worst_of(basis_2, [one_2, two_2])


@chapter.lemma("REF-SCN-4", rests_on=("REF-SCN-3", "REF-SCN-9", "REF-SCN-11"), bounds=PARTS)
def hedge_never_needs_more_than_the_sum_of_its_legs(
    venue: Reference,
    worst: Real,
    other: Real,
    together: Real,
    factor: Factor,
    charges: Positive,
    charges_2: Positive,
    charges_of_both: Positive,
) -> Any:
    """Two portfolios together have left at least what they have left alone, where their worst is no worse (REF-SCN-3)
    and their charges are no more (REF-SCN-9, 11) than those of both."""
    assume(together >= worst + other)
    assume(charges_of_both <= charges + charges_2)
    alone = left_over(worst, factor, charges, 0, 0) + left_over(other, factor, charges_2, 0, 0)
    return left_over(together, factor, charges_of_both, 0, 0) >= alone


@chapter.lemma("REF-SCN-5", bounds=PARTS)
def static_discount_never_gains_by_being_apart(
    venue: Reference, one: Real, two: Real, asset: Factor, debt: Factor
) -> Any:
    """Values together are discounted to at least the sum of what each is discounted to, where a debt counts for at
    least the part that an asset does."""
    assume(asset <= debt)
    together = statically_discounted(one + two, asset, debt)
    return together >= statically_discounted(one, asset, debt) + statically_discounted(two, asset, debt)


@chapter.lemma("REF-SCN-6")
def static_discount_is_against_the_holder(
    venue: Reference, value: Real, more: Positive, asset: Chance, debt: Factor
) -> Any:
    """The static discount never raises a value where the factor of assets is at most one and that of debts at least
    one, keeps its sign, and never turns the order of two."""
    assume(debt >= WAD)
    found = statically_discounted(value, asset, debt)
    return every(
        (
            found <= value,
            value < 0 or found >= 0,
            value >= 0 or found < 0,
            found <= statically_discounted(value + more, asset, debt),
        )
    )


@chapter.lemma("REF-SCN-7", bounds=PARTS)
def skew_counts_the_loss_of_either_direction(
    venue: Reference, value: Real, mark: Real, value_2: Real, mark_2: Real, damping: Factor
) -> Any:
    """A scenario of skew never gains, loses at least what the same move as it is does, and of two expiries that are one
    no more than of both, within two units."""
    alone = expiry_profit(value, mark, damping, True)
    both = alone + expiry_profit(value_2, mark_2, damping, True)
    together = expiry_profit(value + value_2, mark + mark_2, damping, True)
    return every((alone <= 0, alone <= expiry_profit(value, mark, damping, False), together >= both - 2))


@chapter.lemma("REF-SCN-8", bounds="whatever three values of the options of an expiry are")
def basis_contingency_never_gains(
    venue: Reference, up: Real, down: Real, mark: Real, factor: Factor, up_2: Real, down_2: Real, mark_2: Real
) -> Any:
    """The basis contingency is a loss or nothing, at least that of either move, and of two expiries that are one no
    more than of both."""
    loss = basis_loss(up, down, mark, factor)
    together = basis_loss(up + up_2, down + down_2, mark + mark_2, factor)
    return every(
        (
            loss <= 0,
            loss * WAD <= (up - mark) * factor,
            loss * WAD <= (down - mark) * factor,
            together >= loss + basis_loss(up_2, down_2, mark_2, factor),
        )
    )


@chapter.lemma("REF-SCN-9", bounds="amounts of calls and of puts at a strike of two portfolios")
def naked_shorts_add_up_at_most(venue: Reference, first: Real, second: Real, more: Real, other: Real) -> Any:
    """What is sold and not covered is never negative, at most all that is sold, nothing where as much is bought, and of
    two portfolios together at most the sum of each."""
    alone = naked(first, second)
    sold = max(-first, 0) + max(-second, 0)
    return every(
        (
            alone >= 0,
            alone <= sold,
            first + second < 0 or alone == 0,
            naked(first + more, second + other) <= alone + naked(more, other),
        )
    )


@chapter.lemma("REF-SCN-10")
def unsure_feed_never_lowers_a_charge(
    venue: Reference, p: Parameters, confidence: Chance, less: Chance, notional: Positive, more: Positive
) -> Any:
    """The charge for an unsure feed never falls as the feed gets less sure or the notional larger, is nothing from the
    threshold on, and at most the notional times the factor, within a unit."""
    assume(less <= confidence)
    found = confidence_charge(confidence, notional, p)
    return every(
        (
            found >= 0,
            found <= confidence_charge(less, notional, p),
            found <= confidence_charge(confidence, notional + more, p),
            confidence < p.confidence_threshold or found == 0,
            (found - 1) * WAD <= notional * p.confidence_factor,
        )
    )


@chapter.lemma("REF-SCN-11", bounds=PARTS)
def charges_add_up_at_most(venue: Reference, amount: Positive, other: Positive, price: Positive, part: Factor) -> Any:
    """A charge is at least the part of the value that it stands for, less than a unit more, never falls with the
    amount, and of two amounts together is at most that of each."""
    alone, together = charge(amount, price, part), charge(amount + other, price, part)
    exact = amount * price * part
    return every(
        (
            alone * WAD * WAD >= exact,
            (alone - 1) * WAD * WAD < exact,
            alone <= together,
            together <= alone + charge(other, price, part),
        )
    )


@chapter.lemma("REF-SCN-12")
def initial_margin_of_a_portfolio_is_at_least_maintenance(
    venue: Reference, p: Parameters, worst: Real, both: Positive, initial: Positive, stable: Positive, value: Real
) -> Any:
    """After initial margin no more is left than after maintenance, whatever the peg, where the initial factor is at
    least that of maintenance and the worst is no profit."""
    assume(p.maintenance <= p.initial)
    assume(worst <= 0)
    kept = left_over(worst, p.maintenance, both, value, 0)
    return left_over(worst, initial_factor(stable, p), both + initial, value, 0) <= kept


@chapter.lemma("REF-SCN-13")
def lost_peg_never_lowers_margin(venue: Reference, p: Parameters, stable: Positive, lower: Positive) -> Any:
    """A stable coin that is worth less never lowers the factor of initial margin, which is at least what it is at the
    peg."""
    assume(lower <= stable)
    factor = initial_factor(stable, p)
    return every(
        (factor <= initial_factor(lower, p), factor >= p.initial, stable < p.peg_threshold or factor == p.initial)
    )


@chapter.lemma("REF-SCN-14")
def cash_counts_in_full(
    venue: Reference, worst: Real, factor: Factor, charges: Positive, value: Real, cash: Real, more: Real
) -> Any:
    """Cash counts in full, and a debt in cash too: margin is the same whatever the cash is."""
    before = left_over(worst, factor, charges, value, cash)
    return left_over(worst, factor, charges, value, cash + more) == before + more


# --- Moves ----------------------------------------------------------------------------------------------------------


@chapter.lemma("REF-SCN-15")
def perpetual_hedges_itself(venue: Reference, size: Real, price: Positive, spot: Factor) -> Any:
    """A long perpetual and a short one of the same size lose at most a unit together, and a long never loses more than
    it is worth."""
    both = perpetual_profit(size, price, spot) + perpetual_profit(-size, price, spot)
    worth = perpetual_profit(size, price, spot) * WAD >= -(size * price) - WAD
    return every((both <= 0, both >= -1, size < 0 or worth))


@chapter.lemma("REF-SCN-16")
def collateral_that_moves_loses_at_most_itself(venue: Reference, value: Positive, spot: Factor, higher: Factor) -> Any:
    """Collateral that moves with the price never loses more than itself, and more of a move never less."""
    assume(spot <= higher)
    found = collateral_profit(value, spot)
    return every((found >= -value, found <= collateral_profit(value, higher), spot != WAD or found == 0))


@chapter.lemma("REF-SCN-17")
def covered_by_collateral_is_hedged(
    venue: Reference, size: Positive, price: Positive, value: Positive, spot: Factor
) -> Any:
    """A perpetual sold against collateral that moves with the price, worth as much, loses at most two units, and one
    more for each time that the price rises by all of itself."""
    assume(value * WAD <= size * price)
    assume(size * price < (value + 1) * WAD)
    together = perpetual_profit(-size, price, spot) + collateral_profit(value, spot)
    return together >= -2 - div_up(max(spot - WAD, 0), WAD)


@chapter.lemma("REF-SCN-18")
def shock_moves_a_volatility_its_way(
    venue: Reference, volatility: Positive, moved: Factor, more: Factor, least: Positive
) -> Any:
    """A shock upwards never lowers a volatility, one downwards never raises it, more of either moves it no less, and
    none is below its minimum or below zero."""
    assume(moved <= more)
    up, down = shocked_volatility(volatility, moved, least), shocked_volatility(volatility, -moved, 0)
    return every(
        (
            up >= volatility,
            up >= least,
            down <= volatility,
            down >= 0,
            up <= shocked_volatility(volatility, more, least),
            shocked_volatility(volatility, -more, 0) <= down,
        )
    )


@chapter.lemma("REF-SCN-19")
def skew_is_capped(
    venue: Reference, volatility: Positive, moneyness: Real, cap: Factor, width: Factor, away: Positive
) -> Any:
    """Skew moves a volatility by at most the cap, upwards where the strike is above the forward and downwards where it
    is below, and the farther a strike the more."""
    found = skewed_volatility(volatility, moneyness, cap, width)
    least, most = (mul_div_down(volatility, max(WAD + part, 0), WAD) for part in (-cap, cap))
    return every(
        (
            least <= found,
            found <= most,
            moneyness < 0 or found >= volatility,
            moneyness > 0 or found <= volatility,
            found <= skewed_volatility(volatility, moneyness + away, cap, width),
        )
    )


@chapter.lemma("REF-SCN-20")
def damping_never_turns_a_loss(venue: Reference, value: Real, mark: Real, damping: Chance) -> Any:
    """A damped scenario loses at most what it would undamped, and never gains where that loses."""
    whole, damped = (expiry_profit(value, mark, each, False) for each in (WAD, damping))
    return every((whole >= 0 or damped <= 0, damped >= min(whole, 0), magnitude(damped) <= magnitude(whole)))


@chapter.lemma("REF-SCN-21")
def near_expiries_move_more(venue: Reference, seconds: Seconds, later: Seconds, least: Seconds) -> Any:
    """Volatilities of a later expiry never move more, beyond 30 days by less than at 30, and never more than where the
    least time that counts is left."""
    assume(least >= 1)
    near, far = nearness_of(seconds, least), nearness_of(seconds + later, least)
    return every((far <= near, near * least <= MONTH * WAD, seconds < MONTH or near <= WAD))


@chapter.lemma("REF-SCN-22", bounds="whatever the two exponentials are")
def static_discount_never_beats_the_discount(
    venue: Reference, base: Factor, decay: Chance, less: Chance, factor: Discount
) -> Any:
    """More time or rate never raises the part that an asset counts for, nor lowers that of a debt; an asset counts for
    at most its base, and a debt, discounted, for at most itself, within a unit."""
    assume(less <= decay)
    assume(factor >= 1)
    debt = debt_part(base, decay, factor)
    return every(
        (
            asset_part(base, less) <= asset_part(base, decay),
            asset_part(base, decay) <= base,
            debt <= debt_part(base, less, factor),
            (debt - 1) * factor <= WAD * WAD,
        )
    )


@chapter.lemma("REF-SCN-23", bounds="an account with a perpetual position and cash, two scenarios")
def margins_of_a_perpetual_pay_its_losses(
    venue: Reference, account: Account, p: Parameters, one: Factor, two: Factor
) -> Any:
    """An account that trades perpetuals has at most value and cash left, less the loss in each scenario, and no more
    after initial margin than after maintenance."""
    assume(p.maintenance >= WAD)
    assume(p.maintenance <= p.initial)
    found = margins(account, [], [], [Scenario(one, NONE, WAD), Scenario(two, NONE, WAD)], p)
    losses = [perpetual_profit(account.perpetual, account.perpetual_price, spot) for spot in (one, two)]
    paid = [found.maintenance <= found.mark_to_market + loss for loss in losses]
    return every((*paid, found.initial <= found.maintenance, found.mark_to_market == account.unpaid + account.cash))


@chapter.lemma("REF-SCN-24", bounds="an expiry with one kind of option")
def what_cannot_be_valued_is_refused(venue: Reference, expiry: Expiry, option: Option) -> Any:
    """An expiry without a forward, or an option without a strike, is refused, and what has both is not."""
    sane = expiry.forward + expiry.fixed > 0 and option.leg.strike > 0
    return (refusal(checked, expiry, [option]) is None) == sane
