"""Price paths: drawn from three models, shipped, or a CSV file of the user."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from marginspec.base.errors import BadInput
from marginspec.base.text import printable

CRASH = Path(__file__).with_name("shipped") / "crash.csv"

PRICE_OF_USD = 10**6
"""Quote per size unit of an asset that costs one USD."""

LEAST, MOST = 10, 10**6
"""USD: the venue takes no price at or outside the bounds of its feed."""

MOST_ROWS, MOST_GAP = 100_000, 2**25
YEAR_SECONDS = 365 * 86_400

Points = tuple[tuple[int, int], ...]
"""Seconds since the beginning, and the price in quote per size unit."""


@dataclass(frozen=True)
class PathSource:
    """Where the path of each run comes from. draw: a path for a seed; the same one for every seed where it is a file.

    told: in a sentence. digest: SHA-256 of the file, empty where there is none. hours: of drawn paths.
    """

    name: str
    told: str
    draw: Callable[[random.Random], Points]
    digest: str = ""
    hours: int | None = None


# --- Models -----------------------------------------------------------------------------------------------------------

START = 2000.0
VOLATILITY = 0.8
JUMPS_A_DAY, JUMP_MEAN, JUMP_DEVIATION = 0.75, -0.06, 0.05
REACTION, PERSISTENCE = 0.05, 0.94


def _gbm(chance: random.Random, steps: int, seconds: int) -> Iterator[float]:
    deviation = VOLATILITY * math.sqrt(seconds / YEAR_SECONDS)
    for _ in range(steps):
        yield chance.gauss(-deviation * deviation / 2, deviation)


def _jumps(chance: random.Random, steps: int, seconds: int) -> Iterator[float]:
    probability = JUMPS_A_DAY * seconds / 86_400
    for move in _gbm(chance, steps, seconds):
        jumps = chance.random() < probability
        yield move + (chance.gauss(JUMP_MEAN, JUMP_DEVIATION) if jumps else 0.0)


def _garch(chance: random.Random, steps: int, seconds: int) -> Iterator[float]:
    long_run = VOLATILITY * VOLATILITY * seconds / YEAR_SECONDS
    variance = long_run
    for _ in range(steps):
        move = chance.gauss(0.0, math.sqrt(variance))
        yield move
        variance = long_run * (1 - REACTION - PERSISTENCE) + REACTION * move * move + PERSISTENCE * variance


MODELS: dict[str, tuple[Callable[[random.Random, int, int], Iterator[float]], str]] = {
    "gbm": (_gbm, f"geometric Brownian motion, volatility {VOLATILITY:.0%} a year, no drift"),
    "jumps": (
        _jumps,
        f"geometric Brownian motion, volatility {VOLATILITY:.0%} a year, with jumps: {JUMPS_A_DAY} a day, their "
        f"logarithm normal with mean {JUMP_MEAN} and deviation {JUMP_DEVIATION}",
    ),
    "garch": (
        _garch,
        f"GARCH(1,1): reaction {REACTION}, persistence {PERSISTENCE} a step, long-run volatility {VOLATILITY:.0%} "
        "a year",
    ),
}
NAMES = (*MODELS, "crash")


def path_source(name: str, hours: int, seconds: int) -> PathSource:
    """The paths that a name or a file stands for. hours, seconds: how long drawn ones are, and their step.

    Raises BadInput for a file that is no path, with its line.
    """
    if name in MODELS:
        model, told = MODELS[name]
        steps = hours * 3600 // seconds
        return PathSource(name, told, lambda chance: _drawn(model, chance, steps, seconds), hours=hours)
    file = CRASH if name == "crash" else Path(name)
    if name not in NAMES and not name.endswith(".csv"):
        raise BadInput(f"--path {printable(name, 60)!r}: give {', '.join(NAMES)}, or a file that ends in .csv")
    text = _text(file)
    points, remarks = read_path(text, str(file))
    told = " ".join(remarks) or f"{len(points)} prices of {printable(str(file))}"
    return PathSource(name, told, lambda chance: points, hashlib.sha256(text.encode()).hexdigest())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # as spreadsheets write it
    except OSError as error:
        raise BadInput(f"--path {file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BadInput(f"--path {file}: not UTF-8 text, so no CSV") from None


def _drawn(
    model: Callable[[random.Random, int, int], Iterator[float]], chance: random.Random, steps: int, seconds: int
) -> Points:
    """A path, ended where it would leave what the venue's feed takes."""
    points, price = [(0, round(START * PRICE_OF_USD))], START
    for step, move in enumerate(model(chance, steps, seconds), 1):
        price *= math.exp(move)
        if not 2 * LEAST < price < MOST / 2:
            break
        points.append((step * seconds, round(price * PRICE_OF_USD)))
    return tuple(points)


# --- Files ------------------------------------------------------------------------------------------------------------


def read_path(text: str, name: str) -> tuple[Points, list[str]]:
    """The points of a CSV file with the columns seconds and price (USD), and its remarks: lines that begin with `#`."""
    lines = text.splitlines()
    remarks = [printable(line[1:].strip()) for line in lines if line.startswith("#")]
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered or [cell.strip() for cell in numbered[0][1].split(",")] != ["seconds", "price"]:
        raise BadInput(f"--path {name}: the first line that is no remark must be `seconds,price`")
    points: list[tuple[int, int]] = []
    for number, line in numbered[1:]:
        where = f"--path {name}:{number}"
        point = _point(next(csv.reader(io.StringIO(line))), where)
        if points and not 0 < point[0] - points[-1][0] < MOST_GAP:
            raise BadInput(f"{where}: seconds must rise, by less than {MOST_GAP:,} from a line to the next")
        points.append(point)
    if not 2 <= len(points) <= MOST_ROWS:
        raise BadInput(f"--path {name}: {len(points):,} prices; a path has 2 to {MOST_ROWS:,}")
    return tuple((at - points[0][0], price) for at, price in points), remarks


def _point(cells: list[str], where: str) -> tuple[int, int]:
    try:
        seconds, price = (Decimal(cell.strip()) for cell in cells)
    except (InvalidOperation, ValueError):
        raise BadInput(f"{where}: give two numbers, seconds and a price in USD") from None
    if not (seconds.is_finite() and price.is_finite()):
        raise BadInput(f"{where}: give two numbers, seconds and a price in USD")
    if not LEAST < price < MOST:
        raise BadInput(f"{where}: the venue takes prices between {LEAST} and {MOST:,} USD only")
    if not 0 <= seconds <= 2**40 or seconds != int(seconds):
        raise BadInput(f"{where}: give seconds as a whole number from 0 on")
    return int(seconds), int(price * PRICE_OF_USD)
