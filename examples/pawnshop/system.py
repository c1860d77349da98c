"""Where marginspec finds everything about Pawnshop: it imports this file and takes `system`.

The first five every system has. Each of the others lets verbs do more: see `marginspec.systems.System`.
"""

from pathlib import Path

from marginspec.systems import Ability, Equivalence, Naming, Sources, System
from marginspec.targets.evm.vyper import compile_files

from .adapter import CONTRACTS, PawnshopAdapter, shipped_contracts
from .book import SAMPLE, read
from .laws import chapter
from .model import Pawnshop
from .view import PARTIES, Pawns

HERE = Path(__file__).parent

system = System(
    name="pawnshop",
    model=Pawnshop,
    chapter=chapter,
    spec=HERE / "spec.md",
    adapter=PawnshopAdapter,
    contracts=shipped_contracts,
    naming=Naming(labels={"token": ["coin", "cash"], "pawnshop": ["pawnshop"]}),
    sources=Sources(
        read=lambda: {path.name: path.read_text() for path in sorted(CONTRACTS.glob("*.vy"))},
        compile=lambda files: compile_files(files, ("pawnshop", "token")),
        contracts=("pawnshop",),
    ),
    planted=HERE / "planted.toml",
    parties=PARTIES,
    view=Pawns(),
    abilities={"liquidate": Ability("forfeit", "not forfeit", "LIQ-2", "liquidation is refused")},
    book=read,
    sample=SAMPLE,
    equivalence=Equivalence(
        assumed={
            "all coins, and all cash, are at most 2^128 base units": lambda shop: [
                sum(held.values()) <= 2**128 for held in (shop.coin, shop.cash)
            ],
            "debts and losses are at most 2^200 base units": lambda shop: [
                shop.total_debt <= 2**200,
                shop.written_off <= 2**200,
            ],
        }
    ),
)
