"""The systems that the verbs know by name, and how one of the user's own is found."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from marginspec.base.errors import BadInput
from marginspec.properties.relaxation import Misused
from marginspec.prover.subset import OutsideSubset, require_subset
from marginspec.systems.system import System

NAMES = ("aave-v3", "curie", "morpho-blue", "lyra-v1", "perps-v2", "reference")
"""The systems with a folder here."""


@functools.cache
def shipped(name: str) -> System:
    """Return one of `NAMES`, loaded when it is first looked at: that takes tenths of a second."""
    found: System = importlib.import_module(f"marginspec.systems.{name.replace('-', '_')}.system").system
    return found


_WITHIN: list[System] = []
"""The systems that were looked at, each once in a process."""


def within_subset(known: System) -> None:
    """Raise BadInput where the model or a law is outside the subset of `docs/subset.md`, before anything runs."""
    if any(known is one for one in _WITHIN):
        return
    try:
        require_subset(known.model, known.chapter.properties)
    except (OutsideSubset, Misused) as found:
        raise BadInput(str(found)) from None
    _WITHIN.append(known)


def system(name: str) -> System:
    """A system by its name or, one of the user's own, by the path of its folder; BadInput says what there is."""
    if name in NAMES:
        within_subset(shipped(name))
        return shipped(name)
    if not Path(name).is_dir():
        known = ", ".join(NAMES)
        raise BadInput(f"unknown system {name!r}: known are {known}; one of your own is named by its folder")
    # Here, because it needs `System`.
    from marginspec.systems.user_system import load

    return load(name)
