"""Runs are found in which a decision is at equality, by a move of the parties that random runs hardly ever hit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marginspec.cli.brinks import at_brinks
from marginspec.differential.mutants import kill, mutants_of, patches_of
from marginspec.differential.text import installed
from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Target
from marginspec.targets.reference.adapter import ReferenceAdapter

FALL = Call("move_price", {"asset": "ETH", "move": 810_000})
LIQUIDATE = Call("liquidate", {"liquidator": "maker", "account": "trader", "market": "ETH-PERP", "most": 1_000_000_000})


@pytest.fixture(scope="module")
def runs() -> list[list[Call]]:
    """What becomes of one liquidation."""
    return [calls for _, calls in at_brinks(Reference, [[FALL, LIQUIDATE]], lambda done, of: None)]


@pytest.fixture
def target() -> Iterator[Target]:
    """The venue's contracts."""
    made = EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    yield made
    made.close()


def spare(calls: list[Call]) -> tuple[int, str | None]:
    """Equity above maintenance before the last call, and the rule that refuses that; all before it is accepted."""
    venue = Reference.genesis()
    assert all(venue.apply(call).accepted for call in calls[:-1])
    settled = venue.clone()
    settled._settle("trader")
    return settled.equity("trader") - settled.maintenance_margin("trader"), venue.apply(calls[-1]).rule


def test_somebody_is_brought_to_exactly_maintenance_by_a_move_put_before(runs: list[list[Call]]) -> None:
    deposits = [calls for calls in runs if calls[-2].action == "deposit"]
    assert (0, "LIQ-5") in map(spare, deposits)
    assert {len(calls) for calls in deposits} == {3}


def test_a_comparison_that_is_strict_where_it_should_not_be_is_told_there_only(
    runs: list[list[Call]], target: Target
) -> None:
    (mutant,) = (m for m in mutants_of(Reference) if m.id == "liquidation:liquidate:comparison:3")
    with installed(patches_of(Reference, mutant)):
        assert kill(Reference, target, steps=600, seed=1) is None
        found = kill(Reference, target, steps=1, seed=1, runs=runs)
    assert found is not None
    assert (found.by, found.why.split()[0]) == ("brink", "liquidate")


def test_the_model_itself_is_the_contract_at_every_brink(runs: list[list[Call]], target: Target) -> None:
    assert len(runs) > 5
    assert kill(Reference, target, steps=1, seed=1, runs=runs) is None
