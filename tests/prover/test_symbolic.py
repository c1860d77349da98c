"""Unknown integers behave as integers do, and every way to run on them is taken, once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginspec.model.kernel import Rejected
from marginspec.properties.law import Irrelevant, assume, every
from marginspec.prover.evaluate import Evaluation
from marginspec.prover.symbolic import (
    Atoms,
    ConcreteRun,
    Exploration,
    Pick,
    Quotient,
    Run,
    SymBool,
    SymInt,
    Unknown,
    Unsupported,
    explore,
)


def unknown(name: str, low: int = 0, high: int = 2**256 - 1) -> Any:
    """A number of which only the bounds are known, in the present run."""
    return Run.current.unknown(Unknown(name, low, high))


@pytest.fixture(autouse=True)
def run() -> Run:
    """A run outside of any exploration."""
    Run.current = Run((), Atoms())
    return Run.current


# --- Terms ---------------------------------------------------------------------------------------------------


def test_terms_that_cancel_are_plain_integers() -> None:
    x, y = unknown("x"), unknown("y")
    assert type(x - x) is int
    assert x - x == 0
    assert x + 3 - x == 3
    assert 0 * x == 0
    assert (x + y) * (x - y) - x * x + y * y == 0


def test_terms_equal_by_algebra_are_the_same_term() -> None:
    x, y = unknown("x"), unknown("y")
    left, right = (x + 1) * (y + 2), 2 + y + y * x + 2 * x
    assert isinstance(left, SymInt)
    assert left.same(right)
    assert bool(left == right) is True
    assert bool(left != right) is False
    assert Run.current.branches == []
    assert not left.same(right + 1)


def test_the_same_name_is_the_same_unknown_and_another_name_is_another() -> None:
    assert unknown("x").same(unknown("x"))
    assert not unknown("x").same(unknown("y"))


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(-9, 9), st.booleans()), max_size=8), st.integers(-9, 9))
def test_a_polynomial_has_the_value_that_the_same_arithmetic_has_on_integers(
    steps: list[tuple[str, int, bool]], value: int
) -> None:
    Run.current = Run((), Atoms())
    x = unknown("x", -9, 9)
    term: Any = x
    number = value
    for operator, constant, with_unknown in steps:
        other, concrete = (x + constant, value + constant) if with_unknown else (constant, constant)
        if operator == "+":
            term, number = term + other, number + concrete
        elif operator == "-":
            term, number = other - term, concrete - number
        else:
            term, number = term * other, number * concrete
    terms = term.terms.items() if isinstance(term, SymInt) else [((), term)]
    assert sum(c * value ** len(m) for m, c in terms) == number


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), min_size=1, max_size=3), st.data())
def test_every_value_of_a_term_lies_within_its_bounds(shape: list[tuple[int, int]], data: st.DataObject) -> None:
    Run.current = Run((), Atoms())
    lows = data.draw(st.tuples(st.integers(-5, 5), st.integers(-5, 5)))
    widths = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    x, y = (unknown(n, low, low + w) for n, low, w in zip("xy", lows, widths, strict=True))
    p, q = (data.draw(st.integers(low, low + w)) for low, w in zip(lows, widths, strict=True))
    term, value = 0, 0
    for coefficient, power in shape:
        product, concrete = coefficient, coefficient
        for _ in range(power):
            product, concrete = product * (x + y), concrete * (p + q)
        term, value = term + product, value + concrete
    low, high = Run.current.atoms.bounds(term)
    assert low <= value <= high


# --- Division ------------------------------------------------------------------------------------------------


def test_the_same_division_is_the_same_atom_however_it_is_written(run: Run) -> None:
    x, y = unknown("x"), unknown("y", low=1)
    first, second = (x + 1) * 2 // y, (2 + x + x) // y
    assert first.same(second)
    assert sum(isinstance(atom, Quotient) for atom in run.atoms.all) == 1
    assert not first.same((x + 1) // y)


def test_a_division_that_leaves_nothing_over_is_no_atom(run: Run) -> None:
    x = unknown("x")
    assert (6 * x // 3).same(2 * x)
    assert (x // 1).same(x)
    assert not any(isinstance(atom, Quotient) for atom in run.atoms.all)


@given(st.integers(-20, 20), st.integers(0, 20), st.integers(1, 9), st.integers(0, 9), st.data())
def test_every_value_of_a_quotient_lies_within_its_bounds(
    low: int, width: int, least: int, more: int, data: st.DataObject
) -> None:
    Run.current = Run((), Atoms())
    a, b = unknown("a", low, low + width), unknown("b", least, least + more)
    p, q = data.draw(st.integers(low, low + width)), data.draw(st.integers(least, least + more))
    smallest, largest = Run.current.atoms.bounds(a // b)
    assert smallest <= p // q <= largest


def test_a_divisor_that_is_zero_is_unsupported() -> None:
    x = unknown("x")
    with pytest.raises(Unsupported, match="may be zero"):
        x // unknown("y", 0, 0)
    with pytest.raises(Unsupported, match="may be zero"):
        x // 0


@given(st.integers(-30, 30), st.integers(-9, -1))
def test_division_by_what_is_negative_rounds_as_python_does(numerator: int, divisor: int) -> None:
    def body() -> Any:
        x, y = unknown("x", numerator, numerator), unknown("y", divisor, divisor)
        return every((x // y == numerator // divisor, x % y == numerator % divisor))

    (path,) = explore(body, ()).paths
    numbers = {"x": numerator, "y": divisor}
    assert all(Evaluation(path.claims[0].term.atoms, numbers).holds(claim) for claim in path.claims)


def test_a_divisor_that_may_be_zero_is_one_path_that_works_and_one_that_is_no_pass() -> None:
    found = explore(lambda: 1 // unknown("y", 0, 5) >= 0, ())
    assert [(path.result, path.reason) for path in found.paths] == [
        (True, ""),
        (False, "division by a number that may be zero"),
    ]


def test_a_divisor_known_to_be_positive_from_a_decision_needs_no_second_path() -> None:
    def body() -> Any:
        y = unknown("y", 0, 5)
        assume(y != 0)
        return 7 // y >= 1

    ended = [path.ended for path in explore(body, (Irrelevant,)).paths]
    assert sorted(str(e) for e in ended) == sorted([str(None), str(Irrelevant)])


def test_an_unknown_where_python_needs_a_number_is_unsupported() -> None:
    for use in (range, int, [1, 2].__getitem__):
        with pytest.raises(Unsupported, match="needs a concrete one"):
            use(unknown("x"))


# --- Forks ---------------------------------------------------------------------------------------------------


def test_every_combination_of_decisions_is_taken_exactly_once() -> None:
    seen: list[tuple[bool, ...]] = []

    def body() -> bool:
        seen.append(tuple(bool(unknown(name) > 5) for name in "abc"))
        return True

    found = explore(body, ())
    assert len(found.paths) == 8
    assert sorted(seen) == sorted({(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)})


def test_paths_of_concrete_control_flow_partition_the_integers() -> None:
    def classify(x: Any, y: Any) -> int:
        if x == y:
            return 0
        return 1 if min(x, y) > 3 else 2 if max(x, y) >= 2 * x else 3

    outcomes: list[int] = []

    def body() -> bool:
        outcomes.append(classify(unknown("x", 0, 9), unknown("y", 0, 9)))
        return True

    found = explore(body, ())
    for x in range(10):
        for y in range(10):
            taken = [n for n, path in enumerate(found.paths) if holds(found, path.constraints, {"x": x, "y": y})]
            assert [outcomes[n] for n in taken] == [classify(x, y)]


def holds(found: Exploration, conditions: list[SymBool], numbers: dict[str, int]) -> bool:
    """Whether conditions hold, computed here without the prover's own evaluation."""
    for condition in conditions:
        total = 0
        for monomial, coefficient in condition.term.terms.items():
            for atom in monomial:
                described = found.atoms.all[atom]
                assert isinstance(described, Unknown)
                coefficient *= numbers[described.name]
            total += coefficient
        if not {"le": total <= 0, "eq": total == 0, "ne": total != 0}[condition.kind]:
            return False
    return True


def test_a_condition_known_from_bounds_or_from_an_earlier_decision_does_not_fork() -> None:
    def bounded() -> bool:
        x = unknown("x", 3, 7)
        return x >= 3 and x < 8 and x != 9 and x + 1 > 3

    def decided() -> bool:
        x = unknown("x")
        assume(x > 10)
        return bool(x > 9) and not x <= 10 and bool(2 * x != 2 * x + 1) and x != 10

    assert [path.result for path in explore(bounded, ()).paths] == [True]
    assert {path.result for path in explore(decided, (Irrelevant,)).paths if path.ended is None} == {True}
    assert len(explore(decided, (Irrelevant,)).paths) == 2


def test_exclusions_at_an_end_narrow_the_bounds() -> None:
    def body() -> bool:
        x = unknown("x", 0, 2)
        assume(x != 0)
        assume(x != 2)
        return bool(x == 1)

    found = explore(body, (Irrelevant,))
    assert [path.result for path in found.paths if path.ended is None] == [True]
    assert len(found.paths) == 3


def test_the_opposite_of_a_condition_holds_exactly_where_it_does_not() -> None:
    x = unknown("x", -5, 5)
    found = Exploration(Run.current.atoms)
    for condition in (x <= 2, x < 2, x >= 2, x > 2, x == 2, x != 2):
        assert isinstance(condition, SymBool)
        for value in range(-5, 6):
            here = holds(found, [condition], {"x": value})
            assert holds(found, [condition.negated()], {"x": value}) is not here


def test_a_claim_is_what_remains_to_be_shown() -> None:
    def body() -> Any:
        x, y = unknown("x", 0, 5), unknown("y")
        return every((x <= 5, x <= y, True))

    (path,) = explore(body, ()).paths
    assert len(path.result) == 1
    assert path.result[0].kind == "le"


@pytest.mark.parametrize(
    ("claim", "result"), [(True, True), (False, False), (every(()), True), (every((1 > 2,)), False)]
)
def test_a_claim_without_unknowns_is_settled(claim: Any, result: bool) -> None:
    assert [path.result for path in explore(lambda: claim, ()).paths] == [result]


def test_a_law_that_returns_nothing_is_no_pass() -> None:
    (path,) = explore(lambda: None, ()).paths
    assert (path.result, path.reason) == (False, "a law returned nothing")


def test_only_expected_exceptions_end_a_path() -> None:
    def refused() -> bool:
        raise Rejected("X-1")

    def broken() -> bool:
        raise KeyError("a mistake in the model")

    assert [path.ended for path in explore(refused, (Rejected,)).paths] == [Rejected]
    (path,) = explore(broken, (Rejected,)).paths
    assert (path.result, path.reason) == (False, "the code fails: KeyError: 'a mistake in the model'")


def test_too_many_paths_are_unsupported_not_cut_off() -> None:
    def body() -> bool:
        for n in range(6):
            _ = bool(unknown(f"x{n}") == 1)
        return True

    assert len(explore(body, (), limit=64).paths) == 64
    with pytest.raises(Unsupported, match="more than 63 paths"):
        explore(body, (), limit=63)


def test_too_many_paths_are_told_with_the_condition_that_multiplies_them() -> None:
    def body() -> bool:
        once = bool(unknown("once") == 0)
        for n in range(12):
            _ = bool(unknown(f"x{n}") == 1)
        return once

    with pytest.raises(Unsupported) as told:
        explore(body, (), limit=200)
    said = str(told.value)
    assert said.startswith('more than 200 paths; what multiplies them: `_ = bool(unknown(f"x{n}") == 1)`')
    assert "test_symbolic.py:" in said
    assert "`relaxed`" in said


# --- Picks ---------------------------------------------------------------------------------------------------


def test_a_pick_used_as_a_key_takes_every_option() -> None:
    seen = []

    def body() -> bool:
        seen.append({"a": 1, "b": 2, "c": 3}[Pick("who", ("a", "b", "c"))])  # type: ignore[index]
        return True

    explore(body, ())
    assert sorted(seen) == [1, 2, 3]


def test_asking_whether_a_pick_is_one_identifier_does_not_choose_among_the_others() -> None:
    found = explore(lambda: Pick("who", ("a", "b", "c")) == "a", ())
    assert sorted(path.result for path in found.paths) == [False, True]


def test_a_pick_that_is_not_one_identifier_is_one_of_the_others() -> None:
    seen = []

    def body() -> bool:
        who = Pick("who", ("a", "b", "c"))
        if who == "b":
            seen.append("b")
        elif who == "a":
            seen.append("a")
        else:
            assert (who == "b", who == "a", who.value()) == (False, False, "c")
            seen.append("c")
        return True

    explore(body, ())
    assert sorted(seen) == ["a", "b", "c"]


def test_a_pick_never_is_what_it_cannot_be() -> None:
    found = explore(lambda: Pick("who", ("a", "b")) == "z", ())
    assert [path.result for path in found.paths] == [False]


def test_two_picks_of_one_name_are_the_same_and_of_two_names_independent() -> None:
    same = explore(lambda: Pick("who", ("a", "b")) == Pick("who", ("a", "b")), ())
    assert {path.result for path in same.paths} == {True}
    other = explore(lambda: Pick("who", ("a", "b")) == Pick("whom", ("a", "b")), ())
    assert {path.result for path in other.paths} == {False, True}


def test_a_replay_runs_the_same_code_on_plain_integers() -> None:
    def body() -> Any:
        x = unknown("x", 0, 100)
        return (type(x), x // 7, Pick("who", ("a", "b")).value())

    assert ConcreteRun({"who": "b"}, {"x": 50}).run(body) == (int, 7, "b")


def test_terms_whose_hashes_collide_are_told_apart_without_a_decision() -> None:
    run = Run.current = Run((), Atoms())
    x = run.unknown(Unknown("x", 0, 9))
    assert hash((-1 * x).key) == hash((-2 * x).key)  # since hash(-1) == hash(-2)
    quotients = [run.atoms.quotient(k * x, 3) for k in (-1, -2)]
    assert [q.terms for q in quotients] == [{(1,): 1}, {(2,): 1}]
    assert run.branches == []
