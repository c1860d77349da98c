"""Who takes part in a venue, and what is whose, so that a difference can be told as a gain and a loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marginspec.model.deployed.morpho_blue import MORPHO, MorphoBlue, to_assets_down, to_assets_up
from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import QUOTE_PER_UNIT, USD, VENUE
from marginspec.model.reference.positions import profit

Worth = Mapping[tuple[str, str], int]
"""What somebody has of something, by holder and unit."""

ACTED_ON = ("borrower", "account", "on_behalf")
"""Arguments that name the account that something is done to or for, the clearest first."""


@dataclass(frozen=True)
class Parties:
    """roles: of who takes an action, `user` where none is given. venue: what the venue itself is called in `worth`."""

    roles: Mapping[str, str]
    venue: str
    worth: Callable[[Any], Worth]


def role_of(model: type[Machine], call: Call) -> str:
    """In which role an action is taken."""
    if actions_of(model)[call.action].environment:
        return "world"
    return PARTIES[model.system].roles.get(call.action, "user") if model.system in PARTIES else "user"


def account_of(call: Call) -> Any:
    """The account that a call is about: that which something is done to, or else who acts."""
    given = call.arguments
    return next((given[name] for name in ACTED_ON if name in given), next(iter(given.values()), None))


def gains(model: type[Machine], call: Call, before: list[Any], after: list[Any]) -> list[tuple[str, str, str, int]]:
    """What others have after one way for a call to end than after another: party, holder, unit, amount.

    before, after: states as `flatten` gives them. Empty where there is nothing to tell it by, or nobody has more or
    less.
    """
    parties = PARTIES.get(model.system)
    if parties is None:
        return []
    then, now = _worth(model, parties, before), _worth(model, parties, after)
    if then is None or now is None:
        return []
    actor = next(iter(call.arguments.values()), None)
    names = {str(account_of(call)): "user", str(actor): role_of(model, call), parties.venue: "venue"}
    changes = {key: now[key] - then[key] for key in then if now.get(key, then[key]) != then[key]}
    return [(names.get(holder, "other user"), holder, unit, change) for (holder, unit), change in changes.items()]


def _worth(model: type[Machine], parties: Parties, values: list[Any]) -> Worth | None:
    state = model.genesis()
    try:
        state.load(values)
        return parties.worth(state)
    except (Rejected, KeyError, TypeError, ValueError):
        return None  # a candidate's storage need not be a state of the model


def _lending(state: MorphoBlue) -> Worth:
    """Tokens in the wallet, lent and as collateral, less those owed; of the contract, what nobody can claim."""
    worth = Counter[tuple[str, str]]()
    for token, holders in state.balance.items():
        for account, amount in holders.items():
            worth[account, token] += amount
    for name, market in state.markets.items():
        loan, collateral = state.params[name].loan_token, state.params[name].collateral_token
        worth[MORPHO, loan] += market.total_borrow_assets - market.total_supply_assets
        for account, position in state.positions[name].items():
            lent = to_assets_down(position.supply_shares, market.total_supply_assets, market.total_supply_shares)
            owed = to_assets_up(position.borrow_shares, market.total_borrow_assets, market.total_borrow_shares)
            if account != MORPHO:
                worth[account, loan] += lent - owed
                worth[account, collateral] += position.collateral
            worth[MORPHO, collateral] -= position.collateral
    return worth


def _venue(state: Reference) -> Worth:
    """Cash, profit at the mark prices and USD in the wallet, in quote; other tokens in wallet and account."""
    worth = Counter[tuple[str, str]]()
    for token, holders in state.balance.items():
        for holder, amount in holders.items():
            if holder != VENUE:
                worth[holder, "quote" if token == USD else token] += amount * (QUOTE_PER_UNIT if token == USD else 1)
    for name, account in state.accounts.items():
        marks = {market: state.assets[terms.asset].mark for market, terms in state.market_terms.items()}
        worth[name, "quote"] += account.cash
        worth[name, "quote"] += sum(profit(held, marks[market]) for market, held in account.positions.items())
        for asset, holding in account.collateral.items():
            worth[name, asset] += holding.amount
    worth[VENUE, "quote"] += state.insurance + state.fees + state.pot
    return worth


_OWNER = ("set_owner", "enable_irm", "enable_lltv", "set_fee", "set_fee_recipient")
_GOVERNANCE = (
    "announce",
    "set_cap",
    "set_open_interest_cap",
    "set_spread",
    "set_reduce_only",
    "set_deposits_paused",
    "set_guardian",
    "collect_fees",
    "start_settlement",
)
_KEEPER = ("update_price", "cover", "deleverage", "socialise", "fix_settlement")

PARTIES: Mapping[str, Parties] = {
    MorphoBlue.system: Parties({"liquidate": "liquidator", **dict.fromkeys(_OWNER, "owner")}, MORPHO, _lending),
    Reference.system: Parties(
        {
            "liquidate": "liquidator",
            "seize_collateral": "liquidator",
            **dict.fromkeys(_GOVERNANCE, "governance"),
            **dict.fromkeys(_KEEPER, "keeper"),
        },
        VENUE,
        _venue,
    ),
}
"""By system; of others nobody's gain is told."""
