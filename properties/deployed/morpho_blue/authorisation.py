"""Authorisation: what others can do to an account that did not authorise them."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.morpho_blue import Account, MarketId, MorphoBlue, User
from marginspec.properties.deployed.morpho_blue.relaxed import any_tokens
from marginspec.properties.deployed.morpho_blue.scope import AT_ANY_TIME, chapter, settled
from marginspec.properties.law import Step, assume, every

FIELDS = ("supply_shares", "borrow_shares", "collateral")


def _unauthorized_step(venue: MorphoBlue, who: User, step: Step) -> None:
    assume(settled(venue, step))
    caller = step.argument("caller")
    assume(caller is not None and caller != who and not venue.is_authorized[who][caller])


def _of_each_market(venue: MorphoBlue, who: User, name: str) -> list[Any]:
    """A field of an account's position in every market."""
    held = [book[who] for book in venue.positions.values()]
    fields = [(p.supply_shares, p.borrow_shares, p.collateral) for p in held]
    return [values[FIELDS.index(name)] for values in fields]


@chapter.theorem(
    "MB-AUT-1", covers=("ConsistentState.onlyUserCanAuthorizeWithoutSig",), rests_on=AT_ANY_TIME, relaxed=any_tokens
)
def only_oneself_can_authorise(venue: MorphoBlue, who: User, step: Step) -> Any:
    """Nobody else can change whom an account has authorised."""
    assume(step.argument("caller") != who and settled(venue, step))
    before = venue.is_authorized[who].copy()
    step.take(venue)
    return venue.is_authorized[who] == before


@chapter.theorem(
    "MB-AUT-2", covers=("ConsistentState.userCannotLoseSupplyShares",), rests_on=AT_ANY_TIME, relaxed=any_tokens
)
def supply_is_safe_from_strangers(venue: MorphoBlue, who: User, step: Step) -> Any:
    """An account that is not authorised cannot lower another's supply shares."""
    _unauthorized_step(venue, who, step)
    before = _of_each_market(venue, who, "supply_shares")
    step.take(venue)
    after = _of_each_market(venue, who, "supply_shares")
    return every(now >= then for then, now in zip(before, after, strict=True))


@chapter.theorem(
    "MB-AUT-3", covers=("ConsistentState.userCannotGainBorrowShares",), rests_on=AT_ANY_TIME, relaxed=any_tokens
)
def nobody_is_indebted_by_strangers(venue: MorphoBlue, who: User, step: Step) -> Any:
    """An account that is not authorised cannot raise another's debt."""
    _unauthorized_step(venue, who, step)
    before = _of_each_market(venue, who, "borrow_shares")
    step.take(venue)
    after = _of_each_market(venue, who, "borrow_shares")
    return every(now <= then for then, now in zip(before, after, strict=True))


@chapter.theorem(
    "MB-AUT-4",
    covers=("ConsistentState.userCannotLoseCollateralExceptLiquidate",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def collateral_is_safe_from_strangers_but_liquidators(venue: MorphoBlue, who: User, step: Step) -> Any:
    """An account that is not authorised cannot lower another's collateral, except by liquidation."""
    assume(step.action != "liquidate")
    _unauthorized_step(venue, who, step)
    before = _of_each_market(venue, who, "collateral")
    step.take(venue)
    after = _of_each_market(venue, who, "collateral")
    return every(now >= then for then, now in zip(before, after, strict=True))


@chapter.theorem(
    "MB-AUT-5",
    covers=("ConsistentState.userWithoutBorrowCannotLoseCollateral",),
    rests_on=AT_ANY_TIME,
    relaxed=any_tokens,
)
def collateral_without_debt_is_safe(venue: MorphoBlue, who: User, market: MarketId, step: Step) -> Any:
    """An account that owes nothing cannot lose collateral to anybody it did not authorise, liquidators included."""
    assume(venue.positions[market][who].borrow_shares == 0)
    _unauthorized_step(venue, who, step)
    before = venue.positions[market][who].collateral
    step.take(venue)
    return venue.positions[market][who].collateral >= before


@chapter.theorem("MB-AUT-6", rests_on=AT_ANY_TIME)
def only_the_payer_pays(venue: MorphoBlue, who: User, step: Step) -> Any:
    """No action by another takes tokens out of an account's wallet or spends its allowance."""
    caller = step.argument("caller")
    assume(caller is not None and caller != who and settled(venue, step))
    before, own = venue.clone(), Account(who)
    step.take(venue)
    unspent = all(before.allowance[t][who] == venue.allowance[t][who] for t in venue.allowance)
    return unspent and all(before.balance[t][own] <= venue.balance[t][own] for t in venue.balance)
