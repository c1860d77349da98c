"""From a property to a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, get_type_hints

from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, Step, assume
from marginspec.prover.arbitrary import Arbitrary, Scope
from marginspec.prover.encode import ENCODINGS, Obligation, smt_lib
from marginspec.prover.solvers import Answer, solve
from marginspec.prover.symbolic import Exploration, Path, Replay, Run, SymBool, Unsupported, explore
from marginspec.prover.witness import Witnesses

SECONDS = {"z3": 4.0, "yices": 4.0, "cvc5": 4.0}


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
    """Proves properties of one model within one scope. emit: a folder for the SMT-LIB text of every obligation."""

    model: type[Machine]
    scope: Scope
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
        body = self._body(claim)
        found = explore(body, (Irrelevant, Rejected))
        unwitnessed = 0
        for number, path in enumerate(p for p in found.paths if p.ended is None):
            if path.result is not False:
                state = self._witness(found, path)
                if state == "infeasible":
                    continue
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
            verdict.reason = "vacuous: no case satisfies its assumptions"
        elif unwitnessed:
            verdict.reason = verdict.reason or f"{unwitnessed} paths without a witness"
        elif not verdict.reason:
            verdict.verdict = "proved"

    def _body(self, claim: Property) -> Callable[[], Any]:
        """The property as a run without arguments, on arbitrary ones."""
        predicate = _as_theorem(claim)
        hints = get_type_hints(predicate, include_extras=True)
        hints.pop("return", None)

        arbitrary = Arbitrary(self.scope)
        # Built once and copied for every run; a replay builds its own, of integers.
        template: dict[type[Run], Machine] = {}

        def body() -> Any:
            arguments: dict[str, Any] = {}
            run = type(Run.current)
            for name, hint in hints.items():
                kind = plain(hint)
                if isinstance(kind, type) and issubclass(kind, Machine):
                    if run is not Run or run not in template:
                        template[run] = arbitrary.value(self.model, "")
                    venue = arguments[name] = template[run].clone()
                    for invariant in claim.given:
                        assume(invariant.predicate(venue))
                elif kind is Step:
                    arguments[name] = arbitrary.step(self.model, name)
                else:
                    arguments[name] = arbitrary.value(hint, name)
            return predicate(**arguments)

        return body

    def _witness(self, found: Exploration, path: Path) -> str:
        if not path.constraints:
            return "witnessed"
        search = self.witnesses
        if search.find(found.atoms, path.constraints, tries=2) is not None:
            return "witnessed"
        obligation = Obligation(found.atoms, tuple(path.constraints))
        if solve("z3", smt_lib(obligation, "real"), 1.0).verdict == "unsat":
            return "infeasible"
        if search.find(found.atoms, path.constraints) is not None:
            return "witnessed"
        if solve("z3", smt_lib(obligation, "int"), 2.0).verdict == "unsat":
            return "infeasible"
        return "unknown" if search.find_nonlinear(found.atoms, path.constraints) is None else "witnessed"

    def _discharge(self, found: Exploration, path: Path, name: str, law: str, verdict: Verdict) -> bool:
        """Whether Z3 proves the claim of a path in some encoding; the other solvers then read the same text."""
        obligation = Obligation(found.atoms, _opposite(path))
        texts = {e: smt_lib(obligation, e, f"{name}\n{law}\nencoding: {e}; unsat means proved") for e in ENCODINGS}
        z3 = verdict.solvers.setdefault("z3", SolverResult())
        proved = None
        for encoding in ENCODINGS:
            answer = solve("z3", texts[encoding], SECONDS["z3"])
            z3.seconds += answer.seconds
            if answer.verdict == "unsat":
                proved = encoding
                break
        if self.emit:
            self.emit.mkdir(parents=True, exist_ok=True)
            (self.emit / f"{name.replace(' ', '-')}-{proved or 'open'}.smt2").write_text(texts[proved or "real"])
        if proved is None:
            z3.verdict = "unknown"
            return False
        if self.recheck:
            self._confirm(texts[proved], verdict)
        return True

    def _confirm(self, text: str, verdict: Verdict) -> None:
        """Have the other solvers read the text that Z3 found unsatisfiable; one of them must agree.

        A solver that failed on an earlier obligation of the property is asked again only where the other fails.
        """
        agreed = False
        for name in ("yices", "cvc5"):
            result = verdict.solvers.setdefault(name, SolverResult())
            if result.verdict == "unsat" or not agreed:
                answer = solve(name, text, SECONDS[name] if not agreed else SECONDS[name] / 4)
                result.add(answer)
                agreed = agreed or answer.verdict == "unsat"
        verdict.confirmed = verdict.confirmed and agreed

    def _refute(self, found: Exploration, path: Path, body: Callable[[], Any], verdict: Verdict) -> None:
        """Look for integers that break the claim, and believe them only if the model itself, run on them, does."""
        if path.reason:
            verdict.reason = path.reason
            return
        search, conditions = self.witnesses, _opposite(path)
        numbers = search.find(found.atoms, conditions) or search.find_nonlinear(found.atoms, conditions)
        if numbers is None:
            verdict.reason = verdict.reason or "no solver proves it and no integers break it"
            return
        replay = Replay(path.picks, numbers)
        try:
            result = replay.run(body)
        except (Irrelevant, Rejected):
            result = True
        if result:
            verdict.reason = "spurious: the counterexample does not reproduce on the model"
            return
        verdict.verdict, verdict.reason = "refuted", ""
        verdict.counterexample = {**replay.picks, **{k: str(v) for k, v in sorted(numbers.items())}}


def _opposite(path: Path) -> tuple[SymBool, ...]:
    if isinstance(path.result, SymBool):
        return (*path.constraints, path.result.negated())
    return tuple(path.constraints)


def _as_theorem(claim: Property) -> Callable[..., Any]:
    """An invariant is the theorem that every accepted action keeps it."""
    if claim.kind == "theorem":
        return claim.predicate

    def kept(venue: Machine, step: Step) -> Any:
        assume(claim.predicate(venue))
        assume(claim.before(venue, step))
        step.take(venue)
        return claim.predicate(venue)

    kept.__annotations__ = {"venue": Machine, "step": Step}
    return kept


def _holds_at_first(claim: Property, model: type[Machine]) -> bool:
    return bool(claim.predicate(model.blank()))  # type: ignore[attr-defined]


def prove_all(prover: Prover, claims: Iterable[Property]) -> Iterable[Verdict]:
    """Verdicts in the order of the claims."""
    return (prover.prove(claim) for claim in claims)
