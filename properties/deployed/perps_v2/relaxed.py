"""PerpsV2 with some of its figures left open: what holds whatever they are holds of those that it works out.

Each replaced method names the lemma that it can do whatever the market's own does; its docstring is that lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.deployed.perps_v2.notation import UNIT, User
from marginspec.model.kernel import Machine
from marginspec.properties.law import anything
from marginspec.properties.relaxation import AnyInteger, Relaxation, forget, granted, no_less, simulates

if TYPE_CHECKING:
    from marginspec.model.deployed.perps_v2 import PerpsV2 as _PerpsV2
else:
    # What it is mixed into is PerpsV2: it must not bring another.
    _PerpsV2 = Machine


class FreeFunding(_PerpsV2):
    """The funding sequence goes on with any entry, at any rate."""

    @simulates("PV-RLX-1")
    def _recompute_funding(self, price: int) -> None:
        """Recomputing funding appends an entry now, and changes besides only the last entry and the rate."""
        forget(self, "funding")
        forget(self, "funding_rate")
        self.funding_recomputed_at = self.now
        self.funding_entries += 1


class FreeFill(_PerpsV2):
    """Orders are filled at any price."""

    @simulates("PV-RLX-2", total=True)
    def fill_price(self, delta: int, price: int) -> Any:
        """A fill price is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


def changes_size(venue: Any, delta: int, fill: int) -> Any:
    """The size changes."""
    return delta != 0


class FreeFee(_PerpsV2):
    """Orders cost any fee, or none."""

    @simulates("PV-RLX-3", given=changes_size, total=True)
    def order_fee(self, delta: int, fill: int) -> Any:
        """A fee is never negative, and asking for it changes nothing."""
        return no_less(0)


class FreeEquity(_PerpsV2):
    """Equity is any number, of the same state the same."""

    @simulates("PV-RLX-4", total=True)
    def equity(self, account: User, price: int, funding: int) -> Any:
        """Equity is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


MOST_PER_ACCOUNT = 3
"""Units by which rounding may tell an account's part of the debt from its equity: of profit, funding and correction."""


def is_well_formed(venue: Any, account: User, price: int, funding: int) -> Any:
    """An account without size has no entry of the funding sequence, and one with size has."""
    held = venue.positions[account]
    return held.funding_index != 0 if held.size != 0 else held.funding_index == 0


class NearEquity(_PerpsV2):
    """Equity is any number that is near what it would be without rounding."""

    @simulates("PV-RLX-18", given=is_well_formed)
    def equity(self, account: User, price: int, funding: int) -> Any:
        """Equity is less than three units from an account's part of the debt before that is rounded, and asking for it
        changes nothing."""
        held, near = self.positions[account], anything(AnyInteger)
        part = self.correction(held.margin, held.size, held.last_price, held.funding)
        apart = (near - part) * UNIT - held.size * (price + funding)
        granted(apart > -MOST_PER_ACCOUNT * UNIT)
        granted(apart < MOST_PER_ACCOUNT * UNIT)
        return near


class FreeVelocity(_PerpsV2):
    """The funding rate grows at any velocity."""

    @simulates("PV-RLX-12", total=True)
    def funding_velocity(self) -> Any:
        """A velocity of funding is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class FreeRate(_PerpsV2):
    """Funding accrues at any rate."""

    @simulates("PV-RLX-13", over=Relaxation(FreeVelocity), total=True)
    def current_funding_rate(self) -> Any:
        """A funding rate is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class FreeAccrual(_PerpsV2):
    """Any funding is due since it was recomputed."""

    @simulates("PV-RLX-14", over=Relaxation(FreeRate), total=True)
    def unrecorded_funding(self, price: int) -> Any:
        """Unrecorded funding is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class _AnyRemainder(FreeEquity, FreeAccrual):
    """Any equity now."""


class FreeHealth(_PerpsV2):
    """Any position can be liquidated, or none."""

    @simulates("PV-RLX-16", over=Relaxation(FreeEquity), total=True)
    def is_liquidatable(self, account: User, price: int, funding: int) -> Any:
        """A position can be liquidated or not, an account without one cannot, and asking for it changes nothing."""
        return self.positions[account].size != 0 and anything(bool)


class FreeOutcome(_PerpsV2):
    """A change leaves any margin, or is refused."""

    @simulates("PV-RLX-17", over=Relaxation(FreeEquity))
    def _margin_after(self, account: User, price: int, delta: int) -> Any:
        """What a change leaves is never negative, and working it out changes nothing or is refused."""
        return no_less(0)


class FreeAccess(_PerpsV2):
    """Any part of the margin is accessible."""

    @simulates("PV-RLX-5", over=Relaxation(_AnyRemainder), total=True)
    def accessible_margin(self, account: User) -> Any:
        """What is accessible is never negative, and asking for it changes nothing."""
        return no_less(0)


class FreeThreshold(_PerpsV2):
    """Positions are liquidated at any margin."""

    @simulates("PV-RLX-6", total=True)
    def liquidation_margin(self, size: int, price: int) -> Any:
        """A liquidation margin is a number, and asking for it changes nothing."""
        return anything(AnyInteger)

    @simulates("PV-RLX-7", total=True)
    def liquidation_premium(self, size: int, price: int) -> Any:
        """A liquidation premium is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class FreeReward(_PerpsV2):
    """Whoever flags is paid anything."""

    @simulates("PV-RLX-8", total=True)
    def liquidation_fee(self, size: int, price: int) -> Any:
        """A liquidation fee is at least the least fee of keepers, and asking for it changes nothing."""
        return no_less(self.settings.min_keeper_fee)


class FreeLeverage(_PerpsV2):
    """Any leverage."""

    @simulates("PV-RLX-9", total=True)
    def leverage(self, size: int, price: int, margin: int) -> Any:
        """Leverage is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class FreeRoom(_PerpsV2):
    """Any size of the market."""

    @simulates("PV-RLX-10", total=True)
    def _is_too_large(self, old: int, new: int) -> Any:
        """A market is too large or not, and asking for it changes nothing."""
        return anything(bool)


class FreeSize(_PerpsV2):
    """The market is of any size."""

    @simulates("PV-RLX-19")
    def _count(self, old: int, new: int) -> None:
        """Counting a change of a position changes nothing but skew and size of the market."""
        forget(self, "skew")
        forget(self, "size")


class FreeCorrection(_PerpsV2):
    """Positions add anything to the debt correction."""

    @simulates("PV-RLX-15", total=True)
    def correction(self, margin: int, size: int, price: int, funding: int) -> Any:
        """A position's part of the debt correction is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class FreeDebt(_PerpsV2):
    """The debt correction changes by anything."""

    @simulates("PV-RLX-11", over=Relaxation(FreeCorrection), total=True)
    def _correct_debt(self, account: User, margin: int, size: int, price: int) -> None:
        """Correcting the debt changes nothing but the correction."""
        forget(self, "debt_correction")


class FreeLimit(FreeLeverage, FreeRoom):
    """Any leverage, and any size of the market."""


class FreeMargin(FreeEquity, FreeAccess, FreeThreshold, FreeReward, FreeLimit):
    """Whatever margin there is and is needed."""


class FreeAccruing(FreeRate, FreeAccrual):
    """Whatever funding is, of the same state the same."""


class FreeTerms(FreeFill, FreeFee):
    """Whatever an order costs, of the same state the same."""


class FreeBook(FreeFunding, FreeTerms, FreeHealth, FreeOutcome, FreeMargin, FreeDebt):
    """Whatever is worked out."""


class FreeFigures(FreeFunding, FreeTerms, FreeHealth, FreeOutcome, FreeMargin, FreeSize):
    """Whatever is worked out, but for the debt correction."""


class FreeState(FreeAccruing, FreeTerms, FreeMargin, FreeCorrection):
    """Whatever is worked out, of the same state the same."""


class FreeValue(FreeAccruing, FreeTerms, FreeEquity, FreeAccess, FreeDebt):
    """Whatever an account is worth and an order costs."""


class AllButThresholds(FreeValue, FreeHealth, FreeOutcome, FreeLimit):
    """Whatever is worked out, but for the margin at which positions are liquidated."""


class AllButLeverage(FreeValue, FreeHealth, FreeOutcome, FreeThreshold, FreeReward, FreeRoom):
    """Whatever is worked out, but for leverage."""


class AllButRoom(FreeValue, FreeHealth, FreeOutcome, FreeThreshold, FreeReward, FreeLeverage):
    """Whatever is worked out, but for how large a market may be."""


class AllButEquity(FreeAccruing, FreeTerms, FreeThreshold, FreeReward, FreeLimit, FreeDebt):
    """Whatever is worked out, but for equity."""


class FreePace(FreeVelocity, FreeTerms, FreeHealth, FreeThreshold, FreeReward, FreeLimit, FreeDebt):
    """Whatever is worked out, but for equity and the funding that has accrued, at whatever velocity."""


class Valued(FreeAccruing, FreeEquity):
    """Whatever an account is worth."""


any_figures, any_book = Relaxation(FreeFigures), Relaxation(FreeBook)
any_state, any_pace = Relaxation(FreeState), Relaxation(FreePace)
real_thresholds, real_leverage = Relaxation(AllButThresholds), Relaxation(AllButLeverage)
real_room, real_equity = Relaxation(AllButRoom), Relaxation(AllButEquity)
near_equity = Relaxation(NearEquity)
any_velocity, valued = Relaxation(FreeVelocity), Relaxation(Valued)
