"""A campaign's verdict: what differs is found, however early."""

from typing import Any

from marginspec.lockstep.campaign import run
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call
from marginspec.targets.protocol import Answer


class Refusing:
    """Refuses every call, for no reason that a rule gives."""

    name = "refusing"

    def reset(self) -> None:
        return None

    def apply(self, call: Call) -> Answer:
        return Answer(False, reason="no")

    def observe(self) -> list[Any]:
        return MorphoBlue.genesis().flatten()

    recheck = observe

    def expected_reason(self, rule: str) -> str:
        return rule

    def close(self) -> None:
        return None


def test_a_difference_in_the_very_first_call_is_a_divergence() -> None:
    campaign = run(MorphoBlue, Refusing(), 300, 1)
    (found,) = campaign.divergences
    assert campaign.tally.steps == len(found.trace) == 1
    assert campaign.tally.comparisons == 2
    assert found.divergence.field in ("outcome", "reason")
