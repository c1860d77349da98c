"""Who takes part in Morpho Blue, and what is whose."""

from __future__ import annotations

from collections import Counter

from marginspec.model.deployed.morpho_blue import MORPHO, MorphoBlue, to_assets_down, to_assets_up
from marginspec.systems.roles import Parties, Worth


def _worth(state: MorphoBlue) -> Worth:
    """Tokens in the wallet, lent and as collateral, less those owed; of the contract, what nobody can claim."""
    worth = Counter[tuple[str, str]]()
    for token, holders in state.balance.items():
        for account, amount in holders.items():
            worth[account, token] += amount
    for name, market in state.markets.items():
        loan, collateral = state.params[name].loan_token, state.params[name].collateral_token
        worth[MORPHO, loan] += market.total_borrow_assets - market.total_supply_assets
        for account, position in state.positions[name].items():
            lent = to_assets_down(position.supply_shares, market.total_supply_assets, market.total_supply_shares)
            owed = to_assets_up(position.borrow_shares, market.total_borrow_assets, market.total_borrow_shares)
            if account != MORPHO:
                worth[account, loan] += lent - owed
                worth[account, collateral] += position.collateral
            worth[MORPHO, collateral] -= position.collateral
    return worth


OWNER = ("set_owner", "enable_irm", "enable_lltv", "set_fee", "set_fee_recipient")

PARTIES = Parties({"liquidate": "liquidator", **dict.fromkeys(OWNER, "owner")}, MORPHO, _worth)
