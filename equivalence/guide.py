"""An exploration that knows numbers for the way it goes, and leaves out ways that a solver finds impossible.

The contract and the model ask the same questions in another order, so that most combinations of answers are impossible.
A run carries integers that take it so far: the side that these take needs no solver. The other side is taken too,
unless a solver finds that nothing takes it. Then the answer is *learned*: `Learned` keeps what it follows from, and
whoever believes the exploration has another solver find the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.prover.encode import Obligation, smt_lib, support
from marginspec.prover.evaluate import Evaluation, Numbers, mended, satisfies
from marginspec.prover.solvers import solve
from marginspec.prover.symbolic import Atoms, Branch, Known, Run, SymBool, Unsupported
from marginspec.prover.witness import Witnesses

TRIED = {"linear": 0.2, "near": 0.2, "light": 0.3, "real": 0.4}
"""Seconds for a solver to find a way impossible, by encoding, the cheapest first."""


@dataclass(frozen=True)
class Learned:
    """A condition whose truth follows from others on its run. text: in which a solver found its opposite impossible."""

    known: Known
    text: str


@dataclass
class Guide:
    """What the runs of one exploration share. runs: by the identity of their lists of conditions, as paths have them.

    until: when to give up, by the clock of `time.process_time`: how busy a machine is decides no verdict.
    """

    until: float = math.inf
    witnesses: Witnesses = field(default_factory=Witnesses)
    learned: dict[Any, Learned] = field(default_factory=dict)
    runs: dict[int, GuidedRun] = field(default_factory=dict)
    _asked: dict[Any, str] = field(default_factory=dict)
    _supports: dict[int, tuple[SymBool, frozenset[int]]] = field(default_factory=dict)

    def check_time(self) -> None:
        """Raise Unsupported when time is over."""
        if time.process_time() > self.until:
            raise Unsupported("not done in time")

    def impossible(self, atoms: Atoms, conditions: Sequence[SymBool], other: SymBool) -> tuple[str, list[SymBool]]:
        """A text that Z3 finds unsatisfiable, of a condition and those that have to do with it; empty if there is none.

        With it those conditions.
        """
        near = self._near(atoms, conditions, other)
        # Other paths ask the same, of conditions of their own that say the same.
        key = frozenset((c.kind, c.term.key) for c in near), other.kind, other.term.key
        if key not in self._asked:
            self._asked[key] = self._found_impossible(atoms, near, other)
        return self._asked[key], near

    def _found_impossible(self, atoms: Atoms, near: Sequence[SymBool], other: SymBool) -> str:
        for encoding, seconds in TRIED.items():
            text = smt_lib(Obligation(atoms, tuple(near), (other.negated(),)), encoding)
            answer = solve("z3", text, seconds).verdict
            if answer == "unsat":
                return text
        return ""

    def _near(self, atoms: Atoms, conditions: Sequence[SymBool], other: SymBool) -> list[SymBool]:
        """The conditions that share an unknown with another, directly or through others."""
        reached, left = set(self._support(atoms, other)), list(conditions)
        while True:
            near = [c for c in left if not reached.isdisjoint(self._support(atoms, c))]
            if not near:
                chosen = set(map(id, left))
                return [c for c in conditions if id(c) not in chosen]
            for condition in near:
                reached |= self._support(atoms, condition)
            taken = set(map(id, near))
            left = [c for c in left if id(c) not in taken]

    def _support(self, atoms: Atoms, condition: SymBool) -> frozenset[int]:
        if id(condition) not in self._supports:
            # With the condition itself, so that nothing else takes its identity.
            self._supports[id(condition)] = condition, frozenset(support(atoms, [condition]))
        return self._supports[id(condition)][1]

    def numbers(self, atoms: Atoms, conditions: Sequence[SymBool], like: Numbers | None) -> Numbers | None:
        """Integers that fulfil some conditions, if they are found soon; first near other ones."""
        if like is not None and (near := mended(atoms, conditions, like)) is not None:
            return near if satisfies(atoms, conditions, near) else None
        return None

    def searched(self, atoms: Atoms, conditions: Sequence[SymBool], like: Numbers | None) -> Numbers | None:
        """The same with more effort: of what has to do with the last condition the search is asked anew."""
        near = [*self._near(atoms, conditions[:-1], conditions[-1]), conditions[-1]]
        found = self.witnesses.find(atoms, near)
        if found is None:
            return None
        numbers = {**(like or {}), **found}
        if satisfies(atoms, conditions, numbers):
            return numbers
        return self.numbers(atoms, conditions, numbers)


class GuidedRun(Run):
    """A run with integers that take it, None where none are known. seen: what its body made, for whoever replays it."""

    def __init__(self, *parts: Any, guide: Guide, numbers: Numbers | None, **options: Any) -> None:
        super().__init__(*parts, **options)
        self.guide, self.numbers = guide, numbers
        self.seen: Any = None
        self._evaluation = None if numbers is None else Evaluation(self.atoms, numbers)
        self._moved: dict[int, Numbers | None] = {}
        guide.runs[id(self.constraints)] = self

    def like(self, *parts: Any) -> Run:
        return GuidedRun(*parts, guide=self.guide, numbers=None)

    def others(self) -> Iterator[Run]:
        """See `Run.others`; each with the integers that were found for it. Raises Unsupported when time is over."""
        self.guide.check_time()
        for branch, run in zip(reversed(self.branches), super().others(), strict=True):
            assert isinstance(run, GuidedRun)
            run.take_numbers(self._moved[branch.answers])
            yield run

    def take_numbers(self, numbers: Numbers | None) -> None:
        """Go on with these integers, which take the run as far as it is decided."""
        self.numbers = numbers
        self._evaluation = None if numbers is None else Evaluation(self.atoms, numbers)

    def _choose(self, condition: SymBool) -> bool:
        """See `Run`; a side that is found impossible is not taken."""
        truth = True if self._evaluation is None else self._evaluation.holds(condition)
        follows, others = self._follows(condition, truth)
        if follows:
            return truth
        if self.numbers is None:
            follows, own = self._follows(condition, not truth)
            if follows:
                self.take_numbers(others)
                return not truth
            self.take_numbers(own)
        self._moved[len(self.answers)] = others
        taken = condition if truth else condition.negated()
        # `others` negates what was taken, and answers with the number that stands in the range.
        self.branches.append(Branch(len(self.answers), len(self.constraints), range(int(not truth), 2 - truth), taken))
        self.constraints.append(taken)
        return truth

    def _follows(self, condition: SymBool, truth: bool) -> tuple[bool, Numbers | None]:
        """Whether nothing takes the other side, which then is learned; else integers that take it, if any are found."""
        guide, before = self.guide, list(self.constraints)
        other = condition.negated() if truth else condition
        moved = guide.numbers(self.atoms, [*before, other], self.numbers)
        if moved is not None:
            return False, moved
        text, near = guide.impossible(self.atoms, before, other)
        if not text:
            return False, guide.searched(self.atoms, [*before, other], self.numbers)
        key = condition.kind, condition.term.key, truth, frozenset(map(id, near))
        guide.learned.setdefault(key, Learned(Known(condition, truth, tuple(near)), text))
        self.constraints.append(condition if truth else condition.negated())
        return True, None
