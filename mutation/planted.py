"""Planted bugs: a contract's own source, changed in one place; the lock-step run must find every change.

So should the laws by themselves, from nothing but what the changed contract shows: that is how much they are worth to
who has no model of an implementation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.base.text import printable
from marginspec.lockstep import monitor
from marginspec.lockstep.campaign import run
from marginspec.lockstep.comparison import LockStep
from marginspec.lockstep.rehearsal import Rehearsal
from marginspec.model.kernel.machine import Call
from marginspec.systems.registry import system
from marginspec.systems.system import Sources, System
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

STEPS = 200_000
"""Of the lock-step run, at most."""

WATCHED_STEPS = 40_000
"""Of the monitor, at most."""

LONGEST_TRACE = 8

WAYS = 4
"""A bug shows in many ways, some of which need many calls: so often it is hunted at most for a trace that is short."""


@dataclass(frozen=True)
class Bug:
    """One planted bug: in `file` of the package, `find`, which occurs there once, becomes `replace`.

    rule: the ID of the rule it breaks. incident: the real one that it resembles in kind, empty if none.
    why: who loses what, one sentence.
    """

    system: str
    id: str
    file: str
    find: str
    replace: str
    rule: str
    incident: str
    why: str


@dataclass(frozen=True)
class Hunt:
    """What came of a bug: after how many steps the lock-step run found it, and its shortest trace: how long it is, what
    it shows. laws: those that the monitor alone saw broken, after how many steps of its own. vector: what it shows, as
    rule and field, in the shortest conformance vector in which it does, and vector_length, how many calls that has."""

    bug: Bug
    found_after: int | None
    trace_length: int = 0
    key: tuple[str, str] = ("", "")
    laws: tuple[str, ...] = ()
    laws_after: int | None = None
    vector: tuple[str, str] | None = None
    vector_length: int = 0

    @property
    def shortest(self) -> int:
        """How many calls show it: of its shortest trace or vector; 0 where nothing does."""
        return min((length for length in (self.trace_length, self.vector_length) if length), default=0)

    @property
    def killed(self) -> bool:
        """Whether anything found it."""
        return self.found_after is not None or bool(self.laws) or self.vector is not None

    @property
    def passed(self) -> bool:
        """Whether a comparison found it, of drawn calls or of a conformance vector, and few calls show it."""
        return 0 < self.shortest <= LONGEST_TRACE


# --- Reading ------------------------------------------------------------------------------------------------


def load(name: str, path: Path | None = None) -> list[Bug]:
    """The planted bugs of a system, in the order of their file.

    path: another file than the system's own. Anything malformed, and a bug whose text does not occur exactly
    once in the installed package, is one line of `BadInput`.
    """
    _, known, own = _system(name)
    path = path or own
    data = read_toml(path)
    entries = data.get("bug")
    if data.keys() != {"bug"} or not isinstance(entries, list) or not entries:
        raise BadInput(f"{path}: expected [[bug]] tables and nothing else")
    sources = known.read()
    bugs: dict[str, Bug] = {}
    for number, entry in enumerate(entries, 1):
        try:
            bug = _bug(name, entry)
            _patched(bug, sources)
        except BadInput as problem:
            raise BadInput(f"{path}: bug {number}: {problem}") from None
        if bug.id in bugs:
            raise BadInput(f"{path}: bug {number}: id {bug.id} is taken, choose another")
        bugs[bug.id] = bug
    return list(bugs.values())


def _system(name: str) -> tuple[System, Sources, Path]:
    found = system(name)
    if found.sources is None or found.planted is None:
        raise BadInput(f"{printable(name, 60)}: no planted bugs: its system names no `sources` and `planted`")
    return found, found.sources, found.planted


def _bug(name: str, entry: Any) -> Bug:
    names = [each.name for each in fields(Bug) if each.name != "system"]
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise BadInput("expected a table of strings")
    if problems := [f"lacks field {n}" for n in names if n not in entry]:
        raise BadInput(problems[0])
    if problems := [f"has unknown field {n}" for n in entry if n not in names]:
        raise BadInput(problems[0])
    if problems := [f"field {n} is empty" for n in ("find", "why") if not entry[n].strip()]:
        raise BadInput(problems[0])
    bug = Bug(name, **entry)
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", bug.id):
        raise BadInput(f"id {bug.id!r} is not of the form like-this")
    if not re.fullmatch(r"[A-Z]{3}-[1-9]\d*", bug.rule):
        raise BadInput(f"rule {bug.rule!r} is not of the form ABC-1")
    return bug


def _patched(bug: Bug, sources: dict[str, str]) -> dict[str, str]:
    if bug.file not in sources:
        raise BadInput(f"file {bug.file!r} is not in the package")
    if (count := sources[bug.file].count(bug.find)) != 1:
        raise BadInput(f"find occurs {count} times in {bug.file}, expected 1: {bug.find[:60]!r}")
    if bug.find == bug.replace:
        raise BadInput("replace is the same as find")
    return {**sources, bug.file: sources[bug.file].replace(bug.find, bug.replace)}


# --- Building and hunting -----------------------------------------------------------------------------------


def build(bug: Bug) -> dict[str, Artifact]:
    """The contract with the bug in it, by its name, as an adapter takes it. Compiled once, then cached."""
    _, sources, _ = _system(bug.system)
    try:
        built = sources.compile(_patched(bug, sources.read()))
    except BadInput as problem:
        raise BadInput(f"planted bug {bug.id}: {problem}") from None
    return {name: artifact(name, built[name], f"planted bug {bug.id}") for name in sources.contracts}


def _opened(bug: Bug) -> tuple[System, EvmTarget]:
    chosen, _, _ = _system(bug.system)
    return chosen, EvmTarget(bug.id, chosen.adapter(build(bug)), Embedded())


def hunt(bug: Bug, steps: int, seed: int, told: Hunt | None = None) -> Hunt:
    """Run a campaign of at most `steps` steps against the contract with the bug in it.

    While no trace or vector is of at most `LONGEST_TRACE` calls, the bug is hunted again from the next seed, for
    another way in which it shows; the shortest trace counts, and the steps of the first campaign. told: what vectors
    show of it.
    """
    chosen, target = _opened(bug)
    is_short = told is not None and 0 < told.shortest <= LONGEST_TRACE
    try:
        first = shortest = _hunted(bug, chosen, target, steps, seed)
        for again in range(1, WAYS):
            if first.found_after is None or shortest.passed or is_short:
                break
            other = _hunted(bug, chosen, target, steps, seed + again)
            if other.found_after is not None and other.trace_length < shortest.trace_length:
                shortest = other
    finally:
        target.close()
    return replace(shortest, found_after=first.found_after)


def _hunted(bug: Bug, chosen: System, target: EvmTarget, steps: int, seed: int) -> Hunt:
    campaign = run(chosen.model, target, steps, seed)
    if not campaign.divergences:
        return Hunt(bug, None)
    found = campaign.divergences[0]
    return Hunt(bug, campaign.tally.steps, len(found.trace), found.divergence.key)


def watch(bug: Bug, steps: int, seed: int) -> tuple[tuple[str, ...], int | None]:
    """The laws that the monitor alone sees the contract break in at most `steps` steps, and after how many."""
    chosen, target = _opened(bug)
    try:
        seen = monitor.run(chosen.model, target, chosen.chapter.properties, steps, seed, shrinking=False)
    finally:
        target.close()
    return seen.broken, seen.found_after


def noticed(bug: Bug, steps: int, watched: int, seed: int, vectors: Sequence[Sequence[Call]]) -> Hunt:
    """Who notices a bug, each on its own: the lock-step run in at most `steps` steps, the monitor in at most `watched`,
    the vectors."""
    laws, after = watch(bug, watched, seed)
    told = shown(bug, vectors)
    found = hunt(bug, steps, seed, told)
    return replace(found, laws=laws, laws_after=after, vector=told.vector, vector_length=told.vector_length)


def shown(bug: Bug, vectors: Sequence[Sequence[Call]]) -> Hunt:
    """What a bug shows in the shortest of some vectors, calls from genesis, in which it shows."""
    chosen, target = _opened(bug)
    lockstep, rehearsal = LockStep(chosen.model, target), Rehearsal(chosen.model)
    try:
        for calls in sorted(vectors, key=len):
            found = lockstep.run(rehearsal.run(calls), recheck=False)
            if found is not None:
                return Hunt(bug, None, vector=found[1].key, vector_length=len(calls))
        return Hunt(bug, None)
    finally:
        target.close()
