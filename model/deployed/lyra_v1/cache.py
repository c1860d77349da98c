"""OptionGreekCache of Lyra v1: greeks of boards and strikes, their sums, staleness, and prices of forced closes.

Volatilities do not move: the market of a run passes on what was listed. So an average has one observation, of the time
of the listing; how the contract reads it is here in full.
"""

from marginspec.model.deployed.lyra_v1.collateral import MinimumCollateral
from marginspec.model.deployed.lyra_v1.decimals import (
    UNIT,
    checked_int,
    div_to_zero,
    multiply,
    signed_multiply,
    to_int256,
)
from marginspec.model.deployed.lyra_v1.ledger import (
    CLOSE,
    Amount,
    Board,
    BoardId,
    Direction,
    Kind,
    Price,
    StrikeId,
    Trader,
    is_put,
    until,
)
from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down


class GreekCache(MinimumCollateral):
    """Cached greeks. Exposures are of traders; the market's are the opposite."""

    # --- Greeks of a board --------------------------------------------------------------------------------------

    @action(weight=3)
    @rule("CHE-1")
    def update_greeks(self, caller: Trader, board: BoardId) -> None:
        """Work the greeks of a board out anew, at the present spot and average volatility."""
        self._update_greeks(board)

    @rule("CHE-2")
    def _update_greeks(self, board: BoardId) -> None:
        spot = self.spot_price()
        cached = self.boards[board]
        if self.now > self.board_terms[board].expiry:
            raise Rejected("CHE-3")
        self._leave_totals(cached)
        cached.iv_variance = self.iv_variance(board)
        iv = self.average_iv(board, self.greek.value_iv_period)
        for strike, terms in self.strike_terms.items():
            if terms.board == board:
                self._update_strike(board, strike, spot, iv)
        cached.skew_variance = self._largest_skew_variance(board)
        cached.updated_at = self.now
        cached.updated_at_price = spot
        self._look_at_boards()

    @rule("CHE-4")
    def _leave_totals(self, cached: Board) -> None:
        """A board's greeks leave the totals, and begin at zero."""
        total = self.totals.net
        total.value = checked_int(total.value - cached.net.value)
        total.delta = checked_int(total.delta - cached.net.delta)
        total.vega = checked_int(total.vega - cached.net.vega)
        cached.net.value = 0
        cached.net.delta = 0
        cached.net.vega = 0

    @rule("CHE-5")
    def _update_strike(self, board: BoardId, strike: StrikeId, spot: int, iv: int) -> None:
        """A strike's greeks, and what its exposure adds to the board's and to the totals."""
        cached, terms = self.strikes[strike], self.strike_terms[strike]
        cached.skew_variance = self.skew_variance(strike)
        volatility = multiply(iv, self.average_skew(strike, self.greek.value_skew_period))
        seconds = until(self.now, self.board_terms[board].expiry)
        found = self.prices_and_greeks(seconds, volatility, spot, terms.price, self.greek.rate)
        cached.call_price, cached.put_price, cached.call_delta, cached.put_delta, _, cached.vega = found
        if cached.call_exposure != 0 or cached.put_exposure != 0:
            both = checked_int(cached.call_exposure + cached.put_exposure)
            self._add(board, strike, cached.call_exposure, cached.put_exposure, both)

    @rule("CHE-6")
    def _add(self, board: BoardId, strike: StrikeId, calls: int, puts: int, both: int) -> None:
        """What a change of exposure adds to the greeks of a board and to the totals."""
        value, delta, vega = self._growth(strike, calls, puts, both)
        for net in (self.boards[board].net, self.totals.net):
            net.value = checked_int(net.value + value)
            net.delta = checked_int(net.delta + delta)
            net.vega = checked_int(net.vega + vega)

    def _growth(self, strike: StrikeId, calls: int, puts: int, both: int) -> tuple[int, int, int]:
        """Value, delta and standard vega of a change of exposure, at cached prices and greeks."""
        cached = self.strikes[strike]
        value = signed_multiply(calls, to_int256(cached.call_price)) + signed_multiply(
            puts, to_int256(cached.put_price)
        )
        delta = signed_multiply(calls, cached.call_delta) + signed_multiply(puts, cached.put_delta)
        return checked_int(value), checked_int(delta), signed_multiply(both, to_int256(cached.vega))

    @rule("CHE-7")
    def _look_at_boards(self) -> None:
        """The oldest update, the lowest and highest price of one, and the largest variances, over all boards."""
        boards = list(self.boards.values())
        self.totals.min_updated_at = min(board.updated_at for board in boards)
        self.totals.min_price = min(board.updated_at_price for board in boards)
        self.totals.max_price = max(board.updated_at_price for board in boards)
        self.totals.skew_variance = max(board.skew_variance for board in boards)
        self.totals.iv_variance = max(board.iv_variance for board in boards)

    def _largest_skew_variance(self, board: BoardId) -> int:
        return max(self.strikes[strike].skew_variance for strike, t in self.strike_terms.items() if t.board == board)

    # --- Averages -----------------------------------------------------------------------------------------------

    def average_iv(self, board: BoardId, period: int) -> int:
        """The average volatility of a board over a period up to now."""
        return self._average(self.board_terms[board].iv, period)

    def average_skew(self, strike: StrikeId, period: int) -> int:
        """The average skew of a strike over a period up to now."""
        return self._average(self.strike_terms[strike].skew, period)

    @rule("AVG-1")
    def _average(self, value: int, period: int) -> int:
        """The geometric average, over a period up to now, of what has been one value since the listing."""
        begin = checked(self.now - period)
        first, last = self._accumulated(value, begin), self._accumulated(value, self.now)
        if period == 0:
            return self.exponential(div_to_zero(last, self.now))
        return self.exponential(div_to_zero(checked_int(last - first), period))

    @rule("AVG-2")
    def _accumulated(self, value: int, time: int) -> int:
        """The sum of logarithms up to a time; before the listing it is in proportion to the time."""
        log = self.logarithm(value)
        listed = checked_int(log * self.listed_at)
        if time < self.listed_at:
            return div_to_zero(checked_int(listed * time), self.listed_at)
        return checked_int(listed + checked_int(log * (time - self.listed_at)))

    @rule("AVG-3")
    def iv_variance(self, board: BoardId) -> int:
        """How far the volatility of a board is from its average."""
        return abs(self.average_iv(board, self.greek.variance_iv_period) - self.board_terms[board].iv)

    @rule("AVG-4")
    def skew_variance(self, strike: StrikeId) -> int:
        """How far the skew of a strike is from its average."""
        return abs(self.average_skew(strike, self.greek.variance_skew_period) - self.strike_terms[strike].skew)

    # --- Exposure -----------------------------------------------------------------------------------------------

    @action(weight=4)
    @rule("EXP-1")
    def set_exposure(
        self,
        strike: StrikeId,
        long_call: Amount,
        short_call_base: Amount,
        short_call_quote: Amount,
        long_put: Amount,
        short_put: Amount,
        kind: Kind,
    ) -> tuple[int, int, int, int, int, int, int]:
        """Tell the cache of a trade: what traders now hold of a strike.

        Returns the option's price, the market's standard vega before and after, the call's delta, the volatility, how
        far that of the board is from its average, and vega.
        """
        spot = self.spot_price()
        terms = self.strike_terms[strike]
        board, cached = terms.board, self.strikes[strike]
        self._update_variances(board, strike)
        # Solidity works out what stands on the right of a difference first.
        short_call = to_int256(checked(short_call_base + short_call_quote))
        calls = checked_int(to_int256(long_call) - short_call)
        puts = checked_int(to_int256(long_put) - to_int256(short_put))
        volatility = self.listed_volatility(strike)
        seconds = until(self.now, self.board_terms[board].expiry)
        call, put, delta, _, vega, _ = self.prices_and_greeks(seconds, volatility, spot, terms.price, self.greek.rate)
        before = checked_int(-self.totals.net.vega)
        more_calls, more_puts = checked_int(calls - cached.call_exposure), checked_int(puts - cached.put_exposure)
        both = checked_int(checked_int(checked_int(calls + puts) - cached.call_exposure) - cached.put_exposure)
        self._add(board, strike, more_calls, more_puts, both)
        cached.call_exposure = calls
        cached.put_exposure = puts
        price = put if is_put(kind) else call
        return (
            price,
            before,
            checked_int(-self.totals.net.vega),
            delta,
            volatility,
            self.boards[board].iv_variance,
            vega,
        )

    @rule("EXP-2")
    def _update_variances(self, board: BoardId, strike: StrikeId) -> None:
        """A trade looks at the variances of its board and strike anew."""
        cached = self.boards[board]
        cached.iv_variance = self.iv_variance(board)
        self.totals.iv_variance = max(other.iv_variance for other in self.boards.values())
        self.strikes[strike].skew_variance = self.skew_variance(strike)
        cached.skew_variance = self._largest_skew_variance(board)
        self.totals.skew_variance = max(other.skew_variance for other in self.boards.values())

    def listed_volatility(self, strike: StrikeId) -> int:
        """The volatility of a strike: its board's times its skew, rounded down."""
        terms = self.strike_terms[strike]
        return multiply(self.board_terms[terms.board].iv, terms.skew)

    # --- Forced closes ------------------------------------------------------------------------------------------

    @action(weight=2)
    def ask_force_close_price(
        self, strike: StrikeId, kind: Kind, direction: Direction, is_buy: bool, is_late: bool
    ) -> tuple[int, int]:
        """Ask for price and volatility at which the market closes an option by force."""
        return self.force_close_price(strike, kind, direction, is_buy, is_late)

    @rule("FRC-1")
    def force_close_price(
        self, strike: StrikeId, kind: Kind, direction: Direction, is_buy: bool, is_late: bool
    ) -> tuple[int, int]:
        """Price and volatility at which the market closes an option by force."""
        spot = self.spot_price()
        terms = self.strike_terms[strike]
        volatility = self._forced_volatility(strike, direction, is_buy, is_late)
        seconds = until(self.now, self.board_terms[terms.board].expiry)
        call, put = self.option_prices(seconds, volatility, spot, terms.price, self.greek.rate)
        price = put if is_put(kind) else call
        if is_buy:
            share = self.forced.short_spot_min if direction == CLOSE else self.forced.liquidate_spot_min
            price = max(price, checked(parity(kind, terms.price, spot) + multiply(spot, share)))
        return price, volatility

    @rule("FRC-2")
    def _forced_volatility(self, strike: StrikeId, direction: Direction, is_buy: bool, is_late: bool) -> int:
        """Average volatility, but no better for whoever closes than that of the trade; then shocked against them."""
        f = self.forced
        board = self.strike_terms[strike].board
        average = multiply(self.average_iv(board, f.iv_period), self.average_skew(strike, f.skew_period))
        if direction != CLOSE:
            return multiply(average, f.liquidate_late_shock if is_late else f.liquidate_shock)
        listed = self.listed_volatility(strike)
        if is_buy:
            return multiply(max(average, listed), f.short_late_shock if is_late else f.short_shock)
        return multiply(min(average, listed), f.long_late_shock if is_late else f.long_shock)

    # --- Staleness ----------------------------------------------------------------------------------------------

    @action
    @rule("STL-1")
    def is_global_stale(self, spot: Price) -> bool:
        """Whether some board was not updated for too long, or spot has moved too far since one was."""
        totals = self.totals
        if self._is_late(totals.min_updated_at) or not self._is_near(totals.min_price, spot):
            return True
        return not self._is_near(totals.max_price, spot)

    @action
    @rule("STL-2")
    def is_board_stale(self, board: BoardId) -> bool:
        """Whether a board was not updated for too long, or spot has moved too far since."""
        spot = self.spot_price()
        cached = self.boards[board]
        return self._is_late(cached.updated_at) or not self._is_near(cached.updated_at_price, spot)

    @rule("STL-3")
    def _is_late(self, time: int) -> bool:
        """Whether more time has passed than an update lasts; exactly as much is not late."""
        return until(time, self.now) > self.greek.stale_after

    @rule("STL-4")
    def _is_near(self, past: int, present: int) -> bool:
        """Whether a price has moved by less than is accepted; exactly as much is too far."""
        # The product fits 256 bits: no greeks can be worked out of a price that large (BSM-1), so none is cached.
        accepted = div_down(past * self.greek.price_move, UNIT)
        return abs(present - past) < accepted

    # --- Spot ---------------------------------------------------------------------------------------------------

    @rule("SPT-1")
    def spot_price(self) -> int:
        """What the adapter says that the base is worth; a price of zero is none."""
        if self.spot == 0:
            raise Rejected("SPT-2")
        return self.spot


def parity(kind: Kind, strike: int, spot: int) -> int:
    """FRC-3: what an option pays at a spot."""
    gain = to_int256(strike) - to_int256(spot) if is_put(kind) else to_int256(spot) - to_int256(strike)
    return gain if gain > 0 else 0
