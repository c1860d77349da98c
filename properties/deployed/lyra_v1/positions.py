"""Positions: what is recorded of them, who may change them, and when their collateral is taken."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.lyra_v1.decimals import UNIT
from marginspec.model.deployed.lyra_v1.ledger import (
    ACTIVE,
    CALL_BASE,
    CLOSED,
    EMPTY,
    LIQUIDATED,
    MARKET,
    NOBODY,
    OWNER,
    Amount,
    Collateral,
    Kind,
    PositionId,
    Sender,
    StrikeId,
    Trader,
    Wad,
    is_short,
)
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel.fixed import div_down
from marginspec.properties.deployed.lyra_v1.collateral import ANY_PRICES
from marginspec.properties.deployed.lyra_v1.parameters import penalties_are_parts
from marginspec.properties.deployed.lyra_v1.relaxed import any_judgement, any_least
from marginspec.properties.deployed.lyra_v1.scope import chapter
from marginspec.properties.law import Step, accepted, assume, every, implies, refusal

# --- What is recorded -------------------------------------------------------------------------------------------------


@chapter.invariant("LYR-POS-1", bounds=ANY_PRICES, relaxed=any_judgement)
def positions_have_a_holder_exactly_while_active(venue: LyraV1, position: PositionId) -> Any:
    """A position has a holder exactly while it is active."""
    p = venue.positions[position]
    return (p.state == ACTIVE) == (p.holder != NOBODY)


@chapter.invariant("LYR-POS-2", bounds=ANY_PRICES, relaxed=any_judgement)
def active_positions_have_options(venue: LyraV1, position: PositionId) -> Any:
    """An active position has options, one that is empty or closed has neither options nor collateral."""
    p = venue.positions[position]
    if p.state == EMPTY or p.state == CLOSED:
        return every((p.amount == 0, p.collateral == 0))
    return implies(p.state == ACTIVE, p.amount >= 1)


@chapter.invariant("LYR-POS-3", bounds=ANY_PRICES, relaxed=any_judgement)
def options_that_were_bought_have_no_collateral(venue: LyraV1, position: PositionId) -> Any:
    """Only options that were sold have collateral."""
    p = venue.positions[position]
    return p.collateral == 0 or (p.state != EMPTY and is_short(p.kind))


@chapter.theorem("LYR-POS-4", bounds=ANY_PRICES, relaxed=any_least)
def what_has_ended_stays_as_it_is(venue: LyraV1, position: PositionId, step: Step) -> Any:
    """A position that was closed, liquidated or settled never changes again."""
    p = venue.positions[position]
    assume(p.state != ACTIVE and p.state != EMPTY and p.holder == NOBODY)
    before = p.flatten()
    step.take(venue)
    return p.flatten() == before


@chapter.theorem("LYR-POS-5", bounds=ANY_PRICES, relaxed=any_judgement)
def strangers_neither_shrink_nor_grow_a_position(venue: LyraV1, position: PositionId, step: Step) -> Any:
    """Whoever is not its holder can only add collateral to a position, settle it, or liquidate it."""
    p = venue.positions[position]
    assume(p.state == ACTIVE and p.holder != NOBODY and step.argument("caller") != p.holder)
    assume(step.action not in ("liquidate", "settle"))
    amount, collateral, holder = p.amount, p.collateral, p.holder
    step.take(venue)
    return p.amount == amount and p.collateral >= collateral and p.holder == holder


# --- Margin -----------------------------------------------------------------------------------------------------------


@chapter.theorem("LYR-LIQ-1", bounds=ANY_PRICES, relaxed=any_least)
def whoever_adjusts_a_short_has_the_least_collateral(
    venue: LyraV1,
    caller: Trader,
    position: PositionId,
    amount: Amount,
    cost: Collateral,
    collateral: Collateral,
    is_open: bool,
) -> Any:
    """A short that was just adjusted has what is asked as its collateral, and that is enough; a closed one has none."""
    p = venue.positions[position]
    assume(is_short(p.kind))
    venue.adjust_position(caller, position, amount, cost, collateral, is_open)
    if p.state == CLOSED:
        return every((p.amount == 0, p.collateral == 0, collateral == 0))
    return p.collateral == collateral and not accepted(venue.is_liquidatable, position)


@chapter.theorem("LYR-LIQ-2", bounds=ANY_PRICES, relaxed=any_least)
def whoever_opens_a_short_has_the_least_collateral(
    venue: LyraV1,
    caller: Trader,
    strike: StrikeId,
    kind: Kind,
    amount: Amount,
    cost: Collateral,
    collateral: Collateral,
) -> Any:
    """A short that was just opened has enough collateral."""
    assume(is_short(kind))
    _, position = accepted(venue._next)
    venue.open_position(caller, strike, kind, amount, cost, collateral)
    return venue.positions[position].collateral == collateral and not accepted(venue.is_liquidatable, position)


@chapter.theorem("LYR-LIQ-3", bounds=ANY_PRICES, relaxed=any_least)
def exactly_the_least_collateral_is_not_liquidated(
    venue: LyraV1, caller: Trader, position: PositionId, cost: Collateral
) -> Any:
    """A short with exactly the least collateral, or more, cannot be liquidated."""
    p = venue.positions[position]
    assume(is_short(p.kind) and p.state == ACTIVE and venue.spot >= 1)
    assume(p.collateral >= accepted(venue.least_collateral_of, position))
    return refusal(venue.liquidate, caller, position, cost) == "LIQ-3"


@chapter.theorem("LYR-LIQ-4", bounds=ANY_PRICES, relaxed=any_least)
def only_a_short_with_too_little_is_liquidated(
    venue: LyraV1, caller: Trader, position: PositionId, cost: Collateral
) -> Any:
    """Only an active short with less than the least collateral is liquidated, and it ends with that."""
    p = venue.positions[position]
    before, least = p.clone(), 0
    if is_short(p.kind):
        least = accepted(venue.least_collateral_of, position)
    venue.liquidate(caller, position, cost)
    was = is_short(before.kind) and before.state == ACTIVE and before.collateral < least
    return was and p.state == LIQUIDATED and p.holder == NOBODY


@chapter.theorem("LYR-LIQ-5", bounds=ANY_PRICES, relaxed=any_least)
def added_collateral_is_collateral(venue: LyraV1, caller: Sender, position: PositionId, amount: Collateral) -> Any:
    """What is added counts to the last unit, nothing else changes, and only the market adds it."""
    p = venue.positions[position]
    after = p.clone()
    after.collateral += amount
    venue.add_collateral(caller, position, amount)
    return caller == MARKET and p.flatten() == after.flatten()


@chapter.theorem("LYR-LIQ-6", bounds=ANY_PRICES, relaxed=any_judgement)
def only_holder_owner_and_world_move_what_is_asked(venue: LyraV1, position: PositionId, step: Step) -> Any:
    """What the least collateral of an active position is worked out from only its holder, the owner and the world
    change: options, strike, kind, spot, time and parameters."""
    p = venue.positions[position]
    assume(p.state == ACTIVE and p.holder != NOBODY and step.argument("caller") not in (p.holder, OWNER))
    assume(step.action not in ("set_spot", "advance_time"))
    before, spot, now = p.clone(), venue.spot, venue.now
    minimum, rate = venue.minimum.clone(), venue.greek.rate
    step.take(venue)
    same = (p.amount == before.amount, venue.spot == spot, venue.now == now, venue.greek.rate == rate)
    return (
        p.strike == before.strike
        and p.kind == before.kind
        and (venue.minimum.flatten() == minimum.flatten() and all(same))
    )


# --- What a liquidation takes -----------------------------------------------------------------------------------------


@chapter.lemma("LYR-LIQ-7", given=(penalties_are_parts,))
def all_collateral_goes_somewhere(
    venue: LyraV1, premium: Collateral, collateral: Collateral, least_fee: Collateral, multiplier: Wad
) -> Any:
    """What holder, pool, liquidator and security module get is the collateral, to the last unit."""
    returned, paid, pool, liquidator, security, _ = accepted(
        venue.liquidation_fees, premium, collateral, least_fee, multiplier
    )
    return returned + paid + pool + liquidator + security == collateral


@chapter.lemma("LYR-LIQ-8", given=(penalties_are_parts,))
def fees_are_the_least_fee_or_all_there_is(
    venue: LyraV1, premium: Collateral, collateral: Collateral, least_fee: Collateral, multiplier: Wad
) -> Any:
    """Fees together are at least the least fee, or all collateral where that is less; they come before the premium."""
    _, _, pool, liquidator, security, _ = accepted(venue.liquidation_fees, premium, collateral, least_fee, multiplier)
    return pool + liquidator + security >= min(least_fee, collateral)


@chapter.lemma("LYR-LIQ-9", given=(penalties_are_parts,))
def something_is_missing_exactly_where_collateral_is_too_little(
    venue: LyraV1, premium: Collateral, collateral: Collateral, least_fee: Collateral
) -> Any:
    """In quote, what is missing is what premium and least fee exceed the collateral by, the premium at most; then
    nothing is returned."""
    returned, _, _, _, _, missing = accepted(venue.liquidation_fees, premium, collateral, least_fee, UNIT)
    short = premium + least_fee - collateral
    if short <= 0:
        return missing == 0
    return every((returned == 0, missing == min(short, premium)))


@chapter.lemma("LYR-LIQ-10", given=(penalties_are_parts,))
def the_pool_is_paid_its_premium_where_there_is_enough(
    venue: LyraV1, premium: Collateral, collateral: Collateral, least_fee: Collateral, multiplier: Wad
) -> Any:
    """Where collateral is enough for premium and least fee, the pool gets exactly the premium."""
    assume(collateral >= premium + least_fee)
    _, paid, _, _, _, _ = accepted(venue.liquidation_fees, premium, collateral, least_fee, multiplier)
    return paid == premium


@chapter.lemma("LYR-LIQ-11", given=(penalties_are_parts,))
def fees_always_have_an_answer_on_collateral_that_is_enough(
    venue: LyraV1, premium: Collateral, collateral: Collateral, least_fee: Collateral, multiplier: Wad
) -> Any:
    """Where collateral is enough and a product with one fits 256 bits, nothing refuses a liquidation for its fees."""
    assume(collateral >= premium + least_fee)
    assume(collateral <= div_down(2**256 - 1, UNIT))
    return refusal(venue.liquidation_fees, premium, collateral, least_fee, multiplier) is None


@chapter.theorem("LYR-LIQ-12", bounds=ANY_PRICES, relaxed=any_least)
def closing_returns_all_collateral(
    venue: LyraV1, caller: Trader, position: PositionId, cost: Collateral, is_open: bool
) -> Any:
    """Whoever closes a call that base covers gets all its collateral back; of one in quote, less the cost."""
    p = venue.positions[position]
    assume(is_short(p.kind))
    collateral, kind = p.collateral, p.kind
    pending = venue.adjust_position(caller, position, p.amount, cost, 0, False)
    return pending == (-collateral if kind == CALL_BASE else cost - collateral)
