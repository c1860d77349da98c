"""What a proof of equivalence takes for given is proved itself, or nothing is; and no cache tells otherwise."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.equivalence import basis
from marginspec.equivalence.basis import Basis, basis_of
from marginspec.equivalence.product import Deployed
from marginspec.equivalence.run import decide_all, made_of
from marginspec.properties.law import Chapter, Property
from marginspec.properties.scope import pinned
from marginspec.prover.prove import Verdict
from marginspec.systems.equivalence import Equivalence
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate, artifact

FOLDER = str(Path(__file__).parents[2] / "examples" / "pawnshop")


@pytest.fixture(scope="module")
def pawnshop() -> System:
    return system(FOLDER)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all tests here: what is proved for one of them must not be believed of another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGINSPEC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def built(known: System, *changes: tuple[str, str]) -> list[Candidate]:
    assert known.sources is not None
    files = known.sources.read()
    for find, new in changes:
        assert files["pawnshop.vy"].count(find) == 1
        files["pawnshop.vy"] = files["pawnshop.vy"].replace(find, new)
    contract = known.sources.compile(files)["pawnshop"]
    return [Candidate("pawnshop", Path("pawnshop"), artifact("pawnshop", contract, "a build"), "")]


def limited(known: System, **limits: Any) -> System:
    return replace(known, equivalence=Equivalence(**limits))


def verdict_on(known: System, action: str, builds: list[Candidate] | None = None, **options: Any) -> tuple[str, str]:
    found = decide_all(Deployed(known, builds or ()), [action], 1, **options)[action]
    return found.verdict, "; ".join(found.open)


def test_every_law_that_is_assumed_is_said_to_be_proved(pawnshop: System) -> None:
    found = basis_of(Deployed(pawnshop), 1)
    assert not found.lacking
    assert [line.split(":")[0] for line in found.assumes if line.endswith("(proved)")] == ["PAWN-1", "PAWN-2", "RANGES"]
    assert sum(line.startswith("assumed, not proved: ") for line in found.assumes) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"verdict": "refuted", "confirmed": False}, "which is refuted"),
        ({"verdict": "unknown", "confirmed": False, "reason": "not come to"}, "which is unknown: not come to"),
        ({"confirmed": False}, "which is proved by one solver only"),
        ({"scope": ("only where: nobody owes anything",)}, "which is proved only where: nobody owes anything"),
    ],
)
def test_an_action_that_rests_on_a_law_that_is_not_proved_is_open(
    pawnshop: System, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], said: str
) -> None:
    def proved(prover: Any, laws: Sequence[Property], workers: int) -> Iterator[Verdict]:
        for law in laws:
            found = Verdict(law.id, law.law, "proved", "", confirmed=True)
            yield replace(found, **changed) if law.id == "PAWN-2" else found

    monkeypatch.setattr(basis, "prove_all", proved)
    verdict, why = verdict_on(pawnshop, "pledge")
    assert (verdict, why) == ("open", f"it assumes PAWN-2, {said}")


def test_an_action_that_rests_on_a_law_of_fewer_identifiers_is_open(
    pawnshop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def proved(prover: Any, laws: Sequence[Property], workers: int) -> Iterator[Verdict]:
        return (Verdict(law.id, law.law, "proved", "", confirmed=True) for law in laws)

    chapter = Chapter("", pawnshop.chapter.scope)
    chapter.invariant("PAWN-1", scope={"caller": pinned("actor", why="an example")})(
        pawnshop.chapter.properties[0].predicate
    )
    monkeypatch.setattr(basis, "prove_all", proved)
    verdict, why = verdict_on(replace(pawnshop, chapter=chapter), "set_price")
    assert (verdict, why) == (
        "open",
        "it assumes PAWN-1, which is proved of fewer identifiers than others of its chapter",
    )


def test_without_a_basis_nothing_is_proved(pawnshop: System) -> None:
    found = decide_all(Deployed(pawnshop), ["pledge"], 1, basis=Basis((), ()))["pledge"]
    assert found.verdict == "proved"
    assert replace(found, basis=None).verdict == "open"


def test_a_law_that_is_none_is_bad_input(pawnshop: System) -> None:
    with pytest.raises(BadInput, match="PAWN-99 is no invariant"):
        basis_of(Deployed(limited(pawnshop, given=("PAWN-99",))), 1)


@pytest.mark.parametrize(
    ("sentence", "conditions", "said"),
    [
        (
            "no user owes more than all",
            lambda shop: [debt <= shop.total_debt for debt in shop.debt.values()],
            "(follows from these laws)",
        ),
        ("PAWN-1", lambda shop: [shop.total_debt <= 1000], "assumed, not proved: PAWN-1"),
        ("nothing", lambda shop: [False], "assumed, not proved: nothing"),
    ],
)
def test_an_assumption_is_judged_by_what_it_says_and_not_by_its_name(
    pawnshop: System, sentence: str, conditions: Callable[[Any], Iterable[Any]], said: str
) -> None:
    assumes = basis_of(Deployed(limited(pawnshop, assumed={sentence: conditions})), 1).assumes
    assert any(said in line for line in assumes)
    assert (f"{sentence} (follows from these laws)" in assumes) == said.startswith("(")


def test_assumptions_that_nothing_fulfils_prove_nothing(pawnshop: System) -> None:
    verdict, why = verdict_on(limited(pawnshop, assumed={"never": lambda shop: [shop.price > shop.price]}), "pledge")
    assert verdict == "open"
    assert "no integers were found" in why


# --- Builds that differ where nobody looks ----------------------------------------------------------------------------


def test_a_function_that_no_action_calls_opens_every_action(pawnshop: System) -> None:
    """It may change what an action finds: here whether debts are paid."""
    armed = "armed: bool\n\n\n@external\ndef arm():\n    self.armed = True\n\n\n@external\ndef repay"
    paid = "self.debt[msg.sender] -= (0 if self.armed else amount)"
    builds = built(pawnshop, ("@external\ndef repay", armed), ("self.debt[msg.sender] -= amount", paid))
    assert verdict_on(pawnshop, "repay", builds) == ("open", "no action stands for pawnshop.arm()")
    found = decide_all(Deployed(pawnshop, builds), ["repay"], 1, allowed=["pawnshop.arm()"])["repay"]
    assert found.verdict == "proved"
    assert found.basis is not None
    assert any("nobody calls" in line and "pawnshop.arm()" in line for line in found.basis.assumes)


def test_what_a_constructor_leaves_behind_is_not_taken_from_the_cache(pawnshop: System) -> None:
    """The same code, and another word of storage that no observation shows."""
    declared = "@deploy\ndef __init__", "bonus: uint256\n\n\n@deploy\ndef __init__"
    used = "self.debt[msg.sender] -= amount", "self.debt[msg.sender] -= amount - self.bonus"
    verdicts = []
    for bonus in (0, 1):
        left = "    FEED = msg.sender\n", f"    FEED = msg.sender\n    self.bonus = {bonus}\n"
        builds = built(pawnshop, declared, used, left)
        deployed = Deployed(pawnshop, builds)
        code = deployed.code(deployed.places[0][0])
        verdicts.append((code, made_of(deployed), verdict_on(pawnshop, "repay", builds)[0]))
    (one, digest, proved), (other, another, refuted) = verdicts
    assert one == other
    assert digest != another
    assert (proved, refuted) == ("proved", "refuted")


def at_most(limit: int) -> Callable[[Any], Iterable[Any]]:
    return lambda shop: [shop.total_debt <= limit]


def test_an_assumption_that_is_made_by_a_function_is_not_taken_for_another(pawnshop: System) -> None:
    low, high, again = (made_of(Deployed(limited(pawnshop, assumed={"few": at_most(limit)}))) for limit in (10, 20, 10))
    assert low == again != high
    assert "" not in (low, high)


def test_a_model_that_a_function_makes_is_not_taken_for_another(pawnshop: System) -> None:
    def made(most: int) -> System:
        class Limited(pawnshop.model):  # type: ignore[name-defined, misc]
            def limit(self, user: Any) -> int:
                return most

        return replace(pawnshop, model=Limited)

    assert len({made_of(Deployed(made(most))) for most in (1, 2, 1)}) == 2


def test_an_assumption_that_is_no_text_is_never_cached(pawnshop: System) -> None:
    lists: list[int] = [1]
    assert made_of(Deployed(limited(pawnshop, assumed={"few": lambda shop: [shop.total_debt <= len(lists)]}))) == ""
    assert made_of(Deployed(limited(pawnshop, assumed={"few": functools.partial(at_most(1))}))) == ""
