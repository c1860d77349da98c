"""The reference venue with many accounts, margin that may look ahead, and actions that undo themselves when refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, cast

from marginspec.model.kernel import Call, Outcome, Record
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.reference.liquidation import size_to_restore
from marginspec.model.reference.notation import (
    BUFFER,
    MAX_AMOUNT,
    MAX_SIZE,
    PENALTY,
    PPM,
    VENUE,
    AccountId,
    CounterpartyId,
    Holder,
    MarketId,
    SourceId,
    TokenId,
    User,
    magnitude,
)
from marginspec.model.reference.oracles import MAX_AGE
from marginspec.model.reference.venue import ETH, ETH_PERP, Reference
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.predictive import required

KEEPER, GOVERNOR, BACKSTOP = (User(Holder(name)) for name in ("keeper", "governor", "backstop"))
MARKET = ETH_PERP


class CrowdedVenue(Reference):
    """The reference venue with accounts of one's own and add-ons of chapter 14, which have no place in its state.

    addons: by account, the part of maintenance margin that PRD-7 adds; nothing for who is not in it.
    """

    addons: ClassVar[Mapping[str, int]] = {}

    def _requirement(self, account: AccountId, buffered: bool, aged: bool = False) -> int:
        """PRD-7, before it is rounded by MRG-2."""
        return required(super()._requirement(account, buffered, aged), self.addons.get(account, 0))

    def _least(self, account: AccountId, market: MarketId, equity: int, offered: int, buffered: bool) -> int:
        """LIQ-6 with the add-on: each unit closed also takes its part of it away."""
        price, parameters = self.price(self.market_terms[market].asset), self.parameters[market]
        ratio = self.markets[market].ratio + (parameters[BUFFER] if buffered else 0)
        freed = mul_div_down(price.high * ratio, WAD + self.addons.get(account, 0), WAD)
        shortfall = self._requirement(account, buffered, aged=True) - equity * PPM
        return size_to_restore(shortfall, freed - price.mark * parameters[PENALTY], offered)

    def own_requirement(self, account: AccountId) -> int:
        """The maintenance requirement without an add-on, in millionths of quote."""
        return super()._requirement(account, buffered=False, aged=True)

    def is_maintained(self, account: AccountId) -> bool:
        """Whether an account is at or above maintenance without an add-on (LIQ-5)."""
        return self.equity(account, aged=True) * PPM >= self.own_requirement(account)

    def is_safe_from_liquidation(self, account: AccountId) -> bool:
        """Whether nobody may liquidate an account, its add-on counted."""
        return self.equity(account, aged=True) >= self.maintenance_margin(account, aged=True)

    @property
    def is_priced(self) -> bool:
        """Whether the price is fresh, as every trade and liquidation needs it (ORC-8)."""
        return self.now <= self.assets[ETH].time + MAX_AGE

    def spare(self, account: AccountId) -> int:
        """What an account has beyond initial margin, quote; negative where it lacks some."""
        return self.equity(account) - self.initial_margin(account)

    def size(self, account: AccountId) -> int:
        """Signed size of an account's position in the market of the simulation."""
        return self.accounts[account].positions[MARKET].size

    def try_to(self, action: str, touched: Iterable[str], **arguments: Any) -> Outcome:
        """Take an action; if it is refused, what it may have changed is as before: so much less than the whole state.

        touched: the accounts that the action changes.
        """
        kept = self._copied(touched)
        outcome = self.attempt(Call(action, arguments), [])
        if not outcome.accepted:
            self._put_back(kept)
        return outcome

    def must(self, action: str, **arguments: Any) -> Outcome:
        """Take an action that nothing can refuse here; raises AssertionError if something does."""
        outcome = self.attempt(Call(action, arguments), [])
        assert outcome.accepted, f"{action} {arguments} is refused by {outcome.rule}"
        return outcome

    def _copied(self, touched: Iterable[str]) -> list[tuple[dict[Any, Any], Any, Any]]:
        names = [AccountId(User(Holder(name))) for name in touched]
        kept: list[tuple[dict[Any, Any], Any, Any]] = [(self.markets, m, v.clone()) for m, v in self.markets.items()]
        for name in names:
            kept.append((self.accounts, name, self.accounts[name].clone()))
            kept += [(orders, name, orders[name].clone()) for orders in self.orders.values()]
            kept += [(balances, name, balances[name]) for balances in self.balance.values()]
        kept += [(balances, VENUE, balances[VENUE]) for balances in self.balance.values()]
        kept += [(self.held, token, amount) for token, amount in self.held.items()]
        kept += [(vars(self), name, getattr(self, name)) for name in ("insurance", "fees", "pot", "defaults")]
        return kept

    def _put_back(self, kept: list[tuple[dict[Any, Any], Any, Any]]) -> None:
        for holder, key, value in kept:
            holder[key] = value

    def copy(self) -> Self:
        """A copy without add-ons: `clone` compiles code for each set of accounts, which takes long."""
        return Record.clone(self)


def crowd(names: Iterable[str], tier: int) -> type[CrowdedVenue]:
    """The venue with these accounts, each its own owner's. tier: base units of ETH that count as collateral in full."""
    people = tuple(names)
    users = (*people, str(KEEPER), str(GOVERNOR), "guardian")

    class Peopled(CrowdedVenue):
        universe: ClassVar[dict[Any, tuple[Any, ...]]] = {
            **Reference.universe,
            CounterpartyId: people,
            AccountId: people,
            User: users,
            Holder: (*users, VENUE),
        }

        @classmethod
        def blank(cls) -> Self:
            venue = cast(Self, super().blank())
            venue.asset_terms[ETH].tier_1, venue.asset_terms[ETH].tier_2 = tier, 3 * tier
            return venue

        @classmethod
        def prelude(cls) -> list[Call]:
            return []

    return Peopled


def report(venue: CrowdedVenue, price: int) -> None:
    """All sources report a price, surely to a thousandth."""
    for source in venue.universe[SourceId]:
        venue.must("post", asset=ETH, source=source, price=price, confidence=div_down(price, 1000))


def open_wide(venue: CrowdedVenue) -> None:
    """The governor lifts the caps, which are those of a small deployment."""
    venue.must("set_open_interest_cap", caller=GOVERNOR, market=MARKET, cap=MAX_SIZE)
    venue.must("set_cap", caller=GOVERNOR, asset=ETH, cap=MAX_AMOUNT)


def endow(venue: CrowdedVenue, account: str, token: TokenId, amount: int) -> None:
    """Somebody is given tokens, and deposits them."""
    if amount == 0:
        return
    venue.must("set_balance", token=token, account=account, amount=venue.balance[token][User(Holder(account))] + amount)
    venue.must("deposit", account=account, token=token, amount=amount)


def exposure(venue: CrowdedVenue, account: AccountId) -> int:
    """Notional of an account's position at the mark, quote, signed."""
    return venue.size(account) * venue.mark(MARKET, aged=True)


def leverage(venue: CrowdedVenue, account: AccountId) -> int:
    """Notional in parts of equity, with 18 decimals; 0 where there is no equity."""
    equity = venue.equity(account, aged=True)
    return mul_div_down(magnitude(exposure(venue, account)), WAD, equity) if equity > 0 else 0
