"""The live book of a market of PerpsV2, named by its proxy: every account at a block, as a state of the model.

What is compared: whether each position can be flagged, and what remains of its margin. The price is what the market's
own view of it answers; sUSD in wallets is not read.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from marginspec.base.errors import BadInput
from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.market import Position
from marginspec.model.deployed.perps_v2.notation import FEE_POOL, NOBODY, UNIT, Account, User
from marginspec.model.deployed.perps_v2.parameters import PRESETS, Parameters, Settings, mainnet
from marginspec.model.kernel import Call
from marginspec.model.kernel.record import plain
from marginspec.systems.perps_v2.adapter import REASONS
from marginspec.systems.perps_v2.deployment import (
    MARKET_PROXY,
    OF_ALL_MARKETS,
    PARAMETERS,
    SURROUNDINGS,
    ZERO,
    deployed,
    shipped_contracts,
)
from marginspec.systems.sample import BATCH, Advance, Crowd, Sample, people
from marginspec.targets.evm.book import AccountHealth, Ask, Book, Question, Reader, address, words
from marginspec.targets.evm.chain import READER, Reverted
from marginspec.targets.evm.interface import Interface, united
from marginspec.targets.evm.reasons import reason
from marginspec.targets.evm.tables import DEPLOYER

if TYPE_CHECKING:
    from marginspec.targets.evm.rpc import Node

MODIFIED = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256,int256)"
MOVED = "MarginTransferred(address,int256)"
HOLDER = {MODIFIED: 1, MOVED: 0}
"""Events of whoever has margin or a position, and where the account stands among their indexed fields."""

SETTINGS_KEY = b"PerpsV2MarketSettings".ljust(32, b"\0")
FLAG, REMAINS = "flag_position", "remaining margin"


class _AskedContract:
    """A contract at an address, asked through a reader. Raises BadInput where it does not answer as it should."""

    def __init__(self, reader: Reader, name: str, at: str) -> None:
        contracts = shipped_contracts()
        behind = [contracts[each] for each in ("PerpsV2MarketViews", "PerpsV2Market", "PerpsV2MarketLiquidate")]
        self._interface = Interface(united(name, behind) if name == MARKET_PROXY else contracts[name])
        self._reader, self._at = reader, at

    def each(self, function: str, arguments: Iterable[Sequence[Any]]) -> list[Any]:
        """What a function returns, the first of it, for each of some arguments."""
        asked = [self.ask(function, *given) for given in arguments]
        try:
            answers = self._reader.calls(asked, "values")
            return [self._interface.results(function, answer)[0] for answer in answers]  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise BadInput(
                f"--address {self._reader.address}: no market of PerpsV2, {function} has no answer"
            ) from None

    def value(self, function: str, *arguments: Any) -> Any:
        """What a function returns, the first of it."""
        return self.each(function, [arguments])[0]

    def ask(self, function: str, *arguments: Any) -> Ask:
        """The question that a call is."""
        return Ask(self._at, self._interface.call(function, *arguments))


def read(reader: Reader) -> Book:
    """Every account of a market. Raises BadInput when it is none of PerpsV2."""
    state = _state(reader)
    holders = [account for account, held in state.positions.items() if held.margin or held.size]
    exposed = [account for account in holders if state.positions[account].size]
    market = _AskedContract(reader, MARKET_PROXY, reader.address)
    return Book(
        state=state,
        accounts=len(holders),
        positions=len(exposed),
        cases=lambda kinds: _cases(state, kinds),
        answer=_answer,
        standings=[_health(state, account) for account in exposed],
        questions=[
            question
            for account in exposed
            for question in (
                Question(FLAG, account, "", market.ask("flagPosition", account), _expected(state, account)),
                Question(
                    REMAINS, account, "", market.ask("remainingMargin", account), str(state.remaining_margin(account))
                ),
            )
        ],
        gaps=reader.unread(tuple(HOLDER)),
    )


def _state(reader: Reader) -> PerpsV2:
    proxy = _AskedContract(reader, "ProxyPerpsV2", reader.address)
    targets = proxy.value("getAllTargets")
    if not targets:
        raise BadInput(f"--address {reader.address}: no market of PerpsV2, it hands on no calls")
    behind = _AskedContract(reader, "PerpsV2MarketViews", targets[0])
    market = _AskedContract(reader, "PerpsV2MarketState", behind.value("marketState"))
    resolver = _AskedContract(reader, "AddressResolver", behind.value("resolver"))
    settings = _AskedContract(reader, "PerpsV2MarketSettings", resolver.value("getAddress", SETTINGS_KEY))
    views, key = _AskedContract(reader, MARKET_PROXY, reader.address), market.value("marketKey")
    logs = reader.logs(tuple(HOLDER))
    holders = list(dict.fromkeys(address(words(log.indexed[HOLDER[log.event]])[0]) for log in logs))
    found = market.each("positions", [(holder,) for holder in holders])
    length = market.value("fundingSequenceLength")
    # What the price is worth only its view says: of a price of zero it says the same as of a stale one.
    price, is_invalid = _price(reader, views)
    return PerpsV2(
        now=reader.block.time,
        price=price,
        is_price_stale=is_invalid and price != 0,
        dynamic_fee=0,
        is_volatile=False,
        parameters=_parameters(settings, key),
        settings=Settings(*(settings.value(name) for name in OF_ALL_MARKETS.values())),
        presets={},
        is_endorsed={},
        size=market.value("marketSize"),
        skew=market.value("marketSkew"),
        debt_correction=market.value("entryDebtCorrection"),
        funding_recomputed_at=market.value("fundingLastRecomputed"),
        funding_rate=market.value("fundingRateLastRecomputed"),
        funding=market.value("fundingSequence", length - 1),
        funding_entries=length,
        next_position_id=market.value("nextPositionId"),
        positions=_positions(market, holders, found),
        flagger=_flaggers(market, holders),
        balance={FEE_POOL: 0},
    )


def _price(reader: Reader, views: _AskedContract) -> tuple[int, bool]:
    (answer,) = reader.calls([views.ask("assetPrice")], "prices")
    if isinstance(answer, Reverted) or len(answer) != 64:
        raise BadInput(f"--address {reader.address}: the market has no price")
    price, invalid = words(answer)
    return price, invalid != 0


def _parameters(settings: _AskedContract, key: bytes) -> Parameters:
    return Parameters(*(settings.value(name, key) for name in PARAMETERS))


def _positions(market: _AskedContract, holders: Sequence[str], found: Sequence[Any]) -> dict[User, Position]:
    entries = market.each("fundingSequence", [(index,) for _, index, *_ in found])
    held = zip(holders, found, entries, strict=True)
    return {
        User(Account(holder)): Position(number, index, funding, *rest)
        for holder, (number, index, *rest), funding in held
    }


def _flaggers(market: _AskedContract, holders: Sequence[str]) -> dict[User, Account]:
    found = market.each("positionFlagger", [(holder,) for holder in holders])
    named = (NOBODY if flagger == ZERO else Account(flagger) for flagger in found)
    return dict(zip((User(Account(holder)) for holder in holders), named, strict=True))


def _cases(state: PerpsV2, kinds: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    keys: dict[Any, Iterable[Any]] = {User: state.positions}
    return itertools.product(*(keys[plain(kind)] for kind in kinds))


def _health(state: PerpsV2, account: User) -> AccountHealth:
    """Equity against premium and liquidation margin, of which one unit more is healthy."""
    size, price = state.positions[account].size, state.price
    equity = state.equity(account, price, state.next_funding(price))
    needs = state.liquidation_margin(size, price) + state.liquidation_premium(size, price) + 1
    fees = state.liquidation_fee(size, price) + state.settings.keeper_liquidation_fee
    return AccountHealth(account, "", equity, needs, max(fees - max(equity, 0), 0) if equity < needs else 0, "sUSD")


def _expected(state: PerpsV2, account: User) -> str:
    rule = state.clone().attempt(Call("flag_position", {"caller": READER, "account": account}), []).rule
    return "accepted" if rule is None else REASONS[rule]


def _answer(question: Question, answer: bytes | Reverted) -> str:
    if isinstance(answer, Reverted):
        return reason(answer)
    return str(words(answer)[0]) if question.what == REMAINS and answer else "accepted"


# --- A book to try an audit on ----------------------------------------------------------------------------------------


def _fill(node: Node, crowd: Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
    """Accounts go long or short, at up to 40 times their margin; then the price falls by a twentieth."""
    found = deployed(node, shipped_contracts(), DEPLOYER, DEPLOYER, mainnet(PRESETS[0]))
    market, around = found[MARKET_PROXY], found[SURROUNDINGS]
    around.transact(DEPLOYER, "setPrice", 2000 * UNIT)
    everybody = people(accounts)
    for first in range(0, accounts, BATCH):
        part = everybody[first : first + BATCH]
        margins = {user: draw.randrange(100, 5000) * UNIT for user in part}
        for user in part:
            around.transact(DEPLOYER, "setBalance", user, margins[user])
        call = market.interface.call
        crowd.send([(user, market.address, call("transferMargin", margins[user])) for user in part])
        sizes = {user: draw.choice((1, -1)) * margins[user] * draw.randrange(2, 40) // 2000 for user in part}
        limits = {user: 10**25 if sizes[user] > 0 else 0 for user in part}
        crowd.send([(user, market.address, call("modifyPosition", sizes[user], limits[user])) for user in part])
        advance(first + len(part))
    around.transact(DEPLOYER, "setPrice", 1900 * UNIT)
    return market.address


SAMPLE = Sample(50, _fill)
