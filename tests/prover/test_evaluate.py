"""Exact evaluation of conditions, and numbers that are mended until the conditions hold."""

from hypothesis import given
from hypothesis import strategies as st

from marginspec.prover.evaluate import mended, satisfies
from marginspec.prover.symbolic import Atoms, SymBool, Unknown, Value

NUMBERS = st.integers(-(10**6), 10**6)


def unknowns(atoms: Atoms, low: int = -(10**9), high: int = 10**9) -> tuple[Value, Value]:
    """Two numbers of which only the bounds are known."""
    return atoms.unknown(Unknown("x", low, high)), atoms.unknown(Unknown("y", low, high))


@given(x=NUMBERS, y=NUMBERS, a=st.integers(-9, 9), b=NUMBERS, kind=st.sampled_from(["le", "eq", "ne"]))
def test_a_linear_condition_is_mended_by_the_least_move_of_one_number(
    x: int, y: int, a: int, b: int, kind: str
) -> None:
    atoms = Atoms()
    p, q = unknowns(atoms)
    condition = SymBool(kind, a * p + q + b)
    found = mended(atoms, [condition], {"x": x, "y": y})
    assert found is not None
    assert satisfies(atoms, [condition], found)
    excess = a * x + y + b
    if kind == "le" and excess > 0 and found["y"] != y:
        assert found == {"x": x, "y": y - excess}


def test_a_number_is_never_moved_beyond_its_bounds() -> None:
    atoms = Atoms()
    x, y = unknowns(atoms, 0, 10)
    assert mended(atoms, [SymBool("eq", x + y - 21)], {"x": 5, "y": 5}) is None
    assert mended(atoms, [SymBool("eq", x + y - 20)], {"x": 10, "y": 5}) == {"x": 10, "y": 10}


def test_numbers_beyond_their_bounds_satisfy_nothing() -> None:
    atoms = Atoms()
    x, _ = unknowns(atoms, 0, 10)
    assert not satisfies(atoms, [SymBool("le", -1 * x)], {"x": 11})
    assert mended(atoms, [SymBool("le", -1 * x)], {"x": 11}) is None


def test_where_a_divisor_is_zero_nothing_is_satisfied_or_mended() -> None:
    atoms = Atoms()
    x, y = unknowns(atoms)
    condition = SymBool("le", atoms.quotient(x, y) - 1)
    assert satisfies(atoms, [condition], {"x": 3, "y": 2})
    assert not satisfies(atoms, [condition], {"x": 3, "y": 0})
    assert mended(atoms, [condition], {"x": 3, "y": 0}) is None
