"""How a claim about a model is written: a plain Python function whose docstring is the law in English.

A theorem takes a state, identifiers and numbers, may `assume` things, lets actions happen and returns whether the law
held. The prover calls it with unknowns, the tests with concrete states; it cannot tell the difference. An action that
is refused inside a theorem ends that case: laws speak of what is accepted, unless they ask with `refusal`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from marginspec.model.kernel.machine import Call, Machine, Rejected
from marginspec.properties.scope import Options, Scope

Predicate = Callable[..., Any]
Relaxation = Callable[[type[Machine]], type[Machine]]
P = TypeVar("P", bound=Predicate)


class Irrelevant(Exception):  # noqa: N818 - not an error: the law says nothing of this case
    """An assumption of a law does not hold here."""


class Every:
    """Several conditions at once: true when all are. A claim made so is not split into a case per condition."""

    def __init__(self, conditions: Iterable[Any]) -> None:
        self.conditions = tuple(conditions)

    def __bool__(self) -> bool:
        return all(self.conditions)


def every(conditions: Iterable[Any]) -> Every:
    """All of the conditions."""
    return Every(conditions)


def implies(premise: Any, conclusion: Any) -> Any:
    """The conclusion, where the premise holds."""
    return conclusion if premise else True


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


@functools.cache
def arguments_of(predicate: Callable[..., Any]) -> dict[str, Any]:
    """Name and type of each argument of a predicate after the state."""
    hints = get_type_hints(predicate, include_extras=True)
    hints.pop("return", None)
    return dict(list(hints.items())[1:])


@dataclass(frozen=True)
class Property:
    """A claim: `id`, the law in English, the predicate, and what stands with it.

    kind: `invariant` (of a state, kept by every action) or `theorem` (of a case). given: invariants that may be
    assumed of the state it starts from. covers: published claims of others that it states. bounds: what is limited.
    before: for an invariant, what may be assumed of state and step. scope: the identifiers it speaks of.
    relaxed: makes of the model one that does the same and refuses less, of which it is proved instead.
    """

    id: str
    law: str
    kind: str
    predicate: Predicate
    given: tuple[Property, ...]
    covers: tuple[str, ...]
    bounds: str
    before: Predicate
    scope: Scope
    relaxed: Relaxation | None = None


class Chapter:
    """The properties of one model, in the order of their text.

    bounds: what every proof is limited to. scope: the identifiers that proofs speak of. before: a predicate on (state,
    step) that invariants may assume of every step, because a theorem shows that other steps are compositions of such.
    """

    def __init__(self, bounds: str, scope: Scope, before: Predicate) -> None:
        self.properties: list[Property] = []
        self._bounds, self._scope, self._before = bounds, scope, before

    def theorem(
        self,
        id: str,
        given: tuple[Predicate, ...] = (),
        covers: tuple[str, ...] = (),
        bounds: str = "",
        scope: dict[str, Options] | None = None,
        relaxed: Relaxation | None = None,
    ) -> Callable[[P], P]:
        """Declare a theorem. Its docstring is the law. bounds: further limits. scope: options that differ."""
        return self._declare("theorem", id, given, covers, bounds, scope, relaxed)

    def invariant(
        self,
        id: str,
        given: tuple[Predicate, ...] = (),
        covers: tuple[str, ...] = (),
        bounds: str = "",
        scope: dict[str, Options] | None = None,
        relaxed: Relaxation | None = None,
    ) -> Callable[[P], P]:
        """Declare an invariant: a predicate on states that holds at first and is kept by every accepted action."""
        return self._declare("invariant", id, given, covers, bounds, scope, relaxed)

    def _declare(
        self,
        kind: str,
        id: str,
        given: tuple[Predicate, ...],
        covers: tuple[str, ...],
        bounds: str,
        scope: dict[str, Options] | None,
        relaxed: Relaxation | None,
    ) -> Callable[[P], P]:
        def wrap(predicate: P) -> P:
            law = " ".join((predicate.__doc__ or "").split())
            if not law or any(p.id == id for p in self.properties):
                raise ValueError(f"property {id} has no docstring, so no law, or is declared twice")
            known = {p.predicate: p for p in self.properties if p.kind == "invariant"}
            stands = tuple(known[p] for p in given)
            limits = f"{self._bounds}; {bounds}" if bounds else self._bounds
            names = self._scope.narrowed(scope or {})
            before = self._before
            self.properties.append(Property(id, law, kind, predicate, stands, covers, limits, before, names, relaxed))
            return predicate

        return wrap
