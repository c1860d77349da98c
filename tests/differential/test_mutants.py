"""Every mutant can be made, the model is its own copy, and mutants are told from the contract and from the laws."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginspec.cli.mutate import mutate, read_equivalents
from marginspec.cli.refute import Changed, disproved
from marginspec.differential.mutants import Mutant, kill, mutants_of, patches_of
from marginspec.differential.text import installed, reaching
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Machine
from marginspec.model.reference import margin, notation
from marginspec.model.reference.venue import Reference
from marginspec.properties.deployed.morpho_blue import chapter
from marginspec.properties.reference import margin as properties
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.targets.protocol import BadInput, Target

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
    chapters = {f"{path.name[3:-3]}.py" for path in SPEC.glob("[0-9][0-9]-*.md")}
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


def test_a_mutant_that_refuses_the_set_up_is_killed_by_it(target: Target) -> None:
    with installed(patches_of(MorphoBlue, by_id("morpho_blue:_only_owner:comparison:1"))):
        found = kill(MorphoBlue, target, steps=1, seed=1)
    assert found is not None
    assert found.by == "prelude"


def test_a_mutant_is_killed_by_a_law_and_listed_with_it(tmp_path: Path) -> None:
    wanted, laws = "morpho_blue:_healthy:guard:1", [p for p in chapter.properties if p.id in LAWS]
    found = mutate(
        "morpho-blue", MorphoBlue, embedded, laws, tmp_path / "none", 500, 1, workers=1, only=lambda m: m.id == wanted
    )
    (entry,) = found["mutants"]
    assert entry["killed_by"] == ["differential", "MB-HLT-3"]
    assert (found["schema"], found["summary"]["killed"], found["problems"]) == ("marginspec/mutate/1", 1, [])


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
