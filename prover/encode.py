"""From conditions on terms to SMT-LIB 2 text. `SOUNDNESS.md` says why each step may be believed.

Three encodings of the same obligation, each a text that every solver reads:
  real       integers relaxed to reals; a quotient q = a // b is q*b <= a <= q*b + b - 1
  real+cuts  the same, with the integrality of quotients at the places where they are compared
  int        integers as they are
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from marginspec.prover.symbolic import Atoms, Quotient, SymBool, SymInt, Unknown, Value

ENCODINGS = ("light", "real", "cuts", "int")
_WIDE = 1 << 120


@dataclass(frozen=True)
class Obligation:
    """Conditions that should not hold together: what a path assumes, and the opposite of what is claimed on it."""

    atoms: Atoms
    conditions: tuple[SymBool, ...]


def support(atoms: Atoms, conditions: Iterable[SymBool]) -> list[int]:
    """Every atom that conditions speak of, directly or inside quotients, in a fixed order."""
    found: set[int] = set()
    todo = [c.term for c in conditions]
    while todo:
        for atom in {a for m in todo.pop().terms for a in m} - found:
            found.add(atom)
            described = atoms.all[atom]
            if isinstance(described, Quotient):
                todo += [t for t in (described.numerator, described.denominator) if isinstance(t, SymInt)]
    return sorted(found)


def smt_lib(obligation: Obligation, encoding: str, header: str = "") -> str:
    """An obligation as SMT-LIB 2 text; unsatisfiable means that the claim holds on the path.

    light: reals without the conditions that only bound widths; dropping conditions can only lose a proof.
    """
    atoms, sort = obligation.atoms, "Int" if encoding == "int" else "Real"
    conditions = [c for c in obligation.conditions if encoding != "light" or not only_width(c)]
    used = support(atoms, conditions)
    lines = [f"; {line}" for line in header.splitlines()]
    lines += [f"; x{i} = {described.name}" for i in used if isinstance(described := atoms.all[i], Unknown)]
    lines.append(f"(set-logic {'QF_NIA' if sort == 'Int' else 'QF_NRA'})")
    lines += [f"(declare-fun x{i} () {sort})" for i in used]
    facts = [fact for i in used for fact in _facts(atoms, i, wide=encoding != "light")]
    if encoding == "cuts":
        lines += [f"(assert {text})" for text in _cuts(atoms, used, conditions)]
    lines += [f"(assert {_condition(c, sort)})" for c in [*facts, *conditions]]
    return "\n".join([*lines, "(check-sat)", ""])


def only_width(condition: SymBool) -> bool:
    """Whether a condition seems only to bound a number by the width of its type."""
    return abs(condition.term.terms.get((), 0)) >= _WIDE


def _facts(atoms: Atoms, number: int, wide: bool) -> Iterable[SymBool]:
    """What is known of an atom by itself: its bounds and, for a quotient, its definition."""
    atom = SymInt({(number,): 1})
    low, high = atoms.bounds(atom)
    yield from _conditions(low - atom)
    if wide and high < 1 << 300:
        yield from _conditions(atom - high)
    described = atoms.all[number]
    if isinstance(described, Quotient):
        a, b = described.numerator, described.denominator
        yield from _conditions(atom * b - a)
        yield from _conditions(a - atom * b - b + 1)
        yield from _conditions(1 - b)


def _conditions(term: Value) -> Iterable[SymBool]:
    if isinstance(term, SymInt):
        yield SymBool("le", term)


def _cuts(atoms: Atoms, used: list[int], conditions: list[SymBool]) -> Iterable[str]:
    """For q = a // b compared with n: a >= n*b exactly when q >= n."""
    for i in used:
        described = atoms.all[i]
        if not isinstance(described, Quotient):
            continue
        a, b = described.numerator, described.denominator
        for condition in conditions:
            coefficient = condition.term.terms.get((i,), 0)
            if abs(coefficient) == 1:
                q = SymInt({(i,): 1})
                for n in {q - coefficient * condition.term, q - coefficient * condition.term + coefficient}:
                    at_least = f"(<= {_term(n * b, 'Real')} {_term(a, 'Real')})"
                    yield f"(= {at_least} (<= {_term(n, 'Real')} {_term(q, 'Real')}))"


def _condition(condition: SymBool, sort: str) -> str:
    """`le` and `eq` against zero, positive and negative parts on their own sides so that no minus sign is needed."""
    left = {m: c for m, c in condition.term.terms.items() if c > 0}
    right = {m: -c for m, c in condition.term.terms.items() if c < 0}
    relation = "<=" if condition.kind == "le" else "="
    text = f"({relation} {_sum(left, sort)} {_sum(right, sort)})"
    return f"(not {text})" if condition.kind == "ne" else text


def _term(value: Value, sort: str) -> str:
    if isinstance(value, int):
        return _constant(value, sort)
    left = {m: c for m, c in value.terms.items() if c > 0}
    right = {m: -c for m, c in value.terms.items() if c < 0}
    return f"(- {_sum(left, sort)} {_sum(right, sort)})" if right else _sum(left, sort)


def _sum(terms: dict[tuple[int, ...], int], sort: str) -> str:
    parts = []
    for monomial, coefficient in sorted(terms.items()):
        factors = [f"x{i}" for i in monomial]
        if coefficient != 1 or not factors:
            factors.insert(0, _constant(coefficient, sort))
        parts.append(factors[0] if len(factors) == 1 else f"(* {' '.join(factors)})")
    if not parts:
        return _constant(0, sort)
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"


def _constant(value: int, sort: str) -> str:
    digits = f"{abs(value)}.0" if sort == "Real" else str(abs(value))
    return digits if value >= 0 else f"(- {digits})"
