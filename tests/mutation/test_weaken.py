"""Laws are weakened as models are: who notices is told, and a law that nothing breaks is called hollow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from marginspec.lockstep.model_source import installed
from marginspec.model.deployed.morpho_blue import Account, MarketId, MorphoBlue
from marginspec.model.kernel.machine import Rejected
from marginspec.mutation.mutants import mutants_of, patches_of
from marginspec.mutation.run import mutate
from marginspec.mutation.weaken import weakenings
from marginspec.properties.deployed.morpho_blue import chapter
from marginspec.properties.law import Chapter, Property, Step, assume, every
from marginspec.properties.scope import Scope
from marginspec.report.kill_matrix import show_mutate
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

GUARD = "morpho_blue:_healthy:guard:1"
HEALTH = next(law for law in chapter.properties if law.id == "MB-HLT-3")

own = Chapter("", HEALTH.scope)


@own.theorem("X-1")
def reads_and_claims_nothing(venue: MorphoBlue, market: MarketId, step: Step) -> Any:
    """A fee is what it is."""
    step.take(venue)
    return venue.markets[market].fee == venue.markets[market].fee


@own.theorem("X-2")
def nobody_ever_owes(venue: MorphoBlue, market: MarketId, who: Account, step: Step) -> Any:
    """Nobody owes anything."""
    step.take(venue)
    return venue.positions[market][who].borrow_shares == 0


@own.theorem("X-3")
def first_of_two(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """What is half as much is not more."""
    assume(venue.markets[market].fee >= 0)
    assume(venue.positions[market][who].collateral > 0)
    held = venue.positions[market][who].collateral
    return every((held // 2 < held, held == venue.positions[market][who].collateral))


def embedded() -> EvmTarget:
    return EvmTarget("embedded", MorphoBlueAdapter({}), Embedded())


def tried(laws: list[Property], folder: Path) -> dict[str, Any]:
    """What mutation testing says of some laws, with one mutant."""
    return mutate(
        *("morpho-blue", MorphoBlue, embedded, laws, folder / "none", 300, 1),
        workers=1,
        only=lambda mutant: mutant.id == GUARD,
        weaken=True,
    )


@pytest.mark.long
def test_a_law_that_no_mutant_breaks_is_hollow_and_one_that_is_broken_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tried([HEALTH, own.properties[0]], tmp_path)
    assert found["broken_by"] == {"MB-HLT-3": GUARD, "X-1": None}
    assert (found["hollow"], found["false"], found["problems"]) == (["X-1"], [], [])
    assert (found["summary"]["laws_broken"], found["summary"]["laws_hollow"]) == (1, 1)
    claims = {row["law"]: row["noticed_by"] for row in found["weakened"] if row["kind"] == "claim"}
    assert claims == {"MB-HLT-3": GUARD, "X-1": None}
    show_mutate(found, Console(width=200), every=False)
    said = capsys.readouterr().out
    assert "hollow, no mutant was found that breaks them: X-1" in said
    assert "weakened laws: " in said


def test_a_law_that_is_false_of_the_model_kills_no_mutant(tmp_path: Path) -> None:
    found = tried([own.properties[1]], tmp_path)
    assert found["false"] == ["X-2"]
    assert found["problems"][0].startswith("X-2: false of the model itself, so that it kills nothing: ")
    assert found["broken_by"] == {}
    assert all("X-2" not in mutant["killed_by"] for mutant in found["mutants"])


@pytest.mark.long
def test_an_assumption_that_a_law_needs_is_noticed_and_one_that_it_does_not_is_not(tmp_path: Path) -> None:
    found = tried([own.properties[2]], tmp_path)
    noticed = {row["change"]: row["noticed_by"] for row in found["weakened"] if row["kind"] == "assumption"}
    assert noticed == {
        "without assume(venue.markets[market].fee >= 0)": None,
        "without assume(venue.positions[market][who].collateral > 0)": "the model itself",
    }


def test_each_part_of_a_law_is_taken_away_and_claimed_alone() -> None:
    forms = list(weakenings(own.properties[2]))
    assert [(form.kind, form.change) for form in forms if form.kind == "conjunct"] == [
        ("conjunct", "without held // 2 < held"),
        ("conjunct", "without held == venue.positions[market][who].collateral"),
    ]
    venue = MorphoBlue.genesis()
    venue.positions["A"]["borrower"].collateral = -1  # type: ignore[index]
    halves = [form.weakened.predicate for form in forms if form.change.startswith("without assume(venue.positions")]
    (without,) = halves
    assert not without(venue, "A", "borrower")
    venue.positions["A"]["borrower"].collateral = 2  # type: ignore[index]
    assert all(form.weakened.predicate(venue, "A", "borrower") for form in forms)


def test_a_weakened_law_sees_the_mutant_that_is_installed() -> None:
    law = next(law for law in chapter.properties if law.id == "MB-ACT-10")
    forms = [form for form in weakenings(law) if form.kind == "assumption"]
    assert len(forms) == 2
    (mutant,) = (mutant for mutant in mutants_of(MorphoBlue) if mutant.id == GUARD)
    names = {form.weakened.predicate.__globals__["__name__"] for form in forms}
    assert names == {law.predicate.__module__}
    with installed(patches_of(MorphoBlue, mutant)), pytest.raises((Rejected, KeyError, TypeError)):
        forms[0].weakened.predicate(MorphoBlue.genesis())


def test_an_identifier_that_is_free_is_pinned() -> None:
    law = own.properties[2]
    free = dataclasses.replace(law, scope=Scope(law.scope.keys, law.scope.free))
    pins = {form.change: form.weakened.scope.fixed for form in weakenings(free) if form.kind == "scope"}
    first = law.scope.keys[Account][0]
    assert pins[f"who is {first} only"]["who"] == (first,)
    assert list(weakenings(dataclasses.replace(law, predicate=lambda venue: True))) == []
