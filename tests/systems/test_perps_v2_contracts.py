"""PerpsV2's contracts beside its model: what was deployed, what views compute, and that changes are noticed."""

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from marginspec.lockstep.campaign import run
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import UNIT
from marginspec.model.kernel import Call
from marginspec.mutation.planted import load
from marginspec.systems.perps_v2 import sources
from marginspec.systems.perps_v2.adapter import REASONS, PerpsV2Adapter
from marginspec.systems.perps_v2.deployment import MARKET_PROXY, SURROUNDINGS, document, shipped_contracts
from marginspec.targets.evm.artifact import artifact
from marginspec.targets.evm.chain import Embedded, Reverted
from marginspec.targets.evm.reasons import reason
from marginspec.targets.evm.target import EvmTarget
from tools.contracts_perps_v2 import document as made

DIGEST = 32
"""Bytes of a contract that tell its sources apart and nothing else."""

needs_sources = pytest.mark.skipif(not sources.fetched(), reason="its sources are not here: run `make packages`")


@pytest.fixture(scope="module")
def adapter() -> PerpsV2Adapter:
    """The contracts on a chain of their own."""
    made = PerpsV2Adapter({})
    made.deploy(Embedded())
    return made


@pytest.fixture(scope="module")
def target() -> Iterator[EvmTarget]:
    """The contracts, to be run in lock-step."""
    made = EvmTarget("embedded", PerpsV2Adapter({}), Embedded())
    yield made
    made.close()


def test_model_and_bytecode_agree(target: EvmTarget) -> None:
    found = run(PerpsV2, target, 6000, seed=5)
    assert found.divergences == []
    assert found.tally.steps == 6000
    assert found.limits.unmodelled == ()
    assert {"bankrupt", "liquidatable", "skew_turned", "closed_market", "price_zero"} <= set(found.tally.regimes)


def test_every_refusal_of_the_model_has_a_text() -> None:
    stated = {rule for rule in _refusals() if rule not in REASONS}
    assert stated == set()


def _refusals() -> set[str]:
    texts = [inspect.getsource(module) for module in texts_of(PerpsV2) if "perps_v2" in module.__name__]
    return {part.partition('"')[0] for part in "".join(texts).split('Rejected("')[1:]}


def test_only_the_contract_of_settings_recomputes_funding(adapter: PerpsV2Adapter) -> None:
    market = adapter._found[MARKET_PROXY]
    with pytest.raises(Reverted) as refused:
        market.transact("0x" + "99" * 20, "recomputeFunding")
    assert reason(refused.value) == "Not permitted by this address"


def test_a_view_that_computes_something_else_is_noticed(adapter: PerpsV2Adapter) -> None:
    chain = adapter._chain
    chain.transact("0x" + "de" * 20, adapter._found[SURROUNDINGS].address, _price(adapter, 2000 * UNIT))
    trader = adapter._account["trader"]
    around, market = adapter._found[SURROUNDINGS], adapter._found[MARKET_PROXY]
    around.transact(trader, "setBalance", trader, 10**22)
    market.transact(trader, "transferMargin", 10**22)
    shown = adapter.getters(chain)
    assert shown == adapter.decode(chain.time(), chain.read(adapter.slots))
    margin = PerpsV2.blank().names().index("positions[trader].margin")
    wrong = [value + 1 if place == margin else value for place, value in enumerate(shown)]
    views = list(adapter._wrong_views(wrong))
    assert f"remainingMargin(trader) is {10**22}, expected {10**22 + 1}" in views


def _price(adapter: PerpsV2Adapter, price: int) -> bytes:
    return adapter.encode(Call("set_price", {"price": price}))[2]


@needs_sources
def test_sources_compile_to_what_was_deployed() -> None:
    built = sources.compiled(sources.read())
    for name in sources.REBUILT:
        own, deployed = bytes.fromhex(built[name]["bytecode"]), shipped_contracts()[name].bytecode
        assert len(own) == len(deployed)
        differing = [at for at, pair in enumerate(zip(own, deployed, strict=True)) if pair[0] != pair[1]]
        assert differing[-1] - differing[0] < DIGEST
        assert built[name]["storageLayout"] == document()["layouts"].get(name, built[name]["storageLayout"])
        assert json.dumps(built[name]["abi"], sort_keys=True) == json.dumps(
            shipped_contracts()[name].abi, sort_keys=True
        )


@needs_sources
def test_the_contracts_that_travel_are_those_of_the_package() -> None:
    assert document() == made(), "run python -m tools.contracts_perps_v2 systems/perps_v2/contracts.json"


@needs_sources
def test_planted_bug_is_found() -> None:
    (bug,) = (bug for bug in load("perps-v2") if bug.id == "liquidator-takes-the-flag-fee")
    files = sources.read()
    files[bug.file] = files[bug.file].replace(bug.find, bug.replace)
    built: dict[str, Any] = sources.compiled(files)
    replaced = {name: artifact(name, built[name], name) for name in sources.REBUILT}
    target = EvmTarget("embedded", PerpsV2Adapter(replaced), Embedded())
    found = run(PerpsV2, target, 60_000, seed=1)
    assert found.divergences
    assert len(found.divergences[0].trace.steps) <= 8


def test_audit_of_a_generated_book_agrees_with_the_contracts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "marginspec", "audit", "perps-v2", "--accounts", "20", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["accounts"], found["different"], found["not_evaluated"]) == (20, 0, [])
    assert found["liquidatable"] > 0
    assert [total["total"] for total in found["totals"]] == [total["read"] for total in found["totals"]]
