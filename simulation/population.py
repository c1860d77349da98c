"""Who trades in a simulation: accounts with leverage, collateral and habits, drawn; market makers; liquidators."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import cast

from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.reference.notation import (
    BUY,
    MAX_SIZE,
    PPM,
    QUOTE_PER_UNIT,
    SELL,
    USD,
    AccountId,
    Holder,
    Side,
    User,
)
from marginspec.model.reference.venue import ETH
from marginspec.simulation.crowd import BACKSTOP, KEEPER, MARKET, CrowdedVenue, crowd, endow, open_wide, report
from marginspec.simulation.terms import SimulationTerms

TOKENS_PER_USD = 10**6
MEDIAN_EQUITY, SPREAD_OF_EQUITY, MOST_EQUITY = 4_000, 1.2, 400_000
"""USD, the deviation of the logarithm, USD."""

LONG_PART, COLLATERAL_PART, WITHDRAWING_PART = 0.62, 0.25, 0.3
LEAST_LEVERAGE, MOST_LEVERAGE = 1.0, 12.0
MAKERS, MAKER_USD = 4, 12_000
"""Market makers, and what they have together for each account, USD."""

CALM_HOURS, CALM_MOVE = 12, 5_000
"""Before anybody trades: hours with a price each, and by how much it goes up and down, ppm."""


@dataclass(frozen=True)
class Trader:
    """Somebody as drawn: USD that are deposited, in cash and in ETH, and withdrawn again; signed leverage."""

    name: str
    cash: int
    collateral: int
    withdrawn: int
    leverage: float


@dataclass(frozen=True)
class Cast:
    """Who is there, and the venue on which they have traded."""

    venue: CrowdedVenue
    traders: tuple[Trader, ...]
    makers: tuple[str, ...]
    liquidators: tuple[str, ...]


def drawn_traders(chance: random.Random, count: int) -> tuple[Trader, ...]:
    """Traders: their equity log-normal, their leverage from 1 to 12 with few at the top, more long than short."""
    return tuple(_drawn_trader(chance, f"trader{n}") for n in range(count))


def _drawn_trader(chance: random.Random, name: str) -> Trader:
    equity = min(MOST_EQUITY, max(50, round(MEDIAN_EQUITY * math.exp(chance.gauss(0, SPREAD_OF_EQUITY)))))
    collateral = round(equity * chance.uniform(0.2, 0.7)) if chance.random() < COLLATERAL_PART else 0
    withdrawn = round(equity * chance.random()) if chance.random() < WITHDRAWING_PART else 0
    size = LEAST_LEVERAGE + (MOST_LEVERAGE - LEAST_LEVERAGE) * chance.betavariate(1.6, 2.4)
    side = 1 if chance.random() < LONG_PART else -1
    return Trader(name, equity - collateral + withdrawn, collateral, withdrawn, side * size)


def populated(chance: random.Random, terms: SimulationTerms, price: int) -> Cast:
    """A venue at a first price on which everybody has traded."""
    traders = drawn_traders(chance, terms.accounts)
    makers = tuple(f"maker{n}" for n in range(MAKERS))
    liquidators = tuple(f"liquidator{n}" for n in range(terms.liquidators))
    names = (*(trader.name for trader in traders), *makers, *liquidators, str(BACKSTOP))
    venue = cast(CrowdedVenue, crowd(names, terms.accounts * 10**20).blank())
    open_wide(venue)
    _calm_day(venue, price)
    for maker in makers:
        endow(venue, maker, USD, terms.accounts * MAKER_USD * TOKENS_PER_USD // MAKERS)
    for liquidator in liquidators:
        endow(venue, liquidator, USD, terms.accounts * terms.capital * TOKENS_PER_USD)
    endow(venue, str(BACKSTOP), USD, terms.accounts * terms.backstop * TOKENS_PER_USD)
    fund = terms.accounts * terms.insurance * TOKENS_PER_USD
    if fund:
        venue.must("set_balance", token=USD, account=KEEPER, amount=fund)
        venue.must("fund_insurance", caller=KEEPER, amount=fund)
    for number, trader in enumerate(traders):
        _enter(venue, trader, makers[number % MAKERS])
    return Cast(venue, traders, makers, liquidators)


def _calm_day(venue: CrowdedVenue, price: int) -> None:
    """Prices that go up and down by a little, so that ratios are those of a calm market."""
    for hour in range(CALM_HOURS + 1):
        moved = mul_div_down(price, PPM + (CALM_MOVE if hour % 2 else 0), PPM)
        report(venue, moved)
        venue.must("update_price", caller=KEEPER, asset=ETH)
        venue.must("advance_time", seconds=3600)
    report(venue, price)
    venue.must("update_price", caller=KEEPER, asset=ETH)


def _enter(venue: CrowdedVenue, trader: Trader, maker: str) -> None:
    endow(venue, trader.name, USD, trader.cash * TOKENS_PER_USD)
    mark = venue.assets[ETH].mark
    if trader.collateral:
        unit = venue.asset_terms[ETH].unit
        endow(venue, trader.name, ETH, div_down(trader.collateral * TOKENS_PER_USD * QUOTE_PER_UNIT * unit, mark))
    if trader.withdrawn:
        amount = trader.withdrawn * TOKENS_PER_USD
        venue.must("withdraw", account=trader.name, token=USD, amount=amount)
    equity = venue.equity(AccountId(User(Holder(trader.name))))
    size = int(abs(trader.leverage) * equity / mark)
    while size > 0 and not trade(venue, trader.name, maker, size if trader.leverage > 0 else -size):
        size = size * 9 // 10


def trade(venue: CrowdedVenue, account: str, maker: str, size: int) -> bool:
    """Trade a signed size with a maker at the mark; whether nothing refused it."""
    side: Side = SELL if size > 0 else BUY
    venue.must("place_order", account=maker, market=MARKET, side=side, size=min(abs(size), MAX_SIZE), price=0)
    arguments = {"account": account, "maker": maker, "market": MARKET, "size": abs(size)}
    return venue.try_to("trade", (account, maker), **arguments).accepted
