"""Chapter 4, collateral: what deposited assets and unrealised profit count for.

Rules: `spec/reference/04-collateral.md`.
"""

from marginspec.model.kernel import Rejected, rule
from marginspec.model.kernel.fixed import div_down, mul_div_down, mul_div_up
from marginspec.model.reference.ledger import AssetTerms, Holding
from marginspec.model.reference.notation import PPM, AccountId, AssetId
from marginspec.model.reference.oracles import Oracles

MAXIMUM_HAIRCUT = 600_000
HAIRCUT_SENSITIVITY = 500_000
HAIRCUT_GAP = 20_000
PROFIT_HAIRCUT = 250_000
MAX_SPREAD = 200_000


class Collateral(Oracles):
    """Holdings of accounts in assets other than the settlement asset."""

    def collateral_value(self, asset: AssetId, counted: int) -> int:
        """Value of counted collateral after its haircut, quote, whatever the age of the price."""
        price = self.assets[asset]
        return collateral_value(gross_value(counted, price.low, self.asset_terms[asset].unit), price.haircut)

    @rule("COL-4")
    def _add_collateral(self, account: AccountId, asset: AssetId, amount: int) -> None:
        """Count a deposit by what the venue already holds of the asset."""
        total, terms, holding = self.held[asset], self.asset_terms[asset], self.accounts[account].collateral[asset]
        if total + amount > self.cap[asset]:
            raise Rejected("COL-6")
        holding.amount += amount
        holding.counted += counted_in_tiers(total + amount, terms) - counted_in_tiers(total, terms)

    @rule("COL-5")
    def _take_collateral(self, account: AccountId, asset: AssetId, amount: int) -> int:
        """Remove collateral with its part of the count; returns the count removed."""
        holding = self.accounts[account].collateral[asset]
        if amount > holding.amount:
            raise Rejected("COL-7")
        counted = counted_part(holding, amount)
        holding.amount -= amount
        holding.counted -= counted
        return counted


def gross_value(amount: int, price: int, unit: int) -> int:
    """COL-1: market value in quote, rounded down."""
    return mul_div_down(amount, price, unit)


def collateral_value(gross: int, haircut: int) -> int:
    """COL-2: value after the haircut, rounded down."""
    return mul_div_down(gross, PPM - haircut, PPM)


def counted_in_tiers(total: int, terms: AssetTerms) -> int:
    """COL-3: of the first tier all counts, of the second half, rounded down, of the rest nothing."""
    first = min(total, terms.tier_1)
    return first + div_down(min(total, terms.tier_2) - first, 2)


def counted_part(holding: Holding, amount: int) -> int:
    """COL-8: the count that leaves with an amount, in proportion, rounded up; the holding is not zero."""
    return mul_div_up(holding.counted, amount, holding.amount)


def target_haircut(volatility: int, spread: int, minimum: int) -> int:
    """COL-9: haircut that the volatility and the liquidity of an asset ask for, ppm, rounded up."""
    return min(MAXIMUM_HAIRCUT, minimum + spread + mul_div_up(volatility, HAIRCUT_SENSITIVITY, PPM))


def profit_haircut(profit: int) -> int:
    """COL-10: the part of an unrealised profit that does not count for initial margin, rounded up."""
    return mul_div_up(profit, PROFIT_HAIRCUT, PPM)


def haircut_gap(gross: int) -> int:
    """COL-11: what collateral counts less for initial margin than for maintenance, rounded up."""
    return mul_div_up(gross, HAIRCUT_GAP, PPM)
