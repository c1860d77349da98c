"""`marginspec/simulate/1`: what many accounts came to under price paths, with and without what a desk may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

from marginspec.base.ending import ended
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE
from marginspec.model.kernel.fixed import div_down
from marginspec.simulation.experiment import Results
from marginspec.simulation.paths import PRICE_OF_USD, PathSource
from marginspec.simulation.promise import REASONS
from marginspec.simulation.run import RunResult, path_of
from marginspec.simulation.statistics import brier, estimate, reliability_diagram, together
from marginspec.simulation.terms import VARIANTS, SimulationTerms

PATHS_SHOWN, POINTS_SHOWN = 12, 121

FIGURES: Mapping[str, tuple[str, Callable[[RunResult], int]]] = {
    "bad_debt": ("quote", lambda run: run.bad_debt),
    "insurance_used": ("quote", lambda run: run.losses.insured),
    "taken_from_profits": ("quote", lambda run: run.losses.taken + run.losses.socialised),
    "unpaid": ("quote", lambda run: run.uncovered),
    "liquidations": ("count", lambda run: run.losses.liquidations),
    "accounts_liquidated": ("count", lambda run: len(run.losses.liquidated)),
    "notional_liquidated": ("quote", lambda run: run.losses.closed),
    "penalties": ("quote", lambda run: run.losses.penalties),
    "backstopped": ("quote", lambda run: run.losses.backstopped),
    "forced_closures": ("count", lambda run: run.losses.deleveraged),
    "hedge_cost": ("quote", lambda run: run.hedge.cost),
    "venue_result": ("quote", lambda run: run.venue),
}
"""What is told of each variant: its unit, and how a run says it. Quote is 10^-12 USD."""

MORE_IS_BETTER = ("venue_result",)
COMPARED = ("bad_debt", "accounts_liquidated", "forced_closures", "venue_result")


class Interval(TypedDict):
    """A mean over runs, rounded down, and its 95 % bootstrap interval; none of less than two runs."""

    mean: str
    low: str | None
    high: str | None


class VariantFigures(TypedDict):
    """One variant: by figure, its mean over runs."""

    name: str
    predictive: bool
    hedging: bool
    figures: dict[str, Interval]


class FigureDifference(TypedDict):
    """One figure of a variant less that of the plain one, run by run, and in how many runs it was better or worse."""

    variant: str
    figure: str
    difference: Interval
    better: int
    worse: int
    same: int


class PromiseRow(TypedDict):
    """The buffer theorem beside one variant: what it allows, what was lost where its premises held, and what else."""

    variant: str
    bound: str
    realised: str
    held: int
    outside: list[dict[str, Any]]


class SimulateDocument(TypedDict):
    """What `simulate --json` writes. Amounts are quote, 10^-12 USD, as decimal strings.

    done: how many of the runs were. ended: why they ended early, empty where they did not. surplus: of all runs
    together, what went in less what came out and is held. verdict: as `simulate_code` says.
    """

    schema: str
    system: str
    path: dict[str, Any]
    seed: str
    runs: int
    done: int
    ended: str
    terms: dict[str, Any]
    bad_debt: Interval | None
    liquidations: Interval | None
    units: dict[str, str]
    variants: list[VariantFigures]
    compared: list[FigureDifference]
    promise: list[PromiseRow]
    calibration: dict[str, Any]
    paths: list[list[list[float]]]
    owed: list[dict[str, Any]]
    surplus: str
    verdict: NotRequired[str]
    seconds: float


def simulate_document(
    system: str, source: PathSource, terms: SimulationTerms, seed: int, runs: int, found: Results, seconds: float
) -> SimulateDocument:
    """Describe the runs that were done."""
    by_variant = {name: [result[name] for result in found.values()] for name in VARIANTS} if found else {}
    variants = [_variant(name, results, seed) for name, results in by_variant.items()]
    return {
        "schema": "marginspec/simulate/1",
        "system": system,
        "path": {"name": source.name, "told": source.told, "sha256": source.digest, "hours": source.hours},
        "seed": str(seed),
        "runs": runs,
        "done": len(found),
        "ended": ended(),
        "terms": _terms(terms),
        "bad_debt": variants[0]["figures"]["bad_debt"] if variants else None,
        "liquidations": variants[0]["figures"]["liquidations"] if variants else None,
        "units": {name: unit for name, (unit, _) in FIGURES.items()},
        "variants": variants,
        "compared": _compared(by_variant, seed),
        "promise": [_promise(name, results) for name, results in by_variant.items()],
        "calibration": _calibration(by_variant.get("plain", [])),
        "paths": [_sampled(path_of(source, seed, number)) for number in list(found)[:PATHS_SHOWN]],
        "owed": _owed(by_variant),
        "surplus": str(sum(run.surplus for results in by_variant.values() for run in results)),
        "seconds": round(seconds, 1),
    }


def _variant(name: str, results: Sequence[RunResult], seed: int) -> VariantFigures:
    predictive, hedging = VARIANTS[name]
    figures = {
        figure: _interval([of(run) for run in results], f"{seed} {name} {figure}")
        for figure, (_, of) in FIGURES.items()
    }
    return {"name": name, "predictive": predictive, "hedging": hedging, "figures": figures}


def _interval(values: Sequence[int], seed: str) -> Interval:
    found = estimate(values, seed)
    return {
        "mean": str(found.mean),
        "low": None if found.low is None else str(found.low),
        "high": None if found.high is None else str(found.high),
    }


def _terms(terms: SimulationTerms) -> dict[str, Any]:
    listed = asdict(terms)
    outlook = {name: str(value) for name, value in asdict(terms.outlook).items()}
    return {**listed, "memory": str(terms.memory), "calm": str(terms.calm), "outlook": outlook}


def _compared(by_variant: Mapping[str, Sequence[RunResult]], seed: int) -> list[FigureDifference]:
    """Run by run: both had the same path and the same people."""
    rows: list[FigureDifference] = []
    for name in list(by_variant)[1:]:
        for figure in COMPARED:
            of = FIGURES[figure][1]
            pairs = zip(by_variant[name], by_variant["plain"], strict=True)
            off = [of(run) - of(plain) for run, plain in pairs]
            more, less = sum(each > 0 for each in off), sum(each < 0 for each in off)
            better, worse = (more, less) if figure in MORE_IS_BETTER else (less, more)
            rows.append(
                {
                    "variant": name,
                    "figure": figure,
                    "difference": _interval(off, f"{seed} {name} less plain {figure}"),
                    "better": better,
                    "worse": worse,
                    "same": len(off) - more - less,
                }
            )
    return rows


def _promise(name: str, results: Sequence[RunResult]) -> PromiseRow:
    outside = [
        {
            "premise": reason,
            "episodes": sum(run.promise.outside[reason][0] for run in results),
            "lost": str(sum(run.promise.outside[reason][1] for run in results)),
        }
        for reason in REASONS
    ]
    return {
        "variant": name,
        "bound": str(sum(run.promise.bound for run in results)),
        "realised": str(sum(run.promise.realised for run in results)),
        "held": sum(run.promise.held for run in results),
        "outside": [row for row in outside if row["episodes"]],
    }


def _calibration(results: Sequence[RunResult]) -> dict[str, Any]:
    """Of predictions that nobody acted on: those of the plain variant."""
    scores = [run.scores for run in results]
    score = brier(together(scores))
    return {
        "made": sum(each.made for each in together(scores).bins),
        "bins": [
            {**{k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(row).items()}, "gap": str(row.gap)}
            for row in reliability_diagram(scores)
        ],
        "brier": None if score is None else {name: round(value, 9) for name, value in asdict(score).items()},
    }


def _sampled(points: Sequence[tuple[int, int]]) -> list[list[float]]:
    """Some of the points of a path, its last and its extremes among them: hours and USD."""
    step = max(1, len(points) // POINTS_SHOWN)
    chosen = {*points[::step], points[-1], min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])}
    return [[round(at / 3600, 3), price / PRICE_OF_USD] for at, price in sorted(chosen)]


def _owed(by_variant: Mapping[str, Sequence[RunResult]]) -> list[dict[str, Any]]:
    """Mean bad debt of each variant after each hour that all runs came to."""
    every = [run for results in by_variant.values() for run in results]
    length = min((len(run.owed) for run in every), default=0)
    return [
        {
            "hours": round(every[0].owed[n][0] / 3600, 3),
            "bad_debt": {
                name: str(div_down(sum(run.owed[n][1] for run in results), len(results)))
                for name, results in by_variant.items()
            },
        }
        for n in range(length)
    ]


def simulate_code(document: Mapping[str, Any]) -> int:
    """1 where the theorem's bound was exceeded, or value came from nowhere; 3 where too little was seen."""
    rows = document["promise"]
    if document["surplus"] != "0" or any(int(row["realised"]) > int(row["bound"]) for row in rows):
        return BROKEN
    untested = all(row["held"] == 0 for row in rows)
    return INCOMPLETE if untested or document["done"] < document["runs"] else HOLDS
