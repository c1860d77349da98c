"""Which conditions multiply the paths of a text that has too many of them, and what its author can do."""

from __future__ import annotations

import linecache
import sys
from collections import Counter
from pathlib import Path as File
from types import FrameType
from typing import Any

EVERY = 50
"""One run of so many is watched: to look where it is asked something takes time."""

TOLD = 4
"""So many conditions are named, those that split most runs first."""

OURS = ("marginspec.prover.", "marginspec.model.kernel.", "marginspec.properties.law", "marginspec.properties.relax")
"""Modules through which a text asks: the place that asked is outside of them."""

ADVICE = (
    "leave a method open that decides what the law does not need (`relaxed`), limit who takes part (`scope`), or split "
    "the law by action; see docs/modelling.md"
)


class Splits:
    """Where runs went one of several ways: how often, by file and line; and which actions they took."""

    def __init__(self) -> None:
        self._places = Counter[tuple[str, int]]()
        self._actions = Counter[str]()

    def branches(self) -> list[Any]:
        """A list of branches for a run, which notes where each is added."""
        return _Noting(self._places)

    def took(self, picks: dict[str, Any]) -> None:
        """Take note of what a run picked."""
        self._actions.update(str(picked) for name, picked in picks.items() if name.rstrip(":") == "step")

    def __str__(self) -> str:
        """The action of most runs, the conditions that split most, and what to do."""
        of = f", most of {self._actions.most_common(1)[0][0]}" if self._actions else ""
        rows = [f"`{_text(*place)}` ({File(place[0]).name}:{place[1]})" for place, _ in self._places.most_common(TOLD)]
        return f"{of}; what multiplies them: {', '.join(rows) or 'which identifiers take part'}; {ADVICE}"


class _Noting(list[Any]):
    def __init__(self, places: Counter[tuple[str, int]]) -> None:
        super().__init__()
        self._places = places

    def append(self, branch: Any) -> None:
        super().append(branch)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and _is_ours(frame):
            frame = frame.f_back
        outer = frame
        while outer is not None and not _is_ours(outer):
            outer = outer.f_back
        if frame is not None and outer is not None:  # else the prover itself asked: which step, which identifier
            self._places[frame.f_code.co_filename, frame.f_lineno] += 1


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(OURS)


def _text(file: str, line: int) -> str:
    text = linecache.getline(file, line).strip() or "a condition"
    return text if len(text) <= 90 else f"{text[:89]}…"
