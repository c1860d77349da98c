"""A user's mistake is one line and exit code 2, a dead target one line and 4; results are one JSON document."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Command, Done, refused

from marginspec.base.errors import BadInput
from marginspec.cli import main
from marginspec.lockstep.trace import document, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.mutation.run import read_equivalents
from marginspec.systems.morpho_blue.adapter import shipped_contracts
from marginspec.targets.evm.build import package

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


COMMAND = (sys.executable, "-m", "marginspec")
SYSTEM_VERBS = ("check", "prove", "fuzz", "mutate", "rules")
VERBS = sorted(verb for verbs in main.VERBS.values() for verb in verbs)
RUNS = ("check", "fuzz", "mutate")


def marginspec(*arguments: str, **options: Any) -> Done:
    """Run the command."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **options
    )


SERVICE = """
import json, sys
kept = {}
for line in sys.stdin:
    asked = json.loads(line)
    answer = {}
    if asked["op"] == "describe":
        answer = {"name": "yes-man", "actions": ["supply", "borrow"], "observations": asked["variables"][-1:]}
    elif asked["op"] == "load":
        kept.update(asked["state"])
    elif asked["op"] == "observe":
        answer = {"observations": kept}
    elif sys.argv[1].startswith("{"):
        answer = json.loads(sys.argv[1])
    else:
        sys.exit(sys.argv[1])
    print(json.dumps(answer), flush=True)
"""


def service(folder: Path, ends: str) -> str:
    """The command of a service that accepts every call, or that ends at the first one with these words."""
    program = folder / "service.py"
    program.write_text(SERVICE)
    answer = json.dumps({"outcome": "accepted", "returns": ["0", "0"]}) if ends == "accepted" else ends
    return shlex.join([sys.executable, str(program), answer])


# --- Options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        *(
            ([verb, "no-such-system"], "unknown system 'no-such-system': known are aave-v3, curie, morpho-blue")
            for verb in SYSTEM_VERBS
        ),
        *(([verb, "reference", "--steps", "0"], "--steps 0: a run that compares nothing is no pass") for verb in RUNS),
        *(([verb, "--steps", "many"], "'--steps': Input should be a valid integer") for verb in RUNS),
        *(
            ([verb, "--seed", "many"], "'--seed': Input should be a valid integer")
            for verb in (*SYSTEM_VERBS, "replay")
        ),
        *(([verb, "--no-such-option"], f"--no-such-option; see `marginspec {verb} --help`") for verb in SYSTEM_VERBS),
        *(
            ([verb, "morpho-blue", "--target", "no-such-target"], "expected embedded, anvil, sdk")
            for verb in ("check", "fuzz")
        ),
        *(([verb, "reference", "--target", "'"], "not a command") for verb in ("check", "fuzz")),
        (["no-such-verb"], "no-such-verb"),
        (["replay"], "'TRACE'"),
        (["prove", "morpho-blue", "--only", "MB-LQ-1"], "morpho-blue has no property MB-LQ-1; did you mean MB-LIQ-1?"),
        (
            ["prove", "morpho-blue", "--only", "MB-REV-5", "--emit-smt2", os.devnull],
            "give a folder that can be written",
        ),
        (["fuzz", "morpho-blue", "--target", "http://example.com:8545"], "example.com is not this machine"),
        (["fuzz", "morpho-blue", "--target", "http://127.0.0.1:port"], "not a node's URL"),
        (["fuzz", "morpho-blue", "--target", "./no-such-program"], "cannot start"),
        (["fuzz", "morpho-blue", "--target", "sdk", "--artifact", "Morpho=x"], "x: No such file"),
        (["fuzz", "morpho-blue", "--artifact", "Morpho"], "expected NAME=FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_argument_that_cannot_be_meant_is_one_line_and_code_2(
    arguments: list[str], said: str, here: Command
) -> None:
    refused(here(*arguments), said)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_says_how_it_ends(verb: str, here: Command) -> None:
    done = here(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("--json", "--seed", "Exit code 0: "):
        assert said in done.stdout


def test_a_service_that_dies_in_the_middle_is_one_line_with_its_last_words_and_code_4(tmp_path: Path) -> None:
    done = marginspec(
        "fuzz", "morpho-blue", "--steps", "1000", "--target", service(tmp_path, "out of memory"), cwd=tmp_path
    )
    refused(done, "it said: out of memory", 4)


# --- Artifacts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        ('{"abi": [', "not JSON"),
    ],
    ids=["missing", "truncated"],
)
def test_an_artifact_that_cannot_be_read_is_one_line_and_code_2(
    content: str | None, said: str, here: Command, tmp_path: Path
) -> None:
    path = tmp_path / "Morpho.json"
    if content is not None:
        path.write_text(content)
    good = tmp_path / "trace.json"
    good.write_text(json.dumps(recorded()))
    for verb in (["fuzz", "morpho-blue", "--steps", "5"], ["check", "morpho-blue"], ["replay", str(good)]):
        refused(here(*verb, "--artifact", f"Morpho={path}"), said)


def test_a_malformed_list_of_equivalent_mutants_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "morpho-blue.equivalent.toml"
    for text in ("[[equivalent]", '[[equivalent]]\nid = "x"\n'):
        path.write_text(text)
        with pytest.raises(BadInput, match=re.escape(str(path))):
            read_equivalents(path)


def test_an_artifact_of_another_contract_is_one_line_that_names_what_it_lacks(tmp_path: Path) -> None:
    token = shipped_contracts()["ERC20Mock"]
    path = tmp_path / "ERC20Mock.json"
    path.write_text(json.dumps({"abi": token.abi, "bytecode": f"0x{token.bytecode.hex()}"}))
    done = marginspec("fuzz", "morpho-blue", "--steps", "5", "--artifact", f"Morpho={path}")
    refused(done, "not a build of Morpho, it lacks function accrueInterest")


def sixth_field(abi: list[Any]) -> None:
    """A market has one parameter more."""
    for entry in abi:
        for given in entry.get("inputs", ()):
            if given["type"] == "tuple" and given["name"] == "marketParams":
                given["components"].append({"name": "cap", "type": "uint256"})


def second_argument(abi: list[Any]) -> None:
    """The constructor takes a fee too."""
    (constructor,) = (entry for entry in abi if entry["type"] == "constructor")
    constructor["inputs"].append({"name": "fee", "type": "uint256"})


def as_it_is(abi: list[Any]) -> None:
    """The interface of the contract itself."""


RUNTIME_OF_25_000_BYTES = "6161a880600b6000396000f3" + "00" * 25_000


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (sixth_field, "", "it has accrueInterest((address,address,address,address,uint256,uint256))"),
        (second_argument, "", "not a build of Morpho, its constructor takes (address,uint256), expected (address)"),
        (as_it_is, "60006000fd", "contract Morpho cannot be deployed: its constructor reverts without a reason"),
        (as_it_is, "00" * 49_153, "contract Morpho cannot be deployed: its creation code is larger than"),
        (as_it_is, RUNTIME_OF_25_000_BYTES, "contract Morpho cannot be deployed: its code is larger than the 24,576"),
        (as_it_is, "fe", "contract Morpho cannot be deployed: its constructor reverts: halt: "),
    ],
    ids=["a sixth field", "a second argument", "runtime code", "much code", "much of it kept", "a trap"],
)
def test_an_artifact_that_cannot_take_the_place_of_the_contract_is_one_line_that_says_why(
    change: Callable[[list[Any]], None], code: str, said: str, here: Command, tmp_path: Path
) -> None:
    morpho, path = shipped_contracts()["Morpho"], tmp_path / "Morpho.json"
    abi = json.loads(json.dumps(morpho.abi))
    change(abi)
    path.write_text(json.dumps({"abi": abi, "bytecode": code or morpho.bytecode.hex()}))
    refused(here("fuzz", "morpho-blue", "--steps", "5", "--artifact", f"Morpho={path}"), said)


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
        (of_another_system, "system 'another-venue' is none of "),
        (of_another_genesis, "another genesis"),
        (with_number, "$.steps[0].arguments.assets"),
    ],
)
def test_a_bad_trace_is_one_line_that_names_the_file_and_the_place(
    change: Callable[[dict[str, Any]], str], said: str, here: Command, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    path.write_text(change(recorded()))
    done = here("replay", str(path))
    refused(done, said)
    assert "trace.json" in done.stderr


def test_a_hostile_trace_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    trace = recorded()
    trace["steps"][0]["action"] = "x\u202e\n\x1b[31m"
    path.write_text(json.dumps(trace))
    done = marginspec("replay", str(path))
    refused(done, "")
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
    done = marginspec("fuzz", "morpho-blue", "--target", "sdk", "--steps", "5", cwd=tmp_path, env=without)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "install Node 20" in done.stderr.splitlines()[-1]


# --- Files that cannot be written ----------------------------------------------------------------------------


def test_a_trace_that_cannot_be_where_it_belongs_is_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    target = service(tmp_path, "accepted")
    done = marginspec("fuzz", "morpho-blue", "--steps", "100", "--target", target, "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    (found,) = json.loads(done.stdout)["divergences"]
    again = marginspec("replay", found["trace"], "--target", target, "--json", cwd=tmp_path)
    assert again.returncode == 1
    assert json.loads(again.stdout)["divergence"].items() >= {key: found[key] for key in ("rule", "field")}.items()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device of Linux")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "document"])
def test_a_result_that_cannot_be_written_is_one_line_and_code_2(form: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "rules", "reference", *form], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "marginspec: No space left on device\n"


# --- Documents -----------------------------------------------------------------------------------------------

COUNTED = {
    *(
        "sequences",
        "steps",
        "accepted",
        "rejected",
        "refused",
        "comparisons",
        "not_compared",
        "followed",
        "count",
        "steps_per_second",
    ),
    *("paths", "obligations", "seconds", "proved", "refuted", "unknown", "confirmed", "step"),
    *("laws", "lemmas", "algebra", "limited", "rechecked", "cases"),
}
"""Fields that hold what the tool counts or measures. Hits, by rule and by regime, are counts too."""


def numbers_in(value: Any, field: str = "") -> set[str]:
    """The fields of a document that hold JSON numbers."""
    if isinstance(value, dict):
        inner = (numbers_in(v, field if field in ("rules", "regimes") else k) for k, v in value.items())
        return set().union(*inner)
    if isinstance(value, list):
        return set().union(*(numbers_in(item, field) for item in value))
    return {field} if isinstance(value, (int, float)) and not isinstance(value, bool) else set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["prove", "morpho-blue", "--only", "MB-HLT-5", "--only", "MB-LIQ-1"],
        ["fuzz", "morpho-blue", "--steps", "100"],
        ["fuzz", "morpho-blue", "--steps", "100", "--target", "yes-man"],
        ["replay", "trace.json"],
        ["rules", "morpho-blue"],
    ],
    ids=["prove", "fuzz", "fuzz with a divergence", "replay", "rules"],
)
def test_counts_are_numbers_and_all_else_is_text(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "trace.json").write_text(json.dumps(recorded()))
    given = [service(tmp_path, "accepted") if a == "yes-man" else a for a in arguments]
    done = marginspec(*given, "--json", cwd=tmp_path)
    # Progress, if anything, where a machine is slow.
    assert re.fullmatch(r"(marginspec: [\w ]+: [\d,]+ of [\d,]+, \d+ s\n)*", done.stderr)
    found = json.loads(done.stdout)
    assert found["schema"] == f"marginspec/{arguments[0]}/1"
    assert found["system"] == "morpho-blue"
    assert numbers_in(found) <= COUNTED | {"rules", "regimes"}
    if arguments[0] == "replay":
        assert found["calls"][0]["arguments"]["assets"] == "7"


def test_the_same_seed_gives_the_same_document_with_the_fields_of_the_contract() -> None:
    runs = [marginspec("fuzz", "morpho-blue", "--steps", "200", "--seed", "7", "--json") for _ in range(2)]
    assert [done.returncode for done in runs] == [3, 3], "200 steps are too few to say that anything holds"
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
    done = marginspec("fuzz", "morpho-blue", "--steps", "5", "--require-reach", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["unreached"] != []
