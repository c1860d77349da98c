"""The live book of a deployment of the reference venue: every account at a block, as a state of the model.

What is compared: the health of every account, number by number, and a liquidation of every position, by what the
liquidator would take over and be paid. Of transfer fees of tokens nothing is known here, and nothing is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.model.kernel import Call, Record, Rejected
from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.kernel.record import plain
from marginspec.model.reference import Reference
from marginspec.model.reference.ledger import (
    Account,
    AccountTerms,
    Asset,
    AssetTerms,
    Holding,
    Market,
    MarketTerms,
    Order,
    Position,
    Report,
)
from marginspec.model.reference.notation import (
    MAX_SIZE,
    USD,
    VENUE,
    AccountId,
    AssetId,
    Holder,
    MarketId,
    TokenId,
    User,
    above_zero,
)
from marginspec.systems.reference.adapter import MARKETS, PARAMETERS, SOURCES, TOKENS
from marginspec.targets.evm.book import (
    AccountHealth,
    Ask,
    Book,
    NotEvaluated,
    Question,
    Reader,
    address,
    selector,
    signed,
    structures,
    word,
    words,
)
from marginspec.targets.evm.chain import Reverted
from marginspec.targets.evm.reasons import reason

SYSTEM = "the reference venue"
OPENED = "AccountOpened(uint256,address,uint256)"
HEALTH = selector("health_of(address,uint256)")
LIQUIDATE = selector("liquidate(uint256,address,uint256,uint256,uint256)")
ASSETS = {name: number for name, number in TOKENS.items() if name != USD}

FUNDS = ("insurance", "fees", "pot", "defaults", "settling_since", "settlement_pool", "settlement_claims")
VALUES = ("governor", "guardian", "deposits_paused", *FUNDS, "account_count")
"""Of the contract, each one word."""

ACCOUNT_WORDS = 4 + 2 * len(TOKENS) + 3 * len(MARKETS)
HOLDINGS, POSITIONS = 4, 4 + 2 * len(TOKENS)

Asked = dict[Any, tuple[str, bytes, int]]


def read(reader: Reader) -> Book:
    """Every account of the deployment. Raises `BadInput` when it is no reference venue, or its events lack accounts."""
    state, numbers, owners = _state(reader)
    book = Book(
        state=state,
        accounts=len(state.accounts),
        positions=sum(p.size != 0 for account in state.accounts.values() for p in account.positions.values()),
        cases=lambda kinds: _cases(state, kinds),
        answer=_answer,
    )
    spare = _standings(state, book)
    for account in numbers:
        book.questions.append(_health(reader, state, account, owners[account]))
        others = [name for name in spare if name != account]
        for market, position in state.accounts[account].positions.items():
            if position.size != 0 and others:
                book.questions.append(_liquidation(reader, state, others[0], account, market, owners))
    return book


# --- What there is ----------------------------------------------------------------------------------------------------

Owner = tuple[str, int]
"""The address that owns an account, and which of its accounts it is."""


def _state(reader: Reader) -> tuple[Reference, dict[AccountId, int], dict[AccountId, Owner]]:
    """What the contract and what it depends on hold; by account, its number and its owner."""
    asked: Asked = {name: (f"{name}()", b"", 1) for name in VALUES}
    asked |= {("terms", a): ("asset_terms(uint256)", word(n), 6) for a, n in ASSETS.items()}
    asked |= {("asset", a): ("assets(uint256)", word(n), 8) for a, n in ASSETS.items()}
    asked |= {("cap", a): ("cap(uint256)", word(n), 1) for a, n in ASSETS.items()}
    asked |= {("held", t): ("held(uint256)", word(n), 1) for t, n in TOKENS.items()}
    asked |= {("token", t): ("tokens(uint256)", word(n), 1) for t, n in TOKENS.items()}
    asked |= {("terms", m): ("market_terms(uint256)", word(n), 5) for m, n in MARKETS.items()}
    asked |= {("market", m): ("markets(uint256)", word(n), 11) for m, n in MARKETS.items()}
    for name in ("parameters", "ramp_from", "ramp_to"):
        keys = itertools.product(MARKETS, PARAMETERS)
        asked |= {(name, m, p): _at(name, MARKETS[m], PARAMETERS[p]) for m, p in keys}
    asked |= {("feed", a, s): _at("feeds", n, SOURCES[s]) for (a, n), s in itertools.product(ASSETS.items(), SOURCES)}
    got = {key: list(map(signed, found)) for key, found in structures(reader, SYSTEM, asked, "values").items()}

    numbers = _numbers(reader, got["account_count"][0])
    asked = {number: ("accounts(uint256)", word(number), ACCOUNT_WORDS) for number in numbers}
    asked |= {(n, m): _at("orders", n, MARKETS[m], count=2) for n, m in itertools.product(numbers, MARKETS)}
    book = {key: list(map(signed, found)) for key, found in structures(reader, SYSTEM, asked, "accounts").items()}
    owners = {number: (address(book[number][0]), book[number][1]) for number in numbers}
    names = {number: AccountId(User(Holder(o if i == 0 else f"{o}/{i}"))) for number, (o, i) in owners.items()}
    tokens = list(TOKENS)

    def of_markets(name: str) -> dict[MarketId, dict[Any, int]]:
        return {m: {p: got[name, m, p][0] for p in PARAMETERS} for m in MARKETS}

    state = Reference(
        now=reader.block.time,
        governor=User(Holder(address(got["governor"][0]))),
        guardian=User(Holder(address(got["guardian"][0]))),
        account_terms={
            names[n]: AccountTerms(User(Holder(owner)), isolated=index != 0) for n, (owner, index) in owners.items()
        },
        asset_terms={a: AssetTerms(*got["terms", a]) for a in map(AssetId, ASSETS)},
        market_terms={
            m: MarketTerms(AssetId(tokens[_index(reader, got["terms", m][0])]), *got["terms", m][1:]) for m in MARKETS
        },
        deposits_paused=got["deposits_paused"] != [0],
        accounts={names[n]: _account(book[n]) for n in numbers},
        assets={a: Asset(*got["asset", a]) for a in map(AssetId, ASSETS)},
        markets={m: _market(got["market", m]) for m in MARKETS},
        parameters=of_markets("parameters"),
        ramp_from=of_markets("ramp_from"),
        ramp_to=of_markets("ramp_to"),
        orders={m: {names[n]: Order(*book[n, m]) for n in numbers} for m in MARKETS},
        held={t: got["held", t][0] for t in TOKENS},
        cap={a: got["cap", a][0] for a in map(AssetId, ASSETS)},
    )
    for name in FUNDS:
        setattr(state, name, got[name][0])
    if (
        min(t.unit for t in state.asset_terms.values()) < 1
        or min(m.open_interest_cap for m in state.markets.values()) < 1
    ):
        raise BadInput(f"--address {reader.address}: not a contract of {SYSTEM}, its terms are empty")
    _surroundings(reader, state, got)
    return state, {names[n]: n for n in numbers}, {names[n]: owner for n, owner in owners.items()}


def _at(name: str, *keys: int, count: int = 1) -> tuple[str, bytes, int]:
    return f"{name}({','.join(['uint256'] * len(keys))})", b"".join(map(word, keys)), count


def _index(reader: Reader, token: int) -> int:
    if token not in ASSETS.values():
        raise BadInput(f"--address {reader.address}: not a contract of {SYSTEM}, a market of it is of no asset")
    return token


def _numbers(reader: Reader, count: int) -> list[int]:
    """The numbers of the accounts that the events name: all that there are."""
    logs = reader.logs((OPENED,))
    found = sorted({words(log.indexed[0])[0] for log in logs if log.indexed})
    if found != list(range(1, count + 1)):
        hint = "give an earlier --from-block, or a node that keeps all events"
        raise BadInput(f"the events up to block {reader.block.number} name {len(found)} of {count} accounts: {hint}")
    return found


def _account(found: list[int]) -> Account:
    return Account(
        cash=found[2],
        in_default=found[3] != 0,
        collateral={AssetId(a): Holding(*found[HOLDINGS + 2 * n :][:2]) for a, n in ASSETS.items()},
        positions={m: Position(*found[POSITIONS + 3 * n :][:3]) for m, n in MARKETS.items()},
    )


def _market(found: list[int]) -> Market:
    market = Market(*found)  # type: ignore[arg-type]
    market.reduce_only = bool(market.reduce_only)
    return market


def _surroundings(reader: Reader, state: Reference, got: dict[Any, list[int]]) -> None:
    """Reports of the price sources, where one that does not answer has said nothing, and the venue's token balances."""
    feeds = list(itertools.product(map(AssetId, ASSETS), SOURCES))
    asks = [Ask(address(got["feed", asset, source][0]), selector("latest()")) for asset, source in feeds]
    own = selector("balanceOf(address)") + word(reader.address)
    asks += [Ask(address(got["token", token][0]), own) for token in TOKENS]
    answers = iter(reader.calls(asks, "prices"))
    for asset, source in feeds:
        state.sources.setdefault(asset, {})[source] = _report(next(answers))
    for token, answer in zip(TOKENS, answers, strict=True):
        if isinstance(answer, Reverted) or len(answer) != 32:
            raise BadInput(f"--address {reader.address}: its token {token} does not answer balanceOf()")
        state.balance[token] = {VENUE: words(answer)[0]}


def _report(answer: bytes | Reverted) -> Report:
    return Report() if isinstance(answer, Reverted) or len(answer) != 96 else Report(*words(answer))


def _cases(state: Reference, kinds: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    keys: dict[Any, Iterable[Any]] = {
        AccountId: state.accounts,
        MarketId: state.markets,
        AssetId: state.assets,
        TokenId: state.held,
    }
    return itertools.product(*(keys[plain(kind)] for kind in kinds))


# --- What is asked ----------------------------------------------------------------------------------------------------


def _standings(state: Reference, book: Book) -> list[AccountId]:
    """Standing of all accounts that owe something (MRG-7), funding settled; the two best able to take risk."""
    settled = Record.clone(state)
    spare: dict[AccountId, int] = {}
    for account, held in settled.accounts.items():
        try:
            settled._settle(account)
            has, needs = settled.equity(account), settled.maintenance_margin(account)
            spare[account] = has - settled.initial_margin(account)
            if not settled._owes_nothing(account):
                book.standings.append(AccountHealth(account, "", has, needs, _bad_debt(settled, account), "quote"))
        except Rejected as refused:
            book.gaps.append(NotEvaluated(account, f"no health, by {refused.rule}"))
            spare[account] = held.cash
    return sorted(spare, key=lambda account: -spare[account])[:2]


def _bad_debt(settled: Reference, account: AccountId) -> int:
    """What an account owes beyond what its collateral is sold for, then at the mark (LIQ-19), quote."""
    held = settled.accounts[account]
    proceeds = sum(
        mul_div_up(holding.amount, settled.price(asset).mark, settled.asset_terms[asset].unit)
        for asset, holding in held.collateral.items()
        if holding.amount != 0
    )
    return above_zero(-(held.cash + settled.unrealised(account) + proceeds))


def _health(reader: Reader, state: Reference, account: AccountId, owner: Owner) -> Question:
    def numbers() -> tuple[int, ...]:
        exact = state._requirement(account, buffered=False), state._requirement(account, buffered=True)
        return state.equity(account), state.maintenance_margin(account), *exact, state.initial_margin(account)

    ask = Ask(reader.address, HEALTH + word(owner[0]) + word(owner[1]))
    return Question("health_of", account, "", ask, _said(numbers))


def _liquidation(
    reader: Reader,
    state: Reference,
    liquidator: AccountId,
    account: AccountId,
    market: MarketId,
    owners: dict[AccountId, Owner],
) -> Question:
    """May the liquidator take all of the position over that the rules let it, and at which penalty?"""
    sender, own = owners[liquidator]
    owner, index = owners[account]
    arguments: tuple[int | str, ...] = (own, owner, index, MARKETS[market], MAX_SIZE)
    ask = Ask(reader.address, LIQUIDATE + b"".join(map(word, arguments)), sender)
    given = {"liquidator": liquidator, "account": account, "market": market, "most": MAX_SIZE}
    alone = replace(state, accounts={name: state.accounts[name] for name in (liquidator, account)}, orders={})
    outcome = Record.clone(alone).attempt(Call("liquidate", given), [])
    return Question("liquidate", account, market, ask, outcome.rule or _numbers_text(outcome.returns))


def _said(numbers: Callable[[], tuple[int, ...]]) -> str:
    try:
        return _numbers_text(numbers())
    except Rejected as refused:
        return refused.rule


def _answer(question: Question, answer: bytes | Reverted) -> str:
    return reason(answer) if isinstance(answer, Reverted) else _numbers_text(tuple(map(signed, words(answer))))


def _numbers_text(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
