"""What must not pass: code that an unknown cannot follow, cases left out, accounts looked at one by one, empty laws."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NewType

import pytest

from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter, Property, Step, accepted, assume, every, implies, refusal
from marginspec.properties.scope import NumberKey, Scope, pinned
from marginspec.prover import recheck
from marginspec.prover.prove import LawRun, Prover, Verdict
from marginspec.prover.symbolic import Atoms, Run, SymBool, Unknown, explore
from marginspec.trial.trials import Trials

Account = NewType("Account", str)
User = NewType("User", Account)
Rate = NewType("Rate", int)
Amount = Annotated[int, Number(0, 2**64 - 1, "units", typical=(1, 10))]
Stored = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10))]
Level = Annotated[int, Number(0, 10, "steps", typical=(1, 5))]
POOL = Account("pool")


@dataclass
class Bank(Machine):
    """Balances that are moved, a level that is raised, and rates that are enabled."""

    level: Level
    balance: dict[Account, Stored]
    enabled: dict[Rate, bool] = field(default_factory=dict)

    system = "bank"
    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {
        Account: (POOL, "saver", "spender", "idle"),
        User: ("saver", "spender", "idle"),
        Rate: (3, 5),
    }

    @classmethod
    def blank(cls) -> "Bank":
        return cls(0, dict.fromkeys(cls.universe[Account], 100), dict.fromkeys(cls.universe[Rate], False))

    @classmethod
    def prelude(cls) -> list[Call]:
        return []

    @action
    def move(self, caller: User, receiver: Account, amount: Amount) -> int:
        """Move an amount."""
        if self.balance[caller] < amount:
            raise Rejected("BNK-1")
        self.balance[caller] -= amount
        self.balance[receiver] += amount
        return amount

    @action
    def lift(self, by: Amount) -> None:
        """Raise the level."""
        if self.level + by > 10:
            raise Rejected("BNK-2")
        self.level += by

    @action
    def enable(self, rate: Rate) -> None:
        """Enable a rate."""
        self.enabled[rate] = True

    def spare(self) -> int:
        """What the pool has beyond ten."""
        if self.balance[POOL] < 10:
            raise Rejected("BNK-3")
        return self.balance[POOL] - 10


HERE, THERE = (NumberKey(name, Number(0, 9)) for name in ("rate here", "rate there"))
SCOPE = Scope({Account: (POOL, "actor", "rest"), User: ("actor", "rest"), Rate: (HERE, THERE)})


TRIALS: dict[type[Machine], Trials] = {}
"""Of each model, so that states to try laws in are made once."""


def verdict(law: Callable[..., Any], kind: str = "theorem", model: type[Machine] = Bank, **options: Any) -> Verdict:
    """The verdict on one law, in a chapter of its own."""
    law.__doc__ = law.__doc__ or "A law."
    chapter = Chapter("a bank", SCOPE)
    getattr(chapter, kind)("BNK", **options)(law)
    return Prover(model, trials=TRIALS).prove(chapter.properties[-1])


def property_of(law: Callable[..., Any], scope: Scope = SCOPE) -> Property:
    """A theorem in a chapter of its own."""
    law.__doc__ = law.__doc__ or "A law."
    chapter = Chapter("a bank", scope)
    chapter.theorem("BNK")(law)
    return chapter.properties[-1]


# --- Identifiers -----------------------------------------------------------------------------------------------------


def test_a_law_is_looked_at_for_every_pattern_of_equal_identifiers() -> None:
    def nobody_else_pays(state: Bank, step: Step, who: User) -> Any:
        before = state.balance[who]
        step.take(state)
        return state.balance[who] >= before

    def others_do_not_pay(state: Bank, step: Step, who: User) -> Any:
        assume(step.argument("caller") != who)
        return nobody_else_pays(state, step, who)

    found = verdict(nobody_else_pays)
    assert found.verdict == "refuted"
    assert found.counterexample is not None
    assert found.counterexample["who"] == found.counterexample["step.move.caller"]
    assert verdict(others_do_not_pay).verdict == "proved"


def test_names_are_added_where_a_law_speaks_of_more_accounts_than_its_scope() -> None:
    def four_are_never_all_different(state: Bank, a: User, b: User, c: User, d: User) -> Any:
        return a in (b, c, d) or b in (c, d) or c == d

    found = verdict(four_are_never_all_different, "lemma")
    assert found.verdict == "refuted"
    assert found.counterexample is not None
    assert len({found.counterexample[name] for name in "abcd"}) == 4


def test_an_identifier_that_the_code_names_is_apart_from_those_that_are_alike() -> None:
    def actor_never_pays(state: Bank, caller: User, receiver: Account, amount: Amount) -> Any:
        before = state.balance[Account("actor")]
        state.move(caller, receiver, amount)
        return state.balance[Account("actor")] >= before

    found = Prover(Bank, recheck=False).alone(property_of(actor_never_pays))
    assert found.verdict == "refuted"
    assert found.counterexample is not None
    assert found.counterexample["caller"] == "actor"


def test_two_identifiers_that_are_numbers_are_different_numbers() -> None:
    def other_rate_stays(state: Bank, one: Rate, other: Rate) -> Any:
        assume(one != other)
        before = state.enabled[other]
        state.enable(one)
        return state.enabled[other] == before

    assert verdict(other_rate_stays).verdict == "proved"


def test_an_argument_that_is_called_like_a_field_is_another_number() -> None:
    def level_is_whatever_you_like(state: Bank, level: Level) -> Any:
        return state.level == level

    assert verdict(level_is_whatever_you_like, "lemma").verdict == "refuted"


def test_what_is_pinned_is_printed_and_found_when_it_hides_a_case() -> None:
    scope = {"receiver": pinned(POOL, why="where it goes does not matter")}

    def nobody_gains(state: Bank, caller: User, receiver: Account, amount: Amount) -> Any:
        before = [state.balance[user] for user in (caller,)]
        state.move(caller, receiver, amount)
        return every(state.balance[user] + amount <= then for user, then in zip((caller,), before, strict=True))

    found = verdict(nobody_gains, scope=scope)
    assert "receiver is pool (where it goes does not matter)" in found.scope
    assert found.verdict == "refuted"
    assert "run on numbers" in found.reason


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_what_refuses_and_is_no_action_fails_the_claim() -> None:
    def pool_has_enough(state: Bank) -> Any:
        return state.spare() >= 0

    def where_it_has_enough(state: Bank) -> Any:
        return accepted(state.spare) >= 0

    def who_has_ten_has_enough(state: Bank) -> Any:
        return implies(state.balance[POOL] >= 10, refusal(state.spare) is None)

    assert verdict(pool_has_enough, "lemma").verdict == "refuted"
    assert verdict(where_it_has_enough, "lemma").verdict == "proved"
    assert verdict(who_has_ten_has_enough, "lemma").verdict == "proved"


# --- Ranges -----------------------------------------------------------------------------------------------------------


def test_a_range_that_an_action_leaves_makes_no_law() -> None:
    @dataclass
    class Careless(Bank):
        @action
        def lift(self, by: Amount) -> None:
            """Raise the level, however high."""
            self.level += by

    def level_is_low(state: Bank) -> Any:
        return state.level <= 10

    chapter = Chapter("a bank", SCOPE)
    level_is_low.__doc__ = "The level is at most ten."
    chapter.invariant("BNK")(level_is_low)
    assert Prover(Bank).prove(chapter.properties[0]).verdict == "proved"
    assert Prover(Careless).prove(chapter.properties[0]).verdict == "refuted"

    def level_is_known(state: Bank) -> Any:
        return state.level <= 10

    # A lemma of any state in range is true; that states are in range is not.
    found = verdict(level_is_known, "lemma", Careless)
    assert (found.verdict, found.reason) == ("refuted", found.reason) or "RANGES" in found.reason


# --- Everybody else ---------------------------------------------------------------------------------------------------


COUNTS: dict[str, Callable[[Any], Any]] = {
    "len(state.balance) <= 9": lambda state: len(state.balance) <= 9,
    "sum(1 for _ in state.balance) <= 9": lambda state: sum(1 for _ in state.balance) <= 9,
    "sum(min(held, 5) for held in state.balance.values()) <= 50": lambda state: (
        sum(min(held, 5) for held in state.balance.values()) <= 50
    ),
    "sum(held // 2 for held in state.balance.values()) * 2 + 9 >= sum(state.balance.values())": lambda state: (
        sum(held // 2 for held in state.balance.values()) * 2 + 9 >= sum(state.balance.values())
    ),
    "all(held != 7 for held in state.balance.values()) or sum(state.balance.values()) >= 7": lambda state: (
        all(held != 7 for held in state.balance.values()) or sum(state.balance.values()) >= 7
    ),
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=list(COUNTS))
def test_of_accounts_that_are_not_named_only_sums_may_be_used(counts: Callable[[Any], Any]) -> None:
    def law(state: Bank) -> Any:
        return counts(state)

    assert verdict(law, "lemma").verdict != "proved"


def test_sums_over_all_accounts_may_be_used() -> None:
    def nobody_mints(state: Bank, step: Step) -> Any:
        before = sum(state.balance.values())
        step.take(state)
        return sum(state.balance.values()) == before

    assert verdict(nobody_mints).verdict == "proved"


def test_an_action_that_touches_whom_it_does_not_name_is_no_proof() -> None:
    @dataclass
    class Generous(Bank):
        @action
        def gift(self) -> None:
            """Give everybody one."""
            for account in self.balance:
                self.balance[account] += 1

    def nobody_loses(state: Bank, who: User, step: Step) -> Any:
        before = state.balance[who]
        assume(step.action == "gift")
        step.take(state)
        return state.balance[who] > before

    assert verdict(nobody_loses, model=Generous).verdict != "proved"


# --- What an unknown cannot answer -----------------------------------------------------------------------------------


LEAK: dict[str, Callable[[Any], Any]] = {
    "x not in {3, 7}": lambda x: x not in {3, 7},
    "{3: 1}.get(x, 0) == 0": lambda x: {3: 1}.get(x, 0) == 0,
    "(x == 3) is not True": lambda x: (x == 3) is not True,
    'f"{x}" != "3"': lambda x: f"{x}" != "3",
    "hash(x) != 3": lambda x: hash(x) != 3,
    "x != 3.0": lambda x: x != 3.0,
    "x * 1.0 != 3": lambda x: x * 1.0 != 3,
    "type(x) is not int or x != 3": lambda x: type(x) is not int or x != 3,
    'str(x) != "3"': lambda x: str(x) != "3",
    "divmod(x, 4)[1] != 3": lambda x: divmod(x, 4)[1] != 3,
    "abs(x - 3) > 0": lambda x: abs(x - 3) > 0,
    "x**2 != 9": lambda x: x**2 != 9,
    "(x << 1) != 6": lambda x: (x << 1) != 6,
    "(x & 7) != 3": lambda x: (x & 7) != 3,
    "(x % 5) != 3": lambda x: (x % 5) != 3,
    "not isinstance(x, int) or x != 3": lambda x: not isinstance(x, int) or x != 3,
    "bool(x - 3)": lambda x: bool(x - 3),
    "sorted([x, 3])[0] < sorted([x, 3])[1]": lambda x: sorted([x, 3])[0] < sorted([x, 3])[1],
}


@pytest.mark.parametrize("leak", LEAK.values(), ids=list(LEAK))
def test_a_law_that_is_false_of_three_is_not_proved_however_it_is_asked(leak: Callable[[Any], Any]) -> None:
    def law(state: Bank, x: Amount) -> Any:
        return leak(x)

    assert verdict(law, "lemma").verdict != "proved"


TRUE: dict[str, Callable[[Any], Any]] = {
    "x % 5 < 5": lambda x: x % 5 < 5,
    "divmod(x, 4)[0] * 4 + divmod(x, 4)[1] == x": lambda x: divmod(x, 4)[0] * 4 + divmod(x, 4)[1] == x,
    "abs(-x) == x": lambda x: abs(-x) == x,
    "x**3 == x * x * x": lambda x: x**3 == x * x * x,
    "x >> 2 == x // 4": lambda x: x >> 2 == x // 4,
    "(x & 0xF0) <= x": lambda x: (x & 0xF0) <= x,
    "(x > 3) + (x <= 3) == 1": lambda x: (x > 3) + (x <= 3) == 1,
    "(x > 3) ^ (x <= 3)": lambda x: (x > 3) ^ (x <= 3),
    "(x > 3) | (x < 5)": lambda x: (x > 3) | (x < 5),
    "isinstance(x, int)": lambda x: isinstance(x, int),
    "-x // -3 == x // 3": lambda x: -x // -3 == x // 3,
}


@pytest.mark.parametrize("true", TRUE.values(), ids=list(TRUE))
def test_operations_that_an_unknown_can_follow_are_followed(true: Callable[[Any], Any]) -> None:
    def law(state: Bank, x: Amount) -> Any:
        return true(x)

    assert verdict(law, "lemma").verdict == "proved"


def test_what_code_swallows_is_not_lost() -> None:
    def law(state: Bank, x: Amount) -> Any:
        try:
            hash(x)
        except BaseException:
            return True
        return False

    found = Prover(Bank, recheck=False).alone(property_of(law))
    assert (found.verdict, "as a key" in found.reason) == ("unknown", True)


def test_what_outlives_a_run_is_noticed() -> None:
    seen: list[Any] = []

    @functools.cache
    def tier() -> int:
        return len(seen)

    def law(state: Bank, x: Amount) -> Any:
        seen.append(x)
        return x > 5 if len(seen) % 2 else x > 6

    assert verdict(law, "lemma").verdict != "proved"

    def cached(state: Bank, x: Amount) -> Any:
        return tier() >= 0 and x >= 0 and (x > 3 or x != tier())

    assert verdict(cached, "lemma").verdict != "proved" or tier() > 3


# --- Laws that say nothing -------------------------------------------------------------------------------------------


def test_a_law_that_claims_nothing_is_vacuous() -> None:
    def always(state: Bank) -> Any:
        return True

    def of_nothing(state: Bank) -> Any:
        return every([])

    def of_before(state: Bank, caller: User, amount: Amount) -> Any:
        before = state.balance[caller]
        state.move(caller, POOL, amount)
        return before >= 0

    def impossible(state: Bank, x: Amount) -> Any:
        assume(x < 0)
        return x == 5

    def of_what_never_is(state: Bank, x: Amount) -> Any:
        if x < 0:
            return x == 5
        return True

    def of_itself(state: Bank, x: Amount) -> Any:
        def right() -> Any:
            return x == 5

        five = 5
        return five == 5

    lemmas = (always, of_nothing, impossible, of_what_never_is, of_itself)
    for law, kind in (*((law, "lemma") for law in lemmas), (of_before, "theorem")):
        found = verdict(law, kind)
        assert (found.verdict, found.vacuous) == ("unknown", True), law.__name__


def test_a_law_about_what_is_accepted_is_not_vacuous_though_it_reads_nothing_afterwards() -> None:
    def nobody_moves_more_than_there_is(state: Bank, caller: User, amount: Amount) -> Any:
        before = state.balance[caller]
        state.move(caller, POOL, amount)
        return amount <= before

    found = verdict(nobody_moves_more_than_there_is)
    assert (found.verdict, found.vacuous, found.kind) == ("proved", False, "theorem")


def test_a_theorem_in_which_nothing_happens_is_shown_as_a_lemma() -> None:
    def halves(state: Bank, x: Amount) -> Any:
        return 2 * (x // 2) <= x

    assert verdict(halves).kind == "lemma"


# --- What it rests on ------------------------------------------------------------------------------------------------


def test_what_is_given_must_be_proved_and_where_it_is_used() -> None:
    chapter = Chapter("a bank", SCOPE)

    @chapter.invariant("FALSE")
    def pool_is_poor(state: Bank) -> Any:
        """The pool never has more than 200."""
        return state.balance[POOL] <= 200

    @chapter.theorem("ON-FALSE", given=(pool_is_poor,))
    def pool_stays_poor(state: Bank, amount: Amount, caller: User) -> Any:
        """The pool has at most 200 and what is moved there."""
        state.move(caller, POOL, amount)
        return state.balance[POOL] <= 200 + amount

    @chapter.invariant("NARROW", scope={"receiver": pinned("actor", why="a try")})
    def pool_is_never_filled(state: Bank) -> Any:
        """The pool never has more than at first."""
        return state.balance[POOL] <= 100

    @chapter.theorem("ON-NARROW", given=(pool_is_never_filled,))
    def pool_is_small(state: Bank, caller: User, amount: Amount) -> Any:
        """The pool has at most 100 before anything is moved there."""
        before = state.balance[POOL]
        state.move(caller, POOL, amount)
        return state.balance[POOL] - amount <= 100 and before <= 100

    @chapter.theorem("ON-NOTHING", rests_on=("MISSING",))
    def level_stays(state: Bank, caller: User, amount: Amount) -> Any:
        """Moving leaves the level."""
        before = state.level
        state.move(caller, POOL, amount)
        return state.level == before

    prover = Prover(Bank)
    found = {p.id: prover.prove(p) for p in chapter.properties}
    assert found["FALSE"].verdict == "refuted"
    assert found["ON-FALSE"].verdict != "proved"
    assert found["ON-NARROW"].verdict != "proved"
    assert (found["ON-NOTHING"].verdict, found["ON-NOTHING"].reason) == (
        "unknown",
        "rests on MISSING, which is no property",
    )


def test_an_invariant_that_leaves_steps_out_needs_a_composition() -> None:
    chapter = Chapter("a bank", SCOPE, lambda state, step: step.action != "move")

    @chapter.invariant("BNK")
    def nothing_moves(state: Bank, who: User) -> Any:
        """Nobody's balance is ever anything but a hundred."""
        return state.balance[who] == 100

    found = Prover(Bank, recheck=False).prove(chapter.properties[0])
    assert found.verdict == "unknown"
    assert "no composition covers them" in found.reason


# --- What an exploration takes for granted ---------------------------------------------------------------------------


def _explored() -> Any:
    def body() -> Any:
        x = Run.current.unknown(Unknown("x", 0, 100))
        y = Run.current.unknown(Unknown("y", 1, 100))
        if x * y > 10_000:
            return False
        if x > 5 and x > 4:
            return (x + y) * (x + y) == x * x + 2 * x * y + y * y
        return x // y <= 100

    return explore(body)


def _all_hold(texts: Any) -> bool:
    from marginspec.prover.solvers import solve

    return all(solve("yices", text, 5.0).verdict == "unsat" for text, _ in texts)


def test_normal_forms_known_conditions_and_paths_are_checked() -> None:
    found = _explored()
    assert recheck.uncovered(found.paths) is None
    assert recheck.one_way(found.paths, found.known.values()) is None
    for texts in (recheck.algebra_texts, recheck.known_texts, recheck.bound_texts):
        rows = list(texts(found))
        assert rows
        assert _all_hold(rows)


def test_a_path_that_is_missing_is_noticed() -> None:
    found = _explored()
    for left_out in range(len(found.paths)):
        paths = [path for at, path in enumerate(found.paths) if at != left_out]
        assert recheck.uncovered(paths) or recheck.one_way(paths, found.known.values())


def test_a_wrong_normal_form_is_noticed() -> None:
    found = _explored()
    at = found.paths[0].questions[0].value.node
    operation = found.atoms.operations[at]
    wrong = found.atoms.value({m: c + 1 for m, c in operation.result.terms.items()})  # type: ignore[union-attr]
    found.atoms.operations[at] = type(operation)(operation.sign, operation.left, operation.right, wrong)
    assert not _all_hold(recheck.algebra_texts(found))


def test_what_was_wrongly_taken_for_known_is_noticed() -> None:
    found = _explored()
    key, known = next(iter(found.known.items()))
    found.known[key] = type(known)(known.condition, not known.truth, known.because)
    assert not _all_hold(recheck.known_texts(found))


def test_a_wrong_bound_of_a_quotient_is_noticed() -> None:
    atoms = Atoms()
    x, y = atoms.unknown(Unknown("x", 0, 100)), atoms.unknown(Unknown("y", 2, 9))
    quotient = atoms.quotient(x, y)
    found = type(_explored())(atoms)
    assert _all_hold(recheck.bound_texts(found))
    atoms._bounds.clear()
    atoms._atom_bounds[quotient.atom() or 0] = (0, 49)
    assert not _all_hold(recheck.bound_texts(found))


def test_text_of_identifiers_cannot_leave_its_comment() -> None:
    from marginspec.prover.encode import Obligation, smt_lib

    atoms = Atoms()
    x = atoms.unknown(Unknown("x\n(assert false)\r(assert false)", 0, 9))
    text = smt_lib(Obligation(atoms, (SymBool("le", x, 5),)), "int", "law\n(assert false)\x0b(assert false)")
    assert "assert false" not in "".join(line for line in text.splitlines() if not line.startswith(";"))
    assert all(line.startswith(("(", ";")) for line in text.split("\n") if line)


def test_every_witness_is_replayed_to_the_same_end() -> None:
    @dataclass
    class Forgetful(Bank):
        @action
        def lift(self, by: Amount) -> None:
            """Raise the level by another amount than unknowns see."""
            if self.level + by > 10:
                raise Rejected("BNK-2")
            self.level += by if type(by) is not int else 0

    def level_rises(state: Bank, by: Amount) -> Any:
        assume(by >= 1)
        before = state.level
        state.lift(by)
        return state.level == before + by

    claim = property_of(level_rises)
    found = Prover(Forgetful, recheck=False).alone(claim)
    assert (found.verdict, "does otherwise" in found.reason) == ("unknown", True)
    assert LawRun(Forgetful, claim) is not None
