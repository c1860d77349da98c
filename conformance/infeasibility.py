"""Whether what no run did can be done at all: a gap in the ways of a model is closed by a run, or excluded by a proof.

The proof begins where the gap is, in its function, run on any state with any arguments; if that allows the gap, in the
functions that call it, and so on, up to the action. Each time what lies aside is left open at first.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.conformance.abstraction import Abstraction, Fact, Start
from marginspec.conformance.recorder import RETURNED, Event, PathGap, closes
from marginspec.conformance.search import described
from marginspec.conformance.theorems import BY_THEOREM
from marginspec.model.kernel.machine import Machine, Rejected, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, arguments_of
from marginspec.prover.encode import Obligation, smt_lib
from marginspec.prover.solvers import solve
from marginspec.prover.symbolic import Atoms, Run, SymBool, Unsupported

QUICK, LEMMAS, INVARIANTS = EFFORTS = (0, 1, 2)
"""How hard a proof is looked for: from nothing but the code; with lemmas; with the invariants that are laws."""

RUNS, SECONDS = 2400, 3.0
"""How long one attempt may take, in runs and in seconds of processor time."""

CALLERS = 1
"""How far from a gap functions may be whose variables a lemma about it may speak of: so many calls."""

LEMMA_FACTOR = 4
"""How much more may be spent on a lemma: it serves many gaps."""

ENCODINGS = (("linear", 0.1), ("light", 0.2), ("cuts", 0.4), ("int", 0.6))


class Hit(Exception):  # noqa: N818 - not an error
    """A run did what was missing."""


class Missed(Exception):  # noqa: N818 - not an error
    """A run can no longer do what was missing."""


@dataclass(frozen=True)
class Lemma:
    """Something that holds from genesis on of every record of some shape: `low` < `high` or, if weak, `low` <= `high`.

    Either is the name of a variable with its keys left out, e.g. `assets[].mark`, or empty for zero.
    """

    low: str
    high: str
    weak: bool

    def speaks(self) -> set[str]:
        """The variables' own names."""
        return {name.rpartition(".")[2] for name in (self.low, self.high) if name}

    def within(self) -> set[str]:
        """Those, and the names of what they are in: whoever stores into one of these may change them."""
        return {word for name in (self.low, self.high) for word in name.replace("[]", "").split(".") if word}

    def __str__(self) -> str:
        return f"{self.low or 0} {'<=' if self.weak else '<'} {self.high or 0}"


@dataclass
class Feasibility:
    """Looks for proofs. claims: of the model; its invariants may be assumed between actions.

    states: some that runs reach, flattened: what does not hold in them need not be tried as a lemma.
    """

    model: type[Machine]
    claims: Sequence[Property]
    states: Sequence[Sequence[Any]]
    _lemmas: dict[Lemma, bool] = field(default_factory=dict)
    _end: float = 0.0

    def __post_init__(self) -> None:
        self._runs = Abstraction(self.model)
        self._recorder = self._runs.recorder

    def excluded(self, gap: PathGap, effort: int) -> str | None:
        """Why a gap cannot be closed; None if no proof was found with this effort."""
        self._end = time.process_time() + SECONDS
        if effort == QUICK:
            spot = self._recorder.spots[gap.event[0]] if gap.event[0] >= 0 else None
            if spot is not None and spot.refuses in self.model.never and gap.event[1] is True:
                return f"{spot.refuses} never refuses, by {self.model.never[spot.refuses]}"
            known = BY_THEOREM.get((self.model.system, gap.action, described(self._recorder, gap)))
            return known or self._by(gap, ())
        if effort == LEMMAS:
            lemmas = self._helpful(gap)
            self._end = time.process_time() + SECONDS * LEMMA_FACTOR
            return self._by(gap, lemmas) if lemmas else None
        return self._by_invariants(gap)

    def _by(self, gap: PathGap, lemmas: Sequence[Lemma]) -> str | None:
        """A proof that assumes lemmas, from the gap's function outwards."""
        action = f"self.{gap.action}"
        target = self._recorder.spots[gap.function].within
        reachable = self._runs.within(action)
        heads = {target}
        while True:
            used = [lemma for lemma in lemmas if all(self._holds_at(lemma, head) for head in heads)]
            if (used or not lemmas) and all(self._excluded_in(head, gap, used) for head in sorted(heads)):
                names = " and ".join(sorted(head.rpartition(".")[2] for head in heads))
                return f"impossible in {names}" + (f", as {' and '.join(map(str, used))}" if used else "")
            if heads == {action}:
                return None
            callers = {key for key in reachable - heads if self._runs.calls[key] & heads}
            heads = {action} if action in callers or heads & callers or not callers else callers | (heads & {action})

    def _by_invariants(self, gap: PathGap) -> str | None:
        self._end = time.process_time() + SECONDS * LEMMA_FACTOR * LEMMA_FACTOR
        if self._invariants and self._excluded_in(f"self.{gap.action}", gap, (), list(self._invariants.values())):
            return f"impossible in {gap.action}, by {', '.join(self._invariants)}"
        return None

    @functools.cached_property
    def _invariants(self) -> dict[str, Fact]:
        """Those invariants that compare two numbers: more slows the solver down, and cases multiply the runs."""
        found: dict[str, Fact] = {}
        for claim in self.claims:
            if claim.kind == "invariant":
                run = Run.current = Run((), Atoms())
                fact = self._fact(claim)
                left = [run.settle(condition) for condition in fact(self._runs.anywhere())]
                terms = [c.term.terms for some in left if isinstance(some, tuple) for c in some]
                if not run.branches and all(len(term) <= 3 for term in terms):
                    found[claim.id] = fact
        return found

    def _words(self, spot: int) -> set[str]:
        text = self._recorder.spots[spot].text
        return set("".join(c if c.isidentifier() or c.isdigit() else " " for c in text).split())

    def _fact(self, claim: Property) -> Fact:
        hints = arguments_of(claim.predicate)
        cases = list(itertools.product(*(self.model.universe[plain(hint)] for hint in hints.values())))
        return lambda machine: (claim.predicate(machine, **dict(zip(hints, case, strict=True))) for case in cases)

    # --- Gaps --------------------------------------------------------------------------------------------------------

    def _excluded_in(self, head: str, gap: PathGap, lemmas: Sequence[Lemma], invariants: Sequence[Fact] = ()) -> bool:
        """Whether no run of a function does what is missing, however much must be run for that."""
        target = self._recorder.spots[gap.function].within
        facts = [*invariants, *(self._as_fact(lemma) for lemma in lemmas)]
        inside = self._runs.within(head)
        leading = {key for key in inside if target in self._runs.within(key)}
        aside = {key for key in inside - leading if self._runs.may_be_open(key) and not self._runs.is_simple(key)}
        words = {word for event in (*gap.before, gap.event) if event[0] >= 0 for word in self._words(event[0])}
        checks = frozenset(
            spot.number
            for spot in self._recorder.spots
            if spot.checks and spot.number != gap.function and not self._is_about(spot.within, words)
        )
        # Invariants join what lies apart: with them as little as possible is left open, and that takes its time.
        patience = 2 * LEMMA_FACTOR if invariants else 1
        apart = {key for key in aside if not self._is_about(key, words)}
        few = (apart & (self._runs.permissions | self._runs.looping), apart & self._runs.permissions, set[str]())
        for left_open in few if invariants else self._levels(leading, aside, words):
            self._recorder.skipped = checks if left_open else frozenset()
            self._recorder.watch = self._watch(gap, once=head == target and head == f"self.{gap.action}")
            try:
                start = self._runs.start(head, *self._as_action(head, gap), left_open, facts)
                if self._none(start, lambda: self._closed(gap), patience):
                    return True
            except Unsupported:
                return False
            finally:
                self._recorder.watch, self._recorder.skipped = None, frozenset()
        return False

    def _as_action(self, head: str, gap: PathGap) -> tuple[str | None, str]:
        action = f"self.{gap.action}"
        return (gap.action if head == action else None), action

    def _levels(self, leading: set[str], aside: set[str], words: set[str]) -> Iterator[set[str]]:
        """What is left open: all that does not lead on; all but one that is about the same; what has loops; nothing."""
        yield aside
        called = {key for leader in leading for key in self._runs.calls[leader]}
        for key in sorted(called & aside):
            if self._is_about(key, words):
                yield aside - {key}
                yield aside - self._runs.within(key)
        if aside:
            yield aside & self._runs.looping
            yield set()

    def _is_about(self, key: str, words: set[str]) -> bool:
        """Whether the text of a function uses some of these words."""
        return any(words & self._words(spot.number) for spot in self._recorder.spots if spot.within == key)

    def _watch(self, gap: PathGap, once: bool) -> Callable[[int, int, tuple[Event, ...], bool], None]:
        """once: the function of the gap is run once, so that after another decision of it nothing is to be seen."""
        recorder = self._recorder
        # Whatever is decided behind a call that never returned shows that it does.
        whole = gap.before if gap.event == RETURNED else (*gap.before, gap.event)

        def watch(place: int, spot: int, events: tuple[Event, ...], truth: bool) -> None:
            if recorder.region(recorder.chain(place)) != gap.function:
                return
            if (*events, (spot, truth))[: len(whole)] == whole:
                raise Hit
            if once and (*events, (spot, truth))[: len(whole)] != whole[: len(events) + 1]:
                raise Missed

        return watch

    def _closed(self, gap: PathGap) -> bool:
        if gap.event[0] >= 0:
            return False
        return closes(gap, ((gap.action, *self._recorder.way(path)[1:]) for path in self._recorder.paths()))

    def _none(self, start: Callable[[], object], is_hit: Callable[[], Any], patience: int = 1) -> bool:
        """Whether every run that is a hit is impossible."""
        atoms, end = Atoms(), min(time.process_time() + SECONDS * patience, self._end)
        todo, count = [Run((), atoms)], 0
        while todo:
            run = Run.current = todo.pop()
            count += 1
            if count > RUNS * patience or time.process_time() > end:
                return False
            hit: Any = False
            try:
                start()
                hit = is_hit()
            except (Hit, Unsupported):
                hit = True  # what cannot be followed must be impossible too
            except (Irrelevant, Missed):
                pass
            except Rejected:
                hit = is_hit()
            if hit and not _impossible(atoms, run.constraints):
                return False
            todo += run.others()
        return True

    # --- Lemmas ------------------------------------------------------------------------------------------------------

    def _helpful(self, gap: PathGap) -> list[Lemma]:
        """Lemmas about what the functions around a gap speak of, each proved."""
        target = self._recorder.spots[gap.function].within
        near = {target}
        for _ in range(CALLERS):
            near |= {key for key, called in self._runs.calls.items() if near & called}
        words = {word for spot in self._recorder.spots if spot.within in near for word in self._words(spot.number)}
        words |= {word for key in near for word in self._recorder.stores[key]}
        here = {word for event in (*gap.before, gap.event) if event[0] >= 0 for word in self._words(event[0])}
        pure = not target.startswith("self.")
        here |= words if pure else self._recorder.stores[target]
        found = [c for c in self._candidates if c.speaks() <= words and c.speaks() & here]
        return self._proved([lemma for lemma in found if self._lemmas.get(lemma, True)])

    @functools.cached_property
    def _candidates(self) -> list[Lemma]:
        """What holds in all states that are known: a kind of number is never zero, or never more than a like one."""
        shapes: dict[str, Number] = {}
        for name, hint in zip(self._runs.names, self._runs.hints, strict=True):
            if plain(hint) is int:
                shapes[_shape(name)] = hint.__metadata__[0]
        found = [Lemma("", name, weak=False) for name, number in shapes.items() if number.low >= 0]
        for low, high in itertools.permutations(shapes, 2):
            home = high.rpartition(".")[0]
            beside = home == low.rpartition(".")[0] if home else "." in low and "[" not in high
            if beside and "[]" in low and not low.endswith("]") and shapes[low] == shapes[high]:
                found.append(Lemma(low, high, weak=True))
        named = [dict(zip(self._runs.names, state, strict=True)) for state in self.states]
        return [lemma for lemma in found if all(all(self._conditions(lemma, state)) for state in named)]

    def _as_fact(self, lemma: Lemma) -> Fact:
        return lambda machine: self._conditions(lemma, dict(zip(self._runs.names, machine.flatten(), strict=True)))

    def _conditions(self, lemma: Lemma, state: dict[str, Any]) -> Iterator[Any]:
        for name in state:
            if _shape(name) == (lemma.low or lemma.high):
                low = state[name] if lemma.low else 0
                home = name.rpartition(".")[0]
                other = lemma.high if "." not in lemma.high else f"{home}.{lemma.high.rpartition('.')[2]}"
                high = state[name] if not lemma.low else state[other]
                yield low <= high if lemma.weak else low < high

    def _writers(self, lemma: Lemma) -> set[str]:
        """The functions that store into what a lemma speaks of; not those that only others of them call."""
        found = {key for key, stores in self._recorder.stores.items() if stores & lemma.within()}
        users = {key: {user for user, called in self._runs.calls.items() if key in called} for key in found}
        return {key for key in found if not users[key] or not users[key] <= found}

    def _holds_at(self, lemma: Lemma, head: str) -> bool:
        """Whether a lemma holds when a function begins: none that may break it for a while is running then."""
        return not any(head in self._runs.within(writer) - {writer} for writer in self._writers(lemma))

    def _proved(self, lemmas: list[Lemma]) -> list[Lemma]:
        """Those lemmas that every function keeps which could break one, where all hold before it runs."""
        known = [lemma for lemma in lemmas if self._lemmas.get(lemma)]
        while True:
            self._end = time.process_time() + SECONDS * LEMMA_FACTOR
            left = [lemma for lemma in lemmas if lemma in known or self._is_kept(lemma, lemmas)]
            if left == lemmas:
                break
            lemmas = left
        self._lemmas |= dict.fromkeys(lemmas, True)
        return lemmas

    def _is_kept(self, lemma: Lemma, given: Sequence[Lemma]) -> bool:
        kept = all(self._keeps(writer, lemma, given) for writer in sorted(self._writers(lemma)))
        if not kept:
            self._lemmas[lemma] = False
        return kept

    def _keeps(self, writer: str, lemma: Lemma, given: Sequence[Lemma]) -> bool:
        fact, name, within = self._as_fact(lemma), writer.rpartition(".")[2], lemma.within()
        facts = [self._as_fact(other) for other in given if self._holds_at(other, writer)]
        inside = self._runs.within(writer) - {writer}
        aside = {key for key in inside if self._runs.may_be_open(key) and not self._runs.stores([key]) & within}
        called = self._runs.calls[writer] & aside
        single = [aside - self._runs.within(key) for key in sorted(called)]
        for left_open in (aside, *single, aside & self._runs.looping, set[str]()):
            try:
                action = name if name in actions_of(self.model) else None
                start = self._runs.start(writer, action, writer, left_open, facts)
            except Unsupported:
                return False

            def run(start: Start = start) -> None:
                if not all(fact(start())):  # asks for a decision where it is not known
                    raise Hit

            if self._none(run, lambda: False, LEMMA_FACTOR):
                return True
        return False


def _shape(name: str) -> str:
    """The name of a variable with its keys left out."""
    parts = name.split("[")
    return parts[0] + "".join(f"[]{part.partition(']')[2]}" for part in parts[1:])


def _impossible(atoms: Atoms, conditions: Sequence[SymBool]) -> bool:
    if not conditions:
        return False
    *before, last = conditions
    obligation = Obligation(atoms, tuple(before), (last.negated(),))
    return any(
        solve("z3", smt_lib(obligation, encoding), seconds).verdict == "unsat" for encoding, seconds in ENCODINGS
    )
