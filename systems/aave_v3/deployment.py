"""The contracts of Aave v3 on a chain: a pool with its libraries, three reserves, and the package's oracle and tokens.

Set up without proxies: pool and tokens are initialised themselves, and an account of the run is the configurator.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marginspec.model.deployed.aave_v3.notation import RAY, Asset, Preset
from marginspec.model.deployed.aave_v3.parameters import (
    ASSETS,
    CURVES,
    DECIMALS,
    EFFICIENCY,
    MAJORS,
    MODES,
    PRESETS,
    Terms,
    terms_of,
)
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain
from marginspec.targets.evm.interface import Interface, LiveContract
from marginspec.targets.evm.tables import DEPLOYER

PACKAGE = "@aave/core-v3"
POOL, ORACLE, PROVIDER = "Pool", "PriceOracle", "PoolAddressesProvider"
TOKEN, CLAIM, DEBT, STABLE, STRATEGY = (
    *("MintableERC20", "AToken", "VariableDebtToken", "StableDebtToken"),
    "DefaultReserveInterestRateStrategy",
)
LIBRARIES = {
    f"{name}Logic": f"0x{number:040x}"
    for number, name in enumerate(
        ("Borrow", "Bridge", "EMode", "FlashLoan", "Liquidation", "Pool", "Supply"), 0xAA << 152
    )
}
"""The addresses that shipped bytecode, and a candidate build, is linked with; a run puts those of its own there."""

CONTRACTS = (*LIBRARIES, POOL, PROVIDER, CLAIM, DEBT, STABLE, STRATEGY, ORACLE, TOKEN)
LAID_OUT = (POOL, CLAIM, DEBT, ORACLE, TOKEN)
ZERO = "0x" + "00" * 20
WITHOUT_LIMIT = 2**256 - 1

BITS = {
    **{"ltv": (0, 16), "threshold": (16, 16), "bonus": (32, 16), "decimals": (48, 8)},
    **{"is_active": (56, 1), "is_frozen": (57, 1), "is_borrowable": (58, 1), "is_paused": (60, 1)},
    **{"reserve_factor": (64, 16), "borrow_cap": (80, 36), "supply_cap": (116, 36)},
    **{"protocol_fee": (152, 16), "mode": (168, 8)},
}
"""First bit and number of bits of the terms of a reserve, in one word."""


def asset_key(kind: str, asset: str) -> str:
    """The name of a token of a reserve among what is deployed."""
    return f"{kind} {asset}"


@functools.cache
def document() -> dict[str, Any]:
    """Return what `tools/contracts_aave_v3.py` wrote: contracts and layouts of storage."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("contracts.json").read_text(encoding="utf-8"))
    return found


@functools.cache
def shipped_contracts() -> dict[str, Artifact]:
    """Return the contracts of npm package `PACKAGE`."""
    built = document()["contracts"]
    return {name: artifact(name, built[name], f"{PACKAGE}:{name}") for name in CONTRACTS}


def word_of(given: Terms, decimals: int) -> int:
    """Return the word that the pool keeps for the terms of a reserve."""
    values = {name: getattr(given, name) for name in BITS if name not in ("decimals", "mode")}
    values |= {"decimals": decimals, "mode": MODES.index(given.mode)}
    return sum(int(value) << BITS[name][0] for name, value in values.items())


def words() -> dict[Asset, dict[Preset, int]]:
    """Return the word of each preset of each asset."""
    return {asset: {p: word_of(terms_of(asset, p), DECIMALS[asset]) for p in PRESETS} for asset in ASSETS}


class Deployment:
    """Contracts as they are put on a chain; `found` has them by name, of an asset as `asset_key` says."""

    def __init__(self, chain: Chain, contracts: Mapping[str, Artifact], treasury: str, configurator: str) -> None:
        self._chain, self._treasury, self._configurator = chain, treasury, configurator
        self.contracts = dict(contracts)
        self.found: dict[str, LiveContract] = {}
        # In their order, in which each has what it is linked with before it.
        for name in (*LIBRARIES, ORACLE):
            self._put(name, name)
        self._put(PROVIDER, PROVIDER, "run", DEPLOYER)
        self._pool()
        for asset in ASSETS:
            self._list(asset)

    def _put(self, key: str, name: str, *arguments: Any) -> str:
        """Deploy a contract, linked with the libraries that are there."""
        code = self.contracts[name].bytecode
        for library, placeholder in LIBRARIES.items():
            if library in self.found:
                own = bytes.fromhex(self.found[library].address[2:])
                code = code.replace(bytes.fromhex(placeholder[2:]), own)
        self.contracts[name] = replace(self.contracts[name], bytecode=code)
        interface = Interface(self.contracts[name])
        address = self._chain.deploy(DEPLOYER, interface.creation(*arguments))
        self.found[key] = LiveContract(self._chain, interface, address)
        return address

    def _pool(self) -> None:
        """The pool and its configurator; its modes of efficiency; the token of stable debt."""
        provider = self.found[PROVIDER]
        pool = self._put(POOL, POOL, provider.address)
        for name, address in (
            ("POOL", pool),
            ("POOL_CONFIGURATOR", self._configurator),
            ("PRICE_ORACLE", self.found[ORACLE].address),
        ):
            provider.transact(DEPLOYER, "setAddress", name.encode().ljust(32, b"\0"), address)
        self.found[POOL].transact(DEPLOYER, "initialize", provider.address)
        category = EFFICIENCY[MAJORS]
        given = (category.ltv, category.threshold, category.bonus, ZERO, str(MAJORS))
        self.found[POOL].transact(self._configurator, "configureEModeCategory", MODES.index(MAJORS), given)
        self._put(STABLE, STABLE, pool)

    def _list(self, asset: Asset) -> None:
        """A reserve: its token, claims, debts and rates."""
        pool, decimals, curve = self.found[POOL], DECIMALS[asset], CURVES[asset]
        token = self._put(asset_key(TOKEN, asset), TOKEN, asset, asset, decimals)
        named = (ZERO, decimals, asset, asset, b"")
        claim = self._put(asset_key(CLAIM, asset), CLAIM, pool.address)
        self.found[asset_key(CLAIM, asset)].transact(
            DEPLOYER, "initialize", pool.address, self._treasury, token, *named
        )
        debt = self._put(asset_key(DEBT, asset), DEBT, pool.address)
        self.found[asset_key(DEBT, asset)].transact(DEPLOYER, "initialize", pool.address, token, *named)
        rates = (*curve.flatten()[:6], curve.stable_offset, 0, RAY // 5)
        strategy = self._put(asset_key(STRATEGY, asset), STRATEGY, self.found[PROVIDER].address, *rates)
        stable = self.found[STABLE].address
        pool.transact(self._configurator, "initReserve", token, claim, stable, debt, strategy)
        pool.transact(self._configurator, "setConfiguration", token, (words()[asset][PRESETS[0]],))
