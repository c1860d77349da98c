"""The executable specification of Ethereum agrees with both other EVMs, and would be heard if it did not."""

import pytest

from marginspec.systems.registry import system
from tools.second_evm import compare_on

pytest.importorskip("ethereum", reason="run `make equivalence-check`")

from tools.third_evm import BesideSpecification  # after the skip


def test_transactions_are_what_the_specification_makes_of_them() -> None:
    chain = BesideSpecification()
    compare_on(chain, system("morpho-blue"), 60, seed=1)
    assert chain.agreed >= 60
    assert chain.reverted > 0


def test_a_word_that_the_specification_has_otherwise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = BesideSpecification._state

    def other(self: BesideSpecification, words: dict[tuple[str, int], int], contracts: set[str]) -> object:
        return found(self, {place: word + (word > 1) for place, word in words.items()}, contracts)

    monkeypatch.setattr(BesideSpecification, "_state", other)
    with pytest.raises(AssertionError, match="the specification"):
        compare_on(BesideSpecification(), system("morpho-blue"), 60, seed=1)
