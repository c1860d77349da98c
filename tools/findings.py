"""`python -m tools.findings FOLDER`: the shortest trace of every difference that Morpho's SDK declares.

A run with one declaration withheld diverges there and nowhere else; its trace, shrunk, is kept as `FOLDER/ID.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.base.process import HOLDS
from marginspec.lockstep.campaign import run
from marginspec.lockstep.trace import Trace, write
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, Machine, Outcome
from marginspec.systems.morpho_blue.sdk_target import DIFFERENCES, SdkTarget
from marginspec.targets.protocol import Answer, Declared

STEPS = 20_000
SEEDS = range(1, 9)


class Withholding(SdkTarget):
    """The SDK with one difference not declared."""

    def __init__(self, withheld: str) -> None:
        super().__init__()
        self.name = "sdk"
        self._withheld = withheld

    def declared(
        self,
        before: Machine,
        call: Call,
        outcome: Outcome,
        answer: Answer,
        fields: Mapping[str, tuple[Any, Any]],
    ) -> Declared | None:
        found = super().declared(before, call, outcome, answer, fields)
        return None if found is None or found.id == self._withheld else found


def record(folder: Path) -> int:
    """Find and write every trace."""
    for declared, _ in DIFFERENCES:
        trace = shortest(declared.id)
        write(MorphoBlue, trace, folder).replace(folder / f"{declared.id}.json")
        print(f"{declared.id}: {', '.join(call.action for call in trace.calls)}")
    return HOLDS


def shortest(withheld: str) -> Trace:
    """The shortest trace of one declared difference, of several runs: shrinking can end in a dead end."""
    target = Withholding(withheld)
    traces: list[Trace] = []
    try:
        with process.progress(f"looking for {withheld}", len(SEEDS)) as advance:
            for number, seed in enumerate(SEEDS, 1):
                traces += [found.trace for found in run(MorphoBlue, target, STEPS, seed).divergences]
                advance(number)
    finally:
        target.close()
    if not traces:
        raise BadInput(f"{withheld} is declared, but {STEPS:,} steps do not meet it: is it still a difference?")
    return min(traces, key=len)


def main() -> None:
    """Record into the folder that is named."""
    process.run(lambda: record(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
