"""What of PerpsV2's contracts no action calls and nothing compares, and why."""

from __future__ import annotations

from collections.abc import Mapping

from marginspec.targets.evm.artifact import Artifact

# Functions that change something: the reason for all of a contract, and those that differ.
OWNERS = "the owner's, called in the set-up or never: "
INSIDE = "other contracts of the market alone call it"
BY_CONTRACT = {
    "AddressResolver": OWNERS + "which contract is which does not change",
    "FlexibleStorage": "the contract of settings alone calls it, when parameters are set",
    "SystemStatus": OWNERS + "suspended markets and synths are not modelled",
    "FuturesMarketManager": OWNERS + "markets and endorsed accounts do not change",
    "PerpsV2MarketSettings": OWNERS + "setParameters sets the same",
    "ProxyPerpsV2": OWNERS + "which function is where does not change",
    "PerpsV2MarketState": INSIDE,
    "PerpsV2Market": OWNERS + "how the implementation is connected does not change",
    "PerpsV2MarketLiquidate": OWNERS + "how the implementation is connected does not change",
    "PerpsV2MarketViews": OWNERS + "how the implementation is connected does not change",
    "Surroundings": "the market and its manager alone call it",
}
TRACKED = "the same as without a tracking code, which is told in an event"
BY_FUNCTION = {
    "PerpsV2Market.recomputeFunding()": "the contract of settings alone may call it, when parameters are set",
    "PerpsV2Market.modifyPositionWithTracking(int256,uint256,bytes32)": TRACKED,
    "PerpsV2Market.closePositionWithTracking(uint256,bytes32)": TRACKED,
    "FuturesMarketManager.burnSUSD(address,uint256)": INSIDE,
    "FuturesMarketManager.issueSUSD(address,uint256)": INSIDE,
    "FuturesMarketManager.payFee(uint256)": INSIDE,
    "FuturesMarketManager.payFee(uint256,bytes32)": INSIDE,
    "ProxyPerpsV2._emit(bytes,uint256,bytes32,bytes32,bytes32,bytes32)": INSIDE,
}

# Storage that calls change and that no observation reads.
SEQUENCE = "PerpsV2MarketState._fundingSequence"
LISTS = "PerpsV2MarketState._positionAddresses and _flaggedAddresses"
SENDERS = "PerpsV2Market.messageSender and PerpsV2MarketLiquidate.messageSender"
NOT_COMPARED = {
    SEQUENCE: "of its entries those are compared that a position or the next entry starts from",
    LISTS: "lists of accounts for who reads a whole market: no rule reads them",
    SENDERS: "who called the proxy last: each call begins with writing it",
}
BESIDE = {
    "delayed orders": "orders that a keeper executes later; what they execute is the trade that is modelled",
    "failing oracles and tokens": "rates always come, flagged or not; sUSD moves what it is asked to, or reverts",
    "reclaimed sUSD": "the exchanger of the run never takes back what an account exchanged before a deposit",
}


def not_modelled(contracts: Mapping[str, Artifact], called: frozenset[str]) -> dict[str, str]:
    """Return every function that changes something and no action calls, with the reason; and what else is left out.

    called: names of the functions that actions call.
    """
    found = {**NOT_COMPARED, **BESIDE}
    for name, contract in contracts.items():
        for function in contract.functions():
            full = f"{name}.{function.signature}"
            if function.changes and function.name not in called:
                found[full] = BY_FUNCTION.get(full, BY_CONTRACT[name])
    return found
