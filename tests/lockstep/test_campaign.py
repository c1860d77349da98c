"""A campaign's verdict: what differs is found, however early."""

from collections.abc import Iterator, Sequence
from typing import Any

from twin import Twin

from marginspec.base.ending import Ended
from marginspec.lockstep.campaign import follow, run
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


class EndsTheRun(Twin):
    """Is asked for a call that it gets wrong, and the third time the run is told to end."""

    def __init__(self, wrong: str) -> None:
        super().__init__(wrong)
        self.asked = 0

    def apply(self, call: Call) -> Answer:
        answer = super().apply(call)
        if answer.returns == (7, 7, 7):
            self.asked += 1
            if self.asked == 3:
                raise Ended
        return answer


def test_a_divergence_is_told_as_it_stands_when_the_run_ends_while_it_is_shrunk() -> None:
    target = EndsTheRun("supply")
    (found,), (shrunk,) = (run(MorphoBlue, each, 5_000, 1).divergences for each in (target, Twin("supply")))
    assert target.asked == 4  # once more, to be sure that it was no accident
    assert len(found.trace) > len(shrunk.trace)
    assert found.trace.calls[-1].action == "supply"
    assert found.divergence.key == shrunk.divergence.key


def test_a_budget_spent_while_runs_are_searched_for_loses_nothing() -> None:
    def searched() -> Iterator[Sequence[Call]]:
        yield [Call("accrue_interest", {"caller": "alice", "market": "A"})]
        raise Ended

    assert follow(MorphoBlue, Twin(), searched(), 1) == (1, None)
