"""The floor of a run: below it the run says nothing, whatever it compared.

Every action was accepted and refused, by model and implementation alike; every function of the implementation that
changes state took part in that, or is listed; every change that an executed call makes is one that the implementation
shows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from marginspec.lockstep.refusals import refusable
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.targets.protocol import Limits, is_function

if TYPE_CHECKING:
    from marginspec.lockstep.comparison import Tally


Counts = Mapping[tuple[str, bool], int]
"""How often both sides accepted an action, and how often both refused it: by its name and whether it was accepted."""

NONE = Limits()


def missing(model: type[Machine], counts: Counts, limits: Limits = NONE) -> set[tuple[str, bool]]:
    """The actions of a model that a run did not see accepted (True), and those that it did not see refused (False).

    An action that the model's text cannot refuse need not be refused, and what the adapter states of its target is left
    out.
    """
    may_be = refusable(model)
    return {
        (action, accepted)
        for action in actions_of(model)
        for accepted in (True, False)
        if not counts.get((action, accepted))
        and action not in limits.not_executed
        and (accepted or (may_be[action] and action not in limits.not_refused))
    }


def below(model: type[Machine], counts: Counts, limits: Limits = NONE) -> dict[str, str]:
    """The same as words, by action, in the order of the model."""
    lacking = missing(model, counts, limits)
    words = {
        action: [word for accepted, word in ((True, "accepted"), (False, "refused")) if (action, accepted) in lacking]
        for action in actions_of(model)
    }
    return {action: f"never {' or '.join(said)}" for action, said in words.items() if said}


def shortfalls(model: type[Machine], tally: Tally, limits: Limits, allowed: Collection[str] = ()) -> list[str]:
    """What keeps a run below the floor, in lines; empty where it reaches it. allowed: functions that need no action."""
    lines = _by_what(below(model, tally.actions, limits))
    if not any(tally.actions[action, True] for action in actions_of(model)):
        lines.append("the implementation executed no call that was accepted")
    left = [name for name in limits.unmodelled if name not in allowed]
    if functions := [name for name in left if is_function(name)]:
        lines.append(f"unmodelled, no action calls them: {', '.join(functions)}")
    if others := [name for name in left if not is_function(name)]:
        lines.append(f"unmodelled: {', '.join(others)}")
    if unseen := hidden(tally, limits):
        lines.append(f"changed by calls, and not shown by the implementation: {', '.join(unseen)}")
    return lines


def hidden(tally: Tally, limits: Limits) -> list[str]:
    """The quantities that calls changed and the implementation does not show, but for those that its adapter names."""
    return sorted(tally.unseen.keys() - limits.unobserved.keys())


def _by_what(lacking: Mapping[str, str]) -> list[str]:
    """One line for all actions that lack the same."""
    return [
        f"{', '.join(action for action, lack in lacking.items() if lack == what)}: {what}"
        for what in dict.fromkeys(lacking.values())
    ]
