"""How fast a risk desk's numbers are: `python -m tools.risk_bench`, as the document `marginspec/risk-bench/1`.

A book of options in many scenarios, valued by the service's arrays and by the model on a sample; and a book of
accounts, each with its portfolio margin, by the service's arrays and by the exact model on all cores.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from marginspec.base import process
from marginspec.base.workers import cores, forked, in_order
from marginspec.desk.service_run import Questions, figures
from marginspec.desk.valuation import KINDS
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.revaluation import Held, Moved, losses
from marginspec.targets.services import risk_service

POSITIONS, SCENARIOS, ACCOUNTS = 1_000, 10_000, 10_000
ROUNDS = 3
SAMPLED = (0, 4_567, 9_999)
IN_A_PIECE = 100
KIB = 1024


def _wad(x: float) -> int:
    return round(round(float(x), 6) * 10**6) * (WAD // 10**6)


def revaluation() -> dict[str, Any]:
    """Seconds of the whole book in all scenarios, the least of some rounds, and how far a sample is off the model."""
    draw = np.random.default_rng(3)
    book = [
        risk_service.Holding(
            forward=100, strike=strike, volatility=volatility, seconds=seconds, discount=0.99, amount=amount,
            is_call=is_call,
        )
        for strike, volatility, seconds, amount, is_call in zip(
            (100 * np.exp(draw.normal(0, 0.2, POSITIONS))).round(2), draw.uniform(0.2, 1.2, POSITIONS).round(4),
            draw.integers(3600, 10**7, POSITIONS), draw.normal(0, 5, POSITIONS).round(3),
            draw.random(POSITIONS) < 0.5, strict=True,
        )
    ]  # fmt: skip
    prices = np.exp(draw.normal(0, 0.1, SCENARIOS)).round(6)
    volatilities = np.exp(draw.normal(0, 0.2, SCENARIOS)).round(6)
    spent = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        found = risk_service.losses_of(book, prices, volatilities)
        spent.append(time.perf_counter() - begin)
    held = [
        Held(Leg(_wad(h.strike), _wad(h.amount), h.is_call), 100 * WAD, _wad(h.volatility), h.seconds, _wad(0.99))
        for h in book
    ]
    exact = losses(held, [Moved(_wad(prices[n]), _wad(volatilities[n])) for n in SAMPLED])
    off = max(abs(found[n] - loss / WAD) for n, loss in zip(SAMPLED, exact, strict=True))
    return {"positions": POSITIONS, "scenarios": SCENARIOS, "seconds": round(min(spent), 2), "off": off}


def accounts() -> dict[str, Any]:
    """Seconds of the margins of all accounts: by arrays on one core, and by the exact model on all."""
    asked = Questions(1, ACCOUNTS, ("margin",))
    bodies = [KINDS[type(each)].body(each) for each in asked]
    given = [risk_service.Portfolio.model_validate(body) for body in bodies]
    begin = time.perf_counter()
    by_arrays = [risk_service.margin(each)["initial"] for each in given]
    arrays = time.perf_counter() - begin

    def work(number: int, tell: Any) -> list[int]:
        piece = asked[number * IN_A_PIECE : (number + 1) * IN_A_PIECE]
        return [next(f.value for f in figures(each) if f.name == "initial") for each in piece]

    begin = time.perf_counter()
    with forked(work, ACCOUNTS // IN_A_PIECE, cores()) as workers:
        exact = in_order(workers, range(ACCOUNTS // IN_A_PIECE), list.__add__, lambda _: False, lambda _: None) or []
    model = time.perf_counter() - begin
    off = max(abs(a - e / WAD) / max(1.0, abs(e / WAD)) for a, e in zip(by_arrays, exact, strict=True))
    return {"accounts": len(exact), "seconds": round(arrays, 1), "exact_seconds": round(model, 1), "off": off}


def measure() -> int:
    """Measure, and emit the document."""
    book, many = revaluation(), accounts()
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * KIB
    process.emit(
        {
            "schema": "marginspec/risk-bench/1",
            "system": "reference",
            "cores": cores(),
            "revaluation": book,
            "accounts": many,
            "peak_bytes": peak,
        }
    )
    return process.HOLDS


def main() -> None:
    """Measure."""
    process.run(measure)


if __name__ == "__main__":
    main()
