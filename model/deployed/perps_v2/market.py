"""What a market of PerpsV2 holds, and its figures: funding, fill price, fee, margin, liquidation, debt.

Source: `PerpsV2MarketBase.sol` and `PerpsV2MarketViews.sol`, npm package `synthetix` 2.102.1.
"""

from dataclasses import dataclass, field

from marginspec.model.deployed.perps_v2.notation import (
    DAY,
    MILLI,
    UNIT,
    Account,
    Count,
    Entries,
    Funding,
    FundingRate,
    Money,
    Preset,
    Price,
    Rate,
    SignedMoney,
    Size,
    StoredPrice,
    Timestamp,
    TotalSize,
    User,
    above_zero,
    divide,
    magnitude,
    multiply,
    same_side,
)
from marginspec.model.deployed.perps_v2.parameters import Parameters, Settings
from marginspec.model.kernel import Machine, Record, constant, rule
from marginspec.model.kernel.fixed import div_down, mul_div_down


@dataclass(slots=True)
class Position(Record):
    """An account's margin and, if `size` is not zero, its position.

    funding: the entry of the funding sequence, number `funding_index`, at which margin was last settled.
    """

    id: Count = 0
    funding_index: Count = 0
    funding: Funding = 0
    margin: Money = 0
    last_price: StoredPrice = 0
    size: Size = 0


@dataclass
class Market(Machine):
    """One market, what it leaves to others (prices, volatility, sUSD), and the time.

    funding: the last entry of the funding sequence. flagger: who flagged an account for liquidation, else nobody.
    """

    now: Timestamp
    price: Price
    is_price_stale: bool
    dynamic_fee: Rate
    is_volatile: bool
    parameters: Parameters
    settings: Settings = constant()
    presets: dict[Preset, Parameters] = constant()
    is_endorsed: dict[User, bool] = constant()
    size: TotalSize = 0
    skew: Size = 0
    debt_correction: SignedMoney = 0
    funding_recomputed_at: Timestamp = 0
    funding_rate: FundingRate = 0
    funding: Funding = 0
    funding_entries: Entries = 1
    next_position_id: Count = 1
    positions: dict[User, Position] = field(default_factory=dict)
    flagger: dict[User, Account] = field(default_factory=dict)
    balance: dict[Account, Money] = field(default_factory=dict)
    fees_recorded: Money = 0

    # --- Funding -----------------------------------------------------------------------------------------------------

    @rule("FND-1")
    def funding_velocity(self) -> int:
        """By how much the funding rate grows in a day, D18 per day: the skew's part of its scale, at most 1."""
        proportion = divide(self.skew, self.parameters.skew_scale)
        return multiply(min(max(-UNIT, proportion), UNIT), self.parameters.max_funding_velocity)

    @rule("FND-2")
    def current_funding_rate(self) -> int:
        """Funding rate now, D18 per day."""
        return self.funding_rate + multiply(self.funding_velocity(), self._elapsed())

    @rule("FND-3")
    def unrecorded_funding(self, price: int) -> int:
        """Funding of one unit since the sequence's last entry, sUSD; longs receive it, shorts pay it."""
        average = -divide(self.funding_rate + self.current_funding_rate(), 2 * UNIT)
        return multiply(multiply(average, self._elapsed()), price)

    def next_funding(self, price: int) -> int:
        """The entry that the funding sequence would have now, sUSD per unit."""
        return self.funding + self.unrecorded_funding(price)

    def _elapsed(self) -> int:
        """Days since funding was recomputed, D18."""
        return div_down((self.now - self.funding_recomputed_at) * UNIT, DAY)

    @rule("FND-4")
    def _recompute_funding(self, price: int) -> None:
        """Append an entry to the funding sequence."""
        rate, entry = self.current_funding_rate(), self.next_funding(price)
        self.funding, self.funding_rate, self.funding_recomputed_at = entry, rate, self.now
        self.funding_entries += 1

    # --- Trading -----------------------------------------------------------------------------------------------------

    @rule("FIL-1")
    def fill_price(self, delta: int, price: int) -> int:
        """Price at which a change of size is filled: the mean of the prices that the skew makes before and after."""
        before = price + multiply(price, divide(self.skew, self.parameters.skew_scale))
        after = price + multiply(price, divide(self.skew + delta, self.parameters.skew_scale))
        return divide(before + after, 2 * UNIT)

    @rule("FEE-1")
    def order_fee(self, delta: int, fill: int) -> int:
        """Fee of a change of size, sUSD, each part rounded down; delta is not zero."""
        change = multiply(delta, fill)
        notional, after = magnitude(change), self.skew + delta
        base = mul_div_down(notional, self.dynamic_fee, UNIT)
        if same_side(after, self.skew):
            is_taking = same_side(change, self.skew)
            rate = self.parameters.taker_fee if is_taking else self.parameters.maker_fee
            return base + mul_div_down(notional, rate, UNIT)
        return base + self._fee_of_flip(notional, mul_div_down(magnitude(after), UNIT, magnitude(delta)))

    @rule("FEE-2")
    def _fee_of_flip(self, notional: int, taken: int) -> int:
        """Fee of a change that turns the skew: of its taken part, D18, as taker, of the rest as maker."""
        taker = mul_div_down(mul_div_down(notional, taken, UNIT), self.parameters.taker_fee, UNIT)
        return taker + mul_div_down(mul_div_down(notional, UNIT - taken, UNIT), self.parameters.maker_fee, UNIT)

    @rule("SIZ-1")
    def _is_too_large(self, old: int, new: int) -> bool:
        """Whether a change of a position makes its side of the market larger than it may be."""
        if same_side(old, new) and magnitude(new) <= magnitude(old):
            return False
        skew, size = self.skew - old + new, self.size - magnitude(old) + magnitude(new)
        both = size + skew if new > 0 else size - skew
        return div_down(magnitude(both), 2) > self.parameters.max_market_value

    # --- Margin ------------------------------------------------------------------------------------------------------

    @rule("MRG-1")
    def equity(self, account: User, price: int, funding: int) -> int:
        """Margin, profit and funding of an account, sUSD; may be negative. funding: the entry to settle at."""
        position = self.positions[account]
        earned = multiply(position.size, funding - position.funding) if position.funding_index != 0 else 0
        return position.margin + multiply(position.size, price - position.last_price) + earned

    @rule("MRG-2")
    def remaining_margin(self, account: User) -> int:
        """Equity now, sUSD, nothing where it is negative."""
        return above_zero(self.equity(account, self.price, self.next_funding(self.price)))

    @rule("MRG-3")
    def accessible_margin(self, account: User) -> int:
        """About what an account can withdraw, sUSD: a milli-unit of leverage and of sUSD less than the rules allow."""
        locked = magnitude(
            divide(multiply(self.positions[account].size, self.price), self.parameters.max_leverage - MILLI)
        )
        if locked > 0:
            locked = max(locked, self.settings.min_initial_margin) + MILLI
        return above_zero(self.remaining_margin(account) - locked)

    @rule("MRG-4")
    def leverage(self, size: int, price: int, margin: int) -> int:
        """How many times its margin a position is worth, D18, rounded down; 0 without margin."""
        return magnitude(divide(multiply(size, price), margin)) if margin != 0 else 0

    # --- Liquidation -------------------------------------------------------------------------------------------------

    @rule("LIQ-1")
    def liquidation_fee(self, size: int, price: int) -> int:
        """What flagging a position earns, sUSD: a part of its notional, rounded down, between two bounds."""
        notional = mul_div_down(magnitude(size), price, UNIT)
        fee = mul_div_down(notional, self.settings.liquidation_fee_ratio, UNIT)
        return max(min(fee, self.settings.max_keeper_fee), self.settings.min_keeper_fee)

    @rule("LIQ-2")
    def liquidation_margin(self, size: int, price: int) -> int:
        """Margin at or below which a position is liquidated, sUSD: a buffer and the fees of a liquidation."""
        notional = mul_div_down(magnitude(size), price, UNIT)
        buffer = mul_div_down(notional, self.parameters.liquidation_buffer_ratio, UNIT)
        return buffer + self.liquidation_fee(size, price) + self.settings.keeper_liquidation_fee

    @rule("LIQ-3")
    def liquidation_premium(self, size: int, price: int) -> int:
        """What closing a position would move the price by, from no skew, sUSD, times a multiplier."""
        amount = magnitude(size)
        notional = mul_div_down(amount, price, UNIT)
        impact = mul_div_down(mul_div_down(amount, UNIT, self.parameters.skew_scale), notional, UNIT)
        return mul_div_down(impact, self.parameters.liquidation_premium_multiplier, UNIT)

    @rule("LIQ-4")
    def is_liquidatable(self, account: User, price: int, funding: int) -> bool:
        """Whether equity less the premium is at most the liquidation margin; equality liquidates."""
        size = self.positions[account].size
        if size == 0:
            return False
        # The contract takes zero for less: the liquidation margin is never below it.
        left = self.equity(account, price, funding) - self.liquidation_premium(size, price)
        return left <= self.liquidation_margin(size, price)

    def can_liquidate(self, account: User) -> bool:
        """LIQ-5: whether a position can be flagged now; never at a price that is stale or zero."""
        if self.is_price_stale or self.price == 0:
            return False
        return self.is_liquidatable(account, self.price, self.next_funding(self.price))

    def liquidation_price(self, account: User) -> int:
        """LIQ-6: about the price at which a position is liquidated, were buffer, fees and premium what they are now."""
        position, size = self.positions[account], self.positions[account].size
        if size == 0:
            return 0
        left = position.margin - self.liquidation_premium(size, self.price)
        distance = divide(self.liquidation_margin(size, self.price) - left, size)
        earned = self.next_funding(self.price) - position.funding
        return above_zero(position.last_price + distance - earned)

    # --- Debt --------------------------------------------------------------------------------------------------------

    @rule("DBT-1")
    def correction(self, margin: int, size: int, price: int, funding: int) -> int:
        """The part of a position's equity that neither price nor funding changes, sUSD."""
        return margin - multiply(size, price + funding)

    def market_debt(self) -> int:
        """DBT-2: what the market owes its traders, sUSD, from totals alone: about the sum of their equities."""
        if self.skew == 0 and self.debt_correction == 0:
            return 0
        return above_zero(multiply(self.skew, self.price + self.next_funding(self.price)) + self.debt_correction)
