"""How a claim about a model is written: a plain Python function whose docstring is the law in English.

A theorem takes a state, identifiers and numbers, may `assume` things, lets actions happen and returns whether the law
held. The prover calls it with unknowns, the tests with concrete states; it cannot tell the difference. An action that
is refused inside a theorem ends that case: laws speak of what is accepted, unless they ask with `refusal`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Rejected

Predicate = Callable[..., Any]


class Irrelevant(Exception):  # noqa: N818 - not an error: the law says nothing of this case
    """An assumption of a law does not hold here."""


def assume(condition: Any) -> None:
    """End this case unless the condition holds."""
    if not condition:
        raise Irrelevant


class Step:
    """Any action with any arguments. `take` lets it happen."""

    def __init__(self, call: Call) -> None:
        self.call = call

    @property
    def action(self) -> str:
        return self.call.action

    def argument(self, name: str) -> Any:
        """An argument of the action, None when it has none of this name."""
        return self.call.arguments.get(name)

    def take(self, venue: Machine) -> Any:
        """Run the action; raises Rejected when it is refused."""
        return getattr(venue, self.call.action)(**self.call.arguments)


def refusal(action: Callable[..., Any], *arguments: Any) -> str | None:
    """The rule that refuses an action, None when it is accepted."""
    try:
        action(*arguments)
    except Rejected as refused:
        return refused.rule
    return None


@dataclass(frozen=True)
class Property:
    """A claim: `id`, the law in English, the predicate, and what stands with it.

    kind: `invariant` (of a state, kept by every action) or `theorem` (of a case). given: invariants that may be
    assumed of the state it starts from. covers: published claims of others that it states. bounds: what is limited.
    before: for an invariant, what may be assumed of a state and the step taken from it.
    """

    id: str
    law: str
    kind: str
    predicate: Predicate
    given: tuple[Property, ...]
    covers: tuple[str, ...]
    bounds: str
    before: Predicate


class Chapter:
    """The properties of one model, in the order of their text.

    bounds: what every proof is limited to. before: a predicate on (state, step) that invariants may assume of every
    step, because a theorem shows that other steps are compositions of such.
    """

    def __init__(self, bounds: str, before: Predicate = lambda venue, step: True) -> None:
        self.properties: list[Property] = []
        self._bounds, self._before = bounds, before

    def theorem(self, id: str, given: tuple[Predicate, ...] = (), covers: tuple[str, ...] = (), bounds: str = "") -> Any:
        """Declare a theorem. Its docstring is the law."""
        return self._declare("theorem", id, given, covers, bounds)

    def invariant(self, id: str, given: tuple[Predicate, ...] = (), covers: tuple[str, ...] = (), bounds: str = "") -> Any:
        """Declare an invariant: a predicate on states that holds at first and is kept by every accepted action."""
        return self._declare("invariant", id, given, covers, bounds)

    def _declare(self, kind: str, id: str, given: tuple[Predicate, ...], covers: tuple[str, ...], bounds: str) -> Any:
        def wrap(predicate: Predicate) -> Predicate:
            if any(p.id == id for p in self.properties):
                raise ValueError(f"property {id} is declared twice")
            law = " ".join((predicate.__doc__ or "").split())
            if not law:
                raise ValueError(f"property {id} has no docstring, so no law")
            known = {p.predicate: p for p in self.properties if p.kind == "invariant"}
            stands = tuple(known[p] for p in given)
            self.properties.append(Property(id, law, kind, predicate, stands, covers, bounds or self._bounds, self._before))
            return predicate

        return wrap
