"""What Curie holds of markets and accounts, and its figures: funding, mark price, account value, free collateral.

Source: `Exchange.sol`, `AccountBalance.sol` and `Vault.sol`, npm package `@perp/curie-contract` 2.8.4.
"""

from dataclasses import dataclass, field

from marginspec.model.deployed.curie.notation import (
    ALL,
    DAY,
    INSURANCE,
    LARGEST_RATIO,
    Q96,
    SHORTEST_TWAP,
    STEP,
    TICK_INTERVAL,
    TWAP,
    UNIT,
    WHOLE_BELOW,
    Account,
    AnyTick,
    Fee,
    Growth,
    Level,
    Liquidity,
    Market,
    Money,
    Notional,
    Owed,
    PositivePrice,
    Price,
    Ratio,
    Root,
    SignedMoney,
    Size,
    Ticks,
    Timestamp,
    User,
    above_zero,
    in_token,
    is_dust,
    magnitude,
    median,
    price_of,
)
from marginspec.model.kernel import Machine, Record, Rejected, constant, rule
from marginspec.model.kernel.fixed import mul_div_down, mul_div_toward_zero, mul_div_up


@dataclass(slots=True)
class TakerPosition(Record):
    """What an account has in a market.

    size: base, shorts negative. open_notional: quote that was received for it, less what was paid. growth: the funding
    growth of the market at which funding was last settled.
    """

    size: Size = 0
    open_notional: Notional = 0
    growth: Growth = 0


@dataclass(slots=True)
class PriceLevel(Record):
    """A price that a pool may have: its tick, the root of its price, and that of half a tick above, X96."""

    tick: AnyTick
    root: Root
    root_within: Root


@dataclass(slots=True)
class VirtualPool(Record):
    """What a pool and a price feed answer. Roots are X96 of the spot price, and of three averages.

    fill: price at which orders are filled, before the fee of the pool. index_price: now; index_twap: on average.
    """

    tick: AnyTick
    root: Root
    root_15_seconds: Root
    root_15_minutes: Root
    root_30_minutes: Root
    fill: PositivePrice
    index_price: Price
    index_twap: Price


@dataclass(slots=True)
class FundingBook(Record):
    """Funding of a market, and the tick from which the price may move so far and no farther.

    growth: quote seconds per base, X96. growth_by_root: the same over the root of the price, for makers.
    """

    growth: Growth = 0
    growth_by_root: Growth = 0
    settled_at: Timestamp = 0
    first_traded_at: Timestamp = 0
    tick: AnyTick = 0
    tick_at: Timestamp = 0


@dataclass(slots=True)
class CurieSettings(Record):
    """What the owner sets, ratios in millionths. liquidity: that of each pool, for the fee of an order."""

    im_ratio: Ratio
    mm_ratio: Ratio
    penalty_ratio: Ratio
    max_funding_rate: Ratio
    uniswap_fee: Fee
    exchange_fee: Fee
    insurance_fee: Ratio
    max_ticks: Ticks
    balance_cap: Money
    liquidity: Liquidity


@dataclass
class CurieLedger(Machine):
    """Markets, accounts and the settlement token, and the time.

    owed: realised profit that is not settled yet, at the scale 10^18. balance: in the vault, of the settlement token.
    wallet: outside of it; tokens_in_vault: what of the token is there.
    """

    now: Timestamp
    pools: dict[Market, VirtualPool]
    settings: CurieSettings = constant()
    levels: dict[Level, PriceLevel] = constant()
    funding: dict[Market, FundingBook] = field(default_factory=dict)
    owed: dict[Account, Owed] = field(default_factory=dict)
    balance: dict[Account, SignedMoney] = field(default_factory=dict)
    is_registered: dict[User, dict[Market, bool]] = field(default_factory=dict)
    positions: dict[User, dict[Market, TakerPosition]] = field(default_factory=dict)
    wallet: dict[Account, Money] = field(default_factory=dict)
    tokens_in_vault: Money = 0

    # --- Prices ------------------------------------------------------------------------------------------------------

    @rule("MRK-1")
    def mark_price(self, market: Market) -> int:
        """The middle one of two averages of the pool's price and the index price with the pool's premium, D18."""
        pool = self.pools[market]
        with_premium = pool.index_price + price_of(pool.root_15_minutes) - pool.index_twap
        if with_premium < 0:
            raise Rejected("MRK-2")
        return median(price_of(pool.root_15_seconds), price_of(pool.root_30_minutes), with_premium)

    # --- Funding -----------------------------------------------------------------------------------------------------

    @rule("FND-1")
    def _averaged(self, market: Market) -> tuple[int, int]:
        """Root of the pool's price X96, and index price D18, over fifteen minutes, or since the first trade."""
        pool, first = self.pools[market], self.funding[market].first_traded_at
        seconds = min(TWAP, self.now - first) if first != 0 else 0
        return self._pool_average(pool, seconds), pool.index_twap if seconds != 0 else pool.index_price

    def _pool_average(self, pool: VirtualPool, seconds: int) -> int:
        """Root of the pool's price X96, over so many seconds; of too few, the spot price."""
        if seconds < SHORTEST_TWAP:
            return pool.root
        return pool.root_15_seconds if seconds == TICK_INTERVAL else pool.root_15_minutes

    @rule("FND-2")
    def premium(self, market: Market) -> int:
        """By how much the pool's price is above the index price, X96, within the greatest rate of funding."""
        root, index = self._averaged(market)
        index_x96 = mul_div_down(index, Q96, UNIT)
        most = mul_div_down(index_x96, self.settings.max_funding_rate, ALL)
        return max(-most, min(most, mul_div_down(root, root, Q96) - index_x96))

    @rule("FND-3")
    def funding_growth(self, market: Market) -> tuple[int, int]:
        """Funding growth now: the premium since it was settled last; and the same over the root of the price."""
        book = self.funding[market]
        if book.settled_at in (0, self.now):
            return book.growth, book.growth_by_root
        delta = self.premium(market) * (self.now - book.settled_at)
        return book.growth + delta, book.growth_by_root + mul_div_toward_zero(delta, Q96, self.pools[market].root)

    @rule("FND-4")
    def pending_funding(self, user: User, market: Market) -> int:
        """What an account has to pay for funding, D18, each step towards zero; negative where it is paid."""
        held = self.positions[user][market]
        growth, _ = self.funding_growth(market)
        return mul_div_toward_zero(mul_div_toward_zero(held.size, growth - held.growth, Q96), 1, DAY)

    # --- Positions ---------------------------------------------------------------------------------------------------

    @rule("POS-1")
    def position_size(self, user: User, market: Market) -> int:
        """Size of a position, nothing if it is dust."""
        size = self.positions[user][market].size
        return 0 if is_dust(size) else size

    @rule("POS-2")
    def position_value(self, user: User, market: Market) -> int:
        """Size at the mark price, D18, towards zero."""
        size = self.position_size(user, market)
        return mul_div_toward_zero(size, self.mark_price(market), UNIT) if size != 0 else 0

    def _markets(self, user: User) -> list[Market]:
        """POS-7: the markets that an account is listed in; what it has in others counts for nothing."""
        return [market for market, is_listed in self.is_registered[user].items() if is_listed]

    @rule("POS-3")
    def total_position_value(self, user: User) -> int:
        """The sum of the magnitudes of all position values."""
        return sum(magnitude(self.position_value(user, market)) for market in self._markets(user))

    # --- Account value -----------------------------------------------------------------------------------------------

    @rule("ACV-1")
    def settlement_balance(self, user: User) -> int:
        """Balance, realised profit and funding that is due, D18."""
        pending = sum(self.pending_funding(user, market) for market in self._markets(user))
        return self.balance[user] * STEP - pending + self.owed[user]

    @rule("ACV-2")
    def unrealised(self, user: User) -> int:
        """Profit of all positions at mark prices, D18."""
        return sum(self._profit(user, market) for market in self._markets(user))

    def _profit(self, user: User, market: Market) -> int:
        return self.position_value(user, market) + self.positions[user][market].open_notional

    @rule("ACV-3")
    def account_value(self, user: User) -> int:
        """What an account is worth, USDC, rounded down."""
        return in_token(self.settlement_balance(user) + self.unrealised(user))

    @rule("ACV-4")
    def insurance_value(self) -> int:
        """What the insurance fund has in the vault, USDC, rounded down: it has no positions."""
        return in_token(self.balance[INSURANCE] * STEP + self.owed[INSURANCE])

    @rule("ACV-5")
    def insurance_capacity(self) -> int:
        """What the insurance fund has in the vault and outside of it, USDC."""
        return self.insurance_value() + self.wallet[INSURANCE]

    # --- Margin ------------------------------------------------------------------------------------------------------

    @rule("MRG-1")
    def total_debt(self, user: User) -> int:
        """Quote that is owed on the whole, and base that is owed, at mark prices, D18."""
        quote = sum(self.positions[user][market].open_notional for market in self._markets(user))
        return above_zero(-quote) + sum(self._base_debt(user, market) for market in self._markets(user))

    def _base_debt(self, user: User, market: Market) -> int:
        size = self.positions[user][market].size
        return mul_div_down(-size, self.mark_price(market), UNIT) if size < 0 else 0

    @rule("MRG-2")
    def free_collateral(self, user: User, ratio: int) -> int:
        """The lesser of collateral and account value, less a ratio of the debt, D18."""
        collateral, unrealised = self.settlement_balance(user), self.unrealised(user)
        return min(collateral, collateral + unrealised) - mul_div_down(self.total_debt(user), ratio, ALL)

    @rule("MRG-3")
    def withdrawable(self, user: User) -> int:
        """What can be withdrawn, USDC, rounded down: free collateral, and no unrealised profit."""
        if not self._is_worth_something(user):
            return 0
        free = self.free_collateral(user, self.settings.im_ratio)
        return in_token(above_zero(min(free, self.settlement_balance(user))))

    def _is_worth_something(self, user: User) -> bool:
        return self.settlement_balance(user) + self.unrealised(user) >= 0

    # --- Liquidation -------------------------------------------------------------------------------------------------

    @rule("LIQ-1")
    def maintenance_margin(self, user: User) -> int:
        """A ratio of the value of all positions, D18, rounded down."""
        return mul_div_down(self.total_position_value(user), self.settings.mm_ratio, ALL)

    @rule("LIQ-2")
    def is_liquidatable(self, user: User) -> bool:
        """Whether the account value is below the maintenance margin; equality does not liquidate."""
        return self.account_value(user) * STEP < self.maintenance_margin(user)

    @rule("LIQ-3")
    def liquidatable_size(self, user: User, market: Market) -> int:
        """What of a position can be liquidated: all of a small one, and of an account with less than half the margin;
        else half of all positions' value, at most the whole."""
        size, value = self.position_size(user, market), magnitude(self.position_value(user, market))
        needed, has = self.maintenance_margin(user), self.account_value(user) * STEP
        if has >= needed or size == 0:
            return 0
        if value <= WHOLE_BELOW or has < mul_div_toward_zero(needed, 1, 2):
            return size
        ratio = mul_div_down(self.total_position_value(user), ALL, 2 * value)
        if ratio > LARGEST_RATIO:
            raise Rejected("LIQ-4")
        return mul_div_toward_zero(size, min(ratio, ALL), ALL)

    # --- Orders ------------------------------------------------------------------------------------------------------

    @rule("FEE-1")
    def order_fee(self, market: Market, is_selling: bool, is_exact_input: bool, amount: int) -> int:
        """Fee of an order, quote D18: a part of what the pool's liquidity would give or take for it at its price."""
        root, fee = self.pools[market].root, self.settings.exchange_fee
        scaled = self.settings.liquidity * Q96
        if is_selling:
            if is_exact_input:
                gross = mul_div_up(amount, ALL, ALL - self.settings.uniswap_fee)
                given = mul_div_down(gross, ALL - self.settings.uniswap_fee, ALL)
                after = mul_div_up(scaled, root, scaled + given * root)
                return mul_div_up(self._quote_between(after, root), fee, ALL)
            return mul_div_up(mul_div_up(amount, ALL, ALL - fee), fee, ALL)
        if is_exact_input:
            moved = mul_div_down(mul_div_down(amount, ALL - fee, ALL), Q96, self.settings.liquidity)
            return amount - mul_div_up(self.settings.liquidity, moved, Q96)
        after = mul_div_up(scaled, root, max(scaled - amount * root, 1))  # no run uses the liquidity up: see "Widths"
        return mul_div_up(mul_div_up(self.settings.liquidity, after - root, Q96), fee, ALL - fee)

    def _quote_between(self, low: int, high: int) -> int:
        """Quote that the pool has between two roots, rounded down."""
        return mul_div_down(self.settings.liquidity, high - low, Q96)

    @rule("FIL-1")
    def filled(self, market: Market, is_selling: bool, is_exact_input: bool, amount: int) -> tuple[int, int]:
        """Base and quote that the pool moves for an order: at its price, before its own fee on what comes in."""
        fill, uniswap, fee = self.pools[market].fill, self.settings.uniswap_fee, self.settings.exchange_fee
        if is_selling:
            if is_exact_input:
                base = mul_div_up(amount, ALL, ALL - uniswap)
                return base, mul_div_down(mul_div_down(base, ALL - uniswap, ALL), fill, UNIT)
            quote = mul_div_up(amount, ALL, ALL - fee)
            return mul_div_up(mul_div_up(quote, UNIT, fill), ALL, ALL - uniswap), quote
        if is_exact_input:
            quote = mul_div_up(amount, ALL - fee, ALL - uniswap)
            return mul_div_down(mul_div_down(quote, ALL - uniswap, ALL), UNIT, fill), quote
        return amount, mul_div_up(mul_div_up(amount, fill, UNIT), ALL, ALL - uniswap)

    @rule("PNL-1")
    def realised(self, size: int, open_notional: int, base: int, quote: int) -> int:
        """Profit of a trade, D18: of one that reduces a position its part, of one that turns it the whole; else none.

        base, quote: what the account gets, negative what it gives.
        """
        if size == 0 or base == 0 or (size < 0) == (base < 0):
            return 0
        closed = mul_div_down(magnitude(base), UNIT, magnitude(size))
        if closed <= UNIT:
            return quote + mul_div_toward_zero(open_notional, closed, UNIT)
        return open_notional + mul_div_toward_zero(quote, UNIT, closed)
