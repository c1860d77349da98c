"""What a pool of Aave v3 holds, and its figures: indices, rates, debts, and how an account stands.

Source: `ReserveLogic.sol`, `DefaultReserveInterestRateStrategy.sol` and `GenericLogic.sol`, npm package
`@aave/core-v3` 1.19.3.
"""

from dataclasses import dataclass

from marginspec.model.deployed.aave_v3.notation import (
    ALL,
    NO_MODE,
    PERCENT,
    RAY,
    RAY_PER_WAD,
    YEAR,
    Account,
    Asset,
    Index,
    KeptIndex,
    Mode,
    Preset,
    Price,
    Rate,
    Scaled,
    Timestamp,
    Unit,
    Units,
    User,
    percent_mul,
    ray_div,
    ray_mul,
    wad_div,
)
from marginspec.model.deployed.aave_v3.parameters import Curve, Efficiency, Terms
from marginspec.model.kernel import Machine, Record, Rejected, constant, rule
from marginspec.model.kernel.fixed import div_down


@dataclass(slots=True)
class Holding(Record):
    """A claim or a debt, by the index. kept_index: what the index was when it last changed, 0 if it never did."""

    scaled: Scaled = 0
    kept_index: KeptIndex = 0


@dataclass(slots=True)
class Reserve(Record):
    """One asset. supplied, borrowed: claims and debts of all accounts, by their indices. idle: what it has in tokens.

    accrued: what the treasury may have minted, by the index.
    """

    terms: Terms
    liquidity_index: Index = RAY
    liquidity_rate: Rate = 0
    debt_index: Index = RAY
    debt_rate: Rate = 0
    stable_rate: Rate = 0
    updated_at: Timestamp = 0
    accrued: Scaled = 0
    supplied: Scaled = 0
    borrowed: Scaled = 0
    idle: Units = 0


@dataclass
class Market(Machine):
    """One pool, the tokens and prices that it depends on, and the time.

    issued: how many tokens there are in all. balance: in wallets.
    """

    now: Timestamp
    price: dict[Asset, Price]
    reserves: dict[Asset, Reserve]
    claims: dict[Asset, dict[Account, Holding]]
    debts: dict[Asset, dict[User, Holding]]
    is_collateral: dict[Asset, dict[User, bool]]
    is_borrowing: dict[Asset, dict[User, bool]]
    mode: dict[User, Mode]
    balance: dict[Asset, dict[User, Units]]
    issued: dict[Asset, Units]
    unit: dict[Asset, Unit] = constant()
    curves: dict[Asset, Curve] = constant()
    efficiency: dict[Mode, Efficiency] = constant()
    presets: dict[Asset, dict[Preset, Terms]] = constant()

    # --- Interest ----------------------------------------------------------------------------------------------------

    def normalized_income(self, asset: Asset) -> int:
        """IDX-1: what the liquidity index would be now, ray: linear interest since the last accrual."""
        reserve = self.reserves[asset]
        if reserve.updated_at == self.now:
            return reserve.liquidity_index
        return ray_mul(self.growth_of_claims(asset), reserve.liquidity_index)

    def normalized_debt(self, asset: Asset) -> int:
        """IDX-2: what the debt index would be now, ray: compounded interest since the last accrual."""
        reserve = self.reserves[asset]
        if reserve.updated_at == self.now:
            return reserve.debt_index
        return ray_mul(self.growth_of_debts(asset), reserve.debt_index)

    def growth_of_claims(self, asset: Asset) -> int:
        """What one unit of a claim has become since the last accrual, ray."""
        reserve = self.reserves[asset]
        return linear_interest(reserve.liquidity_rate, self.now - reserve.updated_at)

    def growth_of_debts(self, asset: Asset) -> int:
        """What one unit of a debt has become since the last accrual, ray."""
        reserve = self.reserves[asset]
        return self.compounded_interest(reserve.debt_rate, self.now - reserve.updated_at)

    def compounded_interest(self, rate: int, seconds: int) -> int:
        """INT-2: about (1 + rate per second)^seconds, ray: the first four terms of the binomial series."""
        second = div_down(self._pairs(seconds) * self._squared(rate), 2)
        third = div_down(self._triples(seconds) * self._cubed(rate), 6)
        return RAY + div_down(rate * seconds, YEAR) + second + third

    def _squared(self, rate: int) -> int:
        return div_down(ray_mul(rate, rate), YEAR * YEAR)

    def _cubed(self, rate: int) -> int:
        return div_down(ray_mul(self._squared(rate), rate), YEAR)

    def _pairs(self, seconds: int) -> int:
        return seconds * (seconds - 1)

    def _triples(self, seconds: int) -> int:
        return self._pairs(seconds) * (seconds - 2) if seconds > 2 else 0

    @rule("IDX-3")
    def _accrue(self, asset: Asset) -> None:
        """Bring the indices of a reserve up to now, and the treasury's part; once in a second."""
        reserve = self.reserves[asset]
        if reserve.updated_at == self.now:
            return
        before = reserve.debt_index
        if reserve.liquidity_rate != 0:
            reserve.liquidity_index = self.normalized_income(asset)
        if reserve.borrowed != 0:
            reserve.debt_index = self.normalized_debt(asset)
        reserve.accrued += self._due_to_treasury(asset, before)
        reserve.updated_at = self.now

    @rule("IDX-4")
    def _due_to_treasury(self, asset: Asset, before: int) -> int:
        """The reserve factor's part of what debt grew by since its index was `before`, by the liquidity index."""
        reserve = self.reserves[asset]
        grown = ray_mul(reserve.borrowed, reserve.debt_index) - ray_mul(reserve.borrowed, before)
        return ray_div(percent_mul(grown, reserve.terms.reserve_factor), reserve.liquidity_index)

    # --- Rates -------------------------------------------------------------------------------------------------------

    @rule("RAT-1")
    def _set_rates(self, asset: Asset, added: int, taken: int) -> None:
        """Set the rates of a reserve for when some tokens are added and some are taken."""
        reserve = self.reserves[asset]
        owed = ray_mul(reserve.borrowed, reserve.debt_index)
        usage = 0
        if owed != 0:
            available = reserve.idle + added - taken
            if available < 0:
                raise Rejected("EVM-1")
            usage = ray_div(owed, available + owed)
        curve = self.curves[asset]
        reserve.debt_rate = curve.base + above_base(curve, usage, curve.slope1, curve.slope2)
        stable = above_base(curve, usage, curve.stable_slope1, curve.stable_slope2)
        reserve.stable_rate = curve.slope1 + curve.stable_offset + stable
        reserve.liquidity_rate = liquidity_rate(owed, reserve.debt_rate, usage, reserve.terms.reserve_factor)

    # --- Scales ------------------------------------------------------------------------------------------------------

    def by_index(self, amount: int, index: int) -> int:
        """What an amount is by an index: a scaled balance."""
        return ray_div(amount, index)

    def at_index(self, scaled: int, index: int) -> int:
        """What a scaled balance is worth at an index, base units."""
        return ray_mul(scaled, index)

    # --- Accounts ----------------------------------------------------------------------------------------------------

    def claim_of(self, asset: Asset, account: Account) -> int:
        """CLM-1: what an account's claim is worth now, base units."""
        return ray_mul(self.claims[asset][account].scaled, self.normalized_income(asset))

    def debt_of(self, asset: Asset, user: User) -> int:
        """DBT-1: what a user owes now, base units."""
        return ray_mul(self.debts[asset][user].scaled, self.normalized_debt(asset))

    def value_of_claim(self, asset: Asset, user: User) -> int:
        """ACD-1: what a claim counts as collateral, in base currency, rounded down."""
        return div_down(self.claim_of(asset, user) * self.price[asset], self.unit[asset])

    def value_of_debt(self, asset: Asset, user: User) -> int:
        """ACD-2: what a debt counts, in base currency, rounded down."""
        return div_down(self.price[asset] * self.debt_of(asset, user), self.unit[asset])

    def is_in_mode(self, asset: Asset, user: User) -> bool:
        """MOD-1: whether an asset has the terms of the user's mode of efficiency."""
        return self.mode[user] != NO_MODE and self.reserves[asset].terms.mode == self.mode[user]

    def ltv_of(self, asset: Asset, user: User) -> int:
        """What a user may borrow of the value of an asset, at most; 0 if its own terms say 0."""
        own = self.reserves[asset].terms.ltv
        if own == 0:
            return 0
        return self.efficiency[self.mode[user]].ltv if self.is_in_mode(asset, user) else own

    def threshold_of(self, asset: Asset, user: User) -> int:
        """The part of the value of an asset up to which debt is healthy."""
        own = self.reserves[asset].terms.threshold
        return self.efficiency[self.mode[user]].threshold if self.is_in_mode(asset, user) else own

    @rule("ACD-3")
    def account_data(self, user: User) -> tuple[int, int, int, int, bool]:
        """Value of collateral and debt, average loan to value, health, whether there is worthless collateral."""
        collateral = debt = lending = backing = 0
        has_worthless = False
        for asset in self.reserves:
            if self.is_collateral[asset][user] and self.reserves[asset].terms.threshold != 0:
                value = self.value_of_claim(asset, user)
                collateral += value
                lending += value * self.ltv_of(asset, user)
                backing += value * self.threshold_of(asset, user)
                has_worthless = has_worthless or self.reserves[asset].terms.ltv == 0
            if self.is_borrowing[asset][user]:
                debt += self.value_of_debt(asset, user)
        ltv = div_down(lending, collateral) if collateral != 0 else 0
        threshold = div_down(backing, collateral) if collateral != 0 else 0
        return collateral, debt, ltv, health_factor(collateral, debt, threshold), has_worthless

    def average_threshold(self, user: User) -> int:
        """The part of the value of a user's collateral up to which debt is healthy, in hundredths of a percent."""
        collateral = backing = 0
        for asset in self.reserves:
            if self.is_collateral[asset][user]:
                value = self.value_of_claim(asset, user) if self.reserves[asset].terms.threshold != 0 else 0
                collateral += value
                backing += value * self.threshold_of(asset, user)
        return div_down(backing, collateral) if collateral != 0 else 0

    def _borrows_any(self, user: User) -> bool:
        return any(self.is_borrowing[asset][user] for asset in self.reserves)


def linear_interest(rate: int, seconds: int) -> int:
    """INT-1: 1 + rate * time, ray, rounded down."""
    return RAY + div_down(rate * seconds, YEAR)


def above_base(curve: Curve, usage: int, slope1: int, slope2: int) -> int:
    """RAT-2: by how much a rate is above its base at a usage, ray."""
    if usage > curve.optimal:
        return slope1 + ray_mul(slope2, ray_div(usage - curve.optimal, RAY - curve.optimal))
    return ray_div(ray_mul(slope1, usage), curve.optimal)


def liquidity_rate(owed: int, rate: int, usage: int, reserve_factor: int) -> int:
    """RAT-3: what suppliers earn, ray per year: what debt costs, by the part that is lent, less the reserve factor."""
    if owed == 0:
        return 0
    overall = ray_div(ray_mul(owed * RAY_PER_WAD, rate), owed * RAY_PER_WAD)
    return percent_mul(ray_mul(overall, usage), PERCENT - reserve_factor)


def health_factor(collateral: int, debt: int, threshold: int) -> int:
    """ACD-4: how many times the debt its backing is, wad; of no debt the greatest number that there is."""
    return ALL if debt == 0 else wad_div(percent_mul(collateral, threshold), debt)
