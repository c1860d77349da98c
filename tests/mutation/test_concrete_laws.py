"""Laws run on concrete states: the model breaks none, a broken model breaks the law that it offends."""

from __future__ import annotations

import pytest

from marginspec.lockstep.model_source import installed, reaching
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import actions_of
from marginspec.mutation.concrete_laws import broken
from marginspec.mutation.mutants import mutants_of, patches_of
from marginspec.properties.deployed.morpho_blue import chapter

SECONDS = 20.0


def test_the_model_breaks_no_law() -> None:
    actions = frozenset(actions_of(MorphoBlue))
    assert broken(MorphoBlue, chapter.properties, actions, seconds=3, seed=1) is None


@pytest.mark.parametrize(
    ("id", "law"),
    [
        ("morpho_blue:_healthy:guard:1", "MB-HLT-3"),
        ("morpho_blue:supply:effect:5", "MB-ACT-1"),
        ("morpho_blue:_authorized:guard:1", "MB-AUT-2"),
    ],
)
def test_a_mutant_breaks_the_law_that_it_offends(id: str, law: str) -> None:
    (mutant,) = (mutant for mutant in mutants_of(MorphoBlue) if mutant.id == id)
    claims = [claim for claim in chapter.properties if claim.id == law]
    with installed(patches_of(MorphoBlue, mutant)):
        found = broken(MorphoBlue, claims, reaching(MorphoBlue, mutant.name), SECONDS, seed=1)
    assert found is not None
    assert found.id == law
