"""Bugs of Morpho Blue at one number alone, which no draw is likely to meet: each is refuted by calls that replay.

The builds are of another code generator than the shipped one, which compiles ten times as fast.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from marginspec.equivalence.closing import CaseVerdict, Closer
from marginspec.equivalence.product import Deployed, ProductCase
from marginspec.lockstep.trace import replay
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm import build
from marginspec.targets.evm.artifact import Candidate, artifact

pytestmark = pytest.mark.long

NOBODY = {"state.owner": "owner", "state.fee_recipient": "zero"}
LEGACY = {"viaIR": False, "optimizer": {"enabled": True, "runs": 200}}

MORPHO = "src/Morpho.sol"


class Bug(NamedTuple):
    """A text that occurs once in the contract, and what becomes of it; the action that does otherwise then."""

    action: str
    identifiers: dict[str, str]
    find: str
    replace: str


OWN = {"caller": "borrower", "market": "A", "on_behalf": "borrower"}
FOR_ANOTHER = {"caller": "borrower", "market": "A", "on_behalf": "supplier"}
TO_ANOTHER = {**OWN, "receiver": "supplier"}
OWNER = {"caller": "owner", "market": "A"}
ANYBODY = {"caller": "borrower", "market": "A"}
ADDED = "position[id][onBehalf].collateral += assets.toUint128();"
TAKEN = "position[id][onBehalf].collateral -= assets.toUint128();"

BUGS = {
    "a magic amount": Bug(
        "supply_collateral", FOR_ANOTHER, ADDED, ADDED.replace("assets", "(assets == 271828182845904523 ? 1 : assets)")
    ),
    "a magic position": Bug(
        "supply_collateral", OWN, ADDED, f"if (position[id][onBehalf].collateral != 3141592653589793238) {ADDED}"
    ),
    "a magic sum": Bug(
        "supply_collateral",
        OWN,
        ADDED,
        f"{ADDED} if (position[id][onBehalf].collateral == 1618033988749894848) position[id][onBehalf].collateral = 1;",
    ),
    "magic shares": Bug(
        "supply",
        OWN,
        "position[id][onBehalf].supplyShares += shares;",
        "position[id][onBehalf].supplyShares += (shares == 2236067977499789696 ? shares - 1 : shares);",
    ),
    "a magic fee refused": Bug(
        "set_fee", OWNER, "require(newFee <= MAX_FEE,", "require(newFee <= MAX_FEE && newFee != 123456789012345678,"
    ),
    "a magic fee": Bug(
        "set_fee",
        OWNER,
        "market[id].fee = uint128(newFee);",
        "market[id].fee = uint128(newFee == 98765432109876543 ? 0 : newFee);",
    ),
    "a magic time": Bug(
        "accrue_interest", ANYBODY, "if (elapsed == 0) return;", "if (elapsed == 0 || elapsed == 7654321) return;"
    ),
    "a magic time refused": Bug(
        "accrue_interest",
        ANYBODY,
        "if (elapsed == 0) return;",
        "if (elapsed == 0) return; require(elapsed != 31415926);",
    ),
    "a magic amount taken": Bug(
        "withdraw_collateral",
        TO_ANOTHER,
        TAKEN,
        TAKEN.replace("assets", "(assets == 271828182845904523 ? assets - 1 : assets)"),
    ),
    "a magic rest": Bug(
        "withdraw_collateral",
        TO_ANOTHER,
        f"{TAKEN}\n\n        require(_isHealthy(marketParams, id, onBehalf)",
        f"{TAKEN}\n\n        require(position[id][onBehalf].collateral != 1414213562373095048"
        " && _isHealthy(marketParams, id, onBehalf)",
    ),
    "a magic supply": Bug(
        "supply",
        OWN,
        "market[id].totalSupplyAssets += assets.toUint128();\n\n        emit EventsLib.Supply(",
        "market[id].totalSupplyAssets += (assets == 1732050807568877293 ? assets + 1 : assets).toUint128();\n\n"
        "        emit EventsLib.Supply(",
    ),
}


def decided(known: System, bug: Bug | None, case: ProductCase, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    for name, value in LEGACY.items():
        monkeypatch.setitem(build.SETTINGS, name, value)
    assert known.sources is not None
    files = known.sources.read()
    if bug is not None:
        assert files[MORPHO].count(bug.find) == 1
        files[MORPHO] = files[MORPHO].replace(bug.find, bug.replace)
    made = artifact("Morpho", known.sources.compile(files)["Morpho"], "a build")
    candidate = Deployed(known, [Candidate("Morpho", Path("Morpho"), made, "")])
    verdict: CaseVerdict = Closer(candidate).decide(case)
    return candidate, verdict


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_at_one_number_is_refuted_by_calls_that_replay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug, known = BUGS[name], system("morpho-blue")
    candidate, verdict = decided(known, bug, ProductCase(bug.action, {**bug.identifiers, **NOBODY}), monkeypatch)
    assert verdict.verdict == "refuted", verdict.open
    assert replay(known.model, candidate.target, verdict.trace).divergence == verdict.trace.divergence
    assert replay(known.model, Deployed(known).target, verdict.trace).divergence is None


@pytest.mark.parametrize("action", ["supply_collateral", "accrue_interest"])
def test_the_same_build_without_a_bug_is_proved(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    identifiers = OWN if action == "supply_collateral" else ANYBODY
    _, verdict = decided(system("morpho-blue"), None, ProductCase(action, {**identifiers, **NOBODY}), monkeypatch)
    assert verdict.verdict == "proved", verdict.open
