"""Aave v3: model, laws, contracts of its npm package, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.properties.deployed.aave_v3 import chapter
from marginspec.systems.aave_v3 import sources
from marginspec.systems.aave_v3.adapter import AaveV3Adapter
from marginspec.systems.aave_v3.deployment import shipped_contracts
from marginspec.systems.aave_v3.view import PARTIES, Borrowing
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability

system = System(
    name="aave-v3",
    model=AaveV3,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "aave-v3.md",
    adapter=AaveV3Adapter,
    contracts=shipped_contracts,
    sources=Sources(sources.read, sources.compiled, sources.REBUILT),
    planted=ROOT / "contracts" / "planted" / "aave-v3.toml",
    parties=PARTIES,
    view=Borrowing(),
    abilities={"liquidate": Ability("liquidatable", "not liquidatable", "LIQ-3", "liquidation is refused")},
)
