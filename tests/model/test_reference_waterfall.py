"""Who bears a loss, in which order, in numbers computed by hand; and a random walk that never breaks the books.

ETH is at 2,000 USD, sure to a thousandth. The trader is long 10 ETH, the maker and the bystander are short 6 and 4.
"""

import random
from typing import Any

import pytest

from marginspec.lockstep.generate import START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal
from marginspec.model.kernel import Rejected
from marginspec.model.reference import Reference

USD = 10**12  # quote
ETH = 10**6  # size units
E = "ETH-PERP"


def balanced(venue: Any) -> bool:
    longs = [sum(max(a.positions[m].size, 0) for a in venue.accounts.values()) for m in venue.markets]
    return (
        venue.surplus() == venue.collateral_surplus("ETH") == venue.collateral_surplus("BTC") == 0
        and all(sum(a.positions[m].size for a in venue.accounts.values()) == 0 for m in venue.markets)
        and longs == [m.open_interest for m in venue.markets.values()]
        and venue.defaults == sum(account.in_default for account in venue.accounts.values())
        and min(venue.insurance, venue.fees, *venue.held.values()) >= 0
    )


def reprice(venue: Any, price: int) -> None:
    for source in ("first", "second", "third"):
        venue.post("ETH", source, price, price // 1000)
    venue.update_price("keeper", "ETH")


@pytest.fixture
def venue() -> Any:
    """ETH has fallen by 200 USD: the trader, with 1,990 of cash, is bankrupt by 10, and the fund has 4."""
    venue = Reference.blank()
    for call in Reference.prelude():
        if call.action in ("post", "update_price", "set_balance"):
            assert venue.apply(call).accepted
    venue.deposit("trader", "USD", 2000 * 10**6)
    for account in ("maker", "bystander", "liquidator"):
        venue.deposit(account, "USD", 10_000 * 10**6)
    for maker, size in (("maker", 6 * ETH), ("bystander", 4 * ETH)):
        venue.place_order(maker, E, "sell", size, 0)
        venue.trade("trader", maker, E, size)
    venue.fund_insurance("liquidator", 4 * 10**6)
    reprice(venue, 1800 * 10**6)
    assert venue.equity("trader") == -10 * USD
    return venue


def test_the_fund_pays_first_and_its_shortfall_shuts_the_gate(venue: Any) -> None:
    assert venue.cover("keeper", "trader") == 4 * USD
    assert (venue.insurance, venue.defaults, venue.accounts["trader"].in_default) == (0, 1, True)
    with pytest.raises(Rejected, match="WDR-2"):
        venue.withdraw("liquidator", "USD", 1)
    with pytest.raises(Rejected, match="LIQ-3"):
        venue.liquidate("liquidator", "trader", E, ETH)
    venue.fund_insurance("liquidator", 7 * 10**6)
    assert venue.cover("keeper", "trader") == 6 * USD
    assert (venue.insurance, venue.defaults) == (1 * USD, 0)
    venue.withdraw("liquidator", "USD", 1)
    assert balanced(venue)


def test_deleveraging_starts_with_the_largest_profit_and_ends_at_the_bankruptcy_price(venue: Any) -> None:
    with pytest.raises(Rejected, match="DEF-5"):
        venue.deleverage("keeper", "trader", E, "maker")
    venue.cover("keeper", "trader")
    with pytest.raises(Rejected, match="DEF-10"):
        venue.deleverage("keeper", "trader", E, "bystander")
    # the maker's 6 of 10 ETH: 6/10 of a deficit of 6, paid out of a profit of 1,200
    before = venue.equity("maker")
    assert venue.deleverage("keeper", "trader", E, "maker") == (6 * ETH, 36 * USD // 10)
    assert venue.equity("maker") == before - 36 * USD // 10
    assert venue.accounts["trader"].in_default
    assert venue.deleverage("keeper", "trader", E, "bystander") == (4 * ETH, 24 * USD // 10)
    assert (venue.equity("trader"), venue.defaults) == (0, 0)
    assert venue.markets[E].open_interest == 0
    assert balanced(venue)


def test_who_is_deleveraged_pays_neither_capital_nor_maintenance(venue: Any) -> None:
    venue.cover("keeper", "trader")
    maker = venue.accounts["maker"]
    venue.fees += maker.cash - 0
    maker.cash = 0
    # equity 1,200, maintenance 6 * 1,801.8 * ratio
    maker.positions[E].cost += 1200 * USD
    venue.pot += 1200 * USD
    venue.accounts["bystander"].positions[E].cost += 800 * USD
    venue.pot += 800 * USD
    assert venue.deleverage("keeper", "trader", E, "maker") == (6 * ETH, 0)
    assert venue.accounts["trader"].in_default
    assert balanced(venue)


def test_a_loss_is_shared_in_proportion_to_profit_and_not_by_who_has_no_position(venue: Any) -> None:
    venue.cover("keeper", "trader")
    trader = venue.accounts["trader"]
    # a volunteer took the position before the default was found: nothing to deleverage is left
    venue._change("trader", E, -10 * ETH, -10 * ETH * 1800 * 10**6)
    venue._change("liquidator", E, 10 * ETH, 10 * ETH * 1800 * 10**6)
    assert trader.cash == -6 * USD
    cash = {name: account.cash for name, account in venue.accounts.items()}
    assert venue.socialise("keeper", "trader") == 6 * USD
    paid = {name: cash[name] - account.cash for name, account in venue.accounts.items()}
    # profits of 1,200 and 800
    assert paid == {
        "trader": -6 * USD,
        "maker": 36 * USD // 10,
        "bystander": 24 * USD // 10,
        "liquidator": 0,
        "trader_isolated": 0,
    }
    assert venue.defaults == 0
    assert balanced(venue)


def test_without_profit_only_final_settlement_is_left_and_it_pays_everybody_the_same_part(venue: Any) -> None:
    venue.cover("keeper", "trader")
    reprice(venue, 1620 * 10**6)
    venue.start_settlement("governor")
    assert venue.accounts["trader"].cash == -1806 * USD
    with pytest.raises(Rejected, match="SET-2"):
        venue.trade("trader", "maker", E, 1)
    with pytest.raises(Rejected, match="SET-6"):
        venue.fix_settlement("keeper")
    venue.advance_time(86_400)
    venue.fix_settlement("keeper")
    held, claims = venue.held["USD"] * 10**6, sum(max(a.cash, 0) for a in venue.accounts.values())
    assert (venue.settlement_pool, venue.settlement_claims) == (held, claims + 1)
    owed = {name: venue.accounts[name].cash for name in ("bystander", "maker", "liquidator")}
    paid = {name: venue.redeem(name) for name in owed}
    assert paid == {name: cash * held // (claims + 1) // 10**6 for name, cash in owed.items()}
    assert 0 <= venue.held["USD"] <= 3
    assert balanced(venue)


def test_collateral_is_seized_in_order_at_a_discount_and_no_more_than_the_debt(venue: Any) -> None:
    venue.deposit("bystander", "BTC", 10**6)
    venue.deposit("bystander", "ETH", 10**18)
    bystander = venue.accounts["bystander"]
    venue._change("bystander", E, 4 * ETH, 4 * ETH * 1800 * 10**6)
    venue._change("liquidator", E, -4 * ETH, -4 * ETH * 1800 * 10**6)
    venue.fees += bystander.cash + 2100 * USD
    bystander.cash = -2100 * USD
    with pytest.raises(Rejected, match="DEF-2"):
        venue.cover("keeper", "bystander")
    with pytest.raises(Rejected, match="LIQ-14"):
        venue.seize_collateral("liquidator", "bystander", "BTC", 1)
    assert venue.seize_collateral("liquidator", "bystander", "ETH", 10**18) == 1728 * USD
    # 372 of debt are left; 0.01 BTC fetch 384, and 968,750 satoshi 372
    with pytest.raises(Rejected, match="LIQ-16"):
        venue.seize_collateral("liquidator", "bystander", "BTC", 968_751)
    assert venue.seize_collateral("liquidator", "bystander", "BTC", 968_750) == 372 * USD
    assert bystander.cash == 0
    assert balanced(venue)


@pytest.mark.parametrize("seed", range(8))
def test_a_random_walk_never_breaks_the_books(seed: int) -> None:
    generator, rehearsal, draw = Generator(Reference), Rehearsal(Reference), random.Random(seed)
    rehearsal.start()
    generator.start(draw.randbytes(START_BYTES))
    accepted = 0
    for _ in range(300):
        call, outcome = generator.step(rehearsal.machine, rehearsal.state, draw.randbytes(STEP_BYTES))
        rehearsal.taken(call, outcome)
        accepted += outcome.accepted
        assert balanced(rehearsal.machine), call
    assert accepted > 30
