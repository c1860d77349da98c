"""One wrong line of Aave v3's model at a time, and a law that is refuted by it alone."""

from __future__ import annotations

import pytest
from wrong_line import wrong_line

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.properties.deployed.aave_v3 import chapter
from marginspec.prover.prove import Prover

# A minute or two: `make kills`.
pytestmark = pytest.mark.long

LAWS = {law.id: law for law in chapter.properties}
PROVER = Prover(AaveV3, recheck=False)

# Function, text as `ast.unparse` prints it, what stands in its place, and the law that is refuted.
MUTANTS = [
    ("ray_mul", "x * y + HALF_RAY", "x * y", "AV-NUM-1"),
    ("ray_div", "x * RAY + div_down(y, 2)", "x * RAY", "AV-NUM-2"),
    ("percent_div", "x * PERCENT", "2 * x * PERCENT", "AV-NUM-5"),
    ("linear_interest", "RAY + div_down", "RAY - div_down", "AV-INT-1"),
    ("compounded_interest", "RAY + div_down(rate * seconds, YEAR) + second", "RAY + second", "AV-INT-2"),
    ("_pairs", "seconds - 1", "seconds + 1", "AV-INT-3"),
    ("above_base", "return slope1 + ray_mul", "return ray_mul", "AV-RAT-2"),
    ("health_factor", "ALL if debt == 0", "0 if debt == 0", "AV-HLT-1"),
    ("close_factor", "health > CLOSE", "health >= CLOSE", "AV-LIQ-1"),
    ("_liquidatable", "health >= WAD", "health > WAD", "AV-LIQ-2"),
    ("_liquidatable", "or not self.is_collateral[collateral][user]", "", "AV-LIQ-2"),
    ("_payable", "percent_mul(owed, self.close_factor(health))", "owed", "AV-LIQ-3"),
    ("_add_claim", "supplied += scaled", "supplied += 2 * scaled", "AV-INV-2"),
    ("_burn_debt", "reserve.borrowed -= scaled", "pass", "AV-INV-3"),
    ("_push", "self.balance[asset][receiver] += amount", "pass", "AV-INV-4"),
    ("withdraw", "amount > held", "amount > held + 1", "AV-WDR-2"),
    ("withdraw", "self._stays_healthy(asset, caller)", "pass", "AV-HLT-2"),
    ("set_collateral", "self._stays_healthy(asset, caller)", "pass", "AV-HLT-3"),
    ("_covers", "health <= WAD", "health < WAD", "AV-BOR-2"),
    ("_covers", "> collateral", "> 2 * collateral", "AV-BOR-2"),
    ("repay", "paid == owed", "paid > owed", "AV-REP-3"),
    ("repay", "min(amount, owed)", "amount", "AV-REP-2"),
    ("mint_to_treasury", "reserve.accrued, index), 0)", "reserve.accrued, index), reserve.accrued)", "AV-TRE-1"),
    ("_not_frozen", "reserve.terms.is_frozen", "False", "AV-PAU-2"),
    ("configure", "caller != CONFIGURATOR", "False", "AV-RGT-5"),
    ("repay", "self._pull(asset, caller, paid)", "self._pull(asset, on_behalf, paid)", "AV-RGT-1"),
    ("_accrue", "reserve.updated_at = self.now", "pass", "AV-ACC-3"),
]


@pytest.mark.parametrize(("name", "old", "new", "law"), MUTANTS)
def test_a_wrong_line_refutes_a_law_by_itself(name: str, old: str, new: str, law: str) -> None:
    with wrong_line(AaveV3, name, old, new):
        verdict = PROVER.alone(LAWS[law])
    assert verdict.is_broken, verdict.reason
