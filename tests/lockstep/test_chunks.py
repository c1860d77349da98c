"""A long run is the same, finding for finding and count for count, whoever does its chunks."""

import dataclasses
from typing import Any

import pytest
from twin import Twin

from marginspec.lockstep import campaign as campaigns
from marginspec.lockstep import chunks, monitor
from marginspec.lockstep.campaign import Campaign, run
from marginspec.lockstep.chunks import Chunk, alone, chunk_of, many_chunks, together
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.systems.registry import shipped as shipped_system
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Answer, Target

SHORT = 400
STEPS = 3 * SHORT + 7


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_STEPS", SHORT)
    monkeypatch.setattr(chunks, "cores", lambda: 2)


def opened(kind: type[EvmTarget] = EvmTarget) -> EvmTarget:
    return kind("embedded", MorphoBlueAdapter({}), Embedded())


class Wrong(EvmTarget):
    """Does another thing when debts are written off, which few sequences lead to."""

    def apply(self, call: Call) -> Answer:
        answer = super().apply(call)
        wrong = call.action == "liquidate" and answer.accepted and answer.returns[0] > 10**21
        return dataclasses.replace(answer, returns=(7, 7)) if wrong else answer


def untimed(found: Campaign) -> dict[str, Any]:
    return {**vars(found), "seconds": None}


def test_chunks_depend_on_steps_and_seed_alone_and_the_first_is_the_short_run() -> None:
    listed = [chunk_of(STEPS, 3, number) for number in range(many_chunks(STEPS))]
    assert listed[0] == Chunk(3, SHORT)
    assert [each.steps for each in listed] == [SHORT] * 3 + [7]
    assert len({each.seed for each in listed}) == 4
    assert listed[1].seed != chunk_of(STEPS, 4, 1).seed
    assert many_chunks(SHORT) == 1


def test_a_run_is_the_same_in_one_process_and_in_several() -> None:
    one, two, again = (run(MorphoBlue, opened(), STEPS, 1, team=team) for team in (alone, together, None))
    assert one.tally.steps == STEPS
    assert one.divergences == []
    assert untimed(one) == untimed(two) == untimed(again)


def test_one_target_for_two_runs_tells_what_each_of_them_could_not_see() -> None:
    target, few = opened(), frozenset({"advance_time", "supply"})
    first = run(MorphoBlue, target, SHORT + 1, 1, only=few)
    assert run(MorphoBlue, target, STEPS, 1).limits == run(MorphoBlue, opened(), STEPS, 1).limits != first.limits


def test_the_first_divergence_ends_the_run_and_later_chunks_do_not_count() -> None:
    one, two = (run(MorphoBlue, opened(Wrong), 40 * SHORT, 2, team=team) for team in (alone, together))
    assert SHORT < one.tally.steps < 39 * SHORT, "choose another seed: it has to be found in a later chunk"
    assert len(one.divergences) == 1
    assert untimed(one) == untimed(two)
    assert one.divergences[0].trace.seed == 2


BORROWED = MorphoBlue.genesis().names().index("markets[A].total_borrow_assets")


class Lending(EvmTarget):
    """Shows more lent out than there is, after a large liquidation."""

    lent = False

    def reset(self) -> None:
        self.lent = False
        super().reset()

    def apply(self, call: Call) -> Answer:
        answer = super().apply(call)
        self.lent |= call.action == "liquidate" and answer.accepted and answer.returns[0] > 10**21
        return answer

    def observe(self) -> list[Any]:
        seen = [*super().observe()]
        seen[BORROWED] += 10**30 * self.lent
        return seen


@pytest.mark.parametrize("kind", [EvmTarget, Lending])
def test_laws_are_judged_alike_in_one_process_and_in_several(kind: type[EvmTarget]) -> None:
    claims = shipped_system("morpho-blue").chapter.properties
    one, two = (
        monitor.run(MorphoBlue, opened(kind), claims, 5 * SHORT, 2, shrinking=False, team=team)
        for team in (alone, together)
    )
    assert dataclasses.replace(one, seconds=0) == dataclasses.replace(two, seconds=0)
    assert (one.violation is None) == (kind is EvmTarget)
    assert one.found_after is None or one.found_after > SHORT
    assert 0 in one.judged.values()


def test_what_cannot_be_copied_runs_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "together", None)
    target: Target = Twin()
    assert run(MorphoBlue, target, STEPS, 1).tally.steps == STEPS


def test_every_chunk_is_drawn_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Chunk] = []
    hunted = campaigns.hunted

    def noted(model: Any, target: Any, chunk: Chunk, *more: Any, **options: Any) -> Any:
        told.append(chunk)
        return hunted(model, target, chunk, *more, **options)

    monkeypatch.setattr(campaigns, "hunted", noted)
    whole = run(MorphoBlue, Twin(), 2 * SHORT, 5)
    parts = [hunted(MorphoBlue, Twin(), chunk, lambda done: None).tally for chunk in told]
    assert len(parts) == 2
    assert parts[0] + parts[1] == whole.tally
