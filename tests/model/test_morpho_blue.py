"""Morpho Blue in numbers computed by hand.

Here market A lends X against Y at 80 % and charges its utilisation as interest; market B lends Y against X at 94.5 %
without interest. One unit of either token is worth one of the other at first.
"""

import dataclasses

import pytest

from marginspec.model.deployed.morpho_blue import (
    MORPHO,
    WAD,
    YEAR,
    Account,
    Irm,
    Lltv,
    MarketId,
    MorphoBlue,
    Token,
    User,
)
from marginspec.model.kernel import Rejected
from marginspec.model.kernel.numbers import UINT128_MAX, UINT256_MAX

A, B, C = MarketId("A"), MarketId("B"), MarketId("C")
X, Y = Token("X"), Token("Y")
supplier, borrower, liquidator, owner = (
    User(Account(name)) for name in ("supplier", "borrower", "liquidator", "owner")
)
PAR = 10**36


@pytest.fixture
def venue() -> MorphoBlue:
    """Markets A and B open, every user with 10^24 of both tokens."""
    venue = MorphoBlue.genesis()
    a = dataclasses.replace(venue.params[A], lltv=8 * 10**17)
    b = dataclasses.replace(venue.params[B], loan_token=Y, lltv=945 * 10**15)
    venue.params = {**venue.params, A: a, B: b}
    return venue


def lent(venue: MorphoBlue, market: MarketId, supplied: int, collateral: int, debt: int) -> None:
    """A supplier and a borrower take their positions."""
    venue.supply(supplier, market, supplied, 0, supplier)
    venue.supply_collateral(borrower, market, collateral, borrower)
    venue.borrow(borrower, market, debt, 0, borrower, borrower)


def test_the_first_supplier_gets_a_million_shares_per_unit(venue: MorphoBlue) -> None:
    assert venue.supply(supplier, A, 1_000_000, 0, supplier) == (1_000_000, 10**12)
    assert venue.positions[A][supplier].supply_shares == 10**12
    assert (venue.balance[X][supplier], venue.balance[X][MORPHO]) == (10**24 - 1_000_000, 1_000_000)


def test_equality_of_debt_and_limit_is_healthy_and_one_unit_of_collateral_less_is_not(venue: MorphoBlue) -> None:
    lent(venue, A, 1_000_000, 625_000, 500_000)
    assert venue.max_borrow(A, borrower) == 500_000 == venue.borrowed_assets(A, borrower)
    assert venue.is_healthy(A, borrower)
    with pytest.raises(Rejected, match="HLT-5"):
        venue.withdraw_collateral(borrower, A, 1, borrower, borrower)
    with pytest.raises(Rejected, match="LIQ-2"):
        venue.liquidate(liquidator, A, borrower, 1, 0)


def test_a_year_at_half_utilisation_grows_debt_by_three_terms_of_the_series(venue: MorphoBlue) -> None:
    lent(venue, A, 1_000_000, 800_000, 500_000)
    venue.advance_time(YEAR)
    venue.accrue_interest(supplier, A)
    # 0.5 + 0.5^2/2 + 0.5^3/6 = 0.6458333, of 500,000, rounded down
    market = venue.markets[A]
    assert (market.total_borrow_assets, market.total_supply_assets) == (822_916, 1_322_916)
    assert (market.total_borrow_shares, market.total_supply_shares) == (5 * 10**11, 10**12)
    assert market.last_update == venue.now
    # 500,000 * 822,917 / 500,001 = 822,915.35, rounded up
    assert venue.borrowed_assets(A, borrower) == 822_916


def test_the_fee_recipient_gets_shares_worth_a_tenth_of_the_interest(venue: MorphoBlue) -> None:
    venue.set_fee_recipient(owner, owner)
    venue.set_fee(owner, A, WAD // 10)
    lent(venue, A, 1_000_000, 800_000, 500_000)
    venue.advance_time(YEAR)
    venue.accrue_interest(supplier, A)
    # a tenth of 322,916, rounded down, at the rate without it: 32,291 * 1,000,001,000,000 / 1,290,626
    assert venue.positions[A][owner].supply_shares == 25_019_666_650
    assert venue.markets[A].total_supply_shares == 10**12 + 25_019_666_650
    assert venue.markets[A].total_supply_assets == 1_322_916


def test_a_market_without_interest_rate_model_charges_nothing(venue: MorphoBlue) -> None:
    lent(venue, B, 1_000_000, 1000, 945)
    venue.advance_time(YEAR)
    venue.accrue_interest(supplier, B)
    assert (venue.markets[B].total_borrow_assets, venue.markets[B].last_update) == (945, venue.now)


def test_the_liquidation_incentive_depends_on_the_limit_and_is_capped(venue: MorphoBlue) -> None:
    assert venue.liquidation_incentive_factor(A) == 1_063_829_787_234_042_553  # 1 / (1 - 0.3 * 0.2)
    assert venue.liquidation_incentive_factor(B) == 1_016_776_817_488_561_260  # 1 / (1 - 0.3 * 0.055)
    venue.params = MorphoBlue.genesis().params
    assert venue.liquidation_incentive_factor(B) == 1_150_000_000_000_000_000  # 1 / (1 - 0.3 * 0.5) is above 1.15


@pytest.mark.parametrize(("seized", "shares"), [(100, 0), (0, 93 * 10**6)])
def test_a_partial_liquidation_leaves_debt_and_collateral(venue: MorphoBlue, seized: int, shares: int) -> None:
    lent(venue, B, 1_000_000, 1000, 945)
    venue.set_price(B, PAR * 94 // 100)
    # 100 * 0.94 * 0.9835 = 92.449, rounded up; the other way 93 * 1.01678 = 94.56 and 94 / 0.94 = 100
    assert venue.liquidate(liquidator, B, borrower, seized, shares) == (100, 93)
    position = venue.positions[B][borrower]
    assert (position.collateral, position.borrow_shares) == (900, 852 * 10**6)
    assert venue.markets[B].total_borrow_assets == 852
    assert venue.markets[B].total_supply_assets == 1_000_000
    assert (venue.balance[X][liquidator], venue.balance[Y][liquidator]) == (10**24 + 100, 10**24 - 93)


def test_debt_without_collateral_is_written_off_at_the_suppliers_expense(venue: MorphoBlue) -> None:
    lent(venue, B, 1_000_000, 1000, 945)
    venue.set_price(B, PAR // 2)
    # 1000 * 0.5 * 0.9835 = 491.75, rounded up; 945 - 492 = 453 is nobody's any more
    assert venue.liquidate(liquidator, B, borrower, 1000, 0) == (1000, 492)
    market, position = venue.markets[B], venue.positions[B][borrower]
    assert (position.collateral, position.borrow_shares) == (0, 0)
    assert (market.total_borrow_assets, market.total_borrow_shares) == (0, 0)
    assert market.total_supply_assets == 1_000_000 - 453


def test_at_price_zero_collateral_is_seized_for_nothing_and_no_debt_can_be_repaid_for_it(venue: MorphoBlue) -> None:
    lent(venue, B, 1_000_000, 1000, 945)
    venue.set_price(B, 0)
    assert (venue.max_borrow(B, borrower), venue.is_healthy(B, borrower)) == (0, False)
    with pytest.raises(Rejected, match="EVM-2"):
        venue.liquidate(liquidator, B, borrower, 0, 10**6)
    assert venue.liquidate(liquidator, B, borrower, 1000, 0) == (1000, 0)
    assert venue.markets[B].total_supply_assets == 1_000_000 - 945


def test_a_price_so_high_that_the_value_overflows_refuses_instead_of_deciding(venue: MorphoBlue) -> None:
    lent(venue, B, 1_000_000, 1000, 945)
    venue.set_price(B, UINT256_MAX // 1000 + 1)
    with pytest.raises(Rejected, match="EVM-1"):
        venue.liquidate(liquidator, B, borrower, 1, 0)


def test_a_million_shares_less_one_are_borrowed_for_nothing_and_owe_one_unit(venue: MorphoBlue) -> None:
    venue.supply(supplier, B, 10, 0, supplier)
    venue.supply_collateral(borrower, B, 2, borrower)
    assert venue.borrow(borrower, B, 0, 999_999, borrower, borrower) == (0, 999_999)
    assert venue.markets[B].total_borrow_assets == 0
    assert venue.borrowed_assets(B, borrower) == 1
    assert venue.repay(borrower, B, 0, 999_999, borrower) == (1, 999_999)
    assert (venue.markets[B].total_borrow_assets, venue.markets[B].total_borrow_shares) == (0, 0)


def test_the_last_borrower_may_repay_one_unit_more_than_the_total_debt(venue: MorphoBlue) -> None:
    venue.supply(supplier, B, 10, 0, supplier)
    venue.supply_collateral(borrower, B, 3, borrower)
    assert venue.borrow(borrower, B, 0, 1_999_999, borrower, borrower) == (1, 1_999_999)
    # 1,999,999 * 2 / 2,999,999, rounded up, is 2 although the market is owed 1
    assert venue.repay(borrower, B, 0, 1_999_999, borrower) == (2, 1_999_999)
    assert (venue.markets[B].total_borrow_assets, venue.markets[B].total_borrow_shares) == (0, 0)


def test_shares_are_withdrawn_rounded_down_and_assets_cost_shares_rounded_up(venue: MorphoBlue) -> None:
    lent(venue, A, 1_000_000, 800_000, 500_000)
    venue.advance_time(YEAR)
    # one share-million is 1,000,000 * 1,322,917 / 1,000,001,000,000 = 1.32 units
    assert venue.withdraw(supplier, A, 0, 10**6, supplier, supplier) == (1, 10**6)
    # 1 * (10^12 - 10^6 + 10^6) / 1,322,916 = 755,905.89, rounded up
    assert venue.withdraw(supplier, A, 1, 0, supplier, supplier) == (1, 755_906)


def test_what_is_lent_cannot_be_withdrawn(venue: MorphoBlue) -> None:
    lent(venue, B, 1000, 2000, 900)
    with pytest.raises(Rejected, match="ACT-6"):
        venue.withdraw(supplier, B, 101, 0, supplier, supplier)
    assert venue.withdraw(supplier, B, 100, 0, supplier, supplier) == (100, 100 * 10**6)
    assert venue.fully_utilised()


def test_totals_hold_128_bits_and_the_refusal_says_which_width(venue: MorphoBlue) -> None:
    venue.set_balance(X, supplier, 2**130)
    with pytest.raises(Rejected, match="INT-1"):
        venue.supply(supplier, A, UINT128_MAX, 0, supplier)
    with pytest.raises(Rejected, match="EVM-1"):
        venue.supply(supplier, A, UINT256_MAX, 0, supplier)


def test_the_contract_itself_is_not_asked_when_a_user_lacks_tokens_or_permission(venue: MorphoBlue) -> None:
    with pytest.raises(Rejected, match="TOK-6"):
        venue.supply(owner, A, 1, 0, owner)  # the owner gave no allowance
    with pytest.raises(Rejected, match="TOK-7"):
        venue.supply(supplier, A, 10**24 + 1, 0, supplier)
    with pytest.raises(Rejected, match="AUT-2"):
        venue.withdraw(liquidator, A, 1, 0, supplier, liquidator)


def test_the_order_of_checks_decides_which_rule_refuses(venue: MorphoBlue) -> None:
    with pytest.raises(Rejected, match="ACT-1"):
        venue.supply(supplier, C, 0, 0, supplier)
    with pytest.raises(Rejected, match="ACT-2"):
        venue.supply(supplier, A, 0, 0, Account("zero"))
    with pytest.raises(Rejected, match="OWN-6"):
        venue.enable_lltv(supplier, Lltv(WAD))
    with pytest.raises(Rejected, match="OWN-7"):
        venue.enable_lltv(owner, Lltv(WAD))
    with pytest.raises(Rejected, match="MKT-2"):
        venue.create_market(owner, C)
    venue.enable_irm(owner, Irm("spare"))
    with pytest.raises(Rejected, match="MKT-3"):
        venue.create_market(owner, C)
