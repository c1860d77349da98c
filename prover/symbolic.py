"""Integers whose value is not yet known, and the exploration of every way a rule can run on them.

A `SymInt` is a polynomial with integer coefficients over atoms: unknowns, and quotients of polynomials. Polynomials are
kept in normal form, so that terms equal by algebra are equal as objects: the same division is the same atom.
A comparison of a `SymInt` is a `SymBool`; asking for its truth makes the run take one side and remembers the other,
and the code is run again from the start for each remembered side. So ordinary Python control flow needs no change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Union

from marginspec.properties.law import Every

Monomial = tuple[int, ...]
Value = Union[int, "SymInt"]
Key = int | frozenset[tuple[Monomial, int]]


class Unsupported(Exception):  # noqa: N818 - a verdict of its own: the run could not be followed
    """The code did something with an unknown that cannot be followed, e.g. divide by what may not be positive."""


@dataclass(frozen=True)
class Unknown:
    """An atom: a number that is not known, within inclusive bounds. `typical` guides searches for examples."""

    name: str
    low: int
    high: int
    typical: tuple[int, ...] = ()

    def default(self) -> int:
        """The number that it has where nothing asks for another."""
        return min((t for t in self.typical if self.low <= t <= self.high), default=self.low)


@dataclass(frozen=True)
class Quotient:
    """An atom: numerator // denominator, rounded down; the denominator is known to be positive."""

    numerator: Value
    denominator: Value


@dataclass
class Branch:
    """A place where a run went one of several ways: its answers until there, its conditions until there, the others.

    condition: what was decided there, None when an identifier was chosen.
    """

    answers: int
    constraints: int
    others: range
    condition: SymBool | None


class Run:
    """One execution along one sequence of answers.

    answers: every answer given so far, in order. A run that begins with the answers of another repeats it up to there
    without looking at the questions again; constraints: the conditions that hold on account of them.
    """

    current: Run

    def __init__(self, answers: Sequence[int], atoms: Atoms, constraints: Sequence[SymBool] = ()) -> None:
        self.atoms = atoms
        self.answers = list(answers)
        self.constraints = list(constraints)
        self.branches: list[Branch] = []
        self.picks: dict[str, Any] = {}
        self._repeated = 0
        self._left: dict[str, Sequence[Any]] = {}
        self._narrowed = 0
        self._bounds: dict[Key, tuple[int | None, int | None]] = {}
        self._atom_bounds: dict[int, tuple[int, int]] = {}
        self._unequal: set[Key] = set()

    def _repeats(self) -> bool:
        return self._repeated < len(self.answers)

    def _repeat(self) -> int:
        self._repeated += 1
        return self.answers[self._repeated - 1]

    def _answer(self, answer: int) -> int:
        self._repeated += 1
        self.answers.append(answer)
        return answer

    def choose(self, options: int) -> int:
        """Take one of several ways; the others are explored in later runs."""
        if options == 1:
            return 0
        if self._repeats():
            return self._repeat()
        self.branches.append(Branch(len(self.answers), len(self.constraints), range(1, options), None))
        return self._answer(0)

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        """One of several identifiers; the same name is the same pick."""
        if name not in self.picks:
            left = self._left.get(name, options)
            self.picks[name] = left[self.choose(len(left))]
        return self.picks[name]

    def is_pick(self, name: str, options: Sequence[Any], one: Any) -> bool:
        """Whether a pick is one given identifier, without asking which other it is."""
        left = self._left.get(name, options)
        if name in self.picks or one not in left or len(left) == 1:
            return bool(self.pick(name, options) == one) if name in self.picks or one in left else False
        if self.choose(2) == 0:
            self._left[name] = [o for o in left if o != one]
            return False
        self.picks[name] = one
        return True

    def chosen(self) -> dict[str, Any]:
        """The identifiers picked; of one that only was found not to be some others, the first that it may be."""
        return {**{name: left[0] for name, left in self._left.items()}, **self.picks}

    def unknown(self, unknown: Unknown) -> Value:
        """A number of which only the bounds are known."""
        return self.atoms.unknown(unknown)

    def decide(self, condition: SymBool) -> bool:
        """The truth of a condition on this run: known from bounds or earlier decisions, else both ways are explored."""
        if self._repeats():
            return bool(self._repeat())
        known = self._known(condition)
        if known is None:
            self.branches.append(Branch(len(self.answers), len(self.constraints), range(1), condition))
            self.constraints.append(condition)
            known = True
        return bool(self._answer(known))

    def others(self) -> Iterator[Run]:
        """The runs that take another way at one of the branches of this one, the last branch first."""
        for branch in reversed(self.branches):
            constraints = self.constraints[: branch.constraints]
            if branch.condition is not None:
                constraints.append(branch.condition.negated())
            for other in reversed(branch.others):
                yield Run([*self.answers[: branch.answers], other], self.atoms, constraints)

    def settle(self, claim: Any) -> Any:
        """A claim without what is already known on this run: True, False, or the conditions that remain to be shown."""
        if claim is None:
            raise Unsupported("a law returned nothing")
        remain = []
        for condition in claim.conditions if isinstance(claim, Every) else (claim,):
            if condition is True:
                continue
            if not isinstance(condition, SymBool) or condition.constant() is False:
                return False
            if self._known(condition) is not True:
                remain.append(condition)
        return tuple(remain) or True

    def _narrow(self, condition: SymBool) -> None:
        """Bounds from a condition that holds."""
        base, offset, sign = condition.term.split()
        low, high = self._bounds.get(base.key, (None, None))
        limit = -offset * sign  # sign * base + offset <= 0 (or = 0, or != 0)
        if condition.kind == "ne":
            self._unequal.add(condition.term.key)
            least, most = self.atoms.bounds(base)
            if limit == (least if low is None else low):
                self._hold(base, limit + 1, high)
            elif limit == (most if high is None else high):
                self._hold(base, low, limit - 1)
            return
        if condition.kind == "eq" or sign > 0:
            high = limit if high is None else min(high, limit)
        if condition.kind == "eq" or sign < 0:
            low = limit if low is None else max(low, limit)
        self._hold(base, low, high)

    def _hold(self, base: SymInt, low: int | None, high: int | None) -> None:
        self._bounds[base.key] = (low, high)
        if (atom := base.atom()) is not None:
            least, most = self.atoms.bounds(base)
            self._atom_bounds[atom] = (least if low is None else low, most if high is None else high)

    def _known(self, condition: SymBool) -> bool | None:
        if (constant := condition.constant()) is not None:
            return constant
        for held in self.constraints[self._narrowed :]:
            self._narrow(held)
        self._narrowed = len(self.constraints)
        term = condition.term
        base, offset, sign = term.split()
        low, high = self._bounds.get(base.key, (None, None))
        wide_low, wide_high = self.atoms.bounds(base, self._atom_bounds)
        low = wide_low if low is None else max(low, wide_low)
        high = wide_high if high is None else min(high, wide_high)
        low, high = (low + offset, high + offset) if sign > 0 else (offset - high, offset - low)
        if condition.kind == "le":
            return True if high <= 0 else False if low > 0 else None
        equal = True if low == high == 0 else False if low > 0 or high < 0 or self._apart(term) else None
        return equal if equal is None or condition.kind == "eq" else not equal

    def _apart(self, term: SymInt) -> bool:
        return term.key in self._unequal or (-term).key in self._unequal


class Atoms:
    """The atoms of one exploration, shared by all of its runs."""

    def __init__(self) -> None:
        self.all: list[Unknown | Quotient] = []
        self._number: dict[Any, int] = {}
        self._bounds: dict[Key, tuple[int, int]] = {}
        self._atom_bounds: list[tuple[int, int]] = []

    def unknown(self, unknown: Unknown) -> SymInt:
        """The term for an unknown; the same name is the same unknown."""
        return self._term(unknown.name, unknown, (unknown.low, unknown.high))

    def quotient(self, numerator: Value, denominator: Value) -> SymInt:
        """The term for numerator // denominator, the denominator positive."""
        key = (key_of(numerator), key_of(denominator))
        if key in self._number:
            return SymInt({(self._number[key],): 1})
        low, high = self.bounds(numerator)
        least, most = self.bounds(denominator)
        least = max(least, 1)
        bounds = (low // (least if low < 0 else most), high // (most if high < 0 else least))
        return self._term(key, Quotient(numerator, denominator), bounds)

    def _term(self, key: Any, atom: Unknown | Quotient, bounds: tuple[int, int]) -> SymInt:
        if key not in self._number:
            self._number[key] = len(self.all)
            self.all.append(atom)
            self._atom_bounds.append(bounds)
        return SymInt({(self._number[key],): 1})

    def bounds(self, value: Value, narrower: Mapping[int, tuple[int, int]] = MappingProxyType({})) -> tuple[int, int]:
        """An interval that contains every possible value of a term. narrower: what is known of single atoms besides."""
        if isinstance(value, int):
            return value, value
        if any(atom in narrower for monomial in value.terms for atom in monomial):
            return self._interval(value, narrower)
        if value.key not in self._bounds:
            self._bounds[value.key] = self._interval(value, narrower)
        return self._bounds[value.key]

    def _interval(self, value: SymInt, narrower: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
        low = high = 0
        for monomial, coefficient in value.terms.items():
            a, b = coefficient, coefficient
            for atom in monomial:
                c, d = narrower.get(atom) or self._atom_bounds[atom]
                corners = (a * c, a * d, b * c, b * d)
                a, b = min(corners), max(corners)
            low, high = low + a, high + b
        return low, high


class SymInt:
    """A polynomial that is not a constant. Arithmetic that yields a constant yields a plain int.

    key: what stands for it in dicts and sets, where `==` would ask for a decision whenever two hashes collide.
    """

    __slots__ = ("_split", "key", "terms")

    def __init__(self, terms: dict[Monomial, int]) -> None:
        self.terms = terms
        self.key = frozenset(terms.items())
        self._split: tuple[SymInt, int, int] | None = None

    def __hash__(self) -> int:
        return hash(self.key)

    def split(self) -> tuple[SymInt, int, int]:
        """(base, offset, sign) with self = sign * base + offset; base has no constant and a canonical sign."""
        if self._split is None:
            offset = self.terms.get((), 0)
            rest = {m: c for m, c in self.terms.items() if m}
            sign = 1 if rest[min(rest)] > 0 else -1
            self._split = (SymInt(rest if sign > 0 else {m: -c for m, c in rest.items()}), offset, sign)
        return self._split

    def atom(self) -> int | None:
        """The atom that the term is, None when it is not just one."""
        (monomial, coefficient), *more = self.terms.items()
        return monomial[0] if not more and coefficient == 1 and len(monomial) == 1 else None

    def same(self, other: Value) -> bool:
        """Whether two terms are the same polynomial."""
        return isinstance(other, SymInt) and self.key == other.key

    def __add__(self, other: Value) -> Value:
        terms = dict(self.terms)
        for monomial, coefficient in _terms(other):
            total = terms.get(monomial, 0) + coefficient
            if total:
                terms[monomial] = total
            else:
                terms.pop(monomial, None)
        return _made(terms)

    __radd__ = __add__

    def __neg__(self) -> SymInt:
        return SymInt({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Value) -> Value:
        return self + -other

    def __rsub__(self, other: int) -> Value:
        return -self + other

    def __mul__(self, other: Value) -> Value:
        terms: dict[Monomial, int] = {}
        for m, c in self.terms.items():
            for n, d in _terms(other):
                product = tuple(sorted(m + n))
                terms[product] = terms.get(product, 0) + c * d
        return _made({m: c for m, c in terms.items() if c})

    __rmul__ = __mul__

    def __floordiv__(self, other: Value) -> Value:
        return _quotient(self, other)

    def __rfloordiv__(self, other: int) -> Value:
        return _quotient(other, self)

    def __le__(self, other: Value) -> SymBool:
        return SymBool("le", self, other)

    def __lt__(self, other: Value) -> SymBool:
        return SymBool("le", self, other, 1)

    def __ge__(self, other: Value) -> SymBool:
        return SymBool("le", other, self)

    def __gt__(self, other: Value) -> SymBool:
        return SymBool("le", other, self, 1)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (int, SymInt)):
            return self.same(other) or SymBool("eq", self, other)
        return NotImplemented

    def __ne__(self, other: object) -> Any:
        if isinstance(other, (int, SymInt)):
            return not self.same(other) and SymBool("ne", self, other)
        return NotImplemented

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __index__(self) -> int:
        raise Unsupported("an unknown number is used where Python needs a concrete one")

    __int__ = __index__


class SymBool:
    """A condition: term <= 0 (le), term == 0 (eq) or term != 0 (ne).

    The term is left - right + plus, worked out when it is first looked at: a run that repeats another never does.
    """

    __slots__ = ("_parts", "_term", "kind")

    def __init__(self, kind: str, left: Value, right: Value = 0, plus: int = 0) -> None:
        self.kind = kind
        self._parts = (left, right, plus)
        self._term: Value | None = None

    @property
    def value(self) -> Value:
        """The term; an integer when the unknowns in it cancel."""
        if self._term is None:
            left, right, plus = self._parts
            self._term = left - right + plus
        return self._term

    @property
    def term(self) -> SymInt:
        """The term of a condition that is not constant."""
        assert isinstance(self.value, SymInt)
        return self.value

    def constant(self) -> bool | None:
        """Its truth, where no unknown is left in it."""
        if isinstance(self.value, SymInt):
            return None
        return self.value <= 0 if self.kind == "le" else (self.value == 0) == (self.kind == "eq")

    def negated(self) -> SymBool:
        """The opposite condition; on integers not (t <= 0) is 1 - t <= 0."""
        if self.kind == "le":
            return SymBool("le", 1 - self.value)
        return SymBool("ne" if self.kind == "eq" else "eq", self.value)

    def __bool__(self) -> bool:
        return Run.current.decide(self)

    def __eq__(self, other: object) -> bool:
        return bool(self) == bool(other)

    __hash__ = None  # type: ignore[assignment]


class Pick:
    """One of several identifiers; which one is chosen when it first matters."""

    def __init__(self, name: str, options: Sequence[Any]) -> None:
        self._name, self._options = name, options

    def value(self) -> Any:
        """The identifier on the current run."""
        return Run.current.pick(self._name, self._options)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Pick):
            other = other.value()
        return Run.current.is_pick(self._name, self._options, other)

    def __hash__(self) -> int:
        return hash(self.value())


def key_of(value: Value) -> Key:
    """What stands for a term in dicts and sets."""
    return value.key if isinstance(value, SymInt) else value


def _terms(value: Value) -> Any:
    return value.terms.items() if isinstance(value, SymInt) else (((), value),) if value else ()


def _made(terms: dict[Monomial, int]) -> Value:
    if not terms:
        return 0
    return terms[()] if len(terms) == 1 and () in terms else SymInt(terms)


def _quotient(a: Value, b: Value) -> Value:
    if not b >= 1:
        raise Unsupported("division by a number that may be zero or negative")
    if isinstance(b, int) and (b == 1 or (isinstance(a, SymInt) and all(c % b == 0 for c in a.terms.values()))):
        return a if b == 1 else _made({m: c // b for m, c in a.terms.items()})  # type: ignore[union-attr]
    return Run.current.atoms.quotient(a, b)


@dataclass
class Path:
    """One way to run: what was decided on it, and what came out (None when it ended without a result).

    reason: why the result is False without the law having said so.
    """

    constraints: list[SymBool]
    picks: dict[str, Any]
    result: Any
    ended: type[Exception] | None = None
    reason: str = ""

    @property
    def claims(self) -> tuple[SymBool, ...]:
        """What is left to prove of the result."""
        return self.result if isinstance(self.result, tuple) else ()


@dataclass
class Exploration:
    """All ways to run."""

    atoms: Atoms = field(default_factory=Atoms)
    paths: list[Path] = field(default_factory=list)


class Replay(Run):
    """One execution on plain integers: a path of an exploration, re-run with the numbers of a witness."""

    def __init__(self, picks: dict[str, Any], numbers: dict[str, int]) -> None:
        super().__init__((), Atoms())
        self.picks = dict(picks)
        self._numbers = numbers

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        return self.picks.setdefault(name, options[0])

    def is_pick(self, name: str, options: Sequence[Any], one: Any) -> bool:
        return bool(self.pick(name, options) == one)

    def unknown(self, unknown: Unknown) -> Value:
        return self._numbers.get(unknown.name, unknown.default())

    def run(self, body: Callable[[], Any]) -> Any:
        """What `body` returns."""
        Run.current = self
        return body()


def explore(body: Callable[[], Any], ends: tuple[type[Exception], ...], limit: int = 20_000) -> Exploration:
    """Run `body` once for every combination of decisions. Exceptions in `ends` end a path; others are errors.

    Raises Unsupported when there are more than `limit` paths.
    """
    found = Exploration()
    todo = [Run((), found.atoms)]
    while todo:
        run = Run.current = todo.pop()
        try:
            result = run.settle(body())
            path = Path(run.constraints, run.chosen(), result)
        except ends as end:
            path = Path(run.constraints, run.chosen(), None, type(end))
        except Unsupported as reason:
            # The law does not hold where it cannot be followed, unless nothing gets here.
            path = Path(run.constraints, run.chosen(), False, reason=str(reason))
        found.paths.append(path)
        if len(found.paths) > limit:
            raise Unsupported(f"more than {limit} paths")
        todo += run.others()
    return found
