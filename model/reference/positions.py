"""Chapter 5, positions and funding: linear perpetuals whose cost is kept exactly.

Rules: `spec/reference/05-positions.md`.
"""

from marginspec.model.kernel import Rejected, rule
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.reference.collateral import Collateral
from marginspec.model.reference.ledger import Position
from marginspec.model.reference.notation import DAY, HOUR, PPM, AccountId, MarketId, above_zero

FUNDING_SCALE = 10**6
FUNDING_PERIOD = 8 * HOUR
MAX_ACCRUAL = DAY
PREMIUM_PART = 100_000
INTERVAL = HOUR


class Positions(Collateral):
    """Positions of accounts, and the funding between longs and shorts."""

    def _settle(self, account: AccountId) -> None:
        """Bring the funding of an account's positions up to now."""
        for market, position in self.accounts[account].positions.items():
            if position.size != 0:
                self._accrue(market)
                self._settle_funding(market, position)

    @rule("POS-1")
    def _accrue(self, market: MarketId) -> None:
        m = self.markets[market]
        elapsed = self.now - m.accrued_at
        if elapsed == 0:
            return
        m.funding_index += index_growth(m.premium, min(elapsed, MAX_ACCRUAL))
        m.accrued_at = self.now
        if self.now >= m.interval_start + INTERVAL:
            self._restart_limit(market)

    @rule("LIQ-18")
    def _restart_limit(self, market: MarketId) -> None:
        m = self.markets[market]
        m.interval_start, m.room = self.now, self.market_terms[market].limit

    @rule("POS-3")
    def _settle_funding(self, market: MarketId, position: Position) -> None:
        """Charge the funding since the last settlement to the cost of a position; the pot takes it."""
        index = self.markets[market].funding_index
        payment = funding_payment(position.size, index - position.funding_index)
        position.cost += payment
        position.funding_index = index
        self.pot += payment

    @rule("POS-5")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """Add a signed size, bought for a signed amount of quote, to a settled position."""
        self._in_one_market(account, market)
        position, m = self.accounts[account].positions[market], self.markets[market]
        before = position.size
        position.size = before + size
        position.cost += quote
        position.funding_index = m.funding_index
        m.open_interest += above_zero(position.size) - above_zero(before)
        if position.size == 0:
            self._realise(account, position)

    def _in_one_market(self, account: AccountId, market: MarketId) -> None:
        """Refuse a second market to an isolated account."""
        if not self.account_terms[account].isolated:
            return
        for other, elsewhere in self.accounts[account].positions.items():
            if other != market and elsewhere.size != 0:
                raise Rejected("POS-7")

    @rule("POS-6")
    def _realise(self, account: AccountId, position: Position) -> None:
        self.accounts[account].cash -= position.cost
        position.cost = 0

    @rule("POS-8")
    def unrealised(self, account: AccountId, aged: bool = False) -> int:
        """Unrealised profit of an account over all markets at the mark prices, negative for a loss, quote."""
        total = 0
        for market, position in self.accounts[account].positions.items():
            if position.size != 0:
                total += profit(position, self.mark(market, aged))
        return total


def index_growth(premium: int, elapsed: int) -> int:
    """POS-2: what a long pays per size unit over some seconds, at FUNDING_SCALE, rounded down."""
    return mul_div_down(premium * FUNDING_SCALE, elapsed, FUNDING_PERIOD)


def funding_payment(size: int, growth: int) -> int:
    """POS-4: what a position pays, negative when it receives; rounded up: debits up, credits down."""
    return mul_div_up(size, growth, FUNDING_SCALE)


def profit(position: Position, mark: int) -> int:
    """POS-9: unrealised profit of a position at a price, negative for a loss; exact."""
    return position.size * mark - position.cost


def premium(price: int, mark: int) -> int:
    """POS-10: the part of a trade's distance from the mark that funding is charged on, towards minus infinity."""
    return mul_div_down(price - mark, PREMIUM_PART, PPM)
