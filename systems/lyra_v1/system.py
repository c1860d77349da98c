"""Lyra v1: model, laws, contracts from its npm package, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.deployed.lyra_v1 import chapter
from marginspec.systems.lyra_v1.adapter import LyraV1Adapter, shipped_contracts
from marginspec.systems.system import System

system = System(
    name="lyra-v1",
    model=LyraV1,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "lyra-v1.md",
    adapter=LyraV1Adapter,
    contracts=shipped_contracts,
)
