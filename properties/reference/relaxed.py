"""The venue with some of it left open: what holds after each of its steps holds after each of the venue's.

Equity and margin only decide whether an action is accepted and how much it moves. Laws about every action that hold
whatever they say are proved where they may be any numbers. Each replaced method names the lemma that it can do whatever
the venue's own does (`properties/relaxation.py`); its docstring is that lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.kernel import Machine
from marginspec.model.reference.notation import (
    BUFFER,
    AccountId,
    AssetId,
    MarketId,
    above_zero,
    magnitude,
)
from marginspec.properties.law import anything, every
from marginspec.properties.relaxation import (
    UNUSED,
    AnyInteger,
    Relaxation,
    covered,
    forget,
    no_less,
    shift,
    simulates,
)
from marginspec.properties.reference.scope import HERE

if TYPE_CHECKING:
    from marginspec.model.reference.venue import Reference as _Venue
else:
    # What it is mixed into is a venue, the one that is spoken of: it must not bring another.
    _Venue = Machine


# --- Prices -----------------------------------------------------------------------------------------------------------


class AnyReport(_Venue):
    """Usable reports agree on any price."""

    @simulates("REF-RLX-1")
    def _reported(self, asset: AssetId) -> tuple[int, int, int]:
        """What reports agree on is three numbers, and reading them changes nothing."""
        return anything(AnyInteger), anything(AnyInteger), anything(AnyInteger)


class Unramped(_Venue):
    """Parameters ramp in any way."""

    @simulates("REF-RLX-2")
    def _ramp(self, market: MarketId, time: int) -> None:
        """A step of a ramp changes nothing but the parameters of its market and how far they have come."""
        for name in ("ramp_at", "ramp_progress"):
            forget(self, "markets", market, name)
        forget(self, "parameters", market)
        forget(self, "ramp_from", market)


class Unfollowing(_Venue):
    """Ratios move in any way."""

    @simulates("REF-RLX-26", over=Relaxation(Unramped))
    def _follow(self, market: MarketId, volatility: int, time: int) -> None:
        """A step of the ratio changes nothing but it, and what a step of a ramp does."""
        Unramped._ramp(self, market, time)  # type: ignore[arg-type]
        forget(self, "markets", market, "ratio")


any_report, unramped = Relaxation(AnyReport), Relaxation(Unramped)


def has_price(venue: Any, asset: AssetId, *_: Any, **__: Any) -> Any:
    """The asset has a price."""
    return venue.assets[asset].mark != 0


class Unadapted(_Venue):
    """Whatever ratios and haircuts make of a price."""

    @simulates("REF-RLX-3", over=Relaxation(Unfollowing), given=has_price)
    def _adapt(self, asset: AssetId, mark: int, elapsed: int) -> None:
        """A new price changes, besides itself, volatility and haircut, and ratio and parameters of its markets."""
        for name in ("volatility", "haircut"):
            forget(self, "assets", asset, name)
        for market, terms in self.market_terms.items():
            if terms.asset == asset:
                Unfollowing._follow(self, market, 0, 0)  # type: ignore[arg-type]


unadapted = Relaxation(Unadapted)


class AnyUpdate(AnyReport, Unramped):
    """Any price, and parameters that ramp in any way."""


class Unpriced(AnyReport, Unadapted):
    """Any price, whatever ratios and haircuts make of it."""


any_update, unpriced = Relaxation(AnyUpdate), Relaxation(Unpriced)


class AnyPrice(_Venue):
    """An update leaves any price."""

    @simulates("REF-RLX-4", over=unpriced)
    def _update_price(self, asset: AssetId) -> None:
        """An update of a price changes nothing but the asset, and ratio and parameters of its markets."""
        spread = self.assets[asset].spread
        forget(self, "assets", asset)
        self.assets[asset].spread = spread
        for market, terms in self.market_terms.items():
            if terms.asset == asset:
                Unfollowing._follow(self, market, 0, 0)  # type: ignore[arg-type]


# --- Margin -----------------------------------------------------------------------------------------------------------


class AnyEquity(_Venue):
    """Equity, profit and what is required are any numbers, of the same state the same."""

    @simulates("REF-RLX-5")
    def equity(self, account: AccountId) -> int:
        """Equity is a number, and asking for it changes nothing."""
        return anything(AnyInteger, "equity", self, account)

    @simulates("REF-RLX-6")
    def unrealised(self, account: AccountId) -> int:
        """Unrealised profit is a number, and asking for it changes nothing."""
        return anything(AnyInteger, "profit", self, account)

    @simulates("REF-RLX-7")
    def maintenance_margin(self, account: AccountId) -> int:
        """Maintenance margin is a number, and asking for it changes nothing."""
        return anything(AnyInteger, "maintenance", self, account)


class Unchecked(_Venue):
    """Margin checks accept everything, so that what holds does not rest on them."""

    @simulates("REF-RLX-8")
    def _needs_initial_margin(self, account: AccountId) -> None:
        """The check of initial margin refuses or changes nothing."""

    @simulates("REF-RLX-9")
    def _after_trade(self, account: AccountId, before: int, allowance: int) -> None:
        """The check after a trade refuses or changes nothing."""


class Unlooked(_Venue):
    """So does the look at an account before a trade, whose result only the check after it is given."""

    @simulates("REF-RLX-10")
    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> int | None:
        """The look at an account before a trade refuses or changes nothing."""
        return UNUSED  # type: ignore[no-any-return]


class AnyFunding(_Venue):
    """Settling charges any funding."""

    @simulates("REF-RLX-11")
    def _settle(self, account: AccountId) -> None:
        """Settling moves funding between an account's cost and the pot, and changes besides only what indices are."""
        for market in self.markets:
            AnyFunding._accrue(self, market)
            self.pot += shift(self, "accounts", account, "positions", market, "cost")
            forget(self, "accounts", account, "positions", market, "funding_index")

    @simulates("REF-RLX-18")
    def _accrue(self, market: MarketId) -> None:
        """Accrual changes only the index of a market, its time and its limit of liquidations."""
        for name in ("accrued_at", "funding_index", "interval_start", "room"):
            forget(self, "markets", market, name)



class AnyRealisation(_Venue):
    """A change of a position realises anything."""

    @simulates("REF-RLX-19")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change adds size and cost to a position, but for what it moves to cash, and besides only to open interest."""
        position = self.accounts[account].positions[market]
        position.size += size
        position.cost += quote + shift(self, "accounts", account, "cash")
        forget(self, "accounts", account, "positions", market, "funding_index")
        forget(self, "markets", market, "open_interest")


class AnyMarkets(_Venue):
    """Any account may have positions in any markets."""

    @simulates("REF-RLX-20")
    def _in_one_market(self, account: AccountId, market: MarketId) -> None:
        """That an isolated account keeps to one market is refused or changes nothing."""


def has_position(venue: Any, account: AccountId, market: MarketId, *_: Any, **__: Any) -> Any:
    """The account has a position in the market."""
    return venue.accounts[account].positions[market].size != 0


def is_part(venue: Any, deficit: int, size: int, whole: int, *_: Any, **__: Any) -> Any:
    """There is a position to close a part of."""
    return whole > 0 or whole < 0


class AnyPayment(_Venue):
    """A counterparty pays anything, whoever has the largest profit."""

    @simulates("REF-RLX-31", given=is_part)
    def _payment(self, deficit: int, size: int, whole: int, gained: int, spare: int) -> int:
        """What a counterparty pays is never negative, and working it out changes nothing."""
        return no_less(0)

    @simulates("REF-RLX-27")
    def _most_profitable(self, market: MarketId, counterparty: AccountId) -> None:
        """Ranking refuses or changes nothing."""


class Unranked(AnyEquity, AnyFunding, AnyPayment):
    """Any funding and equity besides."""


unranked = Relaxation(Unranked)


class AnyRank(_Venue):
    """Any counterparty may be deleveraged."""

    @simulates("REF-RLX-21", over=unranked, given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> tuple[int, int]:
        """Terms of deleveraging are two numbers; finding them settles all funding, refuses, or changes nothing else."""
        for name in self.accounts:
            AnyFunding._settle(self, name)  # type: ignore[arg-type]
        return anything(AnyInteger), anything(AnyInteger)


class AnySize(_Venue):
    """A liquidation closes any size."""

    @simulates("REF-RLX-12")
    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int, urgent: bool) -> int:
        """What a liquidation closes is at least one unit, and finding it changes only the limit of its market."""
        forget(self, "markets", market, "room")
        return no_less(1)


class AnyMargin(AnyPrice, AnyEquity, Unchecked, Unlooked, AnySize, AnyMarkets):
    """Whatever prices, equity and margin say."""


class AnyCharge(AnyMargin, AnyFunding, AnyRank):
    """The same, and any funding."""


class Relaxed(AnyCharge, AnyRealisation):
    """The same, and whatever a change of a position realises."""


any_margin, any_charge, relaxed = Relaxation(AnyMargin), Relaxation(AnyCharge), Relaxation(Relaxed)


class Watched(AnyCharge):
    """Any funding of all accounts but the one that a law watches, which is settled and changed as in the venue."""

    watched: AccountId | None = None

    @simulates("REF-RLX-22")
    def _settle(self, account: AccountId) -> None:
        """Settling does to another account what REF-RLX-11 says."""
        if account == self.watched:
            super(AnyFunding, self)._settle(account)  # type: ignore[misc]
        else:
            AnyFunding._settle(self, account)

    @simulates("REF-RLX-23")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does to the position of another account what REF-RLX-19 says."""
        if account == self.watched:
            super()._change(account, market, size, quote)
        else:
            AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]

    @simulates("REF-RLX-24", over=unranked, given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> tuple[int, int]:
        """Terms of deleveraging are two numbers; finding them does the same to all accounts or changes nothing else."""
        for name in self.accounts:
            self._settle(name)
        return anything(AnyInteger), anything(AnyInteger)


watched = Relaxation(Watched)


class WatchedIdle(Watched):
    """The same, and the profit of the account that a law watches as in the venue."""

    @simulates("REF-RLX-29")
    def unrealised(self, account: AccountId) -> int:
        """Unrealised profit is a number, and asking for it changes nothing, whosever it is."""
        if account == self.watched:
            return super(AnyEquity, self).unrealised(account)  # type: ignore[no-any-return, misc]
        return anything(AnyInteger, "profit", self, account)


watched_idle = Relaxation(WatchedIdle)


class WatchedMarket(AnyCharge):
    """Any realisation, and the open interest of the market that a law watches."""

    watched: MarketId | None = None

    @simulates("REF-RLX-25")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does what REF-RLX-19 says, and adds to open interest what it adds to a long."""
        m, before = self.markets[market], self.accounts[account].positions[market].size
        open_interest = m.open_interest
        AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]
        if market == self.watched:
            m.open_interest = open_interest + above_zero(before + size) - above_zero(before)


watched_market = Relaxation(WatchedMarket)


class Accrued(_Venue):
    """The venue where funding has accrued before."""

    @simulates("REF-RLX-14")
    def _accrue(self, market: MarketId) -> None:
        """Accruing what has accrued changes nothing."""
        covered(self.markets[market].accrued_at == self.now)


class Ranking(Accrued, AnyEquity, AnyMarkets):
    """Whatever equity says; positions are settled and ranked as in the venue."""

    @simulates("REF-RLX-31", given=is_part)
    def _payment(self, deficit: int, size: int, whole: int, gained: int, spare: int) -> int:
        """What a counterparty pays is never negative, and working it out changes nothing."""
        return no_less(0)


def funding_has_accrued(venue: Any) -> Any:
    """All funding has accrued."""
    return every(market.accrued_at == venue.now for market in venue.markets.values())


class AnyAccrual(_Venue):
    """Funding accrues to any index, once in a block."""

    @simulates("REF-RLX-28")
    def _accrue(self, market: MarketId) -> None:
        """Accrual brings a market up to now, and changes besides only its index and its limit of liquidations."""
        m = self.markets[market]
        if m.accrued_at == self.now:
            return
        m.accrued_at = self.now
        for name in ("funding_index", "interval_start", "room"):
            forget(self, "markets", market, name)


class AnyTerms(AnyEquity, AnyAccrual, AnyPayment):
    """Any equity, index and payment."""

    @simulates("REF-RLX-27")
    def _most_profitable(self, market: MarketId, counterparty: AccountId) -> None:
        """Ranking refuses or changes nothing."""


class Charging(AnyMargin, AnyTerms):
    """Whatever prices, equity and margin say; positions are settled as in the venue."""

    @simulates("REF-RLX-32")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does what REF-RLX-19 says, and brings the index of the position to that of the market."""
        AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]
        self.accounts[account].positions[market].funding_index = self.markets[market].funding_index

    @simulates("REF-RLX-33", over=Relaxation(AnyTerms), given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> tuple[int, int]:
        """Terms of deleveraging are two numbers; finding them settles all funding, refuses, or changes nothing else."""
        for name in self.accounts:
            self._settle(name)
        return anything(AnyInteger), anything(AnyInteger)


charging = Relaxation(Charging)
ranking = Relaxation(Ranking, funding_has_accrued)


# --- Funding settled, and one thing less ------------------------------------------------------------------------------


def funding_is_settled(venue: Any) -> Any:
    """All funding has accrued and is settled."""
    return every(
        condition
        for name, market in venue.markets.items()
        for condition in (
            market.accrued_at == venue.now,
            *(account.positions[name].funding_index == market.funding_index for account in venue.accounts.values()),
        )
    )


class Settled(Accrued):
    """The venue where all funding is settled before: settling does nothing."""

    @simulates("REF-RLX-13")
    def _settle(self, account: AccountId) -> None:
        """Settling funding that is settled changes nothing."""
        for market, position in self.accounts[account].positions.items():
            covered(self.markets[market].accrued_at == self.now)
            covered(position.funding_index == self.markets[market].funding_index)


class SettledUnchecked(Settled, Unchecked, Unlooked):
    """Funding settled, whatever margin says."""


class SettledAnyRealisation(SettledUnchecked, AnyRealisation):
    """The same, and whatever a change of a position realises."""


class SettledInOneMarket(SettledUnchecked):
    """Whatever margin says and a change of a position realises; isolated accounts keep to one market."""

    @simulates("REF-RLX-34")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does what REF-RLX-19 says, where an isolated account keeps to one market."""
        self._in_one_market(account, market)
        AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]


class SettledAnyEquity(Settled, AnyEquity, Unchecked):
    """Funding settled, whatever equity, profit and margin say."""


class SettledAnyPayment(SettledAnyEquity, AnyPayment):
    """The same, and whatever a counterparty pays."""


class SettledAnyClose(SettledAnyEquity, AnyRealisation):
    """The same, and whatever a change of a position realises."""


class SettledUnranked(SettledAnyEquity, AnyMarkets):
    """The same, and whoever has the largest profit, in any markets."""

    @simulates("REF-RLX-27")
    def _most_profitable(self, market: MarketId, counterparty: AccountId) -> None:
        """Ranking refuses or changes nothing."""


class AnyPortfolio(Settled):
    """Accounts have any equity, any requirement in other markets, and any margin."""

    @simulates("REF-RLX-5")
    def equity(self, account: AccountId) -> int:
        """Equity is a number, and asking for it changes nothing."""
        return anything(AnyInteger, "equity", self, account)

    @simulates("REF-RLX-8")
    def _needs_initial_margin(self, account: AccountId) -> None:
        """The check of initial margin refuses or changes nothing."""


settled_before = Relaxation(Settled, funding_is_settled)
unchecked_margin = Relaxation(SettledUnchecked, funding_is_settled)
any_equity = Relaxation(SettledAnyEquity, funding_is_settled)


class SettledAnyPortfolio(AnyPortfolio):
    """The same; what is required of the position in the first market is exact."""

    @simulates("REF-RLX-15")
    def _requirement(self, account: AccountId, buffered: bool) -> int:
        """A requirement is at least that of the position in one market, and asking for it changes nothing."""
        size, ratio = magnitude(self.accounts[account].positions[HERE].size), self.markets[HERE].ratio
        if buffered:
            ratio += self.parameters[HERE][BUFFER]
        high = self.assets[self.market_terms[HERE].asset].high
        return no_less(size * high * ratio, "requirement", self, account, buffered)


class OneChecked(Settled):
    """Of the two sides of a trade one is checked, the account that a law names; the same rule checks the other."""

    checked: AccountId | None = None

    @simulates("REF-RLX-16")
    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> int | None:
        """The look at one side before a trade refuses or changes nothing."""
        return super()._before_trade(account, market, size) if account == self.checked else UNUSED

    @simulates("REF-RLX-17")
    def _after_trade(self, account: AccountId, before: int, allowance: int) -> None:
        """The check of one side after a trade refuses or changes nothing."""
        if account == self.checked:
            super()._after_trade(account, before, allowance)


any_portfolio = Relaxation(SettledAnyPortfolio, funding_is_settled)
one_checked = Relaxation(OneChecked, funding_is_settled)
any_rank = Relaxation(SettledUnranked, funding_is_settled)
any_payment = Relaxation(SettledAnyPayment, funding_is_settled)
any_realisation = Relaxation(SettledAnyRealisation, funding_is_settled)
in_one_market = Relaxation(SettledInOneMarket, funding_is_settled)
any_close = Relaxation(SettledAnyClose, funding_is_settled)
