"""Chapter 1, notation and rounding: identifiers, units, widths, constants. Rules: `spec/reference/01-notation.md`."""

from typing import Annotated, NewType

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.numbers import UNBOUNDED

Holder = NewType("Holder", str)
User = NewType("User", Holder)
# An account carries its owner's name, so that a run draws the two together.
AccountId = NewType("AccountId", User)
CounterpartyId = NewType("CounterpartyId", AccountId)
TokenId = NewType("TokenId", str)
AssetId = NewType("AssetId", TokenId)
MarketId = NewType("MarketId", str)
SourceId = NewType("SourceId", str)
ParameterId = NewType("ParameterId", str)
Side = NewType("Side", str)

USD = TokenId("USD")
VENUE = Holder("venue")
BUY, SELL = Side("buy"), Side("sell")

MINIMUM_RATIO = ParameterId("minimum_ratio")
MAXIMUM_RATIO = ParameterId("maximum_ratio")
INITIAL_GAP = ParameterId("initial_gap")
BUFFER = ParameterId("buffer")
PENALTY = ParameterId("penalty")
TAKER_FEE = ParameterId("taker_fee")
MAKER_FEE = ParameterId("maker_fee")

PPM = 10**6
QUOTE_PER_UNIT = 10**6
MAX_AMOUNT = 2**96 - 1
MAX_SIZE = 2**62 - 1
MAX_PRICE = 2**62 - 1
HOUR = 3600
DAY = 24 * HOUR

Amount = Annotated[int, Number(0, MAX_AMOUNT + 1, "token base units", typical=(10**9, 10**10, 10**18, 10**20, 10**8))]
Balance = Annotated[int, Number(0, 2**128 - 1, "token base units", typical=(10**12, 10**22))]
StoredAmount = Annotated[int, Number(0, MAX_AMOUNT, "token base units", typical=(10**10, 10**18, 10**20))]
Quote = Annotated[int, Number(-(2**127), 2**127 - 1, "quote", typical=(0, 10**16, -(10**16), 10**12))]
Fund = Annotated[int, Number(0, 2**127 - 1, "quote", typical=(0, 10**14, 10**15))]
Threshold = Annotated[int, Number(1, 2**127 - 1, "quote", typical=(5 * 10**14, 3 * 10**16))]
Size = Annotated[int, Number(0, MAX_SIZE + 1, "size units", 10**6, typical=(10**6, 10**7, 10**5, 40 * 10**6, 1))]
SignedSize = Annotated[int, Number(-MAX_SIZE, MAX_SIZE, "size units", 10**6, typical=(0, 10**6, -(10**6), 10**7))]
StoredCap = Annotated[int, Number(1, MAX_SIZE, "size units", 10**6, typical=(10**9, 10**10))]
Unit = Annotated[int, Number(1, MAX_AMOUNT, "base units times price per quote", typical=(10**12, 100))]
StoredSize = Annotated[int, Number(0, MAX_SIZE, "size units", 10**6, typical=(10**7, 10**9))]
ReportedPrice = Annotated[int, Number(0, MAX_PRICE + 1, "quote per size unit", 10**6, typical=(2 * 10**9, 4 * 10**10))]
Confidence = Annotated[
    int, Number(0, MAX_PRICE + 1, "half of a price's width", 10**6, typical=(0, 10**6, 2 * 10**6, 4 * 10**7))
]
StoredPrice = Annotated[int, Number(0, MAX_PRICE, "quote per size unit", 10**6, typical=(2 * 10**9, 4 * 10**10))]
Premium = Annotated[int, Number(-MAX_PRICE, MAX_PRICE, "quote per size unit", 10**6, typical=(0, 10**6, -(10**6)))]
FundingIndex = Annotated[int, Number(-(2**120), 2**120, "quote per size unit", 10**6, typical=(0, 10**9, -(10**9)))]
Move = Annotated[
    int,
    Number(
        700_000, 1_300_000, "of the last price", PPM, typical=(990_000, 1_012_000, 960_000, 1_050_000, 10**6, 810_000)
    ),
]
Ppm = Annotated[int, Number(0, 2**32 - 1, "fraction", PPM, typical=(50_000, 10_000, 80_000, 0, 1))]
Fraction = Annotated[int, Number(0, PPM, "fraction", PPM, typical=(50_000, 10_000, 80_000, 0))]
Fault = Annotated[int, Number(0, 3, "kind of fault, 0 none", typical=(1, 2, 3, 0))]
Count = Annotated[int, Number(0, 2**32, "accounts", typical=(0, 1))]
Duration = Annotated[int, Number(0, 2**40, "seconds", typical=(0, 3600))]
Timestamp = Annotated[int, Number(0, 2**40, "Unix time", typical=(0, 1_800_000_000, 1_800_003_600))]
Seconds = Annotated[int, Number(1, 2**25, "seconds", typical=(1, 12, 60, 300, 600, 1200, 1800, 90_000))]


# What a state holds may grow without a rule that bounds it: an implementation refuses what its width does not hold.
# Rules do keep what is not below: of funds, tokens and times that they are not negative.
Money = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "quote", typical=(0, 10**16, -(10**16), 10**12))]
Treasury = Annotated[int, Number(0, UNBOUNDED, "quote", typical=(0, 10**14, 10**15))]
Tokens = Annotated[int, Number(0, UNBOUNDED, "token base units", typical=(10**12, 10**18, 10**22))]
NetSize = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "size units", 10**6, typical=(0, 10**6, -(10**6), 10**7))]
SumOfSizes = Annotated[int, Number(0, UNBOUNDED, "size units", 10**6, typical=(10**7, 10**9))]
Edge = Annotated[int, Number(0, UNBOUNDED, "quote per size unit", 10**6, typical=(2 * 10**9, 4 * 10**10))]
Index = Annotated[int, Number(-UNBOUNDED, UNBOUNDED, "quote per size unit", 10**6, typical=(0, 10**9, -(10**9)))]
Accounts = Annotated[int, Number(0, UNBOUNDED, "accounts", typical=(0, 1))]
Moment = Annotated[int, Number(0, UNBOUNDED, "Unix time", typical=(0, 1_800_000_000, 1_800_003_600))]


def positive(amount: int, high: int) -> None:
    """NOT-3: an amount passed as an argument is at least 1 and at most `high`."""
    if amount < 1 or amount > high:
        raise Rejected("NOT-1")


def at_most(value: int, high: int) -> None:
    """NOT-4: an argument that may be zero is at most `high`."""
    if value > high:
        raise Rejected("NOT-2")


def magnitude(x: int) -> int:
    """|x|."""
    return x if x >= 0 else -x


def above_zero(x: int) -> int:
    """max(x, 0)."""
    return x if x > 0 else 0


def between(low: int, x: int, high: int) -> int:
    """x, moved into [low, high]; `high` where the interval is empty."""
    return min(max(low, x), high)
