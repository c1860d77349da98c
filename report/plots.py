"""Plots as SVG that stands inside a page: its text is text, its colours are the page's, dark or light."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, SymmetricalLogLocator

Chart = Mapping[str, Any]

ROLES = (
    "ink",
    "grid",
    "danger",
    "price",
    "equity",
    "initial",
    "maintenance",
    "debt",
    "liquidator",
    "margin",
    "fund",
    "counterparty",
    "socialised",
    "cash",
    "open",
)
COLOUR = {role: f"#a{n:x}b{n:x}c{n:x}" for n, role in enumerate(ROLES, 1)}
"""What matplotlib is given in the place of each of the page's colours, `--plot-ROLE`."""

DASHES = {"initial": (0, (5, 2)), "maintenance": (0, (2, 1.5))}
"""Lines are told apart by more than their colour."""

WIDTH, HEIGHT, BAR, FRAME = 4.6, 2.7, 0.32, 1.15
"""Inches; a bar's share of the height, and what axis and legend need."""

WIDE = 10**4
"""Between the largest and the smallest value of a line: beyond it only a logarithmic axis shows both."""

STYLE: Any = {
    "font.size": 8.5,
    "axes.edgecolor": COLOUR["grid"],
    "axes.labelcolor": COLOUR["ink"],
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": COLOUR["grid"],
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "marginspec",  # the same plot is the same text
    "text.color": COLOUR["ink"],
    "text.parse_math": False,
    "xtick.color": COLOUR["ink"],
    "ytick.color": COLOUR["ink"],
}


def plot(chart: Chart, name: str, first: int = 0, marked: int | None = None) -> str:
    """A chart as an SVG element.

    name: unique on the page. first: number of the first moment shown. marked: the moment at which the story turns.
    """

    def draw(figure: Figure) -> Axes:
        axes = figure.add_subplot()
        if "series" in chart:
            _lines(axes, chart, first, marked)
        else:
            _bars(axes, chart)
        return axes

    return drawn(name, HEIGHT if "series" in chart else FRAME + BAR * len(chart["bars"]), draw)


def drawn(name: str, height: float, draw: Callable[[Figure], Axes]) -> str:
    """What somebody draws, as an SVG element of the page, in its colours, with the legend of the axes returned.

    name: unique on the page. height: inches.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        entries = _entries(draw(figure))
        if entries[0]:
            figure.legend(*entries, loc="outside upper left", ncols=2, handlelength=1.8, columnspacing=1.2)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _inline(text.getvalue(), name)


def _entries(axes: Axes) -> tuple[list[Any], list[str]]:
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    return list(unique.values()), list(unique)


def _lines(axes: Axes, chart: Chart, first: int, marked: int | None) -> None:
    values = {series["label"]: _points(series["values"][first:]) for series in chart["series"]}
    moments = range(first, first + len(next(iter(values.values()))))
    for series in chart["series"]:
        axes.plot(
            moments,
            values[series["label"]],
            label=series["label"],
            color=COLOUR[series["role"]],
            linestyle=DASHES.get(series["role"], "solid"),
            linewidth=1.6,
            marker="o" if len(moments) <= 20 else None,
            markersize=3,
            drawstyle="steps-mid",
        )
    if "band" in chart:
        low, high = (_points(edge[first:]) for edge in chart["band"])
        axes.fill_between(moments, low, high, color=COLOUR["price"], alpha=0.18, linewidth=0, step="mid")
    if "danger" in chart:
        _shade(axes, moments, *(values[label] for label in chart["danger"]))
    if marked is not None:
        axes.axvline(marked, color=COLOUR["danger"], linewidth=1, linestyle=(0, (1, 2)), zorder=0)
    if any(value < 0 for line in values.values() for value in line):
        axes.axhline(0, color=COLOUR["ink"], linewidth=0.8)
    axes.set_xlabel("after step")
    axes.set_xlim(first - 0.5, moments[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    _scale(axes, list(values.values()))
    axes.grid(axis="y", linewidth=0.6)


def _points(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _shade(axes: Axes, moments: Sequence[int], lower: Sequence[float], upper: Sequence[float]) -> None:
    """Where liquidation is open."""
    below = [x < y for x, y in zip(lower, upper, strict=True)]
    if any(below):
        axes.fill_between(
            moments,
            lower,
            upper,
            where=below,
            color=COLOUR["danger"],
            alpha=0.16,
            linewidth=0,
            step="mid",
            label="liquidation open",
        )


def _scale(axes: Axes, lines: Sequence[Sequence[float]]) -> None:
    known = [value for line in lines for value in line if not math.isnan(value)]
    if any(_is_wide(line) for line in lines):
        least = min(abs(value) for value in known if value)
        axes.set_yscale("symlog", linthresh=least)
        ticks = SymmetricalLogLocator(base=10, linthresh=least)
        ticks.set_params(numticks=5)
        axes.yaxis.set_major_locator(ticks)
        axes.set_ylabel("logarithmic")
    elif len(set(known)) == 1:
        axes.set_yticks(known[:1])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(FuncFormatter(_amount))


def _is_wide(line: Sequence[float]) -> bool:
    sizes = [abs(value) for value in line if value and not math.isnan(value)]
    return bool(sizes) and max(sizes) > WIDE * min(sizes)


def _amount(value: float, _: object = None) -> str:
    if abs(value) >= 10**9:
        return f"{value:.3g}".replace("e+", "e")
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.4g}"


def _bars(axes: Axes, chart: Chart) -> None:
    labels = [bar["label"] for bar in chart["bars"]]
    places = range(len(labels))
    longest = max(sum(part["value"] for part in bar["parts"]) for bar in chart["bars"])
    for place, bar in zip(places, chart["bars"], strict=True):
        left = 0.0
        for part in bar["parts"]:
            axes.barh(place, part["value"], left=left, height=0.62, color=COLOUR[part["role"]], label=part["label"])
            left += part["value"]
        axes.text(left + longest * 0.015, place, _amount(left), va="center", fontsize=8)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.18 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.xaxis.set_major_formatter(FuncFormatter(_amount))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.6)
    axes.set_axisbelow(True)


def _inline(text: str, name: str) -> str:
    """A drawing file as an element of a page: no header, no metadata, its own names, the page's colours."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style).*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    for role, colour in COLOUR.items():
        text = text.replace(colour, f"var(--plot-{role})")
    return text.strip()
