"""What the verbs write with `--json`; `documents.schema.json` of the reports says what each has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
"""A JSON document, or an object in one."""


def is_noticed(bug: Document) -> bool:
    """Whether anything noticed a planted bug: the lock-step run, or a law on what the implementation alone shows."""
    return bool(bug.get("killed_by", bug["passed"]))


def is_open(entry: Document) -> bool:
    """Whether an argument, as an ABI describes it, is a list of any length, or has one in it."""
    return "[]" in entry["type"] or any(map(is_open, entry.get("components", ())))


def equivalence_text(row: Document) -> str:
    """How the bytecode of an action stands to the model, in words; what is open, of how many paths that were run."""
    if row["verdict"] != "open":
        return {"proved": "proved equal", "refuted": "different", "skipped": "skipped"}[row["verdict"]]
    paths = f": {row['open_paths']:,} of {row['paths']:,} paths" if row["open_paths"] else ""
    return f"open{paths}"
