"""What proofs about Lyra v1 are limited to, and what they are not."""

from __future__ import annotations

from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

BOUNDS = "x"
SCOPE = Scope(keys={**LyraV1.universe})
chapter = Chapter(BOUNDS, SCOPE)
