"""Every action of a system, case by case, on all processors; what was proved of the same texts before is kept."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import up_to_the_end
from marginspec.equivalence.closing import CaseVerdict, Closer
from marginspec.equivalence.product import LATEST, Deployed, ProductCase, given_of
from marginspec.model.kernel.machine import actions_of
from marginspec.prover.cache import texts_with

NO_CALL = "advance_time"
"""The action that is no call of a contract."""

ROOMS = ("closing", "product", "replay", "reaching", "evm.calls", "evm.instructions")


@dataclass
class ActionVerdict:
    """What is known of an action: of each of its cases that was come to, of so many that there are."""

    action: str
    of: int
    cases: list[CaseVerdict] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """`refuted` where a case is, `proved` where every case is, else `open`; `skipped` where none was looked at."""
        found = {case.verdict for case in self.cases}
        if "refuted" in found:
            return "refuted"
        if not found:
            return "skipped"
        return "proved" if found == {"proved"} and len(self.cases) == self.of else "open"

    @property
    def open(self) -> list[str]:
        """Why it is not proved, with how often."""
        reasons = Counter[str]()
        for case in self.cases:
            for why, many in case.open.items():
                reasons[f"{why} [{case.case}]"] += many
        lines = [f"{why} ({many} times)" if many > 1 else why for why, many in reasons.items()]
        left = self.of - len(self.cases)
        return lines + ([f"{left} of {self.of} cases were not come to"] if left and self.cases else [])


def compared_actions(deployed: Deployed) -> list[str]:
    """The actions that are calls of a contract."""
    return [name for name in actions_of(deployed.model) if name != NO_CALL]


def decide_all(
    deployed: Deployed,
    actions: Sequence[str],
    workers: int,
    anew: bool = False,
    advance: Callable[[int], None] = lambda done: None,
) -> dict[str, ActionVerdict]:
    """The verdict on each action, as far as the run came before it was told to end.

    anew: also what was proved of the same texts before. advance: told how many cases are done.
    """
    cases = [case for action in actions for case in deployed.cases(action)]
    found = {action: ActionVerdict(action, sum(case.action == action for case in cases)) for action in actions}
    for done, verdict in enumerate(up_to_the_end(_each(deployed, cases, workers, anew)), 1):
        found[verdict.case.action].cases.append(verdict)
        advance(done)
    return found


def _each(deployed: Deployed, cases: Sequence[ProductCase], workers: int, anew: bool) -> Iterator[CaseVerdict]:
    global _JOB
    _JOB = Closer(deployed), cases, "" if anew else made_of(deployed)
    if workers <= 1 or len(cases) <= 1:
        yield from map(_decide_nth, range(len(cases)))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(_decide_nth, n) for n in range(len(cases))]):
            yield done.result()


_JOB: tuple[Closer, Sequence[ProductCase], str]


def _decide_nth(n: int) -> CaseVerdict:
    closer, cases, texts = _JOB
    case = cases[n]
    if not texts:
        return closer.decide(case)
    made: list[CaseVerdict] = []

    def make() -> dict[str, Any]:
        made.append(closer.decide(case))
        return {name: value for name, value in vars(made[0]).items() if name not in ("case", "trace")}

    about = f"{texts} {case.action} {sorted((k, str(v)) for k, v in case.identifiers.items())}"
    entry = kept("equivalence", about, make, worth=lambda _: made[0].verdict == "proved")
    if made:
        return made[0]
    counters = {name: Counter(entry[name]) for name in ("solvers", "open")}
    return CaseVerdict(case, **{**entry, **counters, "hidden": tuple(entry["hidden"]), "cached": True})


def made_of(deployed: Deployed) -> str:
    """A digest of all that a verdict depends on: the rooms, model and laws, limits, code and storage as deployed."""
    own = [f"{__package__}.{name}" for name in ROOMS]
    system = deployed.system
    said = (*(each.predicate for each in given_of(system)), *deployed.limits.assumed.values())
    written = [*own, __name__, type(deployed.adapter).__module__, *(each.__module__ for each in said)]
    found = hashlib.sha256(texts_with(deployed.model, written).encode())
    for address in sorted({place[0] for place in deployed.places} | deployed.contracts):
        found.update(f"{address} ".encode() + hashlib.sha256(deployed.code(address)).digest())
    found.update(repr(deployed.encoding).encode())
    found.update(repr([each.id for each in given_of(system)]).encode())
    limits = deployed.limits
    found.update(repr((limits.options, limits.given, sorted(limits.assumed), limits.limits, limits.since)).encode())
    return found.hexdigest()


def assumptions(deployed: Deployed, verdict: ActionVerdict) -> list[str]:
    """What a verdict on an action stands on, in sentences."""
    limits = deployed.limits
    lines = [f"{each.id}: {each.law}" for each in given_of(deployed.system)]
    lines += [f"assumed, not proved: {sentence}" for sentence in limits.assumed]
    for name in dict.fromkeys(name for case in verdict.cases for name in case.case.identifiers):
        chosen = sorted({str(case.case.identifiers[name]) for case in verdict.cases})
        lines.append(f"{name.removeprefix('state.')} is {' or '.join(chosen)}")
    lines += [f"{name} is from {low} to {high}" for name, (low, high) in limits.limits.items()]
    lines += [f"assumed, not proved: {name} is at least {other}" for name, other in limits.since.items()]
    hidden = {word for case in verdict.cases for word in case.hidden}
    lines += [f"{len(hidden)} words of storage that no observation shows are as deployed"] if hidden else []
    return [*lines, *ALWAYS]


ALWAYS = (
    "every other number of the state is within the range of its type and within the storage that holds it",
    "there are the accounts of the model's universe, with the addresses of this deployment, and no others",
    f"the time of the block is at most {LATEST}, and no call runs out of gas or sends ether",
)
"""What every verdict stands on."""
