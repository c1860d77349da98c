"""The venue's desk: what the backstop took over is hedged elsewhere, by the rules of chapter 15.

The hedge is a position at another venue, at the same mark, settled in cash at each price: its profit goes to the
backstop's account, and its loss comes from there as far as initial margin stays; the rest the desk owes.
"""

from __future__ import annotations

from dataclasses import dataclass

from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down
from marginspec.model.reference.notation import PPM, QUOTE_PER_UNIT, USD, AccountId
from marginspec.model.risk.hedging import Policy, paid, trade
from marginspec.model.risk.notation import WAD
from marginspec.simulation.crowd import BACKSTOP, MARKET, CrowdedVenue
from marginspec.simulation.paths import PRICE_OF_USD
from marginspec.simulation.terms import SimulationTerms

WAD_PER_SIZE = WAD // 10**6
"""Of the underlying, for a size unit."""

WAD_PER_QUOTE = 10**6
"""Money with 18 decimals, for a quote."""

TURNOVER, BUDGET = 20, 40
"""In a period: how many times the band is traded at most, and USD of cost for each thousand accounts."""


@dataclass
class Hedge:
    """size: of the hedge, signed, size units. cash: of the desk, quote; negative where it owes. cost: paid so far.

    gained: by the hedge before its cost, quote. trades: how many. deposited, withdrawn: tokens into and out of the
    backstop's account.
    """

    size: int = 0
    cash: int = 0
    cost: int = 0
    gained: int = 0
    trades: int = 0
    deposited: int = 0
    withdrawn: int = 0


class Desk:
    """Hedges what the backstop has, once in a while."""

    def __init__(self, venue: CrowdedVenue, terms: SimulationTerms) -> None:
        self._venue, self._terms = venue, terms
        self._mark = venue.mark(MARKET, aged=True)
        self.hedge = Hedge()

    def mark_to_market(self) -> bool:
        """Settle the hedge at the last mark; whether the backstop's account changed."""
        mark = self._venue.mark(MARKET, aged=True)
        gained = self.hedge.size * (mark - self._mark)
        self._mark = mark
        self.hedge.gained += gained
        self.hedge.cash += gained
        return self._move_cash()

    def rebalance(self) -> bool:
        """Trade what HDG-3 says against the exposure of backstop and hedge; whether the backstop's account changed."""
        exposure = (self._venue.size(AccountId(BACKSTOP)) + self.hedge.size) * WAD_PER_SIZE
        policy = self._policy()
        size = _towards_zero(trade(exposure, policy), WAD_PER_SIZE)
        if size == 0:
            return False
        cost = div_up(paid(exposure, policy), WAD_PER_QUOTE)
        self.hedge.size += size
        self.hedge.trades += 1
        self.hedge.cost += cost
        self.hedge.cash -= cost
        return self._move_cash()

    def _policy(self) -> Policy:
        """The policy at the last mark: what is said in USD, in units of the underlying."""
        price = mul_div_down(self._mark, WAD, PRICE_OF_USD)
        band = mul_div_down(self._terms.band * self._terms.accounts * WAD, WAD, price)
        return Policy(
            band=band,
            inner=0,
            turnover=TURNOVER * band,
            cost=mul_div_down(price, self._terms.hedge_cost, PPM),
            budget=BUDGET * self._terms.accounts * WAD // 1000,
        )

    def _move_cash(self) -> bool:
        backstop = AccountId(BACKSTOP)
        if not self._venue.is_priced:
            return False
        if self.hedge.cash >= QUOTE_PER_UNIT:
            tokens = div_down(self.hedge.cash, QUOTE_PER_UNIT)
            self._venue.must("set_balance", token=USD, account=BACKSTOP, amount=tokens)
            self._venue.must("deposit", account=backstop, token=USD, amount=tokens)
            self.hedge.cash -= tokens * QUOTE_PER_UNIT
            self.hedge.deposited += tokens
            return True
        if self.hedge.cash < 0:
            free = min(self._venue.spare(backstop), self._venue.accounts[backstop].cash)
            tokens = min(div_up(-self.hedge.cash, QUOTE_PER_UNIT), div_down(free, QUOTE_PER_UNIT))
            taken = {"account": backstop, "token": USD, "amount": tokens}
            if tokens > 0 and self._venue.try_to("withdraw", (backstop,), **taken).accepted:
                self.hedge.cash += tokens * QUOTE_PER_UNIT
                self.hedge.withdrawn += tokens
                return True
        return False


def _towards_zero(amount: int, unit: int) -> int:
    return div_down(amount, unit) if amount >= 0 else -div_down(-amount, unit)
