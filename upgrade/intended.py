"""What an upgrade is meant to change: a rule, and the effect that the change has.

A declaration covers one effect of one rule. Of two builds it covers one change: where the same effect of a rule comes
of two changes, each is declared with its own. It never covers an account that becomes bankrupt, nor a violated safety
bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.base.text import printable
from marginspec.lockstep.rules_reached import HEADING, rules_of
from marginspec.systems.system import System

Declaration = tuple[str, str, str]
"""Rule ID, effect, and the change in the words in which diff shows it, empty where none is named."""

Intended = Mapping[Declaration, str]
"""The reason for each intended change."""

Row = Mapping[str, Any]

FIELDS = ("rule", "effect", "reason")


def read_intended(file: Path, chosen: System) -> dict[Declaration, str]:
    """The intended changes of a file; BadInput says what is wrong with it, and where."""
    entries = read_toml(file)
    tables = entries.get("intended")
    if entries.keys() != {"intended"} or not isinstance(tables, list) or not tables:
        raise BadInput(f"{file}: expected [[intended]] tables, each with {', '.join(FIELDS)}, and nothing else")
    known = {found[1] for line in chosen.text().splitlines() if (found := HEADING.match(line))} | set(
        rules_of(chosen.model)
    )
    declared: dict[Declaration, str] = {}
    for number, table in enumerate(tables, 1):
        where = f"{file}: intended {number}"
        if not isinstance(table, dict) or not {"rule", "reason"} <= table.keys() <= {*FIELDS, "change"}:
            raise BadInput(f"{where}: expected {', '.join(FIELDS)}, and change where one effect has several")
        rule, reason, effect, change = table["rule"], table["reason"], table.get("effect"), table.get("change", "")
        if not isinstance(rule, str) or rule not in known:
            raise BadInput(f"{where}: {chosen.name} has no rule {printable(str(rule), 60)!r}")
        if not isinstance(reason, str) or not reason.strip():
            raise BadInput(f"{where}: say in reason why {rule} changes")
        if not isinstance(effect, str) or not effect.strip():
            raise BadInput(
                f"{where}: say in effect what the change of {rule} does, in the words in which diff shows it, e.g. "
                'effect = "stricter for the user"'
            )
        if not isinstance(change, str):
            raise BadInput(f"{where}: change is no text: give it as diff shows it after `changed:`")
        declaration = (rule, effect.strip(), change.strip())
        if declaration in declared:
            raise BadInput(f"{where}: {rule}, {printable(effect.strip(), 60)}, is declared twice")
        declared[declaration] = reason.strip()
    return declared


def judged(rule: str, effect: str, harm: str | None, declared: Intended, change: str = "") -> dict[str, Any]:
    """The fields of a row that say whether it is intended. harm: what no declaration covers."""
    reason = None if harm else declared.get((rule, effect, change))
    return {"harm": harm, "declared": reason is not None, "reason": reason}


def judge_changes(rows: Sequence[dict[str, Any]], declared: Intended) -> None:
    """Add to the differences of two builds whether they are intended: each by its change, or as the only one."""
    alike = Counter((row["rule"], row["direction"]) for row in rows)
    for row in rows:
        rule, effect, changes = row["rule"], row["direction"], _changes(row)
        if alike[rule, effect] == 1:
            changes.append("")
        named = next((change for change in changes if (rule, effect, change) in declared), None)
        row |= judged(rule, effect, row["harm"], {} if named is None else declared, named or "")


def _changes(row: Row) -> list[str]:
    """The change in the words in which it is shown, place included; none where it is not exactly that."""
    return [row["like"]] if row.get("like") and row.get("exact") else []


def stale(declared: Intended, rows: Iterable[Row]) -> list[str]:
    """What is declared and did not happen."""
    found = {(row["rule"], row["direction"], change) for row in rows for change in ("", *_changes(row))}
    return [f"{rule}, {effect}," for rule, effect, change in declared if (rule, effect, change) not in found]
