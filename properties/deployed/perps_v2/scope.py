"""What proofs about PerpsV2 are limited to, and what they are not."""

from __future__ import annotations

from marginspec.model.deployed.perps_v2.notation import FEE_POOL, NOBODY, Account, Preset, User
from marginspec.model.deployed.perps_v2.venue import OWNER
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

BOUNDS = (
    "any amounts, sizes, prices, funding and times, for which no width of the contract is too narrow; any parameters "
    "and settings; three accounts"
)

ACTOR, OTHER = (User(Account(name)) for name in ("actor", "other"))
USERS = (ACTOR, OTHER, OWNER)
PRESETS = (Preset("first"), Preset("second"))

SCOPE = Scope(
    keys={User: USERS, Account: (*USERS, FEE_POOL, NOBODY), Preset: PRESETS},
    alike=((ACTOR, OTHER), PRESETS),
)

chapter = Chapter(BOUNDS, SCOPE)
