"""Morpho Blue's own bytecode, with token, oracle and rate model that it calls, is proved to be its model."""

from pathlib import Path

import pytest

from marginspec.equivalence.basis import Basis
from marginspec.equivalence.closing import Closer
from marginspec.equivalence.product import Deployed, ProductCase
from marginspec.equivalence.run import decide_all
from marginspec.lockstep.trace import replay
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate, artifact

NOBODY = {"state.owner": "owner", "state.fee_recipient": "zero"}


@pytest.fixture(scope="module")
def morpho() -> System:
    return system("morpho-blue")


@pytest.fixture(scope="module")
def deployed(morpho: System) -> Deployed:
    return Deployed(morpho)


@pytest.mark.parametrize(
    "action", ["supply_collateral", "create_market", "set_owner", "set_authorization", "set_price"]
)
def test_an_action_is_proved(deployed: Deployed, action: str) -> None:
    cases = decide_all(deployed, [action], 1, anew=True, basis=Basis((), ()))[action].cases
    assert {case.verdict for case in cases} == {"proved"}, [case.open for case in cases]
    assert all(case.replayed > 0 for case in cases)


def test_interest_over_any_time_is_proved(deployed: Deployed) -> None:
    """The rate model, the three terms of the series, the fee: every number of them unknown."""
    verdict = Closer(deployed).decide(ProductCase("accrue_interest", {"caller": "borrower", "market": "A", **NOBODY}))
    assert verdict.verdict == "proved", verdict.open
    assert verdict.replayed > 10
    assert verdict.solvers["z3"] >= verdict.learned > 50


@pytest.mark.long  # solc takes a minute
def test_a_magic_amount_is_refuted_by_calls_that_replay(morpho: System, deployed: Deployed) -> None:
    sources = morpho.sources
    assert sources is not None
    files = sources.read()
    line = "position[id][onBehalf].collateral += assets.toUint128();"
    assert files["src/Morpho.sol"].count(line) == 1
    changed = line.replace("assets", "(assets == 271828182845904523 ? assets + 1 : assets)")
    built = sources.compile({**files, "src/Morpho.sol": files["src/Morpho.sol"].replace(line, changed)})
    build = Candidate("Morpho", Path("Morpho"), artifact("Morpho", built["Morpho"], "a bug"), "")
    candidate = Deployed(morpho, [build])
    case = ProductCase("supply_collateral", {"caller": "borrower", "market": "A", "on_behalf": "supplier", **NOBODY})
    verdict = Closer(candidate).decide(case)
    assert verdict.verdict == "refuted"
    assert verdict.trace is not None
    assert len(verdict.trace) == 1
    assert replay(morpho.model, candidate.target, verdict.trace).divergence == verdict.trace.divergence
    assert replay(morpho.model, deployed.target, verdict.trace).divergence is None
