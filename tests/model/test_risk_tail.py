"""Chapter 11 beside NumPy, with the counterexample that value at risk is not sub-additive."""

import random
from typing import Any

import numpy as np
import pytest

from marginspec.model.kernel import Rejected
from marginspec.model.reference import Reference
from marginspec.model.risk.notation import WAD, Positive
from marginspec.model.risk.tail import (
    AddOns,
    buffered,
    expected_shortfall,
    filtered_history,
    loss,
    margin,
    quantile,
    value_at_risk,
)
from marginspec.properties.law import Chapter
from marginspec.properties.reference.scope import SCOPE
from marginspec.prover.prove import Prover

QUARTER = WAD // 4


def test_value_at_risk_is_not_sub_additive() -> None:
    first, second = [8 * WAD, 0, 0, 0], [0, 8 * WAD, 0, 0]
    both = [a + b for a, b in zip(first, second, strict=True)]
    assert (value_at_risk(first, QUARTER), value_at_risk(second, QUARTER)) == (2 * WAD, 2 * WAD)
    assert value_at_risk(both, QUARTER) == 8 * WAD
    assert expected_shortfall(both, QUARTER) <= expected_shortfall(first, QUARTER) + expected_shortfall(second, QUARTER)


wrong = Chapter("a false law", SCOPE)


@wrong.lemma("W-VAR", bounds="three scenarios, the tail of which is the second worst")
def value_at_risk_is_sub_additive(venue: Reference, a: Positive, b: Positive, c: Positive, d: Positive) -> Any:
    """Two portfolios together have at most the sum of their values at risk, which is false."""
    together = quantile([a + c, b, d], WAD)
    return together <= quantile([a, b, 0], WAD) + quantile([c, 0, d], WAD)


def test_its_sub_additivity_is_refuted_by_integers() -> None:
    verdict = Prover(Reference, recheck=False).alone(wrong.properties[0])
    assert verdict.verdict == "refuted"
    assert verdict.counterexample


@pytest.mark.parametrize("scenarios", [1, 2, 10, 250])
def test_measures_are_those_of_numpy(scenarios: int) -> None:
    draw = random.Random(scenarios)
    losses = [draw.randint(-(10**21), 10**21) for _ in range(scenarios)]
    for chance in (WAD // 100, WAD // 40, WAD // 20, WAD // 3, WAD):
        found = value_at_risk(losses, chance) / 1e18
        assert found == pytest.approx(np.quantile(np.array(losses) / 1e18, 1 - chance / WAD), abs=1e-9)
        weight = np.clip(chance / WAD * scenarios - np.arange(scenarios), 0, 1)
        mean = np.sort(np.array(losses) / 1e18)[::-1] @ weight / weight.sum()
        assert expected_shortfall(losses, chance) / 1e18 == pytest.approx(mean, abs=1e-9)


def test_a_filtered_history_is_that_of_the_recursion_in_floating_point() -> None:
    draw = random.Random(7)
    moves = [int(draw.gauss(0, 0.02) * WAD) for _ in range(300)]
    variance, forecasts = 0.0004, [0.0004]
    for move in moves:
        variance = 0.94 * variance + 0.06 * (move / WAD) ** 2
        forecasts.append(variance)
    found = filtered_history(moves, 4 * WAD // 10_000, 94 * WAD // 100)
    for one, move, then in zip(found, moves, forecasts, strict=False):
        assert one / WAD == pytest.approx(move / WAD * (forecasts[-1] / then) ** 0.5, abs=1e-12)


def test_a_history_of_two_markets() -> None:
    history = [[WAD // 100, -WAD // 50], [-WAD // 10, WAD // 20], [0, 0]]
    losses = [loss([100 * WAD, -50 * WAD], moves) for moves in history]
    assert losses == [-2 * WAD, 12 * WAD + WAD // 2, 0]
    assert expected_shortfall(losses, WAD // 3 + 1) > 12 * WAD


def test_margin_has_horizon_floor_buffer_and_concentration() -> None:
    terms = AddOns()
    # 4 days double the 10; the floor of 1,000 is 20; a quarter more, as it was before; 900 beyond the free 100.
    assert margin(10 * WAD, 4, 1000 * WAD, 1000 * WAD, 25 * WAD, terms) == (25 + 250) * WAD
    assert buffered(24 * WAD, 25 * WAD, terms) == 25 * WAD
    assert buffered(26 * WAD, 25 * WAD, terms) == 26 * WAD
    assert buffered(10 * WAD, 25 * WAD, terms) == 12 * WAD + WAD // 2


@pytest.mark.parametrize("chance", [0, -1, WAD + 1])
def test_what_is_no_tail_is_refused(chance: int) -> None:
    for measure in (value_at_risk, expected_shortfall):
        with pytest.raises(Rejected, match="VAR-2"):
            measure([WAD], chance)
        with pytest.raises(Rejected, match="VAR-2"):
            measure([], QUARTER)
