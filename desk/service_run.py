"""A risk service beside the model: the same questions, and every figure within a tolerance that its rule declares."""

from __future__ import annotations

import math
import operator
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, overload

from marginspec.base.errors import TargetFailed
from marginspec.base.workers import Alone, Tell, forked, in_order
from marginspec.desk import frameworks, portfolios, valuation
from marginspec.desk.figures import Figure, QuestionKind
from marginspec.model.risk.notation import WAD
from marginspec.targets.services.client import FRAMEWORKS, RISK, SIMM, RiskService, ServiceRefused

MOST_AT_ONCE = 100
"""Questions in one request, and in one piece of work of a process."""

Question = Any
"""A question of one of the kinds of `KINDS`."""

KINDS: Mapping[type, QuestionKind] = {**valuation.KINDS, **frameworks.KINDS}
DRAWS: Mapping[str, Callable[[random.Random], Question]] = {**portfolios.DRAWS, **frameworks.DRAWS}

SERVICES = {
    "risk": (RISK, ("option", "tail", "history", "margin", "revaluation")),
    "frameworks": (FRAMEWORKS, ("schedule", "span")),
    "simm": (SIMM, ("simm",)),
}
"""Our own services: their programs, and the kinds of questions that they answer."""

KNOWN = {"simm": (frameworks.GROUPS,), "quantark": (frameworks.VEGAS,)}
"""Of services, the differences that are declared; any other is one."""

ELSEWHERE = {"quantark": ("simm",)}
"""Services that are started by hand, where their engine is installed: `simm_service.py --engine quantark`."""


@dataclass(frozen=True)
class Off:
    """A figure of a service that is farther off than its rule allows. found: units of 10^-18."""

    figure: Figure
    found: float
    question: Question

    def line(self) -> str:
        """The difference, as a line for people."""
        figure = self.figure
        return (
            f"{figure.rule} {figure.name}: the model has {figure.value / WAD:.17g}, "
            f"the service {self.found / WAD:.17g}, allowed are {float(figure.tolerance) / WAD:.2g}"
        )


@dataclass
class Valuation:
    """What came of a run. kinds, rules: how many questions, and figures, of each were compared.

    declared: known differences that were seen.

    off: the first difference, shrunk. failed: why the service was asked no more, empty where it was asked to the end.
    """

    questions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    declared: Counter[str] = field(default_factory=Counter)
    off: Off | None = None
    failed: str = ""

    def __add__(self, later: Valuation) -> Valuation:
        return Valuation(
            questions=self.questions + later.questions,
            kinds=self.kinds + later.kinds,
            rules=self.rules + later.rules,
            declared=self.declared + later.declared,
            off=self.off or later.off,
            failed=self.failed or later.failed,
        )

    def over(self) -> bool:
        """Whether nothing more is to be asked."""
        return self.off is not None or bool(self.failed)


class Questions(Sequence[Question]):
    """So many questions of some kinds in turn, drawn when they are asked for."""

    def __init__(self, seed: int, count: int, kinds: Sequence[str] = SERVICES["risk"][1]) -> None:
        self._seed, self._numbers, self._kinds = seed, range(count), kinds

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, which: int) -> Question: ...
    @overload
    def __getitem__(self, which: slice) -> list[Question]: ...
    def __getitem__(self, which: int | slice) -> Question | list[Question]:
        """Each depends on the seed and its number alone."""
        if isinstance(which, slice):
            return [self[n] for n in self._numbers[which]]
        n = self._numbers[which]
        return DRAWS[self._kinds[n % len(self._kinds)]](random.Random(f"{self._seed} {n}"))


def figures(question: Question) -> list[Figure]:
    """The model's figures, in the order in which one follows from another: the first that is off says why."""
    return KINDS[type(question)].figures(question)


def answers(service: RiskService, asked: Sequence[Question]) -> list[Mapping[str, Any]]:
    """What a service answers to questions, in their order; those that it takes together, together."""
    found: dict[int, Mapping[str, Any]] = {}
    for kind, how in KINDS.items():
        numbers = [n for n, question in enumerate(asked) if isinstance(question, kind)]
        if how.together is None:
            found.update((n, service.ask(how.path, how.body(asked[n]))) for n in numbers)
        elif numbers:
            inside, outside = how.together
            answer = service.ask(how.path, {inside: [how.body(asked[n]) for n in numbers]})
            each = answer.get(outside) if isinstance(answer, Mapping) else None
            if not isinstance(each, list) or len(each) != len(numbers):
                raise TargetFailed(f"the risk service answered {how.path} without {len(numbers)} {outside}")
            found.update(zip(numbers, each, strict=True))
    return [found[n] for n in range(len(asked))]


def _read(answer: Any, name: str) -> float:
    """A figure of an answer by its name, e.g. `profits[3]`, in units of 10^-18."""
    what, _, index = name.partition("[")
    try:
        value = answer[what][int(index[:-1])] if index else answer[what]
    except (KeyError, IndexError, TypeError):
        raise TargetFailed(f"the risk service's answer has no {name}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TargetFailed(f"the risk service's {name} is no number")
    try:
        scaled = float(value) * WAD
    except OverflowError:
        scaled = math.inf
    if not math.isfinite(scaled):
        raise TargetFailed(f"the risk service's {name} is no finite number")
    return scaled


def compared(
    question: Question, answer: Mapping[str, Any], counted: Valuation, known: Sequence[str] = ()
) -> Off | None:
    """The first figure that is farther off than allowed, if any. counted: what is compared is counted there.

    known: differences that are declared of this service.
    """
    for figure in figures(question):
        found = _read(answer, figure.name)
        exact = Fraction(found)
        counted.rules[figure.rule] += 1
        if figure.fits(exact):
            continue
        if declared := figure.declared(exact, known):
            counted.declared[declared] += 1
            continue
        return Off(figure, found, question)
    return None


def run(
    service: RiskService,
    asked: Sequence[Question],
    advance: Callable[[int], object] = lambda done: None,
    processes: int = 1,
    known: Sequence[str] = (),
) -> Valuation:
    """Ask and compare until the first difference that is not known, which is shrunk, or until the service fails.

    The result is the same for any number of processes. Where the run is told to end, it is that of what was done.
    """
    pieces = -(-len(asked) // MOST_AT_ONCE)

    def work(number: int, tell: Tell) -> Valuation:
        own = service.again()
        try:
            return _piece(own, asked[number * MOST_AT_ONCE : (number + 1) * MOST_AT_ONCE], tell, known)
        finally:
            own.close()

    several = processes > 1 and pieces > 1
    with forked(work, pieces, processes) if several else nullcontext(Alone(work, advance)) as workers:
        done = in_order(workers, range(pieces), operator.add, Valuation.over, advance) or Valuation()
    if done.off is not None:
        done.off = shrunk(service, done.off, known)
    return done


def _piece(service: RiskService, asked: Sequence[Question], tell: Tell, known: Sequence[str]) -> Valuation:
    done = Valuation()
    try:
        answered = answers(service, asked)
        for question, answer in zip(asked, answered, strict=True):
            done.off = compared(question, answer, done, known)
            done.questions += 1
            done.kinds[KINDS[type(question)].path.strip("/")] += 1
            if done.off is not None:
                break
    except ServiceRefused as refused:
        done.failed = f"the risk service refuses a question that has an answer: {refused}"
    except TargetFailed as failed:
        done.failed = str(failed)
    tell(done.questions)
    return done


def shrunk(service: RiskService, off: Off, known: Sequence[str] = ()) -> Off:
    """A smaller question on which the same figure, or one of its kind, is off; as small as it is where it fails."""
    smaller = True
    while smaller:
        smaller = False
        for simpler in KINDS[type(off.question)].simpler(off.question):
            try:
                found = compared(simpler, answers(service, [simpler])[0], Valuation(), known)
            except ServiceRefused:
                continue
            except TargetFailed:
                return off
            if found is not None and _kind(found) == _kind(off):
                off, smaller = found, True
                break
    return off


def _kind(off: Off) -> str:
    return off.figure.name.partition("[")[0]
