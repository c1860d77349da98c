"""What a project demands of its gate: `[tool.marginspec]` in pyproject.toml, or marginspec.toml, of the first folder
upwards that has one.

No key lets anything pass that would not pass without it, one aside: `allow-unmodelled` names functions that no action
calls, and they are shown with every verdict. A law that is refuted, unknown, vacuous or unconfirmed, a divergence, and
an action that was not both accepted and refused, cannot be excused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.base.text import printable

FILES = ("marginspec.toml", "pyproject.toml")


@dataclass(frozen=True)
class Settings:
    """Defaults of options, and thresholds, None where a project sets none.

    file: what was read, None if nothing. steps, seed: in the place of the options that are not given. require_reach:
    every rule and regime must be reached. min_laws: so many must be proved. max_declared: at most so many kinds of
    declared differences. min_mutation_score: percent of the mutants that are not equivalent; asks for them to be tried.
    allow_unmodelled: functions that no action need call.
    """

    file: str | None = None
    steps: int = 20_000
    seed: int = 1
    require_reach: bool = False
    min_laws: int | None = None
    max_declared: int | None = None
    min_mutation_score: float | None = None
    allow_unmodelled: tuple[str, ...] = ()


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _percent(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100


KEYS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "steps": ("an integer, at least 1", _whole(1)),
    "seed": ("an integer, at least 0", _whole(0)),
    "require-reach": ("true or false", _flag),
    "min-laws": ("an integer, at least 0", _whole(0)),
    "max-declared": ("an integer, at least 0", _whole(0)),
    "allow-unmodelled": ("a list of functions, each as 'Contract.function(types)'", _texts),
    "min-mutation-score": ("a number from 0 to 100", _percent),
}


def read_settings(folder: Path) -> Settings:
    """The settings of a project, of the first folder upwards that has some.

    `BadInput` for anything in them that means nothing, and for two places of them.
    """
    for place in (folder, *folder.resolve().parents):
        named = {(file if place == folder else str(place / file)): place / file for file in FILES}
        found = {name: table for name, file in named.items() if (table := _table(file, name)) is not None}
        if found:
            break
    else:
        return Settings()
    if len(found) > 1:
        raise BadInput(f"settings stand in {' and in '.join(found)}: keep one of them")
    ((file, table),) = found.items()
    for key, value in table.items():
        if key not in KEYS:
            raise BadInput(f"{file}: unknown setting {printable(key, 60)!r}: there is {', '.join(KEYS)}")
        expected, fits = KEYS[key]
        if not fits(value):
            raise BadInput(f"{file}: {key} must be {expected}")
    values: dict[str, Any] = {k.replace("-", "_"): tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Settings(file, **values)


def _table(path: Path, called: str) -> dict[str, Any] | None:
    """The settings in a file, None if it has none. called: how it is told of."""
    if not path.exists():
        return None
    table: Any = read_toml(path, called)
    for name in () if path.name == FILES[0] else ("tool", "marginspec"):
        table = table.get(name) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise BadInput(f"{called}: tool.marginspec must be a table")
    return table
