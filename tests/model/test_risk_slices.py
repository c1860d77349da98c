"""Liquidation of portfolios in slices, on portfolios that the scan margins: what is left is what the rules say."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from marginspec.desk.portfolios import book, wad
from marginspec.model.kernel import Rejected
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.scan import Margins, margins
from marginspec.model.risk.slices import Portfolio, Slicing, Taken, left, left_after, share_of, slice_of

TERMS = Slicing()


def as_a_whole(found: Margins, cash: int) -> Portfolio:
    """An account as slices see it."""
    return Portfolio(found.mark_to_market - cash, found.mark_to_market - found.maintenance, cash)


def without(case, taken: Taken):
    """The account once a slice is gone."""
    account, holdings, collateral, scenarios, parameters = case

    def kept(amount: int) -> int:
        return amount - share_of(amount, taken.part)

    rest = replace(
        account,
        cash=account.cash + taken.paid,
        perpetual=kept(account.perpetual),
        unpaid=kept(account.unpaid),
    )
    left_of = [
        (expiry, [replace(o, leg=Leg(o.leg.strike, kept(o.leg.amount), o.leg.is_call)) for o in options])
        for expiry, options in holdings
    ]
    return rest, left_of, [replace(c, value=kept(c.value)) for c in collateral], scenarios, parameters


def below_maintenance(seed: int, part: float):
    """An account that lacks a part of its requirement."""
    asked = book(random.Random(seed))
    account, holdings, collateral = asked.account, asked.holdings, asked.collateral
    scenarios, parameters = asked.scenarios, asked.parameters
    found = margins(account, holdings, collateral, scenarios, parameters)
    required = found.mark_to_market - found.maintenance
    cash = account.cash - found.maintenance - wad(part) * required // WAD
    return replace(account, cash=cash), holdings, collateral, scenarios, parameters


@pytest.mark.parametrize("part", [0.001, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(12))
def test_what_a_slice_leaves_is_margined_as_the_rules_say(seed: int, part: float) -> None:
    case = below_maintenance(seed, part)
    cash, before = case[0].cash, margins(*case)
    whole = as_a_whole(before, cash)
    if whole.required == 0:
        pytest.fail("a portfolio that needs no margin: draw another")
    assert left(whole) == before.maintenance < 0
    taken = slice_of(whole, WAD, TERMS)
    after = margins(*without(case, taken))
    # Each amount is rounded by a unit, of what costs as much as the dearest of them.
    dearest = max([WAD, case[0].spot, *(max(e.forward, o.leg.strike) for e, os in case[1] for o in os)])
    allowed = 200 * 10 * dearest // WAD + 1000
    assert abs(after.maintenance - left_after(whole, taken)) <= allowed
    assert after.maintenance >= (WAD - taken.part) * whole.required // WAD * TERMS.buffer // WAD - allowed
    assert after.mark_to_market >= -allowed, "the liquidator is paid by the account alone"
    if after.maintenance >= 0:
        with pytest.raises(Rejected) as refused:
            slice_of(as_a_whole(after, cash + taken.paid), WAD, TERMS)
        assert refused.value.rule == "SLC-7"


def test_small_offers_add_up_to_what_one_would_take() -> None:
    whole, parts = Portfolio(wad(5_000), wad(6_000), wad(-2_000)), []
    at_once = slice_of(whole, WAD, TERMS)
    now = whole
    while left(now) < 0:
        taken = slice_of(now, WAD // 10, TERMS)
        parts.append(taken)
        kept = WAD - taken.part
        now = Portfolio(kept * now.value // WAD, -(-kept * now.required // WAD), now.cash + taken.paid)
    gone = WAD - now.required * WAD // whole.required
    assert len(parts) > 3
    assert gone == pytest.approx(at_once.part, rel=0.1)
    assert left(now) >= 0


def test_who_is_worth_nothing_goes_over_at_the_mark() -> None:
    sold = Portfolio(wad(-9_000), wad(1_000), wad(8_000))
    taken = slice_of(sold, WAD, TERMS)
    assert taken == Taken(WAD, wad(-9_000)), "all of it, and no discount: the account owes a thousand more than it has"
    assert left_after(sold, taken) == wad(-1_000)


@pytest.mark.parametrize("offered", [0, -1, WAD + 1])
def test_what_is_no_part_is_refused(offered: int) -> None:
    with pytest.raises(Rejected) as refused:
        slice_of(Portfolio(0, wad(1), 0), offered, TERMS)
    assert refused.value.rule == "SLC-8"


def test_a_rest_that_nobody_would_take_goes_too() -> None:
    small = Portfolio(wad(62), wad(52), wad(-13))
    assert slice_of(small, WAD, TERMS).part == WAD
    assert slice_of(small, WAD, replace(TERMS, dust=0)).part < WAD
