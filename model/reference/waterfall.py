"""Chapter 9, default waterfall and final settlement: who bears a loss, in which order.

Rules: `spec/reference/09-waterfall.md`.
"""

from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.fixed import div_down, div_up, mul_div_down, mul_div_up
from marginspec.model.reference.ledger import Position
from marginspec.model.reference.liquidation import Liquidation
from marginspec.model.reference.notation import (
    DAY,
    QUOTE_PER_UNIT,
    USD,
    AccountId,
    CounterpartyId,
    MarketId,
    User,
    above_zero,
    magnitude,
)
from marginspec.model.reference.positions import profit

GRACE = DAY


class Waterfall(Liquidation):
    """Insurance fund, deleveraging, socialised loss, in this order; and the end of the venue."""

    # --- Waterfall ---------------------------------------------------------------------------------------------

    @action(weight=12)
    @rule("DEF-1")
    def cover(self, caller: User, account: CounterpartyId) -> int:
        """Cover the deficit of an account from the insurance fund; what that leaves is a default. Returns the cover."""
        self._not_settling()
        self._without_collateral(account)
        self._settle(account)
        deficit = above_zero(-self.equity(account))
        if deficit == 0 and not self.accounts[account].in_default:
            raise Rejected("DEF-3")
        paid = min(deficit, self.insurance)
        self.insurance -= paid
        self.accounts[account].cash += paid
        self._set_default(account, paid < deficit)
        return paid

    def _without_collateral(self, account: AccountId) -> None:
        for holding in self.accounts[account].collateral.values():
            if holding.amount != 0:
                raise Rejected("DEF-2")

    @rule("DEF-4")
    def _set_default(self, account: AccountId, in_default: bool) -> None:
        """Withdrawals are shut as long as an account is in default."""
        held = self.accounts[account]
        if in_default and not held.in_default:
            self.defaults += 1
        if held.in_default and not in_default:
            self.defaults -= 1
        held.in_default = in_default

    def _deficit(self, account: AccountId) -> int:
        """Deficit of an account in default, once the insurance fund is empty; positive."""
        if not self.accounts[account].in_default:
            raise Rejected("DEF-5")
        if self.insurance != 0:
            raise Rejected("DEF-6")
        self._without_collateral(account)
        self._settle(account)
        deficit = -self.equity(account)
        if deficit <= 0:
            raise Rejected("DEF-7")
        return deficit

    @action(weight=12)
    @rule("DEF-8")
    def deleverage(
        self, caller: User, account: CounterpartyId, market: MarketId, counterparty: AccountId
    ) -> tuple[int, int]:
        """Close a position in default against the most profitable opposite one; returns (size, what that one pays)."""
        self._not_settling()
        deficit = self._deficit(account)
        position = self.accounts[account].positions[market]
        opposite = self.accounts[counterparty].positions[market]
        long = position.size > 0
        if position.size == 0 or opposite.size == 0 or (opposite.size > 0) == long:
            raise Rejected("DEF-9")
        size, paid = self._terms_of_deleveraging(account, market, counterparty, deficit)
        mark = self.mark(market)
        bought = size if long else -size
        self._change(account, market, -bought, -bought * mark - paid)
        self._change(counterparty, market, bought, bought * mark + paid)
        self._set_default(account, paid < deficit)
        return size, paid

    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> tuple[int, int]:
        """What is closed and what the counterparty pays, which must have the largest profit, all funding settled."""
        self._settle_all()
        self._most_profitable(market, counterparty)
        position, opposite = (self.accounts[party].positions[market] for party in (account, counterparty))
        size = min(magnitude(position.size), magnitude(opposite.size))
        spare = self.equity(counterparty) - self.maintenance_margin(counterparty)
        return size, self._payment(deficit, size, position.size, profit(opposite, self.mark(market)), spare)

    def _settle_all(self) -> None:
        for name in self.accounts:
            self._settle(name)

    def _payment(self, deficit: int, size: int, whole: int, gained: int, spare: int) -> int:
        """What a counterparty pays for a part of a position."""
        return deleverage_payment(deficit, size, magnitude(whole), gained, spare)

    def _most_profitable(self, market: MarketId, counterparty: AccountId) -> None:
        """Refuse a counterparty while a position on its side has more profit."""
        mark, chosen = self.mark(market), self.accounts[counterparty].positions[market]
        if any(_outranks(other.positions[market], chosen, mark) for other in self.accounts.values()):
            raise Rejected("DEF-10")

    @action(weight=8)
    @rule("DEF-12")
    def socialise(self, caller: User, account: CounterpartyId) -> int:
        """Share the deficit of an account without positions among all unrealised profits; returns what they pay."""
        self._not_settling()
        for position in self.accounts[account].positions.values():
            if position.size != 0:
                raise Rejected("DEF-13")
        deficit = self._deficit(account)
        profits = {}
        for name in self.accounts:
            self._settle(name)
            profits[name] = above_zero(self.unrealised(name))
        total = sum(profits.values())
        if total == 0:
            raise Rejected("DEF-14")
        paid = min(deficit, total)
        collected = 0
        for name, gained in profits.items():
            share = socialised_share(paid, gained, total)
            self.accounts[name].cash -= share
            collected += share
        self.accounts[account].cash += paid
        self.insurance += collected - paid
        self._set_default(account, paid < deficit)
        return paid

    # --- Final settlement --------------------------------------------------------------------------------------

    @action(weight=0.25)
    @rule("SET-1")
    def start_settlement(self, caller: User) -> None:
        """Close every position at the last accepted prices, for good."""
        self._not_settling()
        self._only_governor(caller)
        self.settling_since = self.now
        for name, account in self.accounts.items():
            self._settle(name)
            for market, position in account.positions.items():
                mark = self.assets[self.market_terms[market].asset].mark
                account.cash += position.size * mark - position.cost
                position.size, position.cost = 0, 0
        for m in self.markets.values():
            m.open_interest = 0

    @action(weight=2)
    @rule("SET-4")
    def fix_settlement(self, caller: User) -> None:
        """After the grace period, fix once what every account is paid per unit of cash."""
        if self.settling_since == 0:
            raise Rejected("SET-5")
        if self.settlement_claims != 0:
            raise Rejected("SET-3")
        if self.now < self.settling_since + GRACE:
            raise Rejected("SET-6")
        # One unit more, so that it is never zero: it marks that the ratio is fixed.
        self.settlement_claims = 1 + sum(above_zero(account.cash) for account in self.accounts.values())
        self.settlement_pool = min(self.settlement_claims, self.held[USD] * QUOTE_PER_UNIT)

    @action(weight=3)
    @rule("SET-7")
    def redeem(self, account: AccountId) -> int:
        """Pay an account out: its part of the cash, and its collateral in kind; returns the tokens paid for cash.

        Who owes cash pays it first, whole tokens, rounded up, and is paid nothing for it.
        """
        if self.settlement_claims == 0:
            raise Rejected("SET-8")
        held = self.accounts[account]
        paid = 0
        if held.cash < 0:
            self._repay(account)
        else:
            paid = settlement_payout(held.cash, self.settlement_pool, self.settlement_claims)
            self.insurance += held.cash - paid * QUOTE_PER_UNIT
            held.cash = 0
            self._push(USD, self.owner(account), paid)
        for asset, holding in held.collateral.items():
            self._push(asset, self.owner(account), holding.amount)
            holding.amount, holding.counted = 0, 0
        return paid

    @rule("SET-9")
    def _repay(self, account: AccountId) -> None:
        owed = div_up(-self.accounts[account].cash, QUOTE_PER_UNIT)
        self.insurance += owed * QUOTE_PER_UNIT + self.accounts[account].cash
        self.accounts[account].cash = 0
        self._pull(USD, self.owner(account), owed)


def _outranks(rival: Position, chosen: Position, mark: int) -> bool:
    """Whether a position has more profit than one on the same side."""
    same_side = rival.size != 0 and (rival.size > 0) == (chosen.size > 0)
    return same_side and profit(rival, mark) > profit(chosen, mark)


def deleverage_payment(deficit: int, size: int, whole: int, gained: int, spare: int) -> int:
    """DEF-11: the deficit of the part closed, rounded up, within the profit and the spare equity of who pays it."""
    return above_zero(min(mul_div_up(deficit, size, whole), gained, spare))


def socialised_share(paid: int, gained: int, total: int) -> int:
    """DEF-15: the part of a loss that falls on one profit, in proportion, rounded up; never more than the profit."""
    return mul_div_up(paid, gained, total)


def settlement_payout(cash: int, pool: int, claims: int) -> int:
    """SET-10: tokens paid for cash, in proportion, rounded down twice."""
    return div_down(mul_div_down(cash, pool, claims), QUOTE_PER_UNIT)
