"""Morpho Blue with one line moved is refused by one law alone; and what its helpers cannot answer is no claim."""

import importlib.util
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from marginspec.model.deployed import morpho_blue
from marginspec.model.deployed.morpho_blue import Account, MarketId, MorphoBlue, Price, Shares, StoredAssets, User
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.properties.deployed.morpho_blue.scope import BOUNDS, SCOPE, accrued, chapter
from marginspec.properties.law import Chapter, accepted, assume, refusal
from marginspec.prover.prove import Prover

ACCRUES = "        self._accrue_interest(market)\n"

ALONE = next(claim for claim in chapter.properties if claim.id == "MB-ACC-1")


def moved(action: str, line: str, behind: str, folder: Path) -> type[Machine]:
    """Morpho Blue with this action alone, and accrual, in which a line stands behind another one.

    The other actions are left out, so that only the one that is changed takes time.
    """
    source = inspect.getsource(inspect.unwrap(getattr(MorphoBlue, action)))
    changed = source.replace(line, "", 1).replace(behind, behind + line, 1)
    assert changed != source
    assert line in changed
    others = [f"    {name} = None\n" for name in actions_of(MorphoBlue) if name not in (action, "accrue_interest")]
    names = sorted(name for name in set(re.findall(r"\w+", source)) if hasattr(morpho_blue, name))
    file = folder / f"moved_{action}.py"
    file.write_text(
        f"from {morpho_blue.__name__} import MorphoBlue, {', '.join(names)}\n\n\n"
        f"class Moved(MorphoBlue):\n{''.join(others)}\n{changed}\n"
        "    @classmethod\n    def prelude(cls):\n        return []\n"
    )
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    found: type[Machine] = module.Moved
    return found


@pytest.mark.parametrize(
    ("action", "behind"),
    [
        ("withdraw_collateral", "        self._healthy(market, on_behalf)\n"),
        pytest.param("supply", "        position = self.positions[market][on_behalf]\n", marks=pytest.mark.long),
        pytest.param("repay", "        position = self.positions[market][on_behalf]\n", marks=pytest.mark.long),
        ("set_fee", "        m.fee = new_fee\n"),
    ],
    ids=["withdraw_collateral", "supply", "repay", "set_fee"],
)
def test_accrual_that_comes_too_late_is_refused_by_one_law(action: str, behind: str, tmp_path: Path) -> None:
    verdict = Prover(moved(action, ACCRUES, behind, tmp_path), recheck=False).alone(ALONE)
    assert verdict.verdict == "refuted"


def test_accrual_that_only_lets_another_check_pass_first_is_proved(tmp_path: Path) -> None:
    line = "        position = self.positions[market][on_behalf]\n"
    same = moved("withdraw_collateral", line, "        self._authorized(caller, on_behalf)\n", tmp_path)
    verdict = Prover(same, recheck=False).alone(ALONE)
    assert (verdict.verdict, verdict.reason) == ("proved", "")


# --- Helpers that have no answer -------------------------------------------------------------------------------------

overflowing = Chapter(BOUNDS, SCOPE)


@overflowing.theorem("PRICE")
def a_higher_price_is_better(venue: MorphoBlue, market: MarketId, who: Account, price: Price) -> Any:
    """Who is healthy is so at any higher price."""
    assume(accepted(venue.is_healthy, market, who))
    assume(venue.price[market] <= price)
    venue.price[market] = price
    return venue.is_healthy(market, who)


@overflowing.theorem("COLLATERAL")
def more_collateral_is_better(venue: MorphoBlue, market: MarketId, who: Account, more: StoredAssets) -> Any:
    """Who is healthy is so with any more collateral."""
    assume(accepted(venue.is_healthy, market, who))
    venue.positions[market][who].collateral += more
    return venue.is_healthy(market, who)


@overflowing.theorem("SHARES")
def debts_can_be_told(venue: MorphoBlue, market: MarketId, who: Account) -> Any:
    """What somebody owes is never negative, and can always be told."""
    return venue.borrowed_assets(market, who) >= 0


@overflowing.theorem("LIQUIDATED")
def liquidated_or_healthy(venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, repaid: Shares) -> Any:
    """Whoever is liquidated was not healthy, as one could have asked before."""
    assume(accrued(venue, market))
    healthy = venue.is_healthy(market, borrower)
    venue.liquidate(caller, market, borrower, 0, repaid)
    return not healthy


@overflowing.theorem("ANSWERED")
def liquidated_unhealthy(venue: MorphoBlue, caller: User, market: MarketId, borrower: Account, repaid: Shares) -> Any:
    """Nobody of whom it can be told that he is healthy is liquidated."""
    assume(accrued(venue, market))
    assume(accepted(venue.is_healthy, market, borrower))
    return refusal(venue.liquidate, caller, market, borrower, 0, repaid) is not None


@pytest.mark.parametrize("id", ["PRICE", "COLLATERAL", "SHARES", "LIQUIDATED"])
def test_a_claim_that_overflows_is_refuted(id: str) -> None:
    (claim,) = (claim for claim in overflowing.properties if claim.id == id)
    assert Prover(MorphoBlue, recheck=False).alone(claim).verdict == "refuted"


def test_what_is_only_claimed_where_it_can_be_told_is_proved() -> None:
    (claim,) = (claim for claim in overflowing.properties if claim.id == "ANSWERED")
    verdict = Prover(MorphoBlue, recheck=False).alone(claim)
    assert (verdict.verdict, verdict.reason) == ("proved", "")
