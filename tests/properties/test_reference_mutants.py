"""One wrong line of the venue's liquidation at a time, and a law that is refuted by it alone."""

import inspect
import sys
import textwrap
from typing import Any

import pytest

from marginspec.model.reference import Reference
from marginspec.properties.reference import chapter
from marginspec.prover.prove import Prover

# Minutes: `make kills`.
pytestmark = pytest.mark.long

LAWS = {law.id: law for law in chapter.properties}

MUTANTS = [
    # It grows what it should close: 40 ETH become 80.
    ("liquidate", "self._change(account, market, -bought", "self._change(account, market, bought", "REF-LIQ-9"),
    ("liquidate", "self._change(account, market, -bought", "self._change(account, market, bought", "REF-LIQ-13"),
    ("liquidate", "return closed, paid", "return closed + 1, paid", "REF-LIQ-25"),
    # The limit stops what an account needs.
    ("_size_to_close", "closed = needed +", "closed = self._within_limit(market, needed, mark) +", "REF-LIQ-13"),
    ("_size_to_close", "return min(offered, ", "return max(whole, ", "REF-LIQ-25"),
    ("_size_to_close", "return min(offered, ", "return max(offered, ", "REF-LIQ-10"),
    # A used-up limit refuses. REF-LIQ-12 rests on this lemma.
    ("_within_limit", "m.room -= size * mark", "self._require(size)", "REF-RLX-53"),
    # A feed that is down shields an account.
    ("liquidate", "equity = self.equity(account, aged=True)", "equity = self.equity(account)", "REF-LIQ-20"),
    ("liquidate", "self.maintenance_margin(account, aged=True)", "self.maintenance_margin(account)", "REF-LIQ-20"),
    # Somebody else pays.
    ("liquidate", "[PENALTY], equity)", "[PENALTY], 2**200)", "REF-BUF-4"),
    ("liquidate", "self.insurance += paid - reward", "self.insurance -= reward", "REF-BUF-4"),
    ("liquidate", "self.accounts[liquidator].cash += reward", "self.accounts[liquidator].cash += paid", "REF-LIQ-11"),
    ("liquidate", "-bought * mark)", "-bought * mark - 1)", "REF-LIQ-11"),
    ("seize_collateral", "paid = price_to_seize(amount, mark, unit, spare)", "paid = seizure_price(amount, mark, unit)",
     "REF-LIQ-23"),
    ("seize_collateral", "paid = price_to_seize(amount, mark, unit, spare)", "paid = seizure_price(amount, mark, unit)",
     "REF-BUF-5"),
    ("seize_collateral", "spare = above_zero(self._collateral_at_mark(account) - debt)",
     "spare = self._collateral_at_mark(account)", "REF-BUF-5"),
    ("cover", "deficit = above_zero(-self.equity(account))", "deficit = above_zero(1 - self.equity(account))",
     "REF-BUF-6"),
    ("cover", "self.accounts[account].cash += paid", "self.accounts[account].cash += 2 * paid", "REF-LIQ-24"),
    # The liquidator needs no margin.
    ("liquidate", "self._needs_initial_margin(liquidator)", "pass", "REF-LIQ-21"),
]  # fmt: skip


def mutant(function: str, old: str, new: str) -> type[Reference]:
    """The venue with one text of one function replaced."""
    method: Any = inspect.unwrap(getattr(Reference, function))
    source = textwrap.dedent(inspect.getsource(method))
    assert source.count(old) == 1, "the text to replace stands there once"
    names = dict(vars(sys.modules[method.__module__]))
    exec(source.replace(old, new), names)
    return type("Mutant", (Reference,), {function: names[function], "_require": _require})


def _require(venue: Any, size: int) -> None:
    from marginspec.model.kernel import Rejected

    if size == 0:
        raise Rejected("LIQ-9")


@pytest.mark.parametrize(("function", "old", "new", "law"), MUTANTS)
def test_a_wrong_line_refutes_a_law_by_itself(function: str, old: str, new: str, law: str) -> None:
    model = mutant(function, old, new)
    assert Prover(model, recheck=False).alone(LAWS[law]).is_broken
