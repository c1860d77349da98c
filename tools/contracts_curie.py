"""`python -m tools.contracts_curie`: fetches the npm package of Perp Curie, whose bytecode a run deploys.

It is under the GPL, and nothing of it travels with marginspec.
"""

from __future__ import annotations

from tools.packages import Package

CURIE = Package(
    "@perp/curie-contract",
    "2.8.4",
    "fTHxpzzuHlSyCEvI6T8Ya10Oz3Y4T06YTiCciR/4uvR9rx/9Afmm8nDLJ85ZwXiA0edce9bPUkE/ZcKY4xkJEw==",
)

if __name__ == "__main__":
    CURIE.unpacked()
