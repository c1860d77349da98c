"""The part of a page that tells of a simulation: its figures as rows, and its pictures with their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from marginspec.report.plots import COLOUR, drawn
from marginspec.report.simulation import NAMES, QUOTE_OF_USD, amount
from marginspec.results.schema import Document

LOOKS = {
    "plain": ("danger", "solid", "o"),
    "predictive": ("equity", (0, (5, 2)), "s"),
    "hedged": ("fund", (0, (2, 1.5)), "^"),
    "both": ("socialised", (0, (5, 1.5, 1, 1.5)), "D"),
}
"""Colour, dashes and marker of each variant: told apart by more than colour."""

TALL, LOW = 3.6, 2.7
"""Inches."""


def section(document: Document) -> dict[str, Any]:
    """What the template shows of a `marginspec/simulate/1` document."""
    variants = [each["name"] for each in document["variants"]]
    return {
        "variants": variants,
        "figures": [_row(document, figure) for figure in NAMES] if variants else [],
        "differences": [_difference(document, row) for row in document["compared"]],
        "promise": [_promise(row) for row in document["promise"]],
        "charts": _charts(document) if variants else [],
    }


def _row(document: Document, figure: str) -> dict[str, Any]:
    unit = document["units"][figure]
    cells = []
    for variant in document["variants"]:
        found = variant["figures"][figure]
        known = found["low"] is not None
        cells.append(
            {
                "mean": amount(found["mean"], unit),
                "low": amount(found["low"], unit) if known else None,
                "high": amount(found["high"], unit) if known else None,
            }
        )
    name, money = NAMES[figure], "USD" if unit == "quote" else ""
    return {"name": name.strip(), "part": name.startswith(" "), "unit": money, "cells": cells}


def _difference(document: Document, row: Document) -> dict[str, Any]:
    name, off = NAMES[row["figure"]].strip(), amount(row["difference"]["mean"], document["units"][row["figure"]])
    return {**row, "name": name, "off": off}


def _promise(row: Document) -> dict[str, Any]:
    outside = [{**each, "lost": amount(each["lost"], "quote")} for each in row["outside"]]
    broken = int(row["realised"]) > int(row["bound"])
    seen = {name: amount(row[name], "quote") for name in ("bound", "realised")}
    return {**row, **seen, "outside": outside, "broken": broken}


# --- Pictures ---------------------------------------------------------------------------------------------------------


def _charts(document: Document) -> list[dict[str, Any]]:
    charts = [_paths(document), _debt_by_variant(document)]
    if len(document["owed"]) > 1:
        charts.insert(1, _debt_over_time(document))
    if document["calibration"]["bins"]:
        charts.append(_reliability(document))
    return charts


def _chart(
    title: str,
    unit: str,
    note: str,
    height: float,
    draw: Callable[[Figure], Axes],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> dict[str, Any]:
    name = f"simulation-{title.replace(' ', '-').lower()}"
    svg = Markup(drawn(name, height, draw))
    return {"title": title, "unit": unit, "note": note, "svg": svg, "columns": columns, "rows": rows}


def _paths(document: Document) -> dict[str, Any]:
    distinct = {tuple(map(tuple, path)) for path in document["paths"]}
    shown = sorted(distinct)

    def draw(figure: Figure) -> Axes:
        axes = figure.add_subplot()
        for path in shown:
            hours, prices = zip(*path, strict=True)
            axes.plot(hours, prices, color=COLOUR["price"], linewidth=1.0, alpha=0.9 if len(shown) == 1 else 0.45)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        _over_hours(axes)
        return axes

    note = "the same in every run" if len(shown) == 1 else f"{len(shown)} of {document['done']} runs"
    rows = []
    for number, path in enumerate(shown, 1):
        prices = [price for _, price in path]
        ends = (path[0][1], min(prices), max(prices), path[-1][1])
        rows.append([str(number), *(f"{each:,.2f}" for each in ends)])
    return _chart("Price paths", "USD", note, LOW, draw, ("path", "first", "lowest", "highest", "last"), rows)


def _over_hours(axes: Axes) -> None:
    axes.set_xlabel("hours")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.grid(axis="y", linewidth=0.6)


def _usd(value: str) -> float:
    return int(value) / QUOTE_OF_USD


def _thousands(value: float, _: object = None) -> str:
    return f"{value / 1000:,.0f}k" if abs(value) >= 1000 else f"{value:,.0f}"


def _debt_over_time(document: Document) -> dict[str, Any]:
    hours, owed = [row["hours"] for row in document["owed"]], [row["bad_debt"] for row in document["owed"]]

    def draw(figure: Figure) -> Axes:
        axes = figure.add_subplot()
        for name, (colour, dashes, _) in LOOKS.items():
            values = [_usd(row[name]) for row in owed]
            axes.plot(hours, values, label=name, color=COLOUR[colour], linestyle=dashes, linewidth=1.6)
        axes.yaxis.set_major_formatter(FuncFormatter(_thousands))
        axes.set_ylim(bottom=0)
        _over_hours(axes)
        return axes

    rows = [[f"{at:g}", *(f"{_usd(row[name]):,.0f}" for name in LOOKS)] for at, row in zip(hours, owed, strict=True)]
    note = "paid by the fund, by profits, and not at all; mean of all runs"
    return _chart("Bad debt over time", "USD", note, LOW, draw, ("hour", *LOOKS), rows)


def _debt_by_variant(document: Document) -> dict[str, Any]:
    found = {each["name"]: each["figures"]["bad_debt"] for each in document["variants"]}

    def draw(figure: Figure) -> Axes:
        axes = figure.add_subplot()
        for place, (name, interval) in enumerate(found.items()):
            colour, _, marker = LOOKS[name]
            mean, low, high = (_usd(interval[edge] or interval["mean"]) for edge in ("mean", "low", "high"))
            axes.plot([low, high], [place, place], color=COLOUR[colour], linewidth=2.2)
            axes.plot([mean], [place], color=COLOUR[colour], marker=marker, markersize=6)
            axes.annotate(_thousands(mean), (mean, place), xytext=(0, 7), textcoords="offset points", ha="center")
        axes.set_yticks(range(len(found)), list(found))
        axes.set_ylim(len(found) - 0.4, -0.7)
        axes.set_xlim(0, 1.08 * max(_usd(each["high"] or each["mean"]) for each in found.values()) or 1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", linewidth=0.6)
        return axes

    rows = [
        [name, *("-" if interval[edge] is None else f"{_usd(interval[edge]):,.0f}" for edge in ("mean", "low", "high"))]
        for name, interval in found.items()
    ]
    note = "mean of a run, and the 95 % interval of its bootstrap over runs"
    return _chart("Bad debt with and without", "USD", note, LOW, draw, ("variant", "mean", "low", "high"), rows)


def _reliability(document: Document) -> dict[str, Any]:
    bins = document["calibration"]["bins"]

    def draw(figure: Figure) -> Axes:
        axes: Axes
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.plot([0, 1], [0, 1], color=COLOUR["ink"], linewidth=0.8, linestyle=(0, (1, 2)), label="as predicted")
        at = [row["predicted"] for row in bins]
        for edges, role, width, label in (
            ([row["by_run"] for row in bins], "initial", 1, "single runs"),
            ([(row["low"], row["high"]) for row in bins], "equity", 3, "Wilson, 95 %"),
        ):
            axes.vlines(at, *zip(*edges, strict=True), color=COLOUR[role], linewidth=width, label=label)
        points = [[row[name] for row in bins] for name in ("predicted", "realised")]
        axes.plot(*points, color=COLOUR["equity"], marker="o", markersize=4, linewidth=1, label="came so")
        axes.set_ylabel("came so")
        axes.set_ylim(-0.03, 1.03)
        axes.grid(linewidth=0.6)
        widths = [0.8 * (row["end"] - row["begin"]) for row in bins]
        middles = [(row["begin"] + row["end"]) / 2 for row in bins]
        counts.bar(middles, [row["made"] for row in bins], width=widths, color=COLOUR["margin"])
        counts.set_yscale("log")
        counts.set_ylim(bottom=1)
        counts.yaxis.set_major_formatter(FuncFormatter(_thousands))
        counts.yaxis.set_minor_formatter(NullFormatter())
        counts.set_ylabel("count")
        counts.set_xlabel("predicted")
        counts.set_xlim(-0.02, 1.02)
        for each in (axes.xaxis, axes.yaxis, counts.xaxis):
            each.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        return axes

    rows = [
        [
            f"{row['begin']:.1%} to {row['end']:.1%}",
            *(f"{row[name]:.2%}" for name in ("predicted", "realised", "low", "high")),
            f"{row['by_run'][0]:.1%} to {row['by_run'][1]:.1%}",
            f"{row['made']:,}",
        ]
        for row in bins
    ]
    within = document["terms"]["horizon"]
    note = f"an account falls below maintenance within {within} day; predictions that nobody acted on"
    columns = ("predicted", "mean", "came so", "Wilson low", "Wilson high", "single runs", "count")
    return _chart("Reliability of predictions", "parts", note, TALL, draw, columns, rows)
