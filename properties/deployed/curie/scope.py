"""What proofs about Curie are limited to, and what they are not."""

from __future__ import annotations

from marginspec.model.deployed.curie.notation import INSURANCE, Account, Level, Market, User
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

BOUNDS = (
    "any amounts, sizes, prices, funding and times, for which no width of the contracts is too narrow; any ratios, "
    "fees and prices of ticks; two markets and two accounts beside the insurance fund"
)

ACTOR, OTHER = (User(Account(name)) for name in ("actor", "other"))
USERS = (ACTOR, OTHER)
MARKETS = (Market("first"), Market("second"))

LEVELS = (Level("low"), Level("high"))

SCOPE = Scope(
    keys={User: USERS, Account: (*USERS, INSURANCE), Market: MARKETS, Level: LEVELS},
    alike=(USERS, MARKETS, LEVELS),
)

chapter = Chapter(BOUNDS, SCOPE)
