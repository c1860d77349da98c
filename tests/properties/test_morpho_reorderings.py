"""Morpho Blue with one line moved: each of these checks and effects in another order is refuted by some law alone."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getsource, unwrap

import pytest

from marginspec.lockstep.model_source import functions_of, installed, replacing
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.properties.deployed.morpho_blue import chapter
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover

# Minutes: `make kills`.
pytestmark = pytest.mark.long

# Function, its lines as they are, the same lines in another order, the laws of which each refuses that alone.
REORDERED = {
    "health before interest accrues": (
        "withdraw_collateral",
        """\
        self._accrue_interest(market)

        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
""",
        """\
        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
        self._accrue_interest(market)
""",
        ("MB-HLT-3", "MB-ACC-1"),
    ),
    "health before collateral is taken": (
        "withdraw_collateral",
        """\
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
""",
        """\
        self._healthy(market, on_behalf)
        position.collateral = sub128(position.collateral, assets)
""",
        ("MB-HLT-3",),
    ),
    "authorisation after the effects": (
        "withdraw_collateral",
        """\
        self._authorized(caller, on_behalf)
        self._accrue_interest(market)

        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
""",
        """\
        self._accrue_interest(market)

        position = self.positions[market][on_behalf]
        position.collateral = sub128(position.collateral, assets)
        self._healthy(market, on_behalf)
        self._authorized(caller, on_behalf)
""",
        ("MB-REV-19",),
    ),
    "health before the debt is added": (
        "borrow",
        """\
        position = self.positions[market][on_behalf]
        position.borrow_shares = add128(position.borrow_shares, shares)
        m.total_borrow_shares = add128(m.total_borrow_shares, shares)
        m.total_borrow_assets = add128(m.total_borrow_assets, assets)
        self._healthy(market, on_behalf)
""",
        """\
        self._healthy(market, on_behalf)
        position = self.positions[market][on_behalf]
        position.borrow_shares = add128(position.borrow_shares, shares)
        m.total_borrow_shares = add128(m.total_borrow_shares, shares)
        m.total_borrow_assets = add128(m.total_borrow_assets, assets)
""",
        ("MB-HLT-2",),
    ),
    "liquidity before the debt is added": (
        "borrow",
        """\
        m.total_borrow_assets = add128(m.total_borrow_assets, assets)
        self._healthy(market, on_behalf)
        self._liquid(m)
""",
        """\
        self._liquid(m)
        m.total_borrow_assets = add128(m.total_borrow_assets, assets)
        self._healthy(market, on_behalf)
""",
        ("MB-INV-1",),
    ),
    "liquidity before the assets are taken": (
        "withdraw",
        """\
        m.total_supply_assets = sub128(m.total_supply_assets, assets)
        self._liquid(m)
""",
        """\
        self._liquid(m)
        m.total_supply_assets = sub128(m.total_supply_assets, assets)
""",
        ("MB-INV-1",),
    ),
    "shares before interest accrues": (
        "supply",
        """\
        self._accrue_interest(market)

        if assets > 0:
            shares = to_shares_down(assets, m.total_supply_assets, m.total_supply_shares)
        else:
            assets = to_assets_up(shares, m.total_supply_assets, m.total_supply_shares)
""",
        """\
        if assets > 0:
            shares = to_shares_down(assets, m.total_supply_assets, m.total_supply_shares)
        else:
            assets = to_assets_up(shares, m.total_supply_assets, m.total_supply_shares)
        self._accrue_interest(market)
""",
        ("MB-ACC-1",),
    ),
    "the new fee on interest so far": (
        "set_fee",
        """\
        self._accrue_interest(market)
        m.fee = new_fee
""",
        """\
        m.fee = new_fee
        self._accrue_interest(market)
""",
        ("MB-ACC-1", "MB-ACC-11"),
    ),
    "the fee's range after interest accrues": (
        "set_fee",
        """\
        if new_fee > MAX_FEE:
            raise Rejected("OWN-8")
        self._accrue_interest(market)
""",
        """\
        self._accrue_interest(market)
        if new_fee > MAX_FEE:
            raise Rejected("OWN-8")
""",
        ("MB-REV-16",),
    ),
    "whether to liquidate before interest accrues": (
        "liquidate",
        """\
        self._accrue_interest(market)

        if self.is_healthy(market, borrower):
            raise Rejected("LIQ-2")
""",
        """\
        if self.is_healthy(market, borrower):
            raise Rejected("LIQ-2")
        self._accrue_interest(market)
""",
        ("MB-ACC-1",),
    ),
    "bad debt before collateral is taken": (
        "liquidate",
        """\
        position.collateral = sub128(position.collateral, seized_assets)
        if position.collateral == 0:
            self._realise_bad_debt(market, position)
""",
        """\
        if position.collateral == 0:
            self._realise_bad_debt(market, position)
        position.collateral = sub128(position.collateral, seized_assets)
""",
        ("MB-INV-11", "MB-LIQ-6"),
    ),
    "the price of shares after they are gone": (
        "liquidate",
        """\
        repaid_assets = to_assets_up(repaid_shares, m.total_borrow_assets, m.total_borrow_shares)

        position = self.positions[market][borrower]
        position.borrow_shares = sub128(position.borrow_shares, repaid_shares)
        m.total_borrow_shares = sub128(m.total_borrow_shares, repaid_shares)
""",
        """\
        position = self.positions[market][borrower]
        position.borrow_shares = sub128(position.borrow_shares, repaid_shares)
        m.total_borrow_shares = sub128(m.total_borrow_shares, repaid_shares)
        repaid_assets = to_assets_up(repaid_shares, m.total_borrow_assets, m.total_borrow_shares)
""",
        ("MB-LIQ-12",),
    ),
    "the market opens before it is looked whether it is": (
        "create_market",
        """\
        if m.last_update != 0:
            raise Rejected("MKT-4")
        m.last_update = self.now
""",
        """\
        m.last_update = self.now
        if m.last_update != 0:
            raise Rejected("MKT-4")
""",
        ("MB-REV-6",),
    ),
}

CASES = [(name, law) for name, (_, _, _, laws) in REORDERED.items() for law in laws]


@contextmanager
def reordered(name: str) -> Iterator[None]:
    """The model does as one entry of `REORDERED` says within this block."""
    method, lines, moved, _ = REORDERED[name]
    assert sorted(lines.split()) == sorted(moved.split()), "lines may only move"
    function = next(f for f in functions_of(MorphoBlue).values() if f.name == method)
    text = getsource(unwrap(getattr(MorphoBlue, method)))
    assert text.count(lines) == 1
    (node,) = ast.parse(textwrap.dedent(text.replace(lines, moved))).body
    assert isinstance(node, ast.FunctionDef)
    with installed(list(replacing(function, node))):
        yield


def law_of(id: str) -> Property:
    return next(law for law in chapter.properties if law.id == id)


def test_there_are_more_than_ten() -> None:
    assert len(REORDERED) > 10


@pytest.mark.parametrize(("name", "law"), CASES)
def test_a_law_alone_refutes_lines_in_another_order(name: str, law: str) -> None:
    with reordered(name):
        verdict = Prover(MorphoBlue).alone(law_of(law))
    assert verdict.is_broken, f"{law} is {verdict.verdict} where {name}: {verdict.reason}"
