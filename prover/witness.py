"""Integers that satisfy conditions: witnesses of paths, and counterexamples.

Conditions of this field are products of a few prices, ratios and totals with amounts. With the former given, the rest
is linear over the integers, which Z3 decides at once. So numbers are tried for as few unknowns as make everything
linear, the typical ones first; only then Z3 is asked the nonlinear question. Whatever is found is checked by exact
evaluation.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import cast

import z3

from marginspec.prover.encode import Obligation, only_width, smt_lib, support
from marginspec.prover.solvers import z3_solver
from marginspec.prover.symbolic import Atoms, Quotient, SymBool, SymInt, Unknown, Value

TRIES = 24
SECONDS = 0.5
NONLINEAR_SECONDS = 3.0

Numbers = dict[str, int]


class Witnesses:
    """A search that remembers what it found: the next path is often satisfied by nearly the same numbers."""

    def __init__(self) -> None:
        self._found: dict[str, list[Numbers]] = defaultdict(list)

    def find(self, atoms: Atoms, conditions: Sequence[SymBool], kind: str = "", tries: int = TRIES) -> Numbers | None:
        """Integers for the unknowns, by name, that satisfy all conditions; None when none were found (not: none exist).

        kind: what paths of the same kind have in common, e.g. the action.
        """
        alike = self._found[kind]
        for place in range(len(alike) - 1, -1, -1):
            if satisfies(atoms, conditions, alike[place]):
                return alike[place]
        hubs, rng = _hubs(atoms, conditions), random.Random(0)
        for attempt in range(tries):
            given = _guess(hubs, rng, attempt, alike)
            numbers = _complete(atoms, conditions, given)
            if numbers is not None and satisfies(atoms, conditions, numbers):
                alike.append(numbers)
                return numbers
        return None

    def find_nonlinear(self, atoms: Atoms, conditions: Sequence[SymBool]) -> Numbers | None:
        """The same, by asking Z3 the nonlinear question."""
        numbers = _ask(atoms, conditions, NONLINEAR_SECONDS)
        return numbers if numbers is not None and satisfies(atoms, conditions, numbers) else None


def satisfies(atoms: Atoms, conditions: Iterable[SymBool], numbers: Numbers) -> bool:
    """Whether the conditions hold for these integers, by exact evaluation."""
    values: dict[int, int] = {}

    def atom(number: int) -> int:
        if number not in values:
            described = atoms.all[number]
            if isinstance(described, Unknown):
                values[number] = described.default() if (given := numbers.get(described.name)) is None else given
            else:
                values[number] = term(described.numerator) // term(described.denominator)
        return values[number]

    def term(value: Value) -> int:
        if isinstance(value, int):
            return value
        total = 0
        for monomial, coefficient in value.terms.items():
            product = coefficient
            for number in monomial:
                product *= atom(number)
            total += product
        return total

    try:
        for condition in conditions:
            value = term(condition.term)
            if not (value <= 0 if condition.kind == "le" else (value == 0) == (condition.kind == "eq")):
                return False
        return all(
            described.low <= values[i] <= described.high
            for i in values
            if isinstance(described := atoms.all[i], Unknown)
        )
    except ZeroDivisionError:
        return False


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
    return None if found is None else given | found


class _Rest:
    """Terms after some unknowns became numbers: simplified, over fresh atoms."""

    def __init__(self, atoms: Atoms, given: Numbers) -> None:
        self._atoms, self._given = atoms, given
        self.atoms = Atoms()
        self._done: dict[int, Value] = {}

    def condition(self, condition: SymBool) -> SymBool | bool:
        term = self._term(condition.term)
        if isinstance(term, SymInt):
            return SymBool(condition.kind, term)
        return term <= 0 if condition.kind == "le" else (term == 0) == (condition.kind == "eq")

    def _term(self, value: Value) -> Value:
        if isinstance(value, int):
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
        if isinstance(b, int) and b <= 0:
            raise ZeroDivisionError
        return a // b if isinstance(a, int) and isinstance(b, int) else self.atoms.quotient(a, b)


def _ask(atoms: Atoms, conditions: Sequence[SymBool], seconds: float) -> Numbers | None:
    """Z3's integers for the unknowns; None when it says unsatisfiable or does not know."""
    text = smt_lib(Obligation(atoms, tuple(conditions)), "int")
    solver = z3_solver(text.replace("(set-logic QF_NIA)\n", ""), seconds)
    if solver.check() != z3.sat:
        return None
    model = solver.model()
    numbers = {}
    for declared in model.decls():
        described = atoms.all[int(declared.name()[1:])]
        if isinstance(described, Unknown):
            numbers[described.name] = cast(z3.IntNumRef, model[declared]).as_long()
    return numbers
