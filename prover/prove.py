"""From a property to a verdict."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Any

from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, arguments_of
from marginspec.prover.arbitrary import Arbitrary
from marginspec.prover.claim import claimed
from marginspec.prover.encode import ENCODINGS, Obligation, smt_lib
from marginspec.prover.evaluate import Numbers
from marginspec.prover.solvers import Answer, solve
from marginspec.prover.symbolic import Exploration, Path, Replay, Run, Unsupported, explore
from marginspec.prover.witness import Witnesses

# Two rounds over the encodings: what one of them makes easy need not wait for another to time out.
ROUNDS = ({"z3": 1.0, "yices": 0.5, "cvc5": 0.25}, {"z3": 4.0, "yices": 2.0, "cvc5": 4.0})

# Seconds on a property after which a solver is not asked for opinions that are not needed.
ENOUGH = 0.25

# Numbers to mend before a solver is asked whether there are any.
FEW = 4


@dataclass
class SolverResult:
    """One solver over all obligations of a property."""

    verdict: str = "unsat"
    seconds: float = 0.0

    def add(self, answer: Answer) -> None:
        self.seconds += answer.seconds
        if answer.verdict != "unsat":
            self.verdict = answer.verdict


@dataclass
class Verdict:
    """What is known of a property: `proved`, `refuted` or `unknown`, with everything that qualifies it.

    paths: ways to run on which the law was claimed. obligations: claims that needed a solver. witnessed: every such
    path, and there is at least one, has concrete integers that take it. confirmed: for every obligation a second solver
    agreed (where algebra alone decided there is none). counterexample: replayed on integers.
    """

    id: str
    law: str
    verdict: str
    bounds: str
    reason: str = ""
    paths: int = 0
    obligations: int = 0
    witnessed: bool = False
    confirmed: bool = False
    solvers: dict[str, SolverResult] = field(default_factory=dict)
    counterexample: dict[str, Any] | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Prover:
    """Proves properties of one model. emit: a folder for the SMT-LIB text of every obligation."""

    model: type[Machine]
    emit: File | None = None
    recheck: bool = True
    witnesses: Witnesses = field(default_factory=Witnesses)

    def prove(self, claim: Property) -> Verdict:
        """The verdict on one property."""
        started = time.perf_counter()
        verdict = Verdict(claim.id, claim.law, "unknown", claim.bounds)
        try:
            self._prove(claim, verdict)
        except Unsupported as reason:
            verdict.reason = str(reason)
        verdict.confirmed = verdict.confirmed and verdict.verdict == "proved"
        verdict.seconds = time.perf_counter() - started
        return verdict

    def _prove(self, claim: Property, verdict: Verdict) -> None:
        if claim.kind == "invariant" and not _holds_at_first(claim, self.model):
            verdict.verdict, verdict.reason = "refuted", "does not hold in the initial state"
            verdict.counterexample = {"state": "initial"}
            return
        verdict.confirmed = self.recheck
        self.witnesses.listen()
        body = self.body(claim)
        found = explore(body, (Irrelevant, Rejected))
        unwitnessed = 0
        for number, path in enumerate(p for p in found.paths if p.ended is None):
            if path.result is not False:
                state = self._witness(found, path, claim.id)
                if state != "infeasible":
                    verdict.paths += 1
                    unwitnessed += state == "unknown"
            if path.result is True:
                continue
            verdict.obligations += 1
            if not self._discharge(found, path, f"{claim.id} {number:03}", claim.law, verdict):
                self._refute(found, path, body, verdict)
                if verdict.verdict == "refuted":
                    return
        verdict.witnessed = verdict.paths > 0 and unwitnessed == 0
        if verdict.paths == 0:
            verdict.reason = verdict.reason or "vacuous: no case satisfies its assumptions"
        elif unwitnessed:
            verdict.reason = verdict.reason or f"{unwitnessed} paths without a witness"
        elif not verdict.reason:
            verdict.verdict = "proved"

    def body(self, claim: Property) -> Callable[[], Any]:
        """The property as a run without arguments, on arbitrary ones."""
        arbitrary = Arbitrary(claim.scope)
        model = claim.relaxed(self.model) if claim.relaxed else self.model
        # Built once and copied for every run; a replay builds its own, of integers.
        template: dict[type[Run], Machine] = {}

        def body() -> Any:
            run = type(Run.current)
            if run is not Run or run not in template:
                template[run] = arbitrary.value(model, "")
            return claimed(model, claim, arbitrary, template[run].clone())

        return body

    def _witness(self, found: Exploration, path: Path, claim: str) -> str:
        """`witnessed`, `infeasible` or `unknown`; what is likely and cheap is asked first."""
        if not path.constraints:
            return "witnessed"
        search, action = self.witnesses, str(path.picks.get("step", ""))
        if search.known(found.atoms, path.constraints, action, claim, FEW) is not None:
            return "witnessed"
        obligation = Obligation(found.atoms, tuple(path.constraints))
        if solve("z3", smt_lib(obligation, "real"), 0.5).verdict == "unsat":
            return "infeasible"
        if search.known(found.atoms, path.constraints, action, claim) is not None:
            return "witnessed"
        if search.find(found.atoms, path.constraints, action, claim) is not None:
            return "witnessed"
        numbers = search.find_nonlinear(found.atoms, path.constraints, action, claim)
        return {"unsat": "infeasible", "unknown": "unknown"}.get(str(numbers), "witnessed")

    def _discharge(self, found: Exploration, path: Path, name: str, law: str, verdict: Verdict) -> bool:
        """Whether Z3 proves the claim of a path in some encoding, preferably one in which another solver agrees."""
        conditions, claims = tuple(path.constraints), path.claims
        if not claims and conditions:
            # A path on which the law fails is impossible, when what holds before it excludes its last decision.
            conditions, claims = conditions[:-1], (conditions[-1].negated(),)
        obligation = Obligation(found.atoms, conditions, claims)
        z3 = verdict.solvers.setdefault("z3", SolverResult())
        proved: dict[str, str] = {}
        agreed = not self.recheck
        for seconds, encoding in itertools.product(ROUNDS, ENCODINGS):
            text = smt_lib(obligation, encoding, f"{name}\n{law}\nencoding: {encoding}; unsat means proved")
            if encoding not in proved:
                answer = solve("z3", text, seconds["z3"])
                z3.seconds += answer.seconds
                if answer.verdict != "unsat":
                    continue
                proved[encoding] = text
            agreed = agreed or self._agrees(text, verdict, seconds)
            if agreed:
                break
        if self.emit:
            self.emit.mkdir(parents=True, exist_ok=True)
            status, text = list(proved.items())[-1] if proved else ("open", text)
            (self.emit / f"{name.replace(' ', '-')}-{status}.smt2").write_text(text)
        verdict.confirmed = verdict.confirmed and agreed
        if not proved:
            z3.verdict = "unknown"
        return bool(proved)

    def _agrees(self, text: str, verdict: Verdict, seconds: dict[str, float]) -> bool:
        """Whether another solver also finds the text unsatisfiable.

        Where Yices does, cvc5 is asked for one more opinion, as long as it always had one, and soon.
        """
        yices = verdict.solvers.setdefault("yices", SolverResult())
        cvc5 = verdict.solvers.setdefault("cvc5", SolverResult())
        first = solve("yices", text, seconds["yices"])
        yices.add(first)
        if first.verdict == "unsat" and (cvc5.verdict != "unsat" or cvc5.seconds > ENOUGH):
            return True
        second = solve("cvc5", text, ROUNDS[0]["cvc5"] if first.verdict == "unsat" else seconds["cvc5"])
        cvc5.add(second)
        return "unsat" in (first.verdict, second.verdict)

    def _refute(self, found: Exploration, path: Path, body: Callable[[], Any], verdict: Verdict) -> None:
        """Look for integers that break the claim, and believe them only if the model itself, run on them, does."""
        if path.reason:
            verdict.reason = path.reason
            return
        numbers = self._break(found, path)
        if numbers is None:
            picks = ", ".join(f"{k} = {v}" for k, v in path.picks.items())
            verdict.reason = verdict.reason or f"no solver proves it and no integers break it, with {picks}"
            return
        replay = Replay(path.picks, numbers)
        try:
            result = replay.run(body)
        except (Irrelevant, Rejected):
            result = True
        if result:  # plain integers now, so this asks nothing of a solver
            verdict.reason = "spurious: the counterexample does not reproduce on the model"
            return
        verdict.verdict, verdict.reason = "refuted", ""
        verdict.counterexample = {**replay.picks, **{k: str(v) for k, v in sorted(numbers.items())}}

    def _break(self, found: Exploration, path: Path) -> Numbers | None:
        """Integers on the path that break one of its claims."""
        cases = [[*path.constraints, claim.negated()] for claim in path.claims] or [path.constraints]
        for search in (self.witnesses.find, self.witnesses.find_nonlinear):
            for conditions in cases:
                if isinstance(numbers := search(found.atoms, conditions), dict):
                    return numbers
        return None


def _holds_at_first(claim: Property, model: type[Machine]) -> bool:
    hints = arguments_of(claim.predicate)
    cases = itertools.product(*(model.universe[plain(hint)] for hint in hints.values()))
    return all(claim.predicate(model.blank(), *case) for case in cases)


def prove_all(prover: Prover, claims: Sequence[Property], workers: int) -> Iterator[Verdict]:
    """Verdicts as they are reached, in no particular order.

    A claim is a function and cannot be sent to another process; workers are forked and find it by its place.
    """
    global _JOB
    _JOB = (prover, claims)
    if workers <= 1:
        yield from map(_prove_nth, range(len(claims)))
        return
    with TemporaryDirectory() as folder:
        prover.witnesses.exchange = File(folder) / "witnesses"
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
            for done in as_completed([pool.submit(_prove_nth, n) for n in range(len(claims))]):
                yield done.result()


_JOB: tuple[Prover, Sequence[Property]]


def _prove_nth(n: int) -> Verdict:
    prover, claims = _JOB
    return prover.prove(claims[n])
