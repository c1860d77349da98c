"""Integers that satisfy conditions: witnesses of paths, and counterexamples.

Conditions of this field are products of a few prices, ratios and totals with amounts. With the former given, the rest
is linear over the integers, which Z3 decides at once. So numbers are tried for as few unknowns as make everything
linear, the typical ones first; only then Z3 is asked the nonlinear question. Whatever is found is checked by exact
evaluation.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import cast

import z3

from marginspec.prover.encode import Obligation, only_width, smt_lib, support
from marginspec.prover.evaluate import Evaluation, Numbers, mended, satisfies
from marginspec.prover.solvers import checked, z3_solver
from marginspec.prover.terms import Atoms, Quotient, SymBool, SymInt, Unknown, Value

TRIES = 24
NEARBY = 64
SECONDS = 0.5
NONLINEAR_SECONDS = 3.0


@dataclass
class Witnesses:
    """A search that remembers what it found: the next path is often satisfied by nearly the same numbers.

    exchange: a file through which several processes tell each other what they found.
    """

    exchange: File | None = None
    _found: dict[str, list[Numbers]] = field(default_factory=lambda: defaultdict(list))
    _alike: dict[tuple[str, str], list[Numbers]] = field(default_factory=lambda: defaultdict(list))
    _read: int = 0
    _atoms: Atoms | None = None
    _evaluations: dict[int, Evaluation] = field(default_factory=dict)

    def listen(self) -> None:
        """Take over what others found since the last time."""
        if self.exchange is None or not self.exchange.exists():
            return
        with self.exchange.open("rb") as file:
            file.seek(self._read)
            news = file.read()
        complete = news.rfind(b"\n") + 1
        self._read += complete
        for line in news[:complete].splitlines():
            action, numbers = json.loads(line)
            self._found[action].append(numbers)

    def known(
        self, atoms: Atoms, conditions: Sequence[SymBool], action: str, claim: str, nearby: int = NEARBY
    ) -> Numbers | None:
        """Numbers found before, for a path of the same action, that satisfy these conditions, perhaps after mending.

        nearby: how many of them to mend.
        """
        before = self._found[action]
        identities = set(map(id, conditions))
        for numbers in reversed(before):
            given = self._evaluation(atoms, numbers)
            if given.fails_again(identities):
                continue
            if given.all_hold(conditions) and satisfies(atoms, conditions, numbers):
                return numbers
        for like in before[: -1 - nearby : -1]:
            if (moved := mended(atoms, conditions, like)) is not None:
                self._keep(moved, action, claim)
                return moved
        return None

    def _evaluation(self, atoms: Atoms, numbers: Numbers) -> Evaluation:
        """What is known of numbers that were found, for one exploration."""
        if self._atoms is not atoms:
            self._atoms, self._evaluations = atoms, {}
        known = self._evaluations.get(id(numbers))
        if known is None:
            known = self._evaluations[id(numbers)] = Evaluation(atoms, numbers)
        return known

    def find(self, atoms: Atoms, conditions: Sequence[SymBool], action: str = "", claim: str = "") -> Numbers | None:
        """Integers for the unknowns, by name, that satisfy all conditions; None when none were found (not: none exist).

        Guesses resemble what was found for the same action and claim.
        """
        alike = self._alike[action, claim]
        hubs, rng = _hubs(atoms, conditions), random.Random(0)
        for attempt in range(TRIES):
            given = _guess(hubs, rng, attempt, alike)
            numbers = _complete(atoms, conditions, given)
            if numbers is not None and satisfies(atoms, conditions, numbers):
                self._keep(numbers, action, claim)
                return numbers
        return None

    def completed(self, atoms: Atoms, conditions: Sequence[SymBool], given: Numbers) -> Numbers | None:
        """Integers for the other unknowns, with which all conditions hold; None when none were found."""
        numbers = _complete(atoms, conditions, given)
        return numbers if numbers is not None and satisfies(atoms, conditions, numbers) else None

    def find_nonlinear(
        self, atoms: Atoms, conditions: Sequence[SymBool], action: str = "", claim: str = ""
    ) -> Numbers | str:
        """The same by asking Z3 the nonlinear question; a string, `unsat` or `unknown`, when it has no integers."""
        numbers = _ask(atoms, conditions, NONLINEAR_SECONDS)
        if isinstance(numbers, dict):
            if not satisfies(atoms, conditions, numbers):
                return "unknown"
            self._keep(numbers, action, claim)
        return numbers

    def _keep(self, numbers: Numbers, action: str, claim: str) -> None:
        self._alike[action, claim].append(numbers)
        self._found[action].append(numbers)
        if self.exchange is not None:
            with self.exchange.open("ab", buffering=0) as file:
                file.write(json.dumps([action, numbers]).encode() + b"\n")


def _hubs(atoms: Atoms, conditions: Sequence[SymBool]) -> list[Unknown]:
    """Few unknowns that, once given, leave no product and no divisor unknown."""
    needs: dict[int, frozenset[int]] = {}

    def unknowns(number: int) -> frozenset[int]:
        if number not in needs:
            described = atoms.all[number]
            inner = (described.numerator, described.denominator) if isinstance(described, Quotient) else ()
            below = [unknowns(a) for t in inner if isinstance(t, SymInt) for m in t.terms for a in m]
            needs[number] = frozenset().union(*below) if inner else frozenset((number,))
        return needs[number]

    products: set[tuple[frozenset[int], ...]] = set()
    terms: list[Value] = [c.term for c in conditions]
    for number in support(atoms, conditions):
        described = atoms.all[number]
        if isinstance(described, Quotient):
            terms += [described.numerator, described.denominator]
            if isinstance(described.denominator, SymInt):
                wanted = frozenset().union(*(unknowns(a) for m in described.denominator.terms for a in m))
                products.add((wanted, frozenset((-1,))))
                # numerator = quotient * denominator + rest: the quotient multiplies the divisor
    for value in terms:
        if isinstance(value, SymInt):
            products |= {tuple(unknowns(a) for a in m) for m in value.terms if len(m) > 1}
    fixed: set[int] = set()
    while open_ := [p for p in products if sum(not needed <= fixed for needed in p) > 1]:
        votes = Counter(u for p in open_ for needed in p for u in needed - fixed if u >= 0)
        most = max(votes.values())
        fixed.add(min(u for u, n in votes.items() if n == most))
    return [cast(Unknown, atoms.all[u]) for u in sorted(fixed)]


def _guess(hubs: list[Unknown], rng: random.Random, attempt: int, found: list[Numbers]) -> Numbers:
    if attempt % 2 == 0 and found:
        like = found[-1 - attempt // 2] if attempt // 2 < min(4, len(found)) else rng.choice(found)
        return {u.name: like[u.name] if u.name in like else _number(u, rng, attempt, 1) for u in hubs}
    scale = rng.choice((1, 10**3, 10**6, 10**12, 10**18))
    return {u.name: _number(u, rng, attempt, scale) for u in hubs}


def _number(unknown: Unknown, rng: random.Random, attempt: int, scale: int) -> int:
    fitting = [t for t in unknown.typical if unknown.low <= t <= unknown.high]
    if fitting and (attempt < 4 or rng.random() < 0.7):
        value = fitting[min(attempt, len(fitting) - 1)] if attempt < 2 else rng.choice(fitting)
    else:
        value = rng.choice((0, 1, 2, 3, 10, scale, 2 * scale, 10 * scale, scale + 1, scale // 2))
    return min(max(value, unknown.low), unknown.high)


def _complete(atoms: Atoms, conditions: Sequence[SymBool], given: Numbers) -> Numbers | None:
    """Numbers for the other unknowns, where the given ones leave only linear conditions."""
    rest = _Rest(atoms, given)
    try:
        left = [rest.condition(c) for c in conditions if not only_width(c)]
    except ZeroDivisionError:
        return None
    if any(c is False for c in left):
        return None
    found = _ask(rest.atoms, [c for c in left if isinstance(c, SymBool)], SECONDS)
    return given | found if isinstance(found, dict) else None


class _Rest:
    """Terms after some unknowns became numbers: simplified, over fresh atoms."""

    def __init__(self, atoms: Atoms, given: Numbers) -> None:
        self._atoms, self._given = atoms, given
        self.atoms = Atoms()
        self._done: dict[int, Value] = {}

    def condition(self, condition: SymBool) -> SymBool | bool:
        left = SymBool(condition.kind, self._term(condition.term))
        return left if (constant := left.constant()) is None else constant

    def _term(self, value: Value) -> Value:
        if not isinstance(value, SymInt):
            return value
        total: Value = 0
        for monomial, coefficient in value.terms.items():
            product: Value = coefficient
            for atom in monomial:
                product = product * self._atom(atom)
            total = total + product
        return total

    def _atom(self, number: int) -> Value:
        if number not in self._done:
            described = self._atoms.all[number]
            if isinstance(described, Unknown):
                fixed = self._given.get(described.name)
                self._done[number] = self.atoms.unknown(described) if fixed is None else fixed
            else:
                self._done[number] = self._quotient(self._term(described.numerator), self._term(described.denominator))
        return self._done[number]

    def _quotient(self, a: Value, b: Value) -> Value:
        if isinstance(b, SymInt):
            return self.atoms.quotient(a, b)
        if b <= 0:
            raise ZeroDivisionError
        return self.atoms.quotient(a, b) if isinstance(a, SymInt) else a // b


def _ask(atoms: Atoms, conditions: Sequence[SymBool], seconds: float) -> Numbers | str:
    """Z3's integers for the unknowns; `unsat` or `unknown` when it has none."""
    text = smt_lib(Obligation(atoms, tuple(conditions)), "int")
    solver = z3_solver(text.replace("(set-logic QF_NIA)\n", ""))
    if (answer := checked(solver, seconds)) != z3.sat:
        return str(answer)
    model = solver.model()
    numbers = {}
    for declared in model.decls():
        described = atoms.all[int(declared.name()[1:])]
        if isinstance(described, Unknown):
            numbers[described.name] = cast(z3.IntNumRef, model[declared]).as_long()
    return numbers
