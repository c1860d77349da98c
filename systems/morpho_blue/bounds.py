"""What the storage of a Morpho Blue must satisfy, and the totals from which one sees that accounts are missing."""

from __future__ import annotations

from collections.abc import Iterator

from marginspec.model.deployed.morpho_blue import MAX_FEE, MORPHO, WAD, MorphoBlue
from marginspec.systems.judgement import Judgement, Total


def judgements(state: MorphoBlue) -> Iterator[Judgement]:
    """The bounds on markets and prices; all of them, kept or not."""
    for market, m in state.markets.items():
        lltv = int(state.params[market].lltv)
        yield Judgement("OWN-7", market, "the loan-to-value of liquidation is below one", lltv + 1, WAD)
        yield Judgement("OWN-8", market, "the fee is at most a quarter of the interest", m.fee, MAX_FEE)
        yield Judgement("ACC-2", market, "interest accrued no later than now", m.last_update, state.now)
        if market in state.price and m.total_borrow_shares != 0:
            yield Judgement("HLT-2", market, "a market with debt has a price above zero", 1, state.price[market])


def totals(state: MorphoBlue) -> Iterator[Total]:
    """Shares by market, and tokens: of the contract, and of all that was read."""
    for market, m in state.markets.items():
        held = state.positions[market].values()
        lent, owed = sum(p.supply_shares for p in held), sum(p.borrow_shares for p in held)
        yield Total("MB-INV-2", (market,), f"supply shares of market {market}", m.total_supply_shares, lent)
        yield Total("MB-INV-3", (market,), f"borrow shares of market {market}", m.total_borrow_shares, owed)
    for token, balance in state.balance.items():
        if MORPHO in balance:
            yield Total("", (), f"token {token}", balance[MORPHO], int(_owed(state, token)))


def _owed(state: MorphoBlue, token: str) -> int:
    """Idle assets and collateral of all markets that were read."""
    lent = [m for name, m in state.markets.items() if state.params[name].loan_token == token]
    held = [p for name, p in state.positions.items() if state.params[name].collateral_token == token]
    idle = sum(m.total_supply_assets - m.total_borrow_assets for m in lent)
    return idle + sum(p.collateral for positions in held for p in positions.values())
