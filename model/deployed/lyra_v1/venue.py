"""Lyra v1 (Avalon): European options against a pool, shorts with part of the collateral that would cover them.

Source: `OptionGreekCache.sol`, `OptionToken.sol` and `BlackScholes.sol`, package `@lyrafinance/protocol` 0.1.3-alpha.
Rules: `spec/deployed/lyra-v1.md`. The market that these contracts belong to is one of a run: it passes trades on.
"""

from marginspec.model.deployed.lyra_v1.decimals import UNIT
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
from marginspec.model.deployed.lyra_v1.pricing import DAY, YEAR
from marginspec.model.kernel import Call, action, regime

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
        """Nothing happens before a run."""
        return []

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
