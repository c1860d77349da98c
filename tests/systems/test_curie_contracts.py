"""Curie's contracts beside the model, on a short run and on numbers that a person can check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import run
from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import INSURANCE, STEP, UNIT, in_token, root_of
from marginspec.model.kernel import Call
from marginspec.systems.curie.adapter import CurieAdapter
from marginspec.systems.curie.deployment import shipped_contracts
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget


@pytest.fixture(scope="module")
def deployed() -> Iterator[EvmTarget]:
    """The contracts, deployed once."""
    opened = EvmTarget("embedded", CurieAdapter({}), Embedded())
    yield opened
    opened.close()


@pytest.fixture
def target(deployed: EvmTarget) -> EvmTarget:
    """The contracts, in which nothing was done yet."""
    deployed.reset()
    return deployed


def both(target: EvmTarget, venue: Curie, action: str, **arguments: object) -> tuple[int, ...] | str:
    """What model and contracts answer, which is the same, with the same state afterwards: results, or the rule."""
    call = Call(action, arguments)
    outcome, answer = venue.apply(call), target.apply(call)
    assert venue.flatten() == target.observe()
    if outcome.rule is not None:
        assert not answer.accepted
        assert answer.reason == target.expected_reason(outcome.rule)
        return outcome.rule
    assert answer.accepted
    assert answer.returns == outcome.returns
    return outcome.returns


APART = {"level": "tick 0", "of_15_seconds": "tick -9000", "of_15_minutes": "tick 0", "of_30_minutes": "tick 9000"}


def bought(caller: str, market: str, amount: int) -> dict[str, object]:
    """The arguments of an order for an exact amount of base."""
    kind = {"is_selling": False, "is_exact_input": False, "bound": 0}
    return {"caller": caller, "market": market, "amount": amount, **kind}


def test_a_run_agrees_on_everything(target: EvmTarget) -> None:
    campaign = run(Curie, target, 1_500, 3)
    assert campaign.divergences == []
    assert campaign.tally.accepted > 500
    assert target.recheck() == target.observe()


def test_account_with_exactly_the_maintenance_margin_is_not_liquidated(target: EvmTarget) -> None:
    venue = Curie.genesis()
    both(target, venue, "open_position", **bought("trader", "A", 8_000 * UNIT))
    # Between averages far apart the mark price is the index price. A price of k * 2 * 10^-9 needs k units as margin and
    # makes the position worth 16 k: with what is owed for it, the two are equal at one k, where 15 divides that.
    both(target, venue, "set_prices", market="A", **APART)
    owed = -in_token(venue.settlement_balance("trader") + venue.positions["trader"]["A"].open_notional)
    both(target, venue, "deposit", caller="trader", amount=owed % 15)
    for less, rule in ((0, "LQD-2"), (1, None)):
        price = (owed // 15 - less) * 2 * 10**9
        both(target, venue, "set_index", market="A", price=price, twap=UNIT)
        assert (venue.account_value("trader") * STEP == venue.maintenance_margin("trader")) == (less == 0)
        answer = both(target, venue, "liquidate", caller="liquidator", user="trader", market="A", size=0)
        assert answer == (rule or ())
    assert venue.positions["trader"]["A"].size == 4_000 * UNIT


def test_account_liquidated_by_itself_keeps_a_position_that_counts_for_nothing(target: EvmTarget) -> None:
    venue = Curie.genesis()
    both(target, venue, "open_position", **bought("trader", "A", 80 * UNIT))
    both(target, venue, "withdraw_all", caller="trader")
    both(target, venue, "move_price", market="A", level="tick -700")
    assert venue.is_liquidatable("trader")
    assert both(target, venue, "liquidate", caller="trader", user="trader", market="A", size=0) != "LQD-2"
    assert venue.positions["trader"]["A"].size == 80 * UNIT
    assert not venue.is_registered["trader"]["A"]
    both(target, venue, "move_price", market="A", level="tick -20000")
    assert venue.maintenance_margin("trader") == 0
    assert both(target, venue, "withdraw_all", caller="trader") != "WDR-4"


def test_small_position_of_a_large_account_cannot_be_liquidated(target: EvmTarget) -> None:
    venue = Curie.genesis()
    both(target, venue, "open_position", **bought("trader", "A", 9_000 * UNIT))
    both(target, venue, "open_position", **bought("trader", "B", 120 * UNIT))
    for market in ("A", "B"):
        both(target, venue, "move_price", market=market, level="tick -700")
    # 112 of 8,504: half of all is 38 times the position, and the ratio has 24 bits, for less than 17.
    who = {"caller": "liquidator", "user": "trader"}
    assert both(target, venue, "liquidate", **who, market="B", size=0) == "LIQ-4"
    assert both(target, venue, "liquidate", **who, market="A", size=0) == ()


def test_insurance_fund_takes_over_what_an_account_lacks(target: EvmTarget) -> None:
    venue = Curie.genesis()
    both(target, venue, "open_position", **bought("trader", "A", 9_000 * UNIT))
    both(target, venue, "move_price", market="A", level="tick -1300")
    both(target, venue, "liquidate", caller="liquidator", user="trader", market="A", size=0)
    assert venue.positions["trader"]["A"].size == 0
    assert venue.balance[INSURANCE] < 0
    assert both(target, venue, "repay", caller="rival") == ()


@pytest.mark.parametrize(
    ("tick", "root"),
    [(0, 2**96), (-887_272, 4_295_128_739), (887_272, 1461446703485210103287273052203988822378723970342)],
)
def test_roots_are_those_of_uniswap(tick: int, root: int) -> None:
    # MIN_SQRT_RATIO and MAX_SQRT_RATIO of TickMath.
    assert root_of(tick) == root


def test_candidate_build_that_fits_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="curie has ClearingHouseConfig, "):
        CurieAdapter({"Nothing": shipped_contracts()["Vault"]})
