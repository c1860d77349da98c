"""What a model is: a state, actions that change it or refuse by a numbered rule, rules and regimes that are counted."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, overload

from marginspec.model.kernel.layout import Layout, layout_of
from marginspec.model.kernel.record import Record

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Rejected(Exception):  # noqa: N818 - the domain's word for a refused action
    """Something was refused. `rule` is the ID of the rule that refused it.

    by_action: whether a whole action was refused, and so undone; else a helper had no answer (an overflow, say).
    """

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.by_action = False


# Both are made several times on every step of a run, which named tuples are twice as fast at as frozen dataclasses.
class Call(NamedTuple):
    """One action with its arguments by name."""

    action: str
    arguments: dict[str, Any]

    def changed(self, argument: str, value: Any) -> Call:
        """The same call with another value of an argument."""
        return Call(self.action, {**self.arguments, argument: value})


class Outcome(NamedTuple):
    """What an action did: its results if accepted, else the rule that refused it."""

    returns: tuple[int, ...] = ()
    rule: str | None = None

    @property
    def accepted(self) -> bool:
        return self.rule is None


class Machine(Record):
    """Base of a model. A subclass is a dataclass whose fields are the state and whose methods are the rules.

    The keys of its maps never change: `universe` lists them all.

    system: what the model is called outside, e.g. on the command line. universe: for each identifier type of the model
    (accounts, markets, …), the identifiers that a run uses. never: rules that no run can reach, each with the ID of
    the property that says so.
    """

    system: ClassVar[str] = ""
    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {}
    never: ClassVar[dict[str, str]] = {}

    # Who takes actions, if not their caller: it is given the state and what lets the action happen, and answers what
    # the caller gets.
    observer: ClassVar[Callable[[Any, Callable[[], Any]], Any] | None] = None

    # Of a live run only, never of a copy: the rules reached so far, the last accepted action and the state before it.
    reach: list[str] | None = None
    last: Call | None = None
    _before: list[Any] | None = None
    _layout: Layout | None = None

    @classmethod
    def blank(cls) -> Self:
        """The state before anything happened."""
        raise NotImplementedError

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run; nothing, where a model says nothing else."""
        return []

    @classmethod
    def genesis(cls) -> Self:
        """The state in which every run begins: `blank` after `prelude`."""
        machine = cls.blank()
        for call in cls.prelude():
            outcome = machine.apply(call)
            if not outcome.accepted:
                raise ValueError(f"{cls.__name__} refuses its own prelude: {call.action} by {outcome.rule}")
        return machine.clone()

    def clone(self) -> Self:
        """A copy that shares nothing mutable with the original, apart from constants."""
        copy = super().clone()
        copy._layout = self._placed()
        return copy

    def flatten(self) -> list[Any]:
        """Every variable in a fixed order: fields as declared, maps by the order of their keys."""
        return self._placed().flatten(self)

    def load(self, values: list[Any]) -> None:
        """Take every variable from a list such as `flatten` gives."""
        self._placed().load(self, values)

    def _placed(self) -> Layout:
        if self._layout is None:
            self._layout = layout_of(self)
        return self._layout

    @property
    def previous(self) -> Self:
        """A copy of the state before the last accepted action."""
        if self._before is None:
            raise ValueError("no action was accepted yet")
        state = self.clone()
        state.load(self._before)
        return state

    def apply(self, call: Call, before: list[Any] | None = None) -> Outcome:
        """Run one action; a refusal is an outcome, not an exception.

        before: the present state as `flatten` gives it, from a caller that has it at hand.
        """
        before = self.flatten() if before is None else before
        outcome = self.attempt(call, before)
        if outcome.rule is not None:
            self.load(before)
        return outcome

    def attempt(self, call: Call, before: list[Any]) -> Outcome:
        """`apply` that leaves the state of a refused action as it is: for copies that are thrown away."""
        try:
            # What `action` wraps, which refuses without rolling back.
            result = getattr(type(self), call.action).__wrapped__(self, **call.arguments)
        except Rejected as refusal:
            if self.reach is not None:
                self.reach.append(refusal.rule)
            return _refused(refusal.rule)
        self.last, self._before = call, before
        if result is None:
            return _DONE
        return Outcome(result if isinstance(result, tuple) else (result,))


_DONE = Outcome()
_refused = functools.cache(lambda rule: Outcome(rule=rule))


@dataclass(frozen=True)
class ActionInfo:
    """An action's name, the annotated types of its arguments, how often a run should draw it, and who takes it."""

    name: str
    arguments: dict[str, Any]
    weight: float
    environment: bool


@overload
def action(function: F) -> F: ...
@overload
def action(*, weight: float = 1, environment: bool = False) -> Callable[[F], F]: ...
def action(function: Any = None, *, weight: float = 1, environment: bool = False) -> Any:
    """Mark a method as an action: when it raises `Rejected`, the state is as before.

    weight: how often a run draws it, relative to other actions, in quarters. environment: the world acts (time,
    prices), not a user.
    """

    def wrap(method: F) -> F:
        @functools.wraps(method)
        def atomic(self: Machine, *args: Any, **kwargs: Any) -> Any:
            if Machine.observer is None:
                return happen(self, *args, **kwargs)
            return Machine.observer(self, lambda: happen(self, *args, **kwargs))

        def happen(self: Machine, *args: Any, **kwargs: Any) -> Any:
            before = self.flatten()
            try:
                result = method(self, *args, **kwargs)
            except Rejected as refused:
                self.load(before)
                refused.by_action = True
                raise
            self._before = before
            return result

        atomic.marginspec_action = (weight, environment)  # type: ignore[attr-defined]
        return typing.cast(F, atomic)

    return wrap if function is None else wrap(function)


def rule(*rules: str) -> Callable[[F], F]:
    """Name the rules that a method states; each completed call by a live run counts as reaching them."""

    def wrap(method: F) -> F:
        @functools.wraps(method)
        def counted(self: Machine, *args: Any, **kwargs: Any) -> Any:
            result = method(self, *args, **kwargs)
            if self.reach is not None:
                self.reach.extend(rules)
            return result

        counted.marginspec_rules = rules  # type: ignore[attr-defined]
        return typing.cast(F, counted)

    return wrap


def regime(method: F) -> F:
    """Mark a predicate on states as a regime: a situation that every run should reach, counted when it holds."""
    method.marginspec_regime = True  # type: ignore[attr-defined]
    return method


def per_model(function: Callable[[type[Machine]], T]) -> Callable[[type[Machine]], T]:
    """Remember what a function says of each model."""
    known: dict[type[Machine], T] = {}

    @functools.wraps(function)
    def remembered(model: type[Machine]) -> T:
        if model not in known:
            known[model] = function(model)
        return known[model]

    return remembered


@per_model
def actions_of(model: type[Machine]) -> dict[str, ActionInfo]:
    """The actions of a model, in the order of its text, base classes first."""
    found = {}
    for name, member in _members(model).items():
        marker = getattr(member, "marginspec_action", None)
        if marker is not None:
            method = inspect.unwrap(member)
            hints = typing.get_type_hints(method, include_extras=True)
            hints.pop("return", None)
            found[name] = ActionInfo(name, hints, *marker)
    return found


@per_model
def regimes_of(model: type[Machine]) -> tuple[str, ...]:
    """The regimes of a model, in the order of its text, base classes first."""
    return tuple(n for n, m in _members(model).items() if getattr(m, "marginspec_regime", False))


def _members(model: type[Machine]) -> dict[str, Any]:
    """What the classes define that a model is composed of; of two definitions of one name the nearest counts."""
    return {name: member for base in reversed(model.__mro__) for name, member in vars(base).items()}
