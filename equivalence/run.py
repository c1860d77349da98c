"""Every action of a system, case by case, on all processors; what was proved of the same texts before is kept."""

from __future__ import annotations

import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import up_to_the_end
from marginspec.base.workers import as_done
from marginspec.equivalence.basis import Basis, basis_of
from marginspec.equivalence.closing import CaseVerdict, Closer
from marginspec.equivalence.product import LATEST, NO_CALL, Deployed, ProductCase, given_of
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.prover.cache import texts_with

ROOMS = ("closing", "product", "replay", "reaching", "evm.calls", "evm.instructions")

PLAIN = str | int | bytes | None


@dataclass
class ActionVerdict:
    """What is known of an action: of each of its cases that was come to, of so many that there are.

    basis: what all of them take for given; without it nothing is proved.
    """

    action: str
    of: int
    cases: list[CaseVerdict] = field(default_factory=list)
    basis: Basis | None = None

    @property
    def verdict(self) -> str:
        """`refuted` where a case is, `proved` where every case is and what they take for given, else `open`.

        `skipped` where none was looked at.
        """
        found = {case.verdict for case in self.cases}
        if "refuted" in found:
            return "refuted"
        if not found:
            return "skipped"
        is_founded = self.basis is not None and not self.basis.lacking
        return "proved" if found == {"proved"} and len(self.cases) == self.of and is_founded else "open"

    @property
    def open(self) -> list[str]:
        """Why it is not proved, with how often."""
        reasons = Counter[str]()
        for case in self.cases:
            for why, many in case.open.items():
                reasons[f"{why} [{case.case}]"] += many
        lines = [f"{why} ({many} times)" if many > 1 else why for why, many in reasons.items()]
        left = self.of - len(self.cases)
        lines += [f"{left} of {self.of} cases were not come to"] if left and self.cases else []
        return lines + list(self.basis.lacking if self.basis else ["what it takes for given was not looked at"])


def compared_actions(model: type[Machine]) -> list[str]:
    """The actions that are calls of a contract."""
    return [name for name in actions_of(model) if name != NO_CALL]


def decide_all(
    deployed: Deployed,
    actions: Sequence[str],
    workers: int,
    anew: bool = False,
    advance: Callable[[int], None] = lambda done: None,
    basis: Basis | None = None,
    allowed: Collection[str] = (),
) -> dict[str, ActionVerdict]:
    """The verdict on each action, as far as the run came before it was told to end.

    anew: also what was proved of the same texts before. advance: told how many cases are done. basis: where it is known
    already. allowed: functions that no action need call.
    """
    basis = basis or basis_of(deployed, workers, anew, allowed)
    cases = [case for action in actions for case in deployed.cases(action)]
    found = {action: ActionVerdict(action, deployed.count([action]), basis=basis) for action in actions}
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
    yield from (verdict for _, verdict in as_done(_decide_nth, range(len(cases)), workers))


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

    # What is refuted is found again, with its trace.
    entry = kept("equivalence", f"{texts} {closer.asked(case)}", make, worth=lambda _: made[0].verdict != "refuted")
    if made:
        return made[0]
    counters = {name: Counter(entry[name]) for name in ("solvers", "open")}
    return CaseVerdict(case, **{**entry, **counters, "hidden": tuple(entry["hidden"]), "cached": True})


def made_of(deployed: Deployed) -> str:
    """A digest of all that a verdict depends on, calls aside: texts, laws, limits, code and storage as deployed.

    Empty where something in it is no text, so that nobody can tell whether it is the same.
    """
    own = [f"{__package__}.{name}" for name in ROOMS]
    limits, given = deployed.limits, [each.predicate for each in given_of(deployed.system)]
    made_by = deployed.system.adapter
    said = [
        *given,
        *limits.assumed.values(),
        *(holds for _, holds in limits.unseen.values()),
        *([] if inspect.isclass(made_by) else [made_by]),
    ]
    told = [_function(each) for each in said]
    if None in told:
        return ""
    written = [
        *own,
        __name__,
        type(deployed.adapter).__module__,
        *(module for each in said for module in _modules(each)),
    ]
    found = hashlib.sha256(texts_with(deployed.model, written).encode())
    for address in sorted({place[0] for place in deployed.places} | deployed.contracts):
        found.update(f"{address} ".encode() + hashlib.sha256(deployed.code(address)).digest())
    storage = sorted(deployed.storage.items()), deployed.places, sorted(deployed.not_compared), deployed.encoding
    limited = limits.options, limits.given, sorted(limits.assumed), limits.limits, limits.since
    named = [(sentence, name) for sentence, (name, _) in limits.unseen.items()], deployed.hidden
    given_ids = [each.id for each in given_of(deployed.system)]
    found.update(repr((storage, limited, named, told, given_ids, _made_with(deployed.model))).encode())
    return found.hexdigest()


def _made_with(model: type[Machine]) -> list[str]:
    """The plain values that methods of a model were made with, where a function makes the model."""
    methods = [inspect.unwrap(each) for kind in model.__mro__ for each in vars(kind).values() if callable(each)]
    cells = [cell.cell_contents for each in methods for cell in getattr(each, "__closure__", None) or ()]
    return [repr(value) for value in cells if isinstance(value, PLAIN)]


def _function(one: Any) -> str | None:
    """What tells a function from others, the texts of modules aside; None where that cannot be said."""
    if not inspect.isfunction(one):
        return None
    cells = [cell.cell_contents for cell in one.__closure__ or ()]
    values = [*cells, *(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()]
    told = [repr(value) if isinstance(value, PLAIN) else _function(value) for value in values]
    return None if None in told else f"{one.__module__}.{one.__qualname__}:{one.__code__.co_firstlineno} {told}"


def _modules(one: Any) -> Iterator[str]:
    """Where a function is written, and those that it was made with."""
    yield one.__module__
    values = [*(cell.cell_contents for cell in one.__closure__ or ()), *(one.__defaults__ or ())]
    yield from (module for value in values if inspect.isfunction(value) for module in _modules(value))


def assumptions(deployed: Deployed, verdict: ActionVerdict) -> list[str]:
    """What a verdict on an action stands on, in sentences."""
    limits = deployed.limits
    lines = list(verdict.basis.assumes if verdict.basis else ())
    for name in dict.fromkeys(name for case in verdict.cases for name in case.case.identifiers):
        chosen = sorted({str(case.case.identifiers[name]) for case in verdict.cases})
        lines.append(f"{name.removeprefix('state.')} is {' or '.join(chosen)}")
    lines += [f"{name} is from {low} to {high}" for name, (low, high) in limits.limits.items()]
    hidden = {word for case in verdict.cases for word in case.hidden}
    lines += [f"{len(hidden)} words of storage that no observation shows are as deployed"] if hidden else []
    return [*lines, *ALWAYS]


ALWAYS = (
    "every other number of the state is within the range of its type and within the storage that holds it",
    "the contracts have no functions but those of their artifacts' interfaces",
    "there are the accounts of the model's universe, with the addresses of this deployment, and no others",
    f"the time of the block is at most {LATEST}, and no call runs out of gas or sends ether",
)
"""What every verdict stands on."""
