"""What the base of every model promises: refusals without a trace, copies without ties, states as flat lists."""

import dataclasses
from dataclasses import dataclass, field
from typing import NewType

import pytest

from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call, Machine, Outcome, Record, Rejected, Uint256, action, constant, regime, rule
from marginspec.model.kernel.machine import actions_of, regimes_of

Name = NewType("Name", str)


@dataclass(slots=True)
class Entry(Record):
    """One account of the toy."""

    credit: Uint256 = 0
    debit: Uint256 = 0


@dataclass
class Ledger(Machine):
    """A toy with every kind of field: a number, records in maps in maps, a map of numbers, a constant."""

    total: Uint256 = 0
    books: dict[Name, dict[Name, Entry]] = field(default_factory=dict)
    flags: dict[Name, bool] = field(default_factory=dict)
    limit: Uint256 = constant(default=10)

    system = "ledger"

    @classmethod
    def blank(cls) -> "Ledger":
        books = {Name(b): {Name(a): Entry() for a in ("left", "right")} for b in ("first", "second")}
        return cls(books=books, flags={Name("open"): True})

    @classmethod
    def prelude(cls) -> list[Call]:
        return [Call("post", {"amount": 3})]

    @action(weight=5)
    @rule("LED-1")
    def post(self, amount: Uint256) -> int:
        """Write in three places, then look whether that was allowed."""
        self.total += amount
        self.books[Name("first")][Name("left")].credit += amount
        self.flags[Name("open")] = amount == 0
        if self.total > self.limit:
            raise Rejected("LED-2")
        return self.total

    @regime
    def full(self) -> bool:
        """Nothing more fits."""
        return self.total == self.limit

    @action(environment=True)
    def close(self) -> None:
        """Nothing can be posted."""
        self.flags[Name("open")] = False

    @regime
    def empty(self) -> bool:
        """Nothing was posted."""
        return self.total == 0


def started() -> Ledger:
    """The toy after its prelude."""
    return Ledger.genesis()


def test_genesis_is_blank_after_the_prelude() -> None:
    assert started().total == 3
    assert Ledger.blank().total == 0


def test_a_prelude_that_is_refused_is_an_error_that_names_the_rule() -> None:
    class Broken(Ledger):
        @classmethod
        def prelude(cls) -> list[Call]:
            return [Call("post", {"amount": 11})]

    with pytest.raises(ValueError, match=r"Broken refuses its own prelude: post by LED-2"):
        Broken.genesis()


@pytest.mark.parametrize("through", ["apply", "method"])
def test_a_rejected_action_leaves_every_variable_as_it_was(through: str) -> None:
    venue = started()
    before = venue.flatten()
    if through == "apply":
        assert venue.apply(Call("post", {"amount": 8})) == Outcome(rule="LED-2")
    else:
        with pytest.raises(Rejected, match="LED-2"):
            venue.post(8)
    assert venue.flatten() == before


def test_an_accepted_action_returns_its_results_as_a_tuple_and_remembers_the_state_before() -> None:
    venue = started()
    before = venue.flatten()
    call = Call("post", {"amount": 7})
    assert venue.apply(call) == Outcome((10,))
    assert venue.last == call
    assert venue.previous.flatten() == before
    assert venue.total == 10


def test_a_rejected_action_does_not_become_the_last_one() -> None:
    venue = started()
    venue.apply(Call("close", {}))
    venue.apply(Call("post", {"amount": 100}))
    assert venue.last == Call("close", {})


def test_the_state_before_the_first_action_is_an_error() -> None:
    with pytest.raises(ValueError, match="no action was accepted yet"):
        _ = Ledger.blank().previous


def test_reach_counts_rules_of_completed_calls_and_rules_that_refuse() -> None:
    venue = started()
    venue.reach = []
    venue.apply(Call("post", {"amount": 1}))
    venue.apply(Call("post", {"amount": 100}))
    assert venue.reach == ["LED-1", "LED-2"]


def test_a_clone_shares_nothing_mutable_with_its_original() -> None:
    venue = started()
    before, copy = venue.flatten(), venue.clone()
    assert copy.flatten() == before
    copy.post(4)
    copy.books[Name("second")][Name("right")].debit = 9
    copy.flags[Name("open")] = True
    assert venue.flatten() == before
    assert copy.flatten() != before
    assert copy.limit == venue.limit


def test_a_clone_of_a_real_model_has_the_same_state_and_no_common_record_or_map() -> None:
    venue = MorphoBlue.genesis()
    copy = venue.clone()
    assert copy.flatten() == venue.flatten()
    constants = {f.name for f in dataclasses.fields(MorphoBlue) if f.metadata.get("constant")}

    def mutable(value: object) -> set[int]:
        if isinstance(value, dict):
            return {id(value)}.union(*(mutable(v) for v in value.values()))
        if isinstance(value, Record):
            fields = [f.name for f in dataclasses.fields(value)]  # type: ignore[arg-type]
            return {id(value)}.union(*(mutable(getattr(value, n)) for n in fields if n not in constants))
        return set()

    assert len(mutable(venue)) > 30
    assert mutable(venue) & mutable(copy) == set()


def test_names_and_flatten_agree_in_length_and_order() -> None:
    venue = started()
    assert dict(zip(venue.names(), venue.flatten(), strict=True)) == {
        "total": 3,
        "books[first][left].credit": 3,
        "books[first][left].debit": 0,
        "books[first][right].credit": 0,
        "books[first][right].debit": 0,
        "books[second][left].credit": 0,
        "books[second][left].debit": 0,
        "books[second][right].credit": 0,
        "books[second][right].debit": 0,
        "flags[open]": False,
    }


def test_the_order_of_a_real_model_is_that_of_its_text_and_no_action_changes_it() -> None:
    venue = MorphoBlue.genesis()
    names = venue.names()
    assert len(names) == len(set(names)) == len(venue.flatten())
    assert names[:4] == ["now", "owner", "fee_recipient", "markets[A].total_supply_assets"]
    assert not any(name.startswith("params") for name in names)
    arguments = {"market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
    assert venue.apply(Call("supply", {"caller": "supplier", **arguments})).accepted
    assert venue.names() == names


def test_load_takes_back_what_flatten_gave() -> None:
    venue = started()
    saved = venue.flatten()
    venue.post(2)
    venue.load(saved)
    assert venue.flatten() == saved


@pytest.mark.parametrize(("change", "said"), [(-1, "not enough values|too few values"), (1, "too many values")])
def test_load_refuses_a_list_of_another_length(change: int, said: str) -> None:
    venue = started()
    values = venue.flatten()
    values = values[:change] if change < 0 else [*values, 0]
    with pytest.raises(ValueError, match=said):
        venue.load(values)


def test_actions_and_regimes_come_in_the_order_of_the_text() -> None:
    assert list(actions_of(Ledger)) == ["post", "close"]
    assert regimes_of(Ledger) == ("full", "empty")


def test_an_action_is_known_with_its_argument_types_its_weight_and_who_takes_it() -> None:
    post, close = actions_of(Ledger)["post"], actions_of(Ledger)["close"]
    assert post.arguments == {"amount": Uint256}
    assert (post.weight, post.environment) == (5, False)
    assert (close.arguments, close.weight, close.environment) == ({}, 1, True)
