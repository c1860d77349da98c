"""Lyra v1's contracts beside the model, on a short run and on numbers that a person can check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import run
from marginspec.model.deployed.lyra_v1.venue import GENESIS, SPOT, UNIT, LyraV1
from marginspec.model.kernel import Call
from marginspec.model.kernel.machine import actions_of
from marginspec.systems.lyra_v1 import adapter
from marginspec.systems.lyra_v1.adapter import LyraV1Adapter, shipped_contracts
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from tools.lyra_contracts import document, own

DAY = 86_400
FILE = Path(adapter.__file__).with_name("contracts.json")


@pytest.fixture
def target() -> Iterator[EvmTarget]:
    """The contracts, deployed."""
    opened = EvmTarget("embedded", LyraV1Adapter({}), Embedded())
    yield opened
    opened.close()


def both(target: EvmTarget, venue: LyraV1, action: str, **arguments: object) -> tuple[int, ...] | str:
    """What model and contracts answer, which is the same, with the same state afterwards: results, or the reason."""
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


def test_a_run_agrees_on_everything_and_every_action_is_accepted_somewhere(target: EvmTarget) -> None:
    campaign = run(LyraV1, target, 2_500, 3)
    assert campaign.divergences == []
    assert {name for name, accepted in campaign.tally.actions if accepted} == set(actions_of(LyraV1))


@pytest.mark.parametrize("kind", ["short-call-base", "short-call-quote", "short-put-quote"])
def test_exactly_the_least_collateral_is_enough_and_a_unit_less_is_not(target: EvmTarget, kind: str) -> None:
    venue = LyraV1.genesis()
    asked = {"caller": "trader", "strike": "far high", "kind": kind, "amount": UNIT, "cost": 0}
    (least,) = venue.apply(
        Call(
            "ask_min_collateral",
            {"kind": kind, "strike": 2_000 * UNIT, "expiry": GENESIS + 60 * DAY, "spot": SPOT, "amount": UNIT},
        )
    ).returns
    assert both(target, venue, "open_position", **asked, collateral=least - 1) == "POS-9"
    assert both(target, venue, "open_position", **asked, collateral=least)[0] == 4
    assert both(target, venue, "liquidate", caller="rival", position="fourth", cost=0) == "LIQ-3"


def test_a_put_is_liquidated_when_spot_falls_and_the_pool_is_paid(target: EvmTarget) -> None:
    venue = LyraV1.genesis()
    terms = {"caller": "trader", "strike": "near low", "kind": "short-put-quote", "amount": 10 * UNIT, "cost": 0}
    both(target, venue, "open_position", **terms, collateral=3_500 * UNIT)
    assert both(target, venue, "ask_liquidatable", position="fourth") == (False,)
    both(target, venue, "set_spot", spot=1_700 * UNIT)
    assert both(target, venue, "ask_liquidatable", position="fourth") == (True,)
    # 1,500 for the option; of the other 2,000 a fifth is the penalty, of which 30 % and 10 % are passed on.
    paid = both(target, venue, "liquidate", caller="rival", position="fourth", cost=1_500 * UNIT)
    assert paid == tuple(amount * UNIT for amount in (1_600, 1_500, 240, 120, 40, 0))


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_prices_one_second_before_at_and_after_the_expiry(target: EvmTarget, beyond: int) -> None:
    venue = LyraV1.genesis()
    both(target, venue, "set_exposure", strike="near low", long_call=UNIT, short_call_base=0, short_call_quote=0,
         long_put=0, short_put=3 * UNIT, kind="long-call")  # fmt: skip
    both(target, venue, "advance_time", seconds=7 * DAY + beyond)
    assert both(target, venue, "update_greeks", caller="trader", board="near") == ("CHE-3" if beyond > 0 else ())
    asked = {"strike": 1_800 * UNIT, "expiry": GENESIS + 7 * DAY, "spot": SPOT, "amount": UNIT}
    for kind in ("short-call-base", "short-call-quote", "short-put-quote"):
        assert both(target, venue, "ask_min_collateral", kind=kind, **asked)


@pytest.mark.parametrize(
    ("seconds", "volatility"), [(14 * DAY - 1, 25), (14 * DAY, 25), (56 * DAY, 15), (56 * DAY + 1, 15)]
)
def test_shock_volatility_at_its_points(target: EvmTarget, seconds: int, volatility: int) -> None:
    assert both(target, LyraV1.genesis(), "ask_shock_volatility", seconds=seconds) == (volatility * UNIT // 10,)


def test_a_move_of_exactly_what_is_accepted_is_stale(target: EvmTarget) -> None:
    venue = LyraV1.genesis()
    assert both(target, venue, "is_global_stale", spot=SPOT * 21 // 20) == (True,)
    assert both(target, venue, "is_global_stale", spot=SPOT * 21 // 20 - 1) == (False,)
    both(target, venue, "advance_time", seconds=3_600)
    assert both(target, venue, "is_global_stale", spot=SPOT) == (False,)
    both(target, venue, "advance_time", seconds=1)
    assert both(target, venue, "is_global_stale", spot=SPOT) == (True,)


def test_the_market_that_travels_is_what_its_source_compiles_to() -> None:
    travels = json.loads(FILE.read_text())["contracts"]
    assert {name: travels[name] for name in own()} == own(), "run python -m tools.lyra_contracts"


@pytest.mark.long
def test_the_contracts_that_travel_are_those_of_the_package() -> None:
    assert json.loads(FILE.read_text()) == document(), "run python -m tools.lyra_contracts"


def test_candidates_that_are_none_are_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="lyra-v1 has BlackScholes, "):
        LyraV1Adapter({"Nothing": shipped_contracts()["GWAV"]})
    with pytest.raises(BadInput, match="not a build of OptionToken, it lacks function"):
        LyraV1Adapter({"OptionToken": shipped_contracts()["GWAV"]})


def test_errors_that_the_model_expects_are_errors_of_the_contracts() -> None:
    known = set(adapter.error_names().values())
    named = {reason for reason in adapter.REASONS.values() if reason.isalpha()}
    assert named <= known
    assert len(named) > 15
