"""Chapters 13 and 15: haircuts from a history, and hedging along a path."""

import random

import numpy as np
import pytest

from marginspec.model.risk.hedging import (
    Policy,
    affordable,
    delta_after,
    hedged,
    options_traded,
    paid,
    trade,
    vega_after,
)
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.scoring import (
    Weights,
    asked,
    crowding,
    deepest_fall,
    next_haircut,
    parts_per_million,
    wrong_way,
)

# --- Haircuts -------------------------------------------------------------------------------------------------------


def test_the_deepest_fall_is_that_of_numpy() -> None:
    draw = np.random.default_rng(1)
    for _ in range(20):
        prices = [int(price * 10**6) * 10**12 for price in 100 * np.exp(np.cumsum(draw.normal(0, 0.05, 200)))]
        reals = np.array(prices) / 1e18
        expected = (1 - reals / np.maximum.accumulate(reals)).max()
        assert deepest_fall(prices) / 1e18 == pytest.approx(expected, abs=1e-12)
    assert (deepest_fall([]), deepest_fall([0, 0]), deepest_fall([5, 10, 4])) == (0, 0, 6 * WAD // 10)


def test_a_haircut_is_asked_for_and_reached_step_by_step() -> None:
    weights = Weights()
    target = asked(WAD // 10, WAD // 2, crowding(3 * WAD, 10 * WAD), wrong_way(WAD // 2), weights)
    assert target == (20 + 12.5 + 15 + 10) * WAD // 100
    haircut, periods = WAD // 10, 0
    while haircut != target:
        haircut, periods = next_haircut(haircut, target, weights), periods + 1
    assert periods == 24  # 47.5 % in steps of 2 %
    assert parts_per_million(haircut) == 575_000
    assert crowding(WAD, 0) == WAD
    assert wrong_way(-WAD) == 0


# --- Hedging --------------------------------------------------------------------------------------------------------


def test_a_desk_along_a_path_trades_less_than_what_came_and_stays_near_its_band() -> None:
    draw, policy = random.Random(4), Policy(turnover=20 * WAD, budget=WAD)
    exposure, came, traded, unhedged = 0, 0, 0, 0
    for _ in range(2000):
        flow = int(draw.gauss(0, 5) * WAD)
        exposure, unhedged, came = exposure + flow, unhedged + flow, came + abs(flow)
        size = trade(exposure, policy)
        assert abs(exposure) > policy.band or size == 0
        exposure, traded = hedged(exposure, policy), traded + abs(size)
        assert paid(exposure, policy) <= policy.budget
    assert abs(exposure) <= policy.band
    assert traded <= came
    assert traded < came // 2  # the band lets most of it cancel


@pytest.mark.parametrize(("exposure", "after"), [(5, 5), (-10, -10), (11, 0), (-50, 0), (250, 150), (-250, -150)])
def test_what_is_left_after_a_period(exposure: int, after: int) -> None:
    assert hedged(exposure * WAD, Policy()) == after * WAD


def test_vega_is_hedged_first_and_the_delta_of_its_options_with_the_rest() -> None:
    policy = Policy()
    options = options_traded(60 * WAD, 2 * WAD, policy)
    assert options == -30 * WAD
    assert vega_after(60 * WAD, options, 2 * WAD) == 0
    assert delta_after(0, options, WAD // 2) == -15 * WAD
    assert trade(-15 * WAD, policy) == 15 * WAD


def test_a_free_trade_is_limited_by_turnover_alone() -> None:
    assert affordable(Policy(cost=0, budget=0, turnover=7)) == 7
    assert affordable(Policy(cost=WAD, budget=5, turnover=7)) == 5
