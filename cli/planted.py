"""`python -m marginspec.cli.planted SYSTEM`: find every planted bug.

A table for people on standard error, the document `marginspec/planted/1` on standard output.
"""

from __future__ import annotations

import sys

from rich.console import Console

from marginspec.cli import process
from marginspec.differential.planted import LONGEST_TRACE, STEPS, build, hunt, load, table

SEED = 1


def find(name: str) -> int:
    """Hunt every bug; code 1 when one is not found, or not shrunk."""
    bugs, hunts = load(name), []
    with process.progress("planted bugs", len(bugs)) as advance:
        for bug in bugs:
            build(bug)
            hunts.append(hunt(bug, STEPS, SEED))
            advance(len(hunts))
    Console(stderr=True, width=None if sys.stderr.isatty() else 160).print(table(hunts))
    process.emit(
        {
            "schema": "marginspec/planted/1",
            "system": name,
            "seed": str(SEED),
            "longest_trace_allowed": LONGEST_TRACE,
            "bugs": [
                {
                    "id": each.bug.id,
                    "rule": each.bug.rule,
                    "incident": each.bug.incident,
                    "why": each.bug.why,
                    "found_after": each.found_after,
                    "trace_length": each.trace_length,
                    "divergence": {"rule": each.key[0], "field": each.key[1]},
                    "passed": each.passed,
                }
                for each in hunts
            ],
        }
    )
    return process.HOLDS if all(each.passed for each in hunts) else process.BROKEN


def main() -> None:
    """Hunt the bugs of the system that is named."""
    process.run(lambda: find(sys.argv[1]))


if __name__ == "__main__":
    main()
