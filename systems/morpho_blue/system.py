"""Morpho Blue: model, laws, contracts from its npm package, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.deployed.morpho_blue import NO_IRM, Irm, MarketId, MorphoBlue, Token
from marginspec.model.kernel.machine import Call
from marginspec.properties.deployed.morpho_blue import chapter
from marginspec.systems.morpho_blue.adapter import PACKAGE, MorphoBlueAdapter, shipped_contracts
from marginspec.systems.morpho_blue.book import read
from marginspec.systems.morpho_blue.bounds import judgements, totals
from marginspec.systems.morpho_blue.equivalence import EQUIVALENCE
from marginspec.systems.morpho_blue.roles import PARTIES
from marginspec.systems.morpho_blue.sample import SAMPLE
from marginspec.systems.morpho_blue.sdk_target import SdkTarget
from marginspec.systems.morpho_blue.view import Lending
from marginspec.systems.naming import Naming
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability
from marginspec.targets.evm.build import compile_solidity, package, sources_of

_IDS = MorphoBlue.universe

system = System(
    name="morpho-blue",
    model=MorphoBlue,
    chapter=chapter,
    spec=ROOT / "spec" / "deployed" / "morpho-blue.md",
    adapter=MorphoBlueAdapter,
    targets={"sdk": SdkTarget},
    contracts=shipped_contracts,
    naming=Naming(
        labels={
            "Morpho": ["morpho"],
            "ERC20Mock": [f"token{token}" for token in _IDS[Token]],
            "OracleMock": [f"oracle{market}" for market in _IDS[MarketId]],
            "IrmMock": [f"{irm}Irm" for irm in _IDS[Irm] if irm != NO_IRM],
        },
        structs={f"market{m}": Call("accrue_interest", {"caller": "owner", "market": m}) for m in _IDS[MarketId]},
    ),
    sources=Sources(lambda: sources_of(package(PACKAGE)), compile_solidity, ("Morpho",)),
    planted=ROOT / "contracts" / "planted" / "morpho-blue.toml",
    parties=PARTIES,
    view=Lending(),
    abilities={"liquidate": Ability("liquidatable", "not liquidatable", "LIQ-2", "liquidation is refused")},
    book=read,
    sample=SAMPLE,
    judgements=judgements,
    totals=totals,
    equivalence=EQUIVALENCE,
)
