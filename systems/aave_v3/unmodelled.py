"""What of Aave v3's contracts no action calls and nothing compares, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from marginspec.systems.aave_v3.deployment import (
    CLAIM,
    DEBT,
    LIBRARIES,
    ORACLE,
    POOL,
    PROVIDER,
    STABLE,
    TOKEN,
)
from marginspec.targets.evm.artifact import Artifact

INSIDE = "the pool alone calls it"
BY_CONTRACT = {
    **dict.fromkeys(LIBRARIES, INSIDE),
    POOL: "for the configurator and admins alone: called in the set-up or never",
    PROVIDER: "its owner's: called in the set-up or never",
    CLAIM: "allowances and signatures for claims are not modelled; what they let somebody do is what transfer does",
    DEBT: "allowances for debts are not modelled: everybody borrows for himself",
    STABLE: "debt at the stable rate is not modelled",
    ORACLE: "a price that no contract of the run reads",
    TOKEN: "allowances and signatures for tokens: every user lets the pool take any amount, in the set-up",
}
SIGNED = "as the function without a permit; signatures are not modelled"
BRIDGES = "claims without tokens behind them, for bridges, are not modelled"
FLASH = "flash loans are not modelled: who takes one has to be a contract, and every account of a run is none"
STABLE_RATE = "debt at the stable rate is not modelled"
BY_NAME = {
    (POOL, "deposit"): "the same as supply, under its old name",
    (POOL, "supplyWithPermit"): SIGNED,
    (POOL, "repayWithPermit"): SIGNED,
    (POOL, "mintUnbacked"): BRIDGES,
    (POOL, "backUnbacked"): BRIDGES,
    (POOL, "flashLoan"): FLASH,
    (POOL, "flashLoanSimple"): FLASH,
    (POOL, "swapBorrowRateMode"): STABLE_RATE,
    (POOL, "rebalanceStableBorrowRate"): STABLE_RATE,
    (POOL, "finalizeTransfer"): "claims alone call it",
    **{
        (CLAIM, name): INSIDE
        for name in (
            "mint",
            "burn",
            "mintToTreasury",
            "transferOnLiquidation",
            "transferUnderlyingTo",
            "handleRepayment",
        )
    },
    **{(DEBT, name): INSIDE for name in ("mint", "burn")},
    **{(contract, "initialize"): "called in the set-up" for contract in (POOL, CLAIM, DEBT, STABLE)},
    **{(contract, "setIncentivesController"): "rewards are not modelled" for contract in (CLAIM, DEBT, STABLE)},
    (CLAIM, "rescueTokens"): "an admin's, for tokens that were sent by mistake",
    (TOKEN, "mint"): "to who calls it: tokens are issued to a user by the function that names one",
}
ALLOWANCES = "MintableERC20._allowances"
BESIDE = {
    ALLOWANCES: "what is left of an allowance without limit; no rule reads it",
    "isolation mode": "no reserve of the run has a debt ceiling",
    "siloed borrowing": "no reserve of the run is siloed",
    "price sentinel": "the run has none",
    "prices of modes of efficiency": "the mode of the run has no price source of its own",
}


def not_modelled(contracts: Mapping[str, Artifact], called: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return every function that changes something and no action calls, with the reason; and what else is left out.

    called: contract and function, by name or signature, of what actions call.
    """
    found = dict(BESIDE)
    for name, contract in contracts.items():
        for function in contract.functions():
            is_called = {(name, function.name), (name, function.signature)} & set(called)
            if function.changes and not is_called:
                found[f"{name}.{function.signature}"] = BY_NAME.get((name, function.name), BY_CONTRACT[name])
    return found
