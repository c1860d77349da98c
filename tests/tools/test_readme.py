"""What the README states as fact is what was found, and what was found is still so."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.cli.main import VERBS
from marginspec.lockstep.campaign import run
from marginspec.lockstep.rules_reached import rules_of
from marginspec.lockstep.trace import read, replay
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import regimes_of
from marginspec.properties.ranges import with_ranges
from marginspec.report import figures
from marginspec.systems.morpho_blue.sdk_target import DIFFERENCES, SdkTarget
from marginspec.systems.registry import NAMES, shipped
from tools import readme, session
from tools.findings import Withholding

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / readme.README).read_text()
RECORDED = (REPOSITORY / readme.SESSION).read_text()
FIGURES = json.loads((REPOSITORY / readme.FIGURES).read_text())
CLAIMS = with_ranges(MorphoBlue, shipped("morpho-blue").chapter)
DECLARED = [declared.id for declared, _ in DIFFERENCES]


def stated(pattern: str) -> list[int]:
    """The numbers of the one place in the recorded session that has this form."""
    ((*numbers,),) = re.findall(pattern, RECORDED)
    return [int(number.replace(",", "")) for number in numbers]


# --- The page ------------------------------------------------------------------------------------------------


def test_the_generated_blocks_are_what_findings_renders() -> None:
    assert readme.rendered(TEXT, REPOSITORY) == TEXT, "run `make figures`"


def test_a_readme_without_a_block_is_refused() -> None:
    with pytest.raises(BadInput, match="expected one block"):
        readme.rendered(TEXT.replace("<!-- end of sdk: make findings -->", ""), REPOSITORY)


def test_every_verb_has_its_row() -> None:
    verbs = re.findall(r"(?m)^\| `([a-z]+)` \|", TEXT.partition("\n| verb |")[2].partition("\n\n")[0])
    registered = [verb for verbs in VERBS.values() for verb in verbs]
    assert sorted(verbs) == sorted(registered)


def test_files_and_make_targets_that_are_named_exist() -> None:
    for name in re.findall(r"`((?:spec|prover|findings)/[\w./-]+)`", TEXT):
        assert (REPOSITORY / name).exists(), name
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"make (?:-C \S+ )?([a-z-]+)`?", TEXT.split("## Use")[1]):
        assert re.search(rf"(?m)^{target}:", makefile), target


# --- The session ---------------------------------------------------------------------------------------------


def test_the_session_is_of_these_commands_and_they_ended_as_it_says() -> None:
    commands = [line.removeprefix("$ ") for line in RECORDED.splitlines() if line.startswith("$ ")]
    assert commands[:2] == [session.CHECK, session.FUZZ]
    assert [command.split()[1] for command in commands] == ["check", "fuzz", "replay"]
    assert "verdict: holds" in RECORDED
    assert "replay: diverges" in RECORDED


def test_the_session_counts_the_laws_rules_and_regimes_that_there_are() -> None:
    proved, confirmed, refuted, unknown = stated(
        r"proofs: (\d+) proved \((\d+) confirmed by a second solver\), (\d+) refuted, (\d+) unknown"
    )
    assert (proved, confirmed, refuted, unknown) == (len(CLAIMS), len(CLAIMS), 0, 0), "run `make session`"
    checked = RECORDED.split("$ ")[1]
    rules, regimes = len(rules_of(MorphoBlue)) - len(MorphoBlue.never), len(regimes_of(MorphoBlue))
    assert re.search(rf"reach: \d+ of {rules} rules, \d+ of {regimes} regimes\n", checked), "run `make session`"


def test_the_lock_step_run_of_the_session_is_repeated_to_the_call() -> None:
    steps, accepted, rejected, compared = stated(
        r"against embedded, seed 1: ([\d,]+) steps \(([\d,]+) accepted, ([\d,]+) rejected\), ([\d,]+) values compared"
        r"[^\n]*\nreach: [^\n]*\n(?:  [^\n]*\n)*lock-step: no divergence"
    )
    target = shipped("morpho-blue").open("embedded", [])
    tally = run(MorphoBlue, target, steps, 1).tally
    found = (tally.accepted, tally.rejected, tally.comparisons)
    assert found == (accepted, rejected, compared), "run `make session`"


# --- The figures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_the_figures_meet_what_is_asked_of_them(name: str) -> None:
    known, claims = FIGURES[name], with_ranges(shipped(name).model, shipped(name).chapter)
    bench = known["bench"]
    assert bench["ratio"] >= 0.5
    assert bench["peak_bytes_of_a_million_steps"] < 2**30
    assert bench["proved"] == bench["confirmed"] == bench["properties"] == len(claims), "run `make bench`"
    runs = {name: found for name, found in known.items() if name.startswith("fuzz ")}
    assert [name for name, found in runs.items() if found["divergences"]] == []


def test_every_target_took_the_calls_of_the_same_seed_alike() -> None:
    anvil, sdk = FIGURES["morpho-blue"]["fuzz anvil"], FIGURES["morpho-blue"]["fuzz sdk"]
    for name in ("seed", "steps", "accepted", "rejected"):
        assert anvil[name] == sdk[name], f"{name}: run `make fuzz-anvil` and `make fuzz-sdk`"
    for name in ("rules", "regimes"):  # the SDK reaches only what it executes
        assert 0 < sdk[name][0] < anvil[name][0]


MUTATED = {
    "killed": 9,
    "survived": 0,
    "equivalent": 1,
    "total": 10,
    "killed_by_differential": 9,
    "killed_by_vectors": 2,
    "laws": 4,
    "laws_broken": 3,
    "planted": 5,
    "planted_killed": 4,
    "planted_killed_by_differential": 3,
    "planted_killed_by_laws": 2,
}


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (
            {"schema": "marginspec/mutate/1", "system": "vault", "summary": MUTATED},
            "| mutants of the model killed | 9 of 9, 1 equivalent ones aside | `make mutate` |",
        ),
        (
            {"schema": "marginspec/mutate/1", "system": "vault", "summary": MUTATED},
            "| laws that some mutant breaks | 3 of 4 | `make mutate` |",
        ),
        (
            {"schema": "marginspec/mutate/1", "system": "vault", "summary": MUTATED},
            "| by the lock-step run alone; by the laws alone, without a model | 3; 2 | `make mutate` |",
        ),
        (
            {
                "schema": "marginspec/upgrades/1",
                "system": "vault",
                "bugs": [{"steps": 3}, {"steps": None}],
                "summary": {"bugs": 2, "found": 1, "named": 1, "named_first": 0, "short": 1},
            },
            "| planted bugs as upgrades: `diff` names the rule | 1 of 2, 0 of them first | `make upgrades` |",
        ),
        (
            {
                "schema": "marginspec/vectors/1",
                "system": "vault",
                "vectors": 22,
                "failures": [],
                "paths": {"covered": 11, "infeasible": 1, "open": 0, "by_action": {}},
            },
            "| paths | 11 taken, 1 branches proved impossible, 0 open | `make conformance` |",
        ),
        (
            {
                "schema": "marginspec/planted/1",
                "system": "vault",
                "bugs": [{"found_after": 1200, "trace_length": 4}, {"found_after": None, "trace_length": 0}],
            },
            "| bugs planted in the contract found | 1 of 2 | `make planted` |",
        ),
    ],
    ids=["mutants", "laws", "killed", "upgrades", "vectors", "planted"],
)
def test_the_figures_of_a_document_have_their_row(document: Mapping[str, Any], shown: str) -> None:
    assert shown in figures.table(figures.figures_of(document))


def test_what_several_systems_have_is_side_by_side() -> None:
    paths = {"covered": 11, "infeasible": 1, "open": 0}
    vectors = {"vectors": {"vectors": 22, "failed": 0, **paths}}
    planted = {"planted": {"bugs": 2, "found": 1, "most_steps": 9, "longest_trace": 4}}
    both, alone = figures.table({"vault": vectors, "pawnshop": vectors | planted}).split("\n\n")
    assert "| paths | 11 taken, 1 branches proved impossible, 0 open | 11 taken" in both
    assert "planted" not in both
    assert "| bugs planted in the contract found | 1 of 2 | `make planted` |" in alone


# --- The differences that the SDK declares ---------------------------------------------------------------------


@pytest.mark.parametrize("id", DECLARED)
def test_a_declared_difference_is_where_its_trace_says_and_the_contract_has_none(id: str) -> None:
    trace = read(REPOSITORY / readme.SDK / f"{id}.json", MorphoBlue, NAMES)
    withholding, sdk, contract = Withholding(id), SdkTarget(), shipped("morpho-blue").open("embedded", [])
    try:
        undeclared, declared = replay(MorphoBlue, withholding, trace), replay(MorphoBlue, sdk, trace)
    finally:
        withholding.close()
        sdk.close()
    assert (undeclared.divergence, undeclared.at) == (trace.divergence, len(trace)), "run `make findings`"
    assert declared.divergence is None
    assert [found for found, _ in declared.declared] == [id]
    deployed = replay(MorphoBlue, contract, trace)
    assert (deployed.divergence, deployed.stale, dict(deployed.declared)) == (None, None, {})


def test_no_trace_is_kept_of_a_difference_that_is_not_declared() -> None:
    assert sorted(path.stem for path in (REPOSITORY / readme.SDK).iterdir()) == sorted(DECLARED)
