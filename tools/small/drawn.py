"""Small systems with laws of which about half are true: drafts are decided by enumeration until some will do."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import random
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from marginspec.model.kernel.machine import Machine
from marginspec.properties.law import Chapter, Property
from tools.small.enumeration import World, decided, outcomes, sizes
from tools.small.laws import Draw, Law
from tools.small.models import branches

LIMIT = 4000
"""States of a system times what can happen to one, at most, and so about as many cases of a law."""

FURTHER = (0, 1, 2, 3)
"""How many accounts there may be whom a scope does not name; the last ones where that is not beyond the limit."""

BRANCHES = 14
BRANCHES_TWICE = 7
"""In the text of a model, at most; and of one of which a law takes two actions: there is a path for each pair."""

TRUE = 0.5
"""How many of the laws are meant to be true, besides the invariants and ranges that others rest on."""

DRAFTS = 12
DRAFTS_OF_INVARIANTS = 5
"""After which something that is not as it was meant to be is taken, or nothing."""


@dataclass
class System:
    """A drawn system, loaded. worlds: its sizes."""

    model: type[Machine]
    chapter: Chapter
    worlds: list[World]


def loaded(text: str, name: str, file: Path | None = None) -> types.ModuleType:
    """A module from its text, which is in a file where its source is to be found again."""
    if file is None:
        module = sys.modules[name] = types.ModuleType(name)
        exec(compile(text, name, "exec"), module.__dict__)
        return module
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def system_of(module: types.ModuleType) -> System:
    """The model and laws of a module, in all sizes that are not too large."""
    worlds: list[World] = []
    for ids in sizes(module.SCOPE, FURTHER):
        world = World(module.Small, ids)
        if len(worlds) < 2 or world.many * len(world.calls) <= LIMIT:
            worlds.append(world)
    return System(module.Small, module.chapter, worlds)


def drawn(seed: int, number: int) -> str:
    """The text of one system with its laws: the same for the same numbers."""
    chance = random.Random(f"{seed} {number}")
    drafts = _Drafts(chance, f"Case {number} of seed {seed}.")
    for which in range(chance.choice((0, 0, 0, 1, 1, 2))):
        law = drafts.law(functools.partial(drafts.draw.invariant, f"INV-{which}"), True, DRAFTS_OF_INVARIANTS)
        if law is not None:
            drafts.take(law)
    names = [claim.predicate.__name__ for claim in drafts.module.chapter.properties]
    given = ", ".join(name for name in names if chance.random() < 0.6)
    kind = drafts.draw.invariant if chance.random() < 0.25 else drafts.draw.theorem
    make = functools.partial(kind, "LAW", given)
    drafts.take(drafts.law(make, chance.random() < TRUE, DRAFTS) or make().bounded("<=", 1))
    return drafts.text


class _Drafts:
    """A model in which something happens, and what is tried of laws about it."""

    def __init__(self, chance: random.Random, title: str) -> None:
        self._chance = chance
        while True:
            self.draw = Draw(chance)
            self.text = self.draw.model(title)
            if branches(self.text) > BRANCHES:
                continue
            self.module = loaded(self.text, "marginspec_draft")
            self._branches, self._worlds = branches(self.text), system_of(self.module).worlds
            small = all(world.many * len(world.calls) <= LIMIT for world in self._worlds)
            if small and self._is_alive(self._worlds[0]):
                return

    def _is_alive(self, world: World) -> bool:
        """Whether something happens to a state now and then; of models that fail, a few are kept."""
        changed = 0
        for _ in range(40):
            state = world.state([self._chance.choice(options) for options in world.options])
            before = state.flatten()
            try:
                changed += state.apply(self._chance.choice(world.calls)).accepted and state.flatten() != before
            except Exception:
                return self._chance.random() < 0.05
        return changed > 2

    def take(self, law: Law) -> None:
        """Add a law to the text."""
        self.text += law.text()
        self._declared(law)

    def law(self, make: Callable[[], Law], true: bool, tries: int) -> Law | None:
        """A law that is true, or one that is false, and that says something; None when none was found soon."""
        for _ in range(tries):
            law: Law | None = make()
            if law is None or (law.happen > 1 and self._branches > BRANCHES_TWICE):
                continue
            if law.open:
                law = self._bounded(law, true)
            if law is None:
                continue
            with self._chapter_as_it_is():
                claim = self._declared(law)
                truths = [decided(world, claim) for world in self._worlds]
            says = any(truth.cases for truth in truths) or self._chance.random() < 0.05
            if says and all(truth.holds for truth in truths) == true:
                return law
        return None

    def _bounded(self, law: Law, true: bool) -> Law | None:
        """With the least that is true of all its values, or the most that is not; None where it fails or is silent."""
        with self._chapter_as_it_is():
            claim = self._declared(law)
            found = {value for world in self._worlds for _, value in outcomes(world, claim)}
        if not found or any(isinstance(value, str) for value in found):
            return None
        low, high = min(found), max(found)
        if low == high and self._chance.random() < 0.5:
            return law.bounded("==", low if true else low + 1)
        if self._chance.random() < 0.5:
            return law.bounded("<=", high if true else high - 1)
        return law.bounded(">=", low if true else low + 1)

    @contextlib.contextmanager
    def _chapter_as_it_is(self) -> Iterator[None]:
        properties = self.module.chapter.properties
        many = len(properties)
        try:
            yield
        finally:
            del properties[many:]

    def _declared(self, law: Law) -> Property:
        exec(law.text(), self.module.__dict__)
        claim: Property = self.module.chapter.properties[-1]
        return claim
