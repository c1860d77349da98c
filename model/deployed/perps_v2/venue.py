"""PerpsV2 of Synthetix, as deployed on OP mainnet: one market of perpetuals, priced by its skew, against a debt pool.

Source: `PerpsV2Market.sol`, `PerpsV2MarketProxyable.sol` and `PerpsV2MarketLiquidate.sol` of npm package `synthetix`
2.102.1. Rules: `spec/deployed/perps-v2.md`. Every check stands where the contract has it, so that the first rule to
refuse is the same.
"""

from marginspec.model.deployed.perps_v2.market import Market, Position
from marginspec.model.deployed.perps_v2.notation import (
    DAY,
    FEE_POOL,
    LEVERAGE_HEADROOM,
    NOBODY,
    UNIT,
    Account,
    FillLimit,
    Funds,
    MarginDelta,
    Preset,
    Price,
    Rate,
    Seconds,
    SizeDelta,
    User,
    Velocity,
    above_zero,
    magnitude,
    multiply,
    same_side,
)
from marginspec.model.deployed.perps_v2.parameters import PRESETS, SETTINGS_OF_MAINNET, at_velocity, mainnet
from marginspec.model.kernel import Call, Rejected, action, regime, rule
from marginspec.model.kernel.fixed import mul_div_down

OWNER = User(Account("owner"))


class PerpsV2(Market):
    """The actions of traders, keepers and the owner, and those of the world."""

    system = "perps-v2"
    universe = {
        User: ("trader", "maker", "keeper", OWNER),
        Account: ("trader", "maker", "keeper", OWNER, FEE_POOL, NOBODY),
        Preset: PRESETS,
    }

    @classmethod
    def blank(cls) -> "PerpsV2":
        """A market of ETH with the parameters of mainnet, in which nothing was done yet."""
        users: tuple[User, ...] = cls.universe[User]
        return cls(
            now=1_700_000_000,
            price=0,
            is_price_stale=False,
            dynamic_fee=0,
            is_volatile=False,
            parameters=mainnet(PRESETS[0]),
            positions={user: Position() for user in users},
            flagger=dict.fromkeys(users, NOBODY),
            balance={account: 0 for account in cls.universe[Account] if account != NOBODY},
            settings=SETTINGS_OF_MAINNET,
            presets={preset: mainnet(preset) for preset in PRESETS},
            is_endorsed={user: user == "keeper" for user in users},
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: there is a price, and users have sUSD."""
        users = cls.universe[User]
        funds = [Call("set_balance", {"account": user, "amount": 10**24}) for user in users]
        return [Call("set_price", {"price": 2000 * UNIT}), *funds]

    # --- Margin ------------------------------------------------------------------------------------------------------

    @action(weight=5)
    @rule("TRF-1")
    def transfer_margin(self, caller: User, delta: MarginDelta) -> None:
        """Deposit sUSD as margin, or withdraw margin as sUSD where `delta` is negative."""
        price = self._usable_price()
        self._recompute_funding(price)
        self._transfer(caller, delta, price)

    @action
    @rule("TRF-2")
    def withdraw_all_margin(self, caller: User) -> None:
        """Withdraw what is accessible."""
        price = self._usable_price()
        self._recompute_funding(price)
        self._transfer(caller, -self.accessible_margin(caller), price)

    def _transfer(self, caller: User, delta: int, price: int) -> None:
        self._not_flagged(caller)
        if delta > 0:
            self._burn(caller, delta)
        elif delta < 0:
            self._issue(caller, -delta)
        else:
            return
        self._settle(caller, delta, price)

    @rule("TRF-3")
    def _settle(self, account: User, delta: int, price: int) -> None:
        """Bring an account's margin up to now, and change it."""
        position = self.positions[account]
        margin = self._margin_after(account, price, delta)
        self._correct_debt(account, margin, position.size, price)
        position.margin = margin
        if position.size == 0:
            return
        position.last_price, position.funding_index, position.funding = price, self.funding_entries - 1, self.funding
        if delta < 0:
            self._may_be_left(position, price)

    @rule("TRF-7")
    def _may_be_left(self, position: Position, price: int) -> None:
        """What a withdrawal leaves is above liquidation and within the greatest leverage."""
        size, margin = position.size, position.margin
        if margin <= self.liquidation_margin(size, price) + self.liquidation_premium(size, price):
            raise Rejected("TRF-8")
        if self.parameters.max_leverage < self.leverage(size, price, margin):
            raise Rejected("TRF-9")
        if margin < self.settings.min_initial_margin:
            raise Rejected("TRF-10")

    @rule("TRF-4")
    def _margin_after(self, account: User, price: int, delta: int) -> int:
        """Equity at a price after a change, which must be above the liquidation margin of the present size."""
        margin, size = self.equity(account, price, self.funding) + delta, self.positions[account].size
        if margin < 0:
            raise Rejected("TRF-5")
        if size != 0 and margin <= self.liquidation_margin(size, price):
            raise Rejected("TRF-6")
        return margin

    # --- Trades ------------------------------------------------------------------------------------------------------

    @action(weight=10)
    @rule("TRD-1")
    def modify_position(self, caller: User, delta: SizeDelta, limit: FillLimit) -> None:
        """Change the size of one's position by `delta`, at no worse a price than `limit`."""
        price = self._usable_price()
        self._recompute_funding(price)
        self._trade(caller, delta, limit, price)

    @action(weight=2)
    @rule("TRD-2")
    def close_position(self, caller: User, limit: FillLimit) -> None:
        """Change the size of one's position to zero, at no worse a price than `limit`."""
        size = self.positions[caller].size
        if size == 0:
            raise Rejected("TRD-3")
        price = self._usable_price()
        self._recompute_funding(price)
        self._trade(caller, -size, limit, price)

    def _trade(self, caller: User, delta: int, limit: int, price: int) -> None:
        position, fill = self.positions[caller], self.fill_price(delta, price)
        self._not_flagged(caller)
        old, new = position.size, position.size + delta
        margin, fee = self._traded(caller, delta, fill, price)
        if fill > limit if delta > 0 else fill < limit:
            raise Rejected("TRD-12")
        self._count(old, new)
        self._pay_fee(fee)
        self._correct_debt(caller, margin, new, fill)
        self._hold(position, new, fill)
        position.margin = margin

    @rule("TRD-4")
    def _traded(self, caller: User, delta: int, fill: int, price: int) -> tuple[int, int]:
        """Margin after a trade and its fee, sUSD, where nothing is against it."""
        if delta == 0:
            raise Rejected("TRD-5")
        if self.is_liquidatable(caller, price, self.funding):
            raise Rejected("TRD-6")
        if self.is_volatile:
            raise Rejected("TRD-7")
        fee = self.order_fee(delta, fill)
        margin = self._margin_after(caller, fill, -fee)
        old, new = self.positions[caller].size, self.positions[caller].size + delta
        is_decreasing = same_side(old, new) and magnitude(new) < magnitude(old)
        if not is_decreasing and margin + fee < self.settings.min_initial_margin:
            raise Rejected("TRD-8")
        if margin <= self.liquidation_margin(new, price) + self.liquidation_premium(new, price):
            raise Rejected("TRD-9")
        if self.parameters.max_leverage + LEVERAGE_HEADROOM < self.leverage(new, fill, margin + fee):
            raise Rejected("TRD-10")
        if self._is_too_large(old, new):
            raise Rejected("TRD-11")
        return margin, fee

    @rule("SIZ-2")
    def _count(self, old: int, new: int) -> None:
        """Count a change of a position in skew and size of the market."""
        self.skew += new - old
        self.size += magnitude(new) - magnitude(old)

    @rule("TRD-13")
    def _hold(self, position: Position, size: int, fill: int) -> None:
        """A position of some size since now; one that is opened gets a number, one that is closed has none."""
        if size == 0:
            position.id = position.funding_index = position.funding = position.last_price = position.size = 0
            return
        if position.size == 0:
            position.id = self.next_position_id
            self.next_position_id += 1
        position.size, position.last_price = size, fill
        position.funding_index, position.funding = self.funding_entries - 1, self.funding

    # --- Liquidation -------------------------------------------------------------------------------------------------

    @action(weight=3)
    @rule("FLG-1")
    def flag_position(self, caller: User, account: User) -> None:
        """Mark a position for liquidation; its account can do nothing from then on."""
        self._not_flagged(account)
        price = self._usable_price()
        self._recompute_funding(price)
        if not self.is_liquidatable(account, price, self.funding):
            raise Rejected("FLG-3")
        self.flagger[account] = caller

    @action(weight=3)
    @rule("LQD-1")
    def liquidate_position(self, caller: User, account: User) -> None:
        """Close a flagged position, where neither it nor the skew is too large for that."""
        self._flagged(account)
        price = self._usable_price()
        self._recompute_funding(price)
        scale = self.parameters.skew_scale
        if self.parameters.max_liquidation_delta <= mul_div_down(magnitude(self.positions[account].size), UNIT, scale):
            raise Rejected("LQD-3")
        if self.parameters.max_pd <= mul_div_down(magnitude(self.skew), UNIT, scale):
            raise Rejected("LQD-4")
        self._liquidate(account, caller, price, self.settings.keeper_liquidation_fee)

    @action(weight=2)
    @rule("LQD-5")
    def force_liquidate_position(self, caller: User, account: User) -> None:
        """Close a flagged position of any size, without a fee for the caller, whom the owner must have endorsed."""
        self._flagged(account)
        price = self._usable_price()
        self._recompute_funding(price)
        if not self.is_endorsed[caller]:
            raise Rejected("LQD-6")
        self._liquidate(account, caller, price, 0)

    @rule("LQD-7")
    def _liquidate(self, account: User, liquidator: User, price: int, keeper_fee: int) -> None:
        """Pay the fees, whatever is left of the margin, and the rest of it to the fee pool; the position is gone."""
        position = self.positions[account]
        size = position.size
        flagger_fee = self.liquidation_fee(size, price)
        rest = above_zero(self.equity(account, price, self.funding) - flagger_fee - keeper_fee)
        self._count(size, 0)
        self._correct_debt(account, 0, 0, price)
        self._issue(self.flagger[account], flagger_fee)
        self._issue(liquidator, keeper_fee)
        self._pay_fee(rest)
        self._hold(position, 0, price)
        position.margin = 0
        self.flagger[account] = NOBODY

    # --- Owner -------------------------------------------------------------------------------------------------------

    @action(weight=0.5)
    @rule("PAR-1")
    def set_parameters(self, caller: User, preset: Preset) -> None:
        """Give the market the parameters of a market of mainnet; funding so far is recorded at the old ones."""
        self._only_owner(caller)
        for _ in range(3):
            self._record_funding()
        self.parameters = self.presets[preset].clone()

    @action(weight=0.5)
    @rule("PAR-3")
    def set_max_funding_velocity(self, caller: User, velocity: Velocity) -> None:
        """Change how fast the funding rate may grow; funding so far is recorded at the old velocity."""
        self._only_owner(caller)
        self._record_funding()
        self.parameters = at_velocity(self.parameters, velocity)

    @rule("FND-5")
    def _record_funding(self) -> None:
        """Recompute funding before parameters change, where there are positions; only the contract of settings may."""
        if self.size == 0:
            return
        if self.is_price_stale or self.price == 0:
            raise Rejected("PRC-3")
        self._recompute_funding(self.price)

    def _only_owner(self, caller: User) -> None:
        if caller != OWNER:
            raise Rejected("PAR-2")

    # --- Checks and payments -----------------------------------------------------------------------------------------

    @rule("PRC-1")
    def _usable_price(self) -> int:
        """The price, which must not be stale, though it may be zero."""
        if self.is_price_stale:
            raise Rejected("PRC-2")
        return self.price

    def _not_flagged(self, account: User) -> None:
        if self.flagger[account] != NOBODY:
            raise Rejected("FLG-2")

    def _flagged(self, account: User) -> None:
        if self.flagger[account] == NOBODY:
            raise Rejected("LQD-2")

    @rule("DBT-3")
    def _correct_debt(self, account: User, margin: int, size: int, price: int) -> None:
        """Replace an account's part of the debt correction by that of what it will have; comes before that."""
        held = self.positions[account]
        new = self.correction(margin, size, price, self.funding)
        old = self.correction(held.margin, held.size, held.last_price, held.funding)
        self.debt_correction += new - old

    @rule("TOK-1")
    def _issue(self, account: Account, amount: int) -> None:
        self.balance[account] += amount

    @rule("TOK-2")
    def _burn(self, account: User, amount: int) -> None:
        if self.balance[account] < amount:
            raise Rejected("TOK-3")
        self.balance[account] -= amount

    @rule("TOK-4")
    def _pay_fee(self, amount: int) -> None:
        """Issue sUSD to the fee pool, and tell it."""
        self._issue(FEE_POOL, amount)
        self.fees_recorded += amount

    # --- The world ---------------------------------------------------------------------------------------------------

    @action(weight=3, environment=True)
    def set_price(self, price: Price) -> None:
        """There is a fresh price."""
        self.price, self.is_price_stale = price, False

    @action(weight=0.25, environment=True)
    def let_price_go_stale(self) -> None:
        """Nobody has reported a price for too long."""
        self.is_price_stale = True

    @action(weight=0.5, environment=True)
    def set_dynamic_fee(self, fee: Rate) -> None:
        """Orders cost this much more, for how the price has moved, and are taken."""
        self.dynamic_fee, self.is_volatile = fee, False

    @action(weight=0.25, environment=True)
    def let_prices_jump(self) -> None:
        """The price moves so fast that orders are not taken."""
        self.is_volatile = True

    @action(environment=True)
    def set_balance(self, account: User, amount: Funds) -> None:
        """Give a user exactly this much sUSD."""
        self.balance[account] = amount

    @action(weight=2, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds

    # --- Regimes -----------------------------------------------------------------------------------------------------

    def _open(self) -> list[User]:
        return [account for account, position in self.positions.items() if position.size != 0]

    def _margin_to_spare(self, account: User) -> int:
        """Equity less premium and liquidation margin; at zero a position is still liquidated."""
        size, price = self.positions[account].size, self.price
        needed = self.liquidation_premium(size, price) + self.liquidation_margin(size, price)
        return self.equity(account, price, self.next_funding(price)) - needed

    @regime
    def liquidatable(self) -> bool:
        """Some position can be flagged."""
        return any(self.can_liquidate(account) for account in self._open())

    @regime
    def equal_to_threshold(self) -> bool:
        """Some position has exactly the margin at which it is liquidated."""
        return any(self._margin_to_spare(account) == 0 for account in self._open())

    @regime
    def just_above_threshold(self) -> bool:
        """Some position has the least margin at which it is not liquidated."""
        return any(self._margin_to_spare(account) == 1 for account in self._open())

    @regime
    def bankrupt(self) -> bool:
        """Some position has lost more than its margin."""
        return any(self.equity(a, self.price, self.next_funding(self.price)) < 0 for a in self._open())

    @regime
    def recovered_after_flag(self) -> bool:
        """A flagged position is healthy again, and can be liquidated still."""
        return any(self.flagger[account] != NOBODY and self._margin_to_spare(account) > 0 for account in self._open())

    @regime
    def several_flagged(self) -> bool:
        """Two positions wait for liquidation."""
        return sum(who != NOBODY for who in self.flagger.values()) > 1

    @regime
    def skew_turned(self) -> bool:
        """A trade turned the skew from one side to the other."""
        if self.last is None or self.last.action not in ("modify_position", "close_position"):
            return False
        return self.skew * self.previous.skew < 0

    @regime
    def position_turned(self) -> bool:
        """A trade turned a position from one side to the other."""
        if self.last is None or self.last.action != "modify_position":
            return False
        caller = self.last.arguments["caller"]
        return self.positions[caller].size * self.previous.positions[caller].size < 0

    @regime
    def balanced(self) -> bool:
        """Longs and shorts are of one size."""
        return self.skew == 0 < self.size

    @regime
    def side_is_full(self) -> bool:
        """One side of the market is as large as it may be."""
        return self.size > 0 and self.size + magnitude(self.skew) >= 2 * self.parameters.max_market_value

    @regime
    def closed_market(self) -> bool:
        """There are positions in a market that takes no more."""
        return self.size > 0 == self.parameters.max_market_value

    @regime
    def dust(self) -> bool:
        """Some position is worth less than the smallest amount of sUSD."""
        return any(multiply(self.positions[account].size, self.price) == 0 != self.price for account in self._open())

    @regime
    def long_without_funding(self) -> bool:
        """There are positions, and funding was not recomputed for a week."""
        return self.size > 0 and self.now - self.funding_recomputed_at >= 7 * DAY

    @regime
    def price_zero(self) -> bool:
        """There are positions at a price of zero."""
        return self.size > 0 == self.price

    @regime
    def price_stale(self) -> bool:
        """There are positions, and the price is stale."""
        return self.size > 0 and self.is_price_stale

    @regime
    def liquidated_at_a_loss(self) -> bool:
        """A liquidation paid fees that the margin did not cover."""
        if self.last is None or self.last.action not in ("liquidate_position", "force_liquidate_position"):
            return False
        return self.fees_recorded == self.previous.fees_recorded
