"""What an exploration takes for granted, checked: that its paths cover every case, and that its algebra is right.

Three things happen without a solver while code runs on unknowns. Terms are brought to a normal form; conditions are
taken for known, by the bounds of what they speak of or by what was decided before; and the runs are taken to be all
that there are. Here each is an obligation: normal forms against the operations as they were recorded, known conditions
as implications, and the runs as the leaves of a tree in which no branch is missing. Nothing here uses the code of the
exploration but what it recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from marginspec.prover.encode import condition_text, constant_text, product_name, sum_text
from marginspec.prover.symbolic import Exploration, Known, Path
from marginspec.prover.terms import Atoms, Monomial, Quotient, SymBool, SymInt, Value

CLAIMS_PER_TEXT = 150
"""Claims in one text: a solver that starts once for them all is quicker."""

NO_BOUND = 1 << 2048

# --- Paths ------------------------------------------------------------------------------------------------------------


def uncovered(paths: Sequence[Path]) -> str | None:
    """A place where a way to run is missing; None when the paths are all there are.

    Paths are compared by the answers that they were given: at each place where they part, one of them took each way.
    """
    todo: list[tuple[int, list[Path]]] = [(0, list(paths))]
    while todo:
        depth, group = todo.pop()
        ended = [path for path in group if len(path.answers) == depth]
        if ended:
            if len(group) > 1:
                return f"two runs with the same {depth} answers"
            continue
        first = group[0].questions[depth]
        if not all(path.questions[depth] is first or first.asks_as(path.questions[depth]) for path in group[1:]):
            return f"runs with the same {depth} answers ask different questions"
        ways: dict[int, list[Path]] = {}
        for path in group:
            ways.setdefault(int(path.answers[depth]), []).append(path)
        if isinstance(first, SymBool):
            # One way only: the other was taken to be impossible, see `known_texts`.
            if not set(ways) <= {0, 1}:
                return f"an answer that is none, after {depth} answers"
        elif set(ways) != set(range(first.options)):
            return f"{first.name}: {len(ways)} of {first.options} ways were run"
        todo += [(depth + 1, part) for part in ways.values()]
    return None


def one_way(paths: Sequence[Path], known: Iterable[Known]) -> str | None:
    """A condition of which one side was never run though it was not known; None when there is none."""
    taken: dict[object, list[set[int]]] = {}
    for k in known:
        taken.setdefault((k.condition.kind, _key(k.condition), k.truth), []).append(set(map(id, k.because)))
    todo: list[tuple[int, Sequence[Path]]] = [(0, paths)]
    held = {id(path): set(map(id, path.constraints)) for path in paths}
    while todo:
        depth, group = todo.pop()
        if len(group[0].answers) == depth:
            continue
        question = group[0].questions[depth]
        ways: dict[int, list[Path]] = {}
        for path in group:
            ways.setdefault(int(path.answers[depth]), []).append(path)
        if isinstance(question, SymBool) and len(ways) == 1:
            (truth,) = ways
            constant = question.constant()
            reasons = taken.get((question.kind, _key(question), bool(truth)), ())
            if constant is None and not any(because <= held[id(group[0])] for because in reasons):
                return f"one side of a condition was not run, after {depth} answers"
            if constant is not None and constant != bool(truth):
                return f"a condition without unknowns was answered wrongly, after {depth} answers"
        todo += [(depth + 1, part) for part in ways.values()]
    return None


def _key(condition: SymBool) -> object:
    value = condition.value
    return value.key if isinstance(value, SymInt) else value


# --- Normal forms -----------------------------------------------------------------------------------------------------


def algebra_texts(found: Exploration) -> Iterator[tuple[str, int]]:
    """Texts, unsatisfiable when each normal form is what the recorded operations make of the atoms; with their size."""
    atoms = found.atoms
    wanted = {node for value in _looked_at(found) if isinstance(value, SymInt) and (node := value.node) >= 0}
    wanted |= {n for n, operation in enumerate(atoms.operations) if not isinstance(operation.result, SymInt)}
    wanted = {n for n in wanted if atoms.operations[n].sign != "atom"}
    ordered = sorted(wanted)
    for at in range(0, len(ordered), CLAIMS_PER_TEXT):
        part = ordered[at : at + CLAIMS_PER_TEXT]
        yield _algebra_text(atoms, part), len(part)


def _looked_at(found: Exploration) -> Iterator[Value]:
    """Every term that a condition, a claim or a quotient is made of."""
    for path in found.paths:
        for condition in (*path.questions, *path.constraints, *path.claims):
            if isinstance(condition, SymBool):
                yield condition.value
    for known in found.known.values():
        yield known.condition.value
    for atom in found.atoms.all:
        if isinstance(atom, Quotient):
            yield atom.numerator
            yield atom.denominator


def _algebra_text(atoms: Atoms, nodes: Sequence[int]) -> str:
    needed: set[int] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if node not in needed:
            needed.add(node)
            operation = atoms.operations[node]
            if operation.sign != "atom":
                todo += [v.node for v in (operation.left, operation.right) if isinstance(v, SymInt)]
    lines = ["(set-logic QF_NRA)"]
    lines += [f"(declare-fun x{i} () Real)" for i in range(len(atoms.all))]
    for node in sorted(needed):
        lines.append(f"(define-fun n{node} () Real {_made(atoms, node)})")
    wrong = [f"(not (= n{node} {_normal(atoms.operations[node].result)}))" for node in nodes]
    lines.append(f"(assert (or {' '.join(wrong)} false))")
    return "\n".join([*lines, "(check-sat)", ""])


def _made(atoms: Atoms, node: int) -> str:
    operation = atoms.operations[node]
    if operation.sign == "atom":
        (monomial,) = operation.left.terms  # type: ignore[union-attr]
        return f"x{monomial[0]}"
    return f"({operation.sign} {_operand(operation.left)} {_operand(operation.right)})"


def _operand(value: Value) -> str:
    return f"n{value.node}" if isinstance(value, SymInt) else constant_text(value, "real")


def _normal(value: Value) -> str:
    return sum_text(value.terms, "real") if isinstance(value, SymInt) else constant_text(value, "real")


# --- What was taken for known ---------------------------------------------------------------------------------------


def known_texts(found: Exploration) -> Iterator[tuple[str, int]]:
    """Texts, unsatisfiable when what was taken for known follows; with their claims."""
    atoms = found.atoms
    rows = list(found.known.values())
    for at in range(0, len(rows), CLAIMS_PER_TEXT):
        part = rows[at : at + CLAIMS_PER_TEXT]
        yield _known_text(atoms, part), len(part)


def _known_text(atoms: Atoms, rows: Sequence[Known]) -> str:
    """Products are numbers of their own here, tied to their factors by the bounds that these have (`product_texts`)."""
    conditions = [c for row in rows for c in (row.condition, *row.because)]
    products = {m for c in conditions for m in c.term.terms if len(m) > 1}
    used = sorted({a for c in conditions for m in c.term.terms for a in m})
    lines = ["(set-logic QF_LIA)"]
    lines += [f"(declare-fun x{i} () Int)" for i in used]
    lines += [f"(declare-fun {product_name(m)} () Int)" for m in sorted(products)]
    lines += [f"(assert {text})" for i in used for text in _between(f"x{i}", *atoms.bounds(atoms.atom(i)))]
    lines += [f"(assert {text})" for m in sorted(products) for text in _between(product_name(m), *atoms.product(m))]
    cases = []
    for row in rows:
        wrong = row.condition.negated() if row.truth else row.condition
        facts = [condition_text(c, "integers") for c in (*row.because, wrong)]
        facts += _products_narrowed(atoms, row)
        cases.append(f"(and {' '.join(facts)})")
    lines.append(f"(assert (or {' '.join(cases)} false))")
    return "\n".join([*lines, "(check-sat)", ""])


def _narrowed(atoms: Atoms, because: Sequence[SymBool]) -> dict[int, tuple[int, int]]:
    """Bounds of single atoms by conditions that each speak of one; the solver is told what they give, not believed."""
    found: dict[int, tuple[int, int]] = {}
    never: dict[int, set[int]] = {}
    for condition in because:
        rest = {m: c for m, c in condition.term.terms.items() if m}
        if len(rest) != 1:
            continue
        ((monomial, coefficient),) = rest.items()
        if len(monomial) != 1 or abs(coefficient) != 1:
            continue
        limit = -condition.term.terms.get((), 0) * coefficient
        low, high = found.get(monomial[0], atoms.bounds(atoms.atom(monomial[0])))
        if condition.kind == "ne":
            never.setdefault(monomial[0], set()).add(limit)
        if condition.kind == "eq" or (condition.kind == "le" and coefficient > 0):
            high = min(high, limit)
        if condition.kind == "eq" or (condition.kind == "le" and coefficient < 0):
            low = max(low, limit)
        found[monomial[0]] = low, high
    for atom, limits in never.items():
        low, high = found[atom]
        while low in limits:
            low += 1
        while high in limits:
            high -= 1
        found[atom] = low, high
    return found


def _products_narrowed(atoms: Atoms, row: Known) -> list[str]:
    """Where atoms are within narrower bounds, so are their products."""
    narrower = _narrowed(atoms, row.because)
    texts = []
    for m in {m for c in (row.condition, *row.because) for m in c.term.terms if len(m) > 1}:
        if any(atom in narrower for atom in m):
            inside = [t for a in set(m) if a in narrower for t in _between(f"x{a}", *narrower[a])]
            texts += [
                f"(=> (and {' '.join(inside)} true) {t})"
                for t in _between(product_name(m), *atoms.product(m, 1, narrower))
            ]
    return texts


def _between(name: str, low: int, high: int) -> Iterator[str]:
    if low > -NO_BOUND:
        yield f"(<= {constant_text(low, 'int')} {name})"
    if high < NO_BOUND:
        yield f"(<= {name} {constant_text(high, 'int')})"


# --- Bounds of products and quotients ---------------------------------------------------------------------------------


def bound_texts(found: Exploration) -> Iterator[tuple[str, int]]:
    """Texts, unsatisfiable when products and quotients lie within the bounds that were worked out for them."""
    atoms = found.atoms
    for number, atom in enumerate(atoms.all):
        if isinstance(atom, Quotient):
            yield _quotient_text(atoms, number, atom), 1
    seen: set[tuple[tuple[int, int], ...]] = set()
    for monomial, narrower in _products(found):
        intervals = tuple(narrower.get(a, atoms.bounds(atoms.atom(a))) for a in monomial)
        if intervals not in seen:
            seen.add(intervals)
            yield from ((text, 1) for text in _product_texts(intervals))


def _products(found: Exploration) -> Iterator[tuple[Monomial, dict[int, tuple[int, int]]]]:
    for row in found.known.values():
        narrower = _narrowed(found.atoms, row.because)
        for condition in (row.condition, *row.because):
            for monomial in condition.term.terms:
                if len(monomial) > 1:
                    yield monomial, {}
                    yield monomial, narrower
    for atom in found.atoms.all:
        if isinstance(atom, Quotient):
            for value in (atom.numerator, atom.denominator):
                if isinstance(value, SymInt):
                    yield from ((monomial, {}) for monomial in value.terms if len(monomial) > 1)


def _product_texts(intervals: Sequence[tuple[int, int]]) -> Iterator[str]:
    """A product of two at a time: y0 is the first, y1 the product of two, and so on."""
    low, high = intervals[0]
    for c, d in intervals[1:]:
        corners = (low * c, low * d, high * c, high * d)
        lines = ["(set-logic QF_NRA)", *(f"(declare-fun {n} () Real)" for n in "xy")]
        lines += [f"(assert {t})" for t in (*_real("x", low, high), *_real("y", c, d))]
        low, high = min(corners), max(corners)
        outside = [f"(not {t})" for t in _real("(* x y)", low, high)]
        if outside and _bounded(*intervals[0], c, d):
            yield "\n".join([*lines, f"(assert (or {' '.join(outside)} false))", "(check-sat)", ""])


def _bounded(*numbers: int) -> bool:
    return all(abs(n) < NO_BOUND for n in numbers)


def _real(name: str, low: int, high: int) -> Iterator[str]:
    if low > -NO_BOUND:
        yield f"(<= {constant_text(low, 'real')} {name})"
    if high < NO_BOUND:
        yield f"(<= {name} {constant_text(high, 'real')})"


def _quotient_text(atoms: Atoms, number: int, quotient: Quotient) -> str:
    """The quotient is outside of its bounds though it is one, and numerator and denominator are within theirs."""
    lines = ["(set-logic QF_NRA)", *(f"(declare-fun {n} () Real)" for n in ("q", "a", "b"))]
    lines += [f"(assert {t})" for t in _real("a", *atoms.bounds(quotient.numerator))]
    least, most = atoms.bounds(quotient.denominator)
    lines += [f"(assert {t})" for t in _real("b", max(least, 1), max(most, 1))]
    low, high = atoms.bounds(atoms.atom(number))
    # Integers: below the lowest is at most one less than it.
    outside = []
    if low > -NO_BOUND:
        outside.append(f"(<= q {constant_text(low - 1, 'real')})")
    if high < NO_BOUND:
        outside.append(f"(<= {constant_text(high + 1, 'real')} q)")
    lines.append("(assert (and (<= (* q b) a) (<= (+ a 1.0) (+ (* q b) b))))")
    lines.append(f"(assert (or {' '.join(outside)} false))")
    return "\n".join([*lines, "(check-sat)", ""])
