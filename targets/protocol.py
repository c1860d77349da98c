"""What every implementation under test looks like to the lock-step run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from marginspec.model.kernel.machine import Call, Machine, Outcome


@dataclass(frozen=True)
class Answer:
    """What a target did with a call: its results, or the reason it gave for refusing."""

    accepted: bool
    returns: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Declared:
    """A difference from the model that a target's adapter admits, with its reason."""

    id: str
    reason: str


@dataclass(frozen=True)
class Limits:
    """What a run cannot have seen of an implementation.

    unmodelled: functions that change state and that no accepted call of the run was made to, e.g.
    `Vault.sweep(address)`. The others are what the adapter states beforehand, each with the reason. not_modelled: such
    functions. not_executed: actions that the target does not execute. not_refused: actions that it executes and never
    refuses. unobserved: quantities that it does not show. hidden: all such quantities, stated or not. constants: of the
    model's, those that were compared with the implementation's, once.
    """

    unmodelled: tuple[str, ...] = ()
    not_modelled: Mapping[str, str] = field(default_factory=dict)
    not_executed: Mapping[str, str] = field(default_factory=dict)
    not_refused: Mapping[str, str] = field(default_factory=dict)
    unobserved: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()


def is_function(name: str) -> bool:
    """Whether what is not modelled is a function, `Contract.function(types)`, and not words about something else."""
    return re.fullmatch(r"\w+\.\w+\(\S*\)", name) is not None


@runtime_checkable
class Limited(Protocol):
    """What a target adds that knows more functions, or fewer actions, than the model has."""

    def limits(self) -> Limits:
        """What the calls so far, those of the set-up aside, cannot have shown."""


def limits_of(target: object) -> Limits:
    """What a target says of its limits; nothing, where it has nothing to say."""
    return target.limits() if isinstance(target, Limited) else Limits()


@runtime_checkable
class Divisible(Limited, Protocol):
    """What a target adds whose calls of one run may be made by copies of it, each in a process of its own."""

    forks: bool
    """Whether a forked process has such a copy."""

    def seen(self) -> Any:
        """What `limits` is worked out of, since this was asked last: `|` joins it with what another copy saw."""

    def add(self, seen: Any) -> None:
        """Take what copies saw for what this one did."""


@runtime_checkable
class Built(Protocol):
    """What a target adds that was compiled."""

    def build(self) -> Mapping[str, str]:
        """SHA-256 of each contract's creation code, in hexadecimal, by name."""


def build_of(target: object) -> Mapping[str, str]:
    """What a target was built from; nothing, where it does not say."""
    return target.build() if isinstance(target, Built) else {}


class Target(Protocol):
    """An implementation under test. Every method may raise `TargetFailed`."""

    name: str

    def reset(self) -> None:
        """Return to the state after the model's prelude."""

    def apply(self, call: Call) -> Answer:
        """Execute one call."""

    def observe(self) -> list[Any]:
        """Every observation, in the order of the model's `flatten`."""

    def recheck(self) -> list[Any]:
        """The same observations by an independent way (public getters), or `observe` again where there is none."""

    def expected_reason(self, rule: str) -> str:
        """What this target says when `rule` refuses."""

    def close(self) -> None:
        """Release processes and connections."""


@runtime_checkable
class Partial(Target, Protocol):
    """What a target adds when it implements only part of the rules, or differs in declared ways.

    `before` is the model's state before the call.
    """

    observed: Sequence[int]
    """Which entries of the model's `flatten` the target's `observe` and `recheck` return, in order."""

    def implements(self, before: Machine, call: Call, outcome: Outcome) -> bool:
        """Whether this call can be compared at all, given what the model made of it."""

    def executes(self, call: Call) -> bool:
        """Whether the target executes the call; otherwise only its decision and its results are compared."""

    def declared(
        self,
        before: Machine,
        call: Call,
        outcome: Outcome,
        answer: Answer,
        fields: Mapping[str, tuple[Any, Any]],
    ) -> Declared | None:
        """The declaration that covers a difference, if any. `fields`: what differs after the call, model's first."""

    def load(self, state: list[Any]) -> None:
        """Take over the model's state, as its `flatten` gives it, after a step on which the two could not agree."""
