"""A counterexample as a file for pytest: it fails on what it was found with, and passes where that is mended."""

import ast
import dataclasses
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from false_laws import never_above_seven, nothing, priced

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import run
from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.trace import read, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover
from marginspec.results.documents import prove_document
from marginspec.runs.exports import write, write_law
from marginspec.systems import registry
from marginspec.systems.morpho_blue.adapter import shipped_contracts
from marginspec.systems.registry import NAMES, shipped, system
from marginspec.targets.evm.artifact import Artifact, candidates
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

REPOSITORY = Path(__file__).parents[2]

HOSTILE = '""" \\ \u202e\nimport os; os._exit(7) #'


def built(file: Path, build: Artifact) -> Path:
    file.write_text(json.dumps({"abi": build.abi, "bytecode": {"object": "0x" + build.bytecode.hex()}}))
    return file


def test_pytest_fails_on_the_wrong_build_and_passes_on_the_right_one(tmp_path: Path) -> None:
    shipped = shipped_contracts()["Morpho"]
    cursor, higher = ((part * 10**16).to_bytes(8, "big") for part in (30, 40))
    wrong = Artifact("Morpho", shipped.abi, shipped.bytecode.replace(cursor, higher))
    bad, good = built(tmp_path / "bad.json", wrong), built(tmp_path / "good.json", shipped)
    chosen = system("morpho-blue")
    target = EvmTarget("embedded", chosen.adapter({"Morpho": wrong}), Embedded())
    (found,) = run(chosen.model, target, 20_000, 1).divergences
    files, _ = write(chosen, found.trace, "higher-cursor", "embedded", candidates([f"Morpho={bad}"]), tmp_path)
    assert Path(files["pytest"]).name == "test_higher_cursor.py"

    def ended(**variables: str) -> int:
        # Without our own configuration: the file stands on its own.
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", files["pytest"]]
        environment = {**os.environ, **variables}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert "1 failed" in done.stdout or "1 passed" in done.stdout, done.stdout + done.stderr
        return done.returncode

    assert ended() == pytest.ExitCode.TESTS_FAILED
    assert ended(MARGINSPEC_MORPHO=str(good)) == pytest.ExitCode.OK


def only_test(file: str) -> Callable[[], None]:
    """The test in a file."""
    ((_, test),) = [(name, found) for name, found in runpy.run_path(file).items() if name.startswith("test_")]
    return test  # type: ignore[no-any-return]


def test_a_trace_of_the_sdk_runs_on_the_sdk_and_counts_what_is_declared(tmp_path: Path) -> None:
    recorded = read(REPOSITORY / "findings" / "sdk" / "SDK-3.json", MorphoBlue, NAMES)
    files, omitted = write(system("morpho-blue"), recorded, "SDK-3", "sdk", [], tmp_path)
    assert omitted == {"foundry": "sdk runs no contracts"}
    only_test(files["pytest"])()


def test_a_trace_that_the_model_no_longer_follows_fails(tmp_path: Path) -> None:
    call = Call("accrue_interest", {"caller": "owner", "market": "A"})
    trace = trace_of(MorphoBlue, "embedded", 1, [call], None)
    for changed in (
        dataclasses.replace(trace, digest="0" * 64),
        dataclasses.replace(trace, steps=(dataclasses.replace(trace.steps[0], rule="ACT-1"),)),
    ):
        files, _ = write(system("morpho-blue"), changed, "stale", "embedded", [], tmp_path)
        with pytest.raises(AssertionError):
            only_test(files["pytest"])()


def test_whatever_a_trace_says_stands_in_comments_and_strings(tmp_path: Path) -> None:
    call = Call("accrue_interest", {"caller": "owner", "market": "A"})
    found = Divergence(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    trace = trace_of(MorphoBlue, "embedded", 1, [call], found)
    files, _ = write(
        system("morpho-blue"), trace, HOSTILE.replace("/", ""), f"{sys.executable} {HOSTILE}", [], tmp_path
    )
    text = Path(files["pytest"]).read_text()
    assert text.isascii()
    imported = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert all(str(module).startswith("marginspec.") for module in imported)
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert "os._exit" not in calls


# --- Laws ----------------------------------------------------------------------------------------------------


def claimed(predicate: Callable[..., bool]) -> Property:
    """A theorem that assumes nothing."""
    like = shipped("morpho-blue").chapter.properties[0]
    law = "No fee is above 7.\u202e"
    return dataclasses.replace(like, id="NO-1", law=law, kind="theorem", predicate=predicate, given=(), relaxed=None)


def test_a_refuted_law_is_a_test_that_fails_until_the_law_holds_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, false = system("morpho-blue"), claimed(never_above_seven)
    verdict = Prover(MorphoBlue, recheck=False).alone(false)
    assert verdict.verdict == "refuted"
    (row,) = prove_document("morpho-blue", [verdict], 0.0)["properties"]
    file = write_law(chosen, row, tmp_path)
    assert Path(file).name == "test_morpho_blue_no_1.py"
    assert Path(file).read_bytes().isascii()

    def stated(*claims: Property) -> None:
        with_claims = dataclasses.replace(chosen, chapter=SimpleNamespace(properties=list(claims)))
        monkeypatch.setattr(registry, "shipped", lambda name: with_claims)

    stated(false)
    with pytest.raises(AssertionError):
        only_test(file)()
    stated(claimed(nothing))
    only_test(file)()
    stated()
    with pytest.raises(BadInput, match="NO-1"):
        only_test(file)()


def test_an_invariant_that_does_not_hold_at_first_is_a_test_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, false = system("morpho-blue"), dataclasses.replace(claimed(priced), kind="invariant")
    verdict = Prover(MorphoBlue, recheck=False).alone(false)
    (row,) = prove_document("morpho-blue", [verdict], 0.0)["properties"]
    file = write_law(chosen, row, tmp_path)
    with_claims = dataclasses.replace(chosen, chapter=SimpleNamespace(properties=[false]))
    monkeypatch.setattr(registry, "shipped", lambda name: with_claims)
    with pytest.raises(AssertionError):
        only_test(file)()
