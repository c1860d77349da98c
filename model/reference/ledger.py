"""Chapter 2, accounts and the ledger: the state, who owns what, tokens in and out, and the identity that always holds.

Rules: `spec/reference/02-ledger.md`.
"""

from dataclasses import dataclass, field

from marginspec.model.kernel import Machine, Record, Rejected, action, constant, rule
from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.reference.notation import (
    PPM,
    QUOTE_PER_UNIT,
    USD,
    VENUE,
    AccountId,
    Accounts,
    Amount,
    AssetId,
    Duration,
    Edge,
    Fault,
    Fraction,
    Holder,
    Index,
    MarketId,
    Moment,
    Money,
    NetSize,
    ParameterId,
    Premium,
    Seconds,
    SignedSize,
    SourceId,
    StoredAmount,
    StoredCap,
    StoredPrice,
    Threshold,
    TokenId,
    Tokens,
    Treasury,
    Unit,
    User,
)

# How a token may fail: it answers nothing, which is no failure; it answers false and moves nothing; it reverts.
SILENT, REFUSES, REVERTS = 1, 2, 3


@dataclass(slots=True)
class Report(Record):
    """What a source last said of a price; time 0: nothing yet. fault: in how it answers since then (ORC-10)."""

    price: Edge = 0
    confidence: Edge = 0
    time: Moment = 0
    fault: Fault = 0


@dataclass(slots=True)
class Asset(Record):
    """An asset with a price. mark, low, high: the accepted price and its edges, 0 until there is one.

    time: of acceptance. tripped_at: when the circuit breaker tripped, 0 if it did not. volatility: recent moves, ppm.
    haircut: in force. spread: the liquidity input to it.
    """

    mark: StoredPrice = 0
    low: StoredPrice = 0
    high: Edge = 0
    time: Moment = 0
    tripped_at: Moment = 0
    volatility: Fraction = 0
    haircut: Fraction = 0
    spread: Fraction = 0


@dataclass(slots=True)
class AssetTerms(Record):
    """What never changes of an asset: base units per quote of value at price 1, and where credit for more of it falls.

    feed_low, feed_high: the feed's own bounds. minimum_haircut: of the asset at rest, ppm.
    """

    unit: Unit
    tier_1: StoredAmount
    tier_2: StoredAmount
    feed_low: StoredPrice
    feed_high: StoredPrice
    minimum_haircut: Fraction


@dataclass(slots=True)
class Market(Record):
    """A perpetual. open_interest: the sum of long sizes. ratio: maintenance ratio in force.

    room: notional that may still be liquidated in the interval since interval_start. ramp_at: when announced parameters
    begin to move, 0 if none do. ramp_progress: seconds of the ramp already applied.
    """

    open_interest: NetSize = 0
    open_interest_cap: StoredCap = 1
    funding_index: Index = 0
    premium: Premium = 0
    accrued_at: Moment = 0
    ratio: Fraction = 0
    reduce_only: bool = False
    room: Treasury = 0
    interval_start: Moment = 0
    ramp_at: Moment = 0
    ramp_progress: Duration = 0


@dataclass(slots=True)
class MarketTerms(Record):
    """What never changes of a market. delta: price move between two chances to liquidate that it is built for, ppm.

    slope: initial ratio added at full open interest. dust: notional below which no rest is left. limit: notional
    liquidated per interval.
    """

    asset: AssetId
    delta: Fraction
    slope: Fraction
    dust: Threshold
    limit: Threshold


@dataclass(slots=True)
class Position(Record):
    """Signed size, what was paid for it (signed), and the funding index up to which it is settled."""

    size: NetSize = 0
    cost: Money = 0
    funding_index: Index = 0


@dataclass(slots=True)
class Holding(Record):
    """Collateral of one account in one asset, and the part of it that counts towards margin."""

    amount: Tokens = 0
    counted: Tokens = 0


@dataclass(slots=True)
class Account(Record):
    """A margin account. in_default: its deficit exceeds the insurance fund and is not yet resolved."""

    cash: Money = 0
    in_default: bool = False
    collateral: dict[AssetId, Holding] = field(default_factory=dict)
    positions: dict[MarketId, Position] = field(default_factory=dict)


@dataclass(slots=True)
class AccountTerms(Record):
    """Who owns an account, and whether it may hold one market only."""

    owner: User
    isolated: bool


@dataclass(slots=True)
class Order(Record):
    """A standing offer: signed size, and the price, 0 for the mark at the time of the trade."""

    size: SignedSize = 0
    price: StoredPrice = 0


@dataclass
class Ledger(Machine):
    """The whole state of the venue, with the tokens, the price sources and the time that it depends on."""

    now: Moment
    governor: User
    guardian: User
    account_terms: dict[AccountId, AccountTerms] = constant()
    asset_terms: dict[AssetId, AssetTerms] = constant()
    market_terms: dict[MarketId, MarketTerms] = constant()
    deposits_paused: bool = False
    insurance: Treasury = 0
    fees: Treasury = 0
    pot: Money = 0
    defaults: Accounts = 0
    settling_since: Moment = 0
    settlement_pool: Treasury = 0
    settlement_claims: Treasury = 0
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    assets: dict[AssetId, Asset] = field(default_factory=dict)
    markets: dict[MarketId, Market] = field(default_factory=dict)
    parameters: dict[MarketId, dict[ParameterId, Fraction]] = field(default_factory=dict)
    ramp_from: dict[MarketId, dict[ParameterId, Fraction]] = field(default_factory=dict)
    ramp_to: dict[MarketId, dict[ParameterId, Fraction]] = field(default_factory=dict)
    orders: dict[MarketId, dict[AccountId, Order]] = field(default_factory=dict)
    sources: dict[AssetId, dict[SourceId, Report]] = field(default_factory=dict)
    held: dict[TokenId, Tokens] = field(default_factory=dict)
    cap: dict[AssetId, StoredAmount] = field(default_factory=dict)
    balance: dict[TokenId, dict[Holder, Tokens]] = field(default_factory=dict)
    transfer_fee: dict[TokenId, Fraction] = field(default_factory=dict)
    token_fault: dict[TokenId, Fault] = field(default_factory=dict)

    def surplus(self) -> int:
        """LED-1: quote held beyond what the books account for; always zero."""
        owned = sum(
            account.cash - sum(position.cost for position in account.positions.values())
            for account in self.accounts.values()
        )
        return self.held[USD] * QUOTE_PER_UNIT - self.insurance - self.fees - self.pot - owned

    def collateral_surplus(self, asset: AssetId) -> int:
        """LED-2: base units of an asset held beyond the collateral of all accounts; always zero."""
        return self.held[asset] - sum(account.collateral[asset].amount for account in self.accounts.values())

    def owner(self, account: AccountId) -> User:
        """LED-3: who owns an account; nobody else can act for it, and its tokens come from and go to nobody else."""
        return self.account_terms[account].owner

    @rule("LED-4")
    def _pull(self, token: TokenId, payer: User, amount: int) -> None:
        if self.token_fault[token] > SILENT:
            raise Rejected("LED-10")
        if self.balance[token][payer] < amount:
            raise Rejected("LED-6")
        received = amount - mul_div_up(amount, self.transfer_fee[token], PPM)
        if received != amount:
            raise Rejected("LED-7")
        self.balance[token][payer] -= amount
        self.balance[token][VENUE] += amount
        self.held[token] += amount

    @rule("LED-5")
    def _push(self, token: TokenId, receiver: User, amount: int) -> None:
        if self.held[token] < amount:
            raise Rejected("LED-8")
        if self.token_fault[token] > SILENT:
            raise Rejected("LED-10")
        self.held[token] -= amount
        self.balance[token][VENUE] -= amount
        self.balance[token][receiver] += amount - mul_div_up(amount, self.transfer_fee[token], PPM)

    @action(environment=True)
    @rule("LED-9")
    def donate(self, caller: User, token: TokenId, amount: Amount) -> None:
        """Send tokens to the venue unasked: they are nobody's and change nothing else."""
        if self.token_fault[token] == REVERTS:
            raise Rejected("LED-10")
        if self.token_fault[token] == REFUSES:
            return
        received = amount - mul_div_up(amount, self.transfer_fee[token], PPM)
        if self.balance[token][caller] < amount:
            raise Rejected("LED-6")
        self.balance[token][caller] -= amount
        self.balance[token][VENUE] += received

    @action(environment=True)
    def set_balance(self, token: TokenId, account: User, amount: StoredAmount) -> None:
        """Give a user exactly `amount` tokens."""
        self.balance[token][account] = amount

    @action(environment=True)
    def set_transfer_fee(self, token: TokenId, charged: bool) -> None:
        """The token keeps 1 % of every transfer from now on, rounded up, or nothing."""
        self.transfer_fee[token] = 10_000 if charged else 0

    @action(environment=True)
    def set_token_fault(self, token: TokenId, fault: Fault) -> None:
        """From now on transfers answer nothing (1), answer false and move nothing (2), revert (3), or work (0)."""
        self.token_fault[token] = fault

    @action(weight=6, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds
