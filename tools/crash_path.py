"""The crash that `simulate --path crash` uses: `python -m tools.crash_path` writes simulation/shipped/crash.csv.

The shape is that of Ether's price in USD on 12 and 13 March 2020, as it was widely reported, in a few round numbers.
What lies between is drawn, so that it is no market data of anybody.
"""

from __future__ import annotations

import itertools
import math
import random

from marginspec.base.files import write_whole
from marginspec.simulation.paths import CRASH

SHAPE = (
    (0, 194.0),
    (240, 188.0),
    (600, 186.0),
    (640, 165.0),
    (690, 145.0),
    (780, 137.0),
    (1080, 135.0),
    (1320, 131.0),
    (1385, 112.0),
    (1440, 113.0),
    (1500, 101.0),
    (1560, 90.0),
    (1590, 104.0),
    (1680, 116.0),
    (1800, 121.0),
    (2160, 124.0),
)
"""Minutes after midnight UTC of 12 March 2020, and USD."""

NOISE, SEED = 0.0015, 2020
REMARKS = (
    "# Minute prices in the shape of Ether in USD on 12 and 13 March 2020: from about 194 to about 90 in 26 hours.",
    "# Made by tools/crash_path.py from 16 round numbers as widely reported; what lies between is a drawn Brownian",
    "# bridge. It is no market data of any exchange.",
)


def crash() -> str:
    """The file's text."""
    chance, rows = random.Random(SEED), [*REMARKS, "seconds,price", f"0,{SHAPE[0][1]:.2f}"]
    for (begin, low), (end, high) in itertools.pairwise(SHAPE):
        off = 0.0
        for minute in range(begin + 1, end + 1):
            left = end - minute
            off = off * left / (left + 1) + chance.gauss(0, NOISE) * math.sqrt(left / (left + 1))
            part = (minute - begin) / (end - begin)
            price = math.exp(math.log(low) * (1 - part) + math.log(high) * part + off)
            rows.append(f"{minute * 60},{price:.2f}")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    write_whole(CRASH, crash())
