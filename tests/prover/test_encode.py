"""No encoding may say more than what is true of integers: then what it finds impossible is impossible."""

import math
import re
from dataclasses import dataclass
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from marginspec.prover.encode import ENCODINGS, Obligation, only_width, smt_lib, smt_lib_of_all
from marginspec.prover.solvers import solve
from marginspec.prover.symbolic import Atoms, Quotient, SymBool, SymInt, Unknown, Value

NUMBERS = st.one_of(st.integers(0, 6), st.integers(0, 2**100), st.sampled_from([2**128 - 1, 2**128, 2**200]))


@dataclass
class Case:
    """An obligation, and the exact value of each of its atoms under one assignment that satisfies and breaks it."""

    obligation: Obligation
    values: list[int]


def value_of(term: Value, values: list[int]) -> int:
    """A term by exact arithmetic, computed here without the prover's own evaluation."""
    if not isinstance(term, SymInt):
        return term
    total = 0
    for monomial, coefficient in term.terms.items():
        for atom in monomial:
            coefficient *= values[atom]
        total += coefficient
    return total


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Unknowns with numbers, nested quotients with exact values, conditions that hold, claims of which one is false."""
    atoms, values, terms = Atoms(), list[int](), list[SymInt]()
    for name in "xyz":
        number = draw(NUMBERS)
        low = draw(st.sampled_from([0, number, -5]))
        high = draw(st.sampled_from([number, 2**128 + number, 2**256 - 1]))
        terms.append(atoms.unknown(Unknown(name, low, high)))
        values.append(number)

    def polynomial() -> Value:
        total: Value = draw(st.sampled_from([-1, 0, 1, 2, 10**6, -(2**128)]))
        for _ in range(draw(st.integers(1, 2))):
            product: Value = draw(st.sampled_from([-2, -1, 1, 1, 3]))
            for at in draw(st.lists(st.integers(0, len(terms) - 1), min_size=1, max_size=2)):
                product = product * terms[at]
            total = total + product
        return total

    for _ in range(draw(st.integers(1, 3))):
        numerator, denominator = polynomial(), polynomial()
        divisor = value_of(denominator, values)
        if divisor < 1:  # a run divides only by what it knows to be positive
            denominator = denominator + (1 - divisor)
        if not isinstance(numerator, SymInt) and not isinstance(denominator, SymInt):
            continue
        quotient = atoms.quotient(numerator, denominator)
        if len(atoms.all) > len(values):
            values.append(value_of(numerator, values) // value_of(denominator, values))
            terms.append(quotient)

    def true_condition() -> SymBool | None:
        # Near the place where it would flip, or far from it.
        term = polynomial() - terms[draw(st.integers(0, len(terms) - 1))]
        term = term - draw(st.sampled_from([0, value_of(term, values), value_of(term, values) - 1]))
        if not isinstance(term, SymInt):
            return None
        condition = SymBool(draw(st.sampled_from(["le", "eq", "ne"])), term)
        return condition if holds(condition, values) else condition.negated()

    conditions = [c for _ in range(draw(st.integers(0, 4))) if (c := true_condition()) is not None]
    broken = [c.negated() for _ in range(draw(st.integers(1, 2))) if (c := true_condition()) is not None]
    return Case(Obligation(atoms, tuple(conditions), tuple(broken)), values)


def holds(condition: SymBool, values: list[int]) -> bool:
    """Whether a condition holds for given values of the atoms."""
    value = value_of(condition.term, values)
    return {"le": value <= 0, "eq": value == 0, "ne": value != 0}[condition.kind]


def satisfied(text: str, values: list[int]) -> bool:
    """Whether every assertion of a text is true once each variable has its value."""
    makes = z3.IntVal if "QF_NIA" in text else z3.RealVal
    sort = z3.Int if "QF_NIA" in text else z3.Real
    numbers = [(sort(f"x{n}"), makes(value)) for n, value in enumerate(values)]
    for product in re.findall(r"declare-fun ((?:x\d+){2,}) ", text):
        factors = [values[int(atom)] for atom in product.split("x")[1:]]
        numbers.append((sort(product), makes(math.prod(factors))))
    return all(z3.is_true(z3.simplify(z3.substitute(a, *numbers))) for a in z3.parse_smt2_string(text))


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=20, deadline=None)
@given(case=cases(), first=st.booleans())
def test_what_divides_on_another_path_says_nothing_of_this_one(encoding: str, case: Case, first: bool) -> None:
    atoms = case.obligation.atoms
    divisor = atoms.unknown(Unknown("divisor", -5, 2**256 - 1))
    quotient = atoms.quotient(3 * divisor + 7, divisor)
    assert isinstance(quotient, SymInt)
    other = Obligation(atoms, (SymBool("le", 1 - divisor),), (SymBool("le", quotient - 1),))
    obligations = [case.obligation, other] if first else [other, case.obligation]
    assert satisfied(smt_lib_of_all(obligations, encoding), [*case.values, 0, -1])
    assert satisfied(smt_lib_of_all(obligations, encoding), [*case.values, -5, 9])


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_integers_that_break_a_claim_satisfy_every_assertion_of_the_encoding(encoding: str, case: Case) -> None:
    assert satisfied(smt_lib(case.obligation, encoding), case.values)


@pytest.mark.parametrize("encoding", ["linear", "light", "cuts", "real", "int"])
@settings(max_examples=20, deadline=None)
@given(case=cases(), error=st.sampled_from([-1, 1]))
def test_a_quotient_off_by_one_satisfies_no_encoding_that_defines_it(encoding: str, case: Case, error: int) -> None:
    text = smt_lib(case.obligation, encoding)
    used = [n for n, atom in enumerate(case.obligation.atoms.all) if isinstance(atom, Quotient) and f"x{n} " in text]
    for number in used:
        wrong = [v + error if n == number else v for n, v in enumerate(case.values)]
        assert not satisfied(text, wrong)


def obligation(claim: str) -> Obligation:
    """A claim about x, y > 0 and z < 2^128, with the assumption that x is at most z."""
    atoms = Atoms()
    x, y, z = (
        atoms.unknown(Unknown(name, low, high))
        for name, low, high in (("x", 0, 2**256 - 1), ("y", 1, 2**256 - 1), ("z", 0, 2**128 - 1))
    )
    q, r = atoms.quotient(x, y), atoms.quotient(z, y)
    claims: dict[str, Any] = {
        "a quotient is at most its numerator": q <= x,
        "a quotient of a positive number is positive": q >= 1,
        "division is monotone": q <= r,
        "rounding down loses less than the divisor": x - q * y < y,
    }
    return Obligation(atoms, ((x <= z),), (claims[claim],))


@pytest.mark.parametrize(
    "claim",
    [
        "a quotient is at most its numerator",
        "division is monotone",
        "rounding down loses less than the divisor",
    ],
)
def test_a_true_claim_about_division_is_proved_in_some_encoding(claim: str) -> None:
    verdicts = {e: solve("z3", smt_lib(obligation(claim), e), 5.0).verdict for e in ENCODINGS}
    assert "unsat" in verdicts.values()


def test_a_false_claim_about_division_is_proved_in_no_encoding() -> None:
    claim = obligation("a quotient of a positive number is positive")
    assert {e: solve("z3", smt_lib(claim, e), 5.0).verdict for e in ENCODINGS} == dict.fromkeys(ENCODINGS, "sat")


def test_that_a_quotient_is_an_integer_is_known_to_cuts_and_int_only() -> None:
    atoms = Atoms()
    half = 2 * atoms.quotient(atoms.unknown(Unknown("x", 0, 9)), atoms.unknown(Unknown("y", 1, 9))) == 1
    verdicts = {
        e: solve("z3", smt_lib(Obligation(atoms, (half,)), e), 5.0).verdict for e in ("light", "cuts", "real", "int")
    }
    assert verdicts == {"light": "sat", "cuts": "unsat", "real": "sat", "int": "unsat"}


def test_a_product_is_any_number_to_linear_and_a_product_to_light() -> None:
    atoms = Atoms()
    x, y = (atoms.unknown(Unknown(name, 1, 9)) for name in "xy")
    claim = Obligation(atoms, (), (x * y >= 1,))
    assert {e: solve("z3", smt_lib(claim, e), 5.0).verdict for e in ("linear", "light")} == {
        "linear": "sat",
        "light": "unsat",
    }
    sum_of_products = Obligation(atoms, (x * y >= 5,), (2 * x * y >= 10,))
    assert solve("z3", smt_lib(sum_of_products, "linear"), 5.0).verdict == "unsat"


def test_widths_are_left_out_of_the_narrow_encodings_only() -> None:
    atoms = Atoms()
    x = atoms.unknown(Unknown("x", 0, 2**256 - 1))
    wide = x <= 2**128 - 1
    assert isinstance(wide, SymBool)
    assert only_width(wide)
    claim = Obligation(atoms, (wide,), (wide,))
    verdicts = {e: solve("z3", smt_lib(claim, e), 5.0).verdict for e in ENCODINGS}
    assert verdicts == dict.fromkeys(("linear", "light", "near", "cuts"), "sat") | {"real": "unsat", "int": "unsat"}


def test_a_text_names_its_unknowns_and_carries_its_header_as_comments() -> None:
    text = smt_lib(obligation("division is monotone"), "light", "ID\nlaw")
    assert text.startswith("; ID\n; law\n; x0 = x\n")
    assert text.endswith("(check-sat)\n")


def test_no_number_is_written_with_a_minus_sign() -> None:
    for encoding in ENCODINGS:
        text = smt_lib(obligation("rounding down loses less than the divisor"), encoding)
        assert re.search(r"\(-|-\d", text) is None
