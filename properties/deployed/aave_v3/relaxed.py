"""Aave v3 with some of its figures left open: what holds whatever they are holds of those that it works out.

Each replaced method names the lemma that it can do whatever the pool's own does; its docstring is that lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.deployed.aave_v3.notation import PERCENT, RAY, TREASURY, Account, Asset, User
from marginspec.model.kernel import Machine
from marginspec.properties.law import anything, every
from marginspec.properties.relaxation import Relaxation, forget, granted, may_refuse, no_less, shift, simulates

if TYPE_CHECKING:
    from marginspec.model.deployed.aave_v3 import AaveV3 as _AaveV3
else:
    # What it is mixed into is Aave v3: it must not bring another.
    _AaveV3 = Machine


def on_time(venue: Any, **_: Any) -> Any:
    """No reserve accrued later than now."""
    return every(reserve.updated_at <= venue.now for reserve in venue.reserves.values())


def is_rate(venue: Any, rate: int) -> Any:
    """The rate is not negative."""
    return rate >= 0


def is_time(venue: Any, seconds: int) -> Any:
    """The time is not negative."""
    return seconds >= 0


class LooseProducts(_AaveV3):
    """The products of the series of compounded interest are anything."""

    @simulates("AV-RLX-22", given=is_rate, total=True)
    def _squared(self, rate: int) -> Any:
        """The square of a rate is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-23", given=is_time, total=True)
    def _pairs(self, seconds: int) -> Any:
        """The number of pairs of seconds is never negative, and asking for it changes nothing."""
        return no_less(0)


class LooseSeries(LooseProducts):
    """The terms of the series of compounded interest are anything."""

    @simulates("AV-RLX-24", given=is_rate, over=Relaxation(LooseProducts), total=True)
    def _cubed(self, rate: int) -> Any:
        """The cube of a rate is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-25", given=is_time, over=Relaxation(LooseProducts), total=True)
    def _triples(self, seconds: int) -> Any:
        """The number of triples of seconds is never negative, and asking for it changes nothing."""
        return no_less(0)


class LooseGrowth(_AaveV3):
    """Claims and debts have grown by any interest."""

    @simulates("AV-RLX-1", given=on_time, total=True)
    def growth_of_claims(self, asset: Asset) -> Any:
        """A claim never shrinks by interest, and asking for it changes nothing."""
        return no_less(RAY)

    @simulates("AV-RLX-2", given=on_time, over=Relaxation(LooseSeries), total=True)
    def growth_of_debts(self, asset: Asset) -> Any:
        """A debt never shrinks by interest, and asking for it changes nothing."""
        return no_less(RAY)


class LooseIndices(_AaveV3):
    """Indices have grown to anything."""

    @simulates("AV-RLX-3", given=on_time, over=Relaxation(LooseGrowth), total=True)
    def normalized_income(self, asset: Asset) -> Any:
        """The liquidity index of now is at least that of the last accrual, and asking for it changes nothing."""
        return no_less(self.reserves[asset].liquidity_index)

    @simulates("AV-RLX-4", given=on_time, over=Relaxation(LooseGrowth), total=True)
    def normalized_debt(self, asset: Asset) -> Any:
        """The debt index of now is at least that of the last accrual, and asking for it changes nothing."""
        return no_less(self.reserves[asset].debt_index)


def has_grown(venue: Any, asset: Asset, before: int) -> Any:
    """The debt index was no higher before."""
    return before <= venue.reserves[asset].debt_index


class LooseTreasury(_AaveV3):
    """Anything is due to the treasury."""

    @simulates("AV-RLX-15", given=has_grown, total=True)
    def _due_to_treasury(self, asset: Asset, before: int) -> Any:
        """What is due to the treasury is never negative, and asking for it changes nothing."""
        return no_less(0)


class _Accruing(LooseIndices, LooseTreasury):
    """Any indices, and anything for the treasury."""


class LooseAccrual(_AaveV3):
    """A reserve accrues anything."""

    @simulates("AV-RLX-16", given=on_time, over=Relaxation(_Accruing), total=True)
    def _accrue(self, asset: Asset) -> None:
        """Accruing sets the time of a reserve to now, lets neither its indices nor what is due to the treasury fall,
        and changes nothing else."""
        reserve = self.reserves[asset]
        liquidity, debt, accrued = reserve.liquidity_index, reserve.debt_index, reserve.accrued
        for name in ("liquidity_index", "debt_index", "accrued"):
            forget(self, "reserves", asset, name)
        granted(reserve.liquidity_index >= liquidity)
        granted(reserve.debt_index >= debt)
        granted(reserve.accrued >= accrued)
        reserve.updated_at = self.now


class LooseRates(_AaveV3):
    """A reserve has any rates."""

    @simulates("AV-RLX-5", total=True)
    def _set_rates(self, asset: Asset, added: int, taken: int) -> None:
        """Setting rates changes only those three, of which none is negative, or is refused by EVM-1."""
        may_refuse("EVM-1")
        for name in ("liquidity_rate", "debt_rate", "stable_rate"):
            forget(self, "reserves", asset, name, within=True)


class LooseWorth(_AaveV3):
    """Claims and debts are worth anything, of the same state the same."""

    @simulates("AV-RLX-6", given=on_time, over=Relaxation(LooseIndices), total=True)
    def claim_of(self, asset: Asset, account: Account) -> Any:
        """What a claim is worth is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-7", given=on_time, over=Relaxation(LooseIndices), total=True)
    def debt_of(self, asset: Asset, user: User) -> Any:
        """What a debt is worth is never negative, and asking for it changes nothing."""
        return no_less(0)


class LooseValue(_AaveV3):
    """Claims and debts count as anything."""

    @simulates("AV-RLX-8", given=on_time, over=Relaxation(LooseWorth), total=True)
    def value_of_claim(self, asset: Asset, user: User) -> Any:
        """The value of a claim is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-9", given=on_time, over=Relaxation(LooseWorth), total=True)
    def value_of_debt(self, asset: Asset, user: User) -> Any:
        """The value of a debt is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-10", total=True)
    def ltv_of(self, asset: Asset, user: User) -> Any:
        """A loan to value is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-11", total=True)
    def threshold_of(self, asset: Asset, user: User) -> Any:
        """A liquidation threshold is never negative, and asking for it changes nothing."""
        return no_less(0)


class LooseAccount(_AaveV3):
    """Accounts stand anyhow, of the same state the same."""

    @simulates("AV-RLX-12", given=on_time, over=Relaxation(LooseValue), total=True)
    def account_data(self, user: User) -> Any:
        """No figure of an account is negative, and asking for them changes nothing."""
        return no_less(0), no_less(0), no_less(0), no_less(0), anything(bool)


class LooseCover(_AaveV3):
    """Any loan is covered, or none."""

    @simulates("AV-RLX-13", given=on_time, over=Relaxation(LooseAccount))
    def _covers(self, asset: Asset, user: User, amount: int) -> None:
        """Asking whether a loan is covered changes nothing, or is refused."""


def is_seizure(venue: Any, seized: int, bonus: int) -> Any:
    """What is seized is not negative, and the bonus takes nothing away."""
    return seized >= 0 and bonus >= PERCENT


class LooseDiscount(_AaveV3):
    """Any part of a seizure is discount."""

    @simulates("AV-RLX-33", given=is_seizure, total=True)
    def _discount(self, seized: int, bonus: int) -> Any:
        """A discount is at most the seizure, not negative, and asking for it changes nothing."""
        part = no_less(0)
        granted(part <= seized)
        return part


def is_seizure_of(venue: Any, collateral: Asset, seized: int, bonus: int) -> Any:
    """What is seized is not negative, and the bonus takes nothing away."""
    return is_seizure(venue, seized, bonus)


def is_given(venue: Any, asset: Asset, other: Asset, amount: int) -> Any:
    """The amount is not negative."""
    return amount >= 0


class LooseRatio(_AaveV3):
    """Assets are worth anything, with any bonus, of which any part is the treasury's."""

    @simulates("AV-RLX-34", given=is_seizure_of, over=Relaxation(LooseDiscount), total=True)
    def _protocol_fee(self, collateral: Asset, seized: int, bonus: int) -> Any:
        """A fee is at most the seizure, not negative, and asking for it changes nothing."""
        fee = no_less(0)
        granted(fee <= seized)
        return fee

    @simulates("AV-RLX-35", given=is_given)
    def _worth_of(self, asset: Asset, other: Asset, amount: int) -> Any:
        """What an amount is worth is not negative, and asking for it changes nothing or is refused."""
        return no_less(0)

    @simulates("AV-RLX-36", total=True)
    def bonus_of(self, collateral: Asset, user: User) -> Any:
        """A bonus takes nothing away, and asking for it changes nothing."""
        return no_less(PERCENT)


def is_natural(venue: Any, collateral: Asset, asset: Asset, user: User, paid: int, held: int) -> Any:
    """Nothing that is given is negative."""
    return paid >= 0 and held >= 0


class LooseSeizure(_AaveV3):
    """A liquidation seizes anything up to what there is."""

    @simulates("AV-RLX-14", given=is_natural, over=Relaxation(LooseRatio))
    def _seizure(self, collateral: Asset, asset: Asset, user: User, paid: int, held: int) -> Any:
        """A liquidation seizes at most all, pays nothing negative, and asking for it changes nothing."""
        seized, due, fee = no_less(0), no_less(0), no_less(0)
        granted(seized + fee <= held)
        return seized, due, fee


def is_scale(venue: Any, amount: int, index: int) -> Any:
    """The amount is not negative, and the index is at least one."""
    return amount >= 0 and index >= RAY


def is_scaled(venue: Any, scaled: int, index: int) -> Any:
    """Neither the balance nor the index is negative."""
    return scaled >= 0 and index >= 0


def is_due(venue: Any, amount: int, owed: int, health: int) -> Any:
    """Neither what is offered nor what is owed is negative."""
    return amount >= 0 and owed >= 0


def is_fee(venue: Any, asset: Asset, user: User, fee: int) -> Any:
    """The fee is not negative, and no reserve accrued later than now."""
    return fee >= 0 and on_time(venue)


class LoosePayment(_AaveV3):
    """A liquidation pays anything that is offered, and gives the treasury anything."""

    @simulates("AV-RLX-31", given=is_due, total=True)
    def _payable(self, amount: int, owed: int, health: int) -> Any:
        """What a liquidation may pay is at most what is offered, not negative, and asking for it changes nothing."""
        paid = no_less(0)
        granted(paid <= amount)
        return paid

    @simulates("AV-RLX-32", given=is_fee, over=Relaxation(LooseIndices))
    def _take_fee(self, asset: Asset, user: User, fee: int) -> None:
        """The treasury's part moves from the user's claim, which had it, and changes nothing else but the indices that
        both were last changed at."""
        moved = shift(self, "claims", asset, TREASURY, "scaled")
        self.claims[asset][user].scaled -= moved
        for account in (user, TREASURY):
            forget(self, "claims", asset, account, "kept_index", within=True)
        granted(moved >= 0)
        granted(self.claims[asset][user].scaled >= 0)


class LooseScales(_AaveV3):
    """Amounts are anything by an index."""

    @simulates("AV-RLX-26", given=is_scale, total=True)
    def by_index(self, amount: int, index: int) -> Any:
        """A scaled balance is never negative, and asking for it changes nothing."""
        return no_less(0)

    @simulates("AV-RLX-27", given=is_scaled, total=True)
    def at_index(self, scaled: int, index: int) -> Any:
        """What a scaled balance is worth is never negative, and asking for it changes nothing."""
        return no_less(0)


class LooseCaps(_AaveV3):
    """No cap is reached."""

    @simulates("AV-RLX-28")
    def _within_supply_cap(self, asset: Asset, amount: int) -> None:
        """Asking for the supply cap changes nothing, or is refused."""

    @simulates("AV-RLX-29")
    def _within_borrow_cap(self, asset: Asset, amount: int) -> None:
        """Asking for the borrow cap changes nothing, or is refused."""


class LooseChecks(_AaveV3):
    """Every check passes."""

    @simulates("AV-RLX-17", given=on_time, over=Relaxation(LooseAccount))
    def _stays_healthy(self, asset: Asset, user: User) -> None:
        """Asking whether a user stays healthy changes nothing, or is refused."""

    @simulates("AV-RLX-18")
    def _liquidatable(self, collateral: Asset, asset: Asset, user: User, health: int, owed: int) -> None:
        """Asking whether a user can be liquidated changes nothing, or is refused."""

    @simulates("AV-RLX-19")
    def _repayable(self, asset: Asset, amount: int, is_own: bool, owed: int) -> None:
        """Asking whether a debt can be repaid changes nothing, or is refused."""

    @simulates("AV-RLX-21", total=True)
    def _borrows_any(self, user: User) -> Any:
        """Whether a user borrows anything is so or not, and asking for it changes nothing."""
        return anything(bool)


class LooseFlags(_AaveV3):
    """Claims become collateral or not, and debts are closed or not."""

    @simulates("AV-RLX-20")
    def _become_collateral(self, asset: Asset, user: User, is_first: bool) -> None:
        """A first claim becomes collateral or not, and nothing else changes."""
        forget(self, "is_collateral", asset, user)

    @simulates("AV-RLX-30")
    def _unflag(self, collateral: Asset, asset: Asset, user: User, is_all: bool, is_repaid: bool) -> None:
        """What a liquidation closes is no collateral or debt any more, and nothing else changes."""
        forget(self, "is_collateral", collateral, user)
        forget(self, "is_borrowing", asset, user)


class LooseFigures(LooseIndices, LooseRates, LooseWorth, LooseAccount, LooseScales, LooseCaps):
    """Whatever is worked out, of the same state the same, and no cap."""


class LooseSettlement(LooseFigures, LooseSeizure, LoosePayment, LooseFlags):
    """Whatever is worked out and settled, of the same state the same."""


class LooseBook(LooseSettlement, LooseAccrual, LooseCover, LooseChecks):
    """Whatever is worked out, settled and checked."""


class LooseReserve(LooseRates, LooseCaps, LooseAccount):
    """Any rates, no cap, and accounts that stand anyhow."""


any_figures, any_settlement = Relaxation(LooseFigures), Relaxation(LooseSettlement)
any_book, any_reserve = Relaxation(LooseBook), Relaxation(LooseReserve)
accruing, any_discount, any_ratio = Relaxation(_Accruing), Relaxation(LooseDiscount), Relaxation(LooseRatio)
