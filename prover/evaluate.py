"""Terms and conditions on integers: exact evaluation, and the mending of numbers that nearly satisfy conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from marginspec.prover.terms import Atoms, SymBool, SymInt, Unknown, Value

MENDED = 3

Numbers = dict[str, int]


class Evaluation:
    """What terms are for given integers; an unknown that is not given has its default.

    Raises ZeroDivisionError where a quotient has no value.
    """

    def __init__(self, atoms: Atoms, numbers: Numbers) -> None:
        self._atoms, self._numbers = atoms, numbers
        self._values: dict[int, int] = {}
        # By identity: paths share conditions up to where they part.
        self._seen: dict[int, tuple[SymBool, bool]] = {}
        self._failing = 0

    def atom(self, number: int) -> int:
        """The value of an atom."""
        if number not in self._values:
            described = self._atoms.all[number]
            if isinstance(described, Unknown):
                given = self._numbers.get(described.name)
                self._values[number] = described.default() if given is None else given
            else:
                self._values[number] = self.term(described.numerator) // self.term(described.denominator)
        return self._values[number]

    def term(self, value: Value) -> int:
        """The value of a term."""
        if not isinstance(value, SymInt):
            return value
        total, values = 0, self._values
        for monomial, coefficient in value.terms.items():
            for number in monomial:
                known = values.get(number)
                coefficient *= self.atom(number) if known is None else known
            total += coefficient
        return total

    def holds(self, condition: SymBool) -> bool:
        """Whether a condition is true."""
        if (seen := self._seen.get(id(condition))) is None:
            value = self.term(condition.value)
            seen = condition, value <= 0 if condition.kind == "le" else (value == 0) == (condition.kind == "eq")
            self._seen[id(condition)] = seen
        return seen[1]

    def all_hold(self, conditions: Sequence[SymBool]) -> bool:
        """Whether all conditions are true."""
        try:
            self._failing = next((id(c) for c in conditions if not self.holds(c)), 0)
        except ZeroDivisionError:
            return False
        return self._failing == 0

    def fails_again(self, identities: Set[int]) -> bool:
        """Whether the condition that was found to fail last is among these."""
        return self._failing in identities

    def within(self) -> bool:
        """Whether every unknown looked at is within its bounds."""
        looked_at = ((self._atoms.all[n], value) for n, value in self._values.items())
        return all(u.low <= value <= u.high for u, value in looked_at if isinstance(u, Unknown))


def satisfies(atoms: Atoms, conditions: Sequence[SymBool], numbers: Numbers) -> bool:
    """Whether all conditions hold for these integers."""
    given = Evaluation(atoms, numbers)
    return given.all_hold(conditions) and given.within()


def mended(atoms: Atoms, conditions: Sequence[SymBool], numbers: Numbers, left: int = MENDED) -> Numbers | None:
    """The numbers, a few of them moved just as far as a condition that fails asks; None when that does not help."""
    given = Evaluation(atoms, numbers)
    try:
        failing = next((c for c in conditions if not given.holds(c)), None)
        if failing is None:
            return numbers if given.within() else None
        moves = list(_moves(atoms, failing, given)) if left else []
    except ZeroDivisionError:
        return None
    for name, value in moves:
        moved = {**numbers, name: value}
        if (found := mended(atoms, conditions, moved, left - 1)) is not None:
            return found
    return None


def _moves(atoms: Atoms, condition: SymBool, given: Evaluation) -> Iterator[tuple[str, int]]:
    """Unknowns of a condition that fails, each with the nearest value that makes it hold."""
    excess = given.term(condition.term)
    for number in {n for monomial in condition.term.terms for n in monomial}:
        unknown = atoms.all[number]
        slope = _slope(condition, number, given) if isinstance(unknown, Unknown) else 0
        if not isinstance(unknown, Unknown) or slope == 0:
            continue
        if condition.kind == "eq" and excess % slope:
            continue
        distance = 1 if condition.kind == "ne" else -excess // slope if slope > 0 else -(excess // slope)
        value = given.atom(number) + distance
        if unknown.low <= value <= unknown.high:
            yield unknown.name, value


def _slope(condition: SymBool, number: int, given: Evaluation) -> int:
    """How much the term grows with an atom; zero when it is not linear in it."""
    total = 0
    for monomial, coefficient in condition.term.terms.items():
        if monomial.count(number) > 1:
            return 0
        if number in monomial:
            for other in monomial:
                coefficient *= 1 if other == number else given.atom(other)
            total += coefficient
    return total
