"""A user's mistake is one line and exit code 2, a dead target one line and 4; results are one JSON document."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marginspec.differential.trace import document, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.targets.evm.build import package
from marginspec.targets.morpho_blue.adapter import shipped_contracts
from marginspec.targets.protocol import BadInput

FUZZ_FIELDS = {
    "schema",
    "system",
    "target",
    "seed",
    "sequences",
    "steps",
    "accepted",
    "rejected",
    "comparisons",
    "divergences",
    "declared",
    "rules",
    "regimes",
    "unreached",
    "steps_per_second",
}


def marginspec(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "marginspec.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **options)


def refused(done: subprocess.CompletedProcess[str], code: int, said: str) -> None:
    """The command said one thing, on standard error, and ended with a code."""
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("marginspec: ")
    assert said in line
    assert done.returncode == code


# --- Options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fuzz", "no-such-system"], "unknown system 'no-such-system': known are morpho-blue"),
        (["fuzz", "--steps", "0"], "--steps 0"),
        (["fuzz", "--steps", "many"], "valid integer"),
        (["fuzz", "--no-such-option"], "--no-such-option"),
        (["prove", "--only", "NO-1"], "morpho-blue has no property of this ID"),
        (["fuzz", "--target", "no-such-target"], "expected embedded, anvil, sdk"),
        (["fuzz", "--target", "http://example.com:8545"], "example.com is not this machine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_argument_that_cannot_be_meant_is_one_line_and_code_2(arguments: list[str], said: str) -> None:
    refused(marginspec(*arguments), 2, said)


def test_a_node_that_cannot_be_reached_is_one_line_and_code_4() -> None:
    refused(marginspec("fuzz", "--steps", "5", "--target", "http://127.0.0.1:1"), 4, "http://127.0.0.1:1")


# --- Artifacts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        ('{"abi": [', "not JSON"),
    ],
    ids=["missing", "truncated"],
)
def test_an_artifact_that_cannot_be_read_is_one_line_and_code_2(content: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "Morpho.json"
    if content is not None:
        path.write_text(content)
    refused(marginspec("fuzz", "--steps", "5", "--artifact", f"Morpho={path}"), 2, said)


def test_an_artifact_of_another_contract_is_one_line_that_names_what_it_lacks(tmp_path: Path) -> None:
    token = shipped_contracts()["ERC20Mock"]
    path = tmp_path / "ERC20Mock.json"
    path.write_text(json.dumps({"abi": token.abi, "bytecode": f"0x{token.bytecode.hex()}"}))
    done = marginspec("fuzz", "--steps", "5", "--artifact", f"Morpho={path}")
    refused(done, 2, "not a build of Morpho, it lacks function accrueInterest")


# --- Traces --------------------------------------------------------------------------------------------------


def recorded() -> dict[str, Any]:
    """A good trace of one step."""
    supply = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
    return document(MorphoBlue, trace_of(MorphoBlue, "embedded", 1, [Call("supply", supply)], None))


def truncated(trace: dict[str, Any]) -> str:
    return json.dumps(trace)[:-100]


def of_another_system(trace: dict[str, Any]) -> str:
    return json.dumps(trace | {"system": "another-venue"})


def of_another_genesis(trace: dict[str, Any]) -> str:
    return json.dumps(trace | {"genesis": trace["genesis"] | {"digest": "0" * 64}})


def with_number(trace: dict[str, Any]) -> str:
    trace["steps"][0]["arguments"]["assets"] = 7
    return json.dumps(trace)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (truncated, "it was truncated"),
        (of_another_system, "unknown system 'another-venue'"),
        (of_another_genesis, "another genesis"),
        (with_number, "$.steps[0].arguments.assets"),
    ],
)
def test_a_bad_trace_is_one_line_that_names_the_file_and_the_place(
    change: Callable[[dict[str, Any]], str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    path.write_text(change(recorded()))
    done = marginspec("replay", str(path))
    refused(done, 2, said)
    assert "trace.json" in done.stderr


def test_a_hostile_trace_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    trace = recorded()
    trace["steps"][0]["action"] = "x\u202e\n\x1b[31m"
    path.write_text(json.dumps(trace))
    done = marginspec("replay", str(path))
    refused(done, 2, "")
    assert done.stderr.removesuffix("\n").isprintable()


def test_a_good_trace_is_replayed_and_holds(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(recorded()))
    done = marginspec("replay", str(path), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["divergence"] is None
    assert json.loads(done.stdout)["stale"] is None


# --- Machines without Node -----------------------------------------------------------------------------------


def test_a_package_that_is_not_there_on_a_machine_without_npm_says_to_install_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"no-such-package is needed and npm is not on this machine: install Node 20"):
        package("no-such-package")


def test_a_machine_without_npm_is_told_to_install_node_and_code_2(tmp_path: Path) -> None:
    without = {**os.environ, "PATH": str(tmp_path), "MARGINSPEC_CACHE": str(tmp_path / "cache")}
    done = marginspec("fuzz", "--steps", "5", cwd=tmp_path, env=without)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    # Where the packages are found beside our own files, the line before says that the compiler was to run.
    assert "not on this machine: install Node 20" in done.stderr.splitlines()[-1]


# --- Documents -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_document_with_the_fields_of_the_contract() -> None:
    runs = [marginspec("fuzz", "--steps", "200", "--seed", "7", "--json") for _ in range(2)]
    assert [done.returncode for done in runs] == [0, 0]
    first, second = (json.loads(done.stdout) for done in runs)
    assert first.keys() >= FUZZ_FIELDS
    assert (first["schema"], first["system"], first["target"]) == ("marginspec/fuzz/1", "morpho-blue", "embedded")
    assert (int(first["seed"]), int(first["steps"])) == (7, 200)
    assert int(first["accepted"]) + int(first["rejected"]) == 200
    assert int(first["comparisons"]) > 0
    assert (first["divergences"], first["declared"]) == ([], [])
    assert first.pop("steps_per_second") > 0
    second.pop("steps_per_second")
    assert first == second


def test_a_regime_that_had_to_be_reached_and_was_not_is_code_3() -> None:
    done = marginspec("fuzz", "--steps", "5", "--require-reach", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["unreached"] != []
