"""What an implementation shows once and not again is no finding: it is told, with exit code 4."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twin import Twin

from marginspec.base.errors import TargetFailed
from marginspec.conformance.vectors import Vector, failures
from marginspec.lockstep import monitor
from marginspec.lockstep.campaign import run
from marginspec.lockstep.corpus import Corpus
from marginspec.lockstep.corpus_store import open_corpus
from marginspec.lockstep.trace import Trace, replay, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call
from marginspec.systems.registry import shipped
from marginspec.targets.protocol import Answer

SUPPLY = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
CALLS = [Call("supply", SUPPLY), Call("supply", SUPPLY)]


class Transient(Twin):
    """Right, but for one number that it observes once. times: how often it does so."""

    def __init__(self, at: int, times: int = 1) -> None:
        super().__init__()
        self._wrong_at, self._times = at, times

    def observe(self) -> list[Any]:
        seen = super().observe()
        if self.calls >= self._wrong_at and self._times > 0:
            self._times -= 1
            at = next(n for n, value in enumerate(seen) if type(value) is int and value > 0)
            seen[at] += 1
        return seen


class TransientReason(Twin):
    """Right, but for one answer."""

    def apply(self, call: Call) -> Answer:
        answer = super().apply(call)
        return Answer(False, reason="once") if self.calls == 2 else answer


def trace() -> Trace:
    return trace_of(MorphoBlue, "twin", 1, CALLS, None)


def corpus(folder: Path) -> Corpus:
    kept = open_corpus(str(folder), MorphoBlue)
    kept.keep(trace())
    return kept


def vector(model: type[MorphoBlue]) -> Vector:
    machine = model.genesis()
    before = dict(zip(machine.names(), machine.flatten(), strict=True))
    machine.apply(CALLS[0])
    outcome = machine.apply(CALLS[1])
    now = dict(zip(machine.names(), machine.flatten(), strict=True))
    changed = {name: value for name, value in now.items() if before[name] != value}
    return Vector("supply-001", "", (CALLS[0],), CALLS[1], None, outcome.returns, changed)


@pytest.mark.parametrize(
    "compared",
    [
        lambda target, folder: run(MorphoBlue, target, 2_000, 1),
        lambda target, folder: corpus(folder).replay(target, 1),
        lambda target, folder: replay(MorphoBlue, target, trace()),
        lambda target, folder: list(failures(MorphoBlue, target, [vector(MorphoBlue)])),
    ],
    ids=["run", "corpus", "replay", "vectors"],
)
@pytest.mark.parametrize("target", [lambda: Transient(2), TransientReason], ids=["observation", "answer"])
def test_a_wrong_answer_that_comes_once_is_no_finding(
    target: Callable[[], Twin], compared: Callable[[Twin, Path], Any], tmp_path: Path
) -> None:
    with pytest.raises(TargetFailed, match=r"does not repeat itself|not once more from genesis"):
        compared(target(), tmp_path)


@pytest.mark.parametrize("at", [0, 300], ids=["at genesis", "later"])
def test_a_law_that_is_broken_once_is_no_finding(at: int) -> None:
    class Lost(Transient):
        def observe(self) -> list[Any]:
            seen = Twin.observe(self)
            if self.calls >= self._wrong_at and self._times > 0:
                self._times -= 1
                names = self._machine.names()
                seen[next(n for n, name in enumerate(names) if name.endswith("total_supply_assets"))] += 10**40
            return seen

    laws = shipped("morpho-blue").chapter.properties
    with pytest.raises(TargetFailed, match="does not repeat itself"):
        monitor.run(MorphoBlue, Lost(at), laws, 2_000, 1)


def test_what_is_wrong_every_time_is_a_finding() -> None:
    (found,) = run(MorphoBlue, Twin("supply"), 2_000, 1).divergences
    assert replay(MorphoBlue, Twin("supply"), found.trace).divergence is not None
    assert replay(MorphoBlue, Twin(), found.trace).divergence is None


def test_the_message_says_what_was_seen() -> None:
    with pytest.raises(TargetFailed) as error:
        run(MorphoBlue, TransientReason(), 2_000, 1)
    assert "reason: once, expected " in str(error.value)
    assert str(error.value).endswith("once more from genesis they agree with it")
