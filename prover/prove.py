"""From a property to a verdict."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import itertools
import re
import time
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any, NamedTuple

from marginspec.base.ending import ended, up_to_the_end
from marginspec.base.files import write_whole
from marginspec.base.workers import as_done
from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.model.kernel.record import Record, is_record, plain
from marginspec.properties import law as law_room
from marginspec.properties.law import Condition, Irrelevant, Property, answered_by, number_for
from marginspec.properties.ranges import RANGES
from marginspec.properties.relaxation import UNUSED, NotCovered, required
from marginspec.properties.scope import REST
from marginspec.prover import recheck
from marginspec.prover.arbitrary import Arbitrary, records_in, rest_of, twice_in
from marginspec.prover.claim import claimed
from marginspec.prover.dependencies import Dependencies, replaced_by
from marginspec.prover.encode import ENCODINGS, Obligation, smt_lib, smt_lib_of_all
from marginspec.prover.evaluate import Evaluation, Numbers
from marginspec.prover.hollow import is_hollow
from marginspec.prover.order import sums_kept
from marginspec.prover.premises import (
    fails_at_first,
    first_of,
    goes_on_where_refused,
    misfits,
    named_by,
    no_invariant,
    unfit,
)
from marginspec.prover.solvers import SolverAnswer, forget_texts, solve
from marginspec.prover.symbolic import (
    Atoms,
    ConcreteRun,
    Exploration,
    Known,
    Path,
    Pick,
    Run,
    SymBool,
    SymKey,
    Unnamed,
    Unsupported,
    claims_of,
    explore,
    shown,
)
from marginspec.prover.symmetry import asymmetry
from marginspec.prover.witness import Witnesses
from marginspec.trial.meaning import FALSE
from marginspec.trial.situations import Undrawable
from marginspec.trial.trials import Trials

# Two rounds over the encodings: what one of them makes easy need not wait for another to time out.
ROUNDS = ({"z3": 1.0, "yices": 0.5, "cvc5": 0.25}, {"z3": 4.0, "yices": 2.0, "cvc5": 4.0})

# Seconds for a second opinion on what Z3 alone found, where the machine has other work: a proof is worth waiting for.
PATIENT = {"yices": 10.0, "cvc5": 10.0}

# Seconds on a property after which a solver is not asked for opinions that are not needed.
SECONDS_OF_EXTRA_OPINIONS = 0.25

# Seconds on one text that re-checks what an exploration took for granted, by solver.
RECHECK = {"yices": 4.0, "cvc5": 4.0, "z3": 4.0}

# Names that are added to a scope where a law and its steps may speak of more accounts than it names.
MOST_NAMES = 8

# Processor time for looking whether identifiers that are said to be alike are.
SYMMETRY_SECONDS = 0.5

# Accounts that nobody names, where a law must not count them; and on how many of its paths.
MANY_ACCOUNTS = 64
FEW_PATHS = 12

# Witnesses of paths that a solver decides, for one choice of identifiers, after which others need not be looked for.
WITNESSES_PER_CHOICE = 8

# How many obligations of a law are asked at once, at most, and for how long.
TOGETHER = 12
TOGETHER_SECONDS = 0.25

# Encodings that a law may begin with where they served last, several obligations at once.
CHEAP = ("linear", "light", "real")

# Numbers to mend before a solver is asked whether there are any.
NUMBERS_TO_MEND = 4


@dataclass
class SolverResult:
    """One solver over all obligations of a property."""

    verdict: str = "unsat"
    seconds: float = 0.0

    def add(self, answer: SolverAnswer) -> None:
        self.seconds += answer.seconds
        if answer.verdict != "unsat":
            self.verdict = answer.verdict


class DeadEnds:
    """First decisions of paths of one exploration that nothing takes."""

    def __init__(self) -> None:
        self._known: dict[int, set[tuple[int, ...]]] = {}

    def add(self, path: Path, many: int) -> None:
        """The first decisions of a path lead nowhere."""
        self._known.setdefault(many, set()).add(tuple(map(id, path.constraints[:many])))

    def __contains__(self, path: Path) -> bool:
        # Paths that begin with the same decisions share them.
        decided = tuple(map(id, path.constraints))
        return any(decided[:many] in known for many, known in self._known.items())


@dataclass(frozen=True)
class Impossible:
    """That nothing takes a path; text: by which Z3 found it, where it was asked without products."""

    text: str = ""


ASKS_OF_LESS = "asks what is refused of a model that refuses less"

ONLY_RELAXED = "the relaxed model breaks it, by what the model itself does not do on the same numbers"


@dataclass
class _Opinions:
    """What solvers said of a text. unsat: who found it unsatisfiable; is_possible: Z3 found numbers for it."""

    text: str
    unsat: set[str] = field(default_factory=set)
    is_possible: bool = False

    @property
    def is_proof(self) -> bool:
        return "z3" in self.unsat or len(self.unsat) > 1


class Waiting(NamedTuple):
    """A path whose claim is to be proved. impossible: a text by which Z3 found that nothing takes it."""

    path: Path
    name: str
    impossible: str


@dataclass
class Verdict:
    """What is known of a property: `proved`, `refuted` or `unknown`, with everything that qualifies it.

    paths: ways to run on which the law was claimed. obligations: claims that needed a solver; algebra: there were none.
    rechecked: steps of algebra and conditions taken for known that a solver read again. witnessed: concrete integers
    take these paths, and the model run on them takes each to the same end; where many are of one choice of identifiers,
    some of them.
    confirmed: for every obligation and every step a second solver agreed. vacuous: nothing is claimed. cases: in how
    many the law was run as plain Python and held. scope: what its variables are limited to. relaxed: the methods that
    were replaced. took: the invariants that were taken for given, where not all were needed. counterexample: integers
    and identifiers; replays: whether it is by the names of the proof, so that a test can be made of it. cached: found
    in an earlier run, of the same texts.
    """

    id: str
    law: str
    verdict: str
    bounds: str
    kind: str = "theorem"
    reason: str = ""
    paths: int = 0
    obligations: int = 0
    rechecked: int = 0
    witnessed: bool = False
    confirmed: bool = False
    algebra: bool = False
    vacuous: bool = False
    cases: int = 0
    scope: tuple[str, ...] = ()
    relaxed: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    took: tuple[str, ...] | None = None
    solvers: dict[str, SolverResult] = field(default_factory=dict)
    counterexample: dict[str, Any] | None = None
    replays: bool = True
    cached: bool = False
    seconds: float = 0.0

    @property
    def is_broken(self) -> bool:
        """Whether a case breaks it: one of the model, or of what its relaxation leaves open."""
        return self.verdict == "refuted" or self.reason == ONLY_RELAXED


@dataclass(frozen=True)
class Prover:
    """Proves properties of one model. emit: a folder for the SMT-LIB text of every obligation.

    recheck: whether a second solver is asked, and what an exploration takes for granted is checked.
    """

    model: type[Machine]
    emit: File | None = None
    recheck: bool = True
    witnesses: Witnesses = field(default_factory=Witnesses)
    trials: dict[type[Machine], Trials] = field(default_factory=dict)
    _together: dict[str, int] = field(default_factory=dict)
    _rechecked: dict[str, bool] = field(default_factory=dict)
    _alike: dict[str, str | None] = field(default_factory=dict)
    _alone: dict[str, Verdict] = field(default_factory=dict)
    _served: dict[str, str] = field(default_factory=dict)

    def prove(self, claim: Property) -> Verdict:
        """The verdict on one property, all that it rests on included."""
        needed = Dependencies(self.model, [claim])
        for each in needed.claims:
            if each.id not in self._alone:
                self._alone[each.id] = self.alone(each)
        return needed.settled(claim, self._alone)

    def alone(self, claim: Property) -> Verdict:
        """The verdict on one property where all that it rests on holds."""
        if claim.id != RANGES:
            return self._of(claim)
        # As few invariants as will do, the first ones: whichever is false must not make this one unknown.
        many, verdict = 0, self._of(dataclasses.replace(claim, given=()))
        while verdict.verdict != "proved" and many < len(claim.given):
            many = min(max(1, 2 * many), len(claim.given))
            verdict = self._of(dataclasses.replace(claim, given=claim.given[:many]))
        verdict.took = tuple(given.id for given in claim.given[:many])
        return verdict

    def _of(self, claim: Property) -> Verdict:
        started = time.perf_counter()
        forget_texts()
        verdict = self.undecided(claim)
        try:
            self._prove(claim, verdict)
        except Unsupported as reason:
            verdict.verdict, verdict.reason = "unknown", str(reason)
        try:
            if self.recheck and verdict.verdict != "refuted":
                self._try(claim, verdict)
        except (Unsupported, Undrawable) as reason:
            verdict.verdict, verdict.reason = "unknown", str(reason)
        verdict.confirmed = verdict.confirmed and verdict.verdict == "proved"
        verdict.algebra = verdict.verdict == "proved" and verdict.obligations == 0
        verdict.seconds = time.perf_counter() - started
        return verdict

    def undecided(self, claim: Property) -> Verdict:
        """`unknown`, with what is claimed and where; and why it was not come to, where the run was told to end."""
        assumed = getattr(claim.relaxed, "assumed", "")
        return Verdict(
            claim.id,
            claim.law,
            "unknown",
            "; ".join((claim.bounds, *claim.scope.open())),
            claim.kind,
            f"not come to: {ended()}" if ended() else "",
            scope=(
                *claim.scope.closed(self.model.universe),
                *claim.scope.pins(),
                *([f"only where: {assumed}"] if assumed else []),
            ),
            relaxed=replaced_by(claim, self.model),
        )

    def _try(self, claim: Property, verdict: Verdict) -> None:
        """Run the law on numbers, by an executor that shares nothing with this one; what it finds false is refuted."""
        if self.model not in self.trials:
            self.trials[self.model] = Trials(self.model)
        trials = self.trials[self.model]
        key = repr((claim.scope.keys, claim.scope.alike))
        if key not in self._alike:
            chance, reached = trials.prepare(claim.scope)
            self._alike[key] = asymmetry(self.model, claim.scope, 1, SYMMETRY_SECONDS, [*chance, *reached])
        if self._alike[key] is not None and verdict.verdict == "proved":
            verdict.verdict, verdict.reason = "unknown", f"identifiers are not alike: {self._alike[key]}"
        tried = trials.run(claim)
        verdict.cases = tried.cases
        if tried.failure is None:
            return
        why, proved = tried.failure.why, verdict.verdict == "proved"
        false = why == FALSE or why.endswith("refused outside an action")
        verdict.verdict = "refuted" if false else "unknown"
        before = f"{verdict.reason}; " if verdict.reason and not false else ""
        verdict.reason = f"{before}run on numbers: {why}"
        if proved:
            verdict.reason += (
                ", though a proof was found, which is an error of the prover or a limit that the law hides"
            )
        verdict.counterexample, verdict.replays = tried.failure.case, False

    def _prove(self, claim: Property, verdict: Verdict) -> None:
        verdict.reason = unfit(self.model) or misfits(claim.scope, self.model)
        if verdict.reason:
            return
        if claim.kind == "invariant" and (why := no_invariant(claim, self.model)):
            verdict.reason = why
            return
        if claim.kind == "invariant" and (why := fails_at_first(claim, self.model)):
            verdict.verdict, verdict.reason, verdict.counterexample = "refuted", why, {"state": "initial"}
            return
        if claim.kind == "invariant" and (body := first_of(claim, self.model)) and not self._holds_of_any(body):
            verdict.reason = "nobody can show that it holds in the initial state, whatever numbers its identifiers are"
            return
        verdict.confirmed = self.recheck
        self.witnesses.listen()
        law, asked = LawRun(self.model, claim), law_room.refusals
        found = law.explored(self.around(law.body))
        if law.refuses_less and (law_room.refusals > asked or claim.kind == "composition"):
            # What the relaxed model accepts the model may refuse.
            raise Unsupported(ASKS_OF_LESS)
        # Before anything is refuted: what was found of one account that stands for many need not be so of them.
        if law.unrefused and claim.kind == "invariant":
            raise Unsupported(f"an invariant asks {min(law.unrefused)} of a relaxed model, which refuses less")
        if law.unrefused:
            verdict.scope = (*verdict.scope, f"only where these are not refused: {', '.join(sorted(law.unrefused))}")
        verdict.reason = law.reads_the_rest_one_by_one(found)
        if verdict.reason:
            return
        waiting: list[Waiting] = []
        unwitnessed, shown_by, impossible, dead = 0, Counter[tuple[Any, ...]](), 0, DeadEnds()
        for number, path in enumerate(p for p in found.paths if p.ended is None):
            if path in dead:
                impossible += 1
                verdict.obligations += path.result is not True
                continue
            # What is so in a thousand ways a few of them show to be possible, of each choice of identifiers.
            group = path.result is True, *map(str, path.picks.values())
            state: Any = None
            if path.result is not False:
                enough = 1 if path.result is True else WITNESSES_PER_CHOICE
                seen, doubtful = shown_by[group] >= enough, impossible > verdict.paths
                state = self._witness(found, path, claim.id, seen, doubtful)
                if isinstance(state, Impossible):
                    impossible += 1
                    self._dead_end(found, path, f"{claim.id} {number:03}", verdict, dead)
                    if path in dead:
                        verdict.obligations += path.result is not True
                        continue
                if not isinstance(state, Impossible) and state != "unneeded":
                    verdict.paths += 1
                    unwitnessed += state == "unknown"
                if isinstance(state, dict):
                    shown_by[group] += 1
                    if not law.does_the_same(found, path, state):
                        verdict.reason = verdict.reason or "the model run on numbers does otherwise than on unknowns"
            if path.result is True:
                continue
            verdict.obligations += 1
            text = state.text if isinstance(state, Impossible) else ""
            waiting.append(Waiting(path, f"{claim.id} {number:03}", text))
            many = self._together.get(verdict.id, TOGETHER)
            if len(waiting) >= many and not self._settle(found, waiting, law, verdict):
                return
        if not self._settle(found, waiting, law, verdict):
            return
        verdict.witnessed = verdict.paths > 0 and unwitnessed == 0
        if verdict.paths == 0:
            verdict.vacuous = not verdict.reason
            verdict.reason = verdict.reason or "vacuous: no case satisfies its assumptions"
        elif unwitnessed:
            verdict.reason = verdict.reason or f"{unwitnessed} paths without a witness"
        if verdict.reason:
            return
        if why := law.says_nothing(found, self._follows):
            verdict.vacuous, verdict.reason = True, f"vacuous: {why}"
            return
        if not any(path.actions for path in found.paths) and claim.kind == "theorem":
            verdict.kind = "lemma"
        verdict.reason = self.unchecked(found, verdict)
        if not verdict.reason:
            verdict.verdict = "proved"

    def _settle(self, found: Exploration, waiting: list[Waiting], law: LawRun, verdict: Verdict) -> bool:
        """Discharge what waits, all at once or one after the other; False when the law is refuted meanwhile."""
        claims = [each for each in waiting if not each.impossible]
        together = len(claims) > 1 and self._discharge_together(found, claims, verdict)
        # One more of this law next time, or half as many.
        most = self._together.get(verdict.id, TOGETHER)
        self._together[verdict.id] = min(most + 1, TOGETHER) if together or len(claims) <= 1 else len(claims) // 2
        for each in waiting:
            if together and not each.impossible:
                continue
            if not self.discharge(found, each.path, each.name, verdict.law, verdict, each.impossible):
                self._refute(found, each.path, law, verdict)
                if verdict.is_broken:
                    return False
        waiting.clear()
        return True

    def _holds_of_any(self, body: Callable[[], Any]) -> bool:
        """Whether something without a state is true however it is run."""
        found = explore(body)
        return all(path.ended is None and (path.result is True or self._follows(found, path)) for path in found.paths)

    def around(self, body: Callable[[], Any]) -> Callable[[], Any]:
        """What is explored of a law: all of it."""
        return body

    def _follows(self, found: Exploration, path: Path) -> bool:
        return self.discharge(found, path, "", "", Verdict("", "", "", ""))

    def unchecked(self, found: Exploration, verdict: Verdict, learned: Sequence[Known] = ()) -> str:
        """What an exploration took for granted and no solver agrees to; empty when all is checked.

        learned: conditions that solvers found to be known besides; who let them asks two of each.
        """
        if not self.recheck:
            return ""
        if missing := recheck.uncovered(found.paths) or recheck.one_way(found.paths, [*found.known.values(), *learned]):
            return f"not all cases were run: {missing}"
        kinds = (
            ("a bound of a product or a quotient", recheck.bound_texts(found)),
            ("a condition taken for known", recheck.known_texts(found)),
            ("a normal form", recheck.algebra_texts(found)),
        )
        for what, texts in kinds:
            for number, (text, claims) in enumerate(texts):
                verdict.rechecked += claims
                self._write(f"{verdict.id}-checked-{what}-{number:03}", f"; {what}; unsat means checked\n{text}")
                confirmed = self._rechecked.get(text)
                if confirmed is None:
                    answer = _first_unsat(text)
                    if answer is None:
                        return f"no solver agrees to {what}"
                    confirmed = self._rechecked[text] = answer != "z3"
                verdict.confirmed = verdict.confirmed and confirmed
        return ""

    def _witness(
        self, found: Exploration, path: Path, claim: str, seen: bool, doubtful: bool
    ) -> Numbers | str | Impossible:
        """Integers that take a path, that it is impossible, or `unknown`; what is likely and cheap is asked first.

        seen: whether enough others like it have a witness; then `unneeded`. doubtful: whether most paths so far were
        infeasible.
        """
        if seen:
            return "unneeded"
        if not path.constraints:
            return {}
        search, action = self.witnesses, _action(path)
        if not doubtful:
            numbers = search.known(found.atoms, path.constraints, action, claim, NUMBERS_TO_MEND)
            if numbers is not None:
                return numbers
        text = smt_lib(Obligation(found.atoms, tuple(path.constraints)), "real")
        if solve("z3", text, 0.5).verdict == "unsat":
            return Impossible(text)
        if (numbers := search.known(found.atoms, path.constraints, action, claim)) is not None:
            return numbers
        if (numbers := search.find(found.atoms, path.constraints, action, claim)) is not None:
            return numbers
        answer = search.find_nonlinear(found.atoms, path.constraints, action, claim)
        return Impossible() if answer == "unsat" else answer

    def _dead_end(self, found: Exploration, path: Path, name: str, verdict: Verdict, dead: DeadEnds) -> None:
        """Of the decisions that lead to an impossible path, as few of the first as are impossible already."""
        many, step, text = len(path.constraints), 1, ""
        while step < many:
            shorter = smt_lib(Obligation(found.atoms, tuple(path.constraints[: many - step])), "real")
            if solve("z3", shorter, 0.25).verdict != "unsat":
                break
            many, step, text = many - step, 2 * step, shorter
        if text and (not self.recheck or self._agrees(text, verdict, ROUNDS[0])):
            self._write(f"{name}-dead-end", f"; {name}: nothing decides so; unsat means proved\n{text}")
            dead.add(path, many)

    def discharge(
        self, found: Exploration, path: Path, name: str, law: str, verdict: Verdict, impossible: str = ""
    ) -> bool:
        """Whether the claim of a path is proved in some encoding: by Z3, or by both others where it finds no answer.

        impossible: a text by which Z3 found that nothing takes the path.
        """
        if impossible and (not self.recheck or self._agrees(impossible, verdict, ROUNDS[0])):
            self._write(f"{name}-proved", f"; {name}: nothing takes this path; unsat means proved\n{impossible}")
            return True
        conditions, claims = tuple(path.constraints), path.claims
        if not claims and conditions:
            # A path on which the law fails is impossible, when what holds before it excludes its last decision.
            conditions, claims = conditions[:-1], (conditions[-1].negated(),)
        obligation = Obligation(found.atoms, conditions, claims)
        # What served for the last path of a law will rather serve for the next.
        encodings = sorted(ENCODINGS, key=lambda encoding: encoding != self._served.get(verdict.id))
        said: dict[str, _Opinions] = {}
        for seconds, encoding in itertools.product((*ROUNDS, PATIENT), encodings):
            if encoding not in said:
                named = f"{name}\n{law}\nencoding: {encoding}; unsat means proved"
                said[encoding] = _Opinions(smt_lib(obligation, encoding, named))
            self._hear(said[encoding], verdict, seconds)
            if len(said[encoding].unsat) > self.recheck:
                break
        best = max(said, key=lambda each: len(said[each].unsat))
        proved = said[best].is_proof
        if proved and best in CHEAP:
            self._served[verdict.id] = best
        if name:
            self._write(f"{name}-{'proved' if proved else 'open'}", said[best].text)
        verdict.confirmed = verdict.confirmed and len(said[best].unsat) > self.recheck
        if not any("z3" in each.unsat for each in said.values()):
            verdict.solvers["z3"].verdict = "unknown"
        return proved

    def _hear(self, said: _Opinions, verdict: Verdict, seconds: dict[str, float]) -> None:
        """Ask Z3 of a text, and others of what it finds; after the first time also of what it does not.

        Nobody is asked of what is possible, nor in the end of what nobody found.
        """
        if said.is_possible or (seconds is PATIENT and not said.unsat):
            return
        z3, found = verdict.solvers.setdefault("z3", SolverResult()), "z3" in said.unsat
        if "z3" in seconds and not found:
            answer = solve("z3", said.text, seconds["z3"])
            z3.seconds += answer.seconds
            found, said.is_possible = answer.verdict == "unsat", answer.verdict == "sat"
            said.unsat |= {"z3"} if found else set()
        if self.recheck and not said.is_possible and (found or seconds is not ROUNDS[0]):
            said.unsat |= self._others(said.text, verdict, seconds, both=not found)

    def _discharge_together(self, found: Exploration, waiting: Sequence[Waiting], verdict: Verdict) -> bool:
        """Whether Z3 and another solver prove what is claimed on several paths at once, as they did the last path."""
        encoding = self._served.get(verdict.id, CHEAP[0])
        obligations = [Obligation(found.atoms, tuple(each.path.constraints), each.path.claims) for each in waiting]
        name = f"{waiting[0].name} to {waiting[-1].name.split()[-1]}"
        text = smt_lib_of_all(obligations, encoding, f"{name}\n{verdict.law}\nencoding: {encoding}; unsat means proved")
        z3 = verdict.solvers.setdefault("z3", SolverResult())
        answer = solve("z3", text, TOGETHER_SECONDS)
        z3.seconds += answer.seconds
        if answer.verdict != "unsat" or (self.recheck and not self._agrees(text, verdict, ROUNDS[0])):
            return False
        self._write(f"{name}-proved", text)
        return True

    def _write(self, name: str, text: str) -> None:
        if self.emit:
            file = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".")
            write_whole(self.emit / f"{file}.smt2", text)

    def _agrees(self, text: str, verdict: Verdict, seconds: dict[str, float]) -> bool:
        """Whether another solver than Z3 also finds the text unsatisfiable."""
        return bool(self._others(text, verdict, seconds))

    def _others(self, text: str, verdict: Verdict, seconds: dict[str, float], both: bool = False) -> set[str]:
        """Which other solvers than Z3 find the text unsatisfiable.

        Where Yices does, cvc5 is asked if both must, else for one more opinion, as long as it always had one, and soon.
        """
        yices = verdict.solvers.setdefault("yices", SolverResult())
        cvc5 = verdict.solvers.setdefault("cvc5", SolverResult())
        first = solve("yices", text, seconds["yices"])
        yices.add(first)
        if both and first.verdict != "unsat":
            return set()
        if (
            not both
            and first.verdict == "unsat"
            and (cvc5.verdict != "unsat" or cvc5.seconds > SECONDS_OF_EXTRA_OPINIONS)
        ):
            return {"yices"}
        second = solve("cvc5", text, ROUNDS[0]["cvc5"] if first.verdict == "unsat" and not both else seconds["cvc5"])
        cvc5.add(second)
        return {name for name, answer in (("yices", first), ("cvc5", second)) if answer.verdict == "unsat"}

    def _refute(self, found: Exploration, path: Path, law: LawRun, verdict: Verdict) -> None:
        """Look for integers that break the claim, and believe them only if the model itself, run on them, does."""
        if path.reason:
            verdict.reason = path.reason
            return
        numbers = self.breaking(found, path)
        if numbers is None:
            picks = ", ".join(f"{k} = {v}" for k, v in path.picks.items())
            verdict.reason = verdict.reason or f"no solver proves it and no integers break it, with {picks}"
            return
        replay = _replay(found.atoms, path, numbers)
        if not _breaks(replay, law.body):
            verdict.reason = "spurious: the counterexample does not reproduce on the model"
            return
        if (unrelaxed := law.unrelaxed) and not _breaks(_replay(found.atoms, path, numbers), unrelaxed.body):
            verdict.reason = ONLY_RELAXED
            return
        verdict.verdict, verdict.reason = "refuted", ""
        named = {**replay.picks, **dict(sorted(numbers.items()))}
        verdict.counterexample = {k if shown(k) in named else shown(k): str(v) for k, v in named.items()}

    def breaking(self, found: Exploration, path: Path) -> Numbers | None:
        """Integers on the path that break one of its claims."""
        cases = [[*path.constraints, claim.negated()] for claim in path.claims] or [path.constraints]
        for search in (self.witnesses.find, self.witnesses.find_nonlinear):
            for conditions in cases:
                if isinstance(numbers := search(found.atoms, conditions), dict):
                    return numbers
        return None


class LawRun:
    """One property of a model, run on unknowns or on the integers of a witness, in the same way."""

    def __init__(self, model: type[Machine], claim: Property) -> None:
        self._of, self._claim = model, claim
        self._texts = named_by(claim, model)
        # Methods that are asked outside of an action and, being relaxed, are not refused there.
        self.unrefused = set[str]()
        self._model = claim.relaxed(model) if claim.relaxed else model
        self._rest: list[int] | None = None if any(REST in keys for keys in claim.scope.keys.values()) else []
        # A law may also tell a relaxed model what that asks for.
        told = (vars(kind) for kind in self._model.__mro__ if not issubclass(model, kind))
        self._fields = {field.name for field in dataclasses.fields(self._model)}.union(vars(Machine), *told)  # type: ignore[arg-type]
        self._named = 0
        self.refuses_less = claim.relaxed is not None and not getattr(claim.relaxed, "total", False)
        self._with_names()

    def _with_names(self) -> None:
        self._arbitrary = Arbitrary(self._claim.scope, self._named)
        self._state = self._arbitrary.template(self._model)
        # Where a scope has names of its own, one of them may stand for whom the code names; elsewhere each is itself.
        universe, keys = self._of.universe, self._claim.scope.keys
        others = [universe[kind] for kind in keys if kind in universe and not set(keys[kind]) <= set(universe[kind])]
        self._mentioned = self._texts & self._arbitrary.listed.union(*(map(str, ids) for ids in others))
        self._rest = self._rest and None

    @property
    def unrelaxed(self) -> LawRun | None:
        """The same of the model itself, with the same identifiers; None where it is about that already."""
        if self._claim.relaxed is None:
            return None
        law = copy.copy(self)
        law._claim, law._model = dataclasses.replace(self._claim, relaxed=None), self._of
        law._state = self._arbitrary.template(self._of)
        return law

    def body(self) -> Any:
        """What the property returns on the numbers and identifiers of the current run."""
        return self._run(self._state, self._arbitrary)

    def _run(self, template: Callable[[], Machine], arbitrary: Arbitrary) -> Any:
        run = Run.current
        state = run.state = template()
        if run.explores and self._rest is None:
            self._rest = rest_of(state.names())
        run.before = state.flatten() if self._rest else ()
        arbitrary.tell_keys_apart()
        if run.explores:
            for name in self._mentioned:
                run.mentioned(name)
        lemma = self._claim.kind == "lemma"
        kept = sums_kept() if self._rest else contextlib.nullcontext()
        with _observing(run.take), kept, answered_by(_Whoever(run, arbitrary, self.unrefused, lemma)):
            return claimed(self._model, self._claim, arbitrary, state)

    def explored(self, body: Callable[[], Any]) -> Exploration:
        """Every way to run it; `body` runs it."""
        while True:
            try:
                return explore(body, alike=self._arbitrary.alike, apart=self._arbitrary.apart, after=self._after)
            except Unnamed as unnamed:
                if self._named == MOST_NAMES:
                    raise Unsupported(f"{unnamed} may be one of more than {MOST_NAMES} further accounts") from None
                self._named += 1
                self._with_names()

    def _after(self, run: Run, path: Path) -> None:
        path.final, path.actions, path.anythings = run.state.flatten(), run.actions, run.anythings
        if hidden := set(vars(run.state)) - self._fields:
            raise Unsupported(f"an action keeps something outside of the state: {min(hidden)}")
        if twice := twice_in(run.state):
            raise Unsupported(f"two places of the state are one {twice}: what is written to one is written to both")
        in_order = Record.flatten(run.state)
        if len(in_order) != len(path.final) or any(a is not b for a, b in zip(in_order, path.final, strict=True)):
            raise Unsupported("an action adds or removes a key of a map, or changes the order of its keys")
        if wrong := self._arbitrary.misplaced(self._model, run.state, path.final):
            raise Unsupported(wrong)
        if foreign := run.named - self._arbitrary.listed:
            raise Unsupported(f"the code names {min(foreign)!r}, which the scope does not: list it in `keys`")
        if path.ended is None and run.refused and self.refuses_less:
            raise Unsupported(ASKS_OF_LESS)
        if any(path.final[at] is not run.before[at] for at in self._rest or ()):
            raise Unsupported("an action changes what accounts have that it does not name")

    # --- On numbers --------------------------------------------------------------------------------------------------

    def does_the_same(self, found: Exploration, path: Path, numbers: Numbers) -> bool:
        """Whether the model, run on integers that take a path, ends as the path does and in the same state."""
        replay = _replay(found.atoms, path, numbers)
        try:
            result = replay.run(self.body)
        except (Irrelevant, Rejected):
            return False
        if path.result is True and not result:
            return False
        given, after = Evaluation(found.atoms, numbers), replay.state.flatten()
        return len(after) == len(path.final) and all(
            _agrees(given, expected, value) for expected, value in zip(path.final, after, strict=True)
        )

    # --- What it says ------------------------------------------------------------------------------------------------

    def says_nothing(self, found: Exploration, follows: Callable[[Exploration, Path], bool]) -> str:
        """Why the law is empty: what it returns has nothing to do with what happened.

        follows: whether what is claimed on a path holds.
        """
        paths = [path for path in found.paths if path.ended is None]
        if any(path.result is False for path in paths):
            return ""
        if not any(path.actions for path in paths):
            constant = all(all(c is True for c in claims_of(path.claim)) for path in paths)
            hollow = constant and is_hollow(self._claim.predicate, lambda: self.explored(self.body))
            return "it claims nothing" if hollow else ""
        if any(self._reads(found, path) for path in paths):
            return ""
        # It may rest on what was accepted: then it fails where the last action is not asked.
        last = max(path.actions for path in paths)
        try:
            without = explore(
                self.body,
                alike=self._arbitrary.alike,
                apart=found.apart,
                first=lambda atoms, **options: _Skipping(last, (), atoms, **options),
            )
        except _Read:
            return ""
        claimed = [path for path in without.paths if path.ended is None]
        empty = all(path.result is True or (path.result and follows(without, path)) for path in claimed)
        return "it claims nothing of what its last action did" if empty else ""

    def _reads(self, found: Exploration, path: Path) -> bool:
        """Whether something is read, after the last action, that it could have changed."""
        if path.actions == 0:
            return True
        asked = law_room.refusals
        Run.current = _Poisoning(path, found, self._arbitrary)
        try:
            self.body()
        except (_Read, Irrelevant, Rejected, Unsupported):
            return True
        return law_room.refusals > asked

    def reads_the_rest_one_by_one(self, found: Exploration) -> str:
        """Why the accounts that are not named cannot be looked at as one; empty when their sums are all that matters.

        Each path is run again on states where they are two, whose numbers add up to those of the one. It must ask and
        claim the same. By induction it then does for any number of them. How many there are must not matter either:
        some paths are run with a great many.
        """
        if not self._rest:
            return ""
        paths = [path for path in found.paths if not path.reason]
        few = paths[:: len(paths) // FEW_PATHS + 1]
        return self._differs(found, paths, 2) or self._differs(found, few, MANY_ACCOUNTS)

    def _differs(self, found: Exploration, paths: Sequence[Path], accounts: int) -> str:
        several = Arbitrary(self._claim.scope, self._named, rests=accounts)
        template = several.template(self._model)
        for path in paths:
            Run.current = run = _Again(path, found, several)
            try:
                ended, claim = None, self._run(template, several)
                run.complete()
            except (Irrelevant, Rejected) as end:
                ended, claim = type(end), None
            except Unsupported as reason:
                return str(reason)
            except Exception as error:
                return f"accounts that are not named are looked at one by one: {type(error).__name__}"
            if run.sums != path.sums:
                return "accounts that are not named are counted: there may be any number of them"
            if ended is not path.ended or (ended is None and not _same_claim(claim, path.claim)):
                return "accounts that are not named are looked at one by one: of them only sums may be used"
        return ""


@dataclass(frozen=True)
class _Whoever:
    """Answers a relaxed model: with unknowns, or with the numbers of a witness."""

    run: Run
    arbitrary: Arbitrary
    unrefused: set[str]
    lemma: bool

    def answer(self, hint: Any, about: Any) -> Any:
        return about.holds if isinstance(about, Condition) else number_for(hint, about, self.run.anything, self.lemma)

    def enter(self, method: Any, state: Machine, arguments: Mapping[str, Any]) -> None:
        """What the lemma of a method speaks of: arguments of its types, and refusals that an action passes on."""
        for name, hint in _hints(method).items():
            if name in arguments and not self._is_of(state, hint, arguments[name]):
                raise NotCovered(f"{method.__name__} is given a {name} that is none: its lemma does not speak of that")
        model: Any = type(state)
        for name in method.marginspec_told:
            if not self._is_of(state, _told_hint(model, name), getattr(state, name)):
                raise NotCovered(f"{method.__name__} is told of a {name} that is none")
        if method.marginspec_total:
            return
        if goes_on_where_refused():
            raise NotCovered(ASKS_OF_LESS)
        if not (self.run.acting or law_room.passing):
            self.unrefused.add(method.__name__)

    def _is_of(self, state: Machine, hint: Any, value: Any) -> bool:
        if isinstance(value, type(UNUSED)) or (value is None and isinstance(hint, UnionType)):
            return True
        hint = required(hint)
        if hint not in (bool, int) and hint not in self.arbitrary.kinds and not is_record(hint):
            return False
        return any(value is one for one in records_in(state)) if is_record(hint) else self.arbitrary.is_of(hint, value)


@functools.cache
def _told_hint(model: Any, name: str) -> Any:
    """The type of what a law tells a relaxed model, which says that it may also be None."""
    return plain(typing.get_args(typing.get_type_hints(model)[name])[0])


@functools.cache
def _hints(method: Any) -> dict[str, Any]:
    return {name: plain(hint) for name, hint in typing.get_type_hints(method).items()}


class _Again(Run):
    """A run that must ask what another asked, once its terms are worked out."""

    def __init__(self, path: Path, found: Exploration, arbitrary: Arbitrary) -> None:
        super().__init__(
            path.answers, found.atoms, (), path.questions, arbitrary.alike, found.apart, known=dict(found.known)
        )

    def _repeat(self, question: Any) -> int | None:
        place = self._repeated
        if place >= len(self.answers):
            raise Unsupported("accounts that are not named are looked at one by one: of them only sums may be used")
        expected = self.questions[place]
        same = question.says_as(expected) if isinstance(question, SymBool) else question == expected
        if not same:
            raise Unsupported("accounts that are not named are looked at one by one: of them only sums may be used")
        self._repeated = place + 1
        return self.answers[place]


class _Read(BaseException):
    """Something was read that an action could have changed."""


class _Poison:
    """What cannot be looked at without notice."""

    def _read(self, *others: object) -> Any:
        raise _Read

    def __getattr__(self, name: str) -> Any:
        raise _Read

    __hash__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = _read
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = _read
    __mod__ = __rmod__ = __neg__ = __abs__ = __iter__ = __getitem__ = __call__ = __index__ = __int__ = _read
    __pow__ = __rpow__ = __and__ = __or__ = __invert__ = __rshift__ = __lshift__ = __divmod__ = __rdivmod__ = _read


class _Poisoning(Run):
    """A run that repeats another, after whose last action nothing may be read without notice."""

    def __init__(self, path: Path, found: Exploration, arbitrary: Arbitrary) -> None:
        super().__init__(path.answers, found.atoms, (), path.questions, arbitrary.alike, found.apart)
        self._last = path.actions

    def take(self, state: Machine, happen: Callable[[], Any]) -> Any:
        result = super().take(state, happen)
        if self.actions < self._last:
            return result
        poison = _poison(state)
        if result is None:
            return None
        return (poison,) * len(result) if isinstance(result, tuple) else poison


class _Skipping(Run):
    """A run in which the last action of a law is accepted without being asked, and does what nobody reads."""

    def __init__(self, last: int, answers: Sequence[int], atoms: Atoms, *parts: Any, **options: Any) -> None:
        super().__init__(answers, atoms, *parts, **options)
        self._last = last

    def like(self, *parts: Any) -> Run:
        return _Skipping(self._last, *parts)

    def take(self, state: Machine, happen: Callable[[], Any]) -> Any:
        if self.actions + 1 < self._last:
            return super().take(state, happen)
        self.actions += 1
        return _poison(state)


def _poison(state: Machine) -> _Poison:
    poison = _Poison()
    state.load([poison] * len(state.flatten()))
    return poison


@contextlib.contextmanager
def _observing(observer: Callable[[Machine, Callable[[], Any]], Any]) -> Iterator[None]:
    before = Machine.observer
    Machine.observer = staticmethod(observer)
    try:
        yield
    finally:
        Machine.observer = before


def _same_claim(one: Any, other: Any) -> bool:
    mine, theirs = claims_of(one), claims_of(other)
    return len(mine) == len(theirs) and all(
        a.says_as(b) if isinstance(a, SymBool) else not isinstance(b, SymBool) and a is b
        for a, b in zip(mine, theirs, strict=True)
    )


def _agrees(given: Evaluation, expected: Any, value: Any) -> bool:
    """Whether a variable of the state, as a path leaves it, is what a run on numbers left."""
    if isinstance(expected, SymBool):
        return given.holds(expected) == bool(value)
    if isinstance(expected, Pick):
        chosen = expected.known()
        return chosen is None or chosen == (value.known() if isinstance(value, Pick) else value)
    if isinstance(value, Pick):
        return value.known() in (None, expected)
    return bool(given.term(expected) == value) if isinstance(expected, int) else bool(expected == value)


def _breaks(replay: ConcreteRun, body: Callable[[], Any]) -> bool:
    """Whether a law is false on plain integers, which asks nothing of a solver."""
    try:
        return not replay.run(body)
    except (Irrelevant, Rejected):
        return False


def _replay(atoms: Atoms, path: Path, numbers: Numbers) -> ConcreteRun:
    """A path's identifiers, those that are numbers with the numbers that they have."""
    return ConcreteRun(
        {name: _plain(atoms, pick, numbers) for name, pick in path.picks.items()}, numbers, path.anythings
    )


def _plain(atoms: Atoms, pick: Any, numbers: Numbers) -> Any:
    return Evaluation(atoms, numbers).term(pick) if isinstance(pick, SymKey) else pick


def _action(path: Path) -> str:
    return str(path.picks.get("step:", ""))


def _first_unsat(text: str) -> str | None:
    """The first solver that finds a text unsatisfiable, None when none does; Z3 where no other does in any time."""
    for solver, seconds in RECHECK.items():
        answer = solve(solver, text, seconds).verdict
        if answer == "unsat" and solver == "z3":
            return next((other for other in PATIENT if solve(other, text, PATIENT[other]).verdict == "unsat"), solver)
        if answer == "unsat":
            return solver
        if answer == "sat":
            return None
    return None


def prove_all(
    prover: Prover, claims: Sequence[Property], workers: int, advance: Callable[[int], None] = lambda done: None
) -> Iterator[Verdict]:
    """Verdicts as they are reached, in no particular order; what they rest on is proved too. One for every claim, also
    where the run is told to end early.

    advance: told how many proofs are done, of all that `Dependencies` lists.

    A claim is a function and cannot be sent to another process; workers are forked and find it by its place.
    """
    global _JOB
    needed = Dependencies(prover.model, claims)
    if prover.recheck and workers > 1:
        # Made once, before the workers are forked.
        trials = prover.trials.setdefault(prover.model, Trials(prover.model))
        for claim in needed.claims:
            trials.prepare(claim.scope)
    _JOB = (prover, needed.claims)
    alone: dict[str, Verdict] = {}
    asked, open_ = {claim.id for claim in claims}, {claim.id: claim for claim in claims}
    for verdict in up_to_the_end(_each(prover, needed.in_order(), workers)):
        alone[verdict.id] = verdict
        advance(len(alone))
        for claim in [c for c in open_.values() if needed.are_known(c, alone)]:
            del open_[claim.id]
            if claim.id in asked:
                yield needed.settled(claim, alone)
    alone |= {c.id: prover.undecided(c) for c in needed.claims if c.id not in alone}
    yield from (needed.settled(claim, alone) for claim in open_.values() if claim.id in asked)


def _each(prover: Prover, places: Sequence[int], workers: int) -> Iterator[Verdict]:
    if workers <= 1:
        yield from map(_prove_nth, places)
        return
    with TemporaryDirectory() as folder:
        prover.witnesses.exchange = File(folder) / "witnesses"
        yield from (verdict for _, verdict in as_done(_prove_nth, places, workers))


_JOB: tuple[Prover, Sequence[Property]]


def _prove_nth(n: int) -> Verdict:
    prover, claims = _JOB
    return prover.alone(claims[n])
