"""Aave v3's contracts beside its model: what travels, what views compute, and that changes are noticed."""

import inspect
from collections.abc import Iterator
from dataclasses import replace

import pytest

from marginspec.lockstep.campaign import run
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.parameters import WETH
from marginspec.model.kernel.machine import actions_of
from marginspec.mutation.planted import load
from marginspec.systems.aave_v3 import sources
from marginspec.systems.aave_v3.adapter import REASONS, AaveV3Adapter, _term
from marginspec.systems.aave_v3.deployment import document, shipped_contracts, words
from marginspec.targets.evm.artifact import artifact
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from tools.contracts_aave_v3 import document as made

needs_sources = pytest.mark.skipif(not sources.fetched(), reason="its sources are not here: run `make packages`")


@pytest.fixture(scope="module")
def target() -> Iterator[EvmTarget]:
    """The contracts, to be run in lock-step."""
    made = EvmTarget("embedded", AaveV3Adapter({}), Embedded())
    yield made
    made.close()


def test_model_and_bytecode_agree(target: EvmTarget) -> None:
    found = run(AaveV3, target, 3_000, seed=5)
    assert found.divergences == []
    assert found.tally.steps == 3_000
    assert found.limits.unmodelled == ()
    assert {name for name, accepted in found.tally.actions if accepted} == set(actions_of(AaveV3))


def test_every_refusal_of_the_model_has_a_text() -> None:
    texts = [inspect.getsource(module) for module in texts_of(AaveV3) if "aave_v3" in module.__name__]
    refusals = {part.partition('"')[0] for part in "".join(texts).split('Rejected("')[1:]}
    assert refusals == set(REASONS)


def test_a_view_that_computes_something_else_is_noticed() -> None:
    adapter, chain = AaveV3Adapter({}), Embedded()
    adapter.deploy(chain)
    for call in AaveV3.prelude():
        chain.transact(*adapter.encode(call))
    shown = adapter.getters(chain)
    assert shown == adapter.decode(chain.time(), chain.read(adapter.slots))
    scaled = AaveV3.blank().names().index("claims[WETH][supplier].scaled")
    shown[scaled] += 7
    assert list(adapter._wrong_views(shown)) == ["AToken of WETH: balanceOf(supplier) is 0, expected 7"]


def test_a_flag_of_an_asset_that_there_is_not_is_shown() -> None:
    adapter, chain = AaveV3Adapter({}), Embedded()
    adapter.deploy(chain)
    flags = next(place for place, each in adapter._places if each.getter[0] == "getUserConfiguration")
    words = [1 << 6 if slot == flags else 0 for slot in adapter.slots]
    assert 1 << 6 in adapter.decode(chain.time(), words)


def test_terms_that_the_model_does_not_have_are_shown() -> None:
    word = next(iter(words()[WETH].values()))
    assert [_term(name)(word) for name in ("ltv", "is_active")] == [8000, True]
    siloed = word | 1 << 62
    assert _term("ltv")(siloed) == siloed


def test_a_function_that_only_a_candidate_has_is_not_excused() -> None:
    shipped = shipped_contracts()["Pool"]
    more = {"type": "function", "name": "drain", "inputs": [], "outputs": [], "stateMutability": "nonpayable"}
    candidate = replace(shipped, abi=[*shipped.abi, more])
    target = EvmTarget("embedded", AaveV3Adapter({"Pool": candidate}), Embedded())
    assert "Pool.drain()" in run(AaveV3, target, 50, seed=1).limits.unmodelled
    target.close()


@needs_sources
def test_the_contracts_that_travel_are_those_of_the_package() -> None:
    assert document() == made(), "run python -m tools.contracts_aave_v3 systems/aave_v3/contracts.json"


@needs_sources
@pytest.mark.long
def test_sources_compile_to_what_travels() -> None:
    built, shipped = sources.rebuilt(sources.read(), sources.REBUILT), shipped_contracts()
    assert {name: each["bytecode"] for name, each in built.items()} == {
        name: shipped[name].bytecode.hex() for name in sources.REBUILT
    }


@needs_sources
@pytest.mark.long
def test_planted_bug_is_found() -> None:
    (bug,) = (bug for bug in load("aave-v3") if bug.id == "fee-on-the-whole-seizure")
    files = sources.read()
    files[bug.file] = files[bug.file].replace(bug.find, bug.replace)
    built = sources.compiled(files)
    target = EvmTarget("embedded", AaveV3Adapter({n: artifact(n, built[n], n) for n in sources.REBUILT}), Embedded())
    found = run(AaveV3, target, 20_000, seed=1)
    target.close()
    assert found.divergences
    assert len(found.divergences[0].trace.steps) <= 8
