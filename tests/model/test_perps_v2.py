"""PerpsV2 on numbers that a person can check."""

import json
from decimal import Decimal

import pytest

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import (
    FEE_POOL,
    NOBODY,
    UNIT,
    Account,
    Preset,
    User,
    divide,
    multiply,
    same_side,
)
from marginspec.model.deployed.perps_v2.parameters import PRESETS, mainnet
from marginspec.properties.law import refusal
from marginspec.systems.perps_v2.deployment import PARAMETERS, document

TRADER, MAKER, KEEPER, OWNER = (User(Account(name)) for name in ("trader", "maker", "keeper", "owner"))
ANY = 10**25
"""A limit at which every buyer is served; for sellers it is 0."""


@pytest.fixture
def market() -> PerpsV2:
    """A market of ETH at 2,000 sUSD in which the trader has 10,000 sUSD of margin."""
    market = PerpsV2.genesis()
    market.transfer_margin(TRADER, 10_000 * UNIT)
    return market


@pytest.mark.parametrize(("x", "y", "product"), [(3, UNIT // 2, 1), (-3, UNIT // 2, -1), (3, -UNIT, -3), (0, 5, 0)])
def test_products_are_cut_towards_zero(x: int, y: int, product: int) -> None:
    assert multiply(x, y) == product


@pytest.mark.parametrize(("x", "y", "quotient"), [(1, 3, UNIT // 3), (-1, 3, -(UNIT // 3)), (1, -3, -(UNIT // 3))])
def test_quotients_are_cut_towards_zero(x: int, y: int, quotient: int) -> None:
    assert divide(x, y) == quotient


def test_zero_is_on_both_sides() -> None:
    assert same_side(0, -1)
    assert same_side(1, 0)
    assert not same_side(1, -1)


def test_skew_moves_the_fill_price_by_half_of_what_the_order_adds(market: PerpsV2) -> None:
    market.modify_position(TRADER, 50 * UNIT, ANY)
    held = market.positions[TRADER]
    assert held.last_price == 2_000_050 * UNIT // 1000
    fee = 60_001_500 * UNIT // 10**6  # 0.06 % of 50 at 2000.05
    assert market.balance[FEE_POOL] == market.fees_recorded == fee
    assert held.margin == 10_000 * UNIT - fee
    assert (market.skew, market.size) == (50 * UNIT, 50 * UNIT)


def test_flip_pays_as_taker_for_what_is_beyond_zero(market: PerpsV2) -> None:
    market.modify_position(TRADER, 30 * UNIT, ANY)
    fill = market.fill_price(-40 * UNIT, market.price)
    maker, taker = market.parameters.maker_fee, market.parameters.taker_fee
    assert market.order_fee(-40 * UNIT, fill) == fill * 30 * maker // UNIT + fill * 10 * taker // UNIT


def test_position_at_its_threshold_is_flagged_and_liquidated(market: PerpsV2) -> None:
    market.modify_position(TRADER, 50 * UNIT, ANY)
    low, high = 0, market.price
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if market.is_liquidatable(TRADER, middle, market.funding) else (low, middle)
    market.set_price(high)
    assert refusal(market.flag_position, KEEPER, TRADER) == "FLG-3"
    market.set_price(low)
    equity = market.equity(TRADER, low, market.funding)
    market.flag_position(MAKER, TRADER)
    assert market.flagger[TRADER] == MAKER
    before = market.balance.copy()
    market.liquidate_position(KEEPER, TRADER)
    fee = market.liquidation_fee(50 * UNIT, low)
    gained = {who: market.balance[who] - before[who] for who in (MAKER, KEEPER, FEE_POOL)}
    assert gained == {MAKER: fee, KEEPER: 2 * UNIT, FEE_POOL: equity - fee - 2 * UNIT}
    assert market.flagger[TRADER] == NOBODY
    assert market.market_debt() == 0


def test_fees_are_paid_beyond_what_is_left(market: PerpsV2) -> None:
    market.modify_position(TRADER, 50 * UNIT, ANY)
    market.set_price(1000 * UNIT)
    market.flag_position(MAKER, TRADER)
    market.liquidate_position(KEEPER, TRADER)
    assert market.remaining_margin(TRADER) == 0
    assert market.balance[MAKER] == 10**6 * UNIT + 175 * UNIT
    assert market.balance[KEEPER] == 10**6 * UNIT + 2 * UNIT


def test_longs_pay_shorts_while_they_are_more(market: PerpsV2) -> None:
    market.transfer_margin(MAKER, 10_000 * UNIT)
    market.modify_position(TRADER, 20 * UNIT, ANY)
    market.modify_position(MAKER, -10 * UNIT, 0)
    market.advance_time(24 * 60 * 60)
    entry = market.next_funding(market.price)
    assert market.current_funding_rate() == 9 * 10 * UNIT // 10**6
    assert entry == -(9 * 10 * UNIT // 10**6 // 2 * 2000)
    long, short = (market.positions[who] for who in (TRADER, MAKER))
    assert multiply(long.size, entry - long.funding) == -2 * multiply(short.size, entry - short.funding)


# --- What the rules do not promise (spec/deployed/perps-v2.md) --------------------------------------------------------


def test_trade_may_leave_a_position_that_can_be_flagged_at_once() -> None:
    market = PerpsV2.genesis()
    market.set_balance(MAKER, 10**27)
    market.transfer_margin(MAKER, 10**27)
    market.modify_position(MAKER, 20_000 * UNIT, ANY)
    market.transfer_margin(TRADER, 100 * UNIT)
    size = next(s for s in range(UNIT, 3 * UNIT, UNIT // 100) if _is_liquidated_at_once(market, s))
    market.modify_position(TRADER, size, ANY)
    assert market.can_liquidate(TRADER)
    market.flag_position(KEEPER, TRADER)


def _is_liquidated_at_once(market: PerpsV2, size: int) -> bool:
    trial = market.clone()
    return refusal(trial.modify_position, TRADER, size, ANY) is None and trial.can_liquidate(TRADER)


def test_accessible_margin_may_be_refused() -> None:
    market = PerpsV2.genesis()
    market.set_balance(TRADER, 10**27)
    market.transfer_margin(TRADER, 10**27)
    market.modify_position(TRADER, 20_000 * UNIT, ANY)
    assert market.accessible_margin(TRADER) > 0
    assert refusal(market.withdraw_all_margin, TRADER) == "TRF-8"


def test_flagged_position_is_liquidated_when_it_is_healthy_again(market: PerpsV2) -> None:
    market.modify_position(TRADER, 50 * UNIT, ANY)
    market.set_price(1800 * UNIT)
    market.flag_position(KEEPER, TRADER)
    market.set_price(3000 * UNIT)
    assert not market.can_liquidate(TRADER)
    assert refusal(market.close_position, TRADER, 0) == "FLG-2"
    market.liquidate_position(KEEPER, TRADER)
    assert market.positions[TRADER].margin == 0


def test_price_of_zero_is_traded_at_and_not_liquidated_at(market: PerpsV2) -> None:
    market.set_price(0)
    market.modify_position(TRADER, UNIT, ANY)
    assert market.positions[TRADER].last_price == 0
    assert not market.can_liquidate(TRADER)
    market.set_price(2000 * UNIT)
    market.close_position(TRADER, 0)
    assert market.positions[TRADER].margin > 11_990 * UNIT


# --- Parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_are_those_of_mainnet(preset: Preset) -> None:
    market = document()["markets"][preset]
    fees = {"takerFee": "takerFeeOffchainDelayedOrder", "makerFee": "makerFeeOffchainDelayedOrder"}
    for name, field in PARAMETERS.items():
        assert getattr(mainnet(preset), field) == Decimal(market[fees.get(name, name)]) * UNIT, name


def test_owner_alone_changes_parameters(market: PerpsV2) -> None:
    assert refusal(market.set_parameters, TRADER, PRESETS[4]) == "PAR-2"
    market.modify_position(TRADER, UNIT, ANY)
    market.set_parameters(OWNER, PRESETS[4])
    assert refusal(market.modify_position, TRADER, UNIT, ANY) == "TRD-11"
    market.modify_position(TRADER, -UNIT // 2, 0)
    assert market.parameters.max_market_value == 0


def test_the_file_of_contracts_says_where_it_is_from() -> None:
    assert json.dumps(document()["source"]).count("synthetix 2.102.1") == 1
    assert document()["license"].startswith("MIT")
