"""`python -m marginspec.cli.soundness`: random small systems and laws, decided by enumeration and by the prover.

Every disagreement is one line, with the system in a file and the command that repeats it. Exit code 1 when there is one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import random
import shutil
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from marginspec.cli import process
from marginspec.cli.enumeration import Truth, World, decided, keeps_ranges, outcomes, sizes
from marginspec.cli.options import Json, Seed
from marginspec.cli.smallsystems import Draw, Law, branches
from marginspec.model.kernel.machine import Machine
from marginspec.properties.law import Property
from marginspec.properties.ranges import RANGES, with_ranges
from marginspec.properties.scope import REST
from marginspec.prover.prove import Prover, Verdict
from marginspec.prover.trial import Trial, Trials

CASES = 5000
KEPT = Path("out/soundness")

LIMIT = 4000
"""Cases of a law that are enumerated, at most, in systems of one size."""

FURTHER = (0, 1, 2, 3)
"""How many accounts there may be whom a scope does not name."""

BRANCHES = 14
BRANCHES_TWICE = 7
"""In the text of a model, at most; and of one of which a law takes two actions: there is a path for each pair."""

BATCH = 200
"""Cases of a worker before it ends: what is remembered of each model goes with it."""

TRUE = 0.5
"""How many of the laws are meant to be true, besides the invariants and ranges that others rest on."""

TRIED = 20
"""Of so many systems one is also run by the prover on numbers, which takes as long as all else: enumeration does it."""


# --- Drawing ------------------------------------------------------------------------------------------------------------


@dataclass
class System:
    """A drawn system, loaded. worlds: its sizes."""

    model: type[Machine]
    chapter: Any
    worlds: list[World]


def loaded(text: str, name: str, file: Path | None = None) -> types.ModuleType:
    """A module from its text, which is in a file where its source is to be found again."""
    if file is not None:
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
    return module


def system_of(module: types.ModuleType) -> System:
    """The model and laws of a module, in all sizes that are not too large."""
    worlds = []
    for ids in sizes(module.SCOPE, FURTHER):
        world = World(module.Small, ids)
        if len(worlds) < 2 or world.many * len(world.calls) <= LIMIT:
            worlds.append(world)
    return System(module.Small, module.chapter, worlds)


def drawn(seed: int, number: int) -> str:
    """The text of one system with its laws."""
    chance = random.Random(f"{seed} {number}")
    while True:
        draw = Draw(chance)
        text = draw.model(f"Case {number} of seed {seed}.")
        if branches(text) > BRANCHES:
            continue
        module = loaded(text, "marginspec_draft")
        system = system_of(module)
        if max(world.many * len(world.calls) for world in system.worlds) <= LIMIT and _is_alive(system.worlds[0], chance):
            break
    for which in range(chance.choice((0, 0, 0, 1, 1, 2))):
        law = _drafted(lambda which=which: draw.invariant(f"INV-{which}"), module, system, chance, True, 5)
        if law is not None:
            text += law.text()
            exec(law.text(), module.__dict__)
    names = [p.predicate.__name__ for p in module.chapter.properties]
    given = ", ".join(name for name in names if chance.random() < 0.6)
    make: Callable[[], Law] = (
        (lambda: draw.invariant("LAW", given)) if chance.random() < 0.25 else (lambda: draw.theorem("LAW", given))
    )
    law = _drafted(make, module, system, chance, chance.random() < TRUE, 12, branches(text))
    return text + (law or make()).text()


def _is_alive(world: World, chance: random.Random) -> bool:
    """Whether something happens to a state now and then."""
    changed = 0
    for _ in range(40):
        state = world.state([chance.choice(options) for options in world.options])
        before = state.flatten()
        try:
            changed += state.apply(chance.choice(world.calls)).accepted and state.flatten() != before
        except Exception:
            return chance.random() < 0.05
    return changed > 2


def _drafted(
    make: Callable[[], Law], module: types.ModuleType, system: System, chance: random.Random, true: bool, tries: int, branches_of_model: int = 0
) -> Law | None:
    """A law that is true, or one that is false, and that says something; None when none was found soon."""
    for _ in range(tries):
        law = make()
        if law.happen > 1 and branches_of_model > BRANCHES_TWICE:
            continue
        with _chapter_as_it_is(module) as properties:
            if law.open:
                found = _bounds(system, _declared(law, module))
                if found is None:
                    continue
                low, high = found
                law = law.bounded(*_bound(low, high, true, chance))
                del properties[-1]
            claim = _declared(law, module)
            truths = [_decided(world, claim) for world in system.worlds]
        if all(t.holds for t in truths) == true and (any(t.cases for t in truths) or chance.random() < 0.05):
            return law
    return None


def _bound(low: int, high: int, true: bool, chance: random.Random) -> tuple[str, int]:
    """The least that is true of all values, or the most that is not."""
    if low == high and chance.random() < 0.5:
        return "==", low if true else low + 1
    return ("<=", high if true else high - 1) if chance.random() < 0.5 else (">=", low if true else low + 1)


@contextlib.contextmanager
def _chapter_as_it_is(module: types.ModuleType) -> Iterator[list[Property]]:
    properties = module.chapter.properties
    many = len(properties)
    try:
        yield properties
    finally:
        del properties[many:]


def _declared(law: Law, module: types.ModuleType) -> Property:
    exec(law.text(), module.__dict__)
    claim: Property = module.chapter.properties[-1]
    return claim


def _bounds(system: System, claim: Property) -> tuple[int, int] | None:
    """The least and the most that a law returns; None where it fails or never says anything."""
    found: set[int] = set()
    for world in system.worlds:
        for _, value in outcomes(world, claim):
            if isinstance(value, str):
                return None
            found.add(int(value))
    return (min(found), max(found)) if found else None


def _decided(world: World, claim: Property) -> Truth:
    return decided(world, claim)


# --- Deciding -----------------------------------------------------------------------------------------------------------


@dataclass
class Disagreement:
    """What enumeration and the prover do not agree about. kind: the worst is `unsound`."""

    case: int
    law: str
    kind: str
    truth: str
    verdict: str


@dataclass
class Decision:
    """One case, decided twice. verdicts: how often each was given."""

    case: int
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    true: int = 0
    false: int = 0
    text: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


class _Untried(Trials):
    """Runs nothing on numbers."""

    def __init__(self, model: type[Machine]) -> None:
        pass

    def run(self, claim: Property, seconds: float = 0, cases: int = 0) -> Trial:
        return Trial(0)


def decide(seed: int, number: int) -> Decision:
    """Draw a case, decide it twice, and compare."""
    decision, started = Decision(number), time.process_time()
    decision.text = drawn(seed, number)
    drawing = time.process_time()
    with TemporaryDirectory() as folder:
        name = f"marginspec_drawn_{number}"
        module = loaded(decision.text, name, Path(folder) / f"{name}.py")
        system = system_of(module)
        claims = with_ranges(system.model, system.chapter)
        truths = {claim.id: _truths(system, claim) for claim in claims}
        enumerating = time.process_time()
        prover = Prover(system.model)
        if number % TRIED:
            prover.trials[system.model] = _Untried(system.model)
        for claim in claims:
            _compare(decision, system, claim, truths, prover)
        del sys.modules[name]
    proving = time.process_time()
    decision.seconds = {
        "drawing": drawing - started,
        "enumerating": enumerating - drawing,
        "proving": proving - enumerating,
    }
    return decision


def _truths(system: System, claim: Property) -> Truth:
    """What is true in systems of every size."""
    cases = 0
    for world in system.worlds:
        about_ranges = hasattr(claim.predicate, "fields")
        truth = keeps_ranges(world, claim.given) if about_ranges else decided(world, claim)
        cases += truth.cases
        if not truth.holds:
            return Truth(cases, truth.counterexample)
    return Truth(cases)


def _compare(
    decision: Decision, system: System, claim: Property, truths: dict[str, Truth], prover: Prover
) -> None:
    truth = truths[claim.id]
    try:
        verdict = prover.prove(claim)
    except Exception as error:
        decision.disagreements.append(
            Disagreement(decision.case, claim.id, "error", "-", f"{type(error).__name__}: {error}")
        )
        return
    decision.true += truth.holds
    decision.false += not truth.holds
    shown = "vacuous" if verdict.vacuous else verdict.verdict
    decision.verdicts[f"{shown}, {'true' if truth.holds else 'false'}"] += 1
    if verdict.verdict == "unknown":
        decision.reasons[verdict.reason[:60]] += 1
    if kind := _wrong(system, claim, truths, verdict):
        said = "true" if truth.holds else f"{truth.counterexample.why}: {truth.counterexample.case}"  # type: ignore[union-attr]
        decision.disagreements.append(
            Disagreement(decision.case, claim.id, kind, said, f"{verdict.verdict} {verdict.reason} {verdict.counterexample or ''}")
        )


def _wrong(system: System, claim: Property, truths: dict[str, Truth], verdict: Verdict) -> str:
    """How a verdict contradicts what is true; empty when it does not."""
    truth = truths[claim.id]
    if verdict.verdict == "proved":
        if not truth.holds:
            return "unsound"
        if false := [id for id in verdict.rests_on if not truths[id].holds]:
            return f"unsound: rests on {false[0]}"
        # Ranges are proved of more states than those of which all invariants are true, of which there may be none.
        return "" if truth.cases or claim.id == RANGES else "proved, though it says nothing"
    if "a proof was found" in verdict.reason:
        return "a proof of what is false, found out by running it"
    if verdict.vacuous and not truth.holds:
        return "vacuous, though false"
    if "no case satisfies" in verdict.reason and truth.cases:
        return "vacuous, though it says something"
    if verdict.verdict == "refuted" and truth.holds and not _breaks(system, claim, verdict):
        return "wrong refutation"
    return ""


def _breaks(system: System, claim: Property, verdict: Verdict) -> bool:
    """Whether a counterexample is one, of a system with more accounts than were looked at.

    What the rest has is given to so many accounts as that takes.
    """
    case = verdict.counterexample or {}
    if REST not in str(system.chapter.scope.keys):
        return False
    for many in range(1, 25):
        (ids,) = sizes(system.chapter.scope, (many,))
        world = World(system.model, ids)
        values = _shared(world, case)
        if values is None:
            continue
        truth = keeps_ranges(world, claim.given, [values]) if hasattr(claim.predicate, "fields") else decided(world, claim, [values])
        if not truth.holds:
            return True
    return False


def _shared(world: World, case: dict[str, Any]) -> list[Any] | None:
    """A state from its numbers by name, those of the rest shared out; None when they are too many."""
    values: list[Any] = []
    left: dict[str, int] = {}
    for name, options in zip(world.names, world.options, strict=True):
        given = case.get(name)
        if "[further" in name:
            whole = name.partition("[")[0] + name.rpartition("]")[2]
            if whole not in left:
                rest = name.partition("[")[0] + f"[{REST}]" + name.rpartition("]")[2]
                many = sum(n.partition("[")[0] + n.rpartition("]")[2] == whole and "[further" in n for n in world.names)
                left[whole] = int(case.get(rest, many * min(options))) - many * min(options)
            more = max(min(left[whole], max(options) - min(options)), 0)
            left[whole] -= more
            values.append(min(options) + more)
        elif isinstance(options[0], bool):
            values.append(given in ("1", "True"))
        elif isinstance(options[0], int):
            values.append(int(given) if given is not None else options[0])
        else:
            values.append(next((o for o in options if str(o) == given), options[0]))
    return None if any(left.values()) else values


# --- The benchmark ------------------------------------------------------------------------------------------------------


def decided_all(seed: int, numbers: Sequence[int], workers: int) -> Iterator[Decision]:
    """Every case, in the order in which they are done."""
    for start in range(0, len(numbers), BATCH * workers):
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            jobs = [pool.submit(decide, seed, number) for number in numbers[start : start + BATCH * workers]]
            for done in as_completed(jobs):
                yield done.result()


def soundness(
    cases: Annotated[int, typer.Option(min=1, help="How many systems to draw.")] = CASES,
    seed: Seed = 1,
    only: Annotated[int | None, typer.Option(metavar="CASE", help="Decide this case and no other.")] = None,
    json: Json = False,
) -> int:
    """Decide random small systems and laws by looking at every case, and by the prover.

    Exit code 0: they agree on all. 1: they do not.
    """
    numbers, started = list(range(cases)) if only is None else [only], time.monotonic()
    if only is None:
        shutil.rmtree(KEPT, ignore_errors=True)
    total = Decision(-1)
    spent: Counter[str] = Counter()
    with process.progress("deciding cases twice", len(numbers)) as advance:
        for done, decision in enumerate(decided_all(seed, numbers, min(os.cpu_count() or 1, len(numbers))), 1):
            advance(done)
            total.verdicts += decision.verdicts
            total.reasons += decision.reasons
            total.true, total.false = total.true + decision.true, total.false + decision.false
            spent.update(decision.seconds)
            for each in decision.disagreements:
                total.disagreements.append(each)
                print(_line(seed, each, _keep(decision, only)), file=sys.stderr, flush=True)
    total.disagreements.sort(key=lambda each: each.case)
    summary = {
        "schema": "marginspec/soundness/1",
        "seed": str(seed),
        "cases": len(numbers),
        "laws": total.true + total.false,
        "true": total.true,
        "false": total.false,
        "verdicts": dict(sorted(total.verdicts.items())),
        "unknown": dict(total.reasons.most_common(12)),
        "disagreements": [vars(each) for each in total.disagreements],
        "seconds": round(time.monotonic() - started, 1),
        "processor_seconds": {what: round(seconds, 1) for what, seconds in spent.items()},
    }
    process.emit(summary)
    return process.BROKEN if total.disagreements else process.HOLDS


def _keep(decision: Decision, only: int | None) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"case-{decision.case}.py"
    file.write_text(decision.text)
    return file


def _line(seed: int, each: Disagreement, file: Path) -> str:
    again = f"python -P -m marginspec.cli.soundness --seed {seed} --only {each.case}"
    return f"{each.kind.upper()}: {each.law} in {file}: enumeration: {each.truth}; prover: {each.verdict} ({again})"


def main() -> None:
    """Run the benchmark."""
    app = typer.Typer(add_completion=False)
    app.command()(soundness)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
