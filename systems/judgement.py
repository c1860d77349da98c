"""What a live book must satisfy besides the invariants: bounds on what is stored, and totals of what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """A bound on what is stored. left must be at most right."""

    rule: str
    subject: str
    text: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.left <= self.right


@dataclass(frozen=True)
class Total:
    """A total that the contract keeps, and the sum of what was read of it.

    law: the invariant by which they are equal, and case: of which it speaks; empty where it may be more, by what was
    sent unasked.
    """

    law: str
    case: tuple[Any, ...]
    what: str
    total: int
    read: int

    @property
    def missing(self) -> int:
        """What belongs to accounts that were not read. Negative: more was read than there is."""
        return self.total - self.read if self.law else 0
