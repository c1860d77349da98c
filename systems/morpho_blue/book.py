"""The live book of a deployment of Morpho Blue: every position at a block, as a state of the model.

Interest accrues at what each market's interest rate model answers, so that any will do; all else is the model's. What
is compared: a liquidation of every borrower, and how much collateral the healthy ones can withdraw, to one unit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.model.deployed.morpho_blue import (
    MORPHO,
    NO_IRM,
    ORACLE_PRICE_SCALE,
    WAD,
    ZERO,
    Account,
    Irm,
    Lltv,
    Market,
    MarketId,
    MarketParams,
    MorphoBlue,
    Position,
    Token,
    User,
    to_assets_up,
)
from marginspec.model.kernel import Call, Rejected, constant
from marginspec.model.kernel.evm import saturating_sub
from marginspec.model.kernel.fixed import div_up
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.model.kernel.record import plain
from marginspec.systems.morpho_blue.adapter import REASONS
from marginspec.targets.evm.book import (
    AccountHealth,
    Ask,
    Book,
    Log,
    NotEvaluated,
    Question,
    Reader,
    address,
    selector,
    structures,
    word,
    words,
)
from marginspec.targets.evm.chain import READER, Reverted
from marginspec.targets.evm.reasons import reason

SYSTEM = "Morpho Blue"
PARAMS = "(address,address,address,address,uint256)"
CREATED = f"CreateMarket(bytes32,{PARAMS})"
IRM_ENABLED, LLTV_ENABLED, RECIPIENT = "EnableIrm(address)", "EnableLltv(uint256)", "SetFeeRecipient(address)"

# Events that can give an account a position, and where it stands among their indexed fields.
HOLDER = {
    "Supply(bytes32,address,address,uint256,uint256)": 2,
    "Borrow(bytes32,address,address,address,uint256,uint256)": 1,
    "SupplyCollateral(bytes32,address,address,uint256)": 2,
}
OWNED = "SetOwner(address)"
"""Of the constructor too: whoever has had no event is not there."""
EVENTS = (CREATED, IRM_ENABLED, LLTV_ENABLED, RECIPIENT, *HOLDER)

RATE = selector(f"borrowRateView({PARAMS},(uint128,uint128,uint128,uint128,uint128,uint128))")
LIQUIDATE = selector(f"liquidate({PARAMS},address,uint256,uint256,bytes)")
WITHDRAW = selector(f"withdrawCollateral({PARAMS},uint256,address,address)")
NO_CALLBACK = word(9 * 32) + word(0)


@dataclass
class LiveMorpho(MorphoBlue):
    """Morpho Blue with whatever interest rate models were deployed: each market's is the rate that it answers, WAD.

    Accounts and tokens are called by their addresses, but for the contract itself and nobody.
    """

    rate: dict[MarketId, int] = constant(default_factory=dict)

    def _borrow_rate(self, m: Market) -> int:
        return next(self.rate[name] for name, known in self.markets.items() if known is m)

    def bad_debt(self, market: MarketId, account: Account) -> int:
        """Loan base units that suppliers lose when all collateral is seized at the present price (LIQ-4, LIQ-6)."""
        m, p = self.markets[market], self.positions[market][account]
        repaid = self._shares_for_seizure(market, p.collateral)
        if repaid >= p.borrow_shares:
            return 0
        left = saturating_sub(m.total_borrow_assets, to_assets_up(repaid, m.total_borrow_assets, m.total_borrow_shares))
        return min(left, to_assets_up(p.borrow_shares - repaid, left, m.total_borrow_shares - repaid))

    def spare_collateral(self, market: MarketId, account: Account) -> int:
        """Collateral base units that a healthy position with debt does not need (HLT-2 solved for collateral)."""
        needed = div_up(self.borrowed_assets(market, account) * WAD, self.params[market].lltv)
        return self.positions[market][account].collateral - div_up(needed * ORACLE_PRICE_SCALE, self.price[market])

    def only(self, market: MarketId, account: Account) -> LiveMorpho:
        """This one position, to try a call on: nobody but the contract has tokens."""
        params, held = self.params[market], self.positions[market]
        here: dict[Token, dict[Account, int]] = {}
        for token in (params.loan_token, params.collateral_token):
            here[token] = {account: 0, Account(READER): 0, MORPHO: UINT256_MAX, **self.balance[token]}
        return replace(
            self,
            markets={market: self.markets[market].clone()},
            positions={market: {name: held[name].clone() for name in {account, self.fee_recipient}}},
            balance=here,
            allowance={token: {User(Account(READER)): 0} for token in here},
        )


def read(reader: Reader) -> Book:
    """Every position of the deployment. Raises `BadInput` when it is not Morpho Blue."""
    state, terms = _state(reader)
    holders = [account for held in state.positions.values() for account, p in held.items() if any(p.flatten())]
    book = Book(
        state=state,
        accounts=len(set(holders)),
        positions=len(holders),
        cases=lambda kinds: _cases(state, kinds),
        answer=_answer,
    )
    book.gaps += reader.unread((OWNED, *EVENTS))
    _surroundings(reader, state, terms, book)
    for market in state.price:
        _ask_about(reader, state, market, terms[market], book)
    return book


# --- What there is ----------------------------------------------------------------------------------------------------


def _state(reader: Reader) -> tuple[LiveMorpho, dict[MarketId, bytes]]:
    """What the contract itself holds; and each market's parameters as it takes them."""
    # Before the events: a contract of another kind has none, and would look like an empty book.
    asked: dict[Any, tuple[str, bytes, int]] = {name: (f"{name}()", b"", 1) for name in ("owner", "feeRecipient")}
    owner, recipient = (_account(reader, answer[0]) for answer in structures(reader, SYSTEM, asked, "values").values())
    logs = reader.logs(EVENTS)
    try:
        terms, holders, irms, lltvs = _named(reader, logs)
        terms |= _older(reader, [market for market in holders if market not in terms])
        params = {market: _params(data) for market, data in terms.items()}
    except (IndexError, KeyError, ValueError):
        raise BadInput(f"--address {reader.address}: its events are not those of {SYSTEM}") from None
    for held in holders.values():
        held[recipient] = None
    pairs = [(market, account) for market, held in holders.items() for account in held]
    lltvs |= dict.fromkeys(p.lltv for p in params.values())
    irms |= dict.fromkeys(p.irm for p in params.values())

    asked = {market: ("market(bytes32)", _id(market), 6) for market in terms}
    asked |= {(m, a): ("position(bytes32,address)", _id(m) + _word(reader, a), 3) for m, a in pairs}
    asked |= {("irm", irm): ("isIrmEnabled(address)", word(0 if irm == NO_IRM else irm), 1) for irm in irms}
    asked |= {("lltv", lltv): ("isLltvEnabled(uint256)", word(lltv), 1) for lltv in lltvs}
    got = structures(reader, SYSTEM, asked, "values")
    state = LiveMorpho(
        now=reader.block.time,
        owner=owner,
        fee_recipient=recipient,
        params=params,
        markets={market: Market(*got[market]) for market in terms},
        positions={market: {a: Position(*got[market, a]) for a in held} for market, held in holders.items()},
        is_irm_enabled={irm: got["irm", irm] != [0] for irm in irms},
        is_lltv_enabled={lltv: got["lltv", lltv] != [0] for lltv in lltvs},
    )
    return state, terms


def _named(
    reader: Reader, logs: Sequence[Log]
) -> tuple[dict[MarketId, bytes], dict[MarketId, dict[Account, None]], dict[Irm, None], dict[Lltv, None]]:
    """What the events name, in their order: markets, who may have a position in each, rate models, ratios."""
    terms: dict[MarketId, bytes] = {}
    holders: dict[MarketId, dict[Account, None]] = {}
    irms: dict[Irm, None] = {}
    lltvs: dict[Lltv, None] = {}
    # Fees are positions that no event names, those from before a recipient was set too.
    recipients = {ZERO: None}
    for event, indexed, data in logs:
        if event == CREATED:
            market = MarketId("0x" + indexed[0].hex())
            terms[market] = data
            holders.setdefault(market, {})
        elif event == IRM_ENABLED:
            irms[_irm(words(indexed[0])[0])] = None
        elif event == LLTV_ENABLED:
            lltvs[Lltv(words(data)[0])] = None
        elif event == RECIPIENT:
            recipients[_account(reader, words(indexed[0])[0])] = None
        else:
            held = holders.setdefault(MarketId("0x" + indexed[0].hex()), {})
            held[_account(reader, words(indexed[HOLDER[event]])[0])] = None
    return terms, {market: {**held, **recipients} for market, held in holders.items()}, irms, lltvs


def _older(reader: Reader, markets: Sequence[MarketId]) -> dict[MarketId, bytes]:
    """Parameters of markets that later events name: they were created before the events that were asked for."""
    asked = {market: ("idToMarketParams(bytes32)", _id(market), 5) for market in markets}
    return {m: b"".join(map(word, found)) for m, found in structures(reader, SYSTEM, asked, "values").items()}


def _params(data: bytes) -> MarketParams:
    loan, collateral, _, irm, lltv = words(data)
    return MarketParams(Token(address(loan)), Token(address(collateral)), _irm(irm), Lltv(lltv))


def _surroundings(reader: Reader, state: LiveMorpho, terms: dict[MarketId, bytes], book: Book) -> None:
    """Prices, interest rates and token balances: what does not answer is a gap in the book."""
    prices = [Ask(address(words(data)[2]), selector("price()")) for data in terms.values()]
    rates = {
        m: Ask(str(state.params[m].irm), RATE + data + b"".join(map(word, state.markets[m].flatten())))
        for m, data in terms.items()
        if state.params[m].irm != NO_IRM
    }
    tokens = dict.fromkeys(t for p in state.params.values() for t in (p.loan_token, p.collateral_token))
    balances = [Ask(token, selector("balanceOf(address)") + word(reader.address)) for token in tokens]
    answers = iter(reader.calls([*prices, *rates.values(), *balances], "prices"))
    found = [_number(next(answers)) for _ in prices]
    rate = {market: _number(next(answers)) for market in rates}
    for market, price in zip(terms, found, strict=True):
        interest = rate.get(market, 0)
        if price is None:
            book.gaps.append(NotEvaluated(f"market {market}", "its oracle does not answer price()"))
        elif interest is None:
            book.gaps.append(
                NotEvaluated(f"market {market}", "its interest rate model does not answer borrowRateView()")
            )
        else:
            state.price[market], state.rate[market] = price, interest
    for token in tokens:
        balance = _number(next(answers))
        if balance is None:
            book.gaps.append(NotEvaluated(f"token {token}", "it does not answer balanceOf()"))
        state.balance[token] = {} if balance is None else {MORPHO: balance}


def _number(answer: bytes | Reverted) -> int | None:
    return None if isinstance(answer, Reverted) or len(answer) != 32 else words(answer)[0]


def _cases(state: LiveMorpho, kinds: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    """Accounts only where they may have a position: elsewhere there is nothing."""
    if kinds == (MarketId, Account):
        return ((market, account) for market, held in state.positions.items() for account in held)
    keys: dict[Any, Iterable[Any]] = {
        MarketId: state.markets,
        Lltv: state.is_lltv_enabled,
        Irm: state.is_irm_enabled,
        Token: [token for token, known in state.balance.items() if known],
    }
    return itertools.product(*(keys[plain(kind)] for kind in kinds))


# --- What is asked ----------------------------------------------------------------------------------------------------


def _ask_about(reader: Reader, state: LiveMorpho, market: MarketId, terms: bytes, book: Book) -> None:
    """Standing of the borrowers of a market, interest accrued, and what the contract is asked of them."""
    held = state.positions[market]
    accrued = replace(
        state,
        markets={market: state.markets[market].clone()},
        positions={market: {account: p.clone() for account, p in held.items()}},
    )
    try:
        accrued._accrue_interest(market)
    except Rejected as refused:
        book.gaps.append(NotEvaluated(f"market {market}", f"interest cannot accrue, by {refused.rule}"))
    for account, p in held.items():
        if p.borrow_shares == 0:
            continue
        try:
            needs, has = accrued.borrowed_assets(market, account), accrued.max_borrow(market, account)
            lost = accrued.bad_debt(market, account) if has < needs else 0
            book.standings.append(AccountHealth(account, market, has, needs, lost, state.params[market].loan_token))
            amounts = list(_boundary(accrued, market, account)) if has >= needs else []
        except Rejected as refused:
            book.gaps.append(NotEvaluated(f"{account} in {market}", f"no health, by {refused.rule}"))
            amounts = []
        book.questions.append(_liquidation(reader, state, market, account, terms))
        book.questions += [_withdrawal(reader, state, market, account, terms, amount) for amount in amounts]


def _boundary(accrued: LiveMorpho, market: MarketId, account: Account) -> Iterator[int]:
    """The most collateral that a position stays healthy without, and one unit more."""
    spare = accrued.spare_collateral(market, account)
    if spare > 0:
        yield spare
    yield spare + 1


def _liquidation(reader: Reader, state: LiveMorpho, market: MarketId, account: Account, terms: bytes) -> Question:
    data = LIQUIDATE + terms + _word(reader, account) + word(0) + word(1) + NO_CALLBACK
    given = {"caller": READER, "market": market, "borrower": account, "seized_assets": 0, "repaid_shares": 1}
    expected = _expected(state.only(market, account), Call("liquidate", given))
    return Question("liquidate", account, market, Ask(reader.address, data), expected)


def _withdrawal(
    reader: Reader, state: LiveMorpho, market: MarketId, account: Account, terms: bytes, amount: int
) -> Question:
    own = _word(reader, account)
    ask = Ask(reader.address, WITHDRAW + terms + word(amount) + own + own, address(words(own)[0]))
    given = {"caller": account, "market": market, "assets": amount, "on_behalf": account, "receiver": account}
    expected = _expected(state.only(market, account), Call("withdraw_collateral", given))
    return Question("withdraw_collateral", account, market, ask, expected)


def _expected(state: LiveMorpho, call: Call) -> str:
    """What the contract says if the model is right. Nobody has tokens, and to have come to them is to have passed."""
    rule = state.attempt(call, []).rule
    return "accepted" if rule is None or rule.startswith("TOK-") else REASONS[rule]


def _answer(question: Question, answer: bytes | Reverted) -> str:
    said = reason(answer) if isinstance(answer, Reverted) else "accepted"
    return "accepted" if said.startswith("transfer") else said


# --- Names ------------------------------------------------------------------------------------------------------------


def _account(reader: Reader, value: int) -> Account:
    where = address(value)
    return MORPHO if where == reader.address else ZERO if int(where, 16) == 0 else Account(where)


def _word(reader: Reader, account: Account) -> bytes:
    return word(reader.address if account == MORPHO else 0 if account == ZERO else account)


def _irm(value: int) -> Irm:
    return NO_IRM if value == 0 else Irm(address(value))


def _id(market: MarketId) -> bytes:
    return bytes.fromhex(market[2:])
