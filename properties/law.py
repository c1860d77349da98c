"""How a claim about a model is written: a plain Python function whose docstring is the law in English.

A theorem takes a state, identifiers and numbers, may `assume` things, lets actions happen and returns whether the law
held. The prover calls it with unknowns, the tests with concrete states; it cannot tell the difference. An action that
is refused inside a theorem ends that case: laws speak of what is accepted, unless they ask with `refusal`. Whatever
else refuses (a helper that overflows, a price that is stale) is a failed claim: say what it needs with `assume`, ask
with `refusal`, or let it happen with `accepted`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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


refusals = 0
"""How often `refusal` was asked: a law that asks has looked at what happened."""


def refusal(action: Callable[..., Any], *arguments: Any) -> str | None:
    """The rule that refuses an action, None when it is accepted."""
    global refusals
    refusals += 1
    try:
        action(*arguments)
    except Rejected as refused:
        return refused.rule
    return None


_source: list[Callable[[int, int], Any]] = []


def anything(hint: Any) -> Any:
    """Any number of a type, another at each call: what a relaxed model answers. Who runs a law says which."""
    number = hint.__metadata__[0]
    return _source[-1](number.low, number.high)


@contextlib.contextmanager
def answering(source: Callable[[int, int], Any]) -> Iterator[None]:
    """Let `anything` take its numbers, given the lowest and the highest, from a source."""
    _source.append(source)
    try:
        yield
    finally:
        _source.pop()


def accepted(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns that may be refused without being an action; where it is refused, the case ends."""
    try:
        return function(*arguments)
    except Rejected:
        raise Irrelevant from None


@functools.cache
def arguments_of(predicate: Callable[..., Any]) -> dict[str, Any]:
    """Name and type of each argument of a predicate after the state."""
    hints = get_type_hints(predicate, include_extras=True)
    hints.pop("return", None)
    return dict(list(hints.items())[1:])


@dataclass(frozen=True)
class Property:
    """A claim: `id`, the law in English, the predicate, and what stands with it.

    kind: `invariant` (of a state, kept by every action), `theorem` (of a case in which actions happen), `lemma` (of
    numbers or of one state: no action happens) or `composition` (see `Chapter.composition`). given: invariants that may
    be assumed of the state it starts from. covers: published claims of others that it states. bounds: what is limited.
    before: for an invariant, what may be assumed of state and step. scope: the identifiers it speaks of.
    relaxed: makes of the model one that does the same and refuses less, of which it is proved instead.
    rests_on: other properties, by ID, that must be proved for this one to say what its law says.
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
    rests_on: tuple[str, ...] = ()
    chapter: Chapter | None = field(default=None, repr=False, compare=False)


class Chapter:
    """The properties of one model, in the order of their text.

    bounds: what every proof is limited to. scope: the identifiers that proofs speak of. before: a predicate on (state,
    step) that invariants may assume of every step, because a `composition` shows that other steps are made of such.
    """

    def __init__(self, bounds: str, scope: Scope, before: Predicate | None = None) -> None:
        self.properties: list[Property] = []
        self._bounds, self._scope, self._before = bounds, scope, before or _any_step

    def theorem(self, id: str, **options: Any) -> Callable[[P], P]:
        """Declare a theorem. Its docstring is the law. Options: see `property_of`."""
        return self._declare("theorem", id, **options)

    def lemma(self, id: str, **options: Any) -> Callable[[P], P]:
        """Declare a lemma: a step of an argument that no action takes part in. Options: see `property_of`."""
        return self._declare("lemma", id, **options)

    def invariant(self, id: str, **options: Any) -> Callable[[P], P]:
        """Declare an invariant: a predicate on states that holds at first and is kept by every accepted action."""
        return self._declare("invariant", id, **options)

    def composition(self, id: str, **options: Any) -> Callable[[P], P]:
        """Declare what a step does first where `before` does not hold of it: the predicate returns that `Step`.

        The claim: `before` holds of the first step; where that is accepted, `before` then holds of the step itself, and
        taking both does and returns the same as the step alone and is refused by the same rule; where the first is
        refused, so is the step. What every step keeps for which `before` holds, every step then keeps.
        """
        return self._declare("composition", id, **options)

    def _declare(self, kind: str, id: str, **options: Any) -> Callable[[P], P]:
        def wrap(predicate: P) -> P:
            self.properties.append(self.property_of(kind, id, predicate, **options))
            return predicate

        return wrap

    def property_of(
        self,
        kind: str,
        id: str,
        predicate: Predicate,
        *,
        given: tuple[Predicate, ...] = (),
        covers: tuple[str, ...] = (),
        bounds: str = "",
        scope: Mapping[str, Options] | None = None,
        relaxed: Relaxation | None = None,
        rests_on: tuple[str, ...] = (),
    ) -> Property:
        """The property that a predicate states.

        given: invariants assumed at first. bounds: further limits. scope: options that differ; see `Property` for the
        rest. Raises ValueError when it states nothing or its ID is taken.
        """
        law = " ".join((predicate.__doc__ or "").split())
        if not law or any(p.id == id for p in self.properties):
            raise ValueError(f"property {id} has no docstring, so no law, or is declared twice")
        known = {p.predicate: p for p in self.properties if p.kind == "invariant"}
        if missing := [p.__name__ for p in given if p not in known]:
            raise ValueError(f"property {id} is given {missing[0]}, which is no invariant declared before it")
        limits = f"{self._bounds}; {bounds}" if bounds else self._bounds
        stands, names = tuple(known[p] for p in given), self._scope.narrowed(scope or {})
        return Property(id, law, kind, predicate, stands, covers, limits, self._before, names, relaxed, rests_on, self)

    @property
    def scope(self) -> Scope:
        """The identifiers that its laws speak of, where they say nothing else."""
        return self._scope

    @property
    def limits_steps(self) -> bool:
        """Whether its invariants say nothing of some steps: whether `before` is more than `return True`."""
        return not _returns_true(self._before)


def _any_step(state: Machine, step: Step) -> bool:
    return True


def _returns_true(function: Predicate) -> bool:
    """Whether a function is nothing but `return True`: its byte code is that of one which is."""
    return function.__code__.co_code == _any_step.__code__.co_code and function.__code__.co_consts[-1] is True
