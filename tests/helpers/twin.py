"""An implementation to compare with that is no contract: the model again, right or wrong."""

from typing import Any

from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, Machine, Outcome
from marginspec.targets.protocol import Answer


class Twin:
    """An implementation that is the model itself, and one call of which may go wrong. calls: how many it has taken."""

    name = "twin"

    def __init__(self, wrong: str | None = None) -> None:
        self.calls = 0
        self._wrong = wrong
        self.reset()

    def reset(self) -> None:
        self._machine: Machine = MorphoBlue.genesis()

    def apply(self, call: Call) -> Answer:
        self.calls += 1
        outcome: Outcome = self._machine.apply(call)
        if outcome.rule is not None:
            return Answer(False, reason=outcome.rule)
        return Answer(True, (7, 7, 7) if call.action == self._wrong else outcome.returns)

    def observe(self) -> list[Any]:
        return self._machine.flatten()

    recheck = observe

    def expected_reason(self, rule: str) -> str:
        return rule

    def close(self) -> None:
        return None
