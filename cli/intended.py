"""What an upgrade is meant to change: a rule, and the effect that the change has.

A declaration covers one effect of one rule. It never covers an account that becomes bankrupt, nor a violated safety
bound.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from marginspec.cli.systems import System
from marginspec.cli.traceability import HEADING
from marginspec.differential.coverage import rules_of
from marginspec.targets.evm.reasons import printable
from marginspec.targets.protocol import BadInput

Intended = Mapping[tuple[str, str], str]
"""The reason for each intended change, by rule ID and effect."""

Row = Mapping[str, Any]

FIELDS = ("rule", "effect", "reason")


def read_intended(file: Path, chosen: System) -> dict[tuple[str, str], str]:
    """The intended changes of a file; BadInput says what is wrong with it, and where."""
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise BadInput(f"{file}: not TOML: {error}") from None
    tables = entries.get("intended")
    if entries.keys() != {"intended"} or not isinstance(tables, list) or not tables:
        raise BadInput(f"{file}: expected [[intended]] tables, each with {', '.join(FIELDS)}, and nothing else")
    known = {found[1] for line in chosen.text().splitlines() if (found := HEADING.match(line))} | set(
        rules_of(chosen.model)
    )
    declared: dict[tuple[str, str], str] = {}
    for number, table in enumerate(tables, 1):
        where = f"{file}: intended {number}"
        if not isinstance(table, dict) or not {"rule", "reason"} <= table.keys() <= set(FIELDS):
            raise BadInput(f"{where}: expected {', '.join(FIELDS)}")
        rule, reason, effect = table["rule"], table["reason"], table.get("effect")
        if not isinstance(rule, str) or rule not in known:
            raise BadInput(f"{where}: {chosen.name} has no rule {printable(str(rule), 60)!r}")
        if not isinstance(reason, str) or not reason.strip():
            raise BadInput(f"{where}: say in reason why {rule} changes")
        if not isinstance(effect, str) or not effect.strip():
            raise BadInput(
                f"{where}: say in effect what the change of {rule} does, in the words in which diff shows it, e.g. "
                'effect = "stricter for the user"'
            )
        if (rule, effect.strip()) in declared:
            raise BadInput(f"{where}: {rule}, {printable(effect.strip(), 60)}, is declared twice")
        declared[rule, effect.strip()] = reason.strip()
    return declared


def judged(rule: str, effect: str, harm: str | None, declared: Intended) -> dict[str, Any]:
    """The fields of a row that say whether it is intended. harm: what no declaration covers."""
    intended = harm is None and (rule, effect) in declared
    return {"harm": harm, "declared": intended, "reason": declared[rule, effect] if intended else None}


def stale(declared: Intended, rows: Iterable[Row]) -> list[str]:
    """What is declared and did not happen."""
    found = {(row["rule"], row["direction"]) for row in rows}
    return [f"{rule}, {effect}," for rule, effect in declared if (rule, effect) not in found]
