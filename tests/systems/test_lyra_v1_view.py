"""How a short option in Lyra v1 stands, and where its collateral goes when it is liquidated."""

from typing import Any

import pytest

from marginspec.model.deployed.lyra_v1.ledger import CALL_BASE, CALL_QUOTE, EMPTY, LONG_CALL, Kind, PositionId
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel import Call
from marginspec.systems.lyra_v1.view import Shorts
from marginspec.systems.view import Moment

STRIKE, TRADER = (
    next(options for kind, options in LyraV1.universe.items() if kind.__name__ == name)[0]
    for name in ("StrikeId", "Trader")
)
UNIT = 10**18


def taken(market: LyraV1, action: str, **arguments: Any) -> Moment:
    call = Call(action, arguments)
    outcome = market.apply(call)
    assert outcome.accepted, (call, outcome)
    return Moment(market.clone(), call, outcome)


def opened(kind: Kind, collateral: int) -> tuple[LyraV1, PositionId]:
    market = LyraV1.genesis()
    subject = next(position for position, held in market.positions.items() if held.state == EMPTY)
    given = {"caller": TRADER, "strike": STRIKE, "kind": kind, "amount": UNIT, "cost": 0, "collateral": collateral}
    taken(market, "open_position", **given)
    return market, subject


@pytest.mark.parametrize("kind", [CALL_QUOTE, CALL_BASE])
def test_exactly_the_least_collateral_is_enough(kind: Kind) -> None:
    view, (market, subject) = Shorts(), opened(kind, UNIT if kind == CALL_BASE else 10**22)
    assert subject in view.subjects(LyraV1)
    least = market.least_collateral_of(subject)
    for collateral, word in ((least, "healthy"), (least - 1, "liquidatable")):
        market.positions[subject].collateral = collateral
        found = view.standing(market, subject)
        assert found is not None
        assert (found.word, found.spare, found.owes) == (word, collateral - least, True)
        assert market.is_liquidatable(subject) == (word == "liquidatable")


def test_a_long_option_owes_nothing() -> None:
    found = Shorts().standing(*opened(LONG_CALL, 0))
    assert found is not None
    assert not found.owes


@pytest.mark.parametrize("kind", [CALL_QUOTE, CALL_BASE])
def test_a_liquidation_tells_where_all_of_the_collateral_went(kind: Kind) -> None:
    view, (market, subject) = Shorts(), opened(kind, UNIT if kind == CALL_BASE else 10**22)
    assert subject in view.subjects(LyraV1)
    market.positions[subject].collateral = held = market.least_collateral_of(subject) - 1
    before = Moment(market.clone())
    after = taken(market, "liquidate", caller=TRADER, position=subject, cost=UNIT)
    chart = view.losses([before, after])
    assert chart is not None
    shares = {part["label"]: part["value"] for part in chart["bars"][0]["parts"]}
    assert shares.pop("missing") == 0
    worth = held * (market.spot if kind == CALL_BASE else UNIT) / UNIT / UNIT
    assert sum(shares.values()) == pytest.approx(worth)


def test_what_the_model_refuses_to_price_has_no_standing() -> None:
    market, subject = opened(CALL_QUOTE, 10**22)
    market.spot = 0
    assert Shorts().standing(market, subject) is None
