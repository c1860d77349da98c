"""What of Curie's contracts no action calls and nothing compares, and why."""

from __future__ import annotations

from collections.abc import Mapping

from marginspec.targets.evm.artifact import Artifact

# Functions that change something: the reason for all of a contract, and those that differ.
OWNERS = "the owner's, called in the set-up or never: "
INSIDE = "other contracts of Curie alone call it"
MAKERS = "makers are not modelled: no account has an order in a pool"
COLLATERAL = "collateral beside the settlement token is not modelled"
BY_CONTRACT = {
    "ClearingHouseConfig": OWNERS + "ratios do not change",
    "MarketRegistry": OWNERS + "markets and fees do not change",
    "OrderBook": INSIDE,
    "CollateralManager": OWNERS + COLLATERAL,
    "Vault": OWNERS + "how contracts are connected does not change, and none is paused",
    "InsuranceFund": OWNERS + "how contracts are connected does not change, and none is paused",
    "ClearingHouse": OWNERS + "how contracts are connected does not change, and none is paused",
    "AccountBalance": INSIDE,
    "Exchange": INSIDE,
    "BaseToken": OWNERS + "markets are not paused and closed, and base tokens are the pool's and the clearing house's",
    "QuoteToken": OWNERS + "quote tokens are the pool's and the clearing house's",
    "Pool": "the exchange and the base token alone call it",
    "Factory": "called in the set-up",
    "Token": "the vault and the insurance fund alone call it",
}
DELEGATES = "nobody trades for another"
BY_NAME = {
    "Vault": {
        **dict.fromkeys(("depositEther", "depositEtherFor", "withdrawEther", "withdrawAllEther"), COLLATERAL),
        "liquidateCollateral": COLLATERAL,
    },
    "InsuranceFund": {
        "distributeFee": "there is nobody whom the surplus of the insurance fund goes to",
        "deposit": "the owner's: deposit_for does the same for the insurance fund",
    },
    "ClearingHouse": {
        **dict.fromkeys(("addLiquidity", "removeLiquidity", "cancelExcessOrders", "cancelAllExcessOrders"), MAKERS),
        **dict.fromkeys(("uniswapV3MintCallback", "uniswapV3SwapCallback"), INSIDE),
        "openPositionFor": DELEGATES,
        "quitMarket": "no market is closed",
        "liquidate": "liquidate(address,address) is the same with a size of zero",
    },
}

# Storage that calls change and that no observation reads.
FEE_GROWTH = "OrderBook._feeGrowthGlobalX128Map"
VIRTUAL_TOKENS = "balances of QuoteToken and BaseToken"
NOT_COMPARED = {
    FEE_GROWTH: "what of fees is for makers, who are not modelled",
    VIRTUAL_TOKENS: "what the clearing house and pools have of virtual tokens, of which there are as many as it takes",
}
BESIDE = {
    "the pool": (
        "a contract of ours answers in its place: prices, averages and fills are what the run says, each order is "
        "filled whole and moves no price, so that EX_OPB, EX_TKMM, UB_UOA and partial closes are not reached"
    ),
    "several collaterals": "accounts have the settlement token alone, so that collateral is never liquidated",
    **dict.fromkeys(
        ("Vault.receive()", "ether sent to Vault.depositEther()", "ether sent to Vault.depositEtherFor(address)"),
        "ether is not modelled",
    ),
    "makers": "orders in pools, their fees and funding, and cancelling them",
    "failing feeds and tokens": "index prices always come; the token moves what it is asked to, or reverts",
    "pauses, closed markets, deadlines, delegates and relayed calls": "none takes part in a run",
}


def not_modelled(contracts: Mapping[str, Artifact], called: Mapping[str, set[str]]) -> dict[str, str]:
    """Return every function that changes something and no action calls, with the reason; and what else is left out.

    called: the functions that actions call, by contract.
    """
    found = {**NOT_COMPARED, **BESIDE}
    for name, contract in contracts.items():
        for function in contract.functions():
            if function.changes and not {function.name, function.signature} & called[name]:
                reasons = BY_NAME.get(name, {})
                found[f"{name}.{function.signature}"] = reasons.get(function.name, BY_CONTRACT[name])
    return found
