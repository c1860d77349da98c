"""OptionToken of Lyra v1: positions in options, their collateral, and when it is taken."""

from marginspec.model.deployed.lyra_v1.cache import GreekCache
from marginspec.model.deployed.lyra_v1.decimals import UNIT, checked_int, divide, divide_nearest, multiply, to_int256
from marginspec.model.deployed.lyra_v1.ledger import (
    ACTIVE,
    CALL_BASE,
    CALL_QUOTE,
    CLOSED,
    EMPTY,
    LIQUIDATED,
    LONG_CALL,
    LONG_PUT,
    MARKET,
    NOBODY,
    PUT_QUOTE,
    SETTLED,
    SHORT_COLLATERAL,
    Amount,
    Collateral,
    Kind,
    PositionId,
    Sender,
    StrikeId,
    Trader,
    Wad,
    is_short,
)
from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.evm import checked


class Positions(GreekCache):
    """Positions, opened and adjusted by the market for traders."""

    @action(weight=6)
    @rule("POS-1")
    def open_position(
        self, caller: Trader, strike: StrikeId, kind: Kind, amount: Amount, cost: Collateral, collateral: Collateral
    ) -> tuple[int, int]:
        """Open a position; returns its number, and the collateral that the trader still has to bring."""
        number, position = self._next()
        self.spot_price()
        if amount == 0:
            raise Rejected("POS-7")
        p = self.positions[position]
        p.strike = strike
        p.kind = kind
        p.state = ACTIVE
        p.holder = caller
        p.amount = amount
        return number, self._collateralised(position, cost, collateral, True)

    @rule("ENV-1")
    def _next(self) -> tuple[int, PositionId]:
        """The first position that was never opened, and its number; the market of a run opens no more than it lists."""
        number = 1
        for position, p in self.positions.items():
            if p.state == EMPTY:
                return number, position
            number += 1
        raise Rejected("ENV-2")

    @action(weight=6)
    @rule("POS-2")
    def adjust_position(
        self,
        caller: Trader,
        position: PositionId,
        amount: Amount,
        cost: Collateral,
        collateral: Collateral,
        is_open: bool,
    ) -> int:
        """Make a position larger or smaller; returns the collateral to bring, or to get if negative."""
        p = self.positions[position]
        self.spot_price()
        if p.state != ACTIVE:
            raise Rejected("POS-3")
        if p.holder != caller:
            raise Rejected("POS-4")
        p.amount = checked(p.amount + amount if is_open else p.amount - amount)
        if p.amount == 0:
            return self._closed(position, cost, collateral)
        return self._collateralised(position, cost, collateral, is_open)

    @rule("POS-5")
    def _closed(self, position: PositionId, cost: int, collateral: int) -> int:
        """A position without options ends: all its collateral is returned, less the cost where it is quote."""
        p = self.positions[position]
        if collateral != 0:
            raise Rejected("POS-6")
        pending = -to_int256(p.collateral)
        if p.kind in (CALL_QUOTE, PUT_QUOTE):
            pending = checked_int(pending + to_int256(cost))
        p.collateral = 0
        p.state = CLOSED
        p.holder = NOBODY
        return pending

    @rule("POS-8")
    def _collateralised(self, position: PositionId, cost: int, collateral: int, is_open: bool) -> int:
        """A short has its collateral set, which must be enough; quote collateral bears the cost."""
        p = self.positions[position]
        if not is_short(p.kind):
            return 0
        before = p.collateral
        if p.kind != CALL_BASE:
            before = checked(before + cost if is_open else before - cost)
        pending = checked_int(to_int256(collateral) - to_int256(before))
        p.collateral = collateral
        if self.is_liquidatable(position):
            raise Rejected("POS-9")
        return pending

    @action(weight=2)
    @rule("POS-10")
    def add_collateral(self, caller: Sender, position: PositionId, amount: Collateral) -> int:
        """Add collateral to a short; returns the number of its kind."""
        if caller != MARKET:
            raise Rejected("POS-11")
        p = self.positions[position]
        if p.state != ACTIVE or not is_short(p.kind):
            raise Rejected("POS-12")
        p.collateral = checked(p.collateral + amount)
        return number_of(p.kind)

    @action
    @rule("POS-13")
    def settle(self, caller: Sender, position: PositionId) -> None:
        """End a position whose board is settled, which the contract takes from its caller."""
        if caller != SHORT_COLLATERAL:
            raise Rejected("POS-14")
        p = self.positions[position]
        if p.holder == NOBODY:
            raise Rejected("POS-15")
        p.state = SETTLED
        p.holder = NOBODY

    # --- Liquidation --------------------------------------------------------------------------------------------

    @rule("LIQ-1")
    def is_liquidatable(self, position: PositionId) -> bool:
        """Whether a short that is active has less collateral than the least; exactly the least is enough."""
        p = self.positions[position]
        if not is_short(p.kind) or p.state != ACTIVE:
            return False
        return p.collateral < self.least_collateral_of(position)

    def least_collateral_of(self, position: PositionId) -> int:
        """The least collateral of a position at the present spot."""
        p = self.positions[position]
        terms = self.strike_terms[p.strike]
        return self.least_collateral(p.kind, terms.price, self.board_terms[terms.board].expiry, self.spot, p.amount)

    @action
    def ask_liquidatable(self, position: PositionId) -> bool:
        """Ask whether a position may be liquidated."""
        self.spot_price()
        return self.is_liquidatable(position)

    @action(weight=6)
    @rule("LIQ-2")
    def liquidate(self, caller: Trader, position: PositionId, cost: Collateral) -> tuple[int, int, int, int, int, int]:
        """End a position with too little collateral.

        Returns what of its collateral goes back to its holder, to the pool for the option, as fee to the pool, the
        liquidator and the security module, and what is missing, quote.
        """
        p = self.positions[position]
        spot = self.spot_price()
        if not self.is_liquidatable(position):
            raise Rejected("LIQ-3")
        least_fee, multiplier = self.penalty.least_fee, UNIT
        if p.kind == CALL_BASE:
            cost = self._base_for_quote(cost, spot)
            least_fee = divide(least_fee, spot)
            multiplier = spot
        p.state = LIQUIDATED
        p.holder = NOBODY
        return self.liquidation_fees(cost, p.collateral, least_fee, multiplier)

    @rule("LIQ-4")
    def _base_for_quote(self, quote: int, spot: int) -> int:
        """The base that an exchange takes for an amount of quote, its fee included."""
        gross = divide_nearest(quote, checked(UNIT - self.exchange_fee))
        return divide_nearest(gross, spot)

    @action(weight=2)
    def ask_fees(
        self, premium: Collateral, collateral: Collateral, least_fee: Collateral, multiplier: Wad
    ) -> tuple[int, int, int, int, int, int]:
        """Ask where the collateral of a position would go."""
        return self.liquidation_fees(premium, collateral, least_fee, multiplier)

    @rule("LIQ-5")
    def liquidation_fees(
        self, premium: int, collateral: int, least_fee: int, multiplier: int
    ) -> tuple[int, int, int, int, int, int]:
        """Where the collateral of a liquidated position goes; see `liquidate`."""
        owed = checked(premium + least_fee)
        returned, missing = 0, 0
        if collateral >= owed:
            rest = collateral - premium
            penalty = max(multiply(rest, self.penalty.penalty_ratio), least_fee)
            returned = checked(rest - penalty)
        elif collateral >= least_fee:
            penalty = least_fee
            missing = multiply(owed - collateral, multiplier)
        else:
            penalty = collateral
            missing = multiply(premium, multiplier)
        security = multiply(penalty, self.penalty.security_ratio)
        liquidator = multiply(penalty, self.penalty.liquidator_ratio)
        pool = checked(penalty - checked(security + liquidator))
        return returned, checked(collateral - penalty - returned), pool, liquidator, security, missing


def number_of(kind: Kind) -> int:
    """The number of a kind of option, as contracts have it."""
    if kind == LONG_CALL:
        return 0
    if kind == LONG_PUT:
        return 1
    if kind == CALL_BASE:
        return 2
    return 3 if kind == CALL_QUOTE else 4
