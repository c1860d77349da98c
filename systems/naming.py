"""What people call the contracts of a system, so that a trace can be told of them by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from marginspec.model.kernel.machine import Call


@dataclass(frozen=True)
class Naming:
    """What people call what an adapter deploys.

    labels: of the contracts that are created, by the name of what they are created of, in that order. behind: contracts
    that another one runs on its own state. structs: name and call whose first argument is the struct of that name.
    """

    labels: Mapping[str, Sequence[str]]
    behind: Mapping[str, str] = field(default_factory=dict)
    structs: Mapping[str, Call] = field(default_factory=dict)
