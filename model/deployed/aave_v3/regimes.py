"""Situations of a pool of Aave v3 that every run should reach."""

from marginspec.model.deployed.aave_v3.market import Market
from marginspec.model.deployed.aave_v3.notation import NO_MODE, PERCENT, WAD, YEAR, User, ray_mul
from marginspec.model.deployed.aave_v3.parameters import ASSETS
from marginspec.model.kernel import regime

CLOSE_FACTOR = PERCENT // 2
CLOSE_FACTOR_THRESHOLD = WAD * 95 // 100
EXTREME_PRICE = 10**15


class Watched(Market):
    """A pool with names for what may become of it."""

    def _borrowers(self) -> list[User]:
        return [user for user in self.mode if self._borrows_any(user)]

    def _health(self, user: User) -> int:
        return self.account_data(user)[3]

    def _liquidated(self) -> bool:
        return self.last is not None and self.last.action == "liquidate"

    @regime
    def health_is_one(self) -> bool:
        """Some debt is exactly its backing: healthy, and nothing more can be borrowed."""
        return any(self._health(user) == WAD for user in self._borrowers())

    @regime
    def just_unhealthy(self) -> bool:
        """Some health factor is below one by less than a millionth."""
        return any(WAD - WAD // 10**6 < self._health(user) < WAD for user in self._borrowers())

    @regime
    def half_may_be_closed(self) -> bool:
        """Some user can be liquidated for half of a debt."""
        return any(CLOSE_FACTOR_THRESHOLD < self._health(user) < WAD for user in self._borrowers())

    @regime
    def at_close_factor_threshold(self) -> bool:
        """Some health factor is exactly the greatest at which all of a debt may be closed."""
        return any(self._health(user) == CLOSE_FACTOR_THRESHOLD for user in self._borrowers())

    @regime
    def all_may_be_closed(self) -> bool:
        """Some user can be liquidated for all of a debt."""
        return any(self._health(user) < CLOSE_FACTOR_THRESHOLD for user in self._borrowers())

    @regime
    def bankrupt(self) -> bool:
        """Some debt is worth more than all collateral."""
        data = [self.account_data(user) for user in self._borrowers()]
        return any(0 < collateral < debt for collateral, debt, *_ in data)

    @regime
    def still_unhealthy(self) -> bool:
        """A liquidation left a user who can be liquidated again."""
        return self._liquidated() and self._health(self.last.arguments["user"]) < WAD  # type: ignore[union-attr]

    @regime
    def liquidated_again(self) -> bool:
        """Of a user who had been liquidated before, and stayed unhealthy, another part was closed."""
        if not self._liquidated():
            return False
        user, asset = self.last.arguments["user"], self.last.arguments["asset"]  # type: ignore[union-attr]
        before = self.previous
        return before._health(user) < WAD and 0 < self.debts[asset][user].scaled < before.debts[asset][user].scaled

    @regime
    def debt_without_collateral(self) -> bool:
        """A liquidation took the last collateral and left debt, which nobody will pay."""
        if not self._liquidated():
            return False
        user = self.last.arguments["user"]  # type: ignore[union-attr]
        return self._borrows_any(user) and not any(self.is_collateral[asset][user] for asset in ASSETS)

    @regime
    def seized_as_claim(self) -> bool:
        """A liquidator took a claim."""
        return self._liquidated() and bool(self.last.arguments["as_claim"])  # type: ignore[union-attr]

    @regime
    def seized_the_asset_owed(self) -> bool:
        """Collateral and debt of a liquidation were of one reserve."""
        return self._liquidated() and self.last.arguments["collateral"] == self.last.arguments["asset"]  # type: ignore[union-attr]

    @regime
    def liquidated_oneself(self) -> bool:
        """A user was the liquidator of that user's own debt."""
        return self._liquidated() and self.last.arguments["caller"] == self.last.arguments["user"]  # type: ignore[union-attr]

    @regime
    def treasury_took_a_fee(self) -> bool:
        """A liquidation gave the treasury a part."""
        if not self._liquidated():
            return False
        asset = self.last.arguments["collateral"]  # type: ignore[union-attr]
        return self.claims[asset]["treasury"].scaled > self.previous.claims[asset]["treasury"].scaled  # type: ignore[index]

    @regime
    def dust(self) -> bool:
        """Some debt counts as nothing, at a price that is not zero."""
        owed = [(a, u) for u in self._borrowers() for a in ASSETS if self.is_borrowing[a][u] and self.price[a] != 0]
        return any(self.value_of_debt(asset, user) == 0 for asset, user in owed)

    @regime
    def first_supplier_of_one_unit(self) -> bool:
        """All that a reserve owes its suppliers is one unit."""
        return any(reserve.supplied == 1 for reserve in self.reserves.values())

    @regime
    def donated_before_first_supply(self) -> bool:
        """A reserve has tokens that are nobody's."""
        return any(r.supplied == 0 < r.idle for r in self.reserves.values())

    @regime
    def fully_used(self) -> bool:
        """All tokens of a reserve are lent."""
        return any(r.idle == 0 < r.borrowed for r in self.reserves.values())

    @regime
    def above_optimal_usage(self) -> bool:
        """A reserve is used so much that rates are on their steep part."""
        return any(
            r.debt_rate > self.curves[asset].base + self.curves[asset].slope1 for asset, r in self.reserves.items()
        )

    @regime
    def year_without_accrual(self) -> bool:
        """A reserve with debt was not touched for a year."""
        return any(r.borrowed != 0 and self.now - r.updated_at >= YEAR for r in self.reserves.values())

    @regime
    def price_zero(self) -> bool:
        """A borrower's collateral is worth nothing."""
        return any(self.price[a] == 0 and self.is_collateral[a][u] for u in self._borrowers() for a in ASSETS)

    @regime
    def extreme_price(self) -> bool:
        """What a user owes costs ten million dollars apiece."""
        return any(self.price[a] >= EXTREME_PRICE and self.is_borrowing[a][u] for u in self.mode for a in ASSETS)

    @regime
    def debt_in_a_mode(self) -> bool:
        """A user borrows in a mode of efficiency."""
        return any(self.mode[user] != NO_MODE for user in self._borrowers())

    @regime
    def liquidated_in_a_mode(self) -> bool:
        """A user of a mode of efficiency was liquidated."""
        return self._liquidated() and self.mode[self.last.arguments["user"]] != NO_MODE  # type: ignore[union-attr]

    @regime
    def worthless_collateral(self) -> bool:
        """A borrower has collateral that nothing is lent on."""
        return any(self.account_data(user)[4] for user in self._borrowers())

    @regime
    def claims_exceed_tokens(self) -> bool:
        """By rounding, a reserve without debt owes its suppliers more than it has."""
        rounded = [(ray_mul(r.supplied, r.liquidity_index), r) for r in self.reserves.values()]
        return any(r.borrowed == 0 and claimed > r.idle for claimed, r in rounded)
