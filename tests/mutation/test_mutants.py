"""Every mutant can be made, the model is its own copy, and mutants are told from the contract and from the laws."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from marginspec.base import ending
from marginspec.base.deadline import Budget, Overdue
from marginspec.base.errors import BadInput
from marginspec.lockstep.model_source import installed, reaching
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Machine
from marginspec.model.reference import margin, notation
from marginspec.model.reference.venue import Reference
from marginspec.mutation.mutants import Kill, Mutant, kill, mutants_of, patches_of
from marginspec.mutation.refute import Changed, disproved
from marginspec.mutation.run import mutate, read_equivalents
from marginspec.properties.deployed.morpho_blue import chapter
from marginspec.properties.reference import margin as properties
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Target

OPERATORS = {
    "comparison",
    "effect",
    "guard",
    "min-max",
    "negation",
    "off-by-one",
    "operand",
    "order",
    "rounding",
    "saturation",
}
ROUNDING = "morpho_blue:supply:rounding:1"
GUARD = "morpho_blue:_authorized:guard:1"
EFFECT = "morpho_blue:_pull:effect:1"
SPEC = Path(__file__).parents[2] / "spec" / "reference"
LAWS = ("MB-HLT-3", "MB-REV-5")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The real contract."""
    made = embedded()
    yield made
    made.close()


def embedded() -> Target:
    return EvmTarget("embedded", MorphoBlueAdapter({}), Embedded())


def by_id(id: str) -> Mutant:
    """The mutant of this ID."""
    return next(mutant for mutant in mutants_of(MorphoBlue) if mutant.id == id)


def test_ids_are_unique_and_every_operator_applies() -> None:
    mutants = mutants_of(MorphoBlue)
    assert len({mutant.id for mutant in mutants}) == len(mutants) > 300
    assert {mutant.operator for mutant in mutants} == OPERATORS


def test_every_mutant_says_what_changes() -> None:
    for mutant in mutants_of(MorphoBlue):
        before, _, after = mutant.change.partition(" -> ")
        assert before != after
        assert mutant.rule.partition("-")[2].isdecimal()


@pytest.mark.parametrize("model", [MorphoBlue, Reference])
def test_every_mutant_can_be_made(model: type[Machine]) -> None:
    assert all(patches_of(model, mutant) for mutant in mutants_of(model)[::5])


def test_every_file_of_a_composed_model_is_changed() -> None:
    files = {mutant.file.rpartition("/")[2] for mutant in mutants_of(Reference)}
    # What a desk works out beside the venue, from chapter 11 on, is in no action.
    chapters = {f"{path.name[3:-3]}.py" for path in SPEC.glob("[0-9][0-9]-*.md") if path.name < "11"}
    assert chapters
    assert files >= chapters


@pytest.mark.parametrize("name", ["blank", "prelude", "set_price", "advance_time", "fully_utilised", "_borrowers"])
def test_what_states_no_rule_is_not_changed(name: str) -> None:
    assert name not in {mutant.name for mutant in mutants_of(MorphoBlue)}


def test_a_mutant_shares_everything_but_the_change_and_leaves_no_trace() -> None:
    rules, before = dict(vars(MorphoBlue)), MorphoBlue.genesis().flatten()
    with installed(patches_of(MorphoBlue, by_id(EFFECT))):
        assert {name for name, value in vars(MorphoBlue).items() if rules[name] is not value} == {"_pull"}
    assert dict(vars(MorphoBlue)) == rules
    assert MorphoBlue.genesis().flatten() == before


def test_a_changed_function_is_changed_wherever_it_is_known() -> None:
    mutant = next(mutant for mutant in mutants_of(Reference) if mutant.name == "approach")
    before = properties.approach, margin.approach
    with installed(patches_of(Reference, mutant)):
        assert properties.approach is margin.approach is not before[0]
    assert (properties.approach, margin.approach) == before


def test_constants_that_are_defined_by_a_changed_one_change_too() -> None:
    (scale,) = (mutant for mutant in mutants_of(Reference) if mutant.name == "PPM")
    mutant = dataclasses.replace(scale, name="HOUR")
    with installed(patches_of(Reference, mutant)):
        assert (notation.HOUR, margin.HOUR, notation.DAY, margin.DAY) == (3601, 3601, 24 * 3601, 24 * 3601)
    assert (notation.HOUR, margin.HOUR, notation.DAY, margin.DAY) == (3600, 3600, 24 * 3600, 24 * 3600)


def test_the_model_itself_is_the_contract(target: Target) -> None:
    assert kill(MorphoBlue, target, steps=300, seed=1) is None


@pytest.mark.parametrize("id", [ROUNDING, GUARD, EFFECT])
def test_the_lock_step_run_kills(id: str, target: Target) -> None:
    with installed(patches_of(MorphoBlue, by_id(id))):
        found = kill(MorphoBlue, target, steps=5_000, seed=1)
    assert found is not None
    assert (found.by, found.steps > 0) == ("differential", True)


INVALID = "morpho_blue:_only_owner:comparison:1"


def crashing(self: MorphoBlue, market: str) -> None:
    raise ZeroDivisionError("division by zero")


def endless(self: MorphoBlue, market: str) -> None:
    while True:
        pass


class Slow:
    """The real contract, which takes more time than a mutant may."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def reset(self) -> None:
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        self._target.reset()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def test_a_mutant_that_refuses_the_set_up_was_not_compared(target: Target) -> None:
    with installed(patches_of(MorphoBlue, by_id(INVALID))):
        found = kill(MorphoBlue, target, steps=1, seed=1)
    assert found is not None
    assert (found.by, found.compared) == ("prelude", False)


@pytest.mark.parametrize(("body", "by"), [(crashing, "crash"), (endless, "timed out")])
def test_a_mutant_that_crashes_or_does_not_end_was_not_compared(
    body: Callable[..., None], by: str, target: Target
) -> None:
    with installed([(MorphoBlue, "_accrue_interest", body)]):
        found = kill(MorphoBlue, target, steps=300, seed=1, seconds=0.5)
    assert found is not None
    assert (found.by, found.compared) == (by, False)


def test_the_time_of_the_implementation_is_not_that_of_the_mutant(target: Target) -> None:
    assert kill(MorphoBlue, Slow(target), steps=300, seed=1, seconds=0.5) is None  # type: ignore[arg-type]
    with installed(patches_of(MorphoBlue, by_id(ROUNDING))):
        found = kill(MorphoBlue, Slow(target), steps=5_000, seed=1, seconds=5)  # type: ignore[arg-type]
    assert found is not None
    assert found.by == "differential"


def test_no_exception_handler_swallows_the_end_of_time() -> None:
    @Budget(0.05).spent()
    def stubborn() -> None:
        while True:
            with contextlib.suppress(Exception):
                endless(MorphoBlue.genesis(), "A")

    with pytest.raises(Overdue):
        stubborn()


def test_what_was_not_compared_is_counted_apart_and_is_no_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(model: Any, target: Any, steps: int, seed: int, runs: Any = ()) -> Kill | None:
        if MorphoBlue._only_owner is not owner:
            return Kill("timed out", 3, "no end")
        return real(model, target, steps, seed)

    ids, real, owner = {INVALID, EFFECT, GUARD}, kill, MorphoBlue._only_owner
    run = functools.partial(
        mutate, "morpho-blue", MorphoBlue, embedded, (), tmp_path / "none", 2_000, 1, workers=1, anew=True
    )
    found = run(only=lambda m: m.id in ids)
    assert {m["id"]: (m["status"], m["killed_by"]) for m in found["mutants"]} == {
        INVALID: ("invalid", []),
        EFFECT: ("killed", ["differential"]),
        GUARD: ("killed", ["differential"]),
    }
    counts = {"killed": 2, "survived": 0, "equivalent": 0, "invalid": 1, "crashes": 0, "timed_out": 0, "total": 3}
    assert {name: found["summary"][name] for name in counts} == counts
    assert found["summary"]["killed_by_differential"] == 2
    monkeypatch.setattr("marginspec.mutation.run.kill", ended)
    late = run(only=lambda m: m.id in ids)
    assert {m["id"]: m["status"] for m in late["mutants"]}[INVALID] == "timed out"
    assert (late["summary"]["timed_out"], late["summary"]["killed"]) == (1, 2)


def test_a_mutant_is_killed_by_a_law_and_listed_with_it(tmp_path: Path) -> None:
    wanted, laws = "morpho_blue:_healthy:guard:1", [p for p in chapter.properties if p.id in LAWS]
    found = mutate(
        "morpho-blue", MorphoBlue, embedded, laws, tmp_path / "none", 500, 1, workers=1, only=lambda m: m.id == wanted
    )
    (entry,) = found["mutants"]
    assert entry["killed_by"] == ["differential", "MB-HLT-3"]
    assert (found["schema"], found["summary"]["killed"], found["problems"]) == ("marginspec/mutate/1", 1, [])


def test_what_a_run_that_is_ended_did_not_come_to_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(done: int, of: int) -> None:
        monkeypatch.setattr(ending._Told, "why", "interrupted by a test")
        raise ending.Ended

    wanted = [mutant.id for mutant in mutants_of(MorphoBlue)][:3]
    found = mutate(
        "morpho-blue",
        MorphoBlue,
        embedded,
        (),
        tmp_path / "none",
        500,
        1,
        workers=1,
        on_progress=end,
        only=lambda m: m.id in wanted,
    )
    assert sorted(row["status"] for row in found["mutants"]) == ["killed", "not tried", "not tried"]
    assert (found["summary"]["not_tried"], found["ended"]) == (2, "interrupted by a test")


def test_solvers_find_what_breaks_a_law() -> None:
    mutant, laws = by_id("morpho_blue:_healthy:guard:1"), [p for p in chapter.properties if p.id in LAWS]
    changed = Changed(MorphoBlue, reaching(MorphoBlue, mutant.name), patches_of(MorphoBlue, mutant))
    with installed(changed.patches):
        assert disproved(changed, laws) == (("MB-HLT-3",), 0)


def test_an_equivalent_that_is_killed_or_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.toml"
    change = by_id(EFFECT).change
    listed.write_text(
        f"[[equivalent]]\nid = '{EFFECT}'\nchange = '{change}'\nreason = 'none'\n"
        "[[equivalent]]\nid = 'morpho_blue:gone:effect:1'\nchange = 'x'\nreason = 'none'\n"
    )
    found = mutate("morpho-blue", MorphoBlue, embedded, (), listed, 500, 1, workers=1, only=lambda m: m.id == EFFECT)
    assert found["problems"] == [
        "morpho_blue:gone:effect:1: listed as equivalent, but there is no such mutant",
        f"{EFFECT}: listed as equivalent, but killed by differential",
    ]


def test_a_malformed_list_of_equivalents_is_refused(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.toml"
    listed.write_text("[[equivalent]]\nid = 'x'\n")
    with pytest.raises(BadInput, match="equivalent 1: expected the texts change, id, reason"):
        read_equivalents(listed)
