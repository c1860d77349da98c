"""The promise of chapter 8 in numbers: accounts at maintenance, met by two moves within delta, on model and contracts.

While the limit per interval stopped what accounts need, both paths ended in a default with an empty fund.
"""

from typing import Any

import pytest

from marginspec.model.kernel.machine import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import MAX_SIZE, PPM, AssetId
from marginspec.properties.reference.buffer import net_worth
from marginspec.properties.reference.insolvency import Script, edge
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

ETH, MARKET, ACCOUNT = AssetId("ETH"), "ETH-PERP", "bystander"  # type: ignore[arg-type]
UNIT = 10**6  # size units of one ETH


def long_at_maintenance(eth: int) -> Script:
    """A long position whose equity is the maintenance margin, to the last unit of price; the others are rich."""
    run = Script(Reference)
    run.withdraw_all(ACCOUNT, ETH)
    for account in (ACCOUNT, "maker", "liquidator"):
        run.do("set_balance", token="USD", account=account, amount=10**13)
        run.do("deposit", account=account, token="USD", amount=5 * 10**12)
    run.do("place_order", account="maker", market=MARKET, side="sell", size=eth * UNIT, price=0)
    run.do("trade", account=ACCOUNT, maker="maker", market=MARKET, size=eth * UNIT)
    run.withdraw_all(ACCOUNT, "USD")
    run.reprice(ETH, edge(run.venue, ACCOUNT, ETH))
    liquidate_while_possible(run, "trader", MAX_SIZE)
    return run


def liquidate_while_possible(run: Script, account: str, most: int) -> int:
    """Liquidate until the account is at maintenance again; returns what was closed in all."""
    closed, arguments = 0, {"liquidator": "liquidator", "account": account, "market": MARKET, "most": most}
    while True:
        before: Any = run.venue
        if before.equity(account) >= before.maintenance_margin(account):
            return closed
        closed += run.do("liquidate", **arguments)[0]


def on_contracts(calls: list[Call]) -> None:
    """The contracts accept the same calls, return the same and end in the same state."""
    model, target = Reference.genesis(), EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    for call in calls:
        outcome, found = model.apply(call), target.apply(call)
        assert (found.accepted, found.returns, outcome.rule) == (True, outcome.returns, None)
    assert target.observe() == model.flatten()
    target.close()


@pytest.mark.parametrize("most", [MAX_SIZE, 30 * UNIT])
@pytest.mark.parametrize(("eth", "moves"), [(40, (24_000, 32_000)), (1040, (24_000, 39_000))])
def test_two_moves_within_delta_end_without_default(eth: int, moves: tuple[int, ...], most: int) -> None:
    run = long_at_maintenance(eth)
    fund, venue = run.venue.insurance, run.venue
    for move in moves:
        assert move <= venue.market_terms[MARKET].delta  # type: ignore[index]
        mark = venue.assets[ETH].mark  # type: ignore[index]
        run.reprice(ETH, -(-mark * (PPM - move) // PPM))
        assert liquidate_while_possible(run, ACCOUNT, most) > 0
        liquidate_while_possible(run, "trader", most)
        assert all(net_worth(venue, account) >= 0 for account in venue.accounts)
    assert venue.defaults == 0
    assert venue.insurance > fund
    cover = Call("cover", {"caller": "keeper", "account": ACCOUNT})
    assert venue.clone().apply(cover).rule == "DEF-3"
    on_contracts(run.calls)
