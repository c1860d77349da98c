"""From conditions on terms to SMT-LIB 2 text. `SOUNDNESS.md` says why each step may be believed.

Six encodings of the same obligation, each a text that every solver reads, tried in this order:
  linear as light, each product of unknowns an unknown of its own
  light  integers relaxed to reals; a quotient q = a // b is q*b <= a <= q*b + b - 1; no widths
  near   with the integrality of quotients at the places where they are compared, but only what is near the claim: a
         quotient that enters it through several others is any number, and so is what is assumed of other unknowns
  cuts   the same with everything that is assumed
  real   as light, with widths
  int    integers as they are, with widths
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marginspec.prover.terms import Atoms, Monomial, Quotient, SymBool, SymInt, Unknown, Value, key_of

ENCODINGS = ("linear", "light", "near", "cuts", "real", "int")
NEAR = 2

OPAQUE = ("linear", "integers")
"""Encodings in which each product of unknowns is an unknown of its own; `integers` is `linear` on integers."""

_WIDE = 1 << 120
_NO_BOUND = 1 << 2048
"""Bounds beyond this come of numbers that have none (`UNBOUNDED`): they are never assumed."""

_LOGIC = {"linear": "QF_LRA", "int": "QF_NIA"}


@dataclass(frozen=True)
class Obligation:
    """What a path assumes and what is claimed on it. No claims: the path itself should be impossible."""

    atoms: Atoms
    conditions: tuple[SymBool, ...]
    claims: tuple[SymBool, ...] = ()


def support(atoms: Atoms, conditions: Iterable[SymBool], opaque: frozenset[int] = frozenset()) -> list[int]:
    """Every atom that conditions speak of, directly or inside quotients that are not opaque, in a fixed order."""
    found: set[int] = set()
    todo = [c.term for c in conditions]
    while todo:
        for atom in {a for m in todo.pop().terms for a in m} - found:
            found.add(atom)
            if atom not in opaque:
                todo += _inside(atoms, atom)
    return sorted(found)


def _inside(atoms: Atoms, number: int) -> list[SymInt]:
    described = atoms.all[number]
    parts = (described.numerator, described.denominator) if isinstance(described, Quotient) else ()
    return [t for t in parts if isinstance(t, SymInt)]


def _near(atoms: Atoms, obligation: Obligation) -> tuple[list[SymBool], frozenset[int]]:
    """The conditions near the claims, and the quotients too far from them to be defined."""
    level = {a for c in obligation.claims for m in c.term.terms for a in m}
    seen = set(level)
    for _ in range(NEAR):
        level = {a for i in level for t in _inside(atoms, i) for m in t.terms for a in m} - seen
        seen |= level
    opaque = frozenset(i for i in level if isinstance(atoms.all[i], Quotient))
    close = [
        c for c in obligation.conditions if all(i in seen or _inside(atoms, i) for i in support(atoms, [c], opaque))
    ]
    return close, opaque


def smt_lib(obligation: Obligation, encoding: str, header: str = "") -> str:
    """An obligation as SMT-LIB 2 text; unsatisfiable means that the claim holds on the path.

    All but the last two encodings leave out assumptions, such as those that only bound widths: this can lose a
    proof, never make one.
    """
    return smt_lib_of_all([obligation], encoding, header)


def smt_lib_of_all(obligations: Sequence[Obligation], encoding: str, header: str = "") -> str:
    """Several obligations of one exploration as one text; unsatisfiable means that each of their claims holds.

    It says that what one of them says is so: all that it says, for a quotient is defined on its own path only.
    """
    atoms, sort = obligations[0].atoms, "Int" if encoding == "int" else "Real"
    said = [_said(obligation, encoding) for obligation in obligations]
    used = sorted(set().union(*(each.used for each in said)))
    lines = [f"; {_comment(line)}" for line in header.splitlines()]
    lines += [f"; x{i} = {_comment(described.name)}" for i in used if isinstance(described := atoms.all[i], Unknown)]
    lines.append(f"(set-logic {_LOGIC.get(encoding, 'QF_NRA')})")
    lines += [f"(declare-fun x{i} () {sort})" for i in used]
    products = sorted(set().union(*(each.products for each in said)))
    lines += [f"(declare-fun {product_name(m)} () Real)" for m in products]
    shared = set(said[0].texts).intersection(*(each.texts for each in said))
    lines += [f"(assert {text})" for text in said[0].texts if text in shared]
    if len(said) > 1:
        alone = (" ".join(text for text in each.texts if text not in shared) for each in said)
        lines.append(f"(assert (or {' '.join(f'(and true {texts})' for texts in alone)}))")
    return "\n".join([*lines, "(check-sat)", ""])


@dataclass(frozen=True)
class _Said:
    """What an obligation says. used: atoms. products: those that are unknowns of their own. texts: what is asserted."""

    used: list[int]
    products: set[Monomial]
    texts: list[str]


def _said(obligation: Obligation, encoding: str) -> _Said:
    atoms, claims = obligation.atoms, obligation.claims
    conditions, opaque = list(obligation.conditions), frozenset[int]()
    if encoding == "near":
        conditions, opaque = _near(atoms, obligation)
    narrow = encoding in ("linear", "light", "near", "cuts")
    conditions = [c for c in conditions if not narrow or not only_width(c)]
    used = support(atoms, [*conditions, *claims], opaque)
    facts = [fact for i in used for fact in _facts(atoms, i, wide=not narrow, defined=i not in opaque)]
    products = {m for c in [*facts, *conditions, *claims] for m in c.term.terms if len(m) > 1}
    texts: list[str] = []
    if encoding in ("near", "cuts"):
        texts += _cuts(atoms, [i for i in used if i not in opaque], [*conditions, *claims])
    texts += [condition_text(c, encoding) for c in [*facts, *conditions]]
    broken = [condition_text(c.negated(), encoding) for c in claims]
    texts += [f"(or {' '.join(broken)})"] if len(broken) > 1 else broken
    return _Said(used, products if encoding == "linear" else set(), texts)


def _comment(text: str) -> str:
    """Text that cannot end the comment in which it stands."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def only_width(condition: SymBool) -> bool:
    """Whether a condition seems only to bound a number by the width of its type."""
    return abs(condition.term.terms.get((), 0)) >= _WIDE


def _facts(atoms: Atoms, number: int, wide: bool, defined: bool) -> Iterable[SymBool]:
    """What is known of an atom by itself: its bounds and, for a quotient, its definition."""
    atom = atoms.atom(number)
    low, high = atoms.bounds(atom)
    if low > -_NO_BOUND:
        yield from _conditions(low - atom)
    if wide and high < 1 << 300:
        yield from _conditions(atom - high)
    described = atoms.all[number]
    if isinstance(described, Quotient) and defined:
        a, b = described.numerator, described.denominator
        yield from _conditions(atom * b - a)
        yield from _conditions(a - atom * b - b + 1)
        yield from _conditions(1 - b)


def _conditions(term: Value) -> Iterable[SymBool]:
    if isinstance(term, SymInt):
        yield SymBool("le", term)


def _cuts(atoms: Atoms, used: list[int], conditions: list[SymBool]) -> Iterable[str]:
    """For q = a // b and an integer n: either n*b <= a and n <= q, or a + 1 <= n*b and q + 1 <= n.

    n is -1, 0 and 1 (a rounded-up quotient is positive as soon as its numerator is), whatever q is compared with, and
    every other quotient by the same divisor (so that q is monotone in a).
    """
    quotients = [(i, described) for i in used if isinstance(described := atoms.all[i], Quotient)]
    for i, described in quotients:
        a, b, q = described.numerator, described.denominator, atoms.atom(i)
        places: list[Value] = [-1, 0, 1]
        places += [atoms.atom(j) for j, other in quotients if j != i and key_of(other.denominator) == key_of(b)]
        for condition in conditions:
            coefficient = condition.term.terms.get((i,), 0)
            if abs(coefficient) == 1:
                places += [q - coefficient * condition.term, q - coefficient * condition.term + coefficient]
        for n in sorted({key_of(n): n for n in places}.values(), key=_order):
            above = f"(and {_at_most(n * b, a)} {_at_most(n, q)})"
            below = f"(and {_at_most(a + 1, n * b)} {_at_most(q + 1, n)})"
            yield f"(or {above} {below})"


def _order(value: Value) -> list[tuple[tuple[int, ...], int]]:
    return sorted(value.terms.items()) if isinstance(value, SymInt) else [((), value)]


def _at_most(x: Value, y: Value) -> str:
    term = x - y
    if isinstance(term, SymInt):
        return condition_text(SymBool("le", term), "cuts")
    return "true" if term <= 0 else "false"


def condition_text(condition: SymBool, encoding: str) -> str:
    """`le` and `eq` against zero, positive and negative parts on their own sides so that no minus sign is needed."""
    left = {m: c for m, c in condition.term.terms.items() if c > 0}
    right = {m: -c for m, c in condition.term.terms.items() if c < 0}
    relation = "<=" if condition.kind == "le" else "="
    text = f"({relation} {sum_text(left, encoding)} {sum_text(right, encoding)})"
    return f"(not {text})" if condition.kind == "ne" else text


def sum_text(terms: dict[tuple[int, ...], int], encoding: str) -> str:
    parts = []
    for monomial, coefficient in sorted(terms.items()):
        factors = [product_name(monomial)] if encoding in OPAQUE and monomial else [f"x{i}" for i in monomial]
        if coefficient != 1 or not factors:
            factors.insert(0, constant_text(coefficient, encoding))
        parts.append(factors[0] if len(factors) == 1 else f"(* {' '.join(factors)})")
    if not parts:
        return constant_text(0, encoding)
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"


def product_name(monomial: tuple[int, ...]) -> str:
    """The name of a product of unknowns where it is an unknown of its own."""
    return "x" + "x".join(str(i) for i in monomial)


def constant_text(value: int, encoding: str) -> str:
    digits = str(abs(value)) if encoding in ("int", "integers") else f"{abs(value)}.0"
    return digits if value >= 0 else f"(- {digits})"
