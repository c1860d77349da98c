"""The contracts of Curie on a chain: its own from its npm package, and ours in the place of what it leaves to others.

The package is under the GPL, so that nothing of it travels with marginspec: `make packages` fetches it, by its digest.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import Market
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain
from marginspec.targets.evm.fetched import fetched_folder
from marginspec.targets.evm.interface import Interface, LiveContract
from marginspec.targets.evm.tables import DEPLOYER
from marginspec.targets.evm.vyper import Layout, compile_folder

PACKAGE = "perp-curie-contract-2.8.4"
POOL, FACTORY, TOKEN = "Pool", "Factory", "Token"
QUOTE, BASE = "QuoteToken", "BaseToken"
VAULT, FUND, HOUSE, ACCOUNTS, EXCHANGE = "Vault", "InsuranceFund", "ClearingHouse", "AccountBalance", "Exchange"
CONTRACTS = (
    *("ClearingHouseConfig", "MarketRegistry", "OrderBook", "CollateralManager"),
    *(VAULT, FUND, HOUSE, ACCOUNTS, EXCHANGE, BASE, QUOTE),
)

MARKETS: tuple[Market, ...] = Curie.universe[Market]
ATTEMPTS = 64
"""So often a base token is deployed until its address is below that of the quote token: half of them are."""


def key_of(kind: str, market: str) -> str:
    """Return the name of a contract of a market among what is deployed."""
    return f"{kind} {market}"


def own_contracts() -> tuple[dict[str, Artifact], dict[str, Layout]]:
    """Return the contracts of ours, and the layouts of their storage."""
    return compile_folder(Path(__file__).with_name("contracts"))


@functools.cache
def shipped_contracts() -> dict[str, Artifact]:
    """Return the contracts of the package, and ours beside them. Raises BadInput: the package is not fetched."""
    folder = fetched_folder(PACKAGE) / "artifacts" / "contracts"
    built = {name: json.loads((folder / f"{name}.sol" / f"{name}.json").read_text("utf-8")) for name in CONTRACTS}
    return {name: artifact(name, data, f"{PACKAGE}:{name}") for name, data in built.items()} | own_contracts()[0]


class CurieDeployment:
    """Contracts as they are put on a chain; `found` has them by name, of a market as `key_of` says."""

    def __init__(self, chain: Chain, contracts: Mapping[str, Artifact]) -> None:
        self._chain, self._contracts = chain, contracts
        self.found: dict[str, LiveContract] = {}
        self._alone()
        self._connect()
        for market in MARKETS:
            self._open(market)

    def _put(self, key: str, name: str, *arguments: Any) -> str:
        """Deploy a contract, and initialise it with the arguments, if any."""
        interface = Interface(self._contracts[name])
        address = self._chain.deploy(DEPLOYER, interface.creation())
        self.found[key] = LiveContract(self._chain, interface, address)
        if arguments:
            self.found[key].transact(DEPLOYER, "initialize", *arguments)
        return address

    def _alone(self) -> None:
        """The contracts that are there once, each with those that it is told of before it."""
        token, factory = self._put(TOKEN, TOKEN), self._put(FACTORY, FACTORY)
        quote = self._put(QUOTE, QUOTE, "vUSD", "vUSD")
        config = self._put("ClearingHouseConfig", "ClearingHouseConfig")
        self.found["ClearingHouseConfig"].transact(DEPLOYER, "initialize")
        registry = self._put("MarketRegistry", "MarketRegistry", factory, quote)
        orders = self._put("OrderBook", "OrderBook", registry)
        fund = self._put(FUND, FUND, token)
        exchange = self._put(EXCHANGE, EXCHANGE, registry, orders, config)
        self.found["OrderBook"].transact(DEPLOYER, "setExchange", exchange)
        accounts = self._put(ACCOUNTS, ACCOUNTS, config, orders)
        vault = self._put(VAULT, VAULT, fund, config, accounts, exchange)
        terms = (5, 750_000, 500_000, 2_000, 30_000, 10_000 * 10**6, 500 * 10**6)
        self._put("CollateralManager", "CollateralManager", config, vault, *terms)
        self._put(HOUSE, HOUSE, config, vault, quote, factory, exchange, accounts, fund)

    def _connect(self) -> None:
        """Let the contracts know each other."""
        address = {name: each.address for name, each in self.found.items()}
        self.found[VAULT].transact(DEPLOYER, "setCollateralManager", address["CollateralManager"])
        self.found[FUND].transact(DEPLOYER, "setVault", address[VAULT])
        self.found[EXCHANGE].transact(DEPLOYER, "setAccountBalance", address[ACCOUNTS])
        self.found[ACCOUNTS].transact(DEPLOYER, "setVault", address[VAULT])
        for name in (VAULT, "MarketRegistry", "OrderBook", EXCHANGE, ACCOUNTS):
            self.found[name].transact(DEPLOYER, "setClearingHouse", address[HOUSE])
        self.found[QUOTE].transact(DEPLOYER, "mintMaximumTo", address[HOUSE])
        self.found[QUOTE].transact(DEPLOYER, "addWhitelist", address[HOUSE])
        cap = Curie.blank().settings.balance_cap
        self.found["ClearingHouseConfig"].transact(DEPLOYER, "setSettlementTokenBalanceCap", cap)

    def _open(self, market: Market) -> None:
        """A market: its pool and feed, its base token, its fees."""
        settings, house = Curie.blank().settings, self.found[HOUSE].address
        pool, base = self._put(key_of(POOL, market), POOL), self._below(key_of(BASE, market))
        live, quote = self.found[key_of(POOL, market)], self.found[QUOTE]
        live.transact(DEPLOYER, "setTokens", base, quote.address)
        live.transact(DEPLOYER, "setPrices", 0, 0, 0, 0, 2**96)
        token = self.found[key_of(BASE, market)]
        token.transact(DEPLOYER, "initialize", market, market, pool)
        token.transact(DEPLOYER, "mintMaximumTo", house)
        for each, holder in ((token, house), (token, pool), (quote, pool)):
            each.transact(DEPLOYER, "addWhitelist", holder)
        self.found[FACTORY].transact(DEPLOYER, "setPool", base, pool)
        registry, exchange = self.found["MarketRegistry"], self.found[EXCHANGE]
        registry.transact(DEPLOYER, "addPool", base, settings.uniswap_fee)
        registry.transact(DEPLOYER, "setFeeRatio", base, settings.exchange_fee)
        registry.transact(DEPLOYER, "setInsuranceFundFeeRatio", base, settings.insurance_fee)
        exchange.transact(DEPLOYER, "setMaxTickCrossedWithinBlock", base, settings.max_ticks)

    def _below(self, key: str) -> str:
        """A base token whose address is below that of the quote token."""
        for _ in range(ATTEMPTS):
            base = self._put(key, BASE)
            if int(base, 16) < int(self.found[QUOTE].address, 16):
                return base
        raise AssertionError("no address below that of the quote token")
