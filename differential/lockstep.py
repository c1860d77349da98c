"""The lock-step comparison: model and implementation take the same call, then everything observable is equal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected, regimes_of
from marginspec.targets.protocol import Answer, Partial, Target


@dataclass(frozen=True)
class Divergence:
    """One difference. `rule` and `field` are its key: shrinking keeps them, so that it cannot drift to another bug."""

    rule: str
    field: str
    model: str
    target: str

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.field


@dataclass
class Tally:
    """What a run did; a run that compared nothing is no pass."""

    sequences: int = 0
    steps: int = 0
    accepted: int = 0
    rejected: int = 0
    comparisons: int = 0
    not_compared: int = 0
    declared: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)


class LockStep:
    """One model beside one target, for any number of sequences."""

    def __init__(self, model: type[Machine], target: Target, tally: Tally | None = None) -> None:
        self._target = target
        self._genesis = model.blank()
        for call in model.prelude():
            if not self._genesis.apply(call).accepted:
                raise AssertionError(f"the model refuses its own prelude: {call}")
        self._names = self._genesis.names()
        self._partial = target if isinstance(target, Partial) else None
        if self._partial is not None:
            self._names = [self._names[place] for place in self._partial.observed]
        self._regimes = regimes_of(model)
        self.tally = tally or Tally()
        self.machine = self._genesis

    def start(self) -> Machine:
        """Begin a sequence: both sides return to genesis."""
        self.machine = self._genesis.clone()
        self.machine.reach = self.tally.rules
        self._target.reset()
        self.tally.sequences += 1
        return self.machine

    def follow(self, call: Call, outcome: Outcome) -> Divergence | None:
        """Let the target take the call that the model has just taken, and compare. None when they agree."""
        if self._partial is not None:
            return self._follow_partial(self._partial, call, outcome)
        tally = self.tally
        answer = self._target.apply(call)
        tally.steps += 1
        if outcome.accepted:
            tally.accepted += 1
        else:
            tally.rejected += 1
        if (found := self._outcomes(call, outcome, answer)) is not None:
            return found
        expected, observed = self.machine.flatten(), self._target.observe()
        tally.comparisons += 2 + len(expected)
        if expected != observed:
            return self._fields(call, expected, observed)
        if outcome.accepted:
            self._count_regimes()
        return None

    def _follow_partial(self, target: Partial, call: Call, outcome: Outcome) -> Divergence | None:
        """The same with a target that takes the model's state over wherever the two cannot agree."""
        machine, tally = self.machine, self.tally
        before, state = machine.previous if outcome.accepted else machine, machine.flatten()
        tally.steps += 1
        if outcome.accepted:
            tally.accepted += 1
        else:
            tally.rejected += 1
        if not target.implements(before, call, outcome):
            tally.not_compared += 1
            target.load(state)
        else:
            answer = target.apply(call)
            fields: dict[str, tuple[Any, Any]] = {}
            found = self._outcomes(call, outcome, answer)
            tally.comparisons += 2
            if target.executes(call):
                expected, observed = [state[place] for place in target.observed], target.observe()
                tally.comparisons += len(expected)
                if expected != observed:
                    found = found or self._fields(call, expected, observed)
                    triples = zip(self._names, expected, observed, strict=True)
                    fields = {name: (x, y) for name, x, y in triples if x != y}
            if found is not None:
                declaration = target.declared(before, call, outcome, answer, fields)
                if declaration is None:
                    return found
                tally.declared[declaration.id, declaration.reason] += 1
            if found is not None or not target.executes(call):
                target.load(state)
        if outcome.accepted:
            self._count_regimes()
        return None

    def finish(self, call: Call) -> Divergence | None:
        """Compare once more by the target's public getters."""
        expected, observed = self.machine.flatten(), self._target.recheck()
        if self._partial is not None:
            expected = [expected[place] for place in self._partial.observed]
        self.tally.comparisons += len(expected)
        return None if expected == observed else self._fields(call, expected, observed)

    def _outcomes(self, call: Call, outcome: Outcome, answer: Answer) -> Divergence | None:
        if outcome.rule is not None:
            reason = self._target.expected_reason(outcome.rule)
            if answer.accepted:
                return Divergence(outcome.rule, "outcome", f"rejected: {reason}", "accepted")
            if answer.reason != reason:
                return Divergence(outcome.rule, "reason", reason, answer.reason)
            return None
        if not answer.accepted:
            return Divergence(call.action, "outcome", "accepted", f"rejected: {answer.reason}")
        if answer.returns != outcome.returns:
            return Divergence(call.action, "returns", str(outcome.returns), str(answer.returns))
        return None

    def _fields(self, call: Call, expected: list[Any], observed: list[Any]) -> Divergence:
        if len(observed) != len(expected):
            return Divergence(call.action, "observations", f"{len(expected)} values", str(observed[len(expected) :])[:200])
        at = next(i for i, pair in enumerate(zip(expected, observed, strict=True)) if pair[0] != pair[1])
        return Divergence(call.action, self._names[at], str(expected[at]), str(observed[at]))

    def _count_regimes(self) -> None:
        machine, regimes = self.machine, self.tally.regimes
        reach, machine.reach = machine.reach, None
        for name in self._regimes:
            try:
                if getattr(machine, name)():
                    regimes[name] += 1
            except Rejected:
                continue
        machine.reach = reach
