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
