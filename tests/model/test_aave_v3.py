"""Aave v3 on numbers that a person can check."""

import pytest

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import (
    ALL,
    DAY,
    RAY,
    TREASURY,
    WAD,
    YEAR,
    Account,
    User,
    percent_div,
    percent_mul,
    ray_div,
    ray_mul,
    wad_div,
)
from marginspec.model.deployed.aave_v3.parameters import MAJORS, USDC, WBTC, WETH
from marginspec.properties.law import refusal

SUPPLIER, BORROWER, LIQUIDATOR = (User(Account(name)) for name in ("supplier", "borrower", "liquidator"))
DOLLAR = 10**6
CENTS = 10**8
"""Units of a dollar in a price."""


@pytest.fixture
def pool() -> AaveV3:
    """A pool that lends USDC, in which the borrower has 10 WETH at 2,000 dollars as collateral."""
    pool = AaveV3.genesis()
    pool.supply(SUPPLIER, USDC, 10**6 * DOLLAR, SUPPLIER)
    pool.supply(BORROWER, WETH, 10 * WAD, BORROWER)
    return pool


@pytest.fixture
def indebted(pool: AaveV3) -> AaveV3:
    """The borrower owes 13,200 dollars, which 10 WETH back down to 1,600 dollars."""
    pool.borrow(BORROWER, USDC, 13_200 * DOLLAR)
    return pool


def test_half_is_rounded_up() -> None:
    assert (ray_mul(1, RAY // 2), ray_mul(1, RAY // 2 - 1), ray_mul(3, RAY // 2)) == (1, 0, 2)
    assert (ray_div(1, 2 * RAY), ray_div(1, 2 * RAY + 1), ray_div(3, 2 * RAY)) == (1, 0, 2)
    assert (wad_div(1, 2 * WAD), wad_div(1, 2 * WAD + 1)) == (1, 0)
    assert (percent_mul(1, 5000), percent_mul(1, 4999), percent_div(1, 20_000), percent_div(1, 20_001)) == (1, 0, 1, 0)


def test_a_year_at_ten_percent_lacks_a_hundred_thousandth(pool: AaveV3) -> None:
    exact = 1_105170918_075647624_811707826  # e^0.1, ray
    assert 0 < exact - pool.compounded_interest(RAY // 10, YEAR) < RAY // 10**5


def test_at_health_one_nobody_is_liquidated_and_a_unit_of_price_below_half_is(indebted: AaveV3) -> None:
    indebted.set_price(WETH, 1600 * CENTS)
    assert indebted.account_data(BORROWER)[3] == WAD
    call = (LIQUIDATOR, WETH, USDC, BORROWER, ALL, False)
    assert refusal(indebted.liquidate, *call) == "LIQ-3"
    assert refusal(indebted.borrow, BORROWER, USDC, 1) == "BOR-7"
    indebted.set_price(WETH, 1600 * CENTS - 1)
    indebted.liquidate(*call)
    assert indebted.debt_of(USDC, BORROWER) == 6600 * DOLLAR


def test_at_health_of_95_percent_all_of_a_debt_may_be_closed(indebted: AaveV3) -> None:
    indebted.set_price(WETH, 1520 * CENTS)
    assert indebted.account_data(BORROWER)[3] == 95 * WAD // 100
    above = indebted.clone()
    above.set_price(WETH, 1520 * CENTS + 1)
    for pool, left in ((indebted, 0), (above, 6600 * DOLLAR)):
        pool.liquidate(LIQUIDATOR, WETH, USDC, BORROWER, ALL, False)
        assert pool.debt_of(USDC, BORROWER) == left
        assert pool.is_borrowing[USDC][BORROWER] == (left != 0)


def test_liquidator_and_treasury_share_the_bonus(indebted: AaveV3) -> None:
    indebted.set_price(WETH, 1500 * CENTS)
    wallet = indebted.balance[WETH][LIQUIDATOR]
    indebted.liquidate(LIQUIDATOR, WETH, USDC, BORROWER, 3000 * DOLLAR, False)
    # 2 WETH are worth 3,000 dollars; 5 % more are seized, of which a tenth is the treasury's.
    assert indebted.balance[WETH][LIQUIDATOR] - wallet == 209 * WAD // 100
    assert indebted.claim_of(WETH, TREASURY) == WAD // 100
    assert indebted.claim_of(WETH, BORROWER) == 79 * WAD // 10


def test_a_mode_of_efficiency_lends_more_on_what_moves_alike(pool: AaveV3) -> None:
    pool.supply(SUPPLIER, WBTC, 10 * CENTS, SUPPLIER)
    pool.set_mode(BORROWER, MAJORS)
    assert refusal(pool.borrow, BORROWER, USDC, DOLLAR) == "MOD-2"
    pool.borrow(BORROWER, WBTC, 45 * CENTS // 100)  # 18,000 of 20,000 dollars
    assert refusal(pool.borrow, BORROWER, WBTC, 1) == "BOR-8"
    assert refusal(pool.set_mode, BORROWER, "none") == "HLT-2"


def test_supplying_and_withdrawing_at_once_is_even(pool: AaveV3) -> None:
    before = pool.balance[WBTC][LIQUIDATOR]
    pool.supply(LIQUIDATOR, WBTC, 12_345, LIQUIDATOR)
    assert pool.withdraw(LIQUIDATOR, WBTC, ALL, LIQUIDATOR) == 12_345
    assert pool.balance[WBTC][LIQUIDATOR] == before


def test_a_donation_is_nobodys(pool: AaveV3) -> None:
    pool.donate(LIQUIDATOR, USDC, 10**6 * DOLLAR)
    assert pool.claim_of(USDC, SUPPLIER) == 10**6 * DOLLAR


# --- What it does not promise -----------------------------------------------------------------------------------------


def test_a_debt_may_be_gone_while_its_user_still_counts_as_a_borrower(indebted: AaveV3) -> None:
    indebted.reserves[USDC].debt_index, indebted.debts[USDC][BORROWER].scaled = 3 * RAY, 1
    indebted.reserves[USDC].borrowed = 1
    assert indebted.debt_of(USDC, BORROWER) == 3
    indebted.repay(BORROWER, USDC, 2, BORROWER)
    assert indebted.debts[USDC][BORROWER].scaled == 0
    assert indebted.is_borrowing[USDC][BORROWER]


def test_collateral_may_be_on_of_which_nothing_is_left(pool: AaveV3) -> None:
    pool.supply(BORROWER, USDC, DOLLAR, BORROWER)
    pool.borrow(BORROWER, USDC, 2 * DOLLAR)
    pool.repay_with_claims(BORROWER, USDC, ALL)
    assert pool.claims[USDC][BORROWER].scaled == 0
    assert pool.is_collateral[USDC][BORROWER]


def test_bad_debt_stays(indebted: AaveV3) -> None:
    indebted.set_price(WETH, 100 * CENTS)
    indebted.liquidate(LIQUIDATOR, WETH, USDC, BORROWER, ALL, False)
    assert indebted.claims[WETH][BORROWER].scaled == 0
    assert indebted.debt_of(USDC, BORROWER) > 12_000 * DOLLAR
    indebted.advance_time(DAY)
    assert refusal(indebted.liquidate, LIQUIDATOR, WETH, USDC, BORROWER, ALL, False) == "LIQ-4"
