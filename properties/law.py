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
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, get_type_hints

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
    return outcome(lambda: action(*arguments))[0]


def outcome(happen: Callable[[], Any]) -> tuple[str | None, Any]:
    """The rule by which something is refused, or None and what it returns."""
    global refusals
    refusals += 1
    return ended(happen)


def ended(happen: Callable[[], Any]) -> tuple[str | None, Any]:
    """`outcome` for who does not look at it as a law."""
    try:
        with _passed_on():
            return None, happen()
    except Rejected as refused:
        return refused.rule, None


passing = 0
"""How deep a law is in what may be refused, though it is no action, without the claim being false."""


@contextlib.contextmanager
def _passed_on() -> Iterator[None]:
    global passing
    passing += 1
    try:
        yield
    finally:
        passing -= 1


class Answers(Protocol):
    """Who runs a law of a relaxed model."""

    def answer(self, hint: Any, about: Any) -> Any:
        """A number of a type. about: says more of what is asked than its type."""

    def enter(self, method: Any, state: Machine, arguments: Mapping[str, Any]) -> None:
        """Raise NotCovered where a replaced method may not be used. arguments: by name."""


_answers: list[Answers] = []


def answers(default: Answers | None = None) -> Answers:
    """Who runs the law that is run. default: where it is run on numbers, of the model itself."""
    return _answers[-1] if _answers or default is None else default


def anything(hint: Any, about: Any = None) -> Any:
    """Any number of a type: what a relaxed model leaves open. Who runs a law says which.

    What a replaced method asks first, second and so on is the same whenever state and arguments are: the method that it
    stands for is a function of these. about: says more of what is asked than its type.
    """
    return _answers[-1].answer(hint, about)


class Apart:
    """What `anything` is asked about that is like nothing else: another number each time."""


@dataclass(frozen=True)
class Asked:
    """What a replaced method leaves open first, second and so on.

    of: the method, the variables of the state and the arguments, of which the answer is a function.
    """

    number: int
    of: tuple[Any, ...]


@dataclass
class _Function:
    """A replaced method that is being run. asked: how many answers it had."""

    of: tuple[Any, ...]
    asked: int = 0


_functions: list[_Function] = []


@contextlib.contextmanager
def as_function_of(method: Any, named: bool, *of: Any) -> Iterator[None]:
    """Let `anything`, until this ends, be the same as it was of the same method, states, numbers and names.

    named: whether who asks names the replaced method. What a replaced method makes of another one so, or of itself, is
    a part of what it is a function of.
    """
    outer = next((function for function in _functions if function.of[0] is method), None)
    if outer is None and named and _functions:
        outer = _functions[-1]
    if outer is None:
        outer = _Function((method, *itertools.chain.from_iterable(map(_parts, of))))
    _functions.append(outer)
    try:
        yield
    finally:
        _functions.pop()


def _parts(one: Any) -> Iterable[Any]:
    """What tells a state from others; a constant, which nothing changes, is told by its identity if it is no number."""
    if not isinstance(one, Machine):
        return (one,)
    constants = (getattr(one, name) for name in one.constants())
    return (*one.flatten(), *(value if isinstance(value, int | str) else id(value) for value in constants))


def number_for(hint: Any, about: Any, source: Callable[[int, int, Asked | None], Any], all_alike: bool = False) -> Any:
    """What a source gives, asked for the lowest and the highest, as a value of a type.

    all_alike: whether what is `Apart` is the same for the same too.
    """
    low, high = (0, 1) if hint is bool else (hint.__metadata__[0].low, hint.__metadata__[0].high)
    asked = None
    if _functions and (all_alike or not isinstance(about, Apart)):
        _functions[-1].asked += 1
        asked = Asked(_functions[-1].asked, _functions[-1].of)
    number = source(low, high, asked)
    return number == 1 if hint is bool else number


@contextlib.contextmanager
def answered_by(answers: Answers) -> Iterator[None]:
    """Let `anything` be answered."""
    _answers.append(answers)
    try:
        yield
    finally:
        _answers.pop()


@dataclass(frozen=True, eq=False)
class Condition:
    """What `anything` is asked about whose answer is known: whether it holds."""

    holds: Any


def accepted(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function returns that may be refused without being an action; where it is refused, the case ends."""
    try:
        with _passed_on():
            return function(*arguments)
    except Rejected:
        raise Irrelevant from None


@functools.cache
def arguments_of(predicate: Callable[..., Any]) -> dict[str, Any]:
    """Name and type of each argument of a predicate after the state."""
    hints = get_type_hints(predicate, include_extras=True)
    hints.pop("return", None)
    state = predicate.__code__.co_varnames[0] if hasattr(predicate, "__code__") else next(iter(hints), "")
    return {name: hint for name, hint in hints.items() if name != state}


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

    def __post_init__(self) -> None:
        self.scope.check()

    @property
    def limits_steps_alone(self) -> bool:
        """Whether `before` is more than `return True`, and not that of its chapter."""
        shared = self.chapter is not None and self.before is self.chapter._before
        return not shared and not _returns_true(self.before)


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

    def relaxations(self) -> list[Any]:
        """What its properties are proved on instead of the model, and what their simulations are."""
        found = list(dict.fromkeys(p.relaxed for p in self.properties if p.relaxed is not None))
        for relaxation in found:
            for method in getattr(relaxation, "replaced", {}).values():
                over = method.marginspec_simulates[1]
                if over is not None and over not in found:
                    found.append(over)
        return found

    def add(self, properties: Iterable[Property]) -> None:
        """Declare properties that are made by rule, each once; of the lemmas about one replacement the first.

        Raises ValueError when one ID names two.
        """
        known = {p.id: p for p in self.properties}
        for p in properties:
            about = getattr(p.predicate, "replacement", None)
            if p.id in known and (about is None or getattr(known[p.id].predicate, "replacement", None) is not about):
                raise ValueError(f"property {p.id} is declared twice")
            known.setdefault(p.id, replace(p, chapter=self))
        self.properties[:] = known.values()

    def _declare(self, kind: str, id: str, **options: Any) -> Callable[[P], P]:
        if id == "RANGES":
            raise ValueError("RANGES is declared of every model: no property of a chapter is called so")

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
        needed = (*rests_on, *getattr(relaxed, "obligations", ()))
        return Property(id, law, kind, predicate, stands, covers, limits, self._before, names, relaxed, needed, self)

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
