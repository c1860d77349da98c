"""The model's side of a sequence. It runs ahead of the target's, so that neither slows the other down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from marginspec.lockstep.hidden import Hidden
from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected, regimes_of
from marginspec.model.kernel.record import Record

ENOUGH = 10
SELDOM = 16


@dataclass(slots=True)
class RehearsedStep:
    """An action as the model took it: the state after it, flattened, and the rules and regimes that it reached."""

    call: Call
    outcome: Outcome
    state: list[Any]
    rules: list[str]
    regimes: list[str]


class Rehearsal:
    """A model that takes actions one by one, from genesis.

    Regimes are looked for after every accepted action; those that were seen `ENOUGH` times on every `SELDOM`-th only,
    because looking costs as much as acting.
    """

    def __init__(self, model: type[Machine]) -> None:
        self._genesis = model.genesis()
        self._begin = self.state = self._genesis.flatten()
        self.machine = self._genesis
        self._regimes = {name: getattr(model, name) for name in regimes_of(model)}
        self._rare = self._regimes.copy()
        self._seen: Counter[str] = Counter()
        self._accepted = 0
        self._hidden = Hidden(self._genesis)
        self.start()

    def start(self) -> None:
        """Begin a sequence."""
        if Record.flatten(self.machine) != self.state:
            raise ValueError(f"{type(self.machine).__name__} adds or removes keys of a map; `blank` must have them all")
        self.machine = self._genesis.clone()
        self.machine.reach = []
        self.state = self._begin

    def check(self) -> None:
        """BadInput when an action changed what is called constant, or keeps something outside the fields of the state.

        A run asks after each sequence.
        """
        self._hidden.check(self.machine)

    def run(self, calls: Iterable[Call]) -> list[RehearsedStep]:
        """Begin a sequence and let the model take some calls."""
        self.start()
        return [self.take(call) for call in calls]

    def take(self, call: Call) -> RehearsedStep:
        """Let the model take a call."""
        return self.taken(call, self.machine.apply(call, self.state))

    def taken(self, call: Call, outcome: Outcome) -> RehearsedStep:
        """The step that the model has just taken."""
        machine = self.machine
        rules, machine.reach = machine.reach or [], None
        regimes: list[str] = []
        if outcome.rule is None:
            self.state = machine.flatten()
            regimes = self._hold(machine)
        machine.reach = []
        return RehearsedStep(call, outcome, self.state, rules, regimes)

    def _hold(self, machine: Machine) -> list[str]:
        self._accepted += 1
        held = []
        for name, holds in (self._rare if self._accepted % SELDOM else self._regimes).items():
            try:
                if holds(machine):
                    held.append(name)
            except Rejected:
                continue  # its own arithmetic overflows: it does not hold
        for name in held:
            self._seen[name] += 1
            if self._seen[name] == ENOUGH:
                del self._rare[name]
        return held


def rehearse(model: type[Machine], calls: Iterable[Call]) -> list[RehearsedStep]:
    """What the model makes of some calls, from genesis. For many runs a `Rehearsal` is much cheaper."""
    rehearsal = Rehearsal(model)
    steps = rehearsal.run(calls)
    rehearsal.check()
    return steps
