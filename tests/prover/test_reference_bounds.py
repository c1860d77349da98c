"""What a decision on one unknown says of terms that it is a part of, and laws proved on a relaxed model."""

from typing import Any

from marginspec.prover.symbolic import Atoms, ConcreteRun, Exploration, Pick, Run, Unknown, explore


def unknown(name: str, low: int, high: int) -> Any:
    """A number of which only the bounds are known, in the present run."""
    return Run.current.unknown(Unknown(name, low, high))


def decided(body: Any) -> Exploration:
    """Every way to run."""
    return explore(body, (AssertionError,))


def test_a_sum_is_known_from_decisions_on_its_parts() -> None:
    def body() -> Any:
        x, y = unknown("x", -10, 10), unknown("y", 0, 10)
        return bool(x + y >= 1) if x >= 1 else bool(x + y <= 10)

    assert [path.result for path in decided(body).paths] == [True, True]


def test_a_product_is_known_from_decisions_on_its_factors() -> None:
    def body() -> Any:
        x, y = unknown("x", -10, 10), unknown("y", 0, 10)
        if x >= 1 and y >= 2:
            return bool(x * y >= 2)
        return None if x >= 1 else bool(x * y <= 0)

    assert {path.result for path in explore_without_claims(body)} == {True}


def explore_without_claims(body: Any) -> Any:
    """The paths on which something was claimed."""

    class Nothing(Exception):  # noqa: N818 - ends a path
        """No claim."""

    def claimed() -> Any:
        result = body()
        if result is None:
            raise Nothing
        return result

    return [path for path in explore(claimed, (Nothing,)).paths if path.ended is None]


def test_bounds_of_a_term_narrow_with_its_atoms_and_widen_again_without() -> None:
    atoms = Atoms()
    x, y = atoms.unknown(Unknown("x", 0, 10)), atoms.unknown(Unknown("y", 0, 10))
    total = x + y
    assert atoms.bounds(total) == (0, 20)
    assert atoms.bounds(total, {0: (4, 5)}) == (4, 15)
    assert atoms.bounds(total) == (0, 20)


def test_what_one_run_knows_is_not_known_in_another() -> None:
    def body() -> Any:
        x, y = unknown("x", 0, 10), unknown("y", 0, 10)
        if x >= 6:
            return bool(x + y >= 6)
        return x + y >= 6

    known, open_ = decided(body).paths
    assert known.result is True
    assert isinstance(open_.result, tuple)


def test_a_path_names_an_identifier_that_only_was_found_not_to_be_another() -> None:
    def body() -> Any:
        return Pick("role", ("first", "second")) == "first"

    assert {path.picks["role"]: path.result for path in decided(body).paths} == {"first": True, "second": False}


def test_a_law_broken_by_an_identifier_that_was_not_chosen_is_replayed_with_it() -> None:
    (broken,) = [
        path for path in decided(lambda: Pick("role", ("first", "second")) == "first").paths if not path.result
    ]
    replay = ConcreteRun(broken.picks, {})
    assert replay.run(lambda: Pick("role", ("first", "second")) == "first") is False
