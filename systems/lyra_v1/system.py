"""Lyra v1: model, laws, contracts from its npm package, and all that the verbs know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marginspec.base.package import ROOT
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.deployed.lyra_v1 import chapter
from marginspec.systems.lyra_v1.adapter import LyraV1Adapter, shipped_contracts
from marginspec.systems.lyra_v1.view import Shorts
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability

PLANTED = ("BlackScholes", "OptionGreekCache", "OptionToken")


def _bytecode() -> dict[str, str]:
    """What planted bugs change: the creation code of contracts, in hexadecimal."""
    return {f"{name}.hex": shipped_contracts()[name].bytecode.hex() for name in PLANTED}


def _built(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Contracts of creation code that was changed."""
    return {name: {"abi": shipped_contracts()[name].abi, "bytecode": files[f"{name}.hex"]} for name in PLANTED}


system = System(
    name="lyra-v1",
    model=LyraV1,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "lyra-v1.md",
    adapter=LyraV1Adapter,
    contracts=shipped_contracts,
    sources=Sources(_bytecode, _built, PLANTED),
    planted=ROOT / "contracts" / "planted" / "lyra-v1.toml",
    view=Shorts(),
    abilities={"liquidate": Ability("liquidatable", "not liquidatable", "LIQ-3", "liquidation is refused")},
)
