"""Curie with some of its figures left open: what holds whatever they are holds of those that it works out.

Each replaced method names the lemma that it can do whatever the model's own does; its docstring is that lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.deployed.curie.notation import INSURANCE, Market, User
from marginspec.model.kernel import Machine
from marginspec.properties.law import anything
from marginspec.properties.relaxation import AnyInteger, Relaxation, forget, granted, may_refuse, no_less, simulates

if TYPE_CHECKING:
    from marginspec.model.deployed.curie import Curie as _Curie
else:
    # What it is mixed into is Curie: it must not bring another.
    _Curie = Machine


class OpenMark(_Curie):
    """Any mark price, or none."""

    @simulates("CU-RLX-1", total=True)
    def mark_price(self, market: Market) -> Any:
        """A mark price is never negative, and asking for it changes nothing or is refused by MRK-2."""
        may_refuse("MRK-2")
        return no_less(0)


class OpenPremium(_Curie):
    """Any premium of the pool."""

    @simulates("CU-RLX-2", total=True)
    def premium(self, market: Market) -> Any:
        """A premium is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenGrowth(_Curie):
    """Funding grows by anything."""

    @simulates("CU-RLX-3", over=Relaxation(OpenPremium), total=True)
    def funding_growth(self, market: Market) -> Any:
        """Funding growth is two numbers, and asking for it changes nothing."""
        return anything(AnyInteger), anything(AnyInteger)


class OpenFunding(_Curie):
    """Any funding is due."""

    @simulates("CU-RLX-4", over=Relaxation(OpenGrowth), total=True)
    def pending_funding(self, user: User, market: Market) -> Any:
        """Funding that is due is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenBalance(_Curie):
    """Any balance with what was realised and is due."""

    @simulates("CU-RLX-5", over=Relaxation(OpenFunding), total=True)
    def settlement_balance(self, user: User) -> Any:
        """A balance is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenValue(_Curie):
    """Positions are worth anything."""

    @simulates("CU-RLX-6", over=Relaxation(OpenMark), total=True)
    def position_value(self, user: User, market: Market) -> Any:
        """The value of a position is a number, and asking for it changes nothing or is refused by MRK-2."""
        may_refuse("MRK-2")
        return anything(AnyInteger)


class OpenProfit(_Curie):
    """Any unrealised profit."""

    @simulates("CU-RLX-7", over=Relaxation(OpenValue), total=True)
    def unrealised(self, user: User) -> Any:
        """Unrealised profit is a number, and asking for it changes nothing or is refused by MRK-2."""
        may_refuse("MRK-2")
        return anything(AnyInteger)


class OpenTotal(_Curie):
    """All positions are worth anything."""

    @simulates("CU-RLX-8", over=Relaxation(OpenValue), total=True)
    def total_position_value(self, user: User) -> Any:
        """The value of all positions is never negative, and asking for it changes nothing or is refused by MRK-2."""
        may_refuse("MRK-2")
        return no_less(0)


class OpenDebt(_Curie):
    """Any debt."""

    @simulates("CU-RLX-9", over=Relaxation(OpenMark), total=True)
    def total_debt(self, user: User) -> Any:
        """Debt is never negative, and asking for it changes nothing or is refused by MRK-2."""
        may_refuse("MRK-2")
        return no_less(0)


class _OpenHoldings(OpenBalance, OpenValue, OpenProfit, OpenTotal):
    """Any figures of an account."""


class OpenPart(_Curie):
    """Any part of a position can be liquidated."""

    @simulates("CU-RLX-10", over=Relaxation(_OpenHoldings), total=True)
    def liquidatable_size(self, user: User, market: Market) -> Any:
        """What can be liquidated is a number, and asking for it changes nothing or is refused by MRK-2 or LIQ-4."""
        may_refuse("MRK-2", "LIQ-4")
        return anything(AnyInteger)


def is_an_order(venue: Any, market: Market, is_selling: bool, is_exact_input: bool, amount: int) -> Any:
    """The order is of something."""
    return amount > 0


class OpenFee(_Curie):
    """Orders cost anything."""

    @simulates("CU-RLX-12", given=is_an_order, total=True)
    def order_fee(self, market: Market, is_selling: bool, is_exact_input: bool, amount: int) -> Any:
        """A fee is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenFill(_Curie):
    """Orders are filled at anything."""

    @simulates("CU-RLX-13", total=True)
    def filled(self, market: Market, is_selling: bool, is_exact_input: bool, amount: int) -> Any:
        """What the pool moves is two numbers, and asking for it changes nothing."""
        return anything(AnyInteger), anything(AnyInteger)


class OpenRealised(_Curie):
    """Trades realise anything."""

    @simulates("CU-RLX-14", total=True)
    def realised(self, size: int, open_notional: int, base: int, quote: int) -> Any:
        """What a trade realises is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenFigures(OpenMark, OpenPremium, OpenGrowth, OpenFunding):
    """Whatever prices and funding are."""


class OpenAccount(OpenFigures, OpenBalance, OpenValue, OpenProfit, OpenTotal, OpenDebt, OpenPart):
    """Whatever an account is worth and needs."""


class OpenHoldings(OpenFigures, OpenBalance, OpenValue, OpenProfit, OpenTotal, OpenDebt):
    """Whatever an account is worth and needs, but for the part of it that can be liquidated."""


class OpenHealth(_Curie):
    """Any account can be liquidated, or none."""

    @simulates("CU-RLX-15", over=Relaxation(OpenAccount))
    def is_liquidatable(self, user: User) -> Any:
        """An account can be liquidated or not, and asking for it changes nothing."""
        return anything(bool)


class OpenEnough(_Curie):
    """Any account may open more."""

    @simulates("CU-RLX-16", over=Relaxation(OpenAccount))
    def _enough_for_more(self, user: User) -> None:
        """That there is enough margin changes nothing."""


class OpenMargin(_Curie):
    """Enough margin is left, whatever it is."""

    @simulates("CU-RLX-17", over=Relaxation(OpenAccount))
    def _margin_is_left(self, user: User, market: Market, before: int, is_selling: bool) -> None:
        """That margin is left changes nothing."""


class OpenBound(_Curie):
    """Any bound is kept."""

    @simulates("CU-RLX-18")
    def _within_bound(self, is_selling: bool, is_exact_input: bool, base: int, quote: int, bound: int) -> None:
        """That a bound is kept changes nothing."""


class OpenReach(_Curie):
    """The price is within reach."""

    @simulates("CU-RLX-19")
    def _within_reach(self, market: Market, size: int) -> None:
        """That the price is within reach changes nothing."""


class OpenNearness(_Curie):
    """The price is near the last tick."""

    @simulates("CU-RLX-11")
    def _price_is_near(self, market: Market) -> None:
        """That the price is near the last tick changes nothing."""


class OpenAmounts(_Curie):
    """Orders return anything."""

    @simulates("CU-RLX-29", total=True)
    def _amounts(self, base: int, quote: int) -> Any:
        """What an order returns is two numbers, and asking for it changes nothing."""
        return anything(AnyInteger), anything(AnyInteger)


class OpenWorth(_Curie):
    """Accounts are worth anything."""

    @simulates("CU-RLX-28", over=Relaxation(OpenAccount))
    def account_value(self, user: User) -> Any:
        """What an account is worth is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenExchanged(_Curie):
    """An order brings and takes anything."""

    @simulates("CU-RLX-20", over=Relaxation(OpenFill))
    def _exchanged(self, market: Market, is_selling: bool, is_exact_input: bool, amount: int, fee: int) -> Any:
        """What an order brings is two numbers, and asking for it changes nothing."""
        return anything(AnyInteger), anything(AnyInteger)


class OpenProceeds(_Curie):
    """Orders realise anything."""

    @simulates("CU-RLX-21", over=Relaxation(OpenRealised), total=True)
    def realised_by_order(self, size: int, open_notional: int, base: int, quote: int) -> Any:
        """What an order realises is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenTaken(_Curie):
    """Any part of a position is taken over."""

    @simulates("CU-RLX-22", over=Relaxation(OpenPart))
    def _part_to_liquidate(self, user: User, market: Market, size: int) -> Any:
        """What is taken over is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OpenPenalty(_Curie):
    """Any penalty."""

    @simulates("CU-RLX-23")
    def _penalise(self, user: User, notional: int, is_bankrupt: bool) -> Any:
        """A penalty changes what was realised for the account and the insurance fund, and nothing else."""
        forget(self, "owed", user)
        forget(self, "owed", INSURANCE)
        return anything(AnyInteger)


class OpenInsurance(_Curie):
    """The insurance fund has enough."""

    @simulates("CU-RLX-24", over=Relaxation(OpenAccount))
    def _insured(self, user: User) -> None:
        """That an account is insured changes nothing."""


class OpenBadDebt(_Curie):
    """Any bad debt is settled."""

    @simulates("CU-RLX-25", over=Relaxation(OpenAccount))
    def _settle_bad_debt(self, user: User) -> None:
        """Bad debt adds to the balance of the account, and changes besides only that of the insurance fund."""
        before = self.balance[user]
        forget(self, "balance", user)
        forget(self, "balance", INSURANCE)
        granted(self.balance[user] >= before)


class OpenChange(_Curie):
    """Positions change by anything."""

    @simulates("CU-RLX-26")
    def _change(self, user: User, market: Market, base: int, quote: int, profit: int) -> None:
        """A trade changes the position, whether it is listed and what was realised, and nothing else."""
        forget(self, "positions", user, market)
        forget(self, "is_registered", user, market)
        forget(self, "owed", user)


class OpenSettlement(_Curie):
    """Funding moves anything."""

    @simulates("CU-RLX-27", over=Relaxation(OpenAccount))
    def _settle_funding(self, user: User, market: Market) -> None:
        """Settling funding changes funding and tick of the market, the account's growth and what was realised for it,
        and nothing else."""
        for part in ("growth", "growth_by_root", "settled_at", "tick", "tick_at"):
            forget(self, "funding", market, part, within=True)
        forget(self, "positions", user, market, "growth")
        forget(self, "owed", user)


class OpenOrder(OpenFee, OpenFill, OpenRealised):
    """Whatever an order costs and brings."""


class OpenChecks(OpenAccount, OpenOrder, OpenHealth, OpenEnough, OpenBound, OpenReach, OpenTaken, OpenInsurance):
    """Whatever is worked out, but for what an order and a penalty move."""


class OpenResults(OpenExchanged, OpenNearness, OpenProceeds, OpenPenalty, OpenBadDebt):
    """Whatever an order, a penalty and bad debt move."""


class OpenFunds(OpenChecks, OpenResults, OpenMargin, OpenChange):
    """Whatever is worked out, but for what settling funding moves."""


class OpenHeld(OpenChecks, OpenResults, OpenMargin, OpenAmounts, OpenWorth, OpenSettlement):
    """Whatever is worked out, but for how positions change and whether they are dust."""


class OpenBook(OpenFunds, OpenSettlement):
    """Whatever is worked out."""


class OpenRest(OpenChecks, OpenExchanged, OpenProceeds, OpenPenalty, OpenMargin, OpenChange, OpenSettlement):
    """Whatever is worked out, but for bad debt."""


class OpenButMargin(
    OpenAccount,
    OpenOrder,
    OpenHealth,
    OpenBound,
    OpenReach,
    OpenTaken,
    OpenInsurance,
    OpenResults,
    OpenChange,
    OpenSettlement,
):
    """Whatever is worked out, but for the margin that an order leaves."""


class OpenButBounds(OpenAccount, OpenOrder, OpenResults, OpenMargin, OpenChange, OpenSettlement):
    """Whatever is worked out, but for bounds."""


class OpenButFills(OpenAccount, OpenFee, OpenRealised, OpenProceeds, OpenMargin, OpenBound, OpenChange, OpenSettlement):
    """Whatever is worked out, but for what an order moves."""


class OpenButNearness(
    OpenChecks, OpenExchanged, OpenProceeds, OpenPenalty, OpenBadDebt, OpenMargin, OpenChange, OpenSettlement
):
    """Whatever is worked out, but for how far the price may move."""


class OpenButHealth(
    OpenAccount, OpenOrder, OpenEnough, OpenTaken, OpenInsurance, OpenResults, OpenMargin, OpenChange, OpenSettlement
):
    """Whatever is worked out, but for who can be liquidated."""


class OpenSettled(OpenMark, OpenPremium):
    """Whatever prices are."""


any_book, any_rest = Relaxation(OpenBook), Relaxation(OpenRest)
real_margin, real_bound, real_fill = Relaxation(OpenButMargin), Relaxation(OpenButBounds), Relaxation(OpenButFills)
real_settlement, real_position = Relaxation(OpenFunds), Relaxation(OpenHeld)
real_health, real_nearness = Relaxation(OpenButHealth), Relaxation(OpenButNearness)
any_holdings, any_premium, any_account = Relaxation(OpenHoldings), Relaxation(OpenSettled), Relaxation(OpenAccount)
