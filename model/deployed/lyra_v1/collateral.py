"""The least collateral of a short option, and the parameters that it is worked out from."""

from marginspec.model.deployed.lyra_v1.decimals import UNIT, divide, multiply
from marginspec.model.deployed.lyra_v1.ledger import (
    CALL_BASE,
    CALL_QUOTE,
    OWNER,
    PUT_QUOTE,
    Admin,
    Amount,
    Collateral,
    CollateralParameters,
    Count,
    ForceCloseParameters,
    GreekParameters,
    Kind,
    Ledger,
    Moment,
    PenaltyParameters,
    Period,
    Price,
    Rate,
    Volatility,
    Wad,
    until,
)
from marginspec.model.deployed.lyra_v1.pricing import DAY
from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down
from marginspec.model.kernel.numbers import UINT256_MAX

LONGEST = 60 * DAY
STALE = 30 * DAY
MAX_MOVE = 10 * UNIT
MAX_RATE = 50 * UNIT


class MinimumCollateral(Ledger):
    """What a short option has to have behind it."""

    # --- Parameters ---------------------------------------------------------------------------------------------

    @action
    @rule("OWN-1")
    def set_collateral_parameters(
        self,
        caller: Admin,
        static_quote: Collateral,
        static_base: Collateral,
        vol_a: Volatility,
        point_a: Period,
        vol_b: Volatility,
        point_b: Period,
        call_shock: Wad,
        put_shock: Wad,
    ) -> None:
        """Change what the least collateral is worked out from."""
        self._only_owner(caller)
        if static_quote == 0 or static_base == 0 or vol_a == 0 or vol_a < vol_b or point_a > point_b:
            raise Rejected("OWN-6")
        if call_shock < UNIT or put_shock == 0 or put_shock > UNIT:
            raise Rejected("OWN-6")
        self.minimum = CollateralParameters(
            static_quote, static_base, vol_a, point_a, vol_b, point_b, call_shock, put_shock
        )

    @action
    @rule("OWN-2")
    def set_greek_parameters(
        self,
        caller: Admin,
        max_strikes: Count,
        price_move: Wad,
        stale_after: Period,
        variance_iv_period: Period,
        variance_skew_period: Period,
        value_iv_period: Period,
        value_skew_period: Period,
        rate: Rate,
    ) -> None:
        """Change what the cache is kept by; the bounds of skews stay as they are."""
        self._only_owner(caller)
        if price_move > MAX_MOVE or stale_after > STALE or rate < -MAX_RATE or rate > MAX_RATE:
            raise Rejected("OWN-7")
        for period in (variance_iv_period, variance_skew_period, value_iv_period, value_skew_period):
            if period == 0 or period > LONGEST:
                raise Rejected("OWN-7")
        self.greek = GreekParameters(
            max_strikes,
            price_move,
            stale_after,
            variance_iv_period,
            variance_skew_period,
            value_iv_period,
            value_skew_period,
            rate,
        )

    @action
    @rule("OWN-3")
    def set_force_close_parameters(
        self,
        caller: Admin,
        iv_period: Period,
        skew_period: Period,
        short_shock: Wad,
        short_late_shock: Wad,
        long_shock: Wad,
        long_late_shock: Wad,
        liquidate_shock: Wad,
        liquidate_late_shock: Wad,
        short_spot_min: Wad,
        liquidate_spot_min: Wad,
    ) -> None:
        """Change what prices of a forced close are worked out from."""
        self._only_owner(caller)
        for period in (iv_period, skew_period):
            if period == 0 or period > LONGEST:
                raise Rejected("OWN-8")
        for raised in (short_shock, short_late_shock, liquidate_shock, liquidate_late_shock):
            if raised < UNIT:
                raise Rejected("OWN-8")
        for lowered in (long_shock, long_late_shock):
            if lowered == 0 or lowered > UNIT:
                raise Rejected("OWN-8")
        if short_spot_min > UNIT or liquidate_spot_min > UNIT:
            raise Rejected("OWN-8")
        self.forced = ForceCloseParameters(
            iv_period,
            skew_period,
            short_shock,
            short_late_shock,
            long_shock,
            long_late_shock,
            liquidate_shock,
            liquidate_late_shock,
            short_spot_min,
            liquidate_spot_min,
        )

    @action
    @rule("OWN-4")
    def set_penalty_parameters(
        self, caller: Admin, penalty_ratio: Wad, liquidator_ratio: Wad, security_ratio: Wad, least_fee: Collateral
    ) -> None:
        """Change what a liquidation costs."""
        self._only_owner(caller)
        if penalty_ratio > UNIT or checked(liquidator_ratio + security_ratio) > UNIT:
            raise Rejected("OWN-9")
        self.penalty = PenaltyParameters(penalty_ratio, liquidator_ratio, security_ratio, least_fee)

    def _only_owner(self, caller: Admin) -> None:
        if caller != OWNER:
            raise Rejected("OWN-5")

    # --- The least collateral -----------------------------------------------------------------------------------

    @action(weight=4)
    def ask_min_collateral(self, kind: Kind, strike: Price, expiry: Moment, spot: Price, amount: Amount) -> int:
        """Ask the cache for the least collateral of an option."""
        return self.least_collateral(kind, strike, expiry, spot, amount)

    @rule("MIN-1")
    def least_collateral(self, kind: Kind, strike: int, expiry: int, spot: int, amount: int) -> int:
        """The least collateral of an option that is short: quote, but base for a call that base covers."""
        if amount == 0:
            return 0
        shocked = self.shocked_spot(kind, spot)
        seconds = until(self.now, expiry)
        call, put = self.option_prices(seconds, self.shock_volatility(seconds), shocked, strike, self.greek.rate)
        by_volatility = collateral_by_volatility(kind, call, put, shocked, amount)
        return between_bounds(by_volatility, self.static_collateral(kind), full_collateral(kind, strike, amount))

    @rule("MIN-2")
    def shocked_spot(self, kind: Kind, spot: int) -> int:
        """The spot at which an option is priced: lower for a put, else higher; rounded down."""
        return multiply(spot, self.minimum.put_shock if kind == PUT_QUOTE else self.minimum.call_shock)

    @rule("MIN-3")
    def shock_volatility(self, seconds: int) -> int:
        """The volatility at which an option is priced: A up to point A, B from point B, a line between them."""
        m = self.minimum
        if seconds <= m.point_a:
            return m.vol_a
        if seconds >= m.point_b:
            return m.vol_b
        gone = checked((m.vol_a - m.vol_b) * (seconds - m.point_a))
        return m.vol_a - div_down(gone, m.point_b - m.point_a)

    @rule("MIN-6")
    def static_collateral(self, kind: Kind) -> int:
        """The least that any short has to have: base for a call that base covers, else quote."""
        return self.minimum.static_base if kind == CALL_BASE else self.minimum.static_quote

    @action
    def ask_shock_volatility(self, seconds: Period) -> int:
        """Ask the cache for the volatility at which an option is priced."""
        return self.shock_volatility(seconds)

    @action(weight=2)
    def ask_prices(
        self, seconds: Period, volatility: Volatility, spot: Price, strike: Price, rate: Rate
    ) -> tuple[int, int, int, int, int, int]:
        """Ask the library for prices of call and put, delta of both, vega and standard vega."""
        return self.prices_and_greeks(seconds, volatility, spot, strike, rate)


def collateral_by_volatility(kind: Kind, call: int, put: int, shocked: int, amount: int) -> int:
    """MIN-4: what an option costs at shocked spot and volatility, in what it is collateralised with, rounded down."""
    if kind == CALL_BASE:
        return divide(multiply(call, amount), shocked)
    return multiply(call if kind == CALL_QUOTE else put, amount)


def full_collateral(kind: Kind, strike: int, amount: int) -> int:
    """MIN-5: what covers an option whatever happens: its amount of base, or its strike; of a call in quote nothing."""
    if kind == CALL_BASE:
        return amount
    return UINT256_MAX if kind == CALL_QUOTE else multiply(amount, strike)


def between_bounds(by_volatility: int, static: int, full: int) -> int:
    """MIN-7: at least the static collateral, but never more than full collateral."""
    return min(max(by_volatility, static), full)
