"""Chapter 8, liquidation: only below maintenance, the least that restores, at a penalty that equity can pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.reference.collateral import collateral_value, gross_value
from marginspec.model.reference.ledger import Asset
from marginspec.model.reference.liquidation import (
    liquidator_share,
    penalty_of,
    seizure_price,
    size_to_restore,
    without_dust,
)
from marginspec.model.reference.margin import SEIZURE_DISCOUNT, is_covered
from marginspec.model.reference.notation import (
    BUFFER,
    MAX_SIZE,
    PENALTY,
    PPM,
    Fraction,
    Fund,
    Quote,
    Size,
    StoredAmount,
    StoredPrice,
    StoredSize,
    Unit,
    magnitude,
)
from marginspec.model.reference.oracles import MAX_AGE
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import assume, every, refusal
from marginspec.properties.reference.scope import ACTOR, ELSEWHERE, ETH, HERE, OTHER, chapter, worth


@chapter.theorem("REF-LIQ-1")
def size_to_restore_restores_and_is_minimal(venue: Reference, shortfall: Fund, gain: Fund, whole: StoredSize) -> Any:
    """The size restores what is missing or is all there is, and one unit less would not restore it."""
    assume(gain >= 1)
    size = size_to_restore(shortfall, gain, whole)
    return every((size <= whole, size == whole or size * gain >= shortfall, size == 0 or (size - 1) * gain < shortfall))


@chapter.theorem("REF-LIQ-2")
def no_dust_is_left(venue: Reference, size: StoredSize, whole: StoredSize, mark: StoredPrice, dust: Fund) -> Any:
    """What a liquidation leaves is nothing or worth at least the dust threshold; else its size is what was needed."""
    assume(size <= whole)
    closed = without_dust(size, whole, mark, dust)
    return every(
        (
            closed >= size,
            closed == whole or (whole - closed) * mark >= dust,
            closed == size or (whole - size) * mark < dust,
            closed <= whole,
        )
    )


@chapter.theorem("REF-LIQ-3")
def penalty_never_exceeds_equity(
    venue: Reference, size: StoredSize, mark: StoredPrice, penalty: Fraction, equity: Quote
) -> Any:
    """A penalty is at most the equity, at most the penalty ratio of the notional closed, and never negative."""
    paid = penalty_of(size, mark, penalty, equity)
    return every((paid >= 0, paid == 0 or paid <= equity, paid * PPM <= size * mark * penalty))


@chapter.theorem("REF-LIQ-4")
def liquidating_oneself_never_profits(venue: Reference, penalty: Fund) -> Any:
    """The liquidator's part is never more than the fund's: who liquidates an own account loses at least half."""
    share = liquidator_share(penalty)
    return every((share >= 0, 2 * share <= penalty, 2 * share >= penalty - 1))


@chapter.theorem("REF-LIQ-5")
def seized_collateral_costs_at_least_its_discounted_value(
    venue: Reference, amount: StoredAmount, mark: StoredPrice, unit: Unit
) -> Any:
    """Seized collateral costs at least its value at the mark less 4 %, and nothing is taken for nothing."""
    paid = seizure_price(amount, mark, unit)
    return every(
        (
            paid * unit * PPM >= amount * mark * (PPM - SEIZURE_DISCOUNT),
            paid >= 1 or amount * mark == 0,
        )
    )


@chapter.theorem("REF-LIQ-6")
def seizing_in_parts_never_costs_less(
    venue: Reference, first: StoredAmount, second: StoredAmount, mark: StoredPrice, unit: Unit
) -> Any:
    """Collateral seized in two parts costs at least as much as at once."""
    apart = seizure_price(first, mark, unit) + seizure_price(second, mark, unit)
    values = [mul_div_up(amount, mark, unit) for amount in (first + second, first, second)]
    if values[0] > values[1] + values[2]:
        return False
    return seizure_price(first + second, mark, unit) <= apart


@chapter.theorem("REF-LIQ-7")
def seizure_pays_more_than_the_collateral_counted_for(
    venue: Reference,
    amount: StoredAmount,
    counted: StoredAmount,
    low: StoredPrice,
    mark: StoredPrice,
    unit: Unit,
    haircut: Fraction,
    delta: Fraction,
) -> Any:
    """Where the haircut covers the discount, each seizure leaves the account with at least the equity it had."""
    assume(counted <= amount)
    assume(low <= mark)
    assume(is_covered(haircut, delta))
    return collateral_value(gross_value(counted, low, unit), haircut) <= seizure_price(amount, mark, unit)


# --- The action -----------------------------------------------------------------------------------------------------

# The liquidator's own position and margin play no part in what happens to the account.
TAKING_OVER = {
    f"accounts[{account}].positions[{market}].size": (0,)
    for account, market in ((ACTOR, HERE), (ACTOR, ELSEWHERE), (OTHER, ELSEWHERE))
}
PORTFOLIO = "whatever equity and margin the account has in other markets and in collateral; funding settled"


@dataclass(slots=True)
class Portfolio(Record):
    """Equity of an account, and its requirements in other markets, in millionths of quote."""

    equity: Quote
    maintenance: Fund
    buffered: Fund


@dataclass
class Case:
    """What is liquidated: its size, the price, and what a unit of it requires."""

    size: int
    price: Asset
    ratio: int
    buffer: int
    penalty: int
    maintenance: int
    buffered: int


def _account_with(venue: Reference, portfolio: Portfolio) -> Case:
    """The account `other`, with any equity and any requirement elsewhere, and parameters within their safety bounds."""
    parameters, ratio = venue.parameters[HERE], venue.markets[HERE].ratio
    size, price, buffer = magnitude(venue.accounts[OTHER].positions[HERE].size), venue.assets[ETH], parameters[BUFFER]
    assume(portfolio.maintenance <= portfolio.buffered)
    assume(price.mark <= price.high)
    assume(parameters[PENALTY] + 1 <= ratio)
    maintenance = portfolio.maintenance + size * price.high * ratio
    with_buffer = portfolio.buffered + size * price.high * (ratio + buffer)
    requirement = {False: maintenance, True: with_buffer}
    instead: Any = venue
    instead.equity = lambda account: portfolio.equity
    instead._requirement = lambda account, buffered: requirement[buffered]
    instead._settle = lambda account: None
    instead._needs_initial_margin = lambda account: None
    return Case(size, price.clone(), ratio, buffer, parameters[PENALTY], maintenance, with_buffer)


@chapter.theorem("REF-LIQ-8", bounds=PORTFOLIO, scope=TAKING_OVER)
def only_accounts_below_maintenance_are_liquidated(venue: Reference, portfolio: Portfolio, most: Size) -> Any:
    """No account whose equity is at least its maintenance margin is liquidated."""
    case = _account_with(venue, portfolio)
    venue.liquidate(ACTOR, OTHER, HERE, most)
    return portfolio.equity * PPM < case.maintenance


LONG = f"{PORTFOLIO}; a long position (REF-LIQ-8 and 11 have both)"


@chapter.theorem("REF-LIQ-9", bounds=LONG, scope=TAKING_OVER)
def liquidation_strictly_improves_the_account(venue: Reference, portfolio: Portfolio, most: Size) -> Any:
    """A liquidation closes something, and what is then missing to maintenance is strictly less."""
    assume(venue.accounts[OTHER].positions[HERE].size >= 1)
    case = _account_with(venue, portfolio)
    closed, paid = venue.liquidate(ACTOR, OTHER, HERE, most)
    return every((closed >= 1, closed <= case.size, closed * case.price.high * case.ratio > paid * PPM))


@chapter.theorem("REF-LIQ-10", bounds=LONG, scope=TAKING_OVER)
def liquidation_is_minimal_to_one_unit(venue: Reference, portfolio: Portfolio, most: Size) -> Any:
    """Unless the least would leave dust, one unit less would not have restored maintenance and buffer."""
    assume(venue.accounts[OTHER].positions[HERE].size >= 1)
    case = _account_with(venue, portfolio)
    closed, _ = venue.liquidate(ACTOR, OTHER, HERE, most)
    gain = case.price.high * (case.ratio + case.buffer) - case.price.mark * case.penalty
    shortfall = case.buffered - portfolio.equity * PPM
    if (closed - 1) * gain < shortfall:
        return True
    left = case.size - size_to_restore(shortfall, gain, case.size)
    return left * case.price.mark < venue.market_terms[HERE].dust


@chapter.theorem("REF-LIQ-11", bounds=PORTFOLIO, scope=TAKING_OVER)
def penalty_is_paid_from_equity_and_shared(venue: Reference, portfolio: Portfolio, most: Size) -> Any:
    """The account pays the penalty and nothing else, never more than its equity, to liquidator and insurance fund."""
    _account_with(venue, portfolio)
    before = worth(venue, OTHER), worth(venue, ACTOR), venue.insurance
    _, paid = venue.liquidate(ACTOR, OTHER, HERE, most)
    after = worth(venue, OTHER), worth(venue, ACTOR), venue.insurance
    return every(
        (
            after[0] == before[0] - paid,
            paid >= 0,
            paid <= max(portfolio.equity, 0),
            after[1] + after[2] == before[1] + before[2] + paid,
            2 * (after[1] - before[1]) <= paid,
        )
    )


@chapter.theorem(
    "REF-LIQ-12",
    bounds=f"{LONG}; a fresh price, a liquidator who has the margin, the limit of the interval not used up",
    scope=TAKING_OVER,
)
def every_account_below_maintenance_can_be_liquidated(venue: Reference, portfolio: Portfolio, most: Size) -> Any:
    """Nothing stops the liquidation of an account below maintenance: not dust, not an empty fund, no gate, no pause."""
    assume(venue.accounts[OTHER].positions[HERE].size >= 1)
    case = _account_with(venue, portfolio)
    assume(venue.settling_since == 0)
    assume(not venue.accounts[OTHER].in_default)
    assume(1 <= most <= MAX_SIZE)
    assume(case.price.mark >= 1)
    assume(venue.now <= case.price.time + MAX_AGE)
    assume(portfolio.equity < venue.maintenance_margin(OTHER))
    assume(venue.markets[HERE].room >= case.price.mark)
    return refusal(venue.liquidate, ACTOR, OTHER, HERE, most) is None
