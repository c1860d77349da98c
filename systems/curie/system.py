"""Perp Curie: model, laws, contracts of its npm package, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.deployed.curie import Curie
from marginspec.properties.deployed.curie import chapter
from marginspec.systems.curie import sources
from marginspec.systems.curie.adapter import CurieAdapter
from marginspec.systems.curie.deployment import shipped_contracts
from marginspec.systems.system import Sources, System

system = System(
    name="curie",
    model=Curie,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "curie.md",
    adapter=CurieAdapter,
    contracts=shipped_contracts,
    sources=Sources(sources.read, sources.compiled, sources.REBUILT),
    planted=ROOT / "contracts" / "planted" / "curie.toml",
)
