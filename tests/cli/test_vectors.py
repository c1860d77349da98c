"""`marginspec vectors` writes and runs vectors; a user's mistake is one clear line, a dead target another code."""

import functools
import json
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import Command, refused

from marginspec.conformance.explorer import Explorer
from marginspec.conformance.infeasibility import EFFORTS, QUICK, Feasibility
from marginspec.conformance.recorder import closes
from marginspec.conformance.search import described
from marginspec.conformance.selection import Chosen
from marginspec.conformance.theorems import BY_THEOREM
from marginspec.conformance.vectors import vectors_of, write
from marginspec.model.deployed.morpho_blue import Lltv, MorphoBlue
from marginspec.model.kernel import Call
from marginspec.model.kernel.machine import actions_of
from marginspec.mutation.planted import build, load
from marginspec.results.run_files import read_run
from marginspec.systems.reference.adapter import shipped_contracts
from marginspec.systems.registry import NAMES, shipped

BUG = "one-virtual-share"
SUPPLIED = Call("supply", {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"})
ALIKE = Call("set_owner", {"caller": "owner", "new_owner": "owner"})
LIKE_NOBODY = Call("set_owner", {"caller": "supplier", "new_owner": "owner"})


@pytest.fixture
def marginspec(here: Command) -> Command:
    """Runs `vectors`."""
    return functools.partial(here, "vectors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three vectors, written."""
    made = vectors_of(MorphoBlue, [(Chosen((call,)), "who may") for call in (ALIKE, LIKE_NOBODY, SUPPLIED)])
    write(MorphoBlue, made, {}, tmp_path / "vectors")
    return tmp_path / "vectors"


# --- Results ----------------------------------------------------------------------------------------------------------


def test_a_small_model_is_covered_from_end_to_end(here: Command, marginspec: Command) -> None:
    here("init", "escrow")
    done = marginspec("escrow", "--out", "out", "--steps", "400", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"] == "marginspec/vectors/1"
    assert (document["open"], document["failures"], document["verdict"]) == ([], [], "holds")
    assert done.returncode == 0
    assert document["paths"]["covered"] == sum(document["paths"]["by_action"].values()) > 10
    assert document["vectors"] == document["accepted"] + document["rejected"]
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["coverage"]["paths"] == document["paths"]
    again = marginspec("escrow", "--out", "again", "--steps", "400", "--json")
    assert json.loads(again.stdout)["files"] == document["files"]
    for name in document["files"]:
        assert Path("again", name).read_text() == Path("out", name).read_text(), "the same seed makes the same vectors"


def test_a_run_that_was_ended_replaces_no_more_vectors_than_it_found(
    marginspec: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "manifest.json").read_text()
    fewer = vectors_of(MorphoBlue, [(Chosen((ALIKE,)), "who may")])
    monkeypatch.setattr("marginspec.cli.vectors.searched", lambda *_: SimpleNamespace(vectors=fewer))
    monkeypatch.setattr("marginspec.cli.vectors.coverage_document", lambda *_: {})
    monkeypatch.setattr("marginspec.cli.vectors.cut_short", lambda: "the budget of 1 s is spent")
    done = marginspec("morpho-blue", "--out", str(folder), "--json")
    assert done.returncode == 3
    assert "files" not in json.loads(done.stdout)
    assert f"{folder} keeps 3 vectors of a run before" in done.stderr
    assert (folder / "manifest.json").read_text() == before
    monkeypatch.setattr("marginspec.cli.vectors.cut_short", lambda: "")
    assert marginspec("morpho-blue", "--out", str(folder), "--json").returncode == 0
    assert json.loads((folder / "manifest.json").read_text())["vectors"] == 1


def test_vectors_that_pass_are_counted(marginspec: Command, folder: Path) -> None:
    done = marginspec("morpho-blue", "--run", str(folder))
    assert done.returncode == 0
    assert "vectors: 3 of morpho-blue" in done.stdout
    assert "1 accepted and 2 rejected" in done.stdout
    assert "embedded: 3 passed, 0 failed" in done.stdout


def test_a_candidate_that_fails_a_vector_is_broken(marginspec: Command, folder: Path, tmp_path: Path) -> None:
    bug = next(bug for bug in load("morpho-blue") if bug.id == BUG)
    candidate = tmp_path / "Morpho.json"
    artifact = build(bug)["Morpho"]
    candidate.write_text(json.dumps({"abi": artifact.abi, "bytecode": "0x" + artifact.bytecode.hex()}))
    done = marginspec("morpho-blue", "--run", str(folder), "--artifact", f"Morpho={candidate}", "--json")
    document = json.loads(done.stdout)
    (tmp_path / "run.json").write_text(done.stdout)
    assert list(read_run([tmp_path / "run.json"]).documents) == ["vectors"], "what a report is made of"
    assert (document["verdict"], done.returncode) == ("broken", 1)
    assert {"vector", "field", "expected", "found"} == document["failures"][0].keys()
    assert document["failures"][0]["field"] == "returns"


# --- Mistakes ---------------------------------------------------------------------------------------------------------


def test_options_that_cannot_be_meant(marginspec: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(marginspec("venus"), "unknown system 'venus'")
    refused(marginspec("morpho-blue", "--steps", "0"), "--steps 0")
    refused(marginspec("morpho-blue", "--steps", "many"), "--steps")
    refused(marginspec("morpho-blue", "--out", "file"), "--out file: File exists")
    refused(marginspec("morpho-blue", "--out", "/proc/vectors"), "--out /proc/vectors: ")
    refused(marginspec("morpho-blue", "--artifact", "Morpho"), "Morpho")


def test_folders_without_vectors(marginspec: Command, folder: Path, tmp_path: Path) -> None:
    run = ("morpho-blue", "--run", str(folder))
    refused(marginspec("morpho-blue", "--run", "nowhere"), "nowhere/manifest.json: No such file")
    refused(marginspec("reference", "--run", str(folder)), "another genesis of morpho-blue")
    (folder / "set_owner.json").write_text("{")
    refused(marginspec(*run), "set_owner.json: not JSON")
    (folder / "manifest.json").write_text("[]")
    refused(marginspec(*run), "manifest.json: not of schema")
    (folder / "manifest.json").unlink()
    refused(marginspec(*run), "manifest.json: No such file")


def test_a_folder_with_files_of_somebody_is_refused_before_any_work(marginspec: Command, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    refused(marginspec("morpho-blue", "--out", "."), "README.md is no file of an earlier run")
    assert (tmp_path / "README.md").read_text() == "mine"


def test_vectors_that_were_cut_are_refused(marginspec: Command, folder: Path) -> None:
    file = folder / "set_owner.json"
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"vectors": document["vectors"][:1]}))
    refused(marginspec("morpho-blue", "--run", str(folder)), "set_owner.json: 1 vectors, not as the manifest has them")


def test_an_artifact_of_another_contract(marginspec: Command, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "venue.json"
    artifact = shipped_contracts()[0]["venue"]
    other.write_text(json.dumps({"abi": artifact.abi, "bytecode": "0x" + artifact.bytecode.hex()}))
    done = marginspec("morpho-blue", "--run", str(folder), "--artifact", f"Morpho={other}")
    assert done.returncode in (2, 4)
    assert len(done.stderr.splitlines()) == 1


def test_a_target_that_dies_is_no_verdict(marginspec: Command, folder: Path) -> None:
    run = ("morpho-blue", "--run", str(folder), "--target")
    refused(marginspec(*run, shlex.join([sys.executable, "-c", "raise SystemExit('gone')"])), "gone", 4)
    refused(marginspec(*run, "http://127.0.0.1:9"), "127.0.0.1:9", 4)
    refused(marginspec(*run, "sdk"), "implements only part")


# --- Proofs -----------------------------------------------------------------------------------------------------------


LEAST = {"perps-v2": 4}
"""Of gaps that a run closes; a market of few actions has few."""

# It takes minutes of a model whose decisions come after long products, or after curves.
LONG = dict.fromkeys(("aave-v3", "curie", "perps-v2", "lyra-v1"), pytest.mark.long)


@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG.get(name, ())) for name in NAMES])
def test_what_runs_can_do_is_never_proved_impossible(name: str) -> None:
    system = shipped(name)
    known = Explorer(system.model, 1)
    known.wander(1500)
    few = Explorer(system.model, 1)
    for witnesses in list(known.found.values())[::3]:
        few.add(witnesses[0].calls())
    feasible = [gap for gap in few.gaps() if closes(gap, known.ways)][::3]
    assert len(feasible) > LEAST.get(name, 8)
    proofs = Feasibility(system.model, system.chapter.properties, few.states())
    assert [gap for gap in feasible if proofs.excluded(gap, QUICK)] == []
    # An implication decides: what it decides must not be taken for a fact of every run.
    assert proofs.excluded(feasible[0], EFFORTS[-1]) is None


def test_what_no_call_can_do_is_proved_impossible() -> None:
    known = Explorer(MorphoBlue, 1)
    nothing = Call("supply", SUPPLIED.arguments | {"assets": 0})
    taken_back = Call("withdraw", SUPPLIED.arguments | {"receiver": "supplier"})
    lltv = max(MorphoBlue.universe[Lltv])
    for calls in ([nothing], [SUPPLIED, taken_back], [Call("enable_lltv", {"caller": "owner", "lltv": lltv})]):
        known.add(calls)
    proofs = Feasibility(MorphoBlue, shipped("morpho-blue").chapter.properties, known.states())
    recorder = known.traced.recorder
    gaps = {(gap.action, described(recorder, gap)): gap for gap in known.gaps()}
    twice = gaps["supply", "_exactly_one: x == 0 is True, y == 0 is True, x == 0 == y == 0 is False"]
    assert proofs.excluded(twice, QUICK) == "impossible in _exactly_one"
    free = gaps["enable_lltv", "enable_lltv: lltv >= WAD is False"]
    assert [proofs.excluded(free, effort) for effort in EFFORTS] == [None, None, None]
    unpaid = gaps["withdraw", "_push: self.balance[token][MORPHO] < amount is True"]
    assert proofs.excluded(unpaid, QUICK) == "TOK-5 never refuses, by MB-INV-12"


def test_laws_that_exclude_a_path_exist() -> None:
    for (name, action, _), why in BY_THEOREM.items():
        laws = {claim.id for claim in shipped(name).chapter.properties}
        assert action in actions_of(shipped(name).model)
        assert set(why.partition(":")[0].split(" and ")) <= laws
