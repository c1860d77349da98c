"""What proofs about Aave v3 are limited to, and what they are not."""

from __future__ import annotations

from marginspec.model.deployed.aave_v3.notation import (
    CONFIGURATOR,
    NO_MODE,
    TREASURY,
    Account,
    Asset,
    Mode,
    Operator,
    Preset,
    User,
)
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

BOUNDS = (
    "any amounts, prices, indices, rates and times, for which no width of the contracts is too narrow; any terms, "
    "units and curves; two reserves, two accounts and the treasury"
)

ACTOR, OTHER = (User(Account(name)) for name in ("actor", "other"))
ASSETS = (Asset("one"), Asset("another"))
MODES = (NO_MODE, Mode("some"))
PRESETS = (Preset("given"),)
OPERATORS = (CONFIGURATOR, Operator("stranger"))

SCOPE = Scope(
    keys={
        User: (ACTOR, OTHER),
        Account: (ACTOR, OTHER, TREASURY),
        Asset: ASSETS,
        Mode: MODES,
        Preset: PRESETS,
        Operator: OPERATORS,
    },
    alike=((ACTOR, OTHER), ASSETS),
)

chapter = Chapter(BOUNDS, SCOPE)
