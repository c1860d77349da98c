"""What the verbs write with `--json`; `documents.schema.json` of the reports says what each has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
"""A JSON document, or an object in one."""


def is_noticed(bug: Document) -> bool:
    """Whether anything noticed a planted bug: the lock-step run, or a law on what the implementation alone shows."""
    return bool(bug.get("killed_by", bug["passed"]))
