"""The lock-step comparison: the implementation takes the calls that the model took; everything observable is equal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any

from marginspec.lockstep.hidden import plain_name
from marginspec.lockstep.rehearsal import RehearsedStep
from marginspec.model.kernel.machine import Call, Machine, Outcome
from marginspec.targets.protocol import Answer, Partial, Target


@dataclass(frozen=True)
class Divergence:
    """One difference. rule: that refused, or the accepted action. field: outcome, reason, returns or observation."""

    rule: str
    field: str
    model: str
    target: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two divergences the same bug, whichever accounts and markets it is seen on."""
        return self.rule, re.sub(r"\[[^]]*\]", "[]", self.field)


@dataclass
class Tally:
    """What a run did; a run that compared nothing is no pass.

    rules, regimes: reached at steps that the target executed and that were compared. actions: how often both sides
    accepted an action, and how often both refused it, by its name and whether it was accepted. unseen: how often a call
    that the target executed changed, in the model, a quantity that the target does not show, by the quantity's name
    without its keys.
    """

    sequences: int = 0
    steps: int = 0
    accepted: int = 0
    rejected: int = 0
    comparisons: int = 0
    not_compared: int = 0
    declared: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, bool]] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Tally) -> Tally:
        """What two parts of a run did."""
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


class LockStep:
    """One model beside one target, for any number of sequences."""

    def __init__(self, model: type[Machine], target: Target) -> None:
        self._target = target
        self._model = model
        self._never = frozenset(model.never)
        self._before = model.genesis()
        self._genesis = self._state = self._before.flatten()
        self._names = self._before.names()
        self._partial = target if isinstance(target, Partial) else None
        self._executed: list[RehearsedStep] = []
        if self._partial is not None:
            shown = frozenset(self._partial.observed)
            self._hidden = [(at, plain_name(name)) for at, name in enumerate(self._names) if at not in shown]
            self._names = [self._names[place] for place in self._partial.observed]
        self.tally = Tally()

    def run(self, steps: Sequence[RehearsedStep], recheck: bool) -> tuple[int, Divergence] | None:
        """One sequence, up to the first divergence, which comes with the number of steps that lead to it.

        recheck: compare once more at the end, by the target's public getters.
        """
        tally = self.tally
        self._target.reset()
        self._state = self._genesis
        self._executed = []
        found, done = None, 0
        for step in steps:
            found = self._follow(step)
            done += 1
            if found is not None:
                break
        if found is None and recheck and steps:
            found = self._recheck(steps[-1])
        tally.sequences += 1
        tally.steps += done
        taken = steps[:done]
        accepted = sum(step.outcome.rule is None for step in taken)
        tally.accepted += accepted
        tally.rejected += done - accepted
        executed = taken if self._partial is None else self._executed
        tally.rules.update(chain.from_iterable(step.rules for step in executed))
        tally.regimes.update(chain.from_iterable(step.regimes for step in executed))
        if self._partial is None:
            agreed = taken if found is None else taken[:-1]
            tally.actions.update([(step.call.action, step.outcome.rule is None) for step in agreed])
        return None if found is None else (done, found)

    def _follow(self, step: RehearsedStep) -> Divergence | None:
        """Let the target take a call, and compare. None when they agree."""
        if not self._never.isdisjoint(step.rules):
            rule = next(rule for rule in step.rules if rule in self._never)
            return Divergence(rule, "never", f"reached, although {self._model.never[rule]} excludes it", "")
        if self._partial is not None:
            return self._follow_partial(self._partial, step)
        answer = self._target.apply(step.call)
        found = self._outcomes(step.call, step.outcome, answer)
        self.tally.comparisons += 2
        if found is not None:
            return found
        observed = self._target.observe()
        self.tally.comparisons += len(step.state)
        return None if step.state == observed else self._fields(step.call, step.state, observed)

    def _follow_partial(self, target: Partial, step: RehearsedStep) -> Divergence | None:
        """The same with a target that takes the model's state over wherever the two cannot agree."""
        tally, call, outcome, state = self.tally, step.call, step.outcome, step.state
        before, known = self._before, self._state
        before.load(known)
        self._state = state
        if not target.implements(before, call, outcome):
            tally.not_compared += 1
            target.load(state)
            return None
        answer = target.apply(call)
        fields: dict[str, tuple[Any, Any]] = {}
        found = self._outcomes(call, outcome, answer)
        tally.comparisons += 2
        executes = target.executes(call)
        if executes:
            self._executed.append(step)
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
        if executes and answer.accepted == (outcome.rule is None):
            tally.actions[call.action, answer.accepted] += 1
            if answer.accepted:
                tally.unseen.update({name for at, name in self._hidden if state[at] != known[at]})
        if found is not None or not executes:
            target.load(state)
        return None

    def _recheck(self, last: RehearsedStep) -> Divergence | None:
        expected, observed = last.state, self._target.recheck()
        if self._partial is not None:
            expected = [expected[place] for place in self._partial.observed]
        self.tally.comparisons += len(expected)
        return None if expected == observed else self._fields(last.call, expected, observed)

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
            more = str(observed[len(expected) :])[:200]
            return Divergence(call.action, "observations", f"{len(expected)} values", more)
        at = next(i for i, pair in enumerate(zip(expected, observed, strict=True)) if pair[0] != pair[1])
        return Divergence(call.action, self._names[at], str(expected[at]), str(observed[at]))
