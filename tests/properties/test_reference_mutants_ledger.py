"""Changes of the venue's text that its laws once did not notice: each is refuted by one law alone."""

from __future__ import annotations

import pytest
from wrong_line import wrong_line

from marginspec.model.reference import Reference
from marginspec.properties.reference import chapter
from marginspec.prover.prove import Prover

# Minutes: `make kills`.
pytestmark = pytest.mark.long

END = "return (size, paid)"
# Function, text as `ast.unparse` prints it, what stands in its place, and the law that is refuted.
MUTANTS = {
    "deleverage mints": ("deleverage", END, f"self.accounts[account].cash += 10 ** 18; {END}", "REF-LED-1"),
    "deleverage closes unequal sizes": (
        "deleverage",
        "self._change(counterparty, market, bought,",
        "self._change(counterparty, market, bought - 1,",
        "REF-LED-3",
    ),
    "deleverage charges bystanders": (
        "deleverage",
        END,
        f"[setattr(other, 'cash', other.cash - 1) for other in self.accounts.values()]; {END}",
        "REF-DEF-11",
    ),
    "deleverage clears the flag": (
        "deleverage",
        "self._set_default(account, paid < deficit)",
        "self.accounts[account].in_default = False",
        "REF-DEF-5",
    ),
    "deleverage takes collateral": (
        "deleverage",
        END,
        f"[setattr(held, 'amount', 0) for held in self.accounts[counterparty].collateral.values()]; {END}",
        "REF-LED-2",
    ),
    "deleverage records what is not there": ("deleverage", END, f"self.held[USD] += 1; {END}", "REF-LED-5"),
    "deleverage counts more than there is": (
        "deleverage",
        END,
        f"[setattr(h, 'counted', h.amount + 1) for h in self.accounts[counterparty].collateral.values()]; {END}",
        "REF-LED-6",
    ),
    "deleverage empties the fund further": ("deleverage", END, f"self.insurance -= 1; {END}", "REF-LED-8"),
    "deleverage takes from the pot": ("deleverage", END, f"self.pot -= 10 ** 40; {END}", "REF-POS-11"),
    "deleverage forgets open interest": (
        "deleverage",
        END,
        f"self.markets[market].open_interest += 1; {END}",
        "REF-LED-4",
    ),
    "deleverage lifts a pause": ("deleverage", END, f"self.deposits_paused = False; {END}", "REF-PRM-8"),
    "deleverage ranks before it settles": ("_settle_all", "self._settle(name)", "pass", "REF-DEF-9"),
    "liquidate leaves cost on a closed position": (
        "liquidate",
        "return (closed, paid)",
        "self.accounts[account].positions[market].cost += 1; return (closed, paid)",
        "REF-LED-7",
    ),
    "liquidate lets a liquidator without margin": (
        "liquidate",
        "self._needs_initial_margin(liquidator)",
        "pass",
        "REF-MRG-16",
    ),
    "an offer is a position at once": (
        "place_order",
        "order.price = price",
        "order.price = price; self.accounts[account].positions[market].size += 1",
        "REF-MRG-17",
    ),
    "trade sets any premium": ("trade", "m.premium = premium(price, mark)", "m.premium = 2 ** 61", "REF-POS-15"),
    "settling funding wipes collateral": (
        "_settle",
        "for market, position in",
        "for held in self.accounts[account].collateral.values(): held.amount = 0\n    for market, position in",
        "REF-POS-9",
    ),
    "settlement closes at twice the mark": (
        "start_settlement",
        "position.size * mark - position.cost",
        "position.size * 2 * mark - position.cost",
        "REF-SET-7",
    ),
    "socialise pays the fund": (
        "socialise",
        "self.accounts[account].cash += paid",
        "self.insurance += paid",
        "REF-DEF-14",
    ),
    "socialise always ends the default": (
        "socialise",
        "self._set_default(account, paid < deficit)",
        "self._set_default(account, False)",
        "REF-DEF-14",
    ),
    "cover always ends the default": (
        "cover",
        "self._set_default(account, paid < deficit)",
        "self._set_default(account, False)",
        "REF-DEF-6",
    ),
    "stale prices are used": ("price", "or self.now > price.time + MAX_AGE", "", "REF-ORC-8"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_law_alone_refutes_a_mutant(mutant: str) -> None:
    name, old, new, id = MUTANTS[mutant]
    claim = next(claim for claim in chapter.properties if claim.id == id)
    with wrong_line(Reference, name, old, new):
        verdict = Prover(Reference, recheck=False).alone(claim)
    assert verdict.is_broken, verdict.reason
