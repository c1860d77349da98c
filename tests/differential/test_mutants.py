"""Every mutant can be made, the model is its own copy, and mutants are told from the contract and from the laws."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginspec.cli.mutate import disproved, mutate, read_equivalents
from marginspec.differential.mutants import Mutant, kill, load, mutants_of, reaching, unload
from marginspec.model.deployed.morpho_blue import Market, MorphoBlue
from marginspec.properties.deployed.morpho_blue import chapter
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


def test_every_mutant_compiles() -> None:
    for mutant in mutants_of(MorphoBlue)[::5]:
        mutated = load(MorphoBlue, mutant)
        assert mutated.__module__ in sys.modules
        unload(mutated)


@pytest.mark.parametrize("name", ["blank", "prelude", "set_price", "advance_time", "fully_utilised", "_borrowers"])
def test_what_states_no_rule_is_not_changed(name: str) -> None:
    assert name not in {mutant.name for mutant in mutants_of(MorphoBlue)}


def test_a_mutant_shares_everything_but_the_rules_and_leaves_the_model_alone() -> None:
    rules = dict(vars(MorphoBlue))
    mutated = load(MorphoBlue, by_id(EFFECT))
    assert mutated is not MorphoBlue
    assert type(next(iter(mutated.genesis().markets.values()))) is Market  # type: ignore[attr-defined]
    assert dict(vars(MorphoBlue)) == rules
    unload(mutated)
    assert mutated.__module__ not in sys.modules


def test_the_unchanged_copy_of_the_model_is_the_contract(target: Target) -> None:
    copy = load(MorphoBlue, None)
    assert kill(copy, target, steps=300, seed=1) is None
    unload(copy)


@pytest.mark.parametrize("id", [ROUNDING, GUARD, EFFECT])
def test_the_lock_step_run_kills(id: str, target: Target) -> None:
    mutated = load(MorphoBlue, by_id(id))
    found = kill(mutated, target, steps=5_000, seed=1)
    assert found is not None
    assert (found.by, found.steps > 0) == ("differential", True)
    unload(mutated)


def test_a_mutant_that_refuses_the_set_up_is_killed_by_it(target: Target) -> None:
    mutated = load(MorphoBlue, by_id("morpho_blue:_only_owner:comparison:1"))
    found = kill(mutated, target, steps=1, seed=1)
    assert found is not None
    assert found.by == "prelude"
    unload(mutated)


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
    mutated = load(MorphoBlue, mutant)
    assert disproved(mutated, mutant, laws, reaching(MorphoBlue, mutant)) == (("MB-HLT-3",), 0)
    unload(mutated)


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
