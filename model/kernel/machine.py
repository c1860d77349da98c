"""What a model is: a state, actions that change it or refuse by a numbered rule, rules and regimes that are counted."""

from __future__ import annotations

import functools
import inspect
import typing
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from marginspec.model.kernel.record import Record

F = TypeVar("F", bound=Callable[..., Any])


class Rejected(Exception):  # noqa: N818 - the domain's word for a refused action
    """An action was refused. `rule` is the ID of the rule that refused it."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Call:
    """One action with its arguments by name."""

    action: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What an action did: its results if accepted, else the rule that refused it."""

    returns: tuple[int, ...] = ()
    rule: str | None = None

    @property
    def accepted(self) -> bool:
        return self.rule is None


class Machine(Record):
    """Base of a model. A subclass is a dataclass whose fields are the state and whose methods are the rules.

    `universe` lists, for each identifier type of the model (accounts, markets, …), the identifiers a run uses.
    """

    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {}

    # Of a live run only, never of a copy: rules reached so far, the last accepted action and the state before it.
    reach: ClassVar[Counter[str] | None] = None
    last: ClassVar[Call | None] = None
    previous: ClassVar[Any] = None

    def apply(self, call: Call) -> Outcome:
        """Run one action; a refusal is an outcome, not an exception."""
        try:
            result = getattr(self, call.action)(**call.arguments)
        except Rejected as refusal:
            if self.reach is not None:
                self.reach[refusal.rule] += 1
            return Outcome(rule=refusal.rule)
        self.last = call
        if result is None:
            return Outcome()
        return Outcome(result if isinstance(result, tuple) else (result,))


@dataclass(frozen=True)
class ActionInfo:
    """An action's name, the annotated types of its arguments, how often a run should draw it, and who takes it."""

    name: str
    arguments: dict[str, Any]
    weight: int
    environment: bool


def action(function: F | None = None, *, weight: int = 1, environment: bool = False) -> Any:
    """Mark a method as an action: when it raises `Rejected`, the state is as before.

    weight: how often a run draws it, relative to other actions. environment: the world acts (time, prices), not a user.
    """

    def wrap(method: F) -> F:
        @functools.wraps(method)
        def atomic(self: Machine, *args: Any, **kwargs: Any) -> Any:
            saved = self.clone()
            try:
                result = method(self, *args, **kwargs)
            except Rejected:
                self.restore(saved)
                raise
            self.previous = saved
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
                for name in rules:
                    self.reach[name] += 1
            return result

        counted.marginspec_rules = rules  # type: ignore[attr-defined]
        return typing.cast(F, counted)

    return wrap


def regime(method: F) -> F:
    """Mark a predicate on states as a regime: a situation that every run should reach, counted when it holds."""
    method.marginspec_regime = True  # type: ignore[attr-defined]
    return method


@functools.cache
def actions_of(model: type[Machine]) -> dict[str, ActionInfo]:
    """The actions of a model, in the order of its text."""
    found = {}
    for name, member in vars(model).items():
        marker = getattr(member, "marginspec_action", None)
        if marker is not None:
            method = inspect.unwrap(member)
            hints = typing.get_type_hints(method, include_extras=True)
            hints.pop("return", None)
            found[name] = ActionInfo(name, hints, *marker)
    return found


@functools.cache
def regimes_of(model: type[Machine]) -> tuple[str, ...]:
    """The regimes of a model, in the order of its text."""
    return tuple(n for n, m in vars(model).items() if getattr(m, "marginspec_regime", False))
