"""One wrong line of Lyra v1's model at a time, and a law that is refuted by it alone."""

from __future__ import annotations

import pytest
from wrong_line import wrong_line

from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.deployed.lyra_v1 import chapter
from marginspec.prover.prove import Prover

# A minute or two: `make kills`.
pytestmark = pytest.mark.long

LAWS = {law.id: law for law in chapter.properties}
PROVER = Prover(LyraV1, recheck=False)

# Function, text as `ast.unparse` prints it, what stands in its place, and the law that is refuted.
MUTANTS = [
    ("set_collateral_parameters", "vol_a < vol_b", "vol_a < 0", "LYR-PAR-1"),
    ("set_greek_parameters", "period > LONGEST", "period > LONGEST + 1", "LYR-PAR-2"),
    ("set_force_close_parameters", "raised < UNIT", "raised < UNIT - 1", "LYR-PAR-3"),
    ("set_penalty_parameters", "penalty_ratio > UNIT", "penalty_ratio > UNIT + 1", "LYR-PAR-4"),
    ("set_collateral_parameters", "point_a > point_b", "point_a >= point_b", "LYR-PAR-5"),
    ("set_greek_parameters", "rate > MAX_RATE", "rate > MAX_RATE + 1", "LYR-PAR-6"),
    ("set_penalty_parameters", "penalty_ratio > UNIT or", "penalty_ratio >= UNIT or", "LYR-PAR-7"),
    ("settle", "p.state = SETTLED", "p.state = SETTLED; self.penalty.least_fee = 0", "LYR-PAR-8"),
    ("between_bounds", "min(max(by_volatility, static), full)", "max(by_volatility, static)", "LYR-MIN-1"),
    ("between_bounds", "min(max(by_volatility, static), full)", "min(by_volatility, full)", "LYR-MIN-2"),
    ("least_collateral", "amount == 0", "amount == 1", "LYR-MIN-3"),
    ("collateral_by_volatility", "call if kind == CALL_QUOTE else put", "UINT256_MAX - call", "LYR-MIN-4"),
    ("full_collateral", "multiply(amount, strike)", "strike", "LYR-MIN-7"),
    ("full_collateral", "return amount", "return 0 if amount > UNIT else amount", "LYR-MIN-5"),
    ("between_bounds", "max(by_volatility, static)", "max(by_volatility, static) - static", "LYR-MIN-6"),
    ("collateral_by_volatility", "put, amount)", "put, amount) + 1", "LYR-MIN-8"),
    ("shocked_spot", "self.minimum.put_shock", "self.minimum.call_shock", "LYR-MIN-9"),
    ("shock_volatility", "m.vol_a - div_down(gone", "m.vol_a + div_down(gone", "LYR-MIN-10"),
    ("shock_volatility", "m.vol_a - div_down(gone", "m.vol_b + div_down(gone", "LYR-MIN-11"),
    ("shock_volatility", "seconds <= m.point_a", "seconds < m.point_a", "LYR-MIN-12"),
    ("_leave_totals", "total.delta - cached.net.delta", "total.delta + cached.net.delta", "LYR-CHE-1"),
    ("_update_greeks", "cached.updated_at = self.now", "cached.updated_at = self.now + 1", "LYR-CHE-2"),
    ("_look_at_boards", "min((board.updated_at for", "max((board.updated_at for", "LYR-RLX-20"),
    ("_update_greeks", "self.now > self.board_terms", "self.now > 1 + self.board_terms", "LYR-CHE-4"),
    ("_is_near", "< accepted", "<= accepted", "LYR-STL-1"),
    ("_is_late", "> self.greek", ">= self.greek", "LYR-STL-2"),
    ("is_global_stale", "self._is_late(totals.min_updated_at) or", "", "LYR-STL-3"),
    ("force_close_price", "max(price,", "min(price,", "LYR-FRC-1"),
    ("_forced_volatility", "max(average, listed)", "average", "LYR-FRC-2"),
    ("parity", "if is_put(kind)", "if not is_put(kind)", "LYR-FRC-3"),
    ("_closed", "p.holder = NOBODY", "pass", "LYR-POS-1"),
    ("_closed", "p.collateral = 0", "pass", "LYR-POS-2"),
    ("add_collateral", "or not is_short(p.kind)", "", "LYR-POS-3"),
    ("add_collateral", "p.state != ACTIVE or", "", "LYR-POS-4"),
    ("adjust_position", "p.holder != caller", "False", "LYR-POS-5"),
    ("_collateralised", "self.is_liquidatable(position)", "False", "LYR-LIQ-1"),
    ("_collateralised", "self.is_liquidatable(position)", "is_open", "LYR-LIQ-1"),
    ("is_liquidatable", "p.collateral < self", "p.collateral <= self", "LYR-LIQ-3"),
    ("liquidate", "not self.is_liquidatable(position)", "p.state != ACTIVE", "LYR-LIQ-4"),
    ("add_collateral", "p.collateral + amount", "p.collateral + 2 * amount", "LYR-LIQ-5"),
    ("update_greeks", "self._update_greeks(board)", "self._update_greeks(board); self.spot = 1", "LYR-LIQ-6"),
    ("liquidation_fees", "penalty - checked(security + liquidator)", "penalty - security", "LYR-LIQ-7"),
    ("liquidation_fees", "self.penalty.penalty_ratio), least_fee)", "self.penalty.penalty_ratio), 0)", "LYR-LIQ-8"),
    ("liquidation_fees", "owed - collateral", "owed", "LYR-LIQ-9"),
    ("liquidation_fees", "rest = collateral - premium", "rest = collateral", "LYR-LIQ-10"),
    ("liquidation_fees", "checked(premium + least_fee)", "checked(premium + least_fee + UNIT * UNIT)", "LYR-LIQ-10"),
    ("_closed", "pending + to_int256(cost)", "pending - to_int256(cost)", "LYR-LIQ-12"),
    ("nearest", "tenths + 5, 10", "tenths + 4, 10", "LYR-DEC-1"),
    ("from_precise", "div_down(x, 10 ** 8) + 5", "div_down(x, 10 ** 8) + 15", "LYR-DEC-2"),
    ("signed_from_precise", "-div_down(div_down(-x, 10 ** 8) + 5, 10)", "-div_down(-x, 10 ** 9)", "LYR-DEC-3"),
    ("div_to_zero", "-div_down(-x, d)", "div_down(x, d)", "LYR-DEC-4"),
    ("multiply", "UNIT)", "UNIT + 1)", "LYR-DEC-5"),
    ("exponential", "x >= MAX_EXPONENT", "x > MAX_EXPONENT", "LYR-CRV-1"),
    ("logarithm", "x < 0", "x <= 0", "LYR-CRV-2"),
    ("_probability", "PRECISE - tail", "PRECISE - tail - 1", "LYR-CRV-3"),
    ("call_and_put", "put - spot if", "put - spot + 1 if", "LYR-BSM-1"),
    ("call_and_put", "gained - paid if paid <= gained else 0", "gained + paid", "LYR-BSM-2"),
    ("from_precise", "+ 5, 10)", "+ 5, 100)", "LYR-BSM-3"),
    ("annualised", "YEAR)", "YEAR + 1)", "LYR-BSM-4"),
]


@pytest.mark.parametrize(("name", "old", "new", "law"), MUTANTS)
def test_a_wrong_line_refutes_a_law_by_itself(name: str, old: str, new: str, law: str) -> None:
    with wrong_line(LyraV1, name, old, new):
        verdict = PROVER.alone(LAWS[law])
    assert verdict.is_broken, verdict.reason
