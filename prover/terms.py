"""Integers whose value is not yet known: terms, conditions on them, and the record of how each came about.

A `SymInt` is a polynomial with integer coefficients over atoms: unknowns, and quotients of polynomials. Polynomials are
kept in normal form, so that terms equal by algebra are equal as objects: the same division is the same atom. Each
operation is recorded with its result, so that a solver can check the normal form against it (`recheck.py`).

To the code that is run, a term is an `int` and a condition a `bool`. What a term cannot answer exactly it refuses with
`Unsupported`: a hash, a text, a float, an index. A condition can always be decided, so it converts to its truth.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn, Union

Monomial = tuple[int, ...]
Value = Union[int, "SymInt"]
Key = int | frozenset[tuple[Monomial, int]]

MAX_EXPONENT = 16
"""Of a power of an unknown: a polynomial of a higher degree helps no solver."""


class Unsupported(BaseException):
    """The code did something with an unknown that cannot be followed.

    No `Exception`, so that code which catches those does not swallow it; and it is noted, should code catch all.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        note(self)


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


@dataclass(frozen=True)
class Operation:
    """How a term came about: an operator, its operands, and the normal form of the result."""

    sign: str
    left: Value
    right: Value
    result: Value


class Atoms:
    """The atoms of one exploration, shared by all of its runs, and every operation on them.

    The same operation on the same operands is the same object, so that a run which repeats another costs little.
    """

    def __init__(self) -> None:
        self.all: list[Unknown | Quotient] = []
        self.operations: list[Operation] = []
        self.made: dict[tuple[str, int, int], Value] = {}
        self._number: dict[Any, int] = {}
        self._terms: list[SymInt] = []
        self._bounds: dict[Key, tuple[int, int]] = {}
        self._atom_bounds: list[tuple[int, int]] = []

    def unknown(self, unknown: Unknown, identifier: bool = False) -> SymInt:
        """The term for an unknown; the same name is the same unknown. identifier: it is used as a key of maps.

        Raises Unsupported when the name is known with other bounds.
        """
        number = self._number.get(unknown.name)
        if number is not None:
            if self.all[number] != unknown:
                raise Unsupported(f"two different unknowns are called {unknown.name!r}")
            return self._terms[number]
        return self._new(unknown.name, unknown, (unknown.low, unknown.high), SymKey if identifier else SymInt)

    def quotient(self, numerator: Value, denominator: Value) -> SymInt:
        """The term for numerator // denominator, the denominator positive."""
        key = (key_of(numerator), key_of(denominator))
        if key in self._number:
            return self._terms[self._number[key]]
        low, high = self.bounds(numerator)
        least, most = self.bounds(denominator)
        least, most = max(least, 1), max(most, 1)
        bounds = (low // (least if low < 0 else most), high // (most if high < 0 else least))
        return self._new(key, Quotient(numerator, denominator), bounds, SymInt)

    def _new(self, key: Any, atom: Unknown | Quotient, bounds: tuple[int, int], kind: type[SymInt]) -> SymInt:
        number = self._number[key] = len(self.all)
        self.all.append(atom)
        self._atom_bounds.append(bounds)
        term = kind({(number,): 1}, self)
        self._terms.append(term)
        self.record("atom", term, 0, term)
        return term

    def atom(self, number: int) -> SymInt:
        """The term that is one atom."""
        return self._terms[number]

    def record(self, sign: str, left: Value, right: Value, result: Value) -> Value:
        """Keep an operation; its result, if it is a term, is named by its number."""
        if isinstance(result, SymInt):
            result.node = len(self.operations)
        self.operations.append(Operation(sign, left, right, result))
        return result

    def value(self, terms: dict[Monomial, int]) -> Value:
        """A polynomial; an integer when it is constant."""
        if not terms:
            return 0
        return terms[()] if len(terms) == 1 and () in terms else SymInt(terms, self)

    def bounds(self, value: Value, narrower: Mapping[int, tuple[int, int]] = MappingProxyType({})) -> tuple[int, int]:
        """An interval that contains every possible value of a term. narrower: what is known of single atoms besides."""
        if not isinstance(value, SymInt):
            return value, value
        if any(atom in narrower for monomial in value.terms for atom in monomial):
            return self._interval(value, narrower)
        if value.key not in self._bounds:
            self._bounds[value.key] = self._interval(value, narrower)
        return self._bounds[value.key]

    def _interval(self, value: SymInt, narrower: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
        low = high = 0
        for monomial, coefficient in value.terms.items():
            a, b = self.product(monomial, coefficient, narrower)
            low, high = low + a, high + b
        return low, high

    def product(
        self, monomial: Monomial, coefficient: int = 1, narrower: Mapping[int, tuple[int, int]] = MappingProxyType({})
    ) -> tuple[int, int]:
        """An interval that contains every value of a product of atoms."""
        a, b = coefficient, coefficient
        for atom in monomial:
            c, d = narrower.get(atom) or self._atom_bounds[atom]
            corners = (a * c, a * d, b * c, b * d)
            a, b = min(corners), max(corners)
        return a, b


def _refuses(what: str) -> Callable[..., Any]:
    def refuse(self: object, *others: object) -> NoReturn:
        raise Unsupported(f"an unknown number is used {what}")

    return refuse


class SymInt:
    """A polynomial that is not a constant. Arithmetic that yields a constant yields a plain int.

    key: what stands for it in dicts and sets. node: the number of the operation that made it.
    """

    __slots__ = ("_split", "atoms", "key", "node", "terms")

    def __init__(self, terms: dict[Monomial, int], atoms: Atoms) -> None:
        self.terms = terms
        self.key = frozenset(terms.items())
        self.atoms = atoms
        self.node = -1
        self._split: tuple[SymInt, int, int] | None = None

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int

    def split(self) -> tuple[SymInt, int, int]:
        """(base, offset, sign) with self = sign * base + offset; base has no constant and a canonical sign."""
        if self._split is None:
            offset = self.terms.get((), 0)
            rest = {m: c for m, c in self.terms.items() if m}
            sign = 1 if rest[min(rest)] > 0 else -1
            self._split = (SymInt(rest if sign > 0 else {m: -c for m, c in rest.items()}, self.atoms), offset, sign)
        return self._split

    def atom(self) -> int | None:
        """The atom that the term is, None when it is not just one."""
        (monomial, coefficient), *more = self.terms.items()
        return monomial[0] if not more and coefficient == 1 and len(monomial) == 1 else None

    def same(self, other: Any) -> bool:
        """Whether two terms are the same polynomial."""
        return isinstance(other, SymInt) and self.key == other.key

    def _do(self, sign: str, other: Value, terms: Callable[[], dict[Monomial, int]]) -> Value:
        """The result of an operation, the same object each time."""
        if isinstance(other, SymInt):
            if other.atoms is not self.atoms:
                raise Unsupported("a number of another exploration is used: something outlives the run")
            step = (sign, self.node, other.node)
        else:
            step = (f"{sign}c", self.node, other)
        found = self.atoms.made.get(step)
        if found is None:
            found = self.atoms.made[step] = self.atoms.record(sign, self, other, self.atoms.value(terms()))
        return found

    def __add__(self, other: Any) -> Any:
        if (number := _number(other)) is None:
            return NotImplemented

        def terms() -> dict[Monomial, int]:
            total = dict(self.terms)
            for monomial, coefficient in _terms(number):
                value = total.get(monomial, 0) + coefficient
                if value:
                    total[monomial] = value
                else:
                    total.pop(monomial, None)
            return total

        return self._do("+", number, terms)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Any:
        if (number := _number(other)) is None:
            return NotImplemented

        def terms() -> dict[Monomial, int]:
            total: dict[Monomial, int] = {}
            for m, c in self.terms.items():
                for n, d in _terms(number):
                    product = tuple(sorted(m + n))
                    total[product] = total.get(product, 0) + c * d
            return {m: c for m, c in total.items() if c}

        return self._do("*", number, terms)

    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return self * -1

    def __pos__(self) -> Any:
        return self

    def __sub__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else self + -number

    def __rsub__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else -self + number

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __floordiv__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else _quotient(self, number)

    def __rfloordiv__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else _quotient(number, self)

    def __mod__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else self - number * _quotient(self, number)

    def __rmod__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else number - self * _quotient(number, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, exponent: Any, modulo: Any = None) -> Any:
        if type(exponent) is not int or not 0 <= exponent <= MAX_EXPONENT or modulo is not None:
            raise Unsupported(f"a power of an unknown number that is no constant from 0 to {MAX_EXPONENT}")
        power: Any = 1
        for _ in range(exponent):
            power = power * self
        return power

    def __lshift__(self, bits: Any) -> Any:
        return self * (1 << _bits(bits))

    def __rshift__(self, bits: Any) -> Any:
        return self // (1 << _bits(bits))

    def __and__(self, mask: Any) -> Any:
        if type(mask) is not int or mask < 0:
            raise Unsupported("bits of an unknown number are taken by what is no constant mask")
        if mask == 0:
            return 0
        shift = (mask & -mask).bit_length() - 1
        block = (mask >> shift) + 1
        if block & (block - 1):
            raise Unsupported("bits of an unknown number are taken by a mask that is not one block of ones")
        return ((self >> shift) % block) << shift

    __rand__ = __and__

    def __invert__(self) -> Any:
        return -self - 1

    def __le__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else SymBool("le", self, number)

    def __lt__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else SymBool("le", self, number, 1)

    def __ge__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else SymBool("le", number, self)

    def __gt__(self, other: Any) -> Any:
        number = _number(other)
        return NotImplemented if number is None else SymBool("le", number, self, 1)

    def __eq__(self, other: object) -> Any:
        number = _number(other)
        return NotImplemented if number is None else self is number or SymBool("eq", self, number)

    def __ne__(self, other: object) -> Any:
        number = _number(other)
        return NotImplemented if number is None else self is not number and SymBool("ne", self, number)

    def __bool__(self) -> bool:
        return bool(self != 0)

    __hash__ = _refuses("as a key, or in a set")
    __str__ = __repr__ = __format__ = _refuses("as text")
    __index__ = __int__ = _refuses("where Python needs a concrete one")
    __float__ = __complex__ = __truediv__ = __rtruediv__ = __round__ = _refuses("as a fraction")
    __trunc__ = __floor__ = __ceil__ = _refuses("as a fraction")
    __rpow__ = __rlshift__ = __rrshift__ = _refuses("as an exponent")
    __or__ = __ror__ = __xor__ = __rxor__ = _refuses("as a set of bits")
    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = _refuses("by a module that copies or stores")


class SymKey(SymInt):
    """An unknown number that is an identifier: a key of maps, different from every other identifier."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        """Its name, as a key in the names of variables."""
        (monomial,) = self.terms
        unknown = self.atoms.all[monomial[0]]
        return unknown.name if isinstance(unknown, Unknown) else "?"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)

    def __eq__(self, other: object) -> Any:
        return self is other or (False if isinstance(other, SymKey) else super().__eq__(other))

    def __ne__(self, other: object) -> Any:
        return self is not other and (True if isinstance(other, SymKey) else super().__ne__(other))


class SymBool:
    """A condition: term <= 0 (le), term == 0 (eq) or term != 0 (ne).

    parts: left, right and plus. The term is left - right + plus, worked out when it is first looked at: a run that
    repeats another never does.
    """

    __slots__ = ("_term", "kind", "parts")

    def __init__(self, kind: str, left: Value, right: Value = 0, plus: int = 0) -> None:
        self.kind = kind
        self.parts = (left, right, plus)
        self._term: Value | None = None

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return bool

    @property
    def value(self) -> Value:
        """The term; an integer when the unknowns in it cancel."""
        if self._term is None:
            left, right, plus = self.parts
            self._term = left - right + plus
        return self._term

    @property
    def term(self) -> SymInt:
        """The term of a condition that is not constant."""
        value = self.value
        assert isinstance(value, SymInt)
        return value

    def constant(self) -> bool | None:
        """Its truth, where no unknown is left in it."""
        value = self.value
        if isinstance(value, SymInt):
            return None
        return value <= 0 if self.kind == "le" else (value == 0) == (self.kind == "eq")

    def negated(self) -> SymBool:
        """The opposite condition; on integers not (t <= 0) is 1 - t <= 0."""
        if self.kind == "le":
            return SymBool("le", 1 - self.value)
        return SymBool("ne" if self.kind == "eq" else "eq", self.value)

    def asks_as(self, other: object) -> bool:
        """Whether this is the same question, made of the same parts."""
        if not isinstance(other, SymBool) or self.kind != other.kind:
            return False
        (a, b, plus), (c, d, more) = self.parts, other.parts
        return plus == more and (a is c or _same_int(a, c)) and (b is d or _same_int(b, d))

    def says_as(self, other: object) -> bool:
        """Whether this is the same condition, once worked out."""
        if not isinstance(other, SymBool):
            return False
        return self.kind == other.kind and key_of(self.value) == key_of(other.value)

    def __bool__(self) -> bool:
        return ask(self)

    def __int__(self) -> int:
        return int(bool(self))

    __index__ = __int__

    def __eq__(self, other: object) -> Any:
        return bool(self) == other

    def __ne__(self, other: object) -> Any:
        return bool(self) != other

    def __hash__(self) -> int:
        return hash(bool(self))

    # Not of its truth: who only shows a condition (a debugger, a failing test) must not decide it.
    __str__ = __repr__ = __format__ = _refuses("as text")


def _by_truth(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *others: apply(bool(self), *others)


def _reflected(apply: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: apply(other, bool(self))


for _name in ("add", "sub", "mul", "floordiv", "mod", "pow", "lshift", "rshift", "and", "or", "xor", "truediv"):
    setattr(SymBool, f"__{_name}__", _by_truth(getattr(operator, f"__{_name}__")))
    setattr(SymBool, f"__r{_name}__", _reflected(getattr(operator, f"__{_name}__")))
for _name in ("lt", "le", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(SymBool, f"__{_name}__", _by_truth(getattr(operator, f"__{_name}__")))


def ask(condition: SymBool) -> bool:
    """The truth of a condition; replaced by what explores (`symbolic.py`)."""
    raise Unsupported("a condition is asked outside of a run")


def note(error: Unsupported) -> None:
    """What to do when something could not be followed; replaced by what explores (`symbolic.py`)."""


def key_of(value: Value) -> Key:
    """What stands for a term in dicts and sets."""
    return value.key if isinstance(value, SymInt) else value


def _same_int(a: Value, b: Value) -> bool:
    return type(a) is int and type(b) is int and a == b


def is_number(value: Any) -> bool:
    """Whether a value is an integer, known or not."""
    return type(value) is int or isinstance(value, SymInt)


def _number(other: Any) -> Value | None:
    """An operand as a number; None where it is none, so that Python answers as it does for an int.

    Raises Unsupported for numbers of other kinds, which a term cannot be compared or reckoned with.
    """
    kind = type(other)
    if kind is int or kind is SymInt or kind is SymKey:
        return other  # type: ignore[no-any-return]
    if kind is bool or kind is SymBool:
        return int(other)
    if hasattr(other, "__int__") or hasattr(other, "__float__"):
        if issubclass(kind, int):
            raise Unsupported(f"an unknown number meets a {kind.__name__}, which is an int of another kind")
        raise Unsupported(f"an unknown number meets a {kind.__name__}")
    return None


def _bits(bits: Any) -> int:
    if type(bits) is not int or not 0 <= bits <= 4096:
        raise Unsupported("an unknown number is shifted by what is no constant from 0 to 4096")
    return bits


def _terms(value: Value) -> Any:
    return value.terms.items() if isinstance(value, SymInt) else (((), value),) if value else ()


def _quotient(a: Value, b: Value) -> Value:
    if b >= 1:
        return _divided(a, b)
    if b <= -1:
        return _divided(-a, -b)
    raise Unsupported("division by a number that may be zero")


def _divided(a: Value, b: Value) -> Value:
    if not isinstance(b, SymInt):
        if not isinstance(a, SymInt):
            return a // b
        if b == 1:
            return a
        if all(c % b == 0 for c in a.terms.values()):
            return a._do("/", b, lambda: {m: c // b for m, c in a.terms.items()})
    return (a if isinstance(a, SymInt) else b).atoms.quotient(a, b)  # type: ignore[union-attr]
