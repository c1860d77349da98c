"""Who takes part in a venue, and what is whose, so that a difference can be told as a gain and a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of

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


def role_of(model: type[Machine], parties: Parties | None, call: Call) -> str:
    """In which role an action is taken."""
    if actions_of(model)[call.action].environment:
        return "world"
    return "user" if parties is None else parties.roles.get(call.action, "user")


def account_of(call: Call) -> Any:
    """The account that a call is about: that which something is done to, or else who acts."""
    given = call.arguments
    return next((given[name] for name in ACTED_ON if name in given), next(iter(given.values()), None))


def gains(
    model: type[Machine], parties: Parties | None, call: Call, before: list[Any], after: list[Any]
) -> list[tuple[str, str, str, int]]:
    """What others have after one way for a call to end than after another: party, holder, unit, amount.

    before, after: states as `flatten` gives them. Empty where there is nothing to tell it by, or nobody has more or
    less.
    """
    if parties is None:
        return []
    then, now = _worth(model, parties, before), _worth(model, parties, after)
    if then is None or now is None:
        return []
    actor = next(iter(call.arguments.values()), None)
    names = {str(account_of(call)): "user", str(actor): role_of(model, parties, call), parties.venue: "venue"}
    changes = {key: now[key] - then[key] for key in then if now.get(key, then[key]) != then[key]}
    return [(names.get(holder, "other user"), holder, unit, change) for (holder, unit), change in changes.items()]


def _worth(model: type[Machine], parties: Parties, values: list[Any]) -> Worth | None:
    state = model.genesis()
    try:
        state.load(values)
        return parties.worth(state)
    except (Rejected, KeyError, TypeError, ValueError):
        return None  # a candidate's storage need not be a state of the model
