"""A target that is the model itself: what an implementation is compared with to explain where it departs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marginspec.model.kernel.machine import Call, Machine
from marginspec.targets.protocol import Answer


class ModelTarget:
    """The model in the place of an implementation; it departs from itself nowhere.

    model: what runs. expected_reason: the words in which another target would say that a rule refuses.
    """

    name = "model"

    def __init__(self, model: type[Machine], expected_reason: Callable[[str], str]) -> None:
        self._model, self._reason = model, expected_reason
        self.reset()

    def reset(self) -> None:
        """Return to the state after the model's prelude."""
        self._machine = self._model.genesis()

    def apply(self, call: Call) -> Answer:
        """Execute one call."""
        outcome = self._machine.apply(call)
        if outcome.rule is not None:
            return Answer(False, reason=self._reason(outcome.rule))
        return Answer(True, outcome.returns)

    def observe(self) -> list[Any]:
        """Return every observation, in the order of `flatten`."""
        return self._machine.flatten()

    recheck = observe

    def expected_reason(self, rule: str) -> str:
        """Return what the other target would say when `rule` refuses."""
        return self._reason(rule)

    def close(self) -> None:
        """Release nothing."""
