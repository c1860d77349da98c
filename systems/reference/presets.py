"""Parameter files of the reference venue: `spec/presets/*.toml`, or a file of the same form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import PPM, AssetId, MarketId, ParameterId
from marginspec.model.reference.presets import Preset

TERMS = ("delta", "slope")


def load_preset(file: Path) -> Preset:
    """A preset from a file; BadInput says what is wrong with it, and where."""
    document = read_toml(file)
    universe = Reference.universe
    _only(document, ("markets", "assets"), str(file))
    markets = _tables(document, "markets", universe[MarketId], (*TERMS, *universe[ParameterId]), file)
    assets = _tables(document, "assets", universe[AssetId], ("minimum_haircut",), file)
    return Preset(
        {MarketId(m): {ParameterId(n): v for n, v in t.items() if n not in TERMS} for m, t in markets.items()},
        {MarketId(m): t["delta"] for m, t in markets.items()},
        {MarketId(m): t["slope"] for m, t in markets.items()},
        {AssetId(a): t["minimum_haircut"] for a, t in assets.items()},  # type: ignore[arg-type]
    )


def _tables(
    document: Mapping[str, Any], kind: str, names: tuple[str, ...], keys: tuple[str, ...], file: Path
) -> dict[str, dict[str, int]]:
    tables = document[kind]
    _only(tables, names, f"{file}: [{kind}]")
    for name, table in tables.items():
        _only(table, keys, f"{file}: [{kind}.{name}]")
        for key, value in table.items():
            if type(value) is not int or not 0 <= value <= PPM:
                raise BadInput(f"{file}: [{kind}.{name}] {key} = {value!r}: expected ppm, an integer from 0 to {PPM}")
    return {name: dict(tables[name]) for name in names}


def _only(table: Any, keys: tuple[str, ...], where: str) -> None:
    """Exactly these keys."""
    if not isinstance(table, dict):
        raise BadInput(f"{where}: expected a table")
    if missing := [key for key in keys if key not in table]:
        raise BadInput(f"{where}: {missing[0]} is missing")
    if unknown := [key for key in table if key not in keys]:
        raise BadInput(f"{where}: unknown entry {unknown[0]!r}; known are {', '.join(keys)}")
