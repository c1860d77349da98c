"""`python -m tools.sample_book SYSTEM [ACCOUNTS [SEED]]`: a node with a generated book, to try `audit` on."""

from __future__ import annotations

import sys
import threading

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.systems.registry import system
from marginspec.systems.sample import sample_book


def run() -> int:
    """Generate a book and keep its node until interrupted."""
    name, *numbers = sys.argv[1:] or ["morpho-blue"]
    if len(numbers) > 2 or not all(each.isdecimal() for each in numbers):
        raise BadInput("expected SYSTEM [ACCOUNTS [SEED]], the last two numbers")
    sample = system(name).sample
    if sample is None:
        raise BadInput(f"{name}: nobody has said how to generate a book of it")
    accounts, seed = [*map(int, numbers), *(sample.size, 1)[len(numbers) :]]
    with sample_book(sample, accounts, seed) as (url, address):
        print(f"marginspec audit {name} --target {url} --address {address}", flush=True)
        threading.Event().wait()
    return process.HOLDS


if __name__ == "__main__":
    process.run(run)
