"""The reference venue's contracts: deployable, laid out alike, and worded as the specification words it."""

import itertools
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import run
from marginspec.lockstep.rules_reached import rules_of
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.model.reference import Reference
from marginspec.systems.reference.adapter import REASONS, ReferenceAdapter
from marginspec.systems.reference.build import CONTRACTS, compile_vyper, sources
from marginspec.targets.evm.artifact import Artifact, artifact, load_artifact
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

SPEC = Path(__file__).parents[2] / "spec" / "reference"
RULE = re.compile(r'"([A-Z]{3}-\d+)"')

EIP_170 = 24_576
EIP_3860 = 49_152

# Of the world, not of the venue: time, sources and tokens.
WORLD = {"donate", "set_balance", "set_transfer_fee", "set_token_fault", "set_source_fault", "advance_time", "post"}


@pytest.fixture(scope="module")
def built() -> dict[str, dict[str, Any]]:
    return compile_vyper(sources())


def selectors(contract: dict[str, Any]) -> set[bytes]:
    return set(artifact("", contract, "").selectors().values())


def size(code: str) -> int:
    return len(code.removeprefix("0x")) // 2


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_may_be_deployed(built: dict[str, dict[str, Any]], name: str) -> None:
    assert 0 < size(built[name]["bytecode_runtime"]) <= EIP_170
    assert size(built[name]["bytecode"]) <= EIP_3860


def test_both_contracts_of_the_venue_lay_out_the_same_state(built: dict[str, dict[str, Any]]) -> None:
    assert len(built["venue"]["layout"]) > 20
    assert built["venue"]["layout"] == built["resolution"]["layout"]


def test_no_function_is_in_both_contracts_of_the_venue(built: dict[str, dict[str, Any]]) -> None:
    assert selectors(built["venue"]) & selectors(built["resolution"]) == set()


def test_every_action_is_a_function_of_its_name(built: dict[str, dict[str, Any]]) -> None:
    functions = {f["name"]: f for name in CONTRACTS for f in built[name]["abi"] if f["type"] == "function"}
    assert set(actions_of(Reference)) - WORLD <= set(functions)


def test_the_reasons_of_the_contracts_are_the_refusals_of_the_model() -> None:
    said = {rule for text in sources().values() for rule in RULE.findall(text)}
    refusals = set()
    for path in {place.rpartition(":")[0] for places in rules_of(Reference).values() for place in places}:
        refusals |= set(re.findall(r'Rejected\("([A-Z]{3}-\d+)"\)', Path(path).read_text()))
    assert len(refusals) > 40
    # The token's.
    assert refusals - said == set(REASONS)
    # The constructor's.
    assert said - refusals == {"MRG-12", "MRG-14"}


def test_constants_have_the_values_of_the_text() -> None:
    numbers = {}
    for text in sources().values():
        for name, expression in re.findall(
            r"(?m)^([A-Z_]+): constant\(u?int256\) = ([\d_]+(?:\*\*[\d_]+)?(?: - 1)?)$", text
        ):
            value = eval(expression, {"__builtins__": {}})  # digits, `**` and `- 1` alone, by the pattern above
            assert numbers.setdefault(name, value) == value, f"two modules have different values of {name}"
    checked = set()
    for path in sorted(SPEC.glob("*.md")):
        for line in path.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
            for cell, amount in itertools.pairwise(cells):
                if (name := re.fullmatch(r"`([A-Z_]+)`", cell)) and name[1] in numbers:
                    base, _, exponent = amount.replace(",", "").split(" ")[0].partition("^")
                    assert numbers[name[1]] == Fraction(base) ** int(exponent or 1), name[1]
                    checked.add(name[1])
    assert len(checked) >= 28
    assert {"MAX_AMOUNT", "MAX_SIZE", "MAX_PRICE"} <= numbers.keys()


def test_storage_and_getters_say_what_the_model_says_at_the_beginning() -> None:
    target, genesis = EvmTarget("embedded", ReferenceAdapter({}), Embedded()), Reference.genesis().flatten()
    assert target.observe() == genesis
    assert target.recheck() == genesis


def test_model_and_contracts_agree_for_3000_steps() -> None:
    target = EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    campaign = run(Reference, target, 3000, 11)
    assert campaign.divergences == []
    assert campaign.tally.steps >= 3000
    assert campaign.tally.accepted > 1000


def together(*calls: Call) -> list[str | None]:
    """The rules that refuse each of the calls after the prelude, None where it is accepted, on which both agree."""
    model, target = Reference.genesis(), EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    rules = []
    for call in calls:
        outcome, answer = model.apply(call), target.apply(call)
        assert (answer.accepted, answer.returns, answer.reason) == (
            outcome.accepted,
            outcome.returns,
            outcome.rule or "",
        )
        assert target.observe() == model.flatten()
        rules.append(outcome.rule)
    return rules


@pytest.mark.parametrize(
    ("more", "price", "confidence", "refused"),
    [
        # Equity 94,789,473,700,000, which is also the maintenance margin; one unit of confidence is worth 2,500.
        (False, 37_915_789_474, 6, "LIQ-5"),
        (False, 37_915_789_474, 7, None),
        # Equity 94,791,474,781,579, which is 0.8 less than the requirement before it is rounded up.
        (True, 37_915_831_579, 16, "LIQ-5"),
        (True, 37_915_831_579, 17, None),
    ],
)
def test_at_exactly_maintenance_nobody_is_liquidated(
    more: bool, price: int, confidence: int, refused: str | None
) -> None:
    account, market = "trader_isolated", "BTC-PERP"
    odd = [
        Call("deposit", {"account": account, "token": "USD", "amount": 2000}),
        Call("trade", {"account": account, "maker": "maker", "market": market, "size": 1}),
    ]
    rules = together(
        Call("trade", {"account": account, "maker": "maker", "market": market, "size": 50_000}),
        *(odd if more else []),
        *(
            Call("post", {"asset": "BTC", "source": source, "price": price, "confidence": confidence})
            for source in ("first", "second")
        ),
        Call("update_price", {"caller": "keeper", "asset": "BTC"}),
        Call("liquidate", {"liquidator": "liquidator", "account": account, "market": market, "most": 1}),
    )
    assert rules == [None] * (len(rules) - 1) + [refused]


def test_a_candidate_takes_the_place_of_a_contract(tmp_path: Path) -> None:
    files = sources()
    assert files["trading.vy"].count('assert cash >= 0, "WDR-3"') == 1
    files["trading.vy"] = files["trading.vy"].replace('assert cash >= 0, "WDR-3"', 'assert cash >= 1, "WDR-3"')
    path = tmp_path / "venue.json"
    path.write_text(json.dumps(compile_vyper(files)["venue"]))
    target = EvmTarget("candidate", ReferenceAdapter({"venue": load_artifact("venue", path)}), Embedded())
    (found,) = run(Reference, target, 20_000, 1).divergences
    assert "WDR-3" in found.divergence.target


def test_a_candidate_that_is_none_is_refused_in_one_line() -> None:
    empty = Artifact("x", [], b"\x00")
    with pytest.raises(BadInput, match=r"^--artifact market: reference has venue, resolution, token, feed, keeper$"):
        ReferenceAdapter({"market": empty})
    with pytest.raises(BadInput, match=r"^--artifact feed: not a build of feed, it lacks function \w+\("):
        ReferenceAdapter({"feed": empty})


def test_an_error_of_the_compiler_is_one_line() -> None:
    with pytest.raises(BadInput, match=r"^vyper: feed\.vy: .*nothing") as raised:
        compile_vyper({**sources(), "feed.vy": "@external\ndef post():\n    self.nothing = 1\n"})
    assert "\n" not in str(raised.value)


def test_neither_node_nor_its_packages_are_needed(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from marginspec.targets.evm import build\n"
        "build.package = build.node = None\n"
        "from marginspec.systems.registry import system\n"
        "target = system('reference').open('embedded', [])\n"
        "sys.exit(target.observe() != system('reference').model.genesis().flatten())\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, env={**os.environ, "PATH": ""}, check=False
    )
    assert done.returncode == 0
