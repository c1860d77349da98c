"""The calls of the vectors are made once, and a model of which no paths are told has none, which is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marginspec.conformance import run
from marginspec.conformance.run import vector_runs
from marginspec.conformance.selection import Chosen
from marginspec.conformance.vectors import Vector, vectors_of
from marginspec.model.kernel import Call, Machine, action
from marginspec.model.kernel.machine import Rejected
from marginspec.systems.template.model import Strongbox

DEPOSIT = Call("deposit", {"caller": "depositor", "amount": 7})
TOO_MUCH = Call("withdraw", {"caller": "depositor", "amount": 8})


class Looping(Strongbox):
    """Has a loop that is not over keys."""

    @action()
    def drain(self) -> None:
        while self.total > 0:
            raise Rejected("DRN-1")


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is kept stays in the test."""
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path))


def test_they_are_searched_for_once_per_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def found(model: type[Machine], proofs: Any, seed: int, steps: int) -> list[Vector]:
        asked.append(seed)
        return vectors_of(model, [(Chosen((DEPOSIT, TOO_MUCH)), "more than there is")])

    monkeypatch.setattr(run, "_vectors", found)
    assert [vector_runs(Strongbox, (), seed) for seed in (1, 1, 2)] == [[[DEPOSIT, TOO_MUCH]]] * 3
    assert asked == [1, 2]


def test_without_paths_there_are_none_and_it_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert vector_runs(Looping, (), 1) == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("marginspec: no vectors: ")
    assert line.endswith("paths are told of loops over keys only, not of `while`")
