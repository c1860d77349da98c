"""The reference venue: model, laws, contracts in Vyper, and all that the verbs know of it."""

from __future__ import annotations

from marginspec.base.package import ROOT
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import AssetId, SourceId, TokenId
from marginspec.properties.reference import chapter
from marginspec.systems.naming import Naming
from marginspec.systems.reference import build
from marginspec.systems.reference.adapter import ReferenceAdapter, shipped_contracts
from marginspec.systems.reference.book import read
from marginspec.systems.reference.bounds import judgements
from marginspec.systems.reference.equivalence import EQUIVALENCE
from marginspec.systems.reference.roles import PARTIES
from marginspec.systems.reference.sample import SAMPLE
from marginspec.systems.reference.view import Venue
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability

_IDS = Reference.universe

system = System(
    name="reference",
    model=Reference,
    chapter=chapter,
    spec=ROOT / "spec" / "reference",
    adapter=ReferenceAdapter,
    contracts=lambda: shipped_contracts()[0],
    naming=Naming(
        labels={
            "token": [f"token{token}" for token in _IDS[TokenId]],
            "feed": [f"feed{asset}{source.capitalize()}" for asset in _IDS[AssetId] for source in _IDS[SourceId]],
            "keeper": ["keeper"],
            "resolution": ["resolution"],
            "venue": ["venue"],
        },
        behind={"venue": "resolution"},
    ),
    sources=Sources(build.sources, build.compile_vyper, ("venue", "resolution")),
    planted=ROOT / "contracts" / "planted" / "reference.toml",
    parties=PARTIES,
    view=Venue(),
    abilities={
        "liquidate": Ability("liquidatable", "not liquidatable", "LIQ-5", "liquidation is refused"),
        "seize_collateral": Ability("seizable", "not seizable", "LIQ-15", "seizure is refused"),
    },
    book=read,
    sample=SAMPLE,
    judgements=judgements,
    equivalence=EQUIVALENCE,
)
