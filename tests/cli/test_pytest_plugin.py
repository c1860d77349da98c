"""`pytest --marginspec SYSTEM`: laws and slices of the lock-step run are tests like others, on one worker or more."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import marginspec_pytest
from marginspec.runs.pytest_plugin import SLICE, lacking_lines, summary_lines
from marginspec.systems.morpho_blue.sdk_target import DIFFERENCES
from marginspec.systems.template import laws as strongbox

Done = subprocess.CompletedProcess[str]

# Every law rests on the composition: invariants say nothing of steps that interest is accrued in.
LAWS = ["MB-REV-5", "MB-ACC-1"]

# All laws take minutes, and what is shown here does not depend on how many there are.
CONFTEST = f"""
from marginspec.systems.registry import shipped

laws = shipped("morpho-blue").chapter.properties
laws[:] = [law for law in laws if law.id in {LAWS}]
"""

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
    else:
        answer = {"outcome": "accepted", "returns": ["0", "0"]}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a test of its own, and few laws."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    (tmp_path / "service.py").write_text(SERVICE)
    return tmp_path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A project with a test and a system of its own, whose laws take seconds."""
    done = subprocess.run([sys.executable, "-m", "marginspec", "init", "strongroom"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> Done:
    """Run pytest in a project, as its own command would."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def passed(done: Done) -> int:
    (count,) = re.findall(r"(\d+) passed", done.stdout)
    return int(count)


STEPS = SLICE + 100
OWN = ("--marginspec", "strongroom", "--marginspec-steps", str(STEPS), "test_own.py")
SYSTEM = ("--marginspec", "morpho-blue", "--marginspec-steps", str(STEPS))


def test_without_the_option_it_loads_nothing_of_marginspec(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n\ndef test_own():\n"
        "    loaded = {name for name in sys.modules if name.startswith('marginspec.')}\n"
        "    assert 'marginspec_pytest' in sys.modules\n"
        "    assert loaded == set()\n"
    )
    done = run(tmp_path, "-W", "error")
    assert done.returncode == 0, done.stdout
    assert passed(done) == 1


def test_it_is_installed_and_takes_its_options_from_the_command_line(tmp_path: Path) -> None:
    here = Path(__file__).parents[2] / "src" / "marginspec_pytest.py"
    assert Path(marginspec_pytest.__file__).resolve() == here, "run `make setup`"
    assert "--marginspec=SYSTEM" in run(tmp_path, "--help").stdout


def test_every_law_and_every_slice_is_a_test_beside_the_projects_own(own: Path) -> None:
    done = run(own, *OWN, "-v", "--junit-xml", "report.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    names = re.findall(r"(?m)^marginspec::(\S+) PASSED", done.stdout)
    laws = [law.id.replace("STRONGBOX", "STRONGROOM") for law in strongbox.chapter.properties]
    assert sorted(names) == sorted([*(f"law[{law}]" for law in laws), *slices(1, 2)])
    assert passed(done) == len(names) + 1
    assert f"{len(laws)} laws tried, {STEPS:,} steps" in done.stdout
    cases = ElementTree.parse(own / "report.xml").getroot().iter("testcase")
    assert {case.get("name") for case in cases} == {*names, "test_own"}


def slices(first: int, count: int) -> list[str]:
    return [f"lock-step[seed={seed}]" for seed in range(first, first + count)]


@pytest.mark.long
def test_workers_share_the_tests_and_the_summary_adds_up_and_names_declared_differences(project: Path) -> None:
    done = run(project, *SYSTEM, "-n", "2", "--marginspec-seed", "5", "-v", "--marginspec-target", "sdk")
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed(done) == len(LAWS) + 2 + 1
    assert {*re.findall(r"lock-step\[seed=\d+\]", done.stdout)} == {*slices(5, 2)}
    assert len({*re.findall(r"\[gw(\d)\]", done.stdout)}) == 2
    assert f"2 laws tried, {STEPS:,} steps" in done.stdout
    shown = {*re.findall(r"(?m)^declared (\S+), [\d,]+ times: ", done.stdout)}
    assert shown
    assert shown <= {declared.id for declared, _ in DIFFERENCES}


def test_tests_are_selected_as_others_are(project: Path) -> None:
    done = run(project, *SYSTEM, "--collect-only", "-q", "-k", "law")
    assert "-" not in re.findall(r"(\S+)/\d+ tests? collected", done.stdout)[0]
    listed = [line for line in done.stdout.splitlines() if "::" in line]
    assert sorted(listed) == sorted(f"marginspec::law[{law}]" for law in LAWS)


def test_a_divergence_fails_with_what_the_command_line_says_and_nothing_of_the_machinery(project: Path) -> None:
    target = shlex.join([sys.executable, str(project / "service.py")])
    done = run(project, *SYSTEM, "--marginspec-target", target, "-k", "lock-step")
    assert done.returncode == 1
    traces = {*re.findall(r"  repeat it: marginspec replay (\S+)", done.stdout)}
    assert traces
    assert {f"out/traces/{name}" for name in os.listdir(project / "out" / "traces")} >= traces
    assert "divergence at " in done.stdout
    assert f"--target {shlex.quote(target)}" in done.stdout
    assert "beside it, for itf, pytest: " in done.stdout
    assert "Traceback" not in done.stdout
    assert "pytest_plugin.py" not in done.stdout


def test_a_law_that_is_unknown_or_refuted_fails_with_its_row(own: Path) -> None:
    wrong = (
        '\n\n@chapter.theorem("STRONGROOM-WRONG-1")\ndef wrong(state):\n    "Everything is wrong."\n    return False\n'
    )
    laws = own / "strongroom" / "laws.py"
    laws.write_text(laws.read_text() + wrong)
    done = run(own, *OWN, "-k", "WRONG")
    assert done.returncode == 1
    assert "STRONGROOM-WRONG-1 refuted" in done.stdout
    assert "0 proved (0 confirmed by a second solver), 1 refuted" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--marginspec", "no-such-system"], "unknown system 'no-such-system'"),
        ([*SYSTEM, "--artifact", "Morpho"], "expected NAME=FILE"),
        ([*SYSTEM, "--artifact", "Morpho=no-such-file", "-n", "2"], "no-such-file: No such file"),
        (["--marginspec", "morpho-blue", "--marginspec-steps", "0"], "a run that compares nothing is no pass"),
    ],
    ids=["system", "artifact", "file", "steps"],
)
def test_bad_input_is_one_line_and_pytests_code_for_it(project: Path, arguments: list[str], said: str) -> None:
    done = run(project, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_target_that_cannot_be_had_fails_in_one_line(project: Path) -> None:
    done = run(project, *SYSTEM, "--marginspec-target", "./no-such-program", "-k", "lock-step")
    assert done.returncode == 1
    assert "cannot start" in done.stdout
    assert "Traceback" not in done.stdout


def test_counts_of_slices_are_added_and_what_none_reached_is_named() -> None:
    told = [
        {"laws": 1},
        {"steps": 3, "comparisons": 30, "declared": [], "rules": {"A-1": 1, "A-2": 0}, "regimes": {"r": 0}},
        {
            "steps": 4,
            "comparisons": 40,
            "declared": [{"id": "D-1", "reason": "why", "count": 2}],
            "rules": {"A-1": 0, "A-2": 0},
            "regimes": {"r": 5},
        },
    ]
    assert summary_lines(json.loads(json.dumps(told))) == [
        "1 laws tried, 7 steps, 70 values compared",
        "not reached: A-2",
        "declared D-1, 2 times: why",
    ]


def slice_of(accepted: int, refused: int, unmodelled: list[str], *hidden: str) -> dict[str, object]:
    """What a slice tells of an action that the model can refuse, and one that it cannot."""
    counts = {"accepted": accepted, "refused": refused}
    told = {
        "actions": {"take": counts, "tick": {"accepted": 1, "refused": 0}},
        "never_refused": ["tick"],
        "hidden": hidden,
    }
    return {**told, "not_executed": {}, "not_refused": {}, "unmodelled": unmodelled, "allowed_unmodelled": ["v.old()"]}


def test_what_no_slice_saw_is_lacking() -> None:
    few = [slice_of(1, 0, ["v.sweep()", "v.old()", "v.put()"]), slice_of(1, 0, ["v.sweep()", "v.old()"])]
    assert lacking_lines(few) == ["take: never refused", "unmodelled, no action calls it: v.sweep()"]
    assert lacking_lines([*few, slice_of(0, 1, [])]) == []
    shown = "changed by calls, and not shown by the implementation: total"
    assert lacking_lines([*few, slice_of(0, 1, [], "total")]) == [shown]
    assert lacking_lines([{"laws": 1}]) == []


def test_a_whole_run_that_saw_too_little_fails(project: Path) -> None:
    done = run(project, *SYSTEM[:2], "--marginspec-steps", "40", "-k", "lock-step")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert passed(done) == 1
    assert "incomplete: liquidate: never accepted" in done.stdout
    part = run(
        project,
        *SYSTEM[:2],
        "--marginspec-steps",
        str(SLICE + 40),
        "--deselect",
        "marginspec::lock-step[seed=1]",
        "-k",
        "lock-step",
    )
    assert part.returncode == 0
