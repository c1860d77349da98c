"""Runs are brought to where a decision flips, exactly, by as many amounts as that takes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.prover.brink import Brink, Knob, brinks

MOVE = Call("move_price", {"asset": "ETH", "move": 892_931})
EVEN_MOVE = Call("move_price", {"asset": "ETH", "move": 810_000})
TRADE = Call("trade", {"account": "maker", "maker": "bystander", "market": "ETH-PERP", "size": 40_000_000})
DEPOSIT = Call("deposit", {"account": "bystander", "token": "USD", "amount": 1000})
LIQUIDATE = Call(
    "liquidate", {"liquidator": "maker", "account": "bystander", "market": "ETH-PERP", "most": 1_000_000_000}
)
RUN = [TRADE, MOVE, DEPOSIT, LIQUIDATE]


def spare(calls: Sequence[Call]) -> tuple[int, int, str | None]:
    """Equity above maintenance and the part of a unit in it, before the last call; the rule that refuses that call."""
    venue = Reference.genesis()
    for call in calls[:-1]:
        assert venue.apply(call).accepted
    settled = venue.clone()
    settled._settle("bystander")
    left = settled.equity("bystander") - settled.maintenance_margin("bystander")
    part = settled._requirement("bystander", buffered=False) % 10**6
    return left, part, venue.apply(calls[-1]).rule


def found(knobs: Sequence[Knob], rests: bool = False, run: Sequence[Call] = RUN) -> dict[int, list[Call]]:
    """What the run becomes where an account is just liquidatable, by the side of that."""
    runs = list(brinks(Reference.genesis(), run, knobs, lambda brink: brink.rests == rests))
    return {brink.side: calls for brink, calls in runs if "bystander" in str(calls) and spare(calls)[0] in (-1, 0)}


def test_a_deposit_brings_equity_to_maintenance() -> None:
    sides = found([(2, "amount")], run=[TRADE, EVEN_MOVE, DEPOSIT, LIQUIDATE])
    assert [spare(calls)[::2] for calls in sides.values()] == [(0, "LIQ-5")]


def test_no_deposit_does_where_value_is_in_fractions_of_its_units() -> None:
    assert found([(2, "amount")]) == {}


def test_two_amounts_reach_both_sides_of_the_threshold() -> None:
    sides = found([(0, "size"), (2, "amount")])
    assert sorted(spare(calls)[::2] for calls in sides.values()) == [(-1, None), (0, "LIQ-5")]


def test_what_is_rounded_there_leaves_a_rest() -> None:
    sides = found([(0, "size"), (2, "amount")], rests=True)
    assert sides
    assert all(spare(calls)[1] for calls in sides.values())


def test_only_the_amounts_named_change() -> None:
    for calls in found([(0, "size"), (2, "amount")]).values():
        assert calls[1] == MOVE
        assert calls[3] == LIQUIDATE


def test_what_is_not_wanted_is_not_looked_for() -> None:
    asked: list[Brink] = []
    assert not list(brinks(Reference.genesis(), RUN, [(2, "amount")], lambda brink: bool(asked.append(brink))))
    assert {brink.side for brink in asked} == {0, 1}
    assert all(":" in brink.place for brink in asked)


@pytest.mark.parametrize("most", [1, 10**9])
def test_the_ways_of_the_run_are_kept(most: int) -> None:
    run = [*RUN[:-1], Call("liquidate", {**LIQUIDATE.arguments, "most": most})]
    for _, calls in brinks(Reference.genesis(), run, [(3, "most")], lambda brink: True):
        assert calls[:3] == run[:3]
