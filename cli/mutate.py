"""Mutation testing: every mutant of a model against the implementation and against the properties."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import multiprocessing
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path as File
from types import CodeType, FrameType
from typing import Any

from marginspec.cli.samples import broken
from marginspec.differential.mutants import Kill, Mutant, kill, load, mutants_of, reaching, unload
from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, Step, assume
from marginspec.prover.encode import ENCODINGS, Obligation, smt_lib
from marginspec.prover.prove import Prover, Verdict, arguments_of
from marginspec.prover.solvers import solve
from marginspec.prover.symbolic import Exploration, Path
from marginspec.targets.protocol import BadInput, Target

SAMPLE_SECONDS = 2.0
"""Of one mutant, over all properties: as long they are run on states that the mutant reaches."""

PROOF_SECONDS = 10.0
"""Of one mutant that neither that nor the lock-step run kills: as long counterexamples are looked for by solvers."""

PROPERTY_SECONDS = 5.0
SOLVER_SECONDS = 0.3

ANY_STEP = 1000
"""What it costs a claim to speak of any action."""

HANG_SECONDS = 600.0
"""After which the lock-step run of a mutant is taken not to end."""


@dataclass(frozen=True)
class Trial:
    """What became of a mutant. refuted: properties that it breaks. untried: properties that could concern it, that no
    sample broke, and that no solver was asked about or had time for."""

    mutant: Mutant
    kill: Kill | None
    refuted: tuple[str, ...]
    untried: int
    seconds: float

    @property
    def killed_by(self) -> list[str]:
        return [*([self.kill.by] if self.kill else []), *self.refuted]


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no run and no property can tell from the model, and why."""

    id: str
    change: str
    reason: str


@dataclass(frozen=True)
class Job:
    """What every trial of a run has in common. claims: in the order in which they are tried; target: makes one."""

    model: type[Machine]
    target: Callable[[], Target]
    claims: Sequence[Property]
    steps: int
    seed: int


def mutate(
    system: str,
    model: type[Machine],
    target: Callable[[], Target],
    claims: Sequence[Property],
    equivalents: File,
    steps: int,
    seed: int,
    proofs: bool = True,
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
    only: Callable[[Mutant], bool] | None = None,
) -> dict[str, Any]:
    """The document `marginspec/mutate/1`. It holds when nothing survived and `problems` is empty.

    equivalents: file of mutants known to be equivalent. steps: of the lock-step run of each mutant. on_progress:
    called with mutants done and mutants in all. only: which mutants to try. Raises BadInput, and what a target raises.
    """
    if steps < 1:
        raise BadInput("--steps must be at least 1")
    started = time.perf_counter()
    everything = mutants_of(model)
    known = read_equivalents(equivalents)
    mutants = [m for m in everything if only is None or only(m)]
    job = Job(model, target, sorted(claims, key=_cost) if proofs else (), steps, seed)
    trials = []
    for trial in _try_all(job, mutants, workers):
        trials.append(trial)
        if on_progress is not None:
            on_progress(len(trials), len(mutants))
    trials.sort(key=lambda trial: trial.mutant.number)
    return _document(system, trials, known, _stale(known, everything), time.perf_counter() - started, job)


# --- Equivalent mutants -----------------------------------------------------------------------------------------------


def read_equivalents(path: File) -> dict[str, Equivalent]:
    """The mutants that a system's file calls equivalent, by ID. A missing file lists none."""
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from None
    found: dict[str, Equivalent] = {}
    names = {field.name for field in dataclasses.fields(Equivalent)}
    for number, entry in enumerate(data.get("equivalent", []), 1):
        if entry.keys() != names or not all(isinstance(v, str) and v.strip() for v in entry.values()):
            raise BadInput(f"{path}: equivalent {number}: expected the texts {', '.join(sorted(names))}")
        if entry["id"] in found:
            raise BadInput(f"{path}: equivalent {number}: {entry['id']} is listed twice")
        found[entry["id"]] = Equivalent(**entry)
    return found


def _stale(known: dict[str, Equivalent], mutants: Sequence[Mutant]) -> list[str]:
    """What is wrong with the list of equivalents, before anything is tried."""
    changes = {m.id: m.change for m in mutants}
    missing = [
        f"{e.id}: listed as equivalent, but there is no such mutant" for e in known.values() if e.id not in changes
    ]
    others = [e for e in known.values() if e.id in changes and e.change != changes[e.id]]
    return missing + [f"{e.id}: listed as equivalent for another change; now it is {changes[e.id]}" for e in others]


# --- Trials -----------------------------------------------------------------------------------------------------------


_JOB: Job
_TARGET: Target


def _try_all(job: Job, mutants: Sequence[Mutant], workers: int) -> Iterator[Trial]:
    """Trials as they end. Workers are forked: a property is a function and cannot be sent to another process."""
    global _JOB
    _JOB = job
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _prepare) as pool:
        for done in as_completed([pool.submit(_try, mutant) for mutant in mutants]):
            yield done.result()


def _prepare() -> None:
    global _TARGET
    _TARGET = _JOB.target()


def _try(mutant: Mutant) -> Trial:
    started = time.perf_counter()
    model = load(_JOB.model, mutant)
    try:
        try:
            with _limit(HANG_SECONDS):
                killed = kill(model, _TARGET, _JOB.steps, _JOB.seed)
        except _Overdue:
            killed = Kill("crash", 0, f"no end after {HANG_SECONDS:.0f} s")
        refuted, untried = _refuted(model, mutant, killed)
    finally:
        unload(model)
    return Trial(mutant, killed, refuted, untried, time.perf_counter() - started)


class _Overdue(Exception):  # noqa: N818 - a limit, not an error
    """Time is over."""


@contextlib.contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise _Overdue in this block once its time is over, and again, should something have swallowed it."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise _Overdue

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- Properties -------------------------------------------------------------------------------------------------------


def _cost(claim: Property) -> int:
    """Claims about any action, and with many unknowns, are tried last."""
    hints = arguments_of(claim.predicate)
    steps = claim.kind == "invariant" or any(plain(hint) is Step for hint in hints.values())
    return ANY_STEP * steps + 10 * len(claim.given) + len(hints)


def _refuted(model: type[Machine], mutant: Mutant, killed: Kill | None) -> tuple[tuple[str, ...], int]:
    """The first property found that a mutant breaks, and how many there was no time for."""
    changed = reaching(_JOB.model, mutant)
    claims = [claim for claim in _JOB.claims if _concerns(claim, changed)]
    if not claims:
        return (), 0
    # A mutant that crashes on its own states is told by the lock-step run.
    with contextlib.suppress(Exception), _limit(2 * SAMPLE_SECONDS):
        found = broken(model, claims, changed, SAMPLE_SECONDS, _JOB.seed)
        if found is not None:
            return (found.id,), 0
    if killed is not None:
        return (), len(claims)
    return disproved(model, mutant, claims, changed)


def disproved(
    model: type[Machine], mutant: Mutant, claims: Sequence[Property], changed: frozenset[str]
) -> tuple[tuple[str, ...], int]:
    """The first property of which a solver finds a counterexample, and how many it had no time for."""
    end = time.perf_counter() + PROOF_SECONDS
    refuter = Refuter(model, recheck=False, watch=Watch(model, mutant.name))
    untried = 0
    for claim in claims:
        left = min(end - time.perf_counter(), PROPERTY_SECONDS)
        if left <= 0:
            untried += 1
            continue
        try:
            with _limit(left):
                verdict = refuter.prove(_narrowed(claim, changed))
        except _Overdue:
            untried += 1
            continue
        except Exception:  # the mutant is not a model that can be run on unknowns, which the lock-step run will tell
            continue
        if verdict.verdict == "refuted":
            return (claim.id,), untried
    return (), untried


def _concerns(claim: Property, changed: frozenset[str]) -> bool:
    """Whether a claim can run any of these functions: it speaks of any action, or uses one by its name."""
    return _cost(claim) >= ANY_STEP or any(not changed.isdisjoint(_used(p.predicate)) for p in (claim, *claim.given))


@functools.cache
def _used(function: Callable[..., Any]) -> frozenset[str]:
    """The names that a function uses, and those that functions of its own package use."""
    code = inspect.unwrap(function).__code__
    names = set(code.co_names)
    for inner in code.co_consts:
        names.update(inner.co_names if isinstance(inner, CodeType) else ())
    known = inspect.unwrap(function).__globals__
    used = [known[name] for name in names if inspect.isfunction(known.get(name))]
    room = function.__module__.rpartition(".")[0]
    return frozenset(names).union(*(_used(f) for f in used if f.__module__.rpartition(".")[0] == room))


def _narrowed(claim: Property, changed: frozenset[str]) -> Property:
    """The claim of those steps only that can behave differently."""
    if claim.kind == "invariant":
        return dataclasses.replace(
            claim, before=lambda venue, step: step.action in changed and claim.before(venue, step)
        )

    @functools.wraps(claim.predicate)
    def predicate(venue: Machine, **arguments: Any) -> Any:
        assume(all(a.action in changed for a in arguments.values() if isinstance(a, Step)))
        return claim.predicate(venue, **arguments)

    return dataclasses.replace(claim, predicate=predicate)


class Watch:
    """Whether the changed function of a mutant was run; always, where a constant was changed."""

    def __init__(self, model: type[Machine], name: str) -> None:
        module = sys.modules[model.__module__]
        method = name in vars(model)
        function = vars(model)[name] if method else vars(module)[name]
        self._always = not callable(function)
        self.hit = self._always
        if self._always:
            return

        @functools.wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            self.hit = True
            return function(*arguments, **named)

        setattr(model if method else module, name, watched)

    def reset(self) -> None:
        """Forget what was run."""
        self.hit = self._always


@dataclass(frozen=True)
class Refuter(Prover):
    """A prover that only looks for counterexamples, and only where the changed function of a mutant is run.

    Everywhere else a mutant is the model, of which the property is proved. `proved` by it means nothing.
    """

    watch: Watch = dataclasses.field(kw_only=True)

    def _body(self, claim: Property) -> Callable[[], Any]:
        body = super()._body(claim)

        def watched() -> Any:
            self.watch.reset()
            result = body()
            return result if self.watch.hit else True

        return watched

    def _witness(self, found: Exploration, path: Path, claim: str) -> str:
        return "witnessed"

    def _discharge(self, found: Exploration, path: Path, name: str, law: str, verdict: Verdict) -> bool:
        claims = path.result if isinstance(path.result, tuple) else ()
        obligation = Obligation(found.atoms, tuple(path.constraints), claims)
        texts = (smt_lib(obligation, encoding) for encoding in ENCODINGS)
        return any(solve("z3", text, SOLVER_SECONDS).verdict == "unsat" for text in texts)


# --- The document -----------------------------------------------------------------------------------------------------


def _document(
    system: str,
    trials: Sequence[Trial],
    known: dict[str, Equivalent],
    problems: list[str],
    seconds: float,
    job: Job,
) -> dict[str, Any]:
    killed = [t for t in trials if t.killed_by]
    left = [t for t in trials if not t.killed_by]
    equivalent = [t for t in left if t.mutant.id in known]
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    for trial in trials:
        rules[trial.mutant.rule][_status(trial, known)] += 1
    wrong = [
        f"{t.mutant.id}: listed as equivalent, but killed by {t.killed_by[0]}" for t in killed if t.mutant.id in known
    ]
    return {
        "schema": "marginspec/mutate/1",
        "system": system,
        "seed": job.seed,
        "steps": job.steps,
        "properties": len(job.claims),
        "mutants": [_entry(trial, known) for trial in trials],
        "rules": {rule: {s: counts[s] for s in STATUSES} for rule, counts in sorted(rules.items())},
        "problems": problems + wrong,
        "summary": {
            "killed": len(killed),
            "survived": len(left) - len(equivalent),
            "equivalent": len(equivalent),
            "total": len(trials),
            "killed_by_differential": sum(t.kill is not None for t in trials),
            "killed_by_property": sum(t.refuted != () for t in trials),
            "seconds": round(seconds, 1),
        },
    }


STATUSES = ("killed", "survived", "equivalent")


def _status(trial: Trial, known: dict[str, Equivalent]) -> str:
    return "killed" if trial.killed_by else "equivalent" if trial.mutant.id in known else "survived"


def _entry(trial: Trial, known: dict[str, Equivalent]) -> dict[str, Any]:
    mutant = trial.mutant
    return {
        "id": mutant.id,
        "rule": mutant.rule,
        "operator": mutant.operator,
        "file": mutant.file,
        "line": mutant.line,
        "change": mutant.change,
        "status": _status(trial, known),
        "killed_by": trial.killed_by,
        "steps": None if trial.kill is None else trial.kill.steps,
        "why": known[mutant.id].reason if mutant.id in known else trial.kill.why if trial.kill else "",
        "properties_untried": trial.untried,
        "seconds": round(trial.seconds, 2),
    }
