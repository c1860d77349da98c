"""Where a finding points: the rule's heading in the specification, its lines in the model, the contract's function."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marginspec.base.package import ROOT
from marginspec.lockstep.rules_reached import HEADING, rules_of
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.sourcemap import function_lines

Place = dict[str, Any]
"""what: `specification`, `model`, `law` or `contract`. base: `project`, where the run was started, or `marginspec`, the
installed package, or None: nowhere below these. file: its path there. line: from 1."""


def _place(what: str, file: Path, line: int) -> Place:
    path = file.resolve()
    folders = (("project", Path.cwd()), ("marginspec", ROOT))
    bases = [(name, folder) for name, folder in folders if path.is_relative_to(folder)]
    # One may lie in the other: a virtual environment in a project, a project among our examples.
    name, base = max(bases, key=lambda found: len(found[1].parts), default=(None, Path("/")))
    return {"what": what, "base": name, "file": path.relative_to(base).as_posix(), "line": line}


def specification_place(chosen: System) -> Place:
    """Where the specification begins: for what has no place of its own."""
    return _place("specification", _chapters(chosen)[0], 1)


def _chapters(chosen: System) -> list[Path]:
    return sorted(chosen.spec.glob("*.md")) if chosen.spec.is_dir() else [chosen.spec]


def rule_places(chosen: System, rule: str) -> list[Place]:
    """The heading of a rule, and where the model states it."""
    headings = [_place("specification", chapter, line) for chapter, line, _ in _headings(chosen, rule)]
    lines = [place.rpartition(":") for place in rules_of(chosen.model).get(rule, ())]
    return headings + [_place("model", Path(file), int(line)) for file, _, line in lines]


def rule_title(chosen: System, rule: str) -> str:
    """A rule's number and what its heading says; the number alone where it has none."""
    return " ".join([rule, *(title for _, _, title in _headings(chosen, rule))])


def _headings(chosen: System, rule: str) -> list[tuple[Path, int, str]]:
    return [
        (chapter, number, found[2])
        for chapter in _chapters(chosen)
        for number, line in enumerate(chapter.read_text(encoding="utf-8").splitlines(), 1)
        if (found := HEADING.match(line)) and found[1] == rule
    ]


def regime_places(chosen: System, regime: str) -> list[Place]:
    """Where the model says what a regime is."""
    code = inspect.unwrap(getattr(chosen.model, regime)).__code__
    return [_place("model", Path(code.co_filename), code.co_firstlineno)]


def law_places(chosen: System, property_id: str) -> list[Place]:
    """Where a law is claimed."""
    codes = [claim.predicate.__code__ for claim in chosen.chapter.properties if claim.id == property_id]
    return [_place("law", Path(code.co_filename), code.co_firstlineno) for code in codes]


class SourceLines:
    """The builds that `--artifact` names, for the functions that calls are of. Some carry no source map: no places."""

    def __init__(self, chosen: System, builds: Sequence[Candidate]) -> None:
        self._model = chosen.model
        self._functions: dict[bytes, Place] = {}
        for build in builds:
            lines = function_lines(build.name, build.file, Path.cwd())
            selectors = build.artifact.selectors()
            self._functions |= {selectors[f]: _place("contract", *lines[f]) for f in selectors.keys() & lines.keys()}
        self._adapter = chosen.adapter({build.name: build.artifact for build in builds})
        if self._functions:
            self._adapter.deploy(Embedded())  # only then does it know addresses, which are part of a call

    def places(self, call: Call) -> list[Place]:
        """The function that a call is of, in its source; none if unknown, or if the call is the world's."""
        if not self._functions or actions_of(self._model)[call.action].environment:
            return []
        _, _, data = self._adapter.encode(call)
        with contextlib.suppress(KeyError):
            return [self._functions[data[:4]]]
        return []
