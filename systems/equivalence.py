"""What a proof that the contracts do what the model does is limited to, beside the ranges of the model's types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Equivalence:
    """Limits of `marginspec equivalence`. With nothing said it is about every identifier of the model's universe.

    options: the identifiers that an argument may be, by its name: `caller`, or `deposit.caller` for one action. Those
    of the state are as deployed. given: IDs of invariants of the chapter that are assumed of the state before an
    action, None for all. assumed: what else is assumed of it, each sentence with its conditions on a state. limits: the
    lowest and the highest that a number may be, by the name of a variable or of an argument, where that is less than
    its type allows. since: variables that are at least another one, by that one's name: the unknown is by how much more
    they are, which keeps differences of the two simple. unseen: what is assumed of words that the adapter's
    `not_compared` names, each sentence with that name and its conditions on a state and on those words.
    """

    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    given: tuple[str, ...] | None = None
    assumed: Mapping[str, Callable[[Any], Iterable[Any]]] = field(default_factory=dict)
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    since: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, tuple[str, Callable[[Any, Sequence[Any]], Iterable[Any]]]] = field(default_factory=dict)

    def choices(self, action: str, name: str, every: tuple[Any, ...]) -> tuple[Any, ...]:
        """What an argument of an action may be. every: where nothing limits it."""
        return self.options.get(f"{action}.{name}", self.options.get(name, every))
