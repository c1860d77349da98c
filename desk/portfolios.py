"""Random questions for a risk service: options, tails, histories and portfolios of every kind, from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from marginspec.model.risk.black import discount
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD, YEAR
from marginspec.model.risk.revaluation import Held, Moved
from marginspec.model.risk.scan import (
    ABSOLUTE,
    DOWN,
    LINEAR,
    NONE,
    UP,
    Account,
    Collateral,
    Expiry,
    Option,
    Parameters,
    Scenario,
)

DAY = 86_400
EXPIRIES = (0, 1, 3600, DAY, 7 * DAY, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1, 90 * DAY, YEAR)


def wad(x: float) -> int:
    """A decimal number with 18 decimals, of which 15 are those of x."""
    whole, _, part = f"{x:.15f}".partition(".")
    return int(whole + part) * 1000


REGULAR = (
    Scenario(wad(1.18), UP),
    *(Scenario(wad(spot), shock) for spot in (1.135, 1.09, 1.045, 1, 0.955, 0.91, 0.865) for shock in (DOWN, NONE, UP)),
    Scenario(wad(0.82), UP),
)
TAILS = tuple(
    Scenario(wad(spot), UP, wad(damping))
    for spot, damping in ((0.34, 0.054), (0.67, 0.109), (1.5, 0.072), (2, 0.036), (3, 0.018), (4, 0.012))
)
SKEWS = (Scenario(WAD, LINEAR, wad(2)), Scenario(WAD, ABSOLUTE))
SCENARIOS = (*REGULAR, *TAILS, *SKEWS)


@dataclass
class OptionQuestion:
    """An option whose price is asked for."""

    forward: int
    strike: int
    volatility: int
    seconds: int
    factor: int


@dataclass
class TailQuestion:
    """Losses of which the tail is asked for."""

    losses: list[int]
    chance: int


@dataclass
class HistoryQuestion:
    """Moves that are to be filtered."""

    moves: list[int]
    variance: int
    memory: int


@dataclass
class MarginQuestion:
    """An account whose margin is asked for."""

    account: Account
    holdings: list[tuple[Expiry, list[Option]]]
    collateral: list[Collateral]
    scenarios: Sequence[Scenario] = SCENARIOS
    parameters: Parameters = field(default_factory=Parameters)


@dataclass
class RevaluationQuestion:
    """A book of options to be valued anew in scenarios."""

    book: list[Held]
    scenarios: list[Moved]


Question = RevaluationQuestion | OptionQuestion | TailQuestion | HistoryQuestion | MarginQuestion


def quote(draw: random.Random) -> OptionQuestion:
    """An option of any price, moneyness, volatility and time."""
    forward = int(10 ** draw.uniform(12, 23))
    strike = int(forward * math.exp(draw.choice((0, draw.gauss(0, 0.2), draw.gauss(0, 1.5))))) + 1
    seconds, volatility = draw.choice(EXPIRIES), int(10 ** draw.uniform(16, 19))
    return OptionQuestion(forward, strike, draw.choice((volatility, 0)) if draw.random() < 0.1 else volatility, seconds,
                 draw.randint(WAD // 2, WAD))  # fmt: skip


def tail(draw: random.Random) -> TailQuestion:
    """Losses of a day to two years of scenarios."""
    scenarios = draw.choice((1, 2, 4, 10, 100, 250, 500))
    losses = [wad(draw.gauss(0, 1) * 10 ** draw.uniform(0, 4)) for _ in range(scenarios)]
    return TailQuestion(losses, draw.choice((WAD // 100, WAD // 40, WAD // 20, WAD // 4, WAD // 2)))


def history(draw: random.Random) -> HistoryQuestion:
    """Moves of a market that is calm or not."""
    deviation = 10 ** draw.uniform(-3, -1)
    moves = [wad(max(draw.gauss(0, deviation), -0.9)) for _ in range(draw.randint(1, 60))]
    return HistoryQuestion(moves, wad(deviation**2), draw.choice((94, 97, 90)) * WAD // 100)


def book(draw: random.Random) -> MarginQuestion:
    """An account of any kind: spreads, calendars, boxes, perpetuals, collateral, unsure feeds, a peg that is lost."""
    spot = 10 ** draw.uniform(1, 5)
    holdings = [_expiry(draw, spot) for _ in range(draw.choice((0, 1, 1, 1, 2, 3)))]
    collateral = [
        Collateral(wad(10 ** draw.uniform(2, 6)), wad(draw.uniform(0, 0.3)), wad(draw.uniform(0, 0.1)),
                   wad(draw.choice((1, 0.55, 0.5))), draw.random() < 0.5)
        for _ in range(draw.choice((0, 0, 1, 2)))
    ]  # fmt: skip
    perpetual = wad(draw.choice((0, draw.gauss(0, 20))))
    account = Account(wad(draw.gauss(0, 1e5)), perpetual, wad(spot * 1.01), wad(draw.gauss(0, 100)), wad(spot),
                      wad(draw.choice((1, 1.001, 0.98, 0.9))), wad(draw.choice((1, 0.95, 0.55, 0.4))))  # fmt: skip
    return MarginQuestion(account, holdings, collateral)


def _expiry(draw: random.Random, spot: float) -> tuple[Expiry, list[Option]]:
    seconds, rate = draw.choice(EXPIRIES), wad(draw.choice((draw.uniform(-0.05, 0.3), draw.uniform(0.3, 2))))
    strikes = [wad(spot * math.exp(draw.gauss(0, 0.4))) for _ in range(2)]
    fixed = draw.choice((0, 0, wad(spot / 3)))
    forward, sure = wad(spot * draw.uniform(0.95, 1.1)) - fixed, wad(draw.choice((1, 0.9, 0.55, 0.3)))
    options = {
        (strike, is_call): Option(Leg(strike, wad(draw.gauss(0, 10)), is_call), wad(draw.uniform(0.1, 1.5)))
        for strike, is_call in ((draw.choice(strikes), draw.random() < 0.5) for _ in range(draw.randint(1, 3)))
    }
    return Expiry(seconds, forward, fixed, rate, discount(rate, seconds), sure), list(options.values())


def revaluation(draw: random.Random) -> RevaluationQuestion:
    """A book of options of several expiries, and scenarios of price and volatility."""
    scenarios = [
        Moved(wad(math.exp(draw.gauss(0, 0.15))), wad(math.exp(draw.gauss(0, 0.3)))) for _ in range(draw.randint(1, 20))
    ]
    return RevaluationQuestion([_held(draw) for _ in range(draw.randint(1, 4))], scenarios)


def _held(draw: random.Random) -> Held:
    asked = quote(draw)
    leg = Leg(asked.strike, wad(draw.gauss(0, 10)), draw.random() < 0.5)
    return Held(leg, asked.forward, asked.volatility, asked.seconds, asked.factor)


DRAWS: Mapping[str, Callable[[random.Random], Question]] = {
    "option": quote,
    "tail": tail,
    "history": history,
    "margin": book,
    "revaluation": revaluation,
}
