"""Chapter 7, deposit, withdraw, trade. Rules: `spec/reference/07-trading.md`."""

from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.reference.notation import (
    BUY,
    MAKER_FEE,
    MAX_AMOUNT,
    MAX_PRICE,
    MAX_SIZE,
    PENALTY,
    PPM,
    QUOTE_PER_UNIT,
    TAKER_FEE,
    USD,
    AccountId,
    Amount,
    AssetId,
    CounterpartyId,
    MarketId,
    ReportedPrice,
    Side,
    Size,
    TokenId,
    User,
    at_most,
    magnitude,
    positive,
)
from marginspec.model.reference.parameters import Parameters
from marginspec.model.reference.positions import premium

TRADE_BAND = 50_000


class Trading(Parameters):
    """What owners do with their accounts."""

    def _not_settling(self) -> None:
        if self.settling_since != 0:
            raise Rejected("SET-2")

    def _within_width(self, amount: int) -> None:
        if self.held[USD] + amount > MAX_AMOUNT:
            raise Rejected("DEP-4")

    @action(weight=6)
    @rule("DEP-1")
    def deposit(self, account: AccountId, token: TokenId, amount: Amount) -> None:
        """Add tokens to an account: the settlement asset as cash, others as collateral."""
        if self.settlement_claims != 0:
            raise Rejected("SET-3")
        positive(amount, MAX_AMOUNT)
        if token == USD:
            self._within_width(amount)
            self.accounts[account].cash += amount * QUOTE_PER_UNIT
        else:
            if self.deposits_paused:
                raise Rejected("DEP-2")
            self._add_collateral(account, AssetId(token), amount)
        self._pull(token, self.owner(account), amount)

    @action(weight=10)
    @rule("WDR-1")
    def withdraw(self, account: AccountId, token: TokenId, amount: Amount) -> None:
        """Take tokens out of an account, as far as initial margin stays."""
        self._not_settling()
        positive(amount, MAX_AMOUNT)
        if self.defaults != 0:
            raise Rejected("WDR-2")
        self._settle(account)
        if token == USD:
            self.accounts[account].cash -= amount * QUOTE_PER_UNIT
            if self.accounts[account].cash < 0:
                raise Rejected("WDR-3")
        else:
            self._take_collateral(account, AssetId(token), amount)
        self._needs_initial_margin(account)
        self._push(token, self.owner(account), amount)

    @action(weight=2)
    @rule("DEP-3")
    def fund_insurance(self, caller: User, amount: Amount) -> None:
        """Give tokens to the insurance fund."""
        self._not_settling()
        positive(amount, MAX_AMOUNT)
        self._within_width(amount)
        self.insurance += amount * QUOTE_PER_UNIT
        self._pull(USD, caller, amount)

    @action(weight=3)
    @rule("WDR-4")
    def collect_fees(self, caller: User, amount: Amount) -> None:
        """Pay fees out to the governor."""
        self._not_settling()
        self._only_governor(caller)
        positive(amount, MAX_AMOUNT)
        if self.defaults != 0:
            raise Rejected("WDR-2")
        if amount * QUOTE_PER_UNIT > self.fees:
            raise Rejected("WDR-5")
        self.fees -= amount * QUOTE_PER_UNIT
        self._push(USD, caller, amount)

    @action(weight=6)
    @rule("TRD-1")
    def place_order(self, account: AccountId, market: MarketId, side: Side, size: Size, price: ReportedPrice) -> None:
        """Offer to trade up to a size, at a price or, with price 0, at the mark, instead of an earlier offer."""
        self._not_settling()
        at_most(size, MAX_SIZE)
        at_most(price, MAX_PRICE)
        order = self.orders[market][account]
        order.size = size if side == BUY else -size
        order.price = price

    @action(weight=24)
    @rule("TRD-2")
    def trade(self, account: AccountId, maker: CounterpartyId, market: MarketId, size: Size) -> None:
        """Take the other side of a standing offer."""
        self._not_settling()
        positive(size, MAX_SIZE)
        if account == maker:
            raise Rejected("TRD-3")
        order = self.orders[market][maker]
        if size > magnitude(order.size):
            raise Rejected("TRD-4")
        mark = self.mark(market)
        price = order.price if order.price != 0 else mark
        if not -mark * TRADE_BAND <= (price - mark) * PPM <= mark * TRADE_BAND:
            raise Rejected("TRD-5")
        self._accrue(market)
        self._settle(account)
        self._settle(maker)

        bought = -size if order.size > 0 else size
        taking = self._before_trade(account, market, bought)
        making = self._before_trade(maker, market, -bought)
        open_interest = self.markets[market].open_interest
        order.size += bought
        self._change(account, market, bought, bought * price)
        self._change(maker, market, -bought, -bought * price)
        parameters = self.parameters[market]
        self._charge(account, trading_fee(size, price, parameters[TAKER_FEE]))
        self._charge(maker, trading_fee(size, price, parameters[MAKER_FEE]))
        m = self.markets[market]
        m.premium = premium(price, mark)

        if m.open_interest > open_interest and m.open_interest > m.open_interest_cap:
            raise Rejected("TRD-8")
        allowance = mul_div_down(size * mark, parameters[PENALTY], PPM)
        self._after_trade(account, taking, allowance)
        self._after_trade(maker, making, allowance)

    @rule("TRD-7")
    def _charge(self, account: AccountId, fee: int) -> None:
        self.accounts[account].cash -= fee
        self.fees += fee

    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> int | None:
        """Equity of an account whose position the trade reduces, None for any other, which may be forbidden."""
        if is_reducing(self.accounts[account].positions[market].size, size):
            return self.equity(account)
        asset = self.market_terms[market].asset
        if self.markets[market].reduce_only or self.assets[asset].tripped_at != 0:
            raise Rejected("TRD-9")
        return None

    @rule("TRD-10")
    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """Initial margin, or a reduction that costs no more than a liquidation would."""
        if self._owes_nothing(account):
            return
        equity = self.equity(account)
        if equity >= self.initial_margin(account):
            return
        if before is None:
            raise Rejected("MRG-6")
        if equity < 0 or before - equity > allowance:
            raise Rejected("TRD-11")


def trading_fee(size: int, price: int, fee: int) -> int:
    """TRD-6: fee on the notional of a trade, rounded up."""
    return mul_div_up(size * price, fee, PPM)


def is_reducing(position: int, size: int) -> bool:
    """TRD-12: whether a trade brings a position nearer to zero and not beyond."""
    return 0 < -size <= position or position <= -size < 0
