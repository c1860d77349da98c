"""What proofs about Lyra v1 are limited to, and what they are not."""

from __future__ import annotations

from marginspec.model.deployed.lyra_v1.ledger import (
    FAR,
    FAR_LOW,
    NEAR,
    NEAR_HIGH,
    NEAR_LOW,
    NOBODY,
    BoardId,
    Holder,
    PositionId,
    StrikeId,
    Trader,
)
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope, pinned

BOUNDS = (
    "any amounts, prices, volatilities, rates, parameters and times within the widths of their types; two traders, two "
    "positions, two boards with three strikes"
)

TRADERS = tuple(Trader(Holder(name)) for name in ("actor", "other"))
HERE, ELSEWHERE = PositionId("here"), PositionId("elsewhere")

SCOPE = Scope(
    keys={
        **LyraV1.universe,
        Holder: (NOBODY, *TRADERS),
        Trader: TRADERS,
        BoardId: (NEAR, FAR),
        StrikeId: (NEAR_LOW, NEAR_HIGH, FAR_LOW),
        PositionId: (HERE, ELSEWHERE),
    },
    fixed={
        "strike_terms[near low].board": pinned(NEAR, why="a deployment lists each strike on one board"),
        "strike_terms[near high].board": pinned(NEAR, why="a board has any number of strikes; here two and one"),
        "strike_terms[far low].board": pinned(FAR, why="a deployment lists each strike on one board"),
    },
    alike=(TRADERS,),
)

chapter = Chapter(BOUNDS, SCOPE)
