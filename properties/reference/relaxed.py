"""The venue with some of it left open: what holds after each of its steps holds after each of the venue's.

Equity and margin only decide whether an action is accepted and how much it moves. Laws about every action that hold
whatever they say are proved where they may be any numbers. Each replaced method names the lemma that it can do whatever
the venue's own does (`properties/relaxation.py`); its docstring is that lemma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marginspec.model.kernel import Machine
from marginspec.model.reference.notation import PPM, AccountId, AssetId, MarketId, above_zero
from marginspec.model.reference.oracles import MAX_AGE
from marginspec.properties.law import anything, every
from marginspec.properties.reference.scope import ELSEWHERE, HERE
from marginspec.properties.relaxation import (
    EACH,
    UNUSED,
    AnyInteger,
    Relaxation,
    covered,
    forget,
    may_refuse,
    no_less,
    shift,
    simulates,
)

if TYPE_CHECKING:
    from marginspec.model.reference.venue import Reference as _Venue
else:
    # What it is mixed into is a venue, the one that is spoken of: it must not bring another.
    _Venue = Machine


# --- Prices -----------------------------------------------------------------------------------------------------------


class AnyReport(_Venue):
    """Usable reports agree on any price."""

    @simulates("REF-RLX-1")
    def _reported(self, asset: AssetId) -> Any:
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


class AnyWorth(_Venue):
    """Equity is any number, of the same state the same."""

    @simulates("REF-RLX-5")
    def equity(self, account: AccountId, aged: bool = False) -> Any:
        """Equity is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class AnyValue(AnyWorth):
    """So is profit."""

    @simulates("REF-RLX-6")
    def unrealised(self, account: AccountId, aged: bool = False) -> Any:
        """Unrealised profit is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class AnyMaintenance(_Venue):
    """What is required of an account is any number, of the same state the same."""

    @simulates("REF-RLX-7")
    def maintenance_margin(self, account: AccountId, aged: bool = False) -> Any:
        """Maintenance margin is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class AnyEquity(AnyValue, AnyMaintenance):
    """Equity, profit and what is required are any numbers."""


class AnyRequirement(_Venue):
    """Positions require anything, of the same state the same."""

    @simulates("REF-RLX-37")
    def _requirement(self, account: AccountId, buffered: bool, aged: bool = False) -> Any:
        """A requirement is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class AnyLiquidator(_Venue):
    """Liquidators and whoever withdraws have margin."""

    @simulates("REF-RLX-8")
    def _needs_initial_margin(self, account: AccountId) -> None:
        """The check of initial margin refuses or changes nothing."""


class Unchecked(AnyLiquidator):
    """Margin checks accept everything, so that what holds does not rest on them."""

    @simulates("REF-RLX-9")
    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """The check after a trade refuses or changes nothing."""


class Unlooked(_Venue):
    """So does the look at an account before a trade, whose result only the check after it is given."""

    @simulates("REF-RLX-10")
    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> Any:
        """The look at an account before a trade refuses or changes nothing."""
        return UNUSED


def any_charge(venue: Any, account: AccountId, market: MarketId) -> None:
    """Any funding moves between the pot and the cost of a position, or of `EACH` account's, whose index is any."""
    venue.pot += shift(venue, "accounts", account, "positions", market, "cost")
    forget(venue, "accounts", account, "positions", market, "funding_index")


class AnyFunding(_Venue):
    """Settling charges any funding."""

    @simulates("REF-RLX-11")
    def _settle(self, account: AccountId) -> None:
        """Settling moves funding between an account's cost and the pot, and changes besides only what indices are."""
        for market in self.markets:
            AnyFunding._accrue(self, market)
            any_charge(self, account, market)

    @simulates("REF-RLX-18")
    def _accrue(self, market: MarketId) -> None:
        """Accrual changes only the index of a market, its time and its limit of liquidations."""
        for name in ("accrued_at", "funding_index", "interval_start", "room"):
            forget(self, "markets", market, name)


def _settle_all(venue: Any) -> None:
    """Every account is settled, with any funding."""
    for market in venue.markets:
        AnyFunding._accrue(venue, market)
        any_charge(venue, EACH, market)


class AnyRealisation(_Venue):
    """A change of a position realises anything."""

    @simulates("REF-RLX-19")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change adds size and cost to a position, but for what it moves to cash, brings its index to that of the
        market, and changes besides only open interest."""
        position = self.accounts[account].positions[market]
        position.size += size
        position.cost += quote + shift(self, "accounts", account, "cash")
        position.funding_index = self.markets[market].funding_index
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


class NoNegativePayment(_Venue):
    """A counterparty pays anything, or nothing."""

    @simulates("REF-RLX-31", given=is_part, total=True)
    def _payment(self, deficit: int, size: int, whole: int, gained: int, spare: int) -> Any:
        """What a counterparty pays is never negative, and working it out changes nothing."""
        return no_less(0)


class AnyProfitable(_Venue):
    """Whoever has the largest profit."""

    @simulates("REF-RLX-27")
    def _most_profitable(self, market: MarketId, counterparty: AccountId) -> None:
        """Ranking refuses or changes nothing."""


class AnyPayment(NoNegativePayment, AnyProfitable):
    """A counterparty pays anything, whoever has the largest profit."""


class Unranked(AnyEquity, AnyFunding, AnyPayment):
    """Any funding and equity besides."""


unranked = Relaxation(Unranked)


class AnyRank(_Venue):
    """Any counterparty may be deleveraged."""

    @simulates("REF-RLX-21", over=unranked, given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> Any:
        """Terms of deleveraging are two numbers; finding them settles all funding, refuses, or changes nothing else."""
        _settle_all(self)
        return anything(AnyInteger), anything(AnyInteger)


class AnySize(_Venue):
    """A liquidation closes any size."""

    @simulates("REF-RLX-12")
    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> Any:
        """What a liquidation closes is a number, and finding it changes only the limit of its market."""
        forget(self, "markets", market, "room")
        return anything(AnyInteger)


def _fresh(venue: Any, asset: AssetId) -> tuple[Any, ...]:
    """That an asset has a price, and that it is at most an hour old."""
    price = venue.assets[asset]
    return price.mark != 0, venue.now <= price.time + MAX_AGE


def has_fresh_price(venue: Any, market: MarketId) -> Any:
    """The asset of the market has a price that is at most an hour old."""
    return every(_fresh(venue, venue.market_terms[market].asset))


def all_prices_are_fresh(venue: Any, *_: Any, **__: Any) -> Any:
    """Every asset has a price that is at most an hour old."""
    return every(condition for asset in venue.assets for condition in _fresh(venue, asset))


def is_short(venue: Any, account: AccountId, market: MarketId, most: int, equity: int) -> Any:
    """The account has less than is required of it, and something is offered."""
    return every((most >= 0, equity * PPM < venue._requirement(account, buffered=False, aged=True)))


class NoNegativeSize(_Venue):
    """A liquidation closes any size, or none."""

    @simulates("REF-RLX-38", given=is_short)
    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> Any:
        """What a liquidation closes of an account below maintenance is not negative, and finding it changes only the
        limit of its market, within its range."""
        forget(self, "markets", market, "room", within=True)
        return no_less(0)


class AnyMargin(AnyPrice, AnyEquity, Unchecked, Unlooked, AnySize, AnyMarkets):
    """Whatever prices, equity and margin say."""


class AnyCharge(AnyMargin, AnyFunding, AnyRank):
    """The same, and any funding."""


class Relaxed(AnyCharge, AnyRealisation):
    """The same, and whatever a change of a position realises."""


relaxed = Relaxation(Relaxed)


class RelaxedButSize(
    AnyPrice,
    AnyValue,
    AnyRequirement,
    Unchecked,
    Unlooked,
    NoNegativeSize,
    AnyMarkets,
    AnyFunding,
    AnyRank,
    AnyRealisation,
):
    """The same, but that no liquidation closes a negative size."""


relaxed_but_size = Relaxation(RelaxedButSize)


class AnyTerms(AnyEquity, AnyPayment):
    """Any equity and payment, whoever has the largest profit."""


class AnySettling(AnyFunding, AnyTerms):
    """Any funding besides."""

    @simulates("REF-RLX-32")
    def _settle_all(self) -> None:
        """Settling all accounts does to each what REF-RLX-11 says."""
        _settle_all(self)


class RankingAll(_Venue):
    """Any terms of deleveraging, for which all are settled."""

    @simulates("REF-RLX-33", over=Relaxation(AnySettling), given=has_position)
    def _terms_of_deleveraging(
        self, account: AccountId, market: MarketId, counterparty: AccountId, deficit: int
    ) -> Any:
        """Terms of deleveraging are two numbers; finding them settles all funding, refuses, or changes nothing else."""
        self._settle_all()
        return anything(AnyInteger), anything(AnyInteger)


class Watched(AnyFunding, AnyMargin, RankingAll):
    """Any funding of all accounts but the one that a law watches, which is settled and changed as in the venue."""

    watched: AccountId | None = None

    @simulates("REF-RLX-22")
    def _settle(self, account: AccountId) -> None:
        """Settling does to another account what REF-RLX-11 says."""
        if account == self.watched:
            super(AnyFunding, self)._settle(account)
        else:
            AnyFunding._settle(self, account)

    @simulates("REF-RLX-23")
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does to the position of another account what REF-RLX-19 says; of any it realises what is closed."""
        if account != self.watched:
            AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]
            return
        position = self.accounts[account].positions[market]
        position.size += size
        position.cost += quote
        position.funding_index = self.markets[market].funding_index
        forget(self, "markets", market, "open_interest")
        if position.size == 0:
            self._realise(account, position)


watched = Relaxation(Watched)


class WatchedIdle(Watched):
    """The same, and the profit of the account that a law watches as in the venue."""

    @simulates("REF-RLX-29")
    def unrealised(self, account: AccountId, aged: bool = False) -> Any:
        """Unrealised profit is a number, and asking for it changes nothing, whosever it is."""
        if account == self.watched:
            return super(AnyValue, self).unrealised(account, aged)
        return anything(AnyInteger)


watched_idle = Relaxation(WatchedIdle)


class WatchedChange(_Venue):
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


class WatchedMarket(WatchedChange, AnyCharge):
    """Any funding besides."""


watched_market = Relaxation(WatchedMarket)


def funding_has_accrued(venue: Any) -> Any:
    """All funding has accrued."""
    return every(market.accrued_at == venue.now for market in venue.markets.values())


class Accrued(_Venue):
    """The venue where funding has accrued before."""

    @simulates("REF-RLX-14", total=True)
    def _accrue(self, market: MarketId) -> None:
        """Accruing what has accrued changes nothing."""
        covered(self.markets[market].accrued_at == self.now)


class Ranking(Accrued, AnyEquity, AnyMarkets, NoNegativePayment):
    """Whatever equity says; positions are settled and ranked as in the venue."""


class Charging(Accrued, AnyMargin, AnyTerms, AnyRealisation, RankingAll):
    """Whatever prices, equity and margin say; positions are settled as in the venue."""


charging = Relaxation(Charging, funding_has_accrued)
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

    @simulates("REF-RLX-13", total=True)
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


class SettledAnyMargin(Settled, AnyEquity, AnyRealisation, AnySize):
    """Whatever equity, margin and profit say, asked where the venue asks."""

    @simulates("REF-RLX-36")
    def initial_margin(self, account: AccountId) -> Any:
        """Initial margin is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


class OneChecked(SettledAnyMargin, AnyMarkets):
    """Of the two sides of a trade one is checked, the account that a law names; the same rule checks the other."""

    checked: AccountId | None = None

    @simulates("REF-RLX-16")
    def _before_trade(self, account: AccountId, market: MarketId, size: int) -> Any:
        """The look at one side before a trade refuses or changes nothing."""
        return super()._before_trade(account, market, size) if account == self.checked else UNUSED

    @simulates("REF-RLX-17")
    def _after_trade(self, account: AccountId, before: int | None, allowance: int) -> None:
        """The check of one side after a trade refuses or changes nothing."""
        if account == self.checked:
            super()._after_trade(account, before, allowance)


class SettledAnyClose(SettledAnyEquity, AnyRealisation):
    """The same, and whatever a change of a position realises."""


class SettledUnranked(SettledAnyEquity, AnyMarkets, AnyProfitable):
    """The same, and whoever has the largest profit, in any markets."""


class AnyPortfolio(Settled, AnyWorth, AnyLiquidator, AnyRealisation, AnyMarkets):
    """Funding settled; accounts have any equity and any margin, and what their positions require."""


settled_before = Relaxation(Settled, funding_is_settled)
unchecked_margin = Relaxation(SettledUnchecked, funding_is_settled)
any_equity = Relaxation(SettledAnyEquity, funding_is_settled)


class SettledWatchedMarket(WatchedChange, SettledAnyEquity):
    """Whatever equity and margin say and a change realises, and the open interest of the market that a law watches."""


settled_market = Relaxation(SettledWatchedMarket, funding_is_settled)
any_portfolio = Relaxation(AnyPortfolio, funding_is_settled)
any_rank = Relaxation(SettledUnranked, funding_is_settled)
any_realisation = Relaxation(SettledAnyRealisation, funding_is_settled)
in_one_market = Relaxation(SettledInOneMarket, funding_is_settled)
any_close = Relaxation(SettledAnyClose, funding_is_settled)
one_checked = Relaxation(OneChecked, funding_is_settled)
asked_margin = Relaxation(SettledAnyMargin, funding_is_settled)


# --- Liquidation ------------------------------------------------------------------------------------------------------


class AnyPortfolioAnySize(AnyPortfolio, NoNegativeSize):
    """Any equity, and a liquidation closes any size."""


class AnyWorthAnySize(Settled, AnyWorth, AnyRequirement, AnyLiquidator, AnyMarkets, NoNegativeSize):
    """Any equity and requirement, and a liquidation closes any size; what changes hands is as in the venue."""


# What refuses whoever takes a position over.
LIQUIDATOR = ("MRG-6", "ORC-8")


class Judged(Settled):
    """Accounts are worth any number, and refused whenever the venue refuses."""

    @simulates("REF-RLX-50", total=True)
    def equity(self, account: AccountId, aged: bool = False) -> Any:
        """Equity is a number, which a price that is not fresh withholds where it has to be, and asking for it changes
        nothing."""
        if not aged:
            may_refuse("ORC-8")
        return anything(AnyInteger)

    @simulates("REF-RLX-51", total=True)
    def maintenance_margin(self, account: AccountId, aged: bool = False) -> Any:
        """So is what is required."""
        if not aged:
            may_refuse("ORC-8")
        return anything(AnyInteger)

    @simulates("REF-RLX-52", total=True)
    def _needs_initial_margin(self, account: AccountId) -> None:
        """A liquidator may be refused for want of margin or of a fresh price, and being asked changes nothing."""
        may_refuse(*LIQUIDATOR)

    @simulates("REF-RLX-53", total=True)
    def _size_to_close(self, account: AccountId, market: MarketId, most: int, equity: int) -> Any:
        """What a liquidation closes is a number, or there is no fresh price; finding it changes only the limit of its
        market."""
        self.mark(market)
        forget(self, "markets", market, "room")
        return anything(AnyInteger)

    @simulates("REF-RLX-54", total=True)
    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        """A change does what REF-RLX-19 says, where an isolated account keeps to one market."""
        self._in_one_market(account, market)
        AnyRealisation._change(self, account, market, size, quote)  # type: ignore[arg-type]


def needs_no_other_price(venue: Any, account: AccountId) -> Any:
    """The account has no collateral that counts, and no position in the second market."""
    own = venue.accounts[account]
    counted = [holding.counted == 0 for holding in own.collateral.values()]
    return every((*counted, own.positions[ELSEWHERE].size == 0))


def needs_no_stale_price(venue: Any, account: AccountId) -> Any:
    """Nor is the price of the first market stale."""
    return every((needs_no_other_price(venue, account), has_fresh_price(venue, HERE)))


class JudgedWithoutFeeds(Judged):
    """The same, where liquidators need no other price than that of the market at hand."""

    @simulates("REF-RLX-57", given=needs_no_stale_price, total=True)
    def _needs_initial_margin(self, account: AccountId) -> None:
        """Such a liquidator may be refused for want of margin, not of a price, and being asked changes nothing."""
        may_refuse("MRG-6")


class FreshEquity(Settled, NoNegativePayment):
    """Equity is any number where all prices are fresh."""

    @simulates("REF-RLX-55", given=all_prices_are_fresh, total=True)
    def equity(self, account: AccountId, aged: bool = False) -> Any:
        """Equity is a number, and asking for it changes nothing and is not refused."""
        return anything(AnyInteger)

    @simulates("REF-RLX-56", given=all_prices_are_fresh, total=True)
    def maintenance_margin(self, account: AccountId, aged: bool = False) -> Any:
        """So is what is required."""
        return anything(AnyInteger)


any_prices = Relaxation(AnyPrice)
any_portfolio_any_size = Relaxation(AnyPortfolioAnySize, funding_is_settled)
any_worth_any_size, judged = (Relaxation(way, funding_is_settled) for way in (AnyWorthAnySize, Judged))
judged_without_feeds = Relaxation(JudgedWithoutFeeds, funding_is_settled)
fresh_equity = Relaxation(FreshEquity, funding_is_settled)
