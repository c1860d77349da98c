"""How an account in Aave v3 stands: healthy at equality, liquidatable a unit below, insolvent without cover."""

from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.parameters import USDC, WETH
from marginspec.model.kernel import Call
from marginspec.systems.aave_v3.view import PARTIES, Borrowing
from marginspec.systems.registry import shipped
from marginspec.systems.view import Moment

FIRST, SECOND = AaveV3.universe[next(kind for kind in AaveV3.universe if kind.__name__ == "User")][:2]


def taken(pool: AaveV3, action: str, **arguments: Any) -> Moment:
    call = Call(action, arguments)
    outcome = pool.apply(call)
    assert outcome.accepted, outcome
    return Moment(pool.clone(), call, outcome)


def borrowed() -> AaveV3:
    """1 WETH at 2,000 dollars as collateral, for 1,000 USDC."""
    pool = AaveV3.genesis()
    taken(pool, "supply", caller=SECOND, asset=USDC, amount=10**12, on_behalf=SECOND)
    taken(pool, "supply", caller=FIRST, asset=WETH, amount=10**18, on_behalf=FIRST)
    taken(pool, "borrow", caller=FIRST, asset=USDC, amount=10**9)
    return pool


def test_words_change_where_the_protocol_changes_its_mind() -> None:
    pool, view = borrowed(), Borrowing()
    standing = view.standing(pool, FIRST)
    assert standing is not None
    assert (standing.word, standing.owes) == ("healthy", True)
    assert standing.figures["collateral"] == 2000 * 10**8
    assert standing.figures["debt"] == 1000 * 10**8
    threshold = pool.average_threshold(FIRST)
    at = -(-1000 * 10**8 * 10_000 // threshold)
    words = []
    for price in (at + 1, at - 2, 999 * 10**8):
        taken(pool, "set_price", asset=WETH, price=price)
        found = view.standing(pool, FIRST)
        assert found is not None
        words.append((found.word, found.spare >= 0))
    assert words == [("healthy", True), ("liquidatable", False), ("insolvent", False)]


def test_a_liquidation_is_told_and_makes_nothing_out_of_nothing() -> None:
    pool, view = borrowed(), Borrowing()
    fallen = taken(pool, "set_price", asset=WETH, price=1100 * 10**8)
    before = PARTIES.worth(pool)
    call = {"caller": SECOND, "collateral": WETH, "asset": USDC, "user": FIRST, "amount": 4 * 10**8, "as_claim": False}
    after = taken(pool, "liquidate", **call)
    chart = view.losses([fallen, after])
    assert chart is not None
    (bar,) = chart["bars"]
    assert [(part["label"], part["value"]) for part in bar["parts"]] == [
        ("liquidator repays", 400),
        ("still owed", 600),
    ]
    worth = PARTIES.worth(pool)
    for asset in (WETH, USDC):
        total = [sum(each[key] for key in each if key[1] == asset) for each in (before, worth)]
        assert total[0] == total[1]
    assert worth[SECOND, WETH] > before[SECOND, WETH]
    assert worth[SECOND, USDC] == before[SECOND, USDC] - 4 * 10**8


def test_diff_and_charts_have_it() -> None:
    known = shipped("aave-v3")
    assert known.view is not None
    assert known.view.subjects(known.model)
    assert known.abilities["liquidate"].rule == "LIQ-3"
