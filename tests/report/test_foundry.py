"""A divergence as a test for Foundry: it fails on the build that it was found with, and passes on the contracts as
shipped. forge itself compiles and runs ten of them."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import function_abi_to_4byte_selector

from marginspec.base.errors import NothingCompared
from marginspec.lockstep.campaign import run
from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.model.kernel import Call
from marginspec.report import solidity
from marginspec.results.scenario import Inexpressible, Scene
from marginspec.runs.exports import write
from marginspec.systems.registry import shipped, system
from marginspec.targets.evm.artifact import Artifact, candidates
from marginspec.targets.evm.build import node, package
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

YEAR = 365 * 24 * 60 * 60

# Builds that are wrong in one place of their bytecode, which takes no compiler: contract, what stands there, what
# should not. Of every kind is one: what is refused, why, what is returned, what is observed after.
WRONG = {
    "morpho-blue": [
        ("Morpho", b"insufficient collateral", b"insufficient collatarel"),
        ("Morpho", b"inconsistent input", b"inconsistent imput"),
        ("Morpho", b"not owner", b'"*/\n \\u00'),
        ("Morpho", (3 * 10**17).to_bytes(8, "big"), (4 * 10**17).to_bytes(8, "big")),
        ("Morpho", (115 * 10**16).to_bytes(8, "big"), (105 * 10**16).to_bytes(8, "big")),
        ("Morpho", (10**6).to_bytes(3, "big"), (10**5).to_bytes(3, "big")),
        ("IrmMock", YEAR.to_bytes(4, "big"), (YEAR - 1).to_bytes(4, "big")),
    ],
    "reference": [
        ("venue", b"COL-6", b"COL-0"),
        ("token", b"insufficient balance", b"insufficient balanec"),
        ("keeper", (1000).to_bytes(2, "big"), (1001).to_bytes(2, "big")),
    ],
}

# solc-js as forge expects a compiler: it says its version, takes JSON and writes all of its answer before it ends.
COMPILER = """\
#!{node}
const solc = require({package});
const fs = require("fs");
if (process.argv.includes("--version")) console.log(`Version: ${{solc.version()}}`);
else fs.writeSync(1, solc.compile(fs.readFileSync(0, "utf8")));
"""

PROJECT = """\
[profile.default]
solc = "./solc"
src = "src"
test = "test"
fs_permissions = [{ access = "read", path = "./good" }]
"""

HOSTILE = 'x"\n*/ } contract \u202e é \U0001f600 \\u0022 // @custom'


def changed(shipped: Artifact, old: bytes, new: bytes) -> Artifact:
    """A build that is wrong in one place."""
    assert len(old) == len(new)
    assert old in shipped.bytecode
    return Artifact(shipped.name, shipped.abi, shipped.bytecode.replace(old, new))


def found(name: str, build: Artifact) -> Trace:
    """The shrunk trace of a divergence of a wrong build."""
    chosen = system(name)
    target = EvmTarget("embedded", chosen.adapter({build.name: build}), Embedded())
    for seed in range(1, 9):
        try:
            campaign = run(chosen.model, target, 20_000, seed)
        except NothingCompared:  # it differed in the very first call
            continue
        if campaign.divergences:
            return campaign.divergences[0].trace
    raise AssertionError(f"no run tells this build of {build.name} from the right one")


def artifact(file: Path, build: Artifact) -> Path:
    """A build as Hardhat writes it."""
    file.write_text(json.dumps({"abi": build.abi, "bytecode": "0x" + build.bytecode.hex()}))
    return file


def trace(name: str, calls: list[Call], divergence: Divergence | None) -> Trace:
    return trace_of(system(name).model, "embedded", 1, calls, divergence)


def forge(project: Path, **variables: str) -> dict[str, dict[str, Any]]:
    """What became of each test in a project, by the name of its contract."""
    done = subprocess.run(
        [node(), str(package("@foundry-rs/forge") / "bin.mjs"), "test", "--offline", "--json"],
        cwd=project,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    suites = json.loads(done.stdout)
    return {name.partition(":")[2]: suite["test_results"] for name, suite in suites.items()}


def test_ten_counterexamples_fail_in_forge_on_the_wrong_build_and_pass_on_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "foundry.toml").write_text(PROJECT)
    compiler = tmp_path / "solc"
    compiler.write_text(COMPILER.format(node=node(), package=json.dumps(str(package("solc")))))
    compiler.chmod(0o755)
    (tmp_path / "good").mkdir()
    wrong: set[str] = set()
    right: dict[str, str] = {}
    for name, places in WRONG.items():
        builds = shipped(name).contracts()
        for contract, build in builds.items():
            artifact(tmp_path / "good" / f"{contract}.json", build)
            right[f"MARGINSPEC_{contract.upper()}"] = f"good/{contract}.json"
        for contract, old, new in places:
            build = changed(builds[contract], old, new)
            file = artifact(tmp_path / f"{contract}-{len(wrong)}.json", build)
            counterexample = f"{name}-{len(wrong)}"
            options = "embedded", candidates([f"{contract}={file}"]), tmp_path / "test"
            _, omitted = write(system(name), found(name, build), counterexample, *options)
            assert omitted == {}
            wrong.add(f"{''.join(map(str.capitalize, counterexample.split('-')))}Test")
    # A trace is a file from anywhere: whatever it says, it is a test of its calls and nothing else.
    supply = Call("supply_collateral", {"caller": "supplier", "market": "A", "assets": 7, "on_behalf": "supplier"})
    told = trace("morpho-blue", [supply], Divergence(HOSTILE, "outcome", HOSTILE, HOSTILE))
    write(system("morpho-blue"), told, "1 hostile", "embedded", [], tmp_path / "test")

    recorded, shipped_ones = forge(tmp_path), forge(tmp_path, **right)

    assert len(wrong) == 10
    assert recorded.keys() == shipped_ones.keys() == wrong | {"Trace1HostileTest"}
    for contract, tests in recorded.items():
        ((test, result),) = tests.items()
        assert test.startswith("test_"), f"{contract}: {result['reason']}"
        assert result["status"] == ("Failure" if contract in wrong else "Success"), contract
    statuses = {c: [result["status"] for result in tests.values()] for c, tests in shipped_ones.items()}
    assert statuses == {contract: ["Success"] for contract in shipped_ones}


def test_the_file_names_the_build_roles_and_calls_and_asserts_what_the_model_says(tmp_path: Path) -> None:
    build = shipped("morpho-blue").contracts()["Morpho"]
    file = artifact(tmp_path / "Morpho.json", build)
    calls = [
        Call("supply", {"caller": "supplier", "market": "A", "assets": 10**18, "shares": 0, "on_behalf": "borrower"}),
        Call("advance_time", {"seconds": 12}),
        Call("set_owner", {"caller": "borrower", "new_owner": "borrower"}),
    ]
    differs = Divergence("OWN-6", "positions[A][borrower].supply_shares", "1", "2")
    told = trace("morpho-blue", calls, differs)
    files, _ = write(system("morpho-blue"), told, "a-b", "embedded", candidates([f"Morpho={file}"]), tmp_path)
    text = Path(files["foundry"]).read_text()
    lines = [line.strip() for line in text.splitlines()]
    at = lines.index("function test_a_b() public {")
    assert lines[at + 1 : at + 15] == [
        "// 1. supply(caller=supplier, market=A, assets=1000000000000000000, shares=0, on_behalf=borrower)",
        "vm.prank(SUPPLIER);",
        'morpho.supply(marketA, 1e18, 0, BORROWER, "");',
        "",
        "// 2. advance_time(seconds=12)",
        "vm.warp(1_700_000_012);",
        "",
        "// 3. set_owner(caller=borrower, new_owner=borrower), which rule OWN-6 refuses",
        'vm.expectRevert("not owner");',
        "vm.prank(BORROWER);",
        "morpho.setOwner(BORROWER);",
        "",
        "// positions[A][borrower].supply_shares",
        "uint256 found = _word(",
    ]
    assert 'vm.assertEq(found, 1e24, "positions[A][borrower].supply_shares");' in lines
    assert "candidate build of Morpho" in text
    assert build.bytecode.hex() in text


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("morpho-blue", Call("accrue_interest", {"caller": "owner", "market": "A"})),
        ("reference", Call("update_price", {"caller": "keeper", "asset": "ETH"})),
    ],
)
def test_the_getter_of_an_observation_answers_what_the_model_says(name: str, call: Call) -> None:
    chosen, chain = system(name), Embedded()
    target = EvmTarget("embedded", chosen.adapter({}), chain)
    assert target.apply(call).accepted
    scene, sample = Scene(chosen, {}), chosen.model.blank().names()[1::14]
    for observation in sample:
        shown = scene.document(trace(name, [call], Divergence(call.action, observation, "", "")))["shown"]
        function, expected = shown["function"], shown["expected"]
        types = [entry["type"] for entry in function["inputs"]]
        values = [bytes.fromhex(v) if t == "bytes32" else v for t, v in zip(types, shown["values"], strict=True)]
        answer = chain.call(shown["to"], function_abi_to_4byte_selector(function) + encode(types, values))
        at = 32 * shown["word"]
        number = int(expected, 16) if isinstance(expected, str) else int(expected)
        assert int.from_bytes(answer[at : at + 32], "big") == number % 2**256, observation


def test_a_difference_that_no_transaction_can_show_is_left_out_with_the_reason(tmp_path: Path) -> None:
    call = Call("accrue_interest", {"caller": "owner", "market": "A"})
    for field in ("now", "observations", "never"):
        told = trace("morpho-blue", [call], Divergence("accrue_interest", field, "", ""))
        with pytest.raises(Inexpressible):
            Scene(system("morpho-blue"), {}).document(told)
        files, omitted = write(system("morpho-blue"), told, field, "embedded", [], tmp_path)
        assert files.keys() == {"itf", "pytest"}
        assert omitted["foundry"]


def test_text_cannot_leave_a_comment_or_a_string() -> None:
    assert solidity.plain(HOSTILE).isprintable()
    assert solidity.plain(HOSTILE).isascii()
    literal = solidity.literal(HOSTILE)
    assert literal.isprintable()
    assert literal.isascii()
    assert literal.count('"') == 2
    assert (
        bytes.fromhex(re.sub(r"\\x(..)|(.)", lambda m: m[1] or f"{ord(m[2]):02x}", literal[1:-1])) == HOSTILE.encode()
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "10_000"),
        (-10_000, "-10_000"),
        (1_700_000_000, "1_700_000_000"),
        (10**18, "1e18"),
        (-25 * 10**16, "-25e16"),
        (799999999999999997, "799_999_999_999_999_997"),
        (2**256 - 1, "type(uint256).max"),
    ],
)
def test_integers_are_written_as_people_write_them(value: int, written: str) -> None:
    assert solidity.integer(value) == written
