"""Mutation testing: every mutant of a model against the implementation and against the laws."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, TypeVar

from marginspec.base.cache import kept
from marginspec.base.deadline import Budget, Overdue
from marginspec.base.ending import ended, until_ended
from marginspec.base.errors import BadInput
from marginspec.base.files import read_toml
from marginspec.base.workers import as_done
from marginspec.lockstep.model_source import installed, reaching
from marginspec.lockstep.plan import plans_of
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.mutation.concrete_laws import broken
from marginspec.mutation.mutants import Kill, Mutant, kill, mutants_of, patches_of
from marginspec.mutation.refute import Changed, concerns, cost, disproved, refutation, used_by
from marginspec.mutation.weaken import ASSUMPTION, CLAIM, CONJUNCT, SCOPE, Weakening, weakenings
from marginspec.properties.law import Property
from marginspec.prover.cache import digest
from marginspec.targets.protocol import Target, build_of
from marginspec.trial.trials import Trials

WEAK_SECONDS = 8.0
"""As long those are looked for who notice that a law was weakened, of all weakened forms of a law."""

TRIAL_SECONDS = 0.3
"""As long a law is run on numbers, to see whether it is false of the model itself or once it is weakened."""

LAW_SECONDS = 240.0
"""As long a mutant is looked for that breaks a law which none was found to break."""

VALUES_TOLD = 6
"""Of the values with which a law is false, so many are told."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class MutantOutcome:
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
    """What every trial of a run has in common. target: makes one. runs: that are tried on what survives.

    texts: a digest of all that has a part in what a trial becomes, under which it is kept; None to keep none.
    """

    model: type[Machine]
    target: Callable[[], Target]
    laws: Sequence[Property]
    mutants: Sequence[Mutant]
    steps: int
    seed: int
    texts: str | None
    runs: Sequence[Sequence[Call]] = ()
    breaking: Mapping[str, str | None] = field(default_factory=dict)


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
    weaken: bool = False,
    anew: bool = False,
) -> dict[str, Any]:
    """The document `marginspec/mutate/1`. It holds when nothing survived and `problems` is empty.

    A law that is false of the model itself would be broken by every mutant: it is a problem, and kills nothing. weaken:
    whether the laws are weakened too, to see who notices.

    equivalents: file of mutants known to be equivalent. steps: of the lock-step run of each mutant. runs: makes calls
    from genesis that are tried on what survives that and the laws. only: which mutants to try. on_progress: called with
    what is done and all there is to do: mutants, those that survived, laws. Raises BadInput, and what a target raises.
    A run that is told to end says so in `ended`, and what it did not come to is `not tried`; the next one of the same
    texts goes on from there, for what was tried is kept. anew: believe nothing that was kept.
    """
    if steps < 1:
        raise BadInput("--steps must be at least 1")
    started = time.perf_counter()
    everything = mutants_of(model)
    known = read_equivalents(equivalents)
    mutants = [m for m in everything if only is None or only(m)]
    laws = sorted(claims, key=cost) if proofs else []
    job = Job(model, target, laws, mutants, steps, seed, None if anew else _texts(model, laws))
    false, trials, breaking = dict[str, str](), dict[int, MutantOutcome](), dict[str, str | None]()
    weakened = list[dict[str, Any]]()

    def work() -> None:
        nonlocal job
        false.update((job.laws[at].id, why) for at, why in _each(job, _false, range(len(job.laws)), workers) if why)
        job = dataclasses.replace(job, laws=[law for law in job.laws if law.id not in false])
        done, all_there_is = itertools.count(1), len(mutants) + len(job.laws)
        survived = dict[int, MutantOutcome]()
        for at, trial in _each(job, _try, range(len(mutants)), workers):
            survives = runs is not None and not trial.killed_by and trial.kill is None
            (survived if survives else trials)[at] = trial
            on_progress(next(done), all_there_is)
        if runs is not None and survived:
            job, all_there_is = dataclasses.replace(job, runs=runs()), all_there_is + len(survived)
            for at, killed in _each(job, _try_runs, sorted(survived), workers):
                trials[at] = dataclasses.replace(survived[at], kill=killed)
                on_progress(next(done), all_there_is)
        for law, mutant in _breaking(job, [trials[at] for at in range(len(mutants))], workers):
            breaking[law] = mutant
            on_progress(next(done), all_there_is)
        job = dataclasses.replace(job, breaking=breaking)
        for _, rows in _each(job, _weakened, range(len(job.laws)) if weaken else (), workers):
            weakened.extend(rows)

    until_ended(work)
    problems = [f"{law}: false of the model itself, so that it kills nothing: {why}" for law, why in false.items()]
    problems += _stale(known, everything)
    found = [trials.get(at) or _not_tried(mutant) for at, mutant in enumerate(mutants)]
    seconds = time.perf_counter() - started
    document = _document(system, found, breaking, known, problems, seconds, job) | _weak(job, weakened, sorted(false))
    return document | ({"ended": ended()} if ended() else {})


# --- Equivalent mutants -----------------------------------------------------------------------------------------------


def read_equivalents(path: File) -> dict[str, Equivalent]:
    """The mutants that a system's file calls equivalent, by ID. A missing file lists none."""
    if not path.exists():
        return {}
    data = read_toml(path)
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

ROOMS = ("model", "base", "properties", "trial", "targets", "prover", "lockstep", "systems", "mutation")
"""Whose texts have a part in what becomes of a mutant."""


def _texts(model: type[Machine], laws: Sequence[Property]) -> str:
    modules = {kind.__module__ for kind in model.__mro__} | {law.predicate.__module__ for law in laws}
    return digest(model, modules, ROOMS)


def _kept(what: str, of: Sequence[Any], make: Callable[[], R], worth: Callable[[R], bool] = lambda made: True) -> Any:
    """What was made of something in this run or an earlier one of the same texts and contracts, as JSON has it."""
    built = build_of(_TARGET)
    if _JOB.texts is None or not built:  # what the target is made of is not known
        return make()
    common = [_JOB.texts, built, _JOB.steps, _JOB.seed, [law.id for law in _JOB.laws], [m.id for m in _JOB.mutants]]
    return kept(what, json.dumps([*common, *of], sort_keys=True), make, worth)


def _not_tried(mutant: Mutant) -> MutantOutcome:
    return MutantOutcome(mutant, Kill(ENDED_EARLY, 0, ended()), (), 0, 0.0)


def _each(job: Job, run: Callable[[T], R], inputs: Iterable[T], workers: int) -> Iterator[tuple[T, R]]:
    """Inputs with what was made of them, as they end."""
    global _JOB
    _JOB = job
    yield from as_done(run, inputs, workers, _prepare)


def _prepare() -> None:
    global _TARGET
    _TARGET = _JOB.target()
    plans_of(_JOB.model)  # of the model, not of the first mutant


def _try(at: int) -> MutantOutcome:
    mutant = _JOB.mutants[at]
    said = _kept("mutant", [mutant.id, mutant.change], lambda: _tried(at), _is_settled)
    return MutantOutcome(
        mutant, said["kill"] and Kill(**said["kill"]), tuple(said["refuted"]), said["untried"], said["seconds"]
    )


def _is_settled(made: Mapping[str, Any]) -> bool:
    """Whether another machine would find the same: what took too long here may end there."""
    return made["kill"] is None or ENDED.get(made["kill"]["by"]) != "timed out"


def _tried(at: int) -> dict[str, Any]:
    """All of a `MutantOutcome` but the mutant, as JSON has it."""
    started, mutant, laws = time.perf_counter(), _JOB.mutants[at], _JOB.laws
    changed = _changed(mutant)
    with installed(changed.patches):
        killed = kill(_JOB.model, _TARGET, _JOB.steps, _JOB.seed)
        # Each mutant tries another law first, so that many laws show that they can be broken.
        turn = at % max(1, len(laws))
        refuted, untried = refutation(
            changed, [*laws[turn:], *laws[:turn]], _JOB.seed, solvers=killed is None or not killed.compared
        )
    said = None if killed is None else dataclasses.asdict(killed)
    return {"kill": said, "refuted": refuted, "untried": untried, "seconds": time.perf_counter() - started}


def _try_runs(at: int) -> Kill | None:
    """What survived, once more by calls that take every path and stand at every boundary."""
    mutant = _JOB.mutants[at]

    def tried() -> dict[str, Any]:
        with installed(_changed(mutant).patches):
            killed = kill(_JOB.model, _TARGET, 0, _JOB.seed, _JOB.runs)
        return {"kill": None if killed is None else dataclasses.asdict(killed)}

    runs = hashlib.sha256(repr(_JOB.runs).encode()).hexdigest()
    said = _kept("told", [mutant.id, mutant.change, runs], tried, _is_settled)
    return said["kill"] and Kill(**said["kill"])


def _changed(mutant: Mutant) -> Changed:
    return Changed(_JOB.model, reaching(_JOB.model, mutant.name), patches_of(_JOB.model, mutant))


# --- What breaks each law ---------------------------------------------------------------------------------------------


def _breaking(job: Job, trials: Sequence[MutantOutcome], workers: int) -> Iterator[tuple[str, str | None]]:
    """Each law with a mutant that breaks it; None where none was found in time. A law that nothing breaks is no law."""
    broken = {law: trial.mutant.id for trial in reversed(trials) for law in trial.refuted}
    yield from broken.items()
    left = [at for at, law in enumerate(job.laws) if law.id not in broken]
    yield from ((job.laws[at].id, mutant) for at, mutant in _each(job, _breaker, left, workers))


def _breaker(at: int) -> str | None:
    """A mutant that breaks a law, or did in an earlier run; None where none was found in time."""
    found: str | None = _kept("breaker", [_JOB.laws[at].id], lambda: _breaker_now(at), lambda found: found is not None)
    return found


def _breaker_now(at: int) -> str | None:
    """A mutant that breaks a law: of the functions that it names itself first."""
    law, end = _JOB.laws[at], time.process_time() + LAW_SECONDS
    named = used_by(law.predicate)
    for mutant in sorted(_JOB.mutants, key=lambda m: m.name not in named):
        if time.process_time() > end:
            return None
        if concerns(law, reaching(_JOB.model, mutant.name)):
            changed = _changed(mutant)
            with installed(changed.patches):
                if disproved(changed, [law])[0]:
                    return mutant.id
    return None


# --- Laws that are weakened -------------------------------------------------------------------------------------------


def _trials() -> Trials:
    """Numbers for the laws of the unchanged model, made once in each worker."""
    global _TRIALS
    if _TRIALS is None or _TRIALS[0] is not _JOB.model:
        _TRIALS = _JOB.model, Trials(_JOB.model, _JOB.seed)
    return _TRIALS[1]


_TRIALS: tuple[type[Machine], Trials] | None = None


def _false(at: int) -> str:
    """Why a law is false of the model itself, empty if it is not seen to be; or was not in an earlier run."""
    found: str = _kept("false", [_JOB.laws[at].id], lambda: _false_now(_JOB.laws[at]))
    return found


def _false_now(law: Property) -> str:
    found = _trials().run(law, TRIAL_SECONDS).failure
    if found is not None:
        return f"{found.why}, with {', '.join(f'{n} = {v}' for n, v in list(found.case.items())[:VALUES_TOLD])}"
    with contextlib.suppress(Exception, Overdue), Budget(10 * TRIAL_SECONDS).spent():
        every_action = frozenset(actions_of(_JOB.model))
        return "a state of a run breaks it" if broken(_JOB.model, [law], every_action, TRIAL_SECONDS, _JOB.seed) else ""
    return ""


def _weakened(at: int) -> list[dict[str, Any]]:
    """Every weakened form of a law, and who notices: a mutant, or a state of the model itself; kept where all are."""
    law = _JOB.laws[at]
    told: list[dict[str, Any]] = _kept(
        "weakened",
        [law.id, _JOB.breaking.get(law.id)],
        lambda: _weakened_now(law),
        lambda rows: all(row["noticed_by"] is not None for row in rows),
    )
    return told


def _weakened_now(law: Property) -> list[dict[str, Any]]:
    _trials().prepare(law.scope)  # the first law of a worker pays for the others
    end = time.process_time() + WEAK_SECONDS
    breaker = _JOB.breaking.get(law.id)
    forms = list(weakenings(law))
    noticed = dict[int, str]()
    for number, form in enumerate(forms):
        if form.kind == ASSUMPTION and time.process_time() < end:
            with contextlib.suppress(Exception, Overdue), Budget(10 * TRIAL_SECONDS).spent():
                if _trials().run(form.weakened, TRIAL_SECONDS).failure is not None:
                    noticed[number] = "the model itself"
    named = used_by(law.predicate)
    mutants = [m for m in _JOB.mutants if concerns(law, reaching(_JOB.model, m.name))]
    for mutant in sorted(mutants, key=lambda m: (m.id != breaker, m.name not in named)):
        left = {n: form for n, form in enumerate(forms) if form.kind == CONJUNCT and n not in noticed}
        pins = {n: form for n, form in enumerate(forms) if form.kind == SCOPE and mutant.id == breaker}
        if not (left or pins) or time.process_time() > end:
            break
        changed = _changed(mutant)
        with installed(changed.patches):
            for number in _broken_forms(changed, left):
                noticed[number] = mutant.id
            trials = Trials(_JOB.model, _JOB.seed) if pins else None
            for number, form in pins.items():
                with contextlib.suppress(Exception, Overdue), Budget(WEAK_SECONDS).spent():
                    if trials is not None and trials.run(form.weakened, TRIAL_SECONDS).failure is not None:
                        noticed[number] = mutant.id
    rows = [_row(law.id, form.kind, form.change, noticed.get(number)) for number, form in enumerate(forms)]
    return [_row(law.id, CLAIM, "claims True", breaker), *rows]


def _broken_forms(changed: Changed, forms: Mapping[int, Weakening]) -> Iterator[int]:
    """Which of some laws a mutant breaks, on states that it reaches."""
    left = dict(forms)
    with contextlib.suppress(Exception, Overdue), Budget(WEAK_SECONDS).spent():
        while left:
            laws = [form.weakened for form in left.values()]
            found = broken(changed.model, laws, changed.users, TRIAL_SECONDS, _JOB.seed)
            number = next((n for n, form in left.items() if form.weakened is found), None)
            if number is None:
                return
            del left[number]
            yield number


def _row(law: str, kind: str, change: str, noticed_by: str | None) -> dict[str, Any]:
    return {"law": law, "kind": kind, "change": change, "noticed_by": noticed_by}


def _weak(job: Job, weakened: Sequence[dict[str, Any]], false: Sequence[str]) -> dict[str, Any]:
    """What the document says of hollow laws, and of those that were weakened.

    hollow: laws that are as good as True: no mutant breaks them. false: laws that the model itself breaks.
    """
    order = {law.id: at for at, law in enumerate(job.laws)}
    return {
        "hollow": sorted((law for law, mutant in job.breaking.items() if mutant is None), key=lambda law: order[law]),
        "false": list(false),
        "weakened": sorted(weakened, key=lambda row: order[row["law"]]),
    }


# --- The document -----------------------------------------------------------------------------------------------------


def _document(
    system: str,
    trials: Sequence[MutantOutcome],
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
        "broken_by": {law.id: breaking[law.id] for law in job.laws if law.id in breaking},
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
            "laws_hollow": sum(mutant is None for mutant in breaking.values()),
            "seconds": round(seconds, 1),
        },
    }


ENDED_EARLY = "ended early"
"""By what a mutant was not seen, to which a run that was told to end did not come."""

ENDED = {"prelude": "invalid", "crash": "crashes", "timed out": "timed out", ENDED_EARLY: "not tried"}
"""What a mutant is that nobody saw differ, because its run ended by itself."""

STATUSES = ("killed", "survived", "equivalent", *ENDED.values())


def _status(trial: MutantOutcome, known: dict[str, Equivalent]) -> str:
    if trial.killed_by:
        return "killed"
    if trial.mutant.id in known:
        return "equivalent"
    return "survived" if trial.kill is None else ENDED[trial.kill.by]


def _entry(trial: MutantOutcome, known: dict[str, Equivalent]) -> dict[str, Any]:
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
