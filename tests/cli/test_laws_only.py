"""`fuzz --laws-only`: an auditor takes nothing of an implementation for granted but what it shows."""

import functools
import json
from pathlib import Path

import pytest
from command import Command, refused, repeats

from marginspec.mutation import planted
from marginspec.systems.registry import shipped

CHAPTER = shipped("morpho-blue").chapter.properties


@pytest.fixture
def judge(here: Command) -> Command:
    """Runs `fuzz morpho-blue --laws-only`."""
    return functools.partial(here, "fuzz", "morpho-blue", "--laws-only")


@pytest.fixture
def candidate(tmp_path: Path) -> str:
    """A build from which anybody withdraws what is another's, as `--artifact` takes it."""
    (bug,) = (bug for bug in planted.load("morpho-blue") if bug.id == "withdraw-for-anybody")
    (contract,) = planted.build(bug).values()
    file = tmp_path / "Morpho.json"
    file.write_text(json.dumps({"abi": contract.abi, "bytecode": f"0x{contract.bytecode.hex()}"}))
    return f"Morpho={file}"


def test_the_deployed_contract_breaks_no_law_and_the_document_says_what_was_judged(judge: Command) -> None:
    done = judge("--steps", "600", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert "create_market: never accepted" in ", ".join(document["below_floor"]), "600 steps are too few"
    assert (document["schema"], document["steps"]) == ("marginspec/fuzz/1", 600)
    assert (document["divergences"], document["violations"], document["broken"]) == ([], [], [])
    assert document["comparisons"] == sum(document["laws"].values()) > 600
    assert document["laws"].keys() <= {law.id for law in CHAPTER}


def test_a_broken_law_is_told_in_english_with_a_short_trace_that_repeats(judge: Command, candidate: str) -> None:
    done = judge("--steps", "5000", "--artifact", candidate, "--json")
    document = json.loads(done.stdout)
    (found,) = document["violations"]
    law = next(law for law in CHAPTER if law.id == found["law"])
    assert done.returncode == 1
    assert found["text"] == law.law
    assert found["law"] in document["broken"]
    assert found["steps"] <= planted.LONGEST_TRACE
    assert found["case"].startswith("broken")
    trace = json.loads(Path(found["trace"]).read_text())
    assert trace["steps"][-1]["action"] == found["action"] == "withdraw"
    # Who reads only what every such document has sees a run that failed.
    (divergence,) = document["divergences"]
    assert (divergence["field"], divergence["trace"]) == (found["law"], found["trace"])
    assert (divergence["exports"], divergence["repeat"]) == (found["exports"], found["repeat"])


def test_a_broken_law_is_repeated_against_the_model(
    judge: Command, here: Command, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(judge("--steps", "5000", "--artifact", candidate, "--json").stdout)
    (found,) = document["violations"]
    repeats(here, found, monkeypatch)


def test_people_are_shown_the_law_and_how_to_go_on(judge: Command, candidate: str) -> None:
    done = judge("--steps", "5000", "--artifact", candidate)
    assert done.returncode == 1
    assert "broken by withdraw: MB-" in done.stdout
    assert f"--artifact {candidate}" in done.stdout
    assert "beside it, for itf, pytest, foundry: " in done.stdout
    assert "none broken" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "sdk"), "observations: laws need all of them"),
        (("--corpus", "here"), "--laws-only compares with none"),
        (("--steps", "0"), "give at least 1"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(arguments: tuple[str, ...], said: str, judge: Command) -> None:
    refused(judge(*arguments), said)
