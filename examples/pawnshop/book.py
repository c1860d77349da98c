"""The live book of a deployment of Pawnshop, and one that is generated to try an audit on."""

import itertools
import random
from collections.abc import Iterable
from typing import Any

from eth_abi.abi import encode

from marginspec.model.kernel import Call
from marginspec.model.kernel.record import plain
from marginspec.systems.sample import Advance, Crowd, Sample, people
from marginspec.targets.evm.book import (
    AccountHealth,
    Ask,
    Book,
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
from marginspec.targets.evm.rpc import Node

from .adapter import DEPLOYER, REASONS, shipped_contracts
from .model import PAWNSHOP, SCALE, Account, Pawnshop, User

PLEDGED = "Pledged(address,uint256)"
"""Who never pledged anything cannot owe anything."""


def read(reader: Reader) -> Book:
    """Every user of the deployment. Raises BadInput when it is no pawnshop."""
    asked: dict[Any, tuple[str, bytes, int]] = {n: (f"{n}()", b"", 1) for n in ("price", "total_debt", "written_off")}
    users = list(dict.fromkeys(address(words(log.indexed[0])[0]) for log in reader.logs((PLEDGED,))))
    for name, user in itertools.product(("pledged", "debt"), users):
        asked[name, user] = (f"{name}(address)", word(user), 1)
    got = {key: found[0] for key, found in structures(reader, "Pawnshop", asked, "values").items()}
    state = Pawnshop(
        price=got["price"],
        pledged={User(Account(user)): got["pledged", user] for user in users},
        debt={User(Account(user)): got["debt", user] for user in users},
        total_debt=got["total_debt"],
        written_off=got["written_off"],
        coin={PAWNSHOP: sum(got["pledged", user] for user in users)},
        cash={PAWNSHOP: 0},
    )
    owing = [user for user in state.debt if state.debt[user]]
    return Book(
        state=state,
        accounts=sum(bool(state.pledged[user] or state.debt[user]) for user in state.debt),
        positions=len(owing),
        cases=lambda kinds: _cases(state, kinds),
        answer=_answer,
        standings=[_health(state, user) for user in owing],
        questions=[_liquidation(reader, state, user) for user in owing],
    )


def _cases(state: Pawnshop, kinds: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
    keys: dict[Any, Iterable[Any]] = {User: state.debt, Account: [PAWNSHOP, *state.debt]}
    return itertools.product(*(keys[plain(kind)] for kind in kinds))


def _health(state: Pawnshop, user: User) -> AccountHealth:
    debt = state.debt[user]
    lost = max(debt - state.sale_value(user), 0)
    return AccountHealth(user, "", state.limit(user), debt, lost if debt > state.limit(user) else 0, "cash")


def _liquidation(reader: Reader, state: Pawnshop, user: User) -> Question:
    """Whether somebody without cash is refused for that, or because the user is within the limit."""
    nobody = User(Account(READER))
    trial = state.clone()
    trial.coin[nobody] = trial.cash[nobody] = 0
    rule = trial.attempt(Call("liquidate", {"caller": nobody, "borrower": user}), []).rule
    expected = REASONS[rule] if rule == "LIQ-2" else "accepted"
    return Question("liquidate", user, "", Ask(reader.address, selector("liquidate(address)") + word(user)), expected)


def _answer(question: Question, answer: bytes | Reverted) -> str:
    said = reason(answer) if isinstance(answer, Reverted) else "accepted"
    return "accepted" if said.startswith("insufficient") else said


def _fill(node: Node, crowd: Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
    """Users pledge and borrow up to their limits; then the price falls by a seventh."""
    contracts = shipped_contracts()
    does = {name: contract.selectors() for name, contract in contracts.items()}
    setup, everybody = encode(["address[]", "uint256"], [[], 0]), people(accounts)
    coin, cash = (node.deploy(DEPLOYER, contracts["token"].bytecode + setup) for _ in ("coin", "cash"))
    given = encode(["address", "address", "uint256"], [coin, cash, SCALE])
    shop = node.deploy(DEPLOYER, contracts["pawnshop"].bytecode + given)
    node.transact(DEPLOYER, cash, does["token"]["mint"] + word(shop) + word(10**30))
    pledged = {user: draw.randrange(10**6, 10**9) for user in everybody}
    for user in everybody:
        node.transact(DEPLOYER, coin, does["token"]["mint"] + word(user) + word(pledged[user]))
    crowd.send([(user, coin, does["token"]["approve"] + word(shop) + b"\xff" * 32) for user in everybody])
    crowd.send([(user, shop, does["pawnshop"]["pledge"] + word(pledged[user])) for user in everybody])
    owed = {user: pledged[user] * draw.randrange(40, 80) // 100 for user in everybody}
    crowd.send([(user, shop, does["pawnshop"]["borrow"] + word(owed[user])) for user in everybody])
    node.transact(DEPLOYER, shop, does["pawnshop"]["set_price"] + word(SCALE * 6 // 7))
    advance(accounts)
    return shop


SAMPLE = Sample(50, _fill)
