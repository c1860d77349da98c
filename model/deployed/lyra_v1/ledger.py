"""The state of Lyra v1: parameters, listed boards and strikes with their cached greeks, and positions in options."""

from dataclasses import dataclass, field
from typing import Annotated, NewType

from marginspec.model.deployed.lyra_v1.decimals import INT256_MAX, INT256_MIN, UNIT
from marginspec.model.deployed.lyra_v1.pricing import DAY, YEAR, Pricing
from marginspec.model.kernel import Number, Record, constant
from marginspec.model.kernel.numbers import UINT256_MAX, UNBOUNDED

Holder = NewType("Holder", str)
Trader = NewType("Trader", Holder)
Admin = NewType("Admin", str)
Sender = NewType("Sender", str)
BoardId = NewType("BoardId", str)
StrikeId = NewType("StrikeId", str)
PositionId = NewType("PositionId", str)
Kind = NewType("Kind", str)
State = NewType("State", str)
Direction = NewType("Direction", str)

NOBODY = Holder("nobody")
OWNER, STRANGER = Admin("owner"), Admin("stranger")
MARKET, SHORT_COLLATERAL, INTRUDER = Sender("market"), Sender("short collateral"), Sender("intruder")
NEAR, FAR = BoardId("near"), BoardId("far")
NEAR_LOW, NEAR_HIGH = StrikeId("near low"), StrikeId("near high")
FAR_LOW, FAR_HIGH = StrikeId("far low"), StrikeId("far high")
LONG_CALL, LONG_PUT = Kind("long-call"), Kind("long-put")
CALL_BASE, CALL_QUOTE, PUT_QUOTE = Kind("short-call-base"), Kind("short-call-quote"), Kind("short-put-quote")
EMPTY, ACTIVE, CLOSED = State("empty"), State("active"), State("closed")
LIQUIDATED, SETTLED = State("liquidated"), State("settled")
OPEN, CLOSE, LIQUIDATE = Direction("open"), Direction("close"), Direction("liquidate")

Amount = Annotated[int, Number(0, UINT256_MAX, "options", UNIT, (1, UNIT, 10 * UNIT))]
Collateral = Annotated[int, Number(0, UINT256_MAX, "collateral", UNIT, (1, UNIT, 2_000 * UNIT, 10**6 * UNIT))]
Price = Annotated[int, Number(0, UINT256_MAX, "quote per base", UNIT, (UNIT, 1_500 * UNIT, 2_000 * UNIT, 2_500 * UNIT))]
Wad = Annotated[int, Number(0, UINT256_MAX, "fraction", UNIT, (1, UNIT // 10, UNIT, 2 * UNIT))]
Volatility = Annotated[int, Number(0, UINT256_MAX, "yearly volatility", UNIT, (UNIT // 10, UNIT, 3 * UNIT))]
Rate = Annotated[int, Number(INT256_MIN, INT256_MAX, "yearly rate", UNIT, (0, UNIT // 20, -50 * UNIT, 50 * UNIT))]
Signed = Annotated[int, Number(INT256_MIN, INT256_MAX, "options", UNIT, (0, UNIT, -UNIT))]
Period = Annotated[
    int, Number(0, UINT256_MAX, "seconds", typical=(1, 3_600, DAY, 14 * DAY, 30 * DAY, 60 * DAY, 10 * YEAR))
]
Count = Annotated[int, Number(0, UINT256_MAX, "strikes", typical=(2, 30))]
Timestamp = Annotated[int, Number(1, UNBOUNDED, "time", typical=(1_700_000_000, 1_702_592_000))]
Updated = Annotated[int, Number(0, UNBOUNDED, "time", typical=(1_700_000_000,))]
Moment = Annotated[int, Number(0, UINT256_MAX, "time", typical=(1_700_000_000, 1_702_592_000, 1_731_536_000))]
Seconds = Annotated[int, Number(1, 2**32, "seconds", typical=(1, 12, 3_600, DAY, 7 * DAY, 30 * DAY, YEAR))]


@dataclass(slots=True)
class CollateralParameters(Record):
    """What the least collateral of a short option is worked out from."""

    static_quote: Collateral
    static_base: Collateral
    vol_a: Volatility
    point_a: Period
    vol_b: Volatility
    point_b: Period
    call_shock: Wad
    put_shock: Wad


@dataclass(slots=True)
class GreekParameters(Record):
    """What the cache of greeks is kept by. The periods are those of averages."""

    max_strikes: Count
    price_move: Wad
    stale_after: Period
    variance_iv_period: Period
    variance_skew_period: Period
    value_iv_period: Period
    value_skew_period: Period
    rate: Rate


@dataclass(slots=True)
class ForceCloseParameters(Record):
    """What prices of a forced close and of a liquidation are worked out from."""

    iv_period: Period
    skew_period: Period
    short_shock: Wad
    short_late_shock: Wad
    long_shock: Wad
    long_late_shock: Wad
    liquidate_shock: Wad
    liquidate_late_shock: Wad
    short_spot_min: Wad
    liquidate_spot_min: Wad


@dataclass(slots=True)
class PenaltyParameters(Record):
    """What a liquidation costs, and who gets it."""

    penalty_ratio: Wad
    liquidator_ratio: Wad
    security_ratio: Wad
    least_fee: Collateral


@dataclass(slots=True)
class NetGreeks(Record):
    """Delta, standard vega and value of what traders hold together."""

    delta: Signed = 0
    vega: Signed = 0
    value: Signed = 0


@dataclass(slots=True)
class BoardTerms(Record):
    """What identifies a board: when its options expire, and their base volatility."""

    expiry: Moment
    iv: Volatility


@dataclass(slots=True)
class StrikeTerms(Record):
    """What identifies a strike. skew: its volatility is the board's times this."""

    board: BoardId
    price: Price
    skew: Wad


@dataclass(slots=True)
class Board(Record):
    """What is cached of a board."""

    net: NetGreeks = field(default_factory=NetGreeks)
    updated_at: Updated = 0
    updated_at_price: Price = 0
    skew_variance: Wad = 0
    iv_variance: Volatility = 0


@dataclass(slots=True)
class Strike(Record):
    """What is cached of a strike. Exposures are what traders are long less what they are short."""

    call_delta: Signed = 0
    put_delta: Signed = 0
    vega: Price = 0
    call_price: Price = 0
    put_price: Price = 0
    call_exposure: Signed = 0
    put_exposure: Signed = 0
    skew_variance: Wad = 0


@dataclass(slots=True)
class Totals(Record):
    """What is cached of all boards together."""

    min_updated_at: Updated = 0
    min_price: Price = 0
    max_price: Price = 0
    skew_variance: Wad = 0
    iv_variance: Volatility = 0
    net: NetGreeks = field(default_factory=NetGreeks)


@dataclass(slots=True)
class Position(Record):
    """Options of one kind and strike; collateral only of shorts. Of an empty one strike and kind say nothing."""

    strike: StrikeId = NEAR_LOW
    kind: Kind = LONG_CALL
    amount: Amount = 0
    collateral: Collateral = 0
    state: State = EMPTY
    holder: Holder = NOBODY


@dataclass
class Ledger(Pricing):
    """The contracts, the price that they depend on, and the time."""

    now: Timestamp
    spot: Price
    exchange_fee: Wad
    minimum: CollateralParameters
    greek: GreekParameters
    forced: ForceCloseParameters
    penalty: PenaltyParameters
    totals: Totals
    boards: dict[BoardId, Board]
    strikes: dict[StrikeId, Strike]
    positions: dict[PositionId, Position]
    listed_at: Annotated[int, Number(1, UNBOUNDED, "time")] = constant()
    board_terms: dict[BoardId, BoardTerms] = constant()
    strike_terms: dict[StrikeId, StrikeTerms] = constant()


def is_put(kind: Kind) -> bool:
    """Whether an option may be sold at its strike."""
    return kind in (LONG_PUT, PUT_QUOTE)


def is_short(kind: Kind) -> bool:
    """Whether an option was sold by its holder."""
    return kind in (CALL_BASE, CALL_QUOTE, PUT_QUOTE)


def until(now: int, expiry: int) -> int:
    """Seconds from now to an expiry, 0 where that is past."""
    return expiry - now if expiry > now else 0
