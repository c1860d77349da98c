"""The page of a campaign that is under way, which loads itself anew. Every text in it is escaped, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

from marginspec.base.text import visible

TEMPLATES = Path(__file__).with_name("templates")

SECONDS = 5
"""After which the page loads itself anew."""


@dataclass(frozen=True)
class LiveCampaign:
    """What is known of a campaign by now.

    command: that shows what it found. share: what of it is done here, empty for all. chunks, done: of that share. rate:
    steps per second of what was done since it was started. accepted, rejected: calls. rules, regimes: how often each
    was met. diverged: rule and field of each divergence. dashboard: of the cluster, an address. since, now: of the day,
    in words. under_way: whether anybody works on it.
    """

    system: str
    command: str
    share: str
    chunks: int
    done: int
    steps: int
    all_steps: int
    rate: float
    accepted: int
    rejected: int
    comparisons: int
    since: str
    now: str
    under_way: bool
    rules: Mapping[str, int] = field(default_factory=dict)
    regimes: Mapping[str, int] = field(default_factory=dict)
    diverged: Sequence[tuple[str, str]] = ()
    dashboard: str = ""


def live_page(told: LiveCampaign) -> str:
    """The page: no verdict, for that is what a command says of all that is done."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    # Whatever else an address is, it must not run anything when it is followed.
    dashboard = told.dashboard if told.dashboard.startswith(("http://", "https://")) else ""
    page = environment.get_template("live.html")
    return visible(page.render(told=told, style=style, seconds=SECONDS, dashboard=dashboard))
