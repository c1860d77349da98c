"""What a project demands of its gate: `[tool.marginspec]` in pyproject.toml, or marginspec.toml, of the first folder
upwards that has one.

`settings.schema.json` says what the keys are, for editors and for this module. No key lets anything pass that would not
pass without it, one aside: `allow-unmodelled` names functions that no action calls, and they are shown with every
verdict. A law that is refuted, unknown, vacuous or unconfirmed, a divergence, and an action that was not both accepted
and refused, cannot be excused here.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.base.text import printable

FILES = ("marginspec.toml", "pyproject.toml")

SCHEMA: Mapping[str, Any] = json.loads(Path(__file__).with_name("settings.schema.json").read_text(encoding="utf-8"))

KEYS: Mapping[str, Any] = SCHEMA["properties"]


@dataclass(frozen=True)
class Settings:
    """Defaults of options, and thresholds, None where a project sets none; `settings.schema.json` has their meanings.

    file: what was read, None if nothing. system: as the command line would name it from here.
    """

    file: str | None = None
    system: str | None = None
    steps: int = 20_000
    seed: int = 1
    require_reach: bool = False
    min_laws: int | None = None
    max_declared: int | None = None
    min_mutation_score: float | None = None
    equivalence: tuple[str, ...] = ()
    allow_unmodelled: tuple[str, ...] = ()
    auditor: str | None = None
    in_scope: tuple[str, ...] = ()


def read_settings(folder: Path) -> Settings:
    """Return the settings of a project, of the first folder upwards that has some.

    Raises BadInput for anything in them that means nothing, and where they stand in two places.
    """
    return _settings(*_found(folder))


def _settings(found: Path | None, table: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {k.replace("-", "_"): tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    if found is not None and "system" in values and (own := found.parent / values["system"]).is_dir():
        values["system"] = str(own)
    return Settings(None if found is None else str(found), **values)


def settings_document(folder: Path) -> dict[str, Any]:
    """Return `marginspec/config/1`: each setting that holds in a folder, and where it is from."""
    found, table = _found(folder)
    values = dataclasses.asdict(_settings(found, table))
    return {
        "schema": "marginspec/config/1",
        "file": None if found is None else str(found),
        "settings": [
            {
                "key": key,
                "value": values[key.replace("-", "_")],
                "from": str(found) if key in table else "default",
                "meaning": KEYS[key]["description"],
            }
            for key in KEYS
        ],
    }


def _found(folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """The file that holds in a folder, and its settings, checked; None and nothing where there is no such file."""
    for place in (folder, *folder.resolve().parents):
        # Files of the folder itself are told by their names alone.
        files = [Path(name) if place == folder else place / name for name in FILES]
        tables = {file: table for file in files if (table := _table(place / file.name, file)) is not None}
        if len(tables) > 1:
            raise BadInput(f"settings stand in {' and in '.join(map(str, tables))}: keep one of them")
        for file, table in tables.items():
            _check(file, table)
            return file, table
    return None, {}


def _check(file: Path, table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if key not in KEYS:
            raise BadInput(f"{file}: unknown setting {printable(key, 60)!r}: there is {', '.join(KEYS)}")
        finite = not isinstance(value, float) or math.isfinite(value)
        if not finite or not Draft202012Validator(KEYS[key]).is_valid(value):
            raise BadInput(f"{file}: {key} must be {KEYS[key]['title']}")


def _table(path: Path, called: Path) -> dict[str, Any] | None:
    """The settings in a file, None if it has none. called: how it is told of."""
    if not path.exists():
        return None
    table: Any = read_toml(path, str(called))
    for name in () if path.name == FILES[0] else ("tool", "marginspec"):
        table = table.get(name) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise BadInput(f"{called}: tool.marginspec must be a table")
    return table
