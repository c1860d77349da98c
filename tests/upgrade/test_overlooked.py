"""Bugs that random runs miss: what an implementer overlooks beside a settlement, at a limit, in an empty pool.

Runs that tell them are kept for the shipped systems, so that each is found whatever the seed is, and named.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from marginspec.conformance.search import seeds
from marginspec.lockstep.campaign import follow
from marginspec.mutation.planted import Bug, build, load
from marginspec.systems.registry import system
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.upgrade.comparison import compare

HERE = Path(__file__).parent
FILES = {name: HERE / f"overlooked-{name}.toml" for name in ("reference", "morpho-blue")}
BUGS = [bug for name, file in FILES.items() for bug in load(name, file)]
RANDOM = "cap-refuses-reductions"
"""Is found by random runs; only `diff` misnamed it."""

SOON = "judged-before-settlement"
ALL = [pytest.param(bug, id=bug.id, marks=[pytest.mark.long] * (bug.id != SOON)) for bug in BUGS]
"""Of which all but one take minutes together."""


@pytest.mark.parametrize("bug", [each for each in ALL if each.id != RANDOM])
def test_kept_runs_find_it(bug: Bug) -> None:
    chosen = system(bug.system)
    with contextlib.closing(EvmTarget("broken", chosen.adapter(build(bug)), Embedded())) as broken:
        _, found = follow(chosen.model, broken, seeds(chosen.model), seed=1)
    assert found is not None


@pytest.mark.long
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_an_upgrade_that_brings_it_is_explained_by_its_rule(bug: Bug) -> None:
    chosen, steps = system(bug.system), 20_000 if bug.id == RANDOM else 2000
    base = EvmTarget("base", chosen.adapter({}), Embedded())
    head = EvmTarget("head", chosen.adapter(build(bug)), Embedded())
    with contextlib.closing(base), contextlib.closing(head):
        found = compare(chosen.model, base, head, steps, 1, seeds(chosen.model)).differences
    assert bug.rule in found[0].rules[:2]
