"""Morpho Blue 1.0.0: isolated lending markets with one loan token, one collateral token, one oracle and one LLTV each.

Source: `Morpho.sol` and its libraries, package `@morpho-org/morpho-blue` 1.0.0. Rules: `spec/deployed/morpho-blue.md`.
Every check stands where the contract has it, so that the first rule to refuse is the same.
"""

from dataclasses import dataclass, field
from typing import Annotated, NewType

from marginspec.model.kernel import Call, Machine, Number, Record, Rejected, Uint256, action, constant, regime, rule
from marginspec.model.kernel.evm import checked, div_down, mul_div_down, mul_div_up, saturating_sub
from marginspec.model.kernel.numbers import UINT128_MAX, UINT256_MAX, UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
MarketId = NewType("MarketId", str)
Token = NewType("Token", str)
Irm = NewType("Irm", str)
Lltv = NewType("Lltv", int)

WAD = 10**18
ORACLE_PRICE_SCALE = 10**36
VIRTUAL_SHARES = 10**6
VIRTUAL_ASSETS = 1
MAX_FEE = 25 * 10**16
LIQUIDATION_CURSOR = 3 * 10**17
MAX_LIQUIDATION_INCENTIVE_FACTOR = 115 * 10**16
YEAR = 365 * 24 * 60 * 60

ZERO, MORPHO = Account("zero"), Account("morpho")
NO_IRM, UTILISATION_IRM, SPARE_IRM = Irm("none"), Irm("utilisation"), Irm("spare")

Assets = Annotated[int, Number(0, UINT256_MAX, "token base units", typical=(1, 10**6, 10**18, 10**24))]
Shares = Annotated[int, Number(0, UINT256_MAX, "shares", typical=(1, 10**6, 10**12, 10**24))]
StoredAssets = Annotated[int, Number(0, UINT128_MAX, "token base units", typical=(1, 10**6, 10**18, 10**24))]
StoredShares = Annotated[int, Number(0, UINT128_MAX, "shares", typical=(1, 10**6, 10**12, 10**24))]
# What the token would refuse beyond 256 bits; see "Token overflow" in the spec.
Tokens = Annotated[int, Number(0, UNBOUNDED, "token base units", typical=(1, 10**6, 10**18, 10**24))]
Price = Annotated[
    int,
    Number(0, UINT256_MAX, "loan base units per collateral base unit", ORACLE_PRICE_SCALE, (10**36,)),
]
Wad = Annotated[int, Number(0, UINT256_MAX, "fraction", WAD, (1, 10**17, MAX_FEE))]
Timestamp = Annotated[int, Number(1, UNBOUNDED, "seconds", typical=(1_700_000_000, 1_700_000_012, 1_731_536_000))]
Seconds = Annotated[int, Number(1, 2**40, "seconds", typical=(1, 12, 3600, 86400, YEAR, 10 * YEAR))]


@dataclass(slots=True)
class MarketParams(Record):
    """What identifies a market. The oracle is the market's own."""

    loan_token: Token
    collateral_token: Token
    irm: Irm
    lltv: Lltv


@dataclass(slots=True)
class Market(Record):
    """Totals of one market; `last_update` is zero until it is created."""

    total_supply_assets: StoredAssets = 0
    total_supply_shares: StoredShares = 0
    total_borrow_assets: StoredAssets = 0
    total_borrow_shares: StoredShares = 0
    last_update: Annotated[int, Number(0, UNBOUNDED, "seconds", typical=(1_700_000_000,))] = 0
    fee: Annotated[int, Number(0, UINT128_MAX, "fraction", WAD, (10**17, MAX_FEE))] = 0


@dataclass(slots=True)
class Position(Record):
    """One account in one market."""

    supply_shares: Shares = 0
    borrow_shares: StoredShares = 0
    collateral: StoredAssets = 0


@dataclass
class MorphoBlue(Machine):
    """The contract, the tokens and prices it depends on, and the time."""

    now: Timestamp
    owner: Account
    fee_recipient: Account
    params: dict[MarketId, MarketParams] = constant()
    markets: dict[MarketId, Market] = field(default_factory=dict)
    positions: dict[MarketId, dict[Account, Position]] = field(default_factory=dict)
    is_irm_enabled: dict[Irm, bool] = field(default_factory=dict)
    is_lltv_enabled: dict[Lltv, bool] = field(default_factory=dict)
    is_authorized: dict[User, dict[User, bool]] = field(default_factory=dict)
    price: dict[MarketId, Price] = field(default_factory=dict)
    balance: dict[Token, dict[Account, Tokens]] = field(default_factory=dict)
    allowance: dict[Token, dict[User, Uint256]] = field(default_factory=dict)

    system = "morpho-blue"
    never = {"TOK-5": "MB-INV-12"}
    universe = {
        Account: ("supplier", "borrower", "liquidator", "owner", ZERO, MORPHO),
        User: ("supplier", "borrower", "liquidator", "owner"),
        MarketId: ("A", "B", "C"),
        Token: ("X", "Y"),
        Irm: (NO_IRM, UTILISATION_IRM, SPARE_IRM),
        Lltv: (5 * 10**17, 8 * 10**17 - 3, 945 * 10**15, WAD),
    }

    @classmethod
    def blank(cls) -> "MorphoBlue":
        """Everything deployed, nothing done yet."""
        accounts, users, markets, tokens, irms, lltvs = cls.universe.values()
        x, y = tokens
        return cls(
            now=1_700_000_000,
            owner=Account("owner"),
            fee_recipient=ZERO,
            params={
                MarketId("A"): MarketParams(x, y, UTILISATION_IRM, lltvs[1]),
                MarketId("B"): MarketParams(x, x, NO_IRM, lltvs[0]),
                MarketId("C"): MarketParams(y, x, SPARE_IRM, lltvs[2]),
            },
            markets={m: Market() for m in markets},
            positions={m: {a: Position() for a in accounts} for m in markets},
            is_irm_enabled=dict.fromkeys(irms, False),
            is_lltv_enabled=dict.fromkeys(lltvs, False),
            is_authorized={u: dict.fromkeys(users, False) for u in users},
            price=dict.fromkeys(markets, 0),
            balance={t: dict.fromkeys(accounts, 0) for t in tokens},
            allowance={t: dict.fromkeys(users, 0) for t in tokens},
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: two markets open, users hold tokens, most let the contract spend them."""
        _, users, _, tokens, _, lltvs = cls.universe.values()
        owner = {"caller": "owner"}
        calls = [Call("enable_irm", owner | {"irm": irm}) for irm in (NO_IRM, UTILISATION_IRM)]
        calls += [Call("enable_lltv", owner | {"lltv": lltv}) for lltv in lltvs[:2]]
        calls += [Call("create_market", owner | {"market": market}) for market in ("A", "B")]
        calls += [Call("set_price", {"market": m, "price": ORACLE_PRICE_SCALE}) for m in ("A", "B", "C")]
        calls += [Call("set_balance", {"token": t, "account": u, "amount": 10**24}) for t in tokens for u in users]
        calls += [Call("approve", {"caller": u, "token": t, "amount": UINT256_MAX}) for t in tokens for u in users[:3]]
        return calls

    # --- Owner -------------------------------------------------------------------------------------------------

    @action
    @rule("OWN-1")
    def set_owner(self, caller: User, new_owner: Account) -> None:
        """Hand the contract over."""
        self._only_owner(caller)
        self._must_change(new_owner == self.owner)
        self.owner = new_owner

    @action
    @rule("OWN-2")
    def enable_irm(self, caller: User, irm: Irm) -> None:
        """Allow an interest rate model for new markets; there is no way back."""
        self._only_owner(caller)
        self._must_change(self.is_irm_enabled[irm])
        self.is_irm_enabled[irm] = True

    @action
    @rule("OWN-3")
    def enable_lltv(self, caller: User, lltv: Lltv) -> None:
        """Allow a liquidation loan-to-value for new markets; there is no way back."""
        self._only_owner(caller)
        self._must_change(self.is_lltv_enabled[lltv])
        if lltv >= WAD:
            raise Rejected("OWN-7")
        self.is_lltv_enabled[lltv] = True

    @action(weight=2)
    @rule("OWN-4")
    def set_fee(self, caller: User, market: MarketId, new_fee: Wad) -> None:
        """Change the share of interest that goes to the fee recipient; interest so far accrues at the old fee."""
        self._only_owner(caller)
        m = self._created(market)
        self._must_change(new_fee == m.fee)
        if new_fee > MAX_FEE:
            raise Rejected("OWN-8")
        self._accrue_interest(market)
        m.fee = new_fee

    @action
    @rule("OWN-5")
    def set_fee_recipient(self, caller: User, new_fee_recipient: Account) -> None:
        """Change who receives fees, those not yet accrued included."""
        self._only_owner(caller)
        self._must_change(new_fee_recipient == self.fee_recipient)
        self.fee_recipient = new_fee_recipient

    # --- Markets -----------------------------------------------------------------------------------------------

    @action
    @rule("MKT-1")
    def create_market(self, caller: User, market: MarketId) -> None:
        """Open a market over an enabled interest rate model and an enabled LLTV."""
        params = self.params[market]
        if not self.is_irm_enabled[params.irm]:
            raise Rejected("MKT-2")
        if not self.is_lltv_enabled[params.lltv]:
            raise Rejected("MKT-3")
        m = self.markets[market]
        if m.last_update != 0:
            raise Rejected("MKT-4")
        m.last_update = self.now

    @action(weight=2)
    @rule("ACC-1")
    def accrue_interest(self, caller: User, market: MarketId) -> None:
        """Bring a market's totals up to now."""
        self._created(market)
        self._accrue_interest(market)

    @rule("ACC-2")
    def _accrue_interest(self, market: MarketId) -> None:
        m = self.markets[market]
        elapsed = checked(self.now - m.last_update)
        if elapsed == 0:
            return
        if self.params[market].irm != NO_IRM:
            growth = taylor_compounded(self._borrow_rate(m), elapsed)
            interest = mul_div_down(m.total_borrow_assets, growth, WAD)
            m.total_borrow_assets = add128(m.total_borrow_assets, interest)
            m.total_supply_assets = add128(m.total_supply_assets, interest)
            if m.fee != 0:
                self._mint_fee(market, interest)
        m.last_update = self.now

    @rule("ACC-3")
    def _borrow_rate(self, m: Market) -> int:
        """Borrow rate per second, WAD, of the utilisation model: x % utilisation is x % a year."""
        if m.total_supply_assets == 0:
            return 0
        return div_down(mul_div_down(m.total_borrow_assets, WAD, m.total_supply_assets), YEAR)

    @rule("ACC-4")
    def _mint_fee(self, market: MarketId, interest: int) -> None:
        m = self.markets[market]
        fee_assets = mul_div_down(interest, m.fee, WAD)
        fee_shares = to_shares_down(fee_assets, checked(m.total_supply_assets - fee_assets), m.total_supply_shares)
        recipient = self.positions[market][self.fee_recipient]
        recipient.supply_shares = checked(recipient.supply_shares + fee_shares)
        m.total_supply_shares = add128(m.total_supply_shares, fee_shares)

    # --- Lending -----------------------------------------------------------------------------------------------

    @action(weight=8)
    @rule("SUP-1")
    def supply(
        self, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
    ) -> tuple[int, int]:
        """Lend to a market; returns (assets, shares)."""
        m = self._created(market)
        self._exactly_one(assets, shares)
        self._not_zero(on_behalf)
        self._accrue_interest(market)

        if assets > 0:
            shares = to_shares_down(assets, m.total_supply_assets, m.total_supply_shares)
        else:
            assets = to_assets_up(shares, m.total_supply_assets, m.total_supply_shares)
        position = self.positions[market][on_behalf]
        position.supply_shares = checked(position.supply_shares + shares)
        m.total_supply_shares = add128(m.total_supply_shares, shares)
        m.total_supply_assets = add128(m.total_supply_assets, assets)

        self._pull(self.params[market].loan_token, caller, assets)
        return assets, shares

    @action(weight=6)
    @rule("WDR-1")
    def withdraw(
        self,
        caller: User,
        market: MarketId,
        assets: Assets,
        shares: Shares,
        on_behalf: Account,
        receiver: Account,
    ) -> tuple[int, int]:
        """Take back what was lent; returns (assets, shares)."""
        m = self._created(market)
        self._exactly_one(assets, shares)
        self._not_zero(receiver)
        self._authorized(caller, on_behalf)
        self._accrue_interest(market)

        if assets > 0:
            shares = to_shares_up(assets, m.total_supply_assets, m.total_supply_shares)
        else:
            assets = to_assets_down(shares, m.total_supply_assets, m.total_supply_shares)
        position = self.positions[market][on_behalf]
        position.supply_shares = checked(position.supply_shares - shares)
        m.total_supply_shares = sub128(m.total_supply_shares, shares)
        m.total_supply_assets = sub128(m.total_supply_assets, assets)
        self._liquid(m)

        self._push(self.params[market].loan_token, receiver, assets)
        return assets, shares

    # --- Borrowing ---------------------------------------------------------------------------------------------

    @action(weight=10)
    @rule("BRW-1")
    def borrow(
        self,
        caller: User,
        market: MarketId,
        assets: Assets,
        shares: Shares,
        on_behalf: Account,
        receiver: Account,
    ) -> tuple[int, int]:
        """Borrow against collateral; returns (assets, shares)."""
        m = self._created(market)
        self._exactly_one(assets, shares)
        self._not_zero(receiver)
        self._authorized(caller, on_behalf)
        self._accrue_interest(market)

        if assets > 0:
            shares = to_shares_up(assets, m.total_borrow_assets, m.total_borrow_shares)
        else:
            assets = to_assets_down(shares, m.total_borrow_assets, m.total_borrow_shares)
        position = self.positions[market][on_behalf]
        position.borrow_shares = add128(position.borrow_shares, shares)
        m.total_borrow_shares = add128(m.total_borrow_shares, shares)
        m.total_borrow_assets = add128(m.total_borrow_assets, assets)
        self._healthy(market, on_behalf)
        self._liquid(m)

        self._push(self.params[market].loan_token, receiver, assets)
        return assets, shares

    @action(weight=8)
    @rule("REP-1")
    def repay(
        self, caller: User, market: MarketId, assets: Assets, shares: Shares, on_behalf: Account
    ) -> tuple[int, int]:
        """Pay back debt; returns (assets, shares). `assets` may exceed the total debt by one."""
        m = self._created(market)
        self._exactly_one(assets, shares)
        self._not_zero(on_behalf)
        self._accrue_interest(market)

        if assets > 0:
            shares = to_shares_down(assets, m.total_borrow_assets, m.total_borrow_shares)
        else:
            assets = to_assets_up(shares, m.total_borrow_assets, m.total_borrow_shares)
        position = self.positions[market][on_behalf]
        position.borrow_shares = sub128(position.borrow_shares, shares)
        m.total_borrow_shares = sub128(m.total_borrow_shares, shares)
        m.total_borrow_assets = saturating_sub(m.total_borrow_assets, assets)

        self._pull(self.params[market].loan_token, caller, assets)
        return assets, shares

    # --- Collateral --------------------------------------------------------------------------------------------

    @action(weight=8)
    @rule("COL-1")
    def supply_collateral(self, caller: User, market: MarketId, assets: Assets, on_behalf: Account) -> None:
        """Add collateral; no interest accrues."""
        self._created(market)
        if assets == 0:
            raise Rejected("ACT-3")
        self._not_zero(on_behalf)

        position = self.positions[market][on_behalf]
        position.collateral = add128(position.collateral, assets)

        self._pull(self.params[market].collateral_token, caller, assets)

    @action(weight=6)
    @rule("COL-2")
    def withdraw_collateral(
        self, caller: User, market: MarketId, assets: Assets, on_behalf: Account, receiver: Account
    ) -> None:
        """Take collateral back, as far as the position stays healthy."""
        self._created(market)
        if assets == 0:
            raise Rejected("ACT-3")
        self._not_zero(receiver)
        self._authorized(caller, on_behalf)
        self._accrue_interest(market)

        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)

        self._push(self.params[market].collateral_token, receiver, assets)

    # --- Liquidation -------------------------------------------------------------------------------------------

    @action(weight=16)
    @rule("LIQ-1")
    def liquidate(
        self, caller: User, market: MarketId, borrower: Account, seized_assets: Assets, repaid_shares: Shares
    ) -> tuple[int, int]:
        """Repay an unhealthy position's debt for its collateral at a discount; returns (seized, repaid) assets."""
        m = self._created(market)
        self._exactly_one(seized_assets, repaid_shares)
        self._accrue_interest(market)

        if self.is_healthy(market, borrower):
            raise Rejected("LIQ-2")
        if seized_assets > 0:
            repaid_shares = self._shares_for_seizure(market, seized_assets)
        else:
            seized_assets = self._seizure_for_shares(market, repaid_shares)
        repaid_assets = to_assets_up(repaid_shares, m.total_borrow_assets, m.total_borrow_shares)

        position = self.positions[market][borrower]
        position.borrow_shares = sub128(position.borrow_shares, repaid_shares)
        m.total_borrow_shares = sub128(m.total_borrow_shares, repaid_shares)
        m.total_borrow_assets = saturating_sub(m.total_borrow_assets, repaid_assets)
        position.collateral = sub128(position.collateral, seized_assets)
        if position.collateral == 0:
            self._realise_bad_debt(market, position)

        self._push(self.params[market].collateral_token, caller, seized_assets)
        self._pull(self.params[market].loan_token, caller, repaid_assets)
        return seized_assets, repaid_assets

    @rule("LIQ-3")
    def liquidation_incentive_factor(self, market: MarketId) -> int:
        """Collateral value paid per unit of debt repaid, WAD."""
        discount = mul_div_down(LIQUIDATION_CURSOR, WAD - self.params[market].lltv, WAD)
        return min(MAX_LIQUIDATION_INCENTIVE_FACTOR, mul_div_down(WAD, WAD, WAD - discount))

    @rule("LIQ-4")
    def _shares_for_seizure(self, market: MarketId, seized_assets: int) -> int:
        m = self.markets[market]
        quoted = mul_div_up(seized_assets, self.price[market], ORACLE_PRICE_SCALE)
        repaid = mul_div_up(quoted, WAD, self.liquidation_incentive_factor(market))
        return to_shares_up(repaid, m.total_borrow_assets, m.total_borrow_shares)

    @rule("LIQ-5")
    def _seizure_for_shares(self, market: MarketId, repaid_shares: int) -> int:
        m = self.markets[market]
        repaid = to_assets_down(repaid_shares, m.total_borrow_assets, m.total_borrow_shares)
        incentivised = mul_div_down(repaid, self.liquidation_incentive_factor(market), WAD)
        return mul_div_down(incentivised, ORACLE_PRICE_SCALE, self.price[market])

    @rule("LIQ-6")
    def _realise_bad_debt(self, market: MarketId, position: Position) -> None:
        """What no collateral backs any more is written off, at the suppliers' expense."""
        m = self.markets[market]
        shares = position.borrow_shares
        assets = min(m.total_borrow_assets, to_assets_up(shares, m.total_borrow_assets, m.total_borrow_shares))
        m.total_borrow_assets = sub128(m.total_borrow_assets, assets)
        m.total_supply_assets = sub128(m.total_supply_assets, assets)
        m.total_borrow_shares = sub128(m.total_borrow_shares, shares)
        position.borrow_shares = 0

    # --- Health ------------------------------------------------------------------------------------------------

    @rule("HLT-1")
    def borrowed_assets(self, market: MarketId, account: Account) -> int:
        """Debt of a position in loan base units, rounded up; interest since the last accrual not included."""
        m = self.markets[market]
        shares = self.positions[market][account].borrow_shares
        return to_assets_up(shares, m.total_borrow_assets, m.total_borrow_shares)

    @rule("HLT-2")
    def max_borrow(self, market: MarketId, account: Account) -> int:
        """The most a position may owe, in loan base units, each step rounded down."""
        value = mul_div_down(self.positions[market][account].collateral, self.price[market], ORACLE_PRICE_SCALE)
        return mul_div_down(value, self.params[market].lltv, WAD)

    @rule("HLT-3")
    def is_healthy(self, market: MarketId, account: Account) -> bool:
        """Whether a position's debt is within what its collateral allows; equality is healthy."""
        borrowed = self.borrowed_assets(market, account)
        return self.max_borrow(market, account) >= borrowed

    @rule("HLT-4")
    def _healthy(self, market: MarketId, account: Account) -> None:
        if self.positions[market][account].borrow_shares == 0:
            return
        if not self.is_healthy(market, account):
            raise Rejected("HLT-5")

    # --- Authorisation -----------------------------------------------------------------------------------------

    @action
    @rule("AUT-1")
    def set_authorization(self, caller: User, authorized: User, new_is_authorized: bool) -> None:
        """Let another account manage one's positions, or stop it."""
        self._must_change(new_is_authorized == self.is_authorized[caller][authorized])
        self.is_authorized[caller][authorized] = new_is_authorized

    # --- Checks shared by actions ------------------------------------------------------------------------------

    def _only_owner(self, caller: User) -> None:
        if caller != self.owner:
            raise Rejected("OWN-6")

    def _must_change(self, is_set: bool) -> None:
        if is_set:
            raise Rejected("ACT-5")

    def _created(self, market: MarketId) -> Market:
        m = self.markets[market]
        if m.last_update == 0:
            raise Rejected("ACT-1")
        return m

    def _exactly_one(self, x: int, y: int) -> None:
        if (x == 0) == (y == 0):
            raise Rejected("ACT-2")

    def _not_zero(self, account: Account) -> None:
        if account == ZERO:
            raise Rejected("ACT-4")

    def _authorized(self, caller: User, on_behalf: Account) -> None:
        if caller != on_behalf and not self.is_authorized.get(on_behalf, {}).get(caller, False):  # type: ignore[call-overload]
            raise Rejected("AUT-2")

    def _liquid(self, m: Market) -> None:
        if m.total_borrow_assets > m.total_supply_assets:
            raise Rejected("ACT-6")

    # --- Tokens, prices and time: what the contract depends on ---------------------------------------------------

    @rule("TOK-1")
    def _push(self, token: Token, receiver: Account, amount: int) -> None:
        if self.balance[token][MORPHO] < amount:
            raise Rejected("TOK-5")
        self._move(token, MORPHO, receiver, amount)

    @rule("TOK-2")
    def _pull(self, token: Token, payer: User, amount: int) -> None:
        if self.allowance[token][payer] < amount:
            raise Rejected("TOK-6")
        self.allowance[token][payer] -= amount
        if self.balance[token][payer] < amount:
            raise Rejected("TOK-7")
        self._move(token, payer, MORPHO, amount)

    def _move(self, token: Token, source: Account, target: Account, amount: int) -> None:
        self.balance[token][source] -= amount
        self.balance[token][target] += amount

    @action(environment=True)
    @rule("TOK-3")
    def transfer(self, caller: User, token: Token, receiver: Account, amount: Assets) -> None:
        """Send tokens to anybody, the contract included: a donation changes no position."""
        if self.balance[token][caller] < amount:
            raise Rejected("TOK-8")
        self._move(token, caller, receiver, amount)

    @action(environment=True)
    @rule("TOK-4")
    def approve(self, caller: User, token: Token, amount: Uint256) -> None:
        """Let the contract spend up to `amount`."""
        self.allowance[token][caller] = amount

    @action(environment=True)
    def set_balance(self, token: Token, account: User, amount: Annotated[int, Number(0, 2**200, "base units")]) -> None:
        """Give a user exactly `amount` tokens."""
        self.balance[token][account] = amount

    @action(weight=4, environment=True)
    def set_price(self, market: MarketId, price: Price) -> None:
        """The market's oracle answers `price` from now on."""
        self.price[market] = price

    @action(weight=2, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds

    # --- Regimes -----------------------------------------------------------------------------------------------

    def _borrowers(self) -> list[tuple[MarketId, Account, Position]]:
        lent = [name for name, m in self.markets.items() if m.total_borrow_shares != 0]
        return [(m, a, p) for m in lent for a, p in self.positions[m].items() if p.borrow_shares != 0]

    @regime
    def liquidatable(self) -> bool:
        """Some position is unhealthy."""
        for market, account, p in self._borrowers():
            if p.collateral * self.price[market] <= UINT256_MAX and not self.is_healthy(market, account):
                return True
        return False

    @regime
    def partly_liquidated(self) -> bool:
        """A liquidation left debt and collateral behind."""
        if self.last is None or self.last.action != "liquidate":
            return False
        p = self.positions[self.last.arguments["market"]][self.last.arguments["borrower"]]
        return p.borrow_shares > 0 and p.collateral > 0

    @regime
    def bad_debt_realised(self) -> bool:
        """A liquidation wrote debt off at the suppliers' expense."""
        if self.last is None or self.last.action != "liquidate":
            return False
        market, before = self.last.arguments["market"], self.previous
        before._accrue_interest(market)  # interest of the same action must not hide the loss
        return self.markets[market].total_supply_assets < before.markets[market].total_supply_assets

    @regime
    def fully_utilised(self) -> bool:
        """All that is lent to a market is borrowed."""
        return any(m.total_borrow_assets == m.total_supply_assets > 0 for m in self.markets.values())

    @regime
    def leftover_borrow_shares(self) -> bool:
        """A market without debt still has borrow shares."""
        return any(m.total_borrow_assets == 0 < m.total_borrow_shares for m in self.markets.values())

    @regime
    def leftover_supply_shares(self) -> bool:
        """A market without assets still has supply shares."""
        return any(m.total_supply_assets == 0 < m.total_supply_shares for m in self.markets.values())

    @regime
    def year_without_accrual(self) -> bool:
        """A market with debt was not touched for a year."""
        return any(m.total_borrow_assets > 0 and self.now - m.last_update >= YEAR for m in self.markets.values())

    @regime
    def debt_of_one_unit(self) -> bool:
        """Some position owes exactly one base unit."""
        return any(self.borrowed_assets(market, account) == 1 for market, account, _ in self._borrowers())

    @regime
    def price_zero(self) -> bool:
        """The collateral of a borrower is worth nothing."""
        return any(p.collateral > 0 and self.price[market] == 0 for market, _, p in self._borrowers())

    @regime
    def price_near_overflow(self) -> bool:
        """The value of a borrower's collateral comes within 8 bits of 256."""
        return any(p.collateral * self.price[market] > UINT256_MAX >> 8 for market, _, p in self._borrowers())

    @regime
    def last_borrower_repaid(self) -> bool:
        """A repayment closed the last position of a market."""
        if self.last is None or self.last.action != "repay":
            return False
        market = self.last.arguments["market"]
        return self.markets[market].total_borrow_shares == 0 < self.previous.markets[market].total_borrow_shares


# --- Arithmetic of the contract's libraries ------------------------------------------------------------------------


def to_shares_down(assets: int, total_assets: int, total_shares: int) -> int:
    """SHR-1: shares that `assets` buy, rounded down, with virtual assets and shares against inflation attacks."""
    return mul_div_down(assets, total_shares + VIRTUAL_SHARES, total_assets + VIRTUAL_ASSETS)


def to_assets_down(shares: int, total_assets: int, total_shares: int) -> int:
    """SHR-2: assets that `shares` are worth, rounded down."""
    return mul_div_down(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES)


def to_shares_up(assets: int, total_assets: int, total_shares: int) -> int:
    """SHR-3: shares that `assets` cost, rounded up."""
    return mul_div_up(assets, total_shares + VIRTUAL_SHARES, total_assets + VIRTUAL_ASSETS)


def to_assets_up(shares: int, total_assets: int, total_shares: int) -> int:
    """SHR-4: assets that `shares` cost, rounded up."""
    return mul_div_up(shares, total_assets + VIRTUAL_ASSETS, total_shares + VIRTUAL_SHARES)


def taylor_compounded(rate: int, seconds: int) -> int:
    """ACC-5: e^(rate * seconds) - 1, WAD, by the first three terms of its series, each rounded down."""
    first = checked(rate * seconds)
    second = mul_div_down(first, first, 2 * WAD)
    third = mul_div_down(second, first, 3 * WAD)
    return checked(first + second + third)


def uint128(value: int) -> int:
    """INT-1: `value`, which must fit 128 bits."""
    if value > UINT128_MAX:
        raise Rejected("INT-1")
    return value


def add128(total: int, amount: int) -> int:
    """Add an amount, which must fit 128 bits, to a 128-bit total."""
    return checked(total + uint128(amount), UINT128_MAX)


def sub128(total: int, amount: int) -> int:
    """Subtract an amount, which must fit 128 bits, from a 128-bit total."""
    return checked(total - uint128(amount))
