"""The contracts of PerpsV2 on a chain: its own from OP mainnet, and one that stands for what it leaves to others."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marginspec.model.deployed.perps_v2.parameters import SETTINGS_OF_MAINNET, Parameters
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain
from marginspec.targets.evm.interface import Interface, LiveContract, united
from marginspec.targets.evm.tables import DEPLOYER
from marginspec.targets.evm.vyper import Layout, compile_folder

ZERO = "0x" + "00" * 20
MARKET, ASSET = (text.encode().ljust(32, b"\0") for text in ("sETHPERP", "sETH"))
SURROUNDINGS, MARKET_PROXY = "Surroundings", "market"

# What a market asks its resolver for, and who answers. The last five are one contract of ours.
RESOLVED = {
    **{name: name for name in ("FlexibleStorage", "SystemStatus", "FuturesMarketManager", "PerpsV2MarketSettings")},
    **dict.fromkeys(("ExchangeRates", "Exchanger", "FeePool", "SynthsUSD", "PerpsV2ExchangeRate"), SURROUNDINGS),
}
CACHING = ("FuturesMarketManager", "PerpsV2MarketSettings", "PerpsV2Market", "PerpsV2MarketLiquidate")

# The functions that change something, which the proxy hands on; it hands on every view, too.
ROUTES = {
    "PerpsV2Market": (
        *("transferMargin", "withdrawAllMargin", "modifyPosition", "modifyPositionWithTracking"),
        *("closePosition", "closePositionWithTracking", "recomputeFunding"),
    ),
    "PerpsV2MarketLiquidate": ("flagPosition", "liquidatePosition", "forceLiquidatePosition"),
}
OWN_VIEWS = ("owner", "nominatedOwner", "resolver", "isResolverCached", "resolverAddressesRequired", "marketState")
"""Views of the implementation itself, not of the market."""

# Parameters by their names in the contract's struct. Those of delayed orders, which are not modelled, stay zero.
PARAMETERS = {
    "takerFee": "taker_fee",
    "makerFee": "maker_fee",
    "maxLeverage": "max_leverage",
    "maxMarketValue": "max_market_value",
    "maxFundingVelocity": "max_funding_velocity",
    "skewScale": "skew_scale",
    "liquidationPremiumMultiplier": "liquidation_premium_multiplier",
    "liquidationBufferRatio": "liquidation_buffer_ratio",
    "maxLiquidationDelta": "max_liquidation_delta",
    "maxPD": "max_pd",
}


OF_ALL_MARKETS = {
    "min_initial_margin": "minInitialMargin",
    "min_keeper_fee": "minKeeperFee",
    "max_keeper_fee": "maxKeeperFee",
    "liquidation_fee_ratio": "liquidationFeeRatio",
    "keeper_liquidation_fee": "keeperLiquidationFee",
}
"""Settings of all markets, and the functions that tell them."""


@functools.cache
def document() -> dict[str, Any]:
    """Return what `tools/contracts_perps_v2.py` wrote: contracts, layout of the storage, parameters of mainnet."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("contracts.json").read_text(encoding="utf-8"))
    return found


def layout_of_surroundings() -> Layout:
    """Return the slots of the variables of our contract, by name."""
    return compile_folder(Path(__file__).with_name("contracts"))[1][SURROUNDINGS]


@functools.cache
def shipped_contracts() -> dict[str, Artifact]:
    """Return the contracts of npm package `synthetix`, and ours beside them."""
    own = compile_folder(Path(__file__).with_name("contracts"))[0]
    return {name: artifact(name, data, f"synthetix:{name}") for name, data in document()["contracts"].items()} | own


def parameters_of(settings: Interface, given: Parameters) -> tuple[Any, ...]:
    """Return parameters as `setParameters` takes them."""
    unset: dict[str, Any] = {"offchainMarketKey": bytes(32)}
    names = settings.fields("setParameters", 1)
    return tuple(getattr(given, PARAMETERS[name]) if name in PARAMETERS else unset.get(name, 0) for name in names)


def deployed(
    chain: Chain, contracts: Mapping[str, Artifact], owner: str, endorsed: str, given: Parameters
) -> dict[str, LiveContract]:
    """Put a market on a chain; the contracts by name, and `market`, the proxy with the functions behind it."""
    interfaces = {name: Interface(contract) for name, contract in contracts.items()}
    found: dict[str, LiveContract] = {}

    def put(name: str, *arguments: Any) -> str:
        address = chain.deploy(DEPLOYER, interfaces[name].creation(*arguments))
        found[name] = LiveContract(chain, interfaces[name], address)
        return address

    resolver = put("AddressResolver", owner)
    put("FlexibleStorage", resolver)
    put("SystemStatus", owner)
    for name in CACHING[:2]:
        put(name, owner, resolver)
    put(SURROUNDINGS)
    proxy = put("ProxyPerpsV2", owner)
    state = put("PerpsV2MarketState", owner, [], ASSET, MARKET, ZERO)
    implementations = [put(name, proxy, state, owner, resolver) for name in ROUTES]
    put("PerpsV2MarketViews", state, owner, resolver)
    _connect(found, owner, implementations)
    _open(found, owner, endorsed, given)
    behind = [contracts[name] for name in ("PerpsV2MarketViews", *ROUTES)]
    return {**found, MARKET_PROXY: LiveContract(chain, Interface(united("market", behind)), proxy)}


def _connect(found: Mapping[str, LiveContract], owner: str, implementations: list[str]) -> None:
    """Let the contracts know each other."""
    found["PerpsV2MarketState"].transact(owner, "addAssociatedContracts", implementations)
    found["PerpsV2MarketState"].transact(owner, "linkOrInitializeState")
    names = [name.encode().ljust(32, b"\0") for name in RESOLVED]
    found["AddressResolver"].transact(
        owner, "importAddresses", names, [found[name].address for name in RESOLVED.values()]
    )
    for name in (*CACHING, "PerpsV2MarketViews"):
        found[name].transact(owner, "rebuildCache")
    proxy = found["ProxyPerpsV2"]
    for name in ("PerpsV2MarketViews", *ROUTES):
        for function in found[name].interface.functions():
            is_routed = function.name in ROUTES[name] if name in ROUTES else function.name not in OWN_VIEWS
            if is_routed and (name in ROUTES or not function.changes):
                proxy.transact(owner, "addRoute", function.selector, found[name].address, name not in ROUTES)


def _open(found: Mapping[str, LiveContract], owner: str, endorsed: str, given: Parameters) -> None:
    """Register the market, which asks its views, and set what mainnet had set."""
    manager, settings = found["FuturesMarketManager"], found["PerpsV2MarketSettings"]
    manager.transact(owner, "addProxiedMarkets", [found["ProxyPerpsV2"].address])
    manager.transact(owner, "addEndorsedAddresses", [endorsed])
    for function, value in (
        ("setMaxKeeperFee", SETTINGS_OF_MAINNET.max_keeper_fee),
        ("setMinInitialMargin", SETTINGS_OF_MAINNET.min_initial_margin),
        ("setMinKeeperFee", SETTINGS_OF_MAINNET.min_keeper_fee),
        ("setLiquidationFeeRatio", SETTINGS_OF_MAINNET.liquidation_fee_ratio),
        ("setKeeperLiquidationFee", SETTINGS_OF_MAINNET.keeper_liquidation_fee),
    ):
        settings.transact(owner, function, value)
    settings.transact(owner, "setParameters", MARKET, parameters_of(settings.interface, given))
