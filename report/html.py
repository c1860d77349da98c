"""The audit report: one HTML file that needs nothing else. Every text in it is escaped, whoever wrote it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from marginspec.base.text import visible
from marginspec.report import actions, coverage, matrix, story
from marginspec.report.plots import plot
from marginspec.report.simulation_page import section
from marginspec.results.schema import Document

TEMPLATES = Path(__file__).with_name("templates")
WORDS = {"holds": "Holds", "broken": "Broken", "incomplete": "Incomplete"}
SEVERITIES = ("critical", "high", "medium", "low", None)
NEAR = 10**40
"""So far from 2^128 or 2^256 a number is said by its distance from it: allowances are like that."""

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink", "reference"])
)


def render(
    verdict: str,
    documents: Mapping[str, Document],
    stories: Sequence[Document],
    not_modelled: Sequence[str],
    remarks: Sequence[str],
    about: Document,
) -> str:
    """The page.

    documents: by kind, `rules` among them. stories: told traces. not_modelled: Markdown, an entry for each thing.
    remarks: what the run names and could not be read. about: system, version, sources (file, schema, digest).
    """
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    titles = {rule["id"]: rule["title"] for rule in documents["rules"]["rules"]}
    laws = documents.get("fuzz", {}).get("laws", {})
    page = (
        _environment()
        .get_template("report.html")
        .render(
            verdict=verdict,
            word=WORDS[verdict],
            lines=coverage.lines(documents, stories),
            gaps=coverage.gaps(documents, not_modelled, remarks),
            documents=documents,
            findings=_findings(documents),
            rules=matrix.rule_rows(documents),
            actions=list(actions.action_rows(documents)),
            equal_stands_on=actions.both_stand_on(documents),
            deployed_code=actions.deployed_code(documents),
            bounds_of_laws=_bounds(documents),
            simulated=section(documents["simulate"]) if "simulate" in documents else None,
            kills=matrix.kill_matrix(documents["mutate"]) if "mutate" in documents else None,
            stories=[_told(each, f"story-{n}", titles, laws) for n, each in enumerate(stories, 1)],
            about=about,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    return visible(page)


def _told(each: Document, anchor: str, titles: Mapping[str, str], laws: Document) -> Document:
    marked = each["length"] if each["divergence"] else None
    plots = [
        {**chart, "svg": Markup(plot(chart, f"{anchor}-plot-{n}", each["first"] - 1, marked))}
        for n, chart in enumerate(each["charts"], 1)
    ]
    told = {"anchor": anchor, "title": story.title(each, laws), "lead": story.lead(each, titles, laws)}
    judged = bool(marked) and each["divergence"]["field"] in laws
    return {**each, **told, "charts": plots, "judged": judged}


def _findings(documents: Mapping[str, Document]) -> list[Document]:
    """What keeps a check from passing, the most severe first; what is not judged comes last."""
    found = [each for each in documents.get("check", {}).get("findings", ()) if each["kind"] != "declared"]
    return sorted(found, key=lambda each: SEVERITIES.index(each.get("severity")))


def _bounds(documents: Mapping[str, Document]) -> dict[str, str]:
    """A short name for each of the bounds under which laws were proved: most share theirs."""
    laws = documents["prove"]["properties"] if "prove" in documents else []
    distinct = dict.fromkeys(law["bounds"] for law in laws if law["bounds"])
    return {bounds: f"B{n}" for n, bounds in enumerate(distinct, 1)}


# --- How values are shown -----------------------------------------------------------------------------------


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": anchor,
        "basename": basename,
        "counted": coverage.counted,
        "grouped": grouped,
        "inline": inline,
        "markdown": markdown,
        "money": money,
        "percent": percent,
        "seconds": seconds,
        "short": short,
        "usd": usd,
    }
    return environment


def anchor(name: str) -> str:
    """A name as it may stand in an `id`."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def basename(place: str) -> str:
    """A file, or `FILE:LINE`, without its folders."""
    return place.rpartition("/")[2]


def grouped(value: Any) -> str:
    """An integer with its digits in groups of three; one near the top of its width as a distance from that."""
    text = str(value)
    if not re.fullmatch(r"-?\d+", text):
        return text
    number = int(text)
    for bits in (128, 256):
        if 0 < 2**bits - number < min(NEAR, 2 ** (bits - 32)):
            return f"2^{bits} - {2**bits - number:,}"
    return f"{number:,}"


def markdown(text: str) -> Markup:
    """A text of the specification. What is HTML in it is shown as such, and nothing in it links or loads anything."""
    return Markup(_MARKDOWN.render(text))


def inline(text: str) -> Markup:
    """The same of one line."""
    return Markup(_MARKDOWN.renderInline(text))


def money(amount: Any, system: str) -> str:
    """An amount of an account of a system, with its unit where that is known."""
    if system == "reference":
        return usd(amount)
    return f"{grouped(amount)}{' loan base units' if system == 'morpho-blue' else ''}"


def percent(ppm: Any) -> str:
    """Millionths as a percentage."""
    return f"{int(ppm) / 10_000:.4f} %"


def seconds(value: float) -> str:
    """A duration."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def short(name: str) -> str:
    """An identifier that is longer than an address, as one can compare it by eye."""
    return name if len(name) <= 42 else f"{name[:10]}…{name[-8:]}"


def usd(quote: Any) -> str:
    """Quote of the reference venue as USD, exactly."""
    whole, part = divmod(abs(int(quote)), 10**12)
    decimals = f".{part:012d}".rstrip("0").rstrip(".")
    return f"{'-' if int(quote) < 0 else ''}{whole:,}{decimals} USD"
