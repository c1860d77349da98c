"""What a trace does to the accounts in it: price, equity against margin, who bore a loss, as charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marginspec.systems.view import Chart, Moment, Standing, View

MOST = 2
"""Of the accounts in a trace, those nearest to liquidation: so many are plotted."""


def followed(view: View, moments: Sequence[Moment]) -> dict[Any, list[Standing | None]]:
    """The accounts that a trace is about, those first that came closest to liquidation, and how each stood."""
    named = {value for moment in moments if moment.call for value in moment.call.arguments.values()}
    found = {}
    for subject in view.subjects(type(moments[0].state)):
        if named.issuperset(subject if isinstance(subject, tuple) else (subject,)):
            stood = [view.standing(moment.state, subject) for moment in moments]
            if any(standing is not None and standing.owes for standing in stood):
                found[subject] = stood
    nearest = sorted(found, key=lambda subject: min(s.spare for s in found[subject] if s is not None and s.owes))
    return {subject: found[subject] for subject in nearest[:MOST]}


def charts(view: View, moments: Sequence[Moment], stood: Mapping[Any, Sequence[Standing | None]]) -> list[Chart]:
    """Price, margin and losses of a trace."""
    margins = [
        {
            "title": f"{view.title}: {view.label(subject)}",
            "unit": view.unit,
            "note": view.note,
            "danger": view.danger,
            "series": [
                {"label": name, "role": role, "values": _over(standings, name, view.digits)}
                for name, role in view.lines.items()
            ],
        }
        for subject, standings in stood.items()
    ]
    losses = view.losses(moments)
    return [*view.prices(moments, list(stood)), *margins, *([losses] if losses else [])]


def _over(standings: Sequence[Standing | None], name: str, digits: int) -> list[float | None]:
    return [None if standing is None else standing.figures[name] / 10**digits for standing in standings]
