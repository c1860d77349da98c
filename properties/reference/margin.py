"""Chapter 6, margin: ratios that follow volatility within bounds, and bounds that make liquidation in time enough."""

from __future__ import annotations

from typing import Any

from marginspec.model.reference.ledger import Market, MarketTerms
from marginspec.model.reference.margin import (
    MAX_STEP_TIME,
    MAX_VOLATILITY,
    MEMORY,
    RELAXATION,
    TIGHTENING,
    approach,
    next_volatility,
    open_interest_ratio,
    target_ratio,
)
from marginspec.model.reference.notation import (
    HOUR,
    INITIAL_GAP,
    PPM,
    AccountId,
    AssetId,
    Duration,
    Fraction,
    Fund,
    MarketId,
    StoredPrice,
    StoredSize,
    User,
    magnitude,
)
from marginspec.model.reference.venue import Reference
from marginspec.properties.law import Step, accepted, assume, every
from marginspec.properties.reference.relaxed import any_update, asked_margin, relaxed
from marginspec.properties.reference.scope import ANY_STEP, ETH, HERE, SIMPLE, SIMPLE_BOUNDS, chapter, owes_nothing
from marginspec.properties.scope import pinned


@chapter.lemma("REF-MRG-1", rests_on=("REF-LED-4",))
def open_interest_adds_at_most_the_slope(venue: Reference, terms: MarketTerms, market: Market) -> Any:
    """Open interest adds to the initial ratio between nothing and the slope, all of it in a full market."""
    assume(market.open_interest >= 0)  # by REF-LED-4
    added = open_interest_ratio(terms, market)
    full = market.open_interest >= market.open_interest_cap
    return every((added >= 0, added <= terms.slope, not full or added == terms.slope))


@chapter.lemma("REF-MRG-2")
def fuller_market_never_needs_less_margin(
    venue: Reference, terms: MarketTerms, market: Market, more: StoredSize
) -> Any:
    """More open interest never lowers the initial ratio, which is in proportion to it up to the cap, rounded up."""
    assume(market.open_interest <= more)
    assume(more <= market.open_interest_cap)
    before = open_interest_ratio(terms, market)
    market.open_interest = more
    after = open_interest_ratio(terms, market)
    exact = terms.slope * more
    return every(
        (
            before <= after,
            after * market.open_interest_cap >= exact,
            (after - 1) * market.open_interest_cap < exact,
        )
    )


@chapter.lemma("REF-MRG-3")
def volatility_is_never_below_the_last_move(
    venue: Reference, volatility: Fraction, last: StoredPrice, mark: StoredPrice, time: Duration
) -> Any:
    """The estimate is at least the last move, and at most all of the price."""
    assume(last >= 1)
    assume(time <= HOUR)
    estimate = next_volatility(volatility, last, mark, time)
    moved = (mark - last) * PPM
    return every(
        (
            estimate <= MAX_VOLATILITY,
            estimate == MAX_VOLATILITY or estimate * last >= moved,
            estimate == MAX_VOLATILITY or estimate * last >= -moved,
        )
    )


@chapter.lemma("REF-MRG-4")
def volatility_forgets_slowly(
    venue: Reference, volatility: Fraction, last: StoredPrice, mark: StoredPrice, time: Duration
) -> Any:
    """In some seconds the estimate forgets at most that part of a day of itself."""
    assume(last >= 1)
    assume(time <= HOUR)
    return next_volatility(volatility, last, mark, time) * MEMORY >= volatility * (MEMORY - time)


@chapter.lemma("REF-MRG-5")
def updating_often_does_not_forget_faster(
    venue: Reference, volatility: Fraction, price: StoredPrice, first: Duration, second: Duration
) -> Any:
    """Within an hour, two updates at an unchanged price leave at least the estimate that one update would. Each update
    forgets at most an hour, so beyond that one forgets less than two."""
    assume(price >= 1)
    assume(first + second <= HOUR)
    once = next_volatility(volatility, price, price, first + second)
    return once <= next_volatility(next_volatility(volatility, price, price, first), price, price, second)


@chapter.lemma("REF-MRG-6")
def moves_in_one_direction_add_up(
    venue: Reference, volatility: Fraction, last: StoredPrice, middle: StoredPrice, mark: StoredPrice
) -> Any:
    """A price that falls in two steps in one block is estimated at least as volatile as one that falls as far in one;
    with time between the steps the first has been forgotten in part (REF-MRG-4)."""
    assume(mark >= 1)
    assume(mark <= middle)
    assume(middle <= last)
    once = next_volatility(volatility, last, mark, 0)
    return once <= next_volatility(next_volatility(volatility, last, middle, 0), middle, mark, 0)


@chapter.lemma("REF-MRG-7")
def ratio_tightens_fast_and_relaxes_slowly(venue: Reference, ratio: Fraction, target: Fraction, time: Duration) -> Any:
    """A ratio moves towards what is asked for and never beyond, at most 5 ppm a second up and 1 down."""
    moved = approach(ratio, target, time)
    lowest, highest = min(ratio, target), max(ratio, target)
    return every(
        (
            lowest <= moved,
            moved <= highest,
            moved <= ratio + TIGHTENING * time,
            moved >= ratio - RELAXATION * time,
            moved == target or moved == ratio + TIGHTENING * time or moved == ratio - RELAXATION * time,
        )
    )


@chapter.lemma("REF-MRG-8")
def ratio_asked_for_is_within_the_parameters(
    venue: Reference, volatility: Fraction, minimum: Fraction, maximum: Fraction
) -> Any:
    """The ratio asked for lies between minimum and maximum, and is the volatility itself where that does."""
    assume(minimum <= maximum)
    target = target_ratio(volatility, minimum, maximum)
    inside = minimum <= volatility <= maximum
    return every((minimum <= target, target <= maximum, not inside or target == volatility))


@chapter.lemma("REF-MRG-9")
def more_volatility_never_means_less_margin(
    venue: Reference,
    volatility: Fraction,
    more: Fraction,
    minimum: Fraction,
    maximum: Fraction,
    ratio: Fraction,
    time: Duration,
) -> Any:
    """A more volatile asset is never asked for a smaller ratio, and for a larger one where the parameters allow it."""
    assume(volatility <= more)
    calm, wild = target_ratio(volatility, minimum, maximum), target_ratio(more, minimum, maximum)
    if minimum <= volatility < more <= maximum and calm >= wild:
        return False
    return every((calm <= wild, approach(ratio, calm, time) <= approach(ratio, wild, time)))


@chapter.lemma("REF-MRG-10")
def larger_moves_never_mean_less_volatility(
    venue: Reference,
    volatility: Fraction,
    more: Fraction,
    last: StoredPrice,
    mark: StoredPrice,
    lower: StoredPrice,
    time: Duration,
) -> Any:
    """A price that fell further, from an asset at least as volatile, is never estimated less volatile."""
    assume(volatility <= more)
    assume(last >= 1)
    assume(lower <= mark)
    assume(mark <= last)
    assume(time <= MAX_STEP_TIME)
    return next_volatility(volatility, last, mark, time) <= next_volatility(more, last, lower, time)


# --- Accounts -------------------------------------------------------------------------------------------------------


@chapter.theorem("REF-MRG-16", bounds="whatever equity and margin say; funding settled before", relaxed=asked_margin)
def whoever_takes_over_has_initial_margin(venue: Reference, step: Step) -> Any:
    """After a liquidation or a seizure its liquidator has initial margin, or neither positions nor debts."""
    assume(step.action in ("liquidate", "seize_collateral"))
    liquidator = step.argument("liquidator")
    step.take(venue)
    return owes_nothing(venue, liquidator) or venue.equity(liquidator) >= venue.initial_margin(liquidator)


CHECKED = ("REF-WDR-1", "REF-TRD-3", "REF-TRD-8", "REF-MRG-16")
REDUCING = ("REF-LIQ-9", "REF-DEF-8", "REF-SET-7")


@chapter.theorem("REF-MRG-17", bounds=ANY_STEP, relaxed=relaxed, rests_on=(*CHECKED, *REDUCING))
def no_risk_is_added_without_initial_margin(venue: Reference, step: Step, account: AccountId) -> Any:
    """Whoever takes on risk has initial margin: withdrawals, trades and what liquidators do are followed by its check
    (REF-WDR-1, TRD-3, TRD-8, MRG-16). Besides them nothing moves a position but liquidation, deleveraging and the end,
    which make it smaller (REF-LIQ-9, DEF-8, SET-7); nothing takes collateral but seizure and redemption."""
    assume(step.action not in ("withdraw", "trade") or step.argument("account") != account)
    assume(step.action != "trade" or step.argument("maker") != account)
    assume(step.action not in ("liquidate", "seize_collateral") or step.argument("liquidator") != account)
    assume(step.action != "liquidate" or step.argument("account") != account)
    assume(step.action != "deleverage" or account not in (step.argument("account"), step.argument("counterparty")))
    own, taken = venue.accounts[account].clone(), step.action in ("seize_collateral", "redeem")
    taken = taken and step.argument("account") == account
    step.take(venue)
    after = venue.accounts[account]
    same = [after.positions[market].size == position.size for market, position in own.positions.items()]
    kept = [after.collateral[asset].amount >= holding.amount for asset, holding in own.collateral.items()]
    return every((*(step.action == "start_settlement" or equal for equal in same), *(taken or more for more in kept)))


@chapter.lemma("REF-MRG-11", bounds="two markets")
def larger_position_price_or_ratio_never_needs_less(
    venue: Reference, account: AccountId, more: StoredSize, higher: StoredPrice, wider: Fraction
) -> Any:
    """Maintenance margin never falls with the size of a position, with its price, or with its ratio; with the size it
    grows by the ratio of what is added."""
    held, price, market = venue.accounts[account].positions[HERE], venue.assets[ETH], venue.markets[HERE]
    margin = accepted(venue.maintenance_margin, account)
    held.size += more if held.size >= 0 else -more
    larger = accepted(venue.maintenance_margin, account)
    added = more * price.high * market.ratio
    price.high += higher
    at_higher_price = accepted(venue.maintenance_margin, account)
    market.ratio += wider
    widest = accepted(venue.maintenance_margin, account)
    return every(
        (
            margin <= larger,
            (larger - margin + 1) * PPM > added,
            larger <= at_higher_price,
            at_higher_price <= widest,
        )
    )


@chapter.lemma("REF-MRG-12", rests_on=("REF-LED-4",), bounds=SIMPLE_BOUNDS, scope=SIMPLE)
def initial_margin_is_at_least_maintenance(venue: Reference, account: AccountId) -> Any:
    """Initial margin is never below maintenance, and with a position beyond it by the gap of its notional."""
    assume(venue.assets[ETH].mark <= venue.assets[ETH].high)
    assume(venue.markets[HERE].open_interest >= 0)  # by REF-LED-4
    size, gap = magnitude(venue.accounts[account].positions[HERE].size), venue.parameters[HERE][INITIAL_GAP]
    initial, maintenance = accepted(venue.initial_margin, account), accepted(venue.maintenance_margin, account)
    beyond = size * venue.assets[ETH].high * gap
    return every((initial >= maintenance, (initial - maintenance + 1) * PPM > beyond))


def _health(venue: Reference, account: AccountId) -> Any:
    """Equity beyond the requirement, in millionths of quote; negative when liquidatable."""
    return accepted(venue.equity, account) * PPM - accepted(venue._requirement, account, False)


def _counts_for(venue: Reference, account: AccountId) -> Any:
    """What the one kind of collateral of an account counts for."""
    return accepted(venue.collateral_value, ETH, venue.accounts[account].collateral[ETH].counted)


@chapter.lemma("REF-MRG-13", bounds=SIMPLE_BOUNDS, scope=SIMPLE)
def more_collateral_is_never_less_health(venue: Reference, account: AccountId, cash: Fund) -> Any:
    """Cash counts in full, and what collateral counts for (REF-COL-2, 3 and 13) does, beyond what positions are worth
    and require."""
    own = venue.accounts[account]
    value, worth = _counts_for(venue, account), accepted(venue.unrealised, account)
    needed = accepted(venue._requirement, account, False)
    health = _health(venue, account)
    own.cash += cash
    richer = _health(venue, account)
    return every((richer == health + cash * PPM, richer == (own.cash + value + worth) * PPM - needed))


@chapter.lemma("REF-MRG-14", bounds=f"{SIMPLE_BOUNDS}; the short without collateral in what it sold", scope=SIMPLE)
def health_follows_the_price(venue: Reference, account: AccountId, move: StoredPrice) -> Any:
    """A price that rises, and what collateral counts for with it, never makes a long less healthy, nor a short
    healthier."""
    price, size = venue.assets[ETH], venue.accounts[account].positions[HERE].size
    assume(venue.accounts[account].collateral[ETH].counted == 0 or size > 0)
    value = _counts_for(venue, account)
    health = _health(venue, account)
    price.mark, price.high, price.low = price.mark + move, price.high + move, price.low + move
    assume(_counts_for(venue, account) >= value)
    after = _health(venue, account)
    return health <= after if size >= 0 else after <= health


FIRST = {"asset": pinned(ETH, why="assets differ in nothing but the order of seizure; for cost")}


@chapter.theorem(
    "REF-MRG-15", bounds="whatever the sources say and parameters ramp to", scope=FIRST, relaxed=any_update
)
def adaptation_stays_within_a_step(venue: Reference, caller: User, asset: AssetId, market: MarketId) -> Any:
    """A new price leaves the estimate that its move asks for (REF-MRG-3 to 6), and moves ratio and haircut by at most
    one step, however long the last one has been."""
    price, before = venue.assets[asset].clone(), venue.markets[market].clone()
    assume(price.mark >= 1)
    assume(venue.market_terms[market].asset == asset)
    assume(price.time <= venue.now)
    up, down, time = TIGHTENING * MAX_STEP_TIME, RELAXATION * MAX_STEP_TIME, min(venue.now - price.time, MAX_STEP_TIME)
    assume(price.tripped_at == 0)
    venue.update_price(caller, asset)
    ratio, after = venue.markets[market].ratio, venue.assets[asset]
    assume(after.tripped_at == 0)
    return every(
        (
            ratio <= before.ratio + up,
            ratio >= before.ratio - down,
            after.haircut <= price.haircut + up,
            after.haircut >= price.haircut - down,
            after.volatility == next_volatility(price.volatility, price.mark, after.mark, time),
        )
    )
