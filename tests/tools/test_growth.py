"""How cost grows: venues of any number of accounts are the same venue."""

import json
from pathlib import Path

import pytest

from marginspec.lockstep.campaign import run
from marginspec.model.reference.notation import AccountId
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from tools.growth import crowd, plot

FINDINGS = Path(__file__).parents[2] / "findings"


@pytest.mark.parametrize("accounts", [2, 7])
def test_contracts_and_model_agree_on_a_venue_of_any_number_of_accounts(accounts: int) -> None:
    model = crowd(accounts)
    assert len(model.genesis().accounts) == len(model.universe[AccountId]) == accounts
    campaign = run(model, EvmTarget("embedded", ReferenceAdapter({}, model), Embedded()), 600, 1)
    assert campaign.divergences == []
    assert campaign.tally.accepted > 100


def test_the_picture_is_of_the_figures(tmp_path: Path) -> None:
    grown = json.loads((FINDINGS / "growth.json").read_text())
    proofs, speed = grown["seconds of proof"], grown["steps per second"]
    plot(
        {what: {int(n): s for n, s in curve.items()} for what, curve in proofs.items()},
        {int(n): s for n, s in speed.items()},
        tmp_path / "growth.svg",
    )
    assert (tmp_path / "growth.svg").read_text() == (FINDINGS / "growth.svg").read_text()
    assert {len(curve) for curve in proofs.values()} == {8}
    assert (min(map(int, speed)), max(map(int, speed))) == (2, 200)
