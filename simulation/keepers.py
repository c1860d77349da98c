"""Who acts on unsafe accounts: liquidators, late and with little capital; the venue's backstop; and the waterfall."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.reference.liquidation import price_to_seize
from marginspec.model.reference.notation import MAX_SIZE, PPM, AccountId, Holder, User, above_zero, magnitude
from marginspec.model.reference.positions import profit
from marginspec.model.reference.venue import ETH
from marginspec.properties.reference.buffer import net_worth
from marginspec.simulation.crowd import BACKSTOP, KEEPER, MARKET, CrowdedVenue
from marginspec.simulation.population import Cast, trade
from marginspec.simulation.promise import PromiseKeeper
from marginspec.simulation.terms import USD_QUOTE, SimulationTerms


@dataclass
class RunLosses:
    """What became of unsafe accounts, amounts in quote.

    liquidated: accounts that were, at least once. closed: notional taken over; backstopped: of it, by the backstop.
    penalties: paid. insured: deficits that the insurance fund paid. deleveraged: positions closed against a profit, and
    forced: the accounts whose profit it was. taken: from them. socialised: shared among profits.
    """

    liquidations: int = 0
    liquidated: set[str] = field(default_factory=set)
    closed: int = 0
    backstopped: int = 0
    penalties: int = 0
    seizures: int = 0
    insured: int = 0
    deleveraged: int = 0
    forced: set[str] = field(default_factory=set)
    taken: int = 0
    socialised: int = 0
    refused: int = 0


class Keepers:
    """Acts in the order in which accounts became unsafe, once at each price or minute."""

    def __init__(
        self,
        cast: Cast,
        terms: SimulationTerms,
        promise: PromiseKeeper,
        touched: Callable[[Iterable[str]], None],
    ) -> None:
        self._venue, self._cast, self._terms, self._promise, self._touched = cast.venue, cast, terms, promise, touched
        self._since: dict[AccountId, int] = {}
        self._budget: dict[str, int] = {}
        self._afforded: dict[str, int] = {}
        self.losses = RunLosses()

    def act(self, unsafe: list[AccountId], minutes: int) -> None:
        """Everybody does what they do. minutes: since the last time, for which capacity and depth count."""
        now = self._venue.now
        self._since = {name: self._since.get(name, now) for name in unsafe}
        self._budget = dict.fromkeys(self._cast.liquidators, self._for_all(self._terms.capacity) * minutes)
        self._afforded = {}
        if not self._venue.is_priced:
            return
        for name in sorted(self._since, key=lambda each: self._since[each]):
            if now - self._since[name] >= self._terms.latency:
                self._resolve(name)
        self._unload(minutes)

    def _for_all(self, each: int) -> int:
        """USD for each account as quote for all."""
        return each * self._terms.accounts * USD_QUOTE

    def _resolve(self, account: AccountId) -> None:
        if self._venue.size(account) != 0 and not self._venue.accounts[account].in_default:
            self._take_over(account)
        if self._venue.equity(account, aged=True) < 0 or self._venue.accounts[account].in_default:
            self._bankrupt(account)

    # --- Liquidation --------------------------------------------------------------------------------------------

    def _take_over(self, account: AccountId) -> None:
        """Liquidators take what they can while it pays; the backstop the rest, when they had their time or nothing is
        left to earn."""
        if self._venue.equity(account, aged=True) > 0:
            for liquidator in self._able:
                if self._liquidate(liquidator, account, self._budget[liquidator]):
                    return
        late = self._venue.now - self._since[account] >= self._terms.latency + self._terms.patience
        if (late or self._venue.equity(account, aged=True) <= 0) and account != BACKSTOP:
            self._liquidate(str(BACKSTOP), account, MAX_SIZE * USD_QUOTE)

    @property
    def _able(self) -> list[str]:
        """The liquidators who have capacity and margin left."""
        mark = self._venue.assets[ETH].mark
        return [each for each in self._cast.liquidators if self._budget[each] >= mark and self._affordable(each) >= 1]

    def _liquidate(self, liquidator: str, account: AccountId, budget: int) -> bool:
        """Take over as much as budget and margin allow; whether nothing is left to do."""
        venue, by = self._venue, _account(liquidator)
        mark = venue.mark(MARKET)
        most = min(div_down(budget, mark), self._affordable(liquidator), MAX_SIZE)
        if most < 1 or by == account:
            return False
        called = {"liquidator": by, "account": account, "market": MARKET, "most": most}
        outcome = venue.try_to("liquidate", (liquidator, account), **called)
        if not outcome.accepted:
            self.losses.refused += 1
            return False
        closed, penalty = outcome.returns
        self._count(liquidator, account, closed * mark, penalty)
        return venue.size(account) == 0 or venue.is_safe_from_liquidation(account)

    def _affordable(self, liquidator: str) -> int:
        """The size that a liquidator has margin for, beside what it has."""
        if liquidator not in self._afforded:
            venue = self._venue
            needed = venue.assets[ETH].high * venue.initial_ratio(MARKET)
            self._afforded[liquidator] = mul_div_down(above_zero(venue.spare(_account(liquidator))), PPM, needed) - 1
        return self._afforded[liquidator]

    def _count(self, liquidator: str, account: AccountId, notional: int, penalty: int) -> None:
        losses = self.losses
        losses.liquidations += 1
        losses.liquidated.add(account)
        losses.closed += notional
        losses.penalties += penalty
        if liquidator == BACKSTOP:
            losses.backstopped += notional
        else:
            self._budget[liquidator] -= notional
        self._changed(liquidator, account)

    def _changed(self, *accounts: str) -> None:
        for account in accounts:
            self._afforded.pop(account, None)
        self._touched(accounts)

    # --- Waterfall ----------------------------------------------------------------------------------------------

    def _bankrupt(self, account: AccountId) -> None:
        """Collateral, insurance fund, deleveraging, shared loss, in this order; as far as each goes."""
        venue = self._venue
        if venue.accounts[account].collateral[ETH].amount and not self._seize(account):
            return
        covered = venue.try_to("cover", (account,), caller=KEEPER, account=account)
        if covered.accepted:
            self.losses.insured += covered.returns[0]
            self._promise.paid(account, covered.returns[0])
        self._changed(account)
        while venue.accounts[account].in_default and venue.insurance == 0 and venue.size(account) != 0:
            if not self._deleverage(account):
                break
        if venue.accounts[account].in_default and venue.insurance == 0 and venue.size(account) == 0:
            self._socialise(account)

    def _seize(self, account: AccountId) -> bool:
        """Buy collateral as far as the debt needs it and the richest can pay; whether none is left."""
        venue, holding = self._venue, self._venue.accounts[account].collateral[ETH]
        buyers = [_account(each) for each in (*self._cast.liquidators, BACKSTOP) if each != account]
        by = max(buyers, key=self._purse)
        paid_for = mul_div_down(above_zero(self._purse(by)), venue.asset_terms[ETH].unit, venue.mark(MARKET))
        amount = min(self._needed(account, holding.amount), paid_for)
        called = {"liquidator": by, "account": account, "asset": ETH, "amount": amount}
        if amount > 0 and venue.try_to("seize_collateral", (by, account), **called).accepted:
            self.losses.seizures += 1
            self._changed(by, account)
        return holding.amount == 0

    def _purse(self, buyer: AccountId) -> int:
        """What somebody can pay from cash and keep initial margin, quote."""
        return min(self._venue.accounts[buyer].cash, self._venue.spare(buyer))

    def _needed(self, account: AccountId, held: int) -> int:
        """The most of a holding that LIQ-16 lets go: that covers the debt, and one base unit less does not."""
        venue = self._venue
        mark, unit = venue.mark(MARKET), venue.asset_terms[ETH].unit
        debt = -(venue.accounts[account].cash + venue.unrealised(account, aged=True))
        spare = above_zero(venue._collateral_at_mark(account) - debt)
        low, high = 1, held
        while low < high:
            middle = div_down(low + high + 1, 2)
            low, high = (middle, high) if price_to_seize(middle - 1, mark, unit, spare) < debt else (low, middle - 1)
        return low

    def _deleverage(self, account: AccountId) -> bool:
        """Close what is in default against the most profitable opposite position; whether that was possible."""
        venue, mark = self._venue, self._venue.mark(MARKET)
        long = venue.size(account) > 0
        opposite = [n for n in venue.accounts if venue.size(n) and (venue.size(n) > 0) != long]
        if not opposite:
            return False
        other = max(opposite, key=lambda each: profit(venue.accounts[each].positions[MARKET], mark))
        called = {"caller": KEEPER, "account": account, "market": MARKET, "counterparty": other}
        outcome = venue.try_to("deleverage", (account, other), **called)
        if not outcome.accepted:
            return False
        self.losses.deleveraged += 1
        self.losses.forced.add(other)
        self.losses.taken += outcome.returns[1]
        self._promise.paid(account, outcome.returns[1])
        self._promise.shared((other,))
        self._changed(account, other)
        return True

    def _socialise(self, account: AccountId) -> None:
        venue = self._venue
        profitable = [name for name in venue.accounts if venue.unrealised(name) > 0]
        outcome = venue.try_to("socialise", (account, *profitable), caller=KEEPER, account=account)
        if outcome.accepted:
            self.losses.socialised += outcome.returns[0]
            self._promise.paid(account, outcome.returns[0])
            self._promise.shared(profitable)
            self._changed(account, *profitable)

    # --- What was taken over ------------------------------------------------------------------------------------

    def _unload(self, minutes: int) -> None:
        """Liquidators, then the backstop, sell to market makers what they took over, as deep as the market is."""
        left = self._for_all(self._terms.depth) * minutes
        for number, name in enumerate((*self._cast.liquidators, str(BACKSTOP))):
            size = self._venue.size(_account(name))
            part = min(magnitude(size), div_down(left, self._venue.mark(MARKET, aged=True)))
            maker = self._cast.makers[(number + self._venue.now // 60) % len(self._cast.makers)]
            if part > 0 and trade(self._venue, name, maker, -part if size > 0 else part):
                left -= part * self._venue.mark(MARKET)
                self._promise.traded(name)
                self._promise.traded(maker)
                self._changed(name, maker)


def _account(name: str) -> AccountId:
    return AccountId(User(Holder(name)))


def deficits(venue: CrowdedVenue) -> int:
    """What accounts owe beyond all that they have at the marks, quote: nobody has paid it yet."""
    return sum(above_zero(-net_worth(venue, name)) for name in venue.accounts)
