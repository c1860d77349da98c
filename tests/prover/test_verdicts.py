"""What each verdict takes, shown on a vault of a few lines: proofs that hold, and claims that must not pass."""

import functools
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, NewType

import pytest

from marginspec.model.kernel import Machine, Number, Rejected, action, rule
from marginspec.model.kernel.evm import checked, mul_div_down
from marginspec.properties.law import Chapter, Property, Step, assume
from marginspec.properties.scope import Scope
from marginspec.prover.prove import Prover, Verdict, prove_all
from marginspec.prover.solvers import solve
from marginspec.trial.trials import Trials

Holder = NewType("Holder", str)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10, 10**6))]
Stored = Annotated[int, Number(0, 2**256 - 1, "units", typical=(1, 10, 10**6))]


@dataclass
class Vault(Machine):
    """Assets behind shares, with one virtual unit of each."""

    assets: Stored = 0
    shares: Stored = 0
    holdings: dict[Holder, Stored] = field(default_factory=dict)

    system = "vault"
    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {Holder: ("depositor", "other")}

    @classmethod
    def blank(cls) -> "Vault":
        return cls(holdings=dict.fromkeys(cls.universe[Holder], 0))

    @action
    @rule("VLT-1")
    def deposit(self, caller: Holder, amount: Amount) -> int:
        """Buy shares, rounded down."""
        minted = mul_div_down(amount, self.shares + 1, self.assets + 1)
        self.assets = checked(self.assets + amount)
        self.shares = checked(self.shares + minted)
        self.holdings[caller] = checked(self.holdings[caller] + minted)
        return minted

    @action
    @rule("VLT-2")
    def withdraw(self, caller: Holder, shares: Amount) -> int:
        """Sell shares, rounded down."""
        paid = mul_div_down(shares, self.assets + 1, self.shares + 1)
        if shares > self.holdings[caller]:
            raise Rejected("VLT-3")
        self.holdings[caller] -= shares
        self.shares = checked(self.shares - shares)
        self.assets = checked(self.assets - paid)
        return paid

    @action(environment=True)
    def lose(self, amount: Amount) -> None:
        """Assets vanish."""
        self.assets = checked(self.assets - amount)


def any_step(venue: Vault, step: Step) -> bool:
    """Nothing is assumed of a step."""
    return True


SCOPE = Scope(keys={Holder: ("depositor", "rest")})
chapter = Chapter("any number of holders", SCOPE, any_step)


@chapter.invariant("V-SUM")
def shares_add_up(venue: Vault) -> Any:
    """The shares of all holders sum to the total."""
    return venue.shares == sum(venue.holdings.values())


@chapter.theorem("V-ROUND")
def a_round_trip_earns_nothing(venue: Vault, caller: Holder, amount: Amount) -> Any:
    """Who deposits and withdraws at once gets back at most what was deposited."""
    return venue.withdraw(caller, venue.deposit(caller, amount)) <= amount


@chapter.theorem("V-ALGEBRA")
def deposits_add_up(venue: Vault, caller: Holder, amount: Amount) -> Any:
    """A deposit adds exactly its amount to the assets."""
    before = venue.assets
    venue.deposit(caller, amount)
    return venue.assets == before + amount


@chapter.theorem("V-GIVEN", given=(shares_add_up,))
def nobody_holds_more_than_all(venue: Vault, who: Holder) -> Any:
    """Nobody holds more than the total of shares."""
    return venue.holdings[who] <= venue.shares


@chapter.theorem("V-FALSE")
def a_round_trip_costs_nothing(venue: Vault, caller: Holder, amount: Amount) -> Any:
    """Who deposits and withdraws at once gets back all that was deposited, which rounding makes false."""
    return venue.withdraw(caller, venue.deposit(caller, amount)) == amount


@chapter.theorem("V-NOT-GIVEN")
def nobody_holds_more_than_all_without_the_sum(venue: Vault, who: Holder) -> Any:
    """Nobody holds more than the total, claimed without the invariant that it takes."""
    return venue.holdings[who] <= venue.shares


@chapter.theorem("V-STEP")
def no_action_lowers_assets(venue: Vault, step: Step) -> Any:
    """No action lowers the assets, which withdrawals do."""
    before = venue.assets
    step.take(venue)
    return venue.assets >= before


@chapter.invariant("V-NOT-AT-FIRST")
def there_are_assets(venue: Vault) -> Any:
    """The vault is never empty, although it begins so."""
    return venue.assets > 0


@chapter.invariant("V-NOT-ASKED-AT-FIRST")
def a_share_has_a_price(venue: Vault) -> Any:
    """A share is worth something, although there is none at first."""
    return venue.assets // venue.shares >= 0


@chapter.invariant("V-BROKEN")
def assets_cover_shares(venue: Vault) -> Any:
    """There are at least as many assets as shares, which a loss breaks."""
    return venue.shares <= venue.assets


@chapter.theorem("V-VACUOUS")
def a_premise_that_contradicts_itself(venue: Vault) -> Any:
    """More assets than shares and more shares than assets make everything true."""
    assume(venue.assets < venue.shares)
    assume(venue.shares < venue.assets)
    return venue.assets == 7


@chapter.theorem("V-VACUOUS-NONLINEAR")
def a_premise_that_no_integers_satisfy(venue: Vault) -> Any:
    """A negative square makes everything true."""
    assume((venue.assets - venue.shares) * (venue.assets - venue.shares) + 1 <= 0)
    return True


@chapter.theorem("V-REFUSED")
def only_what_is_always_refused(venue: Vault, caller: Holder) -> Any:
    """Whoever withdraws more than they hold becomes rich."""
    venue.withdraw(caller, venue.holdings[caller] + 1)
    return venue.assets == 7


@chapter.theorem("V-DIVIDES")
def a_division_by_what_may_be_zero(venue: Vault) -> Any:
    """Each share is worth no negative amount, of a vault that may have none."""
    return venue.assets // venue.shares >= 0


@chapter.theorem("V-SILENT")
def a_law_that_returns_nothing(venue: Vault) -> Any:
    """Forgot to say what holds."""


TRUE = ("V-SUM", "V-ROUND", "V-ALGEBRA", "V-GIVEN")
WITH_OBLIGATIONS = ("V-ROUND", "V-GIVEN")
VACUOUS = ("V-VACUOUS", "V-VACUOUS-NONLINEAR", "V-REFUSED")


def claim(id: str) -> Property:
    """A property by its ID."""
    return next(p for p in chapter.properties if p.id == id)


TRIALS: dict[type[Machine], Trials] = {}
"""States to try laws in, made once."""


def verdict(id: str, **options: Any) -> Verdict:
    """The verdict on a property by its ID."""
    return Prover(Vault, trials=TRIALS, **options).prove(claim(id))


@functools.cache
def proved(id: str) -> Verdict:
    """The verdict that several tests look at."""
    return verdict(id)


def replayed(found: Verdict) -> tuple[Vault, dict[str, int]]:
    """The state of a counterexample and its other numbers; what is not mentioned may be anything."""
    assert found.counterexample is not None
    numbers = {n: int(v) for n, v in found.counterexample.items() if v.isdigit()}
    venue = Vault(numbers.pop("assets", 0), numbers.pop("shares", 0), {Holder("depositor"): 0, Holder("rest"): 0})
    for holder in venue.holdings:
        venue.holdings[holder] = numbers.pop(f"holdings[{holder}]", 0)
    return venue, numbers


@pytest.mark.parametrize("id", TRUE)
def test_a_true_claim_is_proved_on_paths_that_have_witnesses(id: str) -> None:
    found = proved(id)
    assert (found.verdict, found.reason, found.counterexample) == ("proved", "", None)
    assert found.paths > 0
    assert found.witnessed
    assert found.confirmed


@pytest.mark.parametrize("id", WITH_OBLIGATIONS)
def test_what_z3_proves_at_least_one_other_solver_confirms(id: str) -> None:
    found = proved(id)
    assert found.obligations > 0
    assert found.solvers["z3"].verdict == "unsat"
    assert "unsat" in {found.solvers[other].verdict for other in ("yices", "cvc5")}
    assert found.confirmed


@pytest.mark.parametrize("id", ["V-SUM", "V-ALGEBRA"])
def test_what_algebra_alone_decides_asks_no_solver(id: str) -> None:
    found = proved(id)
    assert (found.verdict, found.obligations, found.solvers) == ("proved", 0, {})


def test_without_a_second_opinion_nothing_is_confirmed() -> None:
    found = verdict("V-ROUND", recheck=False)
    assert (found.verdict, found.confirmed) == ("proved", False)


def test_a_second_solver_that_disagrees_leaves_a_proof_unconfirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(solve.__globals__["SOLVERS"], "yices", lambda text, seconds: "unknown")
    monkeypatch.setitem(solve.__globals__["SOLVERS"], "cvc5", lambda text, seconds: "unknown")
    found = verdict("V-ROUND")
    assert (found.verdict, found.confirmed) == ("proved", False)


def test_where_z3_finds_no_answer_both_others_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(solve.__globals__["SOLVERS"], "z3", lambda text, seconds: "unknown")
    found = verdict("V-ROUND")
    assert (found.verdict, found.confirmed, found.solvers["z3"].verdict) == ("proved", True, "unknown")


def test_where_no_solver_proves_and_no_integers_break_a_claim_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for solver in ("z3", "yices"):
        monkeypatch.setitem(solve.__globals__["SOLVERS"], solver, lambda text, seconds: "unknown")
    found = verdict("V-ROUND")
    assert (found.verdict, found.confirmed) == ("unknown", False)
    assert found.reason.startswith("no solver proves it and no integers break it")


def test_the_counterexample_to_a_false_theorem_breaks_it_on_the_model_itself() -> None:
    found = verdict("V-FALSE")
    assert (found.verdict, found.confirmed) == ("refuted", False)
    venue, rest = replayed(found)
    amount = rest.get("amount", 0)
    assert venue.withdraw(Holder("depositor"), venue.deposit(Holder("depositor"), amount)) != amount


def test_a_theorem_without_the_invariant_it_takes_is_refuted_by_an_unreachable_state() -> None:
    found = verdict("V-NOT-GIVEN")
    assert found.verdict == "refuted"
    venue, _ = replayed(found)
    assert venue.holdings[Holder("depositor")] > venue.shares


def test_a_claim_about_every_action_is_refuted_by_the_one_that_breaks_it() -> None:
    found = verdict("V-STEP")
    assert found.verdict == "refuted"
    assert found.counterexample is not None
    assert found.counterexample["step"] in ("withdraw", "lose")


def test_an_invariant_that_does_not_hold_at_first_is_refuted_by_the_initial_state() -> None:
    found = verdict("V-NOT-AT-FIRST")
    assert (found.verdict, found.counterexample) == ("refuted", {"state": "initial"})
    found = verdict("V-NOT-ASKED-AT-FIRST")
    assert (found.verdict, found.counterexample) == ("refuted", {"state": "initial"})
    assert found.reason == "cannot be asked of the initial state: ZeroDivisionError"


def test_an_invariant_that_an_action_breaks_is_refuted_by_a_state_and_that_action() -> None:
    found = verdict("V-BROKEN")
    assert found.verdict == "refuted"
    assert found.counterexample is not None
    venue, rest = replayed(found)
    assert venue.shares <= venue.assets
    taken = found.counterexample["step"]
    arguments = {"lose": ["amount"], "deposit": ["amount"], "withdraw": ["shares"]}[taken]
    given = [rest.get(f"step.{taken}.{name}", 0) for name in arguments]
    getattr(venue, taken)(*([] if taken == "lose" else [Holder("depositor")]), *given)
    assert venue.shares > venue.assets


@pytest.mark.parametrize("id", VACUOUS)
def test_a_claim_that_speaks_of_no_case_is_unknown_and_says_so(id: str) -> None:
    found = proved(id)
    assert (found.verdict, found.witnessed, found.confirmed) == ("unknown", False, False)
    assert found.reason.startswith("vacuous")


@pytest.mark.parametrize(
    ("id", "reason"),
    [("V-DIVIDES", "division by a number that may be zero"), ("V-SILENT", "a law returned nothing")],
)
def test_a_law_that_cannot_be_followed_is_unknown_and_says_why(id: str, reason: str) -> None:
    found = proved(id)
    assert found.verdict == "unknown"
    assert reason in found.reason
    assert not found.confirmed


@pytest.mark.parametrize("id", WITH_OBLIGATIONS)
def test_every_emitted_obligation_of_a_proved_claim_is_unsatisfiable_for_whoever_reads_it(
    id: str, tmp_path: Path
) -> None:
    found = verdict(id, emit=tmp_path)
    files = sorted(tmp_path.glob(f"{id}-*.smt2"))
    checks = [file for file in files if "-checked-" in file.name]
    assert len(files) - len(checks) == found.obligations
    assert checks
    for file in files:
        assert not file.name.endswith("-open.smt2")
        assert file in checks or claim(id).law in file.read_text()
        assert solve("z3", file.read_text(), 5.0).verdict == "unsat"
        program = Path(sys.executable).with_name("yices-smt2")
        read = subprocess.run([str(program), "--timeout=5", str(file)], capture_output=True, text=True, timeout=20)
        assert read.stdout.strip() in ("unsat", "unknown")
        assert "error" not in read.stdout + read.stderr


def test_an_obligation_that_nobody_proves_is_emitted_as_open(tmp_path: Path) -> None:
    verdict("V-FALSE", emit=tmp_path)
    assert list(tmp_path.glob("V-FALSE-*-open.smt2"))


def test_verdicts_do_not_depend_on_the_number_of_workers() -> None:
    claims = [claim(id) for id in ("V-ROUND", "V-NOT-AT-FIRST", "V-VACUOUS")]
    one, two = (
        {v.id: (v.verdict, v.reason, v.paths) for v in prove_all(Prover(Vault), claims, workers)} for workers in (1, 2)
    )
    assert one == two
    assert {id: kind for id, (kind, _, _) in one.items()} == {
        "V-ROUND": "proved",
        "V-NOT-AT-FIRST": "refuted",
        "V-VACUOUS": "unknown",
    }


def test_a_property_without_a_law_or_with_an_id_in_use_is_an_error() -> None:
    def lawless(venue: Vault) -> bool:
        return True

    with pytest.raises(ValueError, match="has no docstring, so no law, or is declared twice"):
        chapter.theorem("V-LAWLESS")(lawless)
    with pytest.raises(ValueError, match="declared twice"):
        chapter.theorem("V-SUM")(a_round_trip_earns_nothing)
