"""Chapter 10, parameter changes: who may change what, how it is announced and ramped.

Rules: `spec/reference/10-parameters.md`.
"""

from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.reference.collateral import MAX_SPREAD
from marginspec.model.reference.margin import Margin, is_safe
from marginspec.model.reference.notation import (
    DAY,
    MAX_AMOUNT,
    MAX_SIZE,
    PPM,
    Amount,
    AssetId,
    MarketId,
    ParameterId,
    Ppm,
    Size,
    User,
    at_most,
    positive,
)

NOTICE = 2 * DAY


class Parameters(Margin):
    """The governor announces, the guardian reduces risk."""

    def _only_governor(self, caller: User) -> None:
        if caller != self.governor:
            raise Rejected("PRM-2")

    def _only_guardian(self, caller: User) -> None:
        if caller != self.guardian and caller != self.governor:
            raise Rejected("PRM-3")

    @action(weight=2)
    @rule("PRM-1")
    def announce(self, caller: User, market: MarketId, parameter: ParameterId, value: Ppm) -> None:
        """After the notice, let one parameter of a market move to a value; earlier announcements still ramp."""
        self._only_governor(caller)
        at_most(value, PPM)
        target = {**self.ramp_to[market], parameter: value}
        terms = self.market_terms[market]
        if not is_safe(target, terms.delta, terms.slope):
            raise Rejected("PRM-4")
        m = self.markets[market]
        m.ramp_at, m.ramp_progress = self.now + NOTICE, 0
        self.ramp_from[market] = self.parameters[market].copy()
        self.ramp_to[market] = target

    @action
    @rule("PRM-5")
    def set_cap(self, caller: User, asset: AssetId, cap: Amount) -> None:
        """How much of an asset the venue takes; what is there already may stay."""
        self._only_guardian(caller)
        at_most(cap, MAX_AMOUNT)
        if cap > self.cap[asset]:
            self._only_governor(caller)
        self.cap[asset] = cap

    @action
    @rule("PRM-6")
    def set_open_interest_cap(self, caller: User, market: MarketId, cap: Size) -> None:
        """How large a market may grow; what is open already may stay."""
        self._only_guardian(caller)
        positive(cap, MAX_SIZE)
        if cap > self.markets[market].open_interest_cap:
            self._only_governor(caller)
        self.markets[market].open_interest_cap = cap

    @action
    @rule("PRM-7")
    def set_spread(self, caller: User, asset: AssetId, spread: Ppm) -> None:
        """The liquidity input to the haircut of an asset; the haircut follows at its own pace."""
        self._only_governor(caller)
        at_most(spread, MAX_SPREAD)
        self.assets[asset].spread = spread

    @action
    @rule("PRM-8")
    def set_reduce_only(self, caller: User, market: MarketId, on: bool) -> None:
        """Let positions of a market only shrink; only the governor lifts that."""
        self._only_guardian(caller)
        if not on:
            self._only_governor(caller)
        self.markets[market].reduce_only = on

    @action
    @rule("PRM-9")
    def set_deposits_paused(self, caller: User, on: bool) -> None:
        """Take no collateral other than the settlement asset; only the governor lifts that."""
        self._only_guardian(caller)
        if not on:
            self._only_governor(caller)
        self.deposits_paused = on

    @action
    @rule("PRM-10")
    def set_guardian(self, caller: User, guardian: User) -> None:
        """Name another guardian."""
        self._only_governor(caller)
        self.guardian = guardian
