"""Mutation testing: every mutant of a model against the implementation and against the laws."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, TypeVar

from marginspec.cli.refute import Changed, concerns, cost, disproved, refutation, used_by
from marginspec.differential.mutants import Kill, Mutant, kill, mutants_of, patches_of
from marginspec.differential.plan import plans_of
from marginspec.differential.text import installed, reaching
from marginspec.model.kernel.machine import Call, Machine
from marginspec.properties.law import Property
from marginspec.targets.protocol import BadInput, Target

LAW_SECONDS = 240.0
"""As long a mutant is looked for that breaks a law which none was found to break."""

T = TypeVar("T")
R = TypeVar("R")


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
        """Who saw it differ from the implementation or break a law."""
        return [*([self.kill.by] if self.kill and self.kill.compared else []), *self.refuted]


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no run and no property can tell from the model, and why."""

    id: str
    change: str
    reason: str


@dataclass(frozen=True)
class Job:
    """What every trial of a run has in common. target: makes one. runs: that are tried on what survives."""

    model: type[Machine]
    target: Callable[[], Target]
    laws: Sequence[Property]
    mutants: Sequence[Mutant]
    steps: int
    seed: int
    runs: Sequence[Sequence[Call]] = ()


def mutate(
    system: str,
    model: type[Machine],
    target: Callable[[], Target],
    claims: Sequence[Property],
    equivalents: File,
    steps: int,
    seed: int,
    proofs: bool = True,
    runs: Callable[[], Sequence[Sequence[Call]]] | None = None,
    workers: int = 2,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
    only: Callable[[Mutant], bool] | None = None,
) -> dict[str, Any]:
    """The document `marginspec/mutate/1`. It holds when nothing survived and `problems` is empty.

    equivalents: file of mutants known to be equivalent. steps: of the lock-step run of each mutant. runs: makes calls
    from genesis that are tried on what survives that and the laws. only: which mutants to try. on_progress: called with
    what is done and all there is to do: mutants, those that survived, laws. Raises BadInput, and what a target raises.
    """
    if steps < 1:
        raise BadInput("--steps must be at least 1")
    started = time.perf_counter()
    everything = mutants_of(model)
    known = read_equivalents(equivalents)
    mutants = [m for m in everything if only is None or only(m)]
    job = Job(model, target, sorted(claims, key=cost) if proofs else (), mutants, steps, seed)
    trials = dict[int, Trial]()
    done, all_there_is = itertools.count(1), len(mutants) + len(job.laws)
    for at, trial in _each(job, _try, range(len(mutants)), workers):
        trials[at] = trial
        on_progress(next(done), all_there_is)
    left = [at for at, trial in sorted(trials.items()) if not trial.killed_by and trial.kill is None]
    if runs is not None and left:
        job, all_there_is = dataclasses.replace(job, runs=runs()), all_there_is + len(left)
        for at, killed in _each(job, _try_runs, left, workers):
            trials[at] = dataclasses.replace(trials[at], kill=killed)
            on_progress(next(done), all_there_is)
    found = [trials[at] for at in range(len(mutants))]
    breaking = dict[str, str | None]()
    for law, mutant in _breaking(job, found, workers):
        breaking[law] = mutant
        on_progress(next(done), all_there_is)
    return _document(system, found, breaking, known, _stale(known, everything), time.perf_counter() - started, job)


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


def _each(job: Job, run: Callable[[T], R], inputs: Iterable[T], workers: int) -> Iterator[tuple[T, R]]:
    """Inputs with what was made of them, as they end. Workers are forked: a law is a function and cannot be sent."""
    global _JOB
    _JOB = job
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _prepare) as pool:
        running = {pool.submit(run, it): it for it in inputs}
        for done in as_completed(running):
            yield running[done], done.result()


def _prepare() -> None:
    global _TARGET
    _TARGET = _JOB.target()
    plans_of(_JOB.model)  # of the model, not of the first mutant


def _try(at: int) -> Trial:
    started, mutant, laws = time.perf_counter(), _JOB.mutants[at], _JOB.laws
    changed = _changed(mutant)
    with installed(changed.patches):
        killed = kill(_JOB.model, _TARGET, _JOB.steps, _JOB.seed)
        # Each mutant tries another law first, so that many laws show that they can be broken.
        turn = at % max(1, len(laws))
        refuted, untried = refutation(
            changed, [*laws[turn:], *laws[:turn]], _JOB.seed, solvers=killed is None or not killed.compared
        )
    return Trial(mutant, killed, refuted, untried, time.perf_counter() - started)


def _try_runs(at: int) -> Kill | None:
    """What survived, once more by calls that take every path and stand at every boundary."""
    with installed(_changed(_JOB.mutants[at]).patches):
        return kill(_JOB.model, _TARGET, 0, _JOB.seed, _JOB.runs)


def _changed(mutant: Mutant) -> Changed:
    return Changed(_JOB.model, reaching(_JOB.model, mutant.name), patches_of(_JOB.model, mutant))


# --- What breaks each law ---------------------------------------------------------------------------------------------


def _breaking(job: Job, trials: Sequence[Trial], workers: int) -> Iterator[tuple[str, str | None]]:
    """Each law with a mutant that breaks it; None where none was found in time. A law that nothing breaks is no law."""
    broken = {law: trial.mutant.id for trial in reversed(trials) for law in trial.refuted}
    yield from broken.items()
    left = [at for at, law in enumerate(job.laws) if law.id not in broken]
    yield from ((job.laws[at].id, mutant) for at, mutant in _each(job, _breaker, left, workers))


def _breaker(at: int) -> str | None:
    """A mutant that breaks a law: of the functions that it names itself first."""
    law, end = _JOB.laws[at], time.perf_counter() + LAW_SECONDS
    named = used_by(law.predicate)
    for mutant in sorted(_JOB.mutants, key=lambda m: m.name not in named):
        if time.perf_counter() > end:
            return None
        if concerns(law, reaching(_JOB.model, mutant.name)):
            changed = _changed(mutant)
            with installed(changed.patches):
                if disproved(changed, [law])[0]:
                    return mutant.id
    return None


# --- The document -----------------------------------------------------------------------------------------------------


def _document(
    system: str,
    trials: Sequence[Trial],
    breaking: dict[str, str | None],
    known: dict[str, Equivalent],
    problems: list[str],
    seconds: float,
    job: Job,
) -> dict[str, Any]:
    killed = [t for t in trials if t.killed_by]
    left = [t for t in trials if not t.killed_by]
    equivalent = [t for t in left if _status(t, known) == "equivalent"]
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
        "properties": len(job.laws),
        "broken_by": {law.id: breaking[law.id] for law in job.laws},
        "mutants": [_entry(trial, known) for trial in trials],
        "rules": {rule: {s: counts[s] for s in STATUSES} for rule, counts in sorted(rules.items())},
        "problems": problems + wrong,
        "summary": {
            "killed": len(killed),
            "survived": sum(_status(t, known) == "survived" for t in trials),
            "equivalent": len(equivalent),
            "total": len(trials),
            **{n.replace(" ", "_"): sum(_status(t, known) == n for t in trials) for n in ENDED.values()},
            "killed_by_differential": sum(t.kill is not None and t.kill.by == "differential" for t in trials),
            "killed_by_vectors": sum(t.kill is not None and t.kill.by == "vector" for t in trials),
            "killed_by_property": sum(t.refuted != () for t in trials),
            "laws": len(job.laws),
            "laws_broken": sum(mutant is not None for mutant in breaking.values()),
            "seconds": round(seconds, 1),
        },
    }


ENDED = {"prelude": "invalid", "crash": "crashes", "timed out": "timed out"}
"""What a mutant is that nobody saw differ, because its run ended by itself."""

STATUSES = ("killed", "survived", "equivalent", *ENDED.values())


def _status(trial: Trial, known: dict[str, Equivalent]) -> str:
    if trial.killed_by:
        return "killed"
    if trial.mutant.id in known:
        return "equivalent"
    return "survived" if trial.kill is None else ENDED[trial.kill.by]


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
