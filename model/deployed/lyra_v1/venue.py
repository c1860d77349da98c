"""Lyra v1 (Avalon): European options against a pool, shorts with part of the collateral that would cover them.

Source: `OptionGreekCache.sol`, `OptionToken.sol` and `BlackScholes.sol`, package `@lyrafinance/protocol` 0.1.3-alpha.
Rules: `spec/deployed/lyra-v1.md`. The market that these contracts belong to is one of a run: it passes trades on.
"""

from marginspec.model.deployed.lyra_v1.collateral import MAX_RATE, full_collateral
from marginspec.model.deployed.lyra_v1.decimals import UNIT, multiply
from marginspec.model.deployed.lyra_v1.ledger import (
    ACTIVE,
    CALL_BASE,
    CALL_QUOTE,
    CLOSE,
    CLOSED,
    EMPTY,
    FAR,
    FAR_HIGH,
    FAR_LOW,
    INTRUDER,
    LIQUIDATE,
    LIQUIDATED,
    LONG_CALL,
    LONG_PUT,
    MARKET,
    NEAR,
    NEAR_HIGH,
    NEAR_LOW,
    NOBODY,
    OPEN,
    OWNER,
    PUT_QUOTE,
    SETTLED,
    SHORT_COLLATERAL,
    STRANGER,
    Admin,
    Board,
    BoardId,
    BoardTerms,
    CollateralParameters,
    Direction,
    ForceCloseParameters,
    GreekParameters,
    Holder,
    Kind,
    PenaltyParameters,
    Position,
    PositionId,
    Price,
    Seconds,
    Sender,
    State,
    Strike,
    StrikeId,
    StrikeTerms,
    Totals,
    Trader,
    Wad,
    is_short,
    until,
)
from marginspec.model.deployed.lyra_v1.positions import Positions
from marginspec.model.deployed.lyra_v1.pricing import DAY
from marginspec.model.kernel import Call, Rejected, action, regime

GENESIS = 1_700_000_000
HOUR = 3_600

MINIMUM = CollateralParameters(
    static_quote=100 * UNIT,
    static_base=UNIT // 50,
    vol_a=25 * UNIT // 10,
    point_a=14 * DAY,
    vol_b=15 * UNIT // 10,
    point_b=56 * DAY,
    call_shock=12 * UNIT // 10,
    put_shock=8 * UNIT // 10,
)
GREEK = GreekParameters(
    max_strikes=30,
    price_move=UNIT // 20,
    stale_after=HOUR,
    variance_iv_period=14 * DAY,
    variance_skew_period=14 * DAY,
    value_iv_period=10 * HOUR,
    value_skew_period=10 * HOUR,
    rate=UNIT // 20,
)
FORCED = ForceCloseParameters(
    iv_period=HOUR,
    skew_period=HOUR,
    short_shock=12 * UNIT // 10,
    short_late_shock=14 * UNIT // 10,
    long_shock=8 * UNIT // 10,
    long_late_shock=6 * UNIT // 10,
    liquidate_shock=13 * UNIT // 10,
    liquidate_late_shock=16 * UNIT // 10,
    short_spot_min=UNIT // 100,
    liquidate_spot_min=UNIT // 50,
)
PENALTY = PenaltyParameters(
    penalty_ratio=UNIT // 5, liquidator_ratio=3 * UNIT // 10, security_ratio=UNIT // 10, least_fee=20 * UNIT
)
BOARDS = {
    NEAR: BoardTerms(expiry=GENESIS + 7 * DAY, iv=8 * UNIT // 10),
    FAR: BoardTerms(expiry=GENESIS + 60 * DAY, iv=7 * UNIT // 10),
}
STRIKES = {
    NEAR_LOW: StrikeTerms(NEAR, price=1_800 * UNIT, skew=11 * UNIT // 10),
    NEAR_HIGH: StrikeTerms(NEAR, price=2_200 * UNIT, skew=9 * UNIT // 10),
    FAR_LOW: StrikeTerms(FAR, price=1_500 * UNIT, skew=12 * UNIT // 10),
    FAR_HIGH: StrikeTerms(FAR, price=2_000 * UNIT, skew=UNIT),
}
SPOT = 2_000 * UNIT
EXCHANGE_FEE = 3 * UNIT // 1_000


class LyraV1(Positions):
    """The contracts, with two boards of two strikes each."""

    system = "lyra-v1"
    never = {"CRV-4": "LYR-CRV-4"}
    universe = {
        Holder: (NOBODY, "trader", "rival"),
        Trader: ("trader", "rival"),
        Admin: (OWNER, STRANGER),
        Sender: (MARKET, SHORT_COLLATERAL, INTRUDER),
        BoardId: (NEAR, FAR),
        StrikeId: (NEAR_LOW, NEAR_HIGH, FAR_LOW, FAR_HIGH),
        PositionId: ("first", "second", "third", "fourth", "fifth", "sixth"),
        Kind: (LONG_CALL, LONG_PUT, CALL_BASE, CALL_QUOTE, PUT_QUOTE),
        State: (EMPTY, ACTIVE, CLOSED, LIQUIDATED, SETTLED),
        Direction: (OPEN, CLOSE, LIQUIDATE),
    }

    @classmethod
    def blank(cls) -> "LyraV1":
        """Everything deployed, both boards listed and their greeks worked out."""
        venue = cls(
            now=GENESIS,
            spot=SPOT,
            exchange_fee=EXCHANGE_FEE,
            minimum=MINIMUM.clone(),
            greek=GREEK.clone(),
            forced=FORCED.clone(),
            penalty=PENALTY.clone(),
            totals=Totals(),
            boards={board: Board() for board in BOARDS},
            strikes={strike: Strike() for strike in STRIKES},
            positions={position: Position() for position in cls.universe[PositionId]},
            listed_at=GENESIS,
            board_terms=BOARDS,
            strike_terms=STRIKES,
        )
        for board in BOARDS:
            venue._update_greeks(board)
        return venue

    @classmethod
    def prelude(cls) -> list[Call]:
        """Three shorts are open, one of each kind, with more than the least collateral."""
        shorts = (
            ("trader", NEAR_LOW, PUT_QUOTE, 10 * UNIT, 0, 10_000 * UNIT),
            ("rival", FAR_HIGH, CALL_QUOTE, 5 * UNIT, 0, 20_000 * UNIT),
            ("trader", NEAR_HIGH, CALL_BASE, 4 * UNIT, 0, 2 * UNIT),
        )
        names = ("caller", "strike", "kind", "amount", "cost", "collateral")
        return [Call("open_position", dict(zip(names, short, strict=True))) for short in shorts]

    # --- What the contracts depend on ---------------------------------------------------------------------------

    @action(weight=4, environment=True)
    def set_spot(self, spot: Price) -> None:
        """The base is worth `spot` from now on."""
        self.spot = spot

    @action(environment=True)
    def set_exchange_fee(self, fee: Wad) -> None:
        """Exchanging base for quote costs this part from now on."""
        self.exchange_fee = fee

    @action(weight=2, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds

    # --- Regimes ------------------------------------------------------------------------------------------------

    def _shorts(self) -> list[tuple[PositionId, Position, int]]:
        """Active shorts whose least collateral has an answer, each with that."""
        found = []
        for position, p in self.positions.items():
            if p.state == ACTIVE and is_short(p.kind) and self.spot != 0:
                try:
                    found.append((position, p, self.least_collateral_of(position)))
                except Rejected:
                    continue
        return found

    def _expiries(self) -> list[int]:
        return [terms.expiry for terms in self.board_terms.values()]

    @regime
    def liquidatable(self) -> bool:
        """Some short has less than the least collateral."""
        return any(p.collateral < least for _, p, least in self._shorts())

    @regime
    def exactly_the_least_collateral(self) -> bool:
        """Some short has exactly the least collateral, to the last unit."""
        return any(p.collateral == least for _, p, least in self._shorts())

    @regime
    def static_collateral_binds(self) -> bool:
        """The least collateral of some short is the static one."""
        return any(least == self.static_collateral(p.kind) for _, p, least in self._shorts())

    @regime
    def full_collateral_binds(self) -> bool:
        """The least collateral of some short in base is all of its options."""
        return any(p.kind == CALL_BASE and least == p.amount for _, p, least in self._shorts())

    @regime
    def volatility_binds(self) -> bool:
        """The least collateral of some short is what it costs under the shock."""
        for _, p, least in self._shorts():
            full = full_collateral(p.kind, self.strike_terms[p.strike].price, p.amount)
            if self.static_collateral(p.kind) < least < full:
                return True
        return False

    @regime
    def expires_now(self) -> bool:
        """Now is exactly when a board expires."""
        return self.now in tuple(self._expiries())

    @regime
    def one_second_left(self) -> bool:
        """A board expires in one second."""
        return self.now + 1 in tuple(self._expiries())

    @regime
    def past_expiry(self) -> bool:
        """A short is active on a board that has expired."""
        return any(self.now > self.board_terms[self.strike_terms[p.strike].board].expiry for _, p, _ in self._shorts())

    @regime
    def between_the_points(self) -> bool:
        """A board is between the points of the shock volatility, where that is on the line."""
        times = [until(self.now, expiry) for expiry in self._expiries()]
        return any(self.minimum.point_a < time < self.minimum.point_b for time in times)

    @regime
    def points_are_one(self) -> bool:
        """Both points of the shock volatility are the same, and above zero."""
        return self.minimum.point_a == self.minimum.point_b > 0

    @regime
    def no_volatility(self) -> bool:
        """Beyond point B there is no shock volatility at all."""
        return self.minimum.vol_b == 0

    @regime
    def extreme_volatility(self) -> bool:
        """The shock volatility is above 10,000 %."""
        return self.minimum.vol_a > 100 * UNIT

    @regime
    def extreme_rate(self) -> bool:
        """The rate is as far from zero as it may be."""
        return abs(self.greek.rate) == MAX_RATE

    @regime
    def exactly_the_accepted_move(self) -> bool:
        """Spot has moved from a board's by exactly what makes it stale."""
        moves = [(abs(self.spot - b.updated_at_price), b.updated_at_price) for b in self.boards.values()]
        return any(move == multiply(price, self.greek.price_move) > 0 for move, price in moves if price <= 2**128)

    @regime
    def exactly_as_old_as_may_be(self) -> bool:
        """A board's update is exactly as old as it may be."""
        return any(self.now - board.updated_at == self.greek.stale_after > 0 for board in self.boards.values())

    @regime
    def price_of_one_unit(self) -> bool:
        """The base is worth one unit, with shorts open."""
        return self.spot == 1 and any(p.state == ACTIVE and is_short(p.kind) for p in self.positions.values())

    @regime
    def both_boards_exposed(self) -> bool:
        """Traders hold something on both boards."""
        held = [
            self.strike_terms[s].board for s, c in self.strikes.items() if c.call_exposure != 0 or c.put_exposure != 0
        ]
        return NEAR in held and FAR in held

    @regime
    def liquidated_without_enough(self) -> bool:
        """A liquidation left something missing."""
        if self.last is None or self.last.action != "liquidate":
            return False
        before, position = self.previous, self.last.arguments["position"]
        p = before.positions[position]
        cost = self.last.arguments["cost"]
        if p.kind == CALL_BASE:
            cost = before._base_for_quote(cost, before.spot)
        return bool(p.collateral < cost)

    @regime
    def market_is_full(self) -> bool:
        """Every position that the market of a run may open was opened."""
        return all(p.state != EMPTY for p in self.positions.values())
