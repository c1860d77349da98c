"""PerpsV2 of Synthetix: model, laws, contracts from OP mainnet, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.properties.deployed.perps_v2 import chapter
from marginspec.systems.naming import Naming
from marginspec.systems.perps_v2 import sources
from marginspec.systems.perps_v2.adapter import PerpsV2Adapter
from marginspec.systems.perps_v2.book import SAMPLE, read
from marginspec.systems.perps_v2.bounds import judgements, totals
from marginspec.systems.perps_v2.deployment import shipped_contracts
from marginspec.systems.perps_v2.view import PARTIES, Perpetuals
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability

system = System(
    name="perps-v2",
    model=PerpsV2,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "perps-v2.md",
    adapter=PerpsV2Adapter,
    contracts=shipped_contracts,
    naming=Naming(labels={name: [name] for name in shipped_contracts()}),
    sources=Sources(sources.read, sources.compiled, sources.REBUILT),
    planted=ROOT / "contracts" / "planted" / "perps-v2.toml",
    parties=PARTIES,
    view=Perpetuals(),
    abilities={"flag_position": Ability("liquidatable", "not liquidatable", "FLG-3", "liquidation is refused")},
    book=read,
    sample=SAMPLE,
    judgements=judgements,
    totals=totals,
)
