"""`python -m marginspec.cli.bench SYSTEM`: how fast, and how much memory, as ratios within one run."""

from __future__ import annotations

import os
import sys
import time

from rich.console import Console
from rich.table import Table

from marginspec.cli.systems import system
from marginspec.differential import bench
from marginspec.prover.prove import Prover, prove_all


def main() -> None:
    """Measure and print one table."""
    chosen = system(sys.argv[1] if len(sys.argv) > 1 else "morpho-blue")
    table = Table(title=f"marginspec bench {chosen.name}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    measured = bench.measure(chosen.adapter({}), steps=100_000, seed=1)
    table.add_row("differential steps/s (processor time)", f"{measured.loop_rate:,.0f}")
    table.add_row("the same calls on bare pyrevm, pre-encoded, steps/s", f"{measured.raw_rate:,.0f}")
    table.add_row("ratio", f"{measured.ratio:.2f}")
    table.add_row("peak memory", f"{measured.peak / 2**20:,.0f} MiB")
    table.add_row("memory of a million steps, from the slope", f"{measured.peak_of_a_million / 2**20:,.0f} MiB")
    started = time.perf_counter()
    verdicts = list(prove_all(Prover(chosen.model), chosen.chapter.properties, os.cpu_count() or 1))
    proved = sum(v.verdict == "proved" for v in verdicts)
    table.add_row(f"proofs ({proved} of {len(verdicts)} proved)", f"{time.perf_counter() - started:.0f} s")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
