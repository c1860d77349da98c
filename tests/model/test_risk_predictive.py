"""Chapter 14: probabilities beside what happens on simulated paths, also where they are too low."""

import numpy as np
import pytest

from marginspec.model.risk.notation import WAD
from marginspec.model.risk.predictive import (
    FAR,
    Bin,
    Outlook,
    damped,
    distance,
    explained,
    gap,
    habits,
    probability,
    recorded,
    required,
    unexplained,
    warned,
)

DAYS, STEPS, PATHS = 4, 400, 12_000
EDGES = (0.0, 0.01, 0.05, 0.2, 0.4, 0.7, 1.01)


def lowest(draw: np.random.Generator, jumps: float) -> np.ndarray:
    """The lowest move of each path over the horizon, of a deviation of 4 % a day; some of it in jumps."""
    deviation = 0.04 * np.sqrt(DAYS / STEPS)
    calm = draw.normal(0, deviation * np.sqrt(1 - jumps), (PATHS, STEPS))
    rare = draw.random((PATHS, STEPS)) < 1 / STEPS
    moves = calm + rare * draw.normal(0, deviation * np.sqrt(jumps * STEPS), (PATHS, STEPS))
    return np.minimum(np.cumsum(moves, axis=1).min(axis=1), 0)


def bins(jumps: float) -> list[Bin]:
    """Predictions for accounts with all kinds of room, and what came of them."""
    draw = np.random.default_rng(12)
    found = [Bin() for _ in EDGES[1:]]
    for room, low in zip(draw.uniform(0.001, 0.25, PATHS), lowest(draw, jumps), strict=True):
        chance = probability(int(room * 1e6) * WAD // 10**6 * 1000, 1000 * WAD, 16 * WAD // 10_000, DAYS)
        place = int(np.searchsorted(EDGES, chance / WAD, side="right")) - 1
        recorded(found[place], chance, bool(-low >= room))
    return found


def test_predictions_are_calibrated_on_paths_without_jumps() -> None:
    found = bins(jumps=0.0)
    assert all(each.made >= 100 for each in found)
    for each in found:
        mean = each.predicted / WAD / each.made
        # Three deviations of a count, and what is missed between the steps of a path.
        assert abs(gap(each) / WAD) <= 3 * np.sqrt(mean * (1 - mean) / each.made) + 0.02


def test_predictions_for_far_accounts_are_too_low_on_paths_with_jumps() -> None:
    # The same deviation, nine tenths of its square in one jump a horizon: near accounts are safer than predicted, and
    # far ones are not as safe.
    found = bins(jumps=0.9)
    assert gap(found[-1]) < -WAD // 10
    assert gap(found[0]) > found[0].predicted // found[0].made // 2  # twice as often as predicted


def test_a_probability_by_hand() -> None:
    found = probability(100 * WAD, 1000 * WAD, WAD // 100, 1)  # one deviation: twice N(-1), within NUM-5
    assert abs(found - 2 * 158_655_253_931_457_051) <= 4
    assert probability(0, 1, WAD, 1) == WAD
    assert probability(1, 0, WAD, 1) == 0
    assert distance(10**40, 1) == FAR


def test_an_addon_is_told_in_parts_and_comes_step_by_step() -> None:
    outlook = Outlook()
    habit = habits(80 * WAD, 100 * WAD, 25 * WAD, outlook)
    assert habit == 8 * WAD // 10
    parts = explained(WAD // 2, habit, outlook)
    assert (parts.ahead, parts.habits, parts.total) == (125 * WAD // 1000, 8 * WAD // 100, 205 * WAD // 1000)
    assert unexplained(explained(WAD, WAD, outlook)) == 5 * WAD // 100
    assert damped(0, parts.total, outlook) == WAD // 20
    assert damped(WAD // 10, 0, outlook) == 8 * WAD // 100
    assert required(1000 * WAD, WAD // 20) == 1050 * WAD


def test_a_warning_stays_until_it_is_over() -> None:
    given, seen = False, []
    for percent in (3, 9, 10, 7, 5, 4, 7):
        given = warned(given, percent * WAD // 100, Outlook())
        seen.append(given)
    assert seen == [False, False, True, True, True, False, False]


def test_nothing_is_said_of_no_predictions() -> None:
    assert gap(Bin()) == 0
    assert gap(Bin(4, WAD, 2)) == pytest.approx(WAD / 4)
