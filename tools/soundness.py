"""`python -m tools.soundness`: random small systems and laws, decided by enumeration and by the prover.

Each disagreement is one line on standard error, with the system in a file and the command that repeats it.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from marginspec.base import process
from marginspec.cli.options import Json, Seed
from marginspec.properties.law import Property
from marginspec.properties.ranges import RANGES, fields_of_ranges, with_ranges
from marginspec.properties.scope import Scope
from marginspec.prover.prove import Prover, Verdict
from marginspec.trial.situations import Situation
from marginspec.trial.trials import Trial, Trials
from tools.small.drawn import System, drawn, loaded, system_of
from tools.small.enumeration import (
    Counterexample,
    Truth,
    World,
    decided,
    holds_at_first,
    keeps_ranges,
    shared_out,
    sizes,
)

CASES = 5000
KEPT = Path("out/soundness")

BATCH = 200
"""Cases of a worker before it ends: what is remembered of each model goes with it."""

TRIED = 40
"""Of so many systems the prover also runs the laws of one on numbers, which takes longer than all else; here laws are
enumerated anyway, and a proof of what is false is to be noticed without that."""

MOST_FURTHER = 24
"""Accounts that are not named, at most, among whom the numbers of a counterexample are shared out."""

REASON_LENGTH = 60
"""After which reasons of `unknown` differ in nothing but names."""

MANY = (*range(13), 40, 100, 250)
"""With so many accounts that no scope names an invariant is looked at in the first state, beside those enumerated."""


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
    """One case, decided twice. verdicts: how often each was given of what is true and of what is false. reasons: of
    `unknown`, with the cases. laws: how many of the laws that were drawn are true, and false."""

    case: int
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, list[int]] = field(default_factory=dict)
    laws: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    text: str = ""
    seconds: Counter[str] = field(default_factory=Counter)

    def add(self, other: Decision) -> None:
        """Count another one along."""
        self.verdicts += other.verdicts
        self.laws += other.laws
        self.seconds.update(other.seconds)
        self.disagreements += other.disagreements
        for reason, cases in other.reasons.items():
            self.reasons.setdefault(reason, []).extend(cases)


class _Untried(Trials):
    """Runs nothing on numbers."""

    def __init__(self) -> None:
        pass

    def prepare(self, scope: Scope) -> tuple[list[Situation], list[Situation]]:
        """No states."""
        return [], []

    def run(self, claim: Property, seconds: float = 0, cases: int = 0) -> Trial:
        """Nothing is found."""
        return Trial(0)


# --- Deciding --------------------------------------------------------------------------------------------------------


def decide(seed: int, number: int) -> Decision:
    """Draw a case, decide it twice, and compare."""
    decision, clock = Decision(number), time.process_time()

    def spent(what: str) -> None:
        nonlocal clock
        now = time.process_time()
        decision.seconds[what] += now - clock  # type: ignore[assignment]
        clock = now

    decision.text = drawn(seed, number)
    spent("drawing")
    name = f"marginspec_drawn_{number}"
    with TemporaryDirectory() as folder:
        system = system_of(loaded(decision.text, name, Path(folder) / f"{name}.py"))
        claims = with_ranges(system.model, system.chapter)
        truths = {claim.id: _truth(system, claim) for claim in claims}
        spent("enumerating")
        prover = Prover(system.model)
        if number % TRIED:
            prover.trials[system.model] = _Untried()
        for claim in claims:
            _compare(decision, system, claim, truths, prover)
        spent("proving")
    del sys.modules[name]
    return decision


def _truth(system: System, claim: Property) -> Truth:
    """What is true in systems of every size."""
    cases = 0
    for world in system.worlds:
        truth = _in(world, claim)
        cases += truth.cases
        if not truth.holds:
            return Truth(cases, truth.counterexample)
    if claim.kind == "invariant" and fields_of_ranges(claim) is None:
        for many in MANY:
            if not holds_at_first(system.worlds[0].model, claim, many):
                return Truth(cases, Counterexample({"state": f"initial, of {many} further accounts"}, "false"))
    return Truth(cases)


def _in(world: World, claim: Property, only: Sequence[Sequence[Any]] | None = None) -> Truth:
    is_about_ranges = fields_of_ranges(claim) is not None
    return keeps_ranges(world, claim.given, only) if is_about_ranges else decided(world, claim, only)


def _compare(decision: Decision, system: System, claim: Property, truths: Mapping[str, Truth], prover: Prover) -> None:
    truth = truths[claim.id]
    said = "true" if truth.counterexample is None else f"{truth.counterexample.why} {truth.counterexample.case}"
    if claim.id == "LAW":
        decision.laws["true" if truth.holds else "false"] += 1
    try:
        verdict = prover.prove(claim)
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"
        decision.disagreements.append(Disagreement(decision.case, claim.id, "error", said, failed))
        return
    shown = "vacuous" if verdict.vacuous else verdict.verdict
    decision.verdicts[f"{shown}, {'true' if truth.holds else 'false'}"] += 1
    if verdict.verdict == "unknown":
        decision.reasons.setdefault(verdict.reason[:REASON_LENGTH], []).append(decision.case)
    if kind := _wrong(system, claim, truths, verdict):
        given = " ".join(map(str, filter(None, (verdict.verdict, verdict.reason, verdict.counterexample))))
        decision.disagreements.append(Disagreement(decision.case, claim.id, kind, said, given))


def _wrong(system: System, claim: Property, truths: Mapping[str, Truth], verdict: Verdict) -> str:
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
        # What does not keep its ranges reaches states of which nothing was to be proved.
        strays = not truths[RANGES].holds and not _in_range(system.worlds[0], verdict.counterexample or {})
        return "" if strays else "a proof of what is false, noticed when it was run"
    if verdict.vacuous and not truth.holds:
        return "vacuous, though false"
    if "no case satisfies" in verdict.reason and truth.cases:
        return "vacuous, though it says something"
    if verdict.verdict == "refuted" and truth.holds and not _breaks(system, claim, verdict):
        return "wrong refutation"
    return ""


def _in_range(world: World, case: Mapping[str, str]) -> bool:
    """Whether the variables of a case are ones that a state in range may have."""
    named = zip(world.names, world.options, strict=True)
    return all(case[name] in map(str, options) for name, options in named if name in case)


def _breaks(system: System, claim: Property, verdict: Verdict) -> bool:
    """Whether a counterexample is one of a system with more accounts than were looked at.

    What the rest has is given to as many accounts as that takes, or to the most that there may be.
    """
    worlds = (World(system.model, ids) for ids in sizes(system.chapter.scope, range(1, MOST_FURTHER)))
    return any(not _in(world, claim, [shared_out(world, verdict.counterexample or {})]).holds for world in worlds)


# --- The benchmark ---------------------------------------------------------------------------------------------------


def decisions(seed: int, numbers: Sequence[int], workers: int) -> Iterator[Decision]:
    """Every case, in the order in which they are done."""
    if workers <= 1:
        yield from (decide(seed, number) for number in numbers)
        return
    for start in range(0, len(numbers), BATCH * workers):
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            batch = numbers[start : start + BATCH * workers]
            for done in as_completed([pool.submit(decide, seed, number) for number in batch]):
                yield done.result()


def soundness(
    cases: Annotated[int, typer.Option(min=1, help="How many systems to draw.")] = CASES,
    seed: Seed = 1,
    only: Annotated[int | None, typer.Option(metavar="CASE", help="Decide this case and no other.")] = None,
    as_json: Json = False,
) -> int:
    """Decide random small systems and laws twice: by looking at every case, and by the prover.

    Exit code 0: they agree on all. 1: they do not.
    """
    numbers, started, total = list(range(cases)) if only is None else [only], time.monotonic(), Decision(-1)
    if only is None:
        shutil.rmtree(KEPT, ignore_errors=True)
    with process.progress("deciding systems twice", len(numbers)) as advance:
        for done, decision in enumerate(decisions(seed, numbers, min(os.cpu_count() or 1, len(numbers))), 1):
            total.add(decision)
            advance(done)
            for each in decision.disagreements:
                print(_line(seed, each, _kept(decision)), file=sys.stderr, flush=True)
    found = document(seed, len(numbers), total, time.monotonic() - started)
    if as_json:
        process.emit(found)
    else:
        _show(found)
    return process.BROKEN if total.disagreements else process.HOLDS


def document(seed: int, cases: int, total: Decision, seconds: float) -> dict[str, Any]:
    """What came of all cases."""
    unknown = sorted(total.reasons.items(), key=lambda item: -len(item[1]))
    return {
        "schema": "marginspec/soundness/1",
        "seed": str(seed),
        "systems": cases,
        "laws": {"true": total.laws["true"], "false": total.laws["false"]},
        "decisions": sum(total.verdicts.values()),
        "verdicts": dict(sorted(total.verdicts.items())),
        "unknown": [{"reason": r, "many": len(at), "cases": sorted(at)[:5]} for r, at in unknown],
        "disagreements": [vars(each) for each in sorted(total.disagreements, key=lambda each: each.case)],
        "seconds": round(seconds, 1),
        "processor_seconds": {what: round(spent, 1) for what, spent in total.seconds.items()},
    }


def _show(found: Mapping[str, Any]) -> None:
    laws, wrong = found["laws"], len(found["disagreements"])
    print(
        f"soundness: {found['systems']:,} systems of seed {found['seed']}, {found['decisions']:,} claims decided twice"
    )
    print(f"  laws drawn: {laws['true']:,} true, {laws['false']:,} false; the others are invariants and ranges")
    for verdict, many in found["verdicts"].items():
        print(f"  {verdict}: {many:,}")
    for each in found["unknown"]:
        print(f"    {each['many']:,} {each['reason']} (case {each['cases'][0]})")
    print(f"soundness: {wrong or 'no'} disagreement{'s' * (wrong > 1)} in {found['seconds']:,.0f} s")


def _kept(decision: Decision) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"case-{decision.case}.py"
    file.write_text(decision.text)
    return file


def _line(seed: int, each: Disagreement, file: Path) -> str:
    again = f"python -m tools.soundness --seed {seed} --only {each.case}"
    return f"{each.kind.upper()}: {each.law} in {file}: enumerated: {each.truth}; prover: {each.verdict} ({again})"


def main() -> None:
    """Run the benchmark."""
    app = typer.Typer(add_completion=False)
    app.command()(soundness)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
