"""Arithmetic of 256-bit words that are integers or terms.

An operation that may overflow asks one question, whether it does, and goes on without wrapping where it does not. Each
question is recorded with the run. Nothing is simplified on faith: a quotient that is written without a division has to
satisfy the two inequalities that define it, by questions whose answers are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from marginspec.prover.symbolic import Atoms, Run, Unknown, Unsupported, Value, key_of
from marginspec.prover.terms import Key, Monomial

Word = Value
"""An integer from 0 to `MAX`, or a term for one."""

BITS = 256
MODULUS = 1 << BITS
MAX = MODULUS - 1
SIGN = 1 << (BITS - 1)

MAX_EXPONENT = 8
"""Of a power of an unknown: it is a product, each step of which may overflow."""


def number(word: Word, what: str) -> int:
    """A word as the integer that it has to be. what: what it is used as. Raises Unsupported for a term."""
    if type(word) is int:
        return word
    raise Unsupported(f"{what} is an unknown number")


def add(a: Word, b: Word) -> Word:
    """ADD."""
    total = a + b
    return total if total <= MAX else total - MODULUS


def subtract(a: Word, b: Word) -> Word:
    """SUB."""
    return unsigned(a - b)


def multiply(a: Word, b: Word) -> Word:
    """MUL."""
    product = a * b
    return product if product <= MAX else product - MODULUS * (product // MODULUS)


def divide(a: Word, b: Word) -> Word:
    """DIV: zero by convention where the divisor is."""
    return quotient(a, b) if b >= 1 else 0


def modulo(a: Word, b: Word) -> Word:
    """MOD."""
    return remainder(a, b) if b >= 1 else 0


def add_modulo(a: Word, b: Word, n: Word) -> Word:
    """ADDMOD: the sum does not wrap."""
    return remainder(a + b, n) if n >= 1 else 0


def multiply_modulo(a: Word, b: Word, n: Word) -> Word:
    """MULMOD: the product does not wrap."""
    return remainder(a * b, n) if n >= 1 else 0


def power(base: Word, exponent: Word) -> Word:
    """EXP; of an unknown base with a small exponent that is known."""
    times = number(exponent, "an exponent")
    if type(base) is int:
        return pow(base, times, MODULUS)
    if times > MAX_EXPONENT:
        raise Unsupported(f"a power of an unknown number above {MAX_EXPONENT}")
    result: Word = 1
    for _ in range(times):
        result = multiply(result, base)
    return result


# --- Signed ------------------------------------------------------------------------------------------------------


def signed(word: Word) -> Value:
    """A word as the signed integer that it stands for."""
    return word if word < SIGN else word - MODULUS


def unsigned(value: Value) -> Word:
    """The word for an integer from -2^256 + 1 to 2^256 - 1."""
    return value if value >= 0 else value + MODULUS


def signed_divide(a: Word, b: Word) -> Word:
    """SDIV: rounded towards zero."""
    if not b >= 1:
        return 0
    x, y = signed(a), signed(b)
    size = quotient(abs(x), abs(y))
    return size if (x >= 0) == (y >= 0) else unsigned(-size)


def signed_modulo(a: Word, b: Word) -> Word:
    """SMOD: with the sign of the dividend."""
    if not b >= 1:
        return 0
    x, y = signed(a), signed(b)
    rest = remainder(abs(x), abs(y))
    return rest if x >= 0 else unsigned(-rest)


# --- Division by a positive number ---------------------------------------------------------------------------------


def remainder(a: Value, b: Value) -> Value:
    """What is left of a non-negative number after division by a positive one."""
    return a - b * quotient(a, b)


def quotient(a: Value, b: Value) -> Value:
    """a // b, rounded down, for positive b; without a division where there is none to be made."""
    whole = a // b if type(a) is type(b) is int else _whole(a, b)
    if type(a) is not int and whole is not None and b * whole <= a and a <= b * whole + b - 1:
        return whole
    return a // b


def _whole(a: Value, b: Value) -> Value | None:
    """What a // b seems to be; None where it is nothing simpler."""
    if type(a) is int:
        return None
    terms = a.terms  # type: ignore[union-attr]
    if type(b) is not int:
        exact = _exact(terms, b.terms)  # type: ignore[union-attr]
        return _rounded_up(a, b) if exact is None else exact
    rest = polynomial({m: c for m, c in terms.items() if c % b})
    multiple = polynomial({m: c // b for m, c in terms.items() if c % b == 0})
    low, high = Run.current.atoms.bounds(rest)
    if low // b == high // b:
        return multiple + low // b
    is_nothing = type(multiple) is int and multiple == 0
    if is_nothing and terms.get((), 0) == b - 1:
        return _rounded_up(a, b)
    # Known, where it was checked before what was packed into one word.
    return multiple if not is_nothing and rest >= 0 and rest <= b - 1 else None


def _rounded_up(a: Value, b: Value) -> Value | None:
    """(n + b - 1) // b as models have it, which round up by -(-n // b); None where a is not such a sum."""
    whole = a - b + 1
    if type(whole) is int or whole.terms.get((), 0) or len(whole.terms) >= len(a.terms):  # type: ignore[union-attr]
        return None
    return -(-whole // b)


def _exact(dividend: Mapping[Monomial, int], divisor: Mapping[Monomial, int]) -> Value | None:
    """The polynomial by which the divisor has to be multiplied; None where there is none."""
    left, found = dict(dividend), dict[Monomial, int]()
    first = max(divisor, key=_order)
    while left:
        most = max(left, key=_order)
        step = _without(most, first)
        if step is None or left[most] % divisor[first]:
            return None
        found[step] = left[most] // divisor[first]
        for monomial, coefficient in divisor.items():
            product = tuple(sorted((*step, *monomial)))
            left[product] = left.get(product, 0) - found[step] * coefficient
            if not left[product]:
                del left[product]
    return polynomial(found)


def _order(monomial: Monomial) -> tuple[int, Monomial]:
    """By degree, then so that a product of greater ones is greater."""
    return len(monomial), monomial


def _without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in factor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def polynomial(terms: Mapping[Monomial, int]) -> Value:
    """The term with these coefficients, made by operations that are recorded."""
    atoms = Run.current.atoms
    total: Value = 0
    for monomial, coefficient in terms.items():
        product: Value = coefficient
        for atom in monomial:
            product = product * atoms.atom(atom)
        total = total + product
    return total


# --- Bits ----------------------------------------------------------------------------------------------------------


def low_bits(word: Word, bits: int) -> Word:
    """The lowest bits of a word."""
    size = 1 << bits
    if type(word) is int:
        return word & (size - 1)
    if all(c % size for c in word.terms.values()) and word <= size - 1:  # type: ignore[union-attr]
        return word
    return remainder(word, size)


def both(a: Word, b: Word) -> Word:
    """AND, of which one side is a known mask, or both are 0 or 1."""
    if type(a) is int and type(b) is int:
        return a & b
    if type(b) is int:
        a, b = b, a
    if type(a) is int:
        return _masked(b, a)
    if _is_bit(a) and _is_bit(b):
        return a * b
    raise Unsupported("AND of two unknown numbers")


def _masked(word: Word, mask: int) -> Word:
    """The bits of a mask, one block of ones after the other."""
    total: Word = 0
    for low, high in _blocks(mask):
        part = quotient(word, 1 << low)
        total = total + (part if high == BITS else low_bits(part, high - low)) * (1 << low)
    return total


def _blocks(mask: int) -> list[tuple[int, int]]:
    """Each block of ones, as its lowest bit and the bit after its highest."""
    found, at = [], 0
    while mask >> at:
        low = at + ((mask >> at) & -(mask >> at)).bit_length() - 1
        ones = mask >> low
        at = low + (~ones & (ones + 1)).bit_length() - 1
        found.append((low, at))
    return found


def either(a: Word, b: Word) -> Word:
    """OR, of words that have no bit in common: one is a multiple of a power of two that the other is below."""
    if type(a) is int and type(b) is int:
        return a | b
    if _is_bit(a) and _is_bit(b):
        return a + b - a * b
    sides = ((a, b), (b, a))
    for high, low in sorted(sides, key=lambda each: _step(each[0]) <= Run.current.atoms.bounds(each[1])[1]):
        step = _step(high)
        if step > 1 and low <= step - 1:
            return a + b
    raise Unsupported("OR of unknown numbers that may have bits in common")


_PAIRS: WeakKeyDictionary[Atoms, dict[Key, tuple[Word, Word]]] = WeakKeyDictionary()
"""What each unknown that stands for an exclusive or is made of, by exploration."""


def exclusive(a: Word, b: Word) -> Word:
    """XOR: zero of what is equal, and of what is not some number above zero, of which the two are known.

    That says less than XOR does, and is what compilers use it for: to compare, and to choose one of two.
    """
    if type(a) is int and type(b) is int:
        return a ^ b
    if type(b) is int:
        a, b = b, a
    if type(a) is int and a in (0, MAX):
        return b if a == 0 else complement(b)
    if _is_bit(a) and _is_bit(b):
        return a + b - 2 * a * b
    for one, made in ((a, b), (b, a)):
        first, second = _PAIRS.get(Run.current.atoms, {}).get(key_of(made), (made, made))
        if key_of(one) in (key_of(first), key_of(second)) and first is not second:
            return second if key_of(one) == key_of(first) else first
    return 0 if a == b else _unequal(a, b)


def _unequal(a: Word, b: Word) -> Word:
    atoms = Run.current.atoms
    sides = " and ".join(sorted(str(side) if type(side) is int else f"term {side.node}" for side in (a, b)))  # type: ignore[union-attr]
    made = Run.current.unknown(Unknown(f"bits that differ in {sides}", 1, MAX))
    _PAIRS.setdefault(atoms, {})[key_of(made)] = a, b
    return made


def complement(word: Word) -> Word:
    """NOT."""
    return MAX - word


def _is_bit(word: Word) -> bool:
    """Whether a word is 0 or 1; asked, so that it is checked, only where it seems to be."""
    return Run.current.atoms.bounds(word)[1] <= 1 and bool(word <= 1)


def _step(word: Word) -> int:
    """The greatest power of two of which a word is seen to be a multiple."""
    coefficients = (word,) if type(word) is int else word.terms.values()  # type: ignore[union-attr]
    return min(c & -c or MODULUS for c in coefficients)


def byte(place: Word, word: Word) -> Word:
    """BYTE: the most significant is at place 0."""
    at = number(place, "the place of a byte")
    return low_bits(quotient(word, 1 << (8 * (31 - at))), 8) if at < 32 else 0


def shift_left(bits: Word, word: Word) -> Word:
    """SHL."""
    by = number(bits, "a shift")
    return low_bits(word, BITS - by) * (1 << by) if by < BITS else 0


def shift_right(bits: Word, word: Word) -> Word:
    """SHR."""
    by = number(bits, "a shift")
    return quotient(word, 1 << by) if by < BITS else 0


def shift_right_signed(bits: Word, word: Word) -> Word:
    """SAR: rounded down."""
    by = min(number(bits, "a shift"), BITS - 1)
    return unsigned(quotient(signed(word), 1 << by))


def extend_sign(size: Word, word: Word) -> Word:
    """SIGNEXTEND: of the lowest `size` + 1 bytes the highest bit is a sign."""
    last = number(size, "the size of a signed number")
    if last >= 31:
        return word
    bits = 8 * (last + 1)
    low = low_bits(word, bits)
    return low if low < 1 << (bits - 1) else low + MODULUS - (1 << bits)


# --- Comparisons -----------------------------------------------------------------------------------------------------


def truth(condition: bool) -> Word:
    """1 or 0."""
    return 1 if condition else 0
