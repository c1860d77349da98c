"""The formulas of the reference venue by themselves: what each promises, on drawn integers; and the shipped presets."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down, mul_div_up
from marginspec.model.kernel.machine import actions_of, regimes_of
from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import collateral_value, counted_in_tiers, counted_part
from marginspec.model.reference.ledger import AssetTerms, Holding
from marginspec.model.reference.liquidation import penalty_of, size_to_restore, without_dust
from marginspec.model.reference.margin import approach, is_covered, is_safe, next_volatility, target_ratio
from marginspec.model.reference.notation import PPM
from marginspec.model.reference.oracles import lower_median, upper_median
from marginspec.model.reference.positions import funding_payment
from marginspec.model.reference.venue import BALANCED, DELTA, MINIMUM_HAIRCUT, SLOPE
from marginspec.model.reference.waterfall import deleverage_payment, settlement_payout, socialised_share

PRESETS = Path(__file__).parents[2] / "spec" / "presets"
SIGNED, AMOUNT = integers(-(2**130), 2**130), integers(0, 2**96)
RATIO = integers(0, PPM)


@given(SIGNED, SIGNED, integers(1, 2**96))
def test_division_rounds_towards_the_infinity_in_its_name(x: int, y: int, d: int) -> None:
    assert div_down(x, d) * d <= x < (div_down(x, d) + 1) * d
    assert (div_up(x, d) - 1) * d < x <= div_up(x, d) * d
    assert mul_div_down(x, y, d) == div_down(x * y, d)
    assert mul_div_up(x, y, d) == div_up(x * y, d)


@given(lists(AMOUNT, min_size=2, max_size=2), AMOUNT)
def test_a_median_of_three_lies_between_any_two_of_them(right: list[int], wrong: int) -> None:
    assert min(right) <= lower_median(sorted([*right, wrong])) == upper_median(sorted([wrong, *right])) <= max(right)
    assert (lower_median(sorted(right)), upper_median(sorted(right))) == (min(right), max(right))


@given(AMOUNT, AMOUNT, AMOUNT, integers(0, 2**94), integers(0, 2**94))
def test_the_count_of_deposits_telescopes_and_never_exceeds_them(total: int, x: int, y: int, t: int, more: int) -> None:
    terms = AssetTerms(1, t, t + more, 1, 2, 0)

    def counted(amount: int, at: int) -> int:
        return counted_in_tiers(at + amount, terms) - counted_in_tiers(at, terms)

    assert counted(x, total) + counted(y, total + x) == counted(x + y, total)
    assert 0 <= counted(x, total) <= x


@given(integers(1, 2**96), RATIO, RATIO)
def test_what_leaves_takes_at_least_its_part_and_the_rest_stays_covered(amount: int, part: int, count: int) -> None:
    holding, leaving = Holding(amount, amount * count // PPM), max(1, amount * part // PPM)
    left = holding.counted - counted_part(holding, leaving)
    assert 0 <= left <= amount - leaving


@given(AMOUNT, RATIO)
def test_collateral_never_counts_more_than_it_is_worth(gross: int, haircut: int) -> None:
    assert 0 <= collateral_value(gross, haircut) <= gross


@given(integers(-(2**62), 2**62), SIGNED)
def test_funding_of_both_sides_leaves_nothing_or_one_unit_in_the_pot(size: int, growth: int) -> None:
    assert funding_payment(size, growth) + funding_payment(-size, growth) in (0, 1)


@given(RATIO, RATIO, integers(0, 3600))
def test_a_ratio_stays_between_where_it_was_and_its_target(value: int, target: int, time: int) -> None:
    assert min(value, target) <= approach(value, target, time) <= max(value, target)


@given(RATIO, integers(1, 2**62), integers(1, 2**62), integers(1, 2**62), integers(0, 3600))
def test_a_larger_move_never_lowers_the_ratio_asked_for(volatility: int, last: int, a: int, b: int, time: int) -> None:
    near, far = sorted((a, b), key=lambda mark: abs(mark - last))
    calm, wild = (target_ratio(next_volatility(volatility, last, mark, time), 50_000, 100_000) for mark in (near, far))
    assert calm <= wild


@given(integers(1, 2**150), integers(1, 2**80), integers(1, 2**62))
def test_the_size_to_restore_suffices_and_one_unit_less_does_not(shortfall: int, gain: int, whole: int) -> None:
    size = size_to_restore(shortfall, gain, whole)
    assert 1 <= size <= whole
    assert size == whole or size * gain >= shortfall
    assert (size - 1) * gain < shortfall
    assert without_dust(size, whole, 1, 1) == size


@given(integers(0, 2**62), integers(1, 2**62), RATIO, SIGNED)
def test_a_penalty_is_never_negative_nor_above_equity(size: int, mark: int, penalty: int, equity: int) -> None:
    assert 0 <= penalty_of(size, mark, penalty, equity) <= max(equity, 0)


@given(integers(1, 2**120), integers(1, 2**62), integers(0, 2**62), SIGNED, SIGNED)
def test_deleveraging_takes_no_more_than_deficit_profit_or_spare(d: int, size: int, rest: int, p: int, s: int) -> None:
    assert 0 <= deleverage_payment(d, size, size + rest, p, s) <= max(0, min(d, p, s))


@given(lists(integers(0, 2**120), min_size=1, max_size=6), integers(1, PPM))
def test_shares_of_a_loss_cover_it_and_none_exceeds_its_profit(profits: list[int], part: int) -> None:
    total = sum(profits) + 1
    profits.append(1)
    paid = max(1, total * part // PPM)
    shares = [socialised_share(paid, profit, total) for profit in profits]
    assert paid <= sum(shares) <= paid + len(shares)
    assert all(share <= profit for share, profit in zip(shares, profits, strict=True))


@given(lists(integers(0, 2**116), min_size=1, max_size=6), integers(0, 2**116))
def test_payouts_never_exceed_the_pool(cash: list[int], held: int) -> None:
    claims = 1 + sum(cash)
    pool = min(claims, held)
    assert sum(settlement_payout(c, pool, claims) for c in cash) * 10**6 <= pool


@pytest.mark.parametrize("name", ["conservative", "balanced", "aggressive"])
def test_presets_satisfy_the_safety_bounds(name: str) -> None:
    preset = tomllib.loads((PRESETS / f"{name}.toml").read_text())
    for market in preset["markets"].values():
        terms: Any = {key: market.pop(key) for key in ("delta", "slope")}
        assert market.keys() == BALANCED.keys()
        assert is_safe(market, terms["delta"], terms["slope"])
        assert not is_safe(market, market["minimum_ratio"], terms["slope"])
        assert all(is_covered(asset["minimum_haircut"], terms["delta"]) for asset in preset["assets"].values())
        if name == "balanced":
            assert (market, terms) == (BALANCED, {"delta": DELTA, "slope": SLOPE})
            assert all(asset == {"minimum_haircut": MINIMUM_HAIRCUT} for asset in preset["assets"].values())


def test_the_machine_is_composed_of_its_chapters_in_their_order() -> None:
    actions = list(actions_of(Reference))
    order = ("donate", "update_price", "announce", "deposit", "liquidate", "cover", "start_settlement", "redeem")
    assert sorted(order, key=actions.index) == list(order)
    assert regimes_of(Reference)[0] == "liquidatable"
