"""Rules against what stands behind each: code, theorems, reach, mutants; and the kill matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marginspec.results.schema import Document

Documents = Mapping[str, Document]


@dataclass(frozen=True)
class RuleRow:
    """A rule. laws: verdict of each law that speaks of it, None when laws were not proved here. reach: calls that met
    it, None when not known. never: the law by which nothing can. mutants: killed and real ones, None when not known."""

    id: str
    title: str
    text: str
    code: Sequence[str]
    laws: Mapping[str, str | None]
    reach: int | None
    never: str | None
    mutants: tuple[int, int] | None

    @property
    def laws_by_verdict(self) -> Mapping[str, int]:
        """How many laws have each verdict."""
        return Counter(verdict or "stated" for verdict in self.laws.values())

    @property
    def gap(self) -> bool:
        """Whether something that was looked for is missing."""
        return (
            not self.laws
            or (self.reach == 0 and not self.never)
            or not set(self.laws.values()) <= {"proved", None}
            or bool(self.mutants and self.mutants[0] < self.mutants[1])
        )


def rule_rows(documents: Documents) -> list[RuleRow]:
    """A row for each rule of the specification."""
    laws = {law["id"]: law["verdict"] for law in documents["prove"]["properties"]} if "prove" in documents else {}
    reach = documents["fuzz"]["rules"] if "fuzz" in documents else {}
    mutants = _by_rule(documents["mutate"]) if "mutate" in documents else None
    return [
        RuleRow(
            rule["id"],
            rule["title"],
            rule["text"],
            rule["code"],
            {law: laws.get(law) for law in rule["properties"]},
            reach.get(rule["id"]),
            rule["never"],
            None if mutants is None else mutants.get(rule["id"], (0, 0)),
        )
        for rule in documents["rules"]["rules"]
    ]


def _by_rule(document: Document) -> dict[str, tuple[int, int]]:
    killed = Counter(m["rule"] for m in document["mutants"] if m["status"] == "killed")
    real = Counter(m["rule"] for m in document["mutants"] if m["status"] not in ASIDE)
    return {rule: (killed[rule], count) for rule, count in real.items()}


@dataclass(frozen=True)
class KillMatrix:
    """Killed and real mutants by rule and operator, None where there is none; and how many of a rule by whom."""

    operators: Sequence[str]
    rows: Mapping[str, Sequence[tuple[int, int] | None]]
    by_run: Mapping[str, int]
    by_law: Mapping[str, int]


def kill_matrix(document: Document) -> KillMatrix:
    """Which kind of change of which rule was noticed."""
    mutants = [m for m in document["mutants"] if m["status"] not in ASIDE]
    real = Counter((m["rule"], m["operator"]) for m in mutants)
    killed = Counter((m["rule"], m["operator"]) for m in mutants if m["status"] == "killed")
    operators = sorted({m["operator"] for m in mutants})
    rules = sorted({m["rule"] for m in mutants}, key=_numbered)
    by_run, by_law = Counter[str](), Counter[str]()
    for m in mutants:
        laws = [killer for killer in m["killed_by"] if killer not in RUN]
        by_run[m["rule"]] += len(laws) < len(m["killed_by"])
        by_law[m["rule"]] += bool(laws)
    rows = {r: [(killed[r, o], real[r, o]) if real[r, o] else None for o in operators] for r in rules}
    return KillMatrix(operators, rows, by_run, by_law)


RUN = ("differential", "vector", "prelude", "crash")
"""What a document calls the lock-step run as a killer; everything else is a law."""

ASIDE = ("equivalent", "invalid", "crashes")
"""What a mutant may be that nobody could notice: it changes nothing, or it is no model that runs."""


def _numbered(rule: str) -> tuple[str, int]:
    chapter, _, number = rule.rpartition("-")
    return chapter, int(number) if number.isdecimal() else 0
