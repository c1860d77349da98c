"""Aave v3.0.2: suppliers lend to a pool, whoever has collateral borrows from it, and health decides who is liquidated.

Source: `Pool.sol`, its libraries and tokens, npm package `@aave/core-v3` 1.19.3. Rules: `spec/deployed/aave-v3.md`.
Every check stands where the contracts have it, so that the first rule to refuse is the same.
"""

from marginspec.model.deployed.aave_v3.market import Holding, Reserve
from marginspec.model.deployed.aave_v3.notation import (
    ALL,
    CONFIGURATOR,
    NO_MODE,
    PERCENT,
    TREASURY,
    WAD,
    Account,
    Amount,
    AmountOrAll,
    Asset,
    Mode,
    Operator,
    Preset,
    Price,
    Seconds,
    User,
    percent_div,
    percent_mul,
    ray_mul,
)
from marginspec.model.deployed.aave_v3.parameters import ASSETS, CURVES, DECIMALS, EFFICIENCY, MODES, PRESETS, terms_of
from marginspec.model.deployed.aave_v3.regimes import CLOSE_FACTOR, CLOSE_FACTOR_THRESHOLD, Watched
from marginspec.model.kernel import Call, Rejected, action, rule
from marginspec.model.kernel.fixed import div_down

GENESIS_TIME = 1_700_000_000


class AaveV3(Watched):
    """The actions of suppliers, borrowers and liquidators, and those of the world."""

    system = "aave-v3"
    universe = {
        Asset: ASSETS,
        User: ("supplier", "borrower", "liquidator"),
        Account: ("supplier", "borrower", "liquidator", TREASURY),
        Mode: MODES,
        Preset: PRESETS,
        Operator: (CONFIGURATOR, "stranger"),
    }

    @classmethod
    def blank(cls) -> "AaveV3":
        """A pool of three reserves in which nothing was done yet."""
        users: tuple[User, ...] = cls.universe[User]
        accounts: tuple[Account, ...] = cls.universe[Account]
        return cls(
            now=GENESIS_TIME,
            price=dict.fromkeys(ASSETS, 0),
            reserves={asset: Reserve(terms_of(asset, PRESETS[0])) for asset in ASSETS},
            claims={asset: {account: Holding() for account in accounts} for asset in ASSETS},
            debts={asset: {user: Holding() for user in users} for asset in ASSETS},
            is_collateral={asset: dict.fromkeys(users, False) for asset in ASSETS},
            is_borrowing={asset: dict.fromkeys(users, False) for asset in ASSETS},
            mode=dict.fromkeys(users, NO_MODE),
            balance={asset: dict.fromkeys(users, 0) for asset in ASSETS},
            issued=dict.fromkeys(ASSETS, 0),
            unit={asset: 10 ** DECIMALS[asset] for asset in ASSETS},
            curves=CURVES,
            efficiency=EFFICIENCY,
            presets={asset: {preset: terms_of(asset, preset) for preset in PRESETS} for asset in ASSETS},
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: there are prices, and users have tokens."""
        prices = {"WETH": 2000 * 10**8, "USDC": 10**8, "WBTC": 40_000 * 10**8}
        amounts = {"WETH": 10**22, "USDC": 2 * 10**13, "WBTC": 5 * 10**10}
        funds = [
            Call("fund", {"asset": asset, "account": user, "amount": amounts[asset]})
            for asset in ASSETS
            for user in cls.universe[User]
        ]
        return [*(Call("set_price", {"asset": asset, "price": prices[asset]}) for asset in ASSETS), *funds]

    # --- Supply and withdrawal ---------------------------------------------------------------------------------------

    @action(weight=8)
    @rule("SUP-1")
    def supply(self, caller: User, asset: Asset, amount: Amount, on_behalf: User) -> None:
        """Lend tokens to a reserve; the claim is `on_behalf`'s, and its first one becomes collateral where it may."""
        self._accrue(asset)
        self._not_nothing(amount)
        reserve = self._open(asset)
        self._not_frozen(reserve)
        self._within_supply_cap(asset, amount)
        self._set_rates(asset, amount, 0)
        self._pull(asset, caller, amount)
        self._become_collateral(asset, on_behalf, self._mint_claim(asset, on_behalf, amount))

    def _within_supply_cap(self, asset: Asset, amount: int) -> None:
        reserve = self.reserves[asset]
        claimed = ray_mul(reserve.supplied + reserve.accrued, reserve.liquidity_index)
        if reserve.terms.supply_cap != 0 and claimed + amount > reserve.terms.supply_cap * self.unit[asset]:
            raise Rejected("SUP-2")

    @rule("SUP-3")
    def _become_collateral(self, asset: Asset, user: User, is_first: bool) -> None:
        """Let a first claim be collateral, if its terms lend on it."""
        if is_first and self.reserves[asset].terms.ltv != 0:
            self.is_collateral[asset][user] = True

    @action(weight=6)
    @rule("WDR-1")
    def withdraw(self, caller: User, asset: Asset, amount: AmountOrAll, receiver: User) -> int:
        """Turn a claim into tokens; returns how many."""
        self._accrue(asset)
        held = self.claim_of(asset, caller)
        if amount == ALL:
            amount = held
        self._not_nothing(amount)
        if amount > held:
            raise Rejected("WDR-2")
        self._open(asset)
        self._set_rates(asset, 0, amount)
        was_collateral = self.is_collateral[asset][caller]
        if was_collateral and amount == held:
            self.is_collateral[asset][caller] = False
        self._burn_claim(asset, caller, amount)
        self._push(asset, receiver, amount)
        if was_collateral and self._borrows_any(caller):
            self._stays_healthy(asset, caller)
        return amount

    @action(weight=2)
    @rule("COL-1")
    def set_collateral(self, caller: User, asset: Asset, use: bool) -> None:
        """Let one's claim be collateral, or not."""
        if self.claim_of(asset, caller) == 0:
            raise Rejected("COL-2")
        reserve = self._open(asset)
        if use == self.is_collateral[asset][caller]:
            return
        if use and reserve.terms.ltv == 0:
            raise Rejected("COL-3")
        self.is_collateral[asset][caller] = use
        if not use:
            self._stays_healthy(asset, caller)

    @action(weight=2)
    @rule("TRF-1")
    def transfer_claim(self, caller: User, asset: Asset, receiver: User, amount: Amount) -> int:
        """Give a part of one's claim to another user; returns 1."""
        held, had = self.claim_of(asset, caller), self.claim_of(asset, receiver)
        self._move_claim(asset, caller, receiver, amount)
        self._not_paused(self.reserves[asset])
        if caller == receiver or amount == 0:
            return 1
        if self.is_collateral[asset][caller]:
            if self._borrows_any(caller):
                self._stays_healthy(asset, caller)
            if amount == held:
                self.is_collateral[asset][caller] = False
        self._become_collateral(asset, receiver, had == 0)
        return 1

    # --- Debt --------------------------------------------------------------------------------------------------------

    @action(weight=8)
    @rule("BOR-1")
    def borrow(self, caller: User, asset: Asset, amount: Amount) -> None:
        """Borrow tokens at the variable rate, against all of one's collateral."""
        self._accrue(asset)
        self._not_nothing(amount)
        reserve = self._open(asset)
        self._not_frozen(reserve)
        if not reserve.terms.is_borrowable:
            raise Rejected("BOR-2")
        self._within_borrow_cap(asset, amount)
        if self.mode[caller] != NO_MODE and reserve.terms.mode != self.mode[caller]:
            raise Rejected("MOD-2")
        self._covers(asset, caller, amount)
        if self._mint_debt(asset, caller, amount):
            self.is_borrowing[asset][caller] = True
        self._set_rates(asset, 0, amount)
        self._push(asset, caller, amount)

    def _within_borrow_cap(self, asset: Asset, amount: int) -> None:
        reserve = self.reserves[asset]
        owed = ray_mul(reserve.borrowed, reserve.debt_index)
        if reserve.terms.borrow_cap != 0 and owed + amount > reserve.terms.borrow_cap * self.unit[asset]:
            raise Rejected("BOR-3")

    @rule("BOR-4")
    def _covers(self, asset: Asset, user: User, amount: int) -> None:
        """A loan must be within what the loan to value of the collateral allows, and start from good health."""
        collateral, debt, ltv, health, _ = self.account_data(user)
        if collateral == 0:
            raise Rejected("BOR-5")
        if ltv == 0:
            raise Rejected("BOR-6")
        if health <= WAD:
            raise Rejected("BOR-7")
        value = div_down(self.price[asset] * amount, self.unit[asset])
        if percent_div(debt + value, ltv) > collateral:
            raise Rejected("BOR-8")

    @action(weight=5)
    @rule("REP-1")
    def repay(self, caller: User, asset: Asset, amount: AmountOrAll, on_behalf: User) -> int:
        """Pay a debt, at most all of it; returns how much was paid."""
        self._accrue(asset)
        owed = self.debt_of(asset, on_behalf)
        self._repayable(asset, amount, caller == on_behalf, owed)
        paid = min(amount, owed)
        self._burn_debt(asset, on_behalf, paid)
        self._set_rates(asset, paid, 0)
        if paid == owed:
            self.is_borrowing[asset][on_behalf] = False
        self._pull(asset, caller, paid)
        return paid

    @action(weight=2)
    @rule("REP-2")
    def repay_with_claims(self, caller: User, asset: Asset, amount: AmountOrAll) -> int:
        """Pay one's debt with one's claim on the same reserve; returns how much was paid."""
        self._accrue(asset)
        owed = self.debt_of(asset, caller)
        self._repayable(asset, amount, True, owed)
        paid = min(self.claim_of(asset, caller) if amount == ALL else amount, owed)
        self._burn_debt(asset, caller, paid)
        self._set_rates(asset, 0, 0)
        if paid == owed:
            self.is_borrowing[asset][caller] = False
        self._burn_claim(asset, caller, paid)
        return paid

    def _repayable(self, asset: Asset, amount: int, is_own: bool, owed: int) -> None:
        self._not_nothing(amount)
        if amount == ALL and not is_own:
            raise Rejected("REP-3")
        self._open(asset)
        if owed == 0:
            raise Rejected("REP-4")

    # --- Modes of efficiency -----------------------------------------------------------------------------------------

    @action(weight=2)
    @rule("MOD-3")
    def set_mode(self, caller: User, mode: Mode) -> None:
        """Choose a mode of efficiency, in which all that one borrows must be."""
        if mode != NO_MODE and self.efficiency[mode].threshold == 0:
            raise Rejected("MOD-4")
        if mode != NO_MODE:
            for asset, reserve in self.reserves.items():
                if self.is_borrowing[asset][caller] and reserve.terms.mode != mode:
                    raise Rejected("MOD-5")
        before = self.mode[caller]
        self.mode[caller] = mode
        if before != NO_MODE:
            self._healthy(caller)

    # --- Liquidation -------------------------------------------------------------------------------------------------

    @action(weight=10)
    @rule("LIQ-1")
    def liquidate(
        self, caller: User, collateral: Asset, asset: Asset, user: User, amount: AmountOrAll, as_claim: bool
    ) -> None:
        """Pay debt of a user who is not healthy, for collateral at a discount, as tokens or as a claim."""
        self._accrue(asset)
        health, owed = self.account_data(user)[3], self.debt_of(asset, user)
        self._liquidatable(collateral, asset, user, health, owed)
        held = self.claim_of(collateral, user)
        seized, paid, fee = self._seizure(collateral, asset, user, self._payable(amount, owed, health), held)
        self._unflag(collateral, asset, user, seized + fee == held, paid == owed)
        self._burn_debt(asset, user, paid)
        self._set_rates(asset, paid, 0)
        if as_claim:
            self._seize_claim(collateral, user, caller, seized)
        else:
            self._seize_tokens(collateral, user, caller, seized)
        self._take_fee(collateral, user, fee)
        self._pull(asset, caller, paid)

    @rule("LIQ-2")
    def close_factor(self, health: int) -> int:
        """The part of a debt that one liquidation may pay, in hundredths of a percent: half, or all at bad health."""
        return CLOSE_FACTOR if health > CLOSE_FACTOR_THRESHOLD else PERCENT

    def _payable(self, amount: int, owed: int, health: int) -> int:
        return min(amount, percent_mul(owed, self.close_factor(health)))

    def _unflag(self, collateral: Asset, asset: Asset, user: User, is_all: bool, is_repaid: bool) -> None:
        if is_repaid:
            self.is_borrowing[asset][user] = False
        if is_all:
            self.is_collateral[collateral][user] = False

    def _liquidatable(self, collateral: Asset, asset: Asset, user: User, health: int, owed: int) -> None:
        given, taken = self.reserves[collateral].terms, self.reserves[asset].terms
        if not (given.is_active and taken.is_active):
            raise Rejected("RES-1")
        if given.is_paused or taken.is_paused:
            raise Rejected("RES-2")
        if health >= WAD:
            raise Rejected("LIQ-3")
        if given.threshold == 0 or not self.is_collateral[collateral][user]:
            raise Rejected("LIQ-4")
        if owed == 0:
            raise Rejected("LIQ-5")

    def bonus_of(self, collateral: Asset, user: User) -> int:
        """LIQ-6: what a liquidation takes per value of the debt, in hundredths of a percent."""
        if self.is_in_mode(collateral, user):
            return self.efficiency[self.mode[user]].bonus
        return self.reserves[collateral].terms.bonus

    @rule("LIQ-7")
    def _seizure(self, collateral: Asset, asset: Asset, user: User, paid: int, held: int) -> tuple[int, int, int]:
        """Collateral for the liquidator, debt that is paid for it, collateral for the treasury."""
        bonus = self.bonus_of(collateral, user)
        seized = percent_mul(self._worth_of(collateral, asset, paid), bonus)
        if seized > held:
            seized, paid = held, percent_div(self._worth_of(asset, collateral, held), bonus)
        fee = self._protocol_fee(collateral, seized, bonus)
        return seized - fee, paid, fee

    @rule("LIQ-8")
    def _worth_of(self, asset: Asset, other: Asset, amount: int) -> int:
        """How much of an asset an amount of another one is worth, rounded down."""
        price = self.price[asset] * self.unit[other]
        if price == 0:
            raise Rejected("EVM-2")
        return div_down(self.price[other] * amount * self.unit[asset], price)

    @rule("LIQ-9")
    def _protocol_fee(self, collateral: Asset, seized: int, bonus: int) -> int:
        """The treasury's part of the discount."""
        return percent_mul(self._discount(seized, bonus), self.reserves[collateral].terms.protocol_fee)

    def _discount(self, seized: int, bonus: int) -> int:
        return seized - percent_div(seized, bonus)

    @rule("LIQ-10")
    def _seize_tokens(self, asset: Asset, user: User, liquidator: User, amount: int) -> None:
        """Pay out seized collateral in tokens."""
        self._accrue(asset)
        self._set_rates(asset, 0, amount)
        self._burn_claim(asset, user, amount)
        self._push(asset, liquidator, amount)

    @rule("LIQ-11")
    def _seize_claim(self, asset: Asset, user: User, liquidator: User, amount: int) -> None:
        """Hand over seized collateral as a claim, which may become the liquidator's collateral."""
        had = self.claim_of(asset, liquidator)
        self._move_claim(asset, user, liquidator, amount)
        self._become_collateral(asset, liquidator, had == 0)

    @rule("LIQ-12")
    def _take_fee(self, asset: Asset, user: User, fee: int) -> None:
        """Give the treasury its part, or what is left where rounding has left less."""
        if fee == 0:
            return
        index, left = self.normalized_income(asset), self.claims[asset][user].scaled
        self._move_claim(asset, user, TREASURY, self.at_index(left, index) if self.by_index(fee, index) > left else fee)

    # --- Treasury ----------------------------------------------------------------------------------------------------

    @action
    @rule("TRE-1")
    def mint_to_treasury(self, caller: User, asset: Asset) -> None:
        """Give the treasury a claim for what accrued to it; anybody may, and of an inactive reserve nothing happens."""
        reserve = self.reserves[asset]
        if not reserve.terms.is_active or reserve.accrued == 0:
            return
        index = self.normalized_income(asset)
        amount, reserve.accrued = self.at_index(reserve.accrued, index), 0
        self._add_claim(asset, TREASURY, self.by_index(amount, index), index)

    # --- Claims and debts --------------------------------------------------------------------------------------------

    @rule("CLM-2")
    def _mint_claim(self, asset: Asset, account: Account, amount: int) -> bool:
        """Add to a claim, at the index of the last accrual; whether there was none."""
        index = self.reserves[asset].liquidity_index
        scaled = self.by_index(amount, index)
        if scaled == 0:
            raise Rejected("CLM-3")
        was_none = self.claims[asset][account].scaled == 0
        self._add_claim(asset, account, scaled, index)
        return was_none

    def _add_claim(self, asset: Asset, account: Account, scaled: int, index: int) -> None:
        held = self.claims[asset][account]
        held.scaled, held.kept_index = held.scaled + scaled, index
        self.reserves[asset].supplied += scaled

    @rule("CLM-4")
    def _burn_claim(self, asset: Asset, account: Account, amount: int) -> None:
        """Take from a claim, at the index of the last accrual."""
        reserve, held = self.reserves[asset], self.claims[asset][account]
        scaled = self.by_index(amount, reserve.liquidity_index)
        if scaled == 0:
            raise Rejected("CLM-5")
        if scaled > held.scaled or scaled > reserve.supplied:
            raise Rejected("EVM-1")
        held.scaled, held.kept_index = held.scaled - scaled, reserve.liquidity_index
        reserve.supplied -= scaled

    @rule("CLM-6")
    def _move_claim(self, asset: Asset, source: Account, target: Account, amount: int) -> None:
        """Move a part of a claim, at the index of now; of less than half a unit of it nothing moves."""
        index = self.normalized_income(asset)
        giver, taker = self.claims[asset][source], self.claims[asset][target]
        scaled = self.by_index(amount, index)
        giver.kept_index = taker.kept_index = index
        if scaled > giver.scaled:
            raise Rejected("EVM-1")
        giver.scaled -= scaled
        taker.scaled += scaled

    @rule("DBT-2")
    def _mint_debt(self, asset: Asset, user: User, amount: int) -> bool:
        """Add to a debt; whether there was none."""
        reserve, owed = self.reserves[asset], self.debts[asset][user]
        scaled = self.by_index(amount, reserve.debt_index)
        if scaled == 0:
            raise Rejected("CLM-3")
        was_none = owed.scaled == 0
        owed.scaled, owed.kept_index = owed.scaled + scaled, reserve.debt_index
        reserve.borrowed += scaled
        return was_none

    @rule("DBT-3")
    def _burn_debt(self, asset: Asset, user: User, amount: int) -> None:
        """Take from a debt."""
        reserve, owed = self.reserves[asset], self.debts[asset][user]
        scaled = self.by_index(amount, reserve.debt_index)
        if scaled == 0:
            raise Rejected("CLM-5")
        if scaled > owed.scaled or scaled > reserve.borrowed:
            raise Rejected("EVM-1")
        owed.scaled, owed.kept_index = owed.scaled - scaled, reserve.debt_index
        reserve.borrowed -= scaled

    # --- Checks shared by actions ------------------------------------------------------------------------------------

    def _not_nothing(self, amount: int) -> None:
        if amount == 0:
            raise Rejected("AMT-1")

    def _open(self, asset: Asset) -> Reserve:
        reserve = self.reserves[asset]
        if not reserve.terms.is_active:
            raise Rejected("RES-1")
        self._not_paused(reserve)
        return reserve

    def _not_paused(self, reserve: Reserve) -> None:
        if reserve.terms.is_paused:
            raise Rejected("RES-2")

    def _not_frozen(self, reserve: Reserve) -> None:
        if reserve.terms.is_frozen:
            raise Rejected("RES-3")

    @rule("HLT-1")
    def _healthy(self, user: User) -> bool:
        """Whether some collateral has none to lend on; a user whose debt is more than its backing is refused."""
        _, _, _, health, has_worthless = self.account_data(user)
        if health < WAD:
            raise Rejected("HLT-2")
        return has_worthless

    @rule("HLT-3")
    def _stays_healthy(self, asset: Asset, user: User) -> None:
        """As HLT-1; and what nothing is lent on must be taken away first."""
        if self._healthy(user) and self.reserves[asset].terms.ltv != 0:
            raise Rejected("HLT-4")

    # --- Tokens, prices, terms and time: what the pool depends on -----------------------------------------------------

    @rule("TOK-1")
    def _pull(self, asset: Asset, payer: User, amount: int) -> None:
        """Take tokens from a user into a reserve."""
        if self.balance[asset][payer] < amount:
            raise Rejected("TOK-2")
        self.balance[asset][payer] -= amount
        self.reserves[asset].idle += amount

    @rule("TOK-3")
    def _push(self, asset: Asset, receiver: User, amount: int) -> None:
        """Pay tokens of a reserve out."""
        if self.reserves[asset].idle < amount:
            raise Rejected("TOK-4")
        self.reserves[asset].idle -= amount
        self.balance[asset][receiver] += amount

    @action(weight=0.5, environment=True)
    def donate(self, caller: User, asset: Asset, amount: Amount) -> int:
        """Send tokens to a reserve for nothing; returns 1."""
        self._pull(asset, caller, amount)
        return 1

    @action(weight=0.5, environment=True)
    def fund(self, asset: Asset, account: User, amount: Amount) -> int:
        """Issue tokens to a user; returns 1."""
        self.issued[asset] += amount
        self.balance[asset][account] += amount
        return 1

    @action(weight=6, environment=True)
    def set_price(self, asset: Asset, price: Price) -> None:
        """The oracle answers `price` from now on."""
        self.price[asset] = price

    @action(weight=0.5, environment=True)
    @rule("CFG-1")
    def configure(self, caller: Operator, asset: Asset, preset: Preset) -> None:
        """The configurator changes the terms of a reserve; nothing is accrued before."""
        if caller != CONFIGURATOR:
            raise Rejected("CFG-2")
        self.reserves[asset].terms = self.presets[asset][preset].clone()

    @action(weight=3, environment=True)
    def advance_time(self, seconds: Seconds) -> None:
        """Time passes."""
        self.now += seconds
