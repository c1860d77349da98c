"""What an implementer overlooks is told by calls that a search of the model finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NewType

import pytest

from marginspec.conformance.distinguish import Distinguisher
from marginspec.conformance.oversights import oversights_of
from marginspec.conformance.run import made_of, telling_runs
from marginspec.conformance.search import OVERLOOKED, distinguishing, is_searched, seeds
from marginspec.model.kernel import Call, Machine, Number, Rejected, action
from marginspec.systems.registry import system

Account = NewType("Account", str)
Amount = Annotated[int, Number(0, 10**9, "units", typical=(1, 100, 10**6))]
Seconds = Annotated[int, Number(1, 10**6, "seconds", typical=(1, 3600, 10**5))]


@dataclass
class Lender(Machine):
    """Debts grow by a thousandth an hour, which is settled before an account is judged."""

    now: Amount
    debt: dict[Account, Amount]
    settled: dict[Account, Amount]
    collateral: dict[Account, Amount]
    seized: Amount

    system = "lender"
    universe: ClassVar = {Account: ("alice", "bob")}

    @classmethod
    def blank(cls) -> Lender:
        names = cls.universe[Account]
        return cls(0, dict.fromkeys(names, 10**6), dict.fromkeys(names, 0), dict.fromkeys(names, 2 * 10**6), 0)

    @action(environment=True)
    def wait(self, seconds: Seconds) -> None:
        self.now += seconds

    def _settle(self, account: Account) -> None:
        self.debt[account] += self.debt[account] * (self.now - self.settled[account]) // 3_600_000
        self.settled[account] = self.now

    @action(weight=2)
    def withdraw(self, account: Account, amount: Amount) -> None:
        self._settle(account)
        if amount > self.collateral[account]:
            raise Rejected("WDR-1")
        self.collateral[account] -= amount
        if self.collateral[account] < self.debt[account]:
            raise Rejected("WDR-2")

    @action
    def seize(self, account: Account) -> None:
        self._settle(account)
        if self.collateral[account] >= self.debt[account]:
            raise Rejected("SEI-1")
        self.seized += self.collateral[account]
        self.collateral[account] = 0


EARLY = "if self.collateral[account] >= self.debt[account]: before self._settle(account)"
LATE = "self._settle(account) after if self.collateral[account] < self.debt[account]:"


def searched(known: list[tuple[Call, ...]]) -> dict[str, tuple[Call, ...]]:
    """What a search of all actions tells, in words, each with the calls."""
    search = Distinguisher(Lender, known)
    found = [told for name in search.actions() for told in search.search(name, seed=1, steps=1500)]
    return {oversight.words: calls for calls, oversight in found}


def test_a_check_before_the_settlement_that_it_needs_is_an_oversight() -> None:
    words = {oversight.words: oversight.rules for several in oversights_of(Lender).values() for oversight in several}
    assert words[EARLY] == ("SEI-1",)
    assert words[LATE][0] == "WDR-2"


def test_a_search_finds_few_calls_that_tell_it() -> None:
    told = searched([])
    assert {EARLY, LATE} <= told.keys()
    assert [call.action for call in told[EARLY]][-1] == "seize"
    assert len(told[EARLY]) <= 12
    known = Distinguisher(Lender, [told[EARLY]])
    assert EARLY not in {oversight.words for oversight in known.open}


def test_an_action_is_searched_alike_whatever_was_searched_before() -> None:
    search = Distinguisher(Lender, [])
    alone = search.search("seize", seed=1, steps=1500)
    assert alone
    search.search("withdraw", seed=1, steps=1500)
    assert search.search("seize", seed=1, steps=1500) == alone


def test_what_known_runs_tell_is_not_told_again() -> None:
    first = searched([])
    second = searched([*first.values()])
    assert not first.keys() & second.keys()


def test_the_model_stays_as_it_is() -> None:
    machine = Lender.genesis()
    searched([])
    machine.apply(Call("wait", {"seconds": 3600}))
    assert machine.apply(Call("withdraw", {"account": "alice", "amount": 999_001})).rule == "WDR-2"
    assert machine.apply(Call("withdraw", {"account": "alice", "amount": 999_000})).accepted


def test_processes_find_together_what_one_finds() -> None:
    told = distinguishing(Lender, [], 1, made_of(Lender))
    found = {words.removeprefix("overlooked: "): chosen.calls for chosen, words in told}
    search = Distinguisher(Lender, [])
    assert search.actions() == ["withdraw", "seize"]
    alone = [told for name in search.actions() for told in search.search(name, seed=1, steps=OVERLOOKED)]
    assert found == {oversight.words: calls for calls, oversight in reversed(alone)}


@pytest.mark.parametrize("name", ["aave-v3", "morpho-blue", "perps-v2", "reference"])
def test_a_shipped_system_was_searched_as_its_text_is_now(name: str) -> None:
    """Else run `python -m tools.seeds NAME`: nobody's gate should search for what can travel with the package."""
    model = system(name).model
    assert is_searched(model)
    assert telling_runs(model, seed=12345) == seeds(model)


def test_a_changed_model_was_not_searched() -> None:
    assert not is_searched(type("Changed", (system("morpho-blue").model,), {"__module__": __name__}))
