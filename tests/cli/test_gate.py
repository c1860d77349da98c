"""The gate: one verdict of all that it looks at, thresholds that only make it stricter, and the action's own steps."""

import dataclasses
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from command import Command
from jsonschema import Draft202012Validator

from marginspec.__main__ import main
from marginspec.base.errors import BadInput
from marginspec.results.gate import gate_code, gate_document, mutation_score
from marginspec.results.settings import KEYS, SCHEMA, Settings, read_settings, settings_document
from marginspec.targets.evm.build import package

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "gate"

# --- Settings ------------------------------------------------------------------------------------------------


def written(folder: Path, text: str, name: str = "marginspec.toml") -> Path:
    (folder / name).write_text(text)
    return folder


def test_without_a_file_everything_is_as_the_tool_itself_demands(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()
    assert read_settings(written(tmp_path, '[project]\nname = "x"\n', "pyproject.toml")) == Settings()


@pytest.mark.parametrize(("name", "head"), [("marginspec.toml", ""), ("pyproject.toml", "[tool.marginspec]\n")])
def test_every_key_can_be_set_in_either_file(name: str, head: str, tmp_path: Path) -> None:
    values = {
        "system": '"vault"',
        "steps": "7",
        "seed": "8",
        "require-reach": "true",
        "min-laws": "9",
        "max-declared": "0",
        "min-mutation-score": "99.5",
        "allow-unmodelled": '["Vault.sweep(address)"]',
        "equivalence": '["set_*"]',
        "auditor": '"A. Nobody"',
        "in-scope": '["Vault.sol"]',
    }
    assert values.keys() == KEYS.keys()
    text = head + "".join(f"{key} = {value}\n" for key, value in values.items())
    assert read_settings(written(tmp_path, text, name)) == Settings(
        name, "vault", 7, 8, True, 9, 0, 99.5, ("set_*",), ("Vault.sweep(address)",), "A. Nobody", ("Vault.sol",)
    )


def test_settings_are_found_in_the_first_folder_upwards_that_has_some(tmp_path: Path) -> None:
    inner = tmp_path / "contracts" / "src"
    inner.mkdir(parents=True)
    file = written(tmp_path, "steps = 7") / "marginspec.toml"
    written(inner.parent, "[tool.ruff]\nline-length = 100", "pyproject.toml")
    found = read_settings(inner)
    assert (found.file, found.steps) == (str(file), 7)
    written(inner.parent, "[tool.marginspec]\nsteps = 8", "pyproject.toml")
    assert read_settings(inner).steps == 8
    written(inner, "steps = 9")
    assert (read_settings(inner).file, read_settings(inner).steps) == ("marginspec.toml", 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps", "not TOML"),
        ("max-unknown = 1", "unknown setting 'max-unknown': there is system, steps"),
        ('"x\\n\\u202e" = 1', "unknown setting"),
        ("steps = 0", "steps must be an integer, at least 1"),
        ("steps = true", "steps must be an integer"),
        ("seed = -1", "seed must be an integer, at least 0"),
        ("require-reach = 1", "require-reach must be true or false"),
        ("min-laws = 1.5", "min-laws must be an integer"),
        ("max-declared = -1", "max-declared must be an integer, at least 0"),
        ("min-mutation-score = 101", "min-mutation-score must be a number from 0 to 100"),
        ("allow-unmodelled = true", "allow-unmodelled must be a list of functions"),
        ("allow-unmodelled = [1]", "allow-unmodelled must be a list of functions"),
        ("min-mutation-score = nan", "min-mutation-score must be a number from 0 to 100"),
    ],
)
def test_a_setting_that_means_nothing_is_one_line_that_names_the_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=re.escape(said)) as refused:
        read_settings(written(tmp_path, text))
    assert str(refused.value).startswith("marginspec.toml: ")
    assert str(refused.value).isprintable()


def test_settings_in_two_places_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "steps = 5")
    with pytest.raises(BadInput, match=r"marginspec.toml and in pyproject.toml: keep one"):
        read_settings(written(tmp_path, "[tool.marginspec]\nsteps = 5", "pyproject.toml"))


def test_the_schema_of_the_settings_is_one_and_every_key_is_a_field() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert {field.name.replace("_", "-") for field in dataclasses.fields(Settings)} == {"file", *KEYS}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_config_says_what_holds_and_where_it_is_from(here: Path) -> None:
    written(here, 'steps = 7\nsystem = "vault"')
    inner = here / "src"
    inner.mkdir()
    rows = {row["key"]: row for row in settings_document(inner)["settings"]}
    assert (rows["steps"]["value"], rows["steps"]["from"]) == (7, str(here / "marginspec.toml"))
    assert (rows["seed"]["value"], rows["seed"]["from"]) == (1, "default")


def test_a_verb_without_a_system_takes_that_of_the_settings_and_says_so(here: Path, in_process: Command) -> None:
    written(here, 'system = "morpho-blue"')
    done = in_process(main, "rules", "--json")
    assert json.loads(done.stdout)["system"] == "morpho-blue"
    assert done.stderr == "marginspec: no SYSTEM is given: morpho-blue, as marginspec.toml says\n"
    (here / "marginspec.toml").unlink()
    done = in_process(main, "rules", "--json")
    assert json.loads(done.stdout)["system"] == "reference"
    assert done.stderr == "marginspec: no SYSTEM is given: reference\n"


# --- The verdict ---------------------------------------------------------------------------------------------


def prove(**changed: Any) -> dict[str, Any]:
    """A prove document of two laws, the first changed."""
    good = {"id": "A-1", "verdict": "proved", "confirmed": True, "witnessed": True}
    laws = [{**good, **changed}, {**good, "id": "A-2"}]
    kinds = {kind: sum(law["verdict"] == kind for law in laws) for kind in ("proved", "refuted", "unknown")}
    return {"properties": laws, "summary": {**kinds, "confirmed": sum(law["confirmed"] for law in laws)}}


def fuzz(**changed: Any) -> dict[str, Any]:
    """A fuzz document without divergence."""
    found = {"divergences": [], "declared": [], "unreached": [], "below_floor": [], "rules": {"R-1": 1}, "regimes": {}}
    return {**found, **changed}


def mutants(killed: int, survived: int, equivalent: int, *problems: str) -> dict[str, Any]:
    counts = {"killed": killed, "survived": survived, "equivalent": equivalent}
    return {"summary": {**counts, "total": sum(counts.values())}, "problems": list(problems)}


REFUTED = prove(verdict="refuted", confirmed=False)
UNKNOWN = prove(verdict="unknown", confirmed=False)
UNCONFIRMED = prove(confirmed=False)
VACUOUS = prove(verdict="unknown", confirmed=False, witnessed=False)
NOTHING: dict[str, Any] = {
    "properties": [],
    "summary": {"proved": 0, "refuted": 0, "unknown": 0, "confirmed": 0},
}
DIVERGED = fuzz(divergences=[{"rule": "R-1"}])
DECLARED = fuzz(declared=[{"id": "SDK-1"}, {"id": "SDK-2"}])
UNREACHED = fuzz(unreached=["R-1"])
ENDED = {**mutants(9, 1, 5), "ended": "interrupted by SIGINT"}
LACKING = fuzz(below_floor=["withdraw: never refused"])


@pytest.mark.parametrize(
    ("settings", "reach", "proofs", "fuzzed", "mutated", "missed"),
    [
        (Settings(), False, prove(), fuzz(), None, {}),
        (Settings(), False, prove(), DECLARED, None, {}),
        (Settings(), False, prove(), UNREACHED, None, {}),
        (Settings(), False, UNCONFIRMED, fuzz(), None, {"laws confirmed": 3}),
        (Settings(), False, NOTHING, fuzz(), None, {"laws proved": 3}),
        (Settings(), False, prove(), DIVERGED, None, {"divergences": 1}),
        (Settings(), False, prove(), LACKING, None, {"enough seen": 3}),
        (Settings(), True, prove(), UNREACHED, None, {"rules and regimes not reached": 3}),
        (Settings(min_laws=2), False, prove(), fuzz(), None, {}),
        (Settings(min_laws=3), False, prove(), fuzz(), None, {"number of laws": 3}),
        (Settings(max_declared=2), False, prove(), DECLARED, None, {}),
        (Settings(max_declared=1), False, prove(), DECLARED, None, {"declared differences": 1}),
        (Settings(min_mutation_score=90), False, prove(), fuzz(), mutants(9, 1, 5), {}),
        (Settings(min_mutation_score=90.1), False, prove(), fuzz(), mutants(9, 1, 5), {"mutation score": 1}),
        (Settings(min_mutation_score=90), False, prove(), fuzz(), mutants(9, 0, 0, "stale"), {"mutation score": 1}),
        (Settings(min_mutation_score=1), False, prove(), fuzz(), mutants(0, 0, 5), {"mutation score": 1}),
        (
            Settings(min_mutation_score=95),
            False,
            prove(),
            fuzz(),
            {**mutants(9, 1, 5), "ended": "x"},
            {"mutation score": 3},
        ),
    ],
)
def test_each_check_has_its_row_and_the_worst_is_the_verdict(
    settings: Settings,
    reach: bool,
    proofs: dict[str, Any],
    fuzzed: dict[str, Any],
    mutated: dict[str, Any] | None,
    missed: dict[str, int],
) -> None:
    gate = gate_document(settings, reach, proofs, fuzzed, mutated)
    codes = {"broken": 1, "incomplete": 3}
    assert {row["check"]: codes[row["verdict"]] for row in gate["checks"] if row["verdict"] != "holds"} == missed
    assert gate_code(gate) == min(missed.values(), default=0)


EXTREMES = {
    "min_laws": (None, 0, 100),
    "max_declared": (None, 0, 100),
    "min_mutation_score": (None, 0.0, 100.0),
    "allow_unmodelled": ((), ("withdraw", "Vault.withdraw(uint256)")),
}


def all_settings() -> Iterator[Settings]:
    """Every combination of thresholds that ask for nothing or for much."""
    for values in itertools.product(*EXTREMES.values()):
        yield Settings(**dict(zip(EXTREMES, values, strict=True)))


def test_no_setting_excuses_what_is_refuted_unknown_vacuous_unconfirmed_unseen_or_diverging() -> None:
    for settings, reach in itertools.product(all_settings(), (False, True)):
        for proofs, fuzzed, least in (
            (REFUTED, fuzz(), {1}),
            (prove(), DIVERGED, {1}),
            (UNKNOWN, fuzz(), {1, 3}),
            (VACUOUS, fuzz(), {1, 3}),
            (UNCONFIRMED, fuzz(), {1, 3}),
            (prove(), LACKING, {1, 3}),
        ):
            assert gate_code(gate_document(settings, reach, proofs, fuzzed, mutants(5, 0, 0))) in least


@pytest.mark.parametrize(
    ("verdicts", "code", "found"),
    [
        (("proved", "proved"), 0, "2 of 2"),
        (("proved", "open"), 3, "1 of 2; borrow open: 2 of 9 paths"),
        (("refuted", "open"), 1, "0 of 2; repay different; borrow open: 2 of 9 paths"),
        (("proved", "skipped"), 3, "1 of 2; borrow skipped"),
    ],
)
def test_what_is_to_be_proved_equal_and_is_not_is_no_pass(verdicts: tuple[str, str], code: int, found: str) -> None:
    rows = [
        {"action": action, "verdict": verdict, "open_paths": 2, "paths": 9}
        for action, verdict in zip(("repay", "borrow"), verdicts, strict=True)
    ]
    gate = gate_document(Settings(), False, prove(), fuzz(), None, {"actions": rows})
    assert gate_code(gate) == code
    assert gate["checks"][-1]["found"] == found


def test_the_score_leaves_equivalent_mutants_aside() -> None:
    assert mutation_score(mutants(9, 1, 5)) == 90.0


# --- The action ----------------------------------------------------------------------------------------------

ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
BUG = "debt-rounds-down-in-health"
# Every law rests on the composition: invariants say nothing of steps that interest is accrued in.
LAWS = ["MB-REV-5", "MB-ACC-1"]

# All laws take minutes, and what is shown here does not depend on how many there are.
FEW_LAWS = f"""
from marginspec.__main__ import main
from marginspec.systems.registry import shipped

laws = shipped("morpho-blue").chapter.properties
laws[:] = [law for law in laws if law.id in {LAWS}]
main()
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `marginspec` is the installed one with few laws."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "few.py").write_text(FEW_LAWS)
    command = folder / "marginspec"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{folder / "few.py"}" "$@"\n')
    command.chmod(0o755)
    return folder


def project(folder: Path, bug: str | None) -> Path:
    """The example, with a build."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("src", "out", ".marginspec"))
    os.symlink(package("@morpho-org/morpho-blue").parents[1], folder / "node_modules")
    settings = folder / "marginspec.toml"
    assert "min-laws = 80" in settings.read_text()
    settings.write_text(settings.read_text().replace("min-laws = 80", f"min-laws = {len(LAWS)}"))
    arguments = [] if bug is None else [bug]
    command = [sys.executable, "-P", "candidate.py", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("clean") / "gate", None)


@pytest.fixture(scope="module")
def buggy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("buggy") / "gate", BUG)


class Runner:
    """As much of a GitHub runner as the action's `run` steps need."""

    def __init__(self, workspace: Path, program: Path, **inputs: str) -> None:
        self.workspace = workspace
        self.files = {
            name: workspace / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        }
        for file in self.files.values():
            file.write_text("")
        self._values = {f"inputs.{name}": spec.get("default", "") for name, spec in ACTION["inputs"].items()}
        self._values |= {f"inputs.{name}": given for name, given in inputs.items()}
        self._values |= {"github.action_path": str(REPOSITORY), "steps.python.outputs.python-path": sys.executable}
        self._environment = os.environ | {name: str(file) for name, file in self.files.items()}
        self._environment |= {"MARGINSPEC_INSTALLED": "yes", "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self._values[found[1]], text)

    def run(self) -> int:
        """Every `run` step in its order, as GitHub's `shell: bash` does; the first code that is not 0."""
        for step in ACTION["runs"]["steps"]:
            if "run" not in step:
                continue
            assert step["shell"] == "bash"
            environment = self._environment | {name: self._value(text) for name, text in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace / self._value(step.get("working-directory", ".")),
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert "Traceback" not in done.stderr, done.stderr
            if done.returncode:
                return done.returncode
        return 0

    def outputs(self) -> dict[str, Path]:
        """What the action gives to later steps."""
        pairs = (line.partition("=") for line in self.files["GITHUB_OUTPUT"].read_text().splitlines())
        return {name: Path(value) for name, _, value in pairs}

    @property
    def summary(self) -> str:
        return self.files["GITHUB_STEP_SUMMARY"].read_text()


INPUTS = {"system": "morpho-blue", "artifact": "Morpho=out/Morpho.sol/Morpho.json\n"}


def sarif_of(path: Path) -> dict[str, Any]:
    """The one run of a SARIF file, valid by the standard's schema."""
    schema = json.loads((package("@microsoft/jest-sarif") / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
    log = json.loads(path.read_text())
    jsonschema.Draft4Validator(schema).validate(log)
    return dict(log["runs"][0])


def test_every_expression_of_the_action_is_an_input_or_known_to_a_runner() -> None:
    text = (REPOSITORY / "action.yml").read_text()
    known = {f"inputs.{name}" for name in ACTION["inputs"]}
    known |= {f"steps.check.outputs.{name}" for name in ACTION["outputs"]}
    known |= {"github.action_path", "steps.python.outputs.python-path"}
    assert set(re.findall(r"\$\{\{ (.+?) \}\}", text)) == known
    for step in ACTION["runs"]["steps"]:
        # An expression inside a script would let an input become code.
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize(
    "inputs",
    [
        {"system": "--help"},
        {"system": "-h"},
        {"system": ""},
        {"steps": "--help"},
        {"artifact": "--help\n-h\n"},
        {"reports": "--help"},
    ],
    ids=str,
)
def test_no_input_makes_the_action_pass_without_a_check(inputs: dict[str, str], program: Path, tmp_path: Path) -> None:
    given = {"system": "no-such-system", **inputs}
    assert Runner(tmp_path, program, **given).run() == 2


def test_the_actions_own_steps_are_green_on_a_clean_build(clean: Path, program: Path) -> None:
    runner = Runner(clean, program, **INPUTS, steps="4000")
    assert runner.run() == 0
    found = runner.outputs()
    root = ElementTree.parse(found["junit"]).getroot()
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert int(root.get("tests", "0")) >= len(LAWS) + 1
    assert sarif_of(found["sarif"])["results"] == []
    assert "marginspec morpho\\-blue: holds" in runner.summary
    assert "4,000 steps" in runner.summary


def test_they_are_red_on_a_buggy_build_with_sarif_junit_and_summary(buggy: Path, program: Path) -> None:
    runner = Runner(buggy, program, **INPUTS)
    assert runner.run() == 1
    found = runner.outputs()
    assert ElementTree.parse(found["junit"]).getroot().get("failures") == "1"
    assert "broken" in runner.summary
    (result,) = sarif_of(found["sarif"])["results"]
    assert result["level"] == "error"
    places = [result["locations"][0], *result["relatedLocations"]]
    artifacts = [place["physicalLocation"]["artifactLocation"] for place in places]
    # The function of the contract, then the rule in the specification, then in the model.
    lines = (buggy / artifacts[0]["uri"]).read_text().splitlines()
    assert re.match(r" *function \w+\(", lines[places[0]["physicalLocation"]["region"]["startLine"] - 1])
    assert artifacts[0] == {"uri": "src/Morpho.sol", "uriBaseId": "%SRCROOT%"}
    assert artifacts[1] == {"uri": "spec/deployed/morpho-blue.md", "uriBaseId": "MARGINSPEC"}
    assert artifacts[2]["uriBaseId"] == "MARGINSPEC"
    assert re.fullmatch(r"model/\w+/\w+\.py", artifacts[2]["uri"])
    assert (buggy / result["properties"]["trace"]).is_file()


@pytest.fixture(scope="module")
def checked(buggy: Path, program: Path) -> str:
    """The document of the bug, beside which `again.sarif` is written."""
    return check(buggy, program, "--sarif", str(buggy / "again.sarif"), "--json", "--budget", "400").stdout


def test_the_headings_and_the_lines_of_the_model_are_those_of_the_rules(buggy: Path, checked: str) -> None:
    (finding,) = json.loads(checked)["findings"]
    base = Path(sarif_of(buggy / "again.sarif")["originalUriBaseIds"]["MARGINSPEC"]["uri"].removeprefix("file://"))
    shown: dict[str, set[str]] = {"specification": set(), "model": set()}
    for place in finding["places"]:
        if place["base"] == "marginspec":
            line = (base / place["file"]).read_text().splitlines()[place["line"] - 1]
            pattern = r"### (\S+) " if place["what"] == "specification" else r'.*(?:rule|Rejected)\(.*"(\S+)"'
            (rule,) = re.findall(pattern, line)
            shown[place["what"]].add(rule)
    assert finding["rules"]
    assert shown == {"specification": {*finding["rules"]}, "model": {*finding["rules"]}}


def test_a_divergence_is_explained_by_the_rule_that_was_broken(
    buggy: Path, program: Path, checked: str, tmp_path: Path
) -> None:
    document = json.loads(checked)
    (finding,), made = document["findings"], document["provenance"]
    assert finding["id"] == finding["rules"][0] == document["explained"][0]["rule"]
    assert "by the rules" in finding["title"]
    assert finding["severity"] in ("critical", "high", "medium", "low")
    assert "->" in finding["like"]
    assert made["contracts"]["Morpho"]["compiler"] == "solc 0.8.19"
    assert len(made["contracts"]["Morpho"]["sha256"]) == 64
    (tmp_path / "check.json").write_text(checked)
    page = tmp_path / "page.html"
    reported = [program / "marginspec", "report", str(tmp_path / "check.json"), "--out", str(page)]
    assert subprocess.run(reported, cwd=buggy, capture_output=True, check=False).returncode == 1
    text = page.read_text()
    assert 'id="findings"' in text
    assert made["contracts"]["Morpho"]["sha256"] in text


def check(folder: Path, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`marginspec check` in a project."""
    command = [program / "marginspec", "check", "morpho-blue", "--artifact", "Morpho=out/Morpho.sol/Morpho.json"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_shell_recipe_gives_the_same_verdict_and_keeps_what_it_found(buggy: Path, program: Path) -> None:
    environment = os.environ | {"PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    for kept in (0, 1):
        done = subprocess.run(
            ["bash", "gate.sh"], cwd=buggy, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done.stderr
        if kept:
            assert "kept traces tried first: 1, the last of them diverges" in done.stdout
    for report in ("junit.xml", "marginspec.sarif", "summary.md"):
        assert (buggy / "out" / "marginspec" / report).is_file()


def test_a_threshold_that_is_missed_is_named_and_decides_the_code(clean: Path, program: Path, tmp_path: Path) -> None:
    shutil.copytree(clean / "out", tmp_path / "out")
    (tmp_path / "marginspec.toml").write_text(f"min-laws = {len(LAWS) + 2}\nsteps = 4000\nrequire-reach = true\n")
    done = check(tmp_path, program, "--seed", "3", "--sarif", "a/b.sarif", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"]) == (3, "incomplete")
    assert (document["fuzz"]["steps"], document["fuzz"]["seed"]) == (4000, "3")
    missed = [row["check"] for row in document["gate"]["checks"] if row["verdict"] != "holds"]
    assert missed == ["number of laws", "rules and regimes not reached"]
    names = [result["ruleId"] for result in sarif_of(tmp_path / "a" / "b.sarif")["results"]]
    assert names == document["fuzz"]["unreached"]
    assert "not what is demanded here: number of laws" in check(tmp_path, program).stdout


@pytest.mark.parametrize("option", ["--junit", "--sarif", "--summary"])
def test_a_report_that_cannot_be_written_is_one_line_before_any_work(
    option: str, clean: Path, program: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = check(clean, program, option, str(tmp_path / "file" / "report"))
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert "give a file that can be written" in line


def test_bad_settings_are_one_line_and_code_2(clean: Path, program: Path, tmp_path: Path) -> None:
    (tmp_path / "marginspec.toml").write_text("max-unknown = 5")
    shutil.copytree(clean / "out", tmp_path / "out")
    done = check(tmp_path, program)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("marginspec: marginspec.toml: unknown setting 'max-unknown'")
