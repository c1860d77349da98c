"""The reference venue in numbers computed by hand.

ETH is at 2,000 and BTC at 40,000 USD, each sure to a thousandth. 1 ETH is 10^6 size units at 2 * 10^9 quote each.
"""

from typing import Any

import pytest

from marginspec.model.kernel import Call, Rejected
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import PPM

USD = 10**12  # quote
ETH = 10**6  # size units
E, B = "ETH-PERP", "BTC-PERP"


@pytest.fixture
def venue() -> Any:
    """Prices accepted and everybody rich, but nothing deposited; open interest far below its caps."""
    venue = Reference.blank()
    for call in Reference.prelude():
        if call.action in ("post", "update_price", "set_balance"):
            assert venue.apply(call).accepted
    return venue


def fund(venue: Any, **usd: int) -> None:
    for account, amount in usd.items():
        venue.deposit(account, "USD", amount * 10**6)


def pair(venue: Any, size: int, taker: str = "trader", maker: str = "maker", market: str = E) -> None:
    """The taker goes long, the maker short, at the mark."""
    venue.place_order(maker, market, "sell", size, 0)
    venue.trade(taker, maker, market, size)


def reprice(venue: Any, asset: str, price: int, confidence: int | None = None) -> None:
    """All sources say so now, and the venue accepts it."""
    for source in ("first", "second", "third"):
        venue.post(asset, source, price, price // 1000 if confidence is None else confidence)
    venue.update_price("keeper", asset)


def lose(venue: Any, account: str, cash: int) -> None:
    """Leave an account with so much cash; the fees have the rest."""
    venue.fees += venue.accounts[account].cash - cash
    venue.accounts[account].cash = cash


def balanced(venue: Any) -> bool:
    longs = [sum(max(a.positions[m].size, 0) for a in venue.accounts.values()) for m in venue.markets]
    return (
        venue.surplus() == venue.collateral_surplus("ETH") == venue.collateral_surplus("BTC") == 0
        and all(sum(a.positions[m].size for a in venue.accounts.values()) == 0 for m in venue.markets)
        and longs == [m.open_interest for m in venue.markets.values()]
    )


def test_a_trade_moves_size_and_cost_exactly_and_charges_fees_rounded_up(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000)
    venue.place_order("maker", E, "sell", 3, 2_000_000_001)
    venue.trade("trader", "maker", E, 3)
    taker, maker = venue.accounts["trader"], venue.accounts["maker"]
    assert (taker.positions[E].size, taker.positions[E].cost) == (3, 6_000_000_003)
    assert (maker.positions[E].size, maker.positions[E].cost) == (-3, -6_000_000_003)
    # 6,000,000,003 * 500 ppm = 3,000,000.0015 and * 200 ppm = 1,200,000.0006, rounded up
    assert (taker.cash, maker.cash) == (1000 * USD - 3_000_001, 1000 * USD - 1_200_001)
    assert venue.fees == 4_200_002
    assert venue.markets[E].premium == 0  # a tenth of 1, rounded down
    assert venue.orders[E]["maker"].size == 0
    assert balanced(venue)


def test_margins_in_an_empty_book_are_ratio_times_higher_edge(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000)
    pair(venue, ETH)
    # 1 ETH at 2,002: 5 % is 100.1; 8 % and 0.0025 % (25 ppm) for an open interest of 1 in 2,000 is 160.21005
    assert venue.maintenance_margin("trader") == venue.maintenance_margin("maker") == 100_100_000_000_000
    assert venue.initial_margin("trader") == 160_210_050_000_000
    assert venue.equity("trader") == 999 * USD


def test_initial_margin_suffices_at_equality_and_not_with_one_unit_less(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000)
    pair(venue, ETH)
    spare = (999 * USD - 160_210_050_000_000) // 10**6
    with pytest.raises(Rejected, match="MRG-6"):
        venue.withdraw("trader", "USD", spare + 1)
    venue.withdraw("trader", "USD", spare)
    assert venue.equity("trader") == venue.initial_margin("trader")


def test_equity_at_maintenance_is_safe_and_one_quote_below_is_liquidated(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000, liquidator=1000)
    pair(venue, ETH)
    trader = venue.accounts["trader"]
    trader.cash -= venue.equity("trader") - venue.maintenance_margin("trader")
    with pytest.raises(Rejected, match="LIQ-5"):
        venue.liquidate("liquidator", "trader", E, ETH)
    trader.cash -= 1
    assert venue.liquidatable()
    closed, _ = venue.liquidate("liquidator", "trader", E, ETH)
    assert 0 < closed < ETH


def test_a_liquidation_closes_the_least_that_restores_maintenance_and_buffer(venue: Any) -> None:
    fund(venue, trader=1700, maker=5000, liquidator=5000)
    pair(venue, 10 * ETH)
    lose(venue, "trader", 1000 * USD)
    # 10 ETH: requirement with buffer 6 % of 20,020 = 1,201.2; short by 201.2; each ETH frees 120.12 and costs 20
    closed, paid = venue.liquidate("liquidator", "trader", E, 10 * ETH)
    assert (closed, paid) == (2_009_589, 2_009_589 * 2000 * 10**6 // 100)  # 201.2 / 100.12 = 2.0095885
    position = venue.accounts["trader"].positions[E]
    wanted = position.size * 2_002_000_000 * 60_000
    assert wanted <= venue.equity("trader") * PPM < wanted + 2_002_000_000 * 60_000
    assert venue.accounts["liquidator"].positions[E].size == closed
    assert venue.accounts["liquidator"].cash == 5000 * USD + paid // 2
    assert venue.insurance == paid - paid // 2
    with pytest.raises(Rejected, match="LIQ-5"):
        venue.liquidate("liquidator", "trader", E, 10 * ETH)


def test_a_second_liquidation_follows_a_second_fall(venue: Any) -> None:
    fund(venue, trader=1700, maker=5000, liquidator=5000)
    pair(venue, 10 * ETH)
    lose(venue, "trader", 1000 * USD)
    first, _ = venue.liquidate("liquidator", "trader", E, 10 * ETH)
    venue.advance_time(60)
    reprice(venue, "ETH", 1960 * 10**6)
    second, _ = venue.liquidate("liquidator", "trader", E, 10 * ETH)
    assert (first, venue.accounts["trader"].positions[E].size) == (2_009_589, 10 * ETH - first - second)
    assert balanced(venue)


def test_a_rest_below_the_dust_threshold_is_closed_too(venue: Any) -> None:
    fund(venue, trader=100, maker=5000, liquidator=5000)
    pair(venue, 300_000)  # 600 USD
    lose(venue, "trader", 29 * USD)
    # short by 6 % of 600.6 less 29 = 7.036; 0.07 ETH would do, and leave 459 USD
    call = Call("liquidate", {"liquidator": "liquidator", "account": "trader", "market": E, "most": ETH})
    assert venue.apply(call).returns == (300_000, 6 * USD)
    assert venue.closed_as_dust()


def test_the_penalty_is_capped_by_equity(venue: Any) -> None:
    fund(venue, trader=1700, maker=5000, liquidator=5000)
    pair(venue, 10 * ETH)
    lose(venue, "trader", 7)
    assert venue.liquidate("liquidator", "trader", E, 10 * ETH) == (10 * ETH, 7)
    assert (venue.accounts["trader"].cash, venue.insurance) == (0, 4)


def test_the_limit_slows_what_goes_beyond_maintenance_and_nothing_else(venue: Any) -> None:
    fund(venue, trader=40_000, maker=90_000, liquidator=90_000)
    pair(venue, 200 * ETH)
    venue.advance_time(1)
    lose(venue, "trader", 12_000 * USD)
    # 200 ETH at 2,002: maintenance 20,020, short by 8,020; each ETH frees 100.1 and costs 20; 15 more are 30,000 USD
    closed, _ = venue.liquidate("liquidator", "trader", E, 200 * ETH)
    assert closed == 100_124_844 + 15 * ETH
    assert venue.markets[E].room == 0
    venue.accounts["trader"].cash -= 6000 * USD
    closed, _ = venue.liquidate("liquidator", "trader", E, 200 * ETH)
    assert closed > 0
    assert 0 <= venue.equity("trader") - venue.maintenance_margin("trader") < 100 * USD
    assert venue.markets[E].room == 0


def test_a_feed_that_is_down_shields_nobody(venue: Any) -> None:
    fund(venue, trader=1700, maker=5000, liquidator=5000)
    venue.deposit("trader", "BTC", 1)
    pair(venue, 10 * ETH)
    pair(venue, 1, market=B)
    lose(venue, "trader", 0)
    venue.advance_time(3601)
    reprice(venue, "ETH", 1900 * 10**6)
    with pytest.raises(Rejected, match="ORC-8"):
        venue.equity("trader")
    closed, _ = venue.liquidate("liquidator", "trader", E, 10 * ETH)
    assert closed == 10 * ETH
    with pytest.raises(Rejected, match="ORC-8"):
        venue.liquidate("liquidator", "trader", B, 1)


@pytest.mark.parametrize(("debt", "paid"), [(1950, 1950), (1999, 1999), (2040, 2000), (3000, 2000)])
def test_who_owns_both_accounts_earns_no_discount_that_the_fund_would_pay(venue: Any, debt: int, paid: int) -> None:
    fund(venue, bystander=3000, liquidator=5000)
    venue.fund_insurance("liquidator", 2 * 10**9)
    venue.deposit("bystander", "ETH", 10**18)
    lose(venue, "bystander", -debt * USD)
    before = venue.accounts["liquidator"].cash
    # The collateral is worth 2,000 USD and the discount would be 80. 500 wei are worth the least there is of quote.
    needed = 10**18 if debt > 2000 else 10**18 - 499
    assert venue.seize_collateral("liquidator", "bystander", "ETH", needed) == paid * USD
    assert before - venue.accounts["liquidator"].cash == paid * USD
    covered = venue.apply(Call("cover", {"caller": "keeper", "account": "bystander"}))
    # The fund pays what the debt exceeds the collateral by, and no discount.
    assert (covered.rule, covered.returns) == ((None, ((debt - 2000) * USD,)) if debt > 2000 else ("DEF-2", ()))
    assert venue.accounts["bystander"].cash == 0


def test_deposits_in_parts_count_as_much_as_in_one_and_less_beyond_a_tier(venue: Any) -> None:
    unit = 10**18
    venue.deposit("trader", "ETH", 999 * unit)
    venue.deposit("maker", "ETH", 3)
    venue.deposit("bystander", "ETH", unit)
    counted = [venue.accounts[a].collateral["ETH"].counted for a in ("trader", "maker", "bystander")]
    # all of the first 1,000 ETH, half of the 3 units beyond, rounded down
    assert counted == [999 * unit, 3, unit - 2]
    venue.withdraw("bystander", "ETH", 1)
    assert venue.accounts["bystander"].collateral["ETH"].counted == unit - 3
    assert balanced(venue)


def test_collateral_counts_at_the_lower_edge_after_the_haircut(venue: Any) -> None:
    venue.deposit("trader", "ETH", 10**18)
    assert venue.equity("trader") == 1998 * USD * 92 // 100
    assert venue.initial_margin("trader") == 1998 * USD * 2 // 100


def test_funding_is_paid_by_longs_above_the_mark_and_its_rounding_stays_in_the_pot(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000)
    venue.place_order("maker", E, "sell", 7, 2_000_000_010)
    venue.trade("trader", "maker", E, 7)
    assert venue.markets[E].premium == 1
    venue.advance_time(3600)
    reprice(venue, "ETH", 2000 * 10**6)
    venue.withdraw("trader", "USD", 1)
    venue.withdraw("maker", "USD", 1)
    # 1 quote per size unit and 8 hours: 0.125 an hour; 0.875 for 7 units, debit 1, credit 0
    assert venue.markets[E].funding_index == 125_000
    assert venue.accounts["trader"].positions[E].cost == 7 * 2_000_000_010 + 1
    assert venue.accounts["maker"].positions[E].cost == -7 * 2_000_000_010
    assert venue.pot == 1
    assert balanced(venue)


def test_a_full_close_realises_and_a_partial_one_does_not(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000, bystander=1000)
    pair(venue, ETH)
    reprice(venue, "ETH", 2100 * 10**6)
    venue.place_order("bystander", E, "buy", ETH, 0)
    cash = venue.accounts["trader"].cash
    venue.trade("trader", "bystander", E, ETH // 2)
    assert venue.accounts["trader"].cash == cash - 1050 * USD // 2000
    venue.trade("trader", "bystander", E, ETH // 2)
    assert venue.accounts["trader"].cash == cash - 2 * (1050 * USD // 2000) + 100 * USD
    assert balanced(venue)


def test_a_reduction_below_initial_margin_may_cost_the_penalty_and_not_more(venue: Any) -> None:
    fund(venue, trader=1700, maker=5000, bystander=5000)
    pair(venue, 10 * ETH)
    lose(venue, "trader", 900 * USD)
    with pytest.raises(Rejected, match="MRG-6"):
        pair(venue, 1)
    # of 2,000 USD sold, 20 may be lost, and 1 is the fee (less a little for the lower price): 0.95 % below the mark
    venue.place_order("bystander", E, "buy", ETH, 1_980_000_000)
    with pytest.raises(Rejected, match="TRD-11"):
        venue.trade("trader", "bystander", E, ETH)
    venue.place_order("bystander", E, "buy", ETH, 1_981_000_000)
    venue.trade("trader", "bystander", E, ETH)
    assert balanced(venue)


def test_the_circuit_breaker_keeps_the_old_price_until_the_new_one_is_confirmed(venue: Any) -> None:
    reprice(venue, "ETH", 2400 * 10**6)  # exactly 20 %
    reprice(venue, "ETH", 2880 * 10**6 + 1)
    assert (venue.assets["ETH"].mark, venue.assets["ETH"].tripped_at) == (2400 * 10**6, venue.now)
    fund(venue, trader=1000, maker=1000)
    with pytest.raises(Rejected, match="TRD-9"):
        pair(venue, 1)
    venue.advance_time(1799)
    with pytest.raises(Rejected, match="ORC-7"):
        venue.update_price("keeper", "ETH")
    venue.advance_time(1)
    venue.update_price("keeper", "ETH")
    assert (venue.assets["ETH"].mark, venue.assets["ETH"].tripped_at) == (2880 * 10**6 + 1, 0)


def test_one_wrong_source_moves_no_edge_beyond_the_right_ones(venue: Any) -> None:
    venue.post("ETH", "first", 2000 * 10**6, 0)
    venue.post("ETH", "second", 2010 * 10**6, 10**6)
    venue.post("ETH", "third", 900_000 * 10**6, 10**9)
    venue.update_price("keeper", "ETH")
    asset = venue.assets["ETH"]
    assert (asset.low, asset.mark, asset.high) == (2009 * 10**6, 2010 * 10**6, 2011 * 10**6)


def test_two_reports_give_the_lower_mark_and_the_outer_edges_and_one_is_no_quorum(venue: Any) -> None:
    venue.post("ETH", "first", 2000 * 10**6, 10**6)
    venue.post("ETH", "second", 2010 * 10**6, 10**6)
    venue.post("ETH", "third", 10**12, 0)  # the feed's own maximum
    venue.update_price("keeper", "ETH")
    asset = venue.assets["ETH"]
    assert (asset.low, asset.mark, asset.high) == (1999 * 10**6, 2000 * 10**6, 2011 * 10**6)
    venue.post("ETH", "second", 2010 * 10**6, 2010 * 2 * 10**4 + 1)  # 2 % and a unit: too unsure
    assert venue.quorum_lost()
    with pytest.raises(Rejected, match="ORC-4"):
        venue.update_price("keeper", "ETH")


def test_a_price_of_an_hour_is_used_and_one_second_older_is_not_but_only_where_needed(venue: Any) -> None:
    fund(venue, trader=1000, maker=1000, bystander=10)
    pair(venue, ETH)
    venue.advance_time(3600)
    venue.withdraw("trader", "USD", 1)
    venue.advance_time(1)
    with pytest.raises(Rejected, match="ORC-8"):
        venue.withdraw("trader", "USD", 1)
    venue.withdraw("bystander", "USD", 10 * 10**6)


def test_margin_tightens_five_ppm_a_second_and_relaxes_one(venue: Any) -> None:
    venue.advance_time(1000)
    reprice(venue, "ETH", 2200 * 10**6)
    # volatility 10 % asks for 10 %; 5 % + 1,000 * 5 ppm; haircut asks for 8 % + 1 % + 5 %
    assert venue.assets["ETH"].volatility == 100_000
    assert (venue.markets[E].ratio, venue.assets["ETH"].haircut) == (55_000, 85_000)
    venue.advance_time(2 * 86_400)
    reprice(venue, "ETH", 2200 * 10**6)
    # only an hour counts: 100,000 - 100,000 / 24 (rounded down: 4,166), and 18,000 up
    assert venue.assets["ETH"].volatility == 95_834
    assert venue.markets[E].ratio == 73_000
    assert venue.markets[B].ratio == 50_000


def test_announced_parameters_wait_and_then_ramp_over_a_week(venue: Any) -> None:
    with pytest.raises(Rejected, match="PRM-4"):
        venue.announce("governor", E, "minimum_ratio", 49_389)
    venue.announce("governor", E, "minimum_ratio", 49_390)  # 39,000 + 10,000 + 390
    venue.announce("governor", E, "minimum_ratio", 60_000)
    venue.advance_time(2 * 86_400 - 1)
    reprice(venue, "ETH", 2000 * 10**6)
    assert venue.parameters[E]["minimum_ratio"] == 50_000
    venue.advance_time(1)
    reprice(venue, "ETH", 2000 * 10**6)
    # 10,000 / 604,800 of a second's progress, rounded up
    assert (venue.markets[E].ramp_progress, venue.parameters[E]["minimum_ratio"]) == (1, 50_001)
    for _ in range(168):
        venue.advance_time(3600)
        reprice(venue, "ETH", 2000 * 10**6)
    assert (venue.markets[E].ramp_at, venue.parameters[E]["minimum_ratio"]) == (0, 60_000)
    assert venue.markets[E].ratio == 60_000
