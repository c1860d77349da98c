"""Chapter 8, liquidation: the least that restores an account, at a capped penalty.

Rules: `spec/reference/08-liquidation.md`.
"""

from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down, mul_div_up
from marginspec.model.reference.collateral import gross_value
from marginspec.model.reference.margin import SEIZURE_DISCOUNT
from marginspec.model.reference.notation import (
    BUFFER,
    MAX_AMOUNT,
    MAX_SIZE,
    PENALTY,
    PPM,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    MarketId,
    Size,
    above_zero,
    magnitude,
    positive,
)
from marginspec.model.reference.trading import Trading

LIQUIDATOR_SHARE = 500_000


class Liquidation(Trading):
    """What anybody may do with an account below maintenance."""

    @action(weight=24)
    @rule("LIQ-1")
    def liquidate(
        self, liquidator: AccountId, account: CounterpartyId, market: MarketId, most: Size
    ) -> tuple[int, int]:
        """Take over the least of a position that restores the account, `most` at most; returns (size, penalty).

        The account is judged at the last accepted prices: a feed that is down shields nobody. What changes hands does
        so at a fresh price.
        """
        self._not_settling()
        positive(most, MAX_SIZE)
        if liquidator == account:
            raise Rejected("LIQ-2")
        if self.accounts[account].in_default:
            raise Rejected("LIQ-3")
        position = self.accounts[account].positions[market]
        if position.size == 0:
            raise Rejected("LIQ-4")
        self._settle(account)
        self._settle(liquidator)
        equity = self.equity(account, aged=True)
        if equity >= self.maintenance_margin(account, aged=True):
            raise Rejected("LIQ-5")
        mark = self.mark(market)

        closed = self._size_to_close(account, market, most, equity)
        paid = penalty_of(closed, mark, self.parameters[market][PENALTY], equity)
        reward = liquidator_share(paid)
        bought = closed if position.size > 0 else -closed
        self._change(account, market, -bought, -bought * mark)
        self._change(liquidator, market, bought, bought * mark)
        self.accounts[account].cash -= paid
        self.accounts[liquidator].cash += reward
        self.insurance += paid - reward
        self._needs_initial_margin(liquidator)
        return closed, paid

    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> int:
        """What restores maintenance, beyond it as far as the limit allows, and no dust left; `most` at most."""
        whole, mark = magnitude(self.accounts[account].positions[market].size), self.mark(market)
        offered = min(most, whole)
        needed = self._least(account, market, equity, offered, buffered=False)
        wanted = self._least(account, market, equity, offered, buffered=True)
        closed = needed + self._within_limit(market, wanted - needed, mark)
        return min(offered, without_dust(closed, whole, mark, self.market_terms[market].dust))

    def _least(self, account: AccountId, market: MarketId, equity: int, offered: int, buffered: bool) -> int:
        """The least size of the offered that restores maintenance, or maintenance and buffer."""
        price, parameters = self.price(self.market_terms[market].asset), self.parameters[market]
        ratio = self.markets[market].ratio + (parameters[BUFFER] if buffered else 0)
        shortfall = self._requirement(account, buffered, aged=True) - equity * PPM
        return size_to_restore(shortfall, price.high * ratio - price.mark * parameters[PENALTY], offered)

    @rule("LIQ-9")
    def _within_limit(self, market: MarketId, size: int, mark: int) -> int:
        """What of a size that no account needs may still be liquidated in this interval."""
        m = self.markets[market]
        size = min(size, div_down(m.room, mark))
        m.room -= size * mark
        return size

    @action(weight=12)
    @rule("LIQ-13")
    def seize_collateral(self, liquidator: AccountId, account: CounterpartyId, asset: AssetId, amount: Amount) -> int:
        """Buy collateral of an account with negative equity at a discount, to cover its debt; returns what is paid."""
        positive(amount, MAX_AMOUNT)
        if self.settlement_claims != 0:
            raise Rejected("SET-3")
        if liquidator == account:
            raise Rejected("LIQ-2")
        for earlier, holding in self.accounts[account].collateral.items():
            if earlier == asset:
                break
            if holding.amount != 0:
                raise Rejected("LIQ-14")
        if amount > self.accounts[account].collateral[asset].amount:
            raise Rejected("COL-7")
        self._settle(account)
        self._settle(liquidator)
        if self.settling_since == 0 and self.equity(account, aged=True) >= 0:
            raise Rejected("LIQ-15")
        mark, unit = self.price(asset).mark, self.asset_terms[asset].unit
        debt = -(self.accounts[account].cash + self.unrealised(account, aged=True))
        spare = above_zero(self._collateral_at_mark(account) - debt)
        if price_to_seize(amount - 1, mark, unit, spare) >= debt:
            raise Rejected("LIQ-16")

        paid = price_to_seize(amount, mark, unit, spare)
        counted = self._take_collateral(account, asset, amount)
        holding = self.accounts[liquidator].collateral[asset]
        holding.amount += amount
        holding.counted += counted
        self.accounts[account].cash += paid
        self.accounts[liquidator].cash -= paid
        if self.accounts[liquidator].cash < 0:
            raise Rejected("LIQ-17")
        self._needs_initial_margin(liquidator)
        return paid

    def _collateral_at_mark(self, account: AccountId) -> int:
        """All collateral of an account at the last accepted marks, without haircuts, quote, each asset rounded down."""
        total = 0
        for asset, holding in self.accounts[account].collateral.items():
            total += gross_value(holding.amount, self.assets[asset].mark, self.asset_terms[asset].unit)
        return total


def size_to_restore(shortfall: int, gain: int, offered: int) -> int:
    """LIQ-6: the least size that makes up for a shortfall, each unit closed gaining `gain`; all if none does."""
    return min(offered, div_up(shortfall, gain)) if gain > 0 else offered


def without_dust(size: int, whole: int, mark: int, dust: int) -> int:
    """LIQ-7: all of a position when what a size leaves of it is worth less than the dust threshold."""
    return whole if (whole - size) * mark < dust else size


def penalty_of(size: int, mark: int, penalty: int, equity: int) -> int:
    """LIQ-8: penalty on the notional closed, rounded down, never more than the equity."""
    return min(mul_div_down(size * mark, penalty, PPM), above_zero(equity))


def liquidator_share(penalty: int) -> int:
    """LIQ-11: the liquidator's part of a penalty, rounded down; the insurance fund has the rest."""
    return mul_div_down(penalty, LIQUIDATOR_SHARE, PPM)


def seizure_price(amount: int, mark: int, unit: int) -> int:
    """LIQ-12: the least that seized collateral costs: its value at the mark less the discount, rounded up twice."""
    return mul_div_up(mul_div_up(amount, mark, unit), PPM - SEIZURE_DISCOUNT, PPM)


def price_to_seize(amount: int, mark: int, unit: int, spare: int) -> int:
    """LIQ-19: the discounted price, but the discount is at most what the account has to spare: nobody else pays it."""
    return max(seizure_price(amount, mark, unit), mul_div_up(amount, mark, unit) - spare)
