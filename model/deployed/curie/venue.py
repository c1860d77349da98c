"""Perp Curie: traders with cross-margin, their liquidators, an insurance fund, and the world.

Source: `ClearingHouse.sol`, `Vault.sol` and `InsuranceFund.sol` of npm package `@perp/curie-contract` 2.8.4. Rules:
`spec/deployed/curie.md`. Every check stands where the contract has it, so that the first rule to refuse is the same.
"""

from marginspec.model.deployed.curie.ledger import (
    CurieLedger,
    CurieSettings,
    FundingBook,
    PriceLevel,
    TakerPosition,
    VirtualPool,
)
from marginspec.model.deployed.curie.notation import (
    ALL,
    INSURANCE,
    Q96,
    STEP,
    TICK_INTERVAL,
    UNIT,
    Account,
    Amount,
    Bound,
    FillPrice,
    Funds,
    Index,
    Level,
    Market,
    OrderAmount,
    Seconds,
    SizeGiven,
    User,
    in_token,
    is_dust,
    magnitude,
    root_of,
)
from marginspec.model.kernel import Call, Rejected, action, regime, rule
from marginspec.model.kernel.fixed import div_down, mul_div_down, mul_div_toward_zero, mul_div_up

SETTINGS = CurieSettings(
    im_ratio=100_000,
    mm_ratio=62_500,
    penalty_ratio=25_000,
    max_funding_rate=100_000,
    uniswap_fee=10_000,
    exchange_fee=1_000,
    insurance_fee=200_000,
    max_ticks=1000,
    balance_cap=4 * 10**12,
    liquidity=2**110,
)
TICKS = (0, 1, -400, 400, -700, 700, -1_000, 1_000, -1_300, 1_300, -9_000, 9_000, -20_000)
LEVELS = tuple(Level(f"tick {tick}") for tick in TICKS)
"""The prices that a pool has in a run."""

HALF_A_TICK = 40_000


def level_of(tick: int) -> PriceLevel:
    """The price of a tick. A pool's root is half a tick above it, so that no order moves it to another."""
    root = root_of(tick)
    return PriceLevel(tick, root, root + div_down(root, HALF_A_TICK))


class Curie(CurieLedger):
    """The actions of traders and liquidators, and those of the world."""

    system = "curie"
    universe = {
        User: ("trader", "rival", "liquidator"),
        Account: ("trader", "rival", "liquidator", INSURANCE),
        Market: ("A", "B"),
        Level: LEVELS,
    }

    @classmethod
    def blank(cls) -> "Curie":
        """Two markets in which nothing was done yet, with the ratios that the contracts begin with."""
        users: tuple[User, ...] = cls.universe[User]
        accounts: tuple[Account, ...] = cls.universe[Account]
        markets: tuple[Market, ...] = cls.universe[Market]
        return cls(
            now=1_700_000_000,
            pools={market: VirtualPool(0, Q96, Q96, Q96, Q96, 1, 0, 0) for market in markets},
            settings=SETTINGS,
            levels={level: level_of(tick) for level, tick in zip(LEVELS, TICKS, strict=True)},
            funding={market: FundingBook() for market in markets},
            owed=dict.fromkeys(accounts, 0),
            balance=dict.fromkeys(accounts, 0),
            is_registered={user: dict.fromkeys(markets, False) for user in users},
            positions={user: {market: TakerPosition() for market in markets} for user in users},
            wallet=dict.fromkeys(accounts, 0),
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: all prices are one, and users have tokens, in wallets and in the vault."""
        calls: list[Call] = []
        for market in cls.universe[Market]:
            calls.append(Call("move_price", {"market": market, "level": LEVELS[0]}))
            calls.append(Call("set_fill", {"market": market, "price": UNIT}))
            calls.append(Call("set_index", {"market": market, "price": UNIT, "twap": UNIT}))
        calls.append(Call("set_balance", {"account": INSURANCE, "amount": 10**11}))
        for user in cls.universe[User]:
            calls.append(Call("set_balance", {"account": user, "amount": 10**12}))
            calls.append(Call("deposit", {"caller": user, "amount": 10**11 if user == "liquidator" else 10**9}))
        return calls

    # --- Vault -------------------------------------------------------------------------------------------------------

    @action(weight=2)
    @rule("DEP-1")
    def deposit(self, caller: User, amount: Amount) -> None:
        """Deposit tokens."""
        self._deposit(caller, caller, amount)

    @action(weight=0.5)
    @rule("DEP-2")
    def deposit_for(self, caller: User, to: Account, amount: Amount) -> None:
        """Deposit tokens for somebody else, the insurance fund among them."""
        self._deposit(caller, to, amount)

    @rule("DEP-3")
    def _deposit(self, sender: Account, to: Account, amount: int) -> None:
        """Take tokens and add them to a balance, while the vault has not too many."""
        if amount == 0:
            raise Rejected("DEP-4")
        if self.wallet[sender] < amount:
            raise Rejected("TOK-1")
        self.wallet[sender] -= amount
        self.tokens_in_vault += amount
        if self.tokens_in_vault > self.settings.balance_cap:
            raise Rejected("DEP-5")
        self.balance[to] += amount

    @action(weight=2)
    @rule("WDR-1")
    def withdraw(self, caller: User, amount: Amount) -> None:
        """Withdraw tokens, and settle what was realised."""
        self._withdraw(caller, amount)

    @action
    @rule("WDR-2")
    def withdraw_all(self, caller: User) -> int:
        """Withdraw all that can be; the amount."""
        amount = self.withdrawable(caller)
        self._withdraw(caller, amount)
        return amount

    @rule("WDR-3")
    def _withdraw(self, caller: User, amount: int) -> None:
        """Settle funding, then pay what can be withdrawn; less than a unit of what was realised is lost."""
        self._settle_all_funding(caller)
        if self.withdrawable(caller) < amount:
            raise Rejected("WDR-4")
        self.balance[caller] += in_token(self.owed[caller]) - amount
        self.owed[caller] = 0
        if self.tokens_in_vault < amount:
            raise Rejected("TOK-2")
        self.tokens_in_vault -= amount
        self.wallet[caller] += amount

    # --- Funding -----------------------------------------------------------------------------------------------------

    @action
    @rule("STL-1")
    def settle_all_funding(self, caller: User, user: User) -> None:
        """Settle funding in all of one's markets."""
        if caller != user:
            raise Rejected("STL-2")
        self._settle_all_funding(user)

    def _settle_all_funding(self, user: User) -> None:
        for market in self._markets(user):
            self._settle_funding(user, market)

    @rule("STL-3")
    def _settle_funding(self, user: User, market: Market) -> None:
        """Let an account pay or get funding up to now, record the growth, and after 15 seconds the tick."""
        due = self.pending_funding(user, market)
        book = self.funding[market]
        book.growth, book.growth_by_root = self.funding_growth(market)
        book.settled_at = self.now
        if self.now >= book.tick_at + TICK_INTERVAL:
            book.tick_at, book.tick = self.now, self.pools[market].tick
        self.owed[user] -= due
        self.positions[user][market].growth = book.growth

    # --- Trading -----------------------------------------------------------------------------------------------------

    @action(weight=10)
    @rule("TRD-1")
    def open_position(
        self,
        caller: User,
        market: Market,
        is_selling: bool,
        is_exact_input: bool,
        amount: OrderAmount,
        bound: Bound,
    ) -> tuple[int, int]:
        """Sell base for quote or buy it, an exact amount of what is given or of what is got; base and quote of it."""
        self.is_registered[caller][market] = True
        self._settle_funding(caller, market)
        base, quote = self._trade(caller, market, is_selling, is_exact_input, amount)
        self._within_bound(is_selling, is_exact_input, base, quote, bound)
        return base, quote

    @action(weight=3)
    @rule("TRD-2")
    def close_position(self, caller: User, market: Market, bound: Bound) -> tuple[int, int]:
        """Sell all of a long, or buy back all of a short; base and quote of it."""
        self._settle_funding(caller, market)
        size = self._open_size(caller, market)
        self._within_reach(market, size)
        base, quote = self._trade(caller, market, size > 0, size > 0, magnitude(size))
        self._within_bound(size > 0, size > 0, base, quote, bound)
        return base, quote

    @rule("TRD-3")
    def _within_reach(self, market: Market, size: int) -> None:
        """The pool's price is not yet at the limit to which it may move while a position is closed."""
        pool, tick, most = self.pools[market], self.funding[market].tick, self.settings.max_ticks
        if pool.index_price == 0:
            raise Rejected("TRD-6")
        if pool.tick < tick - most if size > 0 else pool.tick >= tick + most:
            raise Rejected("TRD-4")

    @rule("TRD-5")
    def _trade(
        self, caller: User, market: Market, is_selling: bool, is_exact_input: bool, amount: int
    ) -> tuple[int, int]:
        """Change a position by an order; magnitudes of base, and of quote after the fee."""
        held, before, fee = self.positions[caller][market], self.position_size(caller, market), 0
        if amount != 0:
            fee = self.order_fee(market, is_selling, is_exact_input, amount)
        base, quote = self._exchanged(market, is_selling, is_exact_input, amount, fee)
        self._price_is_near(market)
        book = self.funding[market]
        if book.first_traded_at == 0:
            book.first_traded_at = self.now
        profit = 0
        if before != 0 and (before < 0) != is_selling:
            profit = self.realised_by_order(before, held.open_notional, base, quote)
        self.owed[INSURANCE] += mul_div_up(fee, self.settings.insurance_fee, ALL)
        self._change(caller, market, base, quote, profit)
        self._margin_is_left(caller, market, before, is_selling)
        return self._amounts(base, quote)

    def _amounts(self, base: int, quote: int) -> tuple[int, int]:
        """TRD-20: what an order returns: the magnitudes of base and quote."""
        return magnitude(base), magnitude(quote)

    @rule("TRD-19")
    def _price_is_near(self, market: Market) -> None:
        """The pool's tick is at most so far from the one that was recorded last."""
        if magnitude(self.pools[market].tick - self.funding[market].tick) > self.settings.max_ticks:
            raise Rejected("TRD-9")

    @rule("TRD-10")
    def _exchanged(
        self, market: Market, is_selling: bool, is_exact_input: bool, amount: int, fee: int
    ) -> tuple[int, int]:
        """Base and quote that an order brings the account, negative what it gives: of what the pool moves, without the
        pool's own fee and with that of the exchange."""
        if self.pools[market].index_price == 0:
            raise Rejected("TRD-6")
        if amount == 0:
            raise Rejected("TRD-7")
        base, quote = self.filled(market, is_selling, is_exact_input, amount)
        if base == 0 or quote == 0:
            raise Rejected("TRD-8")
        part = ALL - self.settings.uniswap_fee
        if is_selling:
            return -mul_div_down(base, part, ALL), quote - fee
        if is_exact_input:
            return base, -amount
        return base, -mul_div_down(quote, part, ALL) - fee

    def realised_by_order(self, size: int, open_notional: int, base: int, quote: int) -> int:
        """PNL-2: what an order realises that goes against a position, be it so small that no base moved."""
        return quote if base == 0 else self.realised(size, open_notional, base, quote)

    @rule("TRD-11")
    def _margin_is_left(self, user: User, market: Market, before: int, is_selling: bool) -> None:
        """After an order that reduces a position the lesser margin is left, after any other the greater."""
        after = self.position_size(user, market)
        has_turned = before != 0 and after != 0 and (before < 0) != (after < 0)
        if before != 0 and (before < 0) != is_selling and not has_turned:
            if self.free_collateral(user, self.settings.mm_ratio) < 0:
                raise Rejected("TRD-12")
            return
        self._enough_for_more(user)

    def _enough_for_more(self, user: User) -> None:
        if self.free_collateral(user, self.settings.im_ratio) < 0:
            raise Rejected("TRD-13")

    @rule("TRD-14")
    def _within_bound(self, is_selling: bool, is_exact_input: bool, base: int, quote: int, bound: int) -> None:
        """What an order gives or takes is no worse than a bound, unless that is zero."""
        if bound == 0:
            return
        if is_exact_input:
            if is_selling and quote < bound:
                raise Rejected("TRD-15")
            if not is_selling and base < bound:
                raise Rejected("TRD-17")
        else:
            if is_selling and base > bound:
                raise Rejected("TRD-16")
            if not is_selling and quote > bound:
                raise Rejected("TRD-18")

    def _open_size(self, user: User, market: Market) -> int:
        """POS-4: the size of a position, which must be there."""
        size = self.position_size(user, market)
        if size == 0:
            raise Rejected("POS-5")
        return size

    @rule("POS-6")
    def _change(self, user: User, market: Market, base: int, quote: int, profit: int) -> None:
        """Add to a position, realise profit of it, and forget it if only dust is left of both."""
        held = self.positions[user][market]
        held.size += base
        held.open_notional += quote - profit
        self.owed[user] += profit
        if is_dust(held.size) & is_dust(held.open_notional):
            held.size = held.open_notional = held.growth = 0
            self.is_registered[user][market] = False

    # --- Liquidation -------------------------------------------------------------------------------------------------

    @action(weight=6)
    @rule("LQD-1")
    def liquidate(self, caller: User, user: User, market: Market, size: SizeGiven) -> None:
        """Take a part of a position over at the mark price, less a penalty; all that can be, where `size` is zero."""
        if not self.is_liquidatable(user):
            raise Rejected("LQD-2")
        if self._open_size(user, market) * size < 0:
            raise Rejected("LQD-3")
        self.is_registered[caller][market] = True
        self._settle_funding(user, market)
        self._settle_funding(caller, market)
        is_bankrupt = self.account_value(user) < 0
        part = self._part_to_liquidate(user, market, size)
        notional = mul_div_toward_zero(part, self.mark_price(market), UNIT)
        self._exchange(user, market, -part, notional)
        reward = self._penalise(user, notional, is_bankrupt)
        self._insured(user)
        self._exchange(caller, market, part, reward - notional)
        self._enough_for_more(caller)
        self._settle_bad_debt(user)

    @rule("LQD-4")
    def _part_to_liquidate(self, user: User, market: Market, size: int) -> int:
        """The size that was asked for, or what can be liquidated where that is less or nothing was asked for."""
        most = self.liquidatable_size(user, market)
        return most if size == 0 or magnitude(size) > magnitude(most) else size

    @rule("LQD-5")
    def _exchange(self, user: User, market: Market, base: int, quote: int) -> None:
        """Change a position without an order, and realise what it realises."""
        held = self.positions[user][market]
        self._change(user, market, base, quote, self.realised(held.size, held.open_notional, base, quote))

    @rule("LQD-6")
    def _penalise(self, user: User, notional: int, is_bankrupt: bool) -> int:
        """Take the penalty, half of it for the insurance fund; the liquidator's part, which is all of a bankrupt's."""
        penalty = mul_div_down(magnitude(notional), self.settings.penalty_ratio, ALL)
        self.owed[user] -= penalty
        if is_bankrupt:
            return penalty
        half = div_down(penalty, 2)
        self.owed[INSURANCE] += penalty - half
        return half

    @rule("LQD-7")
    def _insured(self, user: User) -> None:
        """What an account lacks after a liquidation, the insurance fund has."""
        value = self.account_value(user)
        if value < 0 and self.insurance_capacity() < -value:
            raise Rejected("LQD-8")

    # --- Bad debt and the insurance fund -----------------------------------------------------------------------------

    @action(weight=2)
    @rule("BAD-1")
    def settle_bad_debt(self, caller: User, account: Account) -> None:
        """Let the insurance fund take over what an account without positions lacks."""
        if account == INSURANCE:
            raise Rejected("BAD-2")
        for user in self.positions:
            if user == account:
                self._settle_bad_debt(user)

    @rule("BAD-3")
    def _settle_bad_debt(self, user: User) -> None:
        """Move what an account lacks to the insurance fund, rounded up; nothing while it is in any market."""
        if any(self.is_registered[user].values()):
            return
        value = in_token(self.settlement_balance(user))
        if value < 0:
            self.balance[INSURANCE] += value
            self.balance[user] -= value

    @action
    @rule("INS-1")
    def repay(self, caller: User) -> None:
        """Let the insurance fund deposit of its tokens what it lacks in the vault, or all that it has."""
        value = self.insurance_value()
        if value >= 0:
            raise Rejected("INS-2")
        self._deposit(INSURANCE, INSURANCE, min(self.wallet[INSURANCE], -value))

    # --- The world ---------------------------------------------------------------------------------------------------

    @action(weight=4, environment=True)
    def set_prices(
        self, market: Market, level: Level, of_15_seconds: Level, of_15_minutes: Level, of_30_minutes: Level
    ) -> None:
        """The pool's price and its averages are these."""
        self._spot(market, level)
        pool, levels = self.pools[market], self.levels
        pool.root_15_seconds, pool.root_15_minutes = levels[of_15_seconds].root, levels[of_15_minutes].root
        pool.root_30_minutes = levels[of_30_minutes].root

    @action(weight=5, environment=True)
    def move_price(self, market: Market, level: Level) -> None:
        """The pool's price is this, and has been for half an hour."""
        self._spot(market, level)
        pool, root = self.pools[market], self.levels[level].root
        pool.root_15_seconds = pool.root_15_minutes = pool.root_30_minutes = root

    def _spot(self, market: Market, level: Level) -> None:
        pool = self.pools[market]
        pool.tick, pool.root = self.levels[level].tick, self.levels[level].root_within

    @action(weight=2, environment=True)
    def set_fill(self, market: Market, price: FillPrice) -> None:
        """Orders are filled at this price from now on."""
        self.pools[market].fill = price

    @action(weight=4, environment=True)
    def set_index(self, market: Market, price: Index, twap: Index) -> None:
        """The index price, and its average."""
        self.pools[market].index_price, self.pools[market].index_twap = price, twap

    @action(environment=True)
    def set_balance(self, account: Account, amount: Funds) -> None:
        """Give somebody exactly so many tokens."""
        self.wallet[account] = amount

    @action(weight=2, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds

    # --- Regimes -----------------------------------------------------------------------------------------------------

    def _holders(self) -> list[User]:
        """Who has positions at mark prices."""
        try:
            for market in self.pools:
                self.mark_price(market)
        except Rejected:
            return []
        return [user for user, held in self.positions.items() if any(each.size != 0 for each in held.values())]

    def _above_maintenance(self, user: User) -> int:
        """Account value less the maintenance margin, D18; at zero nothing is liquidated."""
        return self.account_value(user) * STEP - self.maintenance_margin(user)

    @regime
    def liquidatable(self) -> bool:
        """Some account can be liquidated."""
        return any(self.is_liquidatable(user) for user in self._holders())

    @regime
    def equal_to_maintenance(self) -> bool:
        """Some account has exactly its maintenance margin."""
        return any(self._above_maintenance(user) == 0 for user in self._holders())

    @regime
    def less_than_half_the_margin(self) -> bool:
        """Some account has less than half its maintenance margin."""
        return any(2 * self._above_maintenance(user) < -self.maintenance_margin(user) for user in self._holders())

    @regime
    def bankrupt(self) -> bool:
        """Some account is worth less than nothing."""
        return any(self.account_value(user) < 0 for user in self._holders())

    @regime
    def in_both_markets(self) -> bool:
        """Some account has positions in several markets."""
        return any(sum(each.size != 0 for each in held.values()) > 1 for held in self.positions.values())

    @regime
    def hedged_across_markets(self) -> bool:
        """Some account is long in one market and short in another."""
        return any(
            any(a.size < 0 for a in held.values()) and any(b.size > 0 for b in held.values())
            for held in self.positions.values()
        )

    @regime
    def partly_liquidated(self) -> bool:
        """A liquidation left a part of the position."""
        if self.last is None or self.last.action != "liquidate":
            return False
        user, market = self.last.arguments["user"], self.last.arguments["market"]
        return user != self.last.arguments["caller"] and self.positions[user][market].size != 0

    @regime
    def wholly_liquidated(self) -> bool:
        """A liquidation left nothing of the position."""
        if self.last is None or self.last.action != "liquidate":
            return False
        user, market = self.last.arguments["user"], self.last.arguments["market"]
        return self.positions[user][market].size == 0

    @regime
    def liquidated_by_oneself(self) -> bool:
        """An account was liquidated by itself."""
        if self.last is None or self.last.action != "liquidate":
            return False
        return bool(self.last.arguments["user"] == self.last.arguments["caller"])

    @regime
    def hidden_position(self) -> bool:
        """An account has a position in a market that it is not listed in: one that it took over from itself."""
        return any(
            each.size != 0 and not self.is_registered[user][market]
            for user, held in self.positions.items()
            for market, each in held.items()
        )

    @regime
    def bad_debt_settled(self) -> bool:
        """The insurance fund took over what an account lacked."""
        return self.last is not None and self.balance[INSURANCE] < self.previous.balance[INSURANCE]

    @regime
    def fund_in_debt(self) -> bool:
        """The insurance fund has less than nothing in the vault."""
        return self.insurance_value() < 0

    @regime
    def position_turned(self) -> bool:
        """An order turned a position from one side to the other."""
        if self.last is None or self.last.action != "open_position":
            return False
        user, market = self.last.arguments["caller"], self.last.arguments["market"]
        return self.positions[user][market].size * self.previous.positions[user][market].size < 0

    @regime
    def dust_is_left(self) -> bool:
        """Some position is dust, but for its notional."""
        return any(each.size != 0 and is_dust(each.size) for held in self.positions.values() for each in held.values())

    @regime
    def funding_at_its_limit(self) -> bool:
        """Funding is due at the greatest rate."""
        return any(
            book.settled_at not in (0, self.now)
            and magnitude(self.premium(market))
            == mul_div_down(mul_div_down(self._averaged(market)[1], Q96, UNIT), self.settings.max_funding_rate, ALL)
            for market, book in self.funding.items()
        )

    @regime
    def vault_is_short(self) -> bool:
        """The vault has fewer tokens than an account could withdraw."""
        return any(self.withdrawable(user) > self.tokens_in_vault for user in self._holders())

    @regime
    def index_zero(self) -> bool:
        """There is a position at an index price of zero."""
        return any(
            self.pools[market].index_price == 0 and each.size != 0
            for held in self.positions.values()
            for market, each in held.items()
        )
