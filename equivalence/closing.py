"""From a product run to a verdict: every path closed by algebra or by two solvers, or said to be open."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field

from marginspec.equivalence.guide import Guide, GuidedRun, Learned
from marginspec.equivalence.product import Compared, Deployed, Product, ProductCase
from marginspec.equivalence.reaching import Reacher
from marginspec.equivalence.replay import Replayer
from marginspec.lockstep.rules_reached import rules_of
from marginspec.lockstep.trace import Trace
from marginspec.properties.law import Irrelevant
from marginspec.prover.evaluate import Evaluation, Numbers
from marginspec.prover.prove import PATIENT, ROUNDS, Prover, Verdict
from marginspec.prover.solvers import forget_texts, solve
from marginspec.prover.symbolic import Exploration, Path, Unsupported, explore

MOST_PATHS = 20_000
CASE_SECONDS = 600.0
"""Processor time for one case: what takes longer is open."""

MOST_SEARCHES = 8
"""Paths of one case, on which the two differ, for which a trace is looked for."""


@dataclass
class CaseVerdict:
    """What is known of an action with some identifiers: `proved`, `refuted` or `open`.

    paths: ways on which something was claimed; algebra: those that needed no solver; left: those that are open.
    learned: ways that two solvers found impossible meanwhile. rechecked: steps of the exploration that a solver read
    again. replayed: paths whose integers did the same on pyrevm and on the model as Python. solvers: who agreed, and
    how often. open: why, with how often. differs: in what the contract differs from the model, on integers; trace:
    calls from genesis that show it. hidden: storage words that were read and that no observation shows: they are as
    deployed. cached: found in an earlier run, of the same texts. searched: paths for which a trace was looked for.
    """

    case: ProductCase
    verdict: str = "open"
    paths: int = 0
    algebra: int = 0
    left: int = 0
    learned: int = 0
    rechecked: int = 0
    replayed: int = 0
    solvers: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    differs: str = ""
    trace: Trace | None = None
    hidden: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    searched: int = 0

    @property
    def is_vacuous(self) -> bool:
        """Whether no integers are known that take any of its paths."""
        return self.replayed == 0


class Closer:
    """Decides cases of one deployed system."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._replayer = Replayer(deployed)
        self._reacher = Reacher(deployed)
        self._prover = Prover(deployed.model)

    def asked(self, case: ProductCase) -> str:
        """All that tells a case from others of the same deployment: the call, as the contracts take it."""
        call, adapter = Product(self._deployed, case).lowest(), self._deployed.adapter
        reasons = dict[str, str]()
        for rule in rules_of(self._deployed.model):
            with contextlib.suppress(LookupError):  # not every rule refuses
                reasons[rule] = adapter.expected_reason(rule)
        identifiers = sorted((name, str(value)) for name, value in case.identifiers.items())
        return f"{case.action} {identifiers} {adapter.encode(call)} {reasons}"

    def decide(self, case: ProductCase) -> CaseVerdict:
        """The verdict on one case."""
        started = time.perf_counter()
        forget_texts()
        verdict = CaseVerdict(case)
        try:
            self._decide(case, verdict)
        except Unsupported as reason:
            verdict.open[str(reason)] += 1
        if verdict.trace is not None:
            verdict.verdict = "refuted"
        elif not verdict.open and not verdict.is_vacuous:
            verdict.verdict = "proved"
        elif not verdict.open:
            verdict.open["no integers were found that take any of its paths"] += 1
        verdict.seconds = time.perf_counter() - started
        return verdict

    def _decide(self, case: ProductCase, verdict: CaseVerdict) -> None:
        product, guide = Product(self._deployed, case), Guide(until=time.process_time() + CASE_SECONDS)
        found = explore(
            product.body,
            (Irrelevant,),
            MOST_PATHS,
            first=lambda atoms, **options: GuidedRun((), atoms, guide=guide, numbers={}, **options),
        )
        runs = [(path, guide.runs[id(path.constraints)]) for path in found.paths if path.ended is None]
        verdict.paths = len(runs)
        # What is known to differ comes first: with a trace of it nothing else need be known.
        for path, run in sorted(runs, key=lambda each: self._order(found, *each)):
            guide.check_time()
            before = verdict.open.total()
            self._close(product, found, path, run, verdict)
            verdict.left += verdict.open.total() > before
            if verdict.trace is not None:
                return
        verdict.hidden = tuple(sorted(f"word {slot:#x} of {address:#x}" for address, slot in product.as_deployed))
        self._check(found, list(guide.learned.values()), verdict)

    # --- One path --------------------------------------------------------------------------------------------------

    def _close(self, product: Product, found: Exploration, path: Path, run: GuidedRun, verdict: CaseVerdict) -> None:
        """Prove what is claimed on a path, and run its integers."""
        seen: Compared | None = run.seen
        if path.result is True:
            verdict.algebra += 1
        elif self._breaks(found, path, run) or not self._proves(found, path, verdict):
            self._leave_open(product, found, path, run, verdict)
            return
        if seen is None or run.numbers is None:
            return
        replayed = self._replayer.replay(product, seen, found.atoms, run.numbers)
        if replayed.misled:
            verdict.open[replayed.misled] += 1
        elif replayed.differs:
            verdict.open[f"proved, and yet on integers {replayed.differs}"] += 1
        else:
            verdict.replayed += 1

    def _order(self, found: Exploration, path: Path, run: GuidedRun) -> tuple[bool, bool, bool]:
        """First what is known to differ, of that what both accept: what is refused may need numbers beyond reach."""
        seen: Compared | None = run.seen
        is_equal = path.result is True or not self._breaks(found, path, run)
        return is_equal, seen is None or seen.rule is not None, seen is None or not seen.result.success

    def _proves(self, found: Exploration, path: Path, verdict: CaseVerdict) -> bool:
        """Whether two solvers find what is claimed on a path; where it fails, that nothing takes it."""
        told = Verdict("", "", "unknown", "", confirmed=True)
        if not self._prover.discharge(found, path, "", "", told) or not told.confirmed:
            return False
        verdict.solvers.update(name for name, result in told.solvers.items() if result.verdict == "unsat")
        return True

    def _leave_open(
        self, product: Product, found: Exploration, path: Path, run: GuidedRun, verdict: CaseVerdict
    ) -> None:
        seen: Compared | None = run.seen
        if path.reason or seen is None:
            verdict.open[path.reason or "it was not followed"] += 1
            return
        numbers = self._breaking(found, path, run)
        if numbers is None:
            verdict.open[seen.differs or "no solver proves what is claimed, and no integers break it"] += 1
            return
        replayed = self._replayer.replay(product, seen, found.atoms, numbers)
        if replayed.differs and not replayed.misled:
            self._refute(product, found, path, replayed.differs, verdict)
            return
        verdict.open[replayed.misled or "the integers that break it do not on pyrevm"] += 1

    def _refute(self, product: Product, found: Exploration, path: Path, differs: str, verdict: CaseVerdict) -> None:
        """Look for a trace that shows a difference; one of them is enough."""
        verdict.differs = verdict.differs or differs
        verdict.searched += 1
        if verdict.trace is None and verdict.searched <= MOST_SEARCHES:
            verdict.trace = self._reacher.trace(product, found.atoms, path)
        if verdict.trace is not None:
            verdict.differs = differs
        else:
            verdict.open[f"{differs}, from a state that no run reached"] += 1

    def _breaks(self, found: Exploration, path: Path, run: GuidedRun) -> bool:
        """Whether the integers of a path, if there are any, break what is claimed on it: no solver need be asked."""
        if run.numbers is None:
            return False
        return not path.claims or not Evaluation(found.atoms, run.numbers).all_hold(path.claims)

    def _breaking(self, found: Exploration, path: Path, run: GuidedRun) -> Numbers | None:
        """Integers on a path that break what is claimed on it."""
        return run.numbers if self._breaks(found, path, run) else self._prover.breaking(found, path)

    # --- What was taken for granted -----------------------------------------------------------------------------------

    def _check(self, found: Exploration, learned: list[Learned], verdict: CaseVerdict) -> None:
        told = Verdict("", "", "unknown", "", confirmed=True)
        if why := self._prover.unchecked(found, told, [each.known for each in learned]):
            verdict.open[why] += 1
        elif not told.confirmed:
            verdict.open["only one solver agrees to a step of the exploration"] += 1
        verdict.rechecked = told.rechecked
        for each in learned:
            second = next((name for name in PATIENT if self._agrees(name, each.text)), None)
            if second is None:
                verdict.open["only one solver finds a way impossible"] += 1
            else:
                verdict.learned += 1
                verdict.solvers.update(("z3", second))

    def _agrees(self, solver: str, text: str) -> bool:
        return any(solve(solver, text, seconds[solver]).verdict == "unsat" for seconds in (*ROUNDS, PATIENT))
