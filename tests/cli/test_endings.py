"""However a run ends, its exit code is no verdict that it did not reach, and nothing is left running."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command

from marginspec.__main__ import main
from marginspec.targets.evm.rpc import start_anvil

COMMAND = (sys.executable, "-m", "marginspec")
SOON = 60.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "pawnshop"
AT_ONCE = 10.0


class Running:
    """A verb that runs, as the leader of a group of processes."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def until_it_says(self, what: bytes) -> None:
        """Wait for a text on its standard error."""
        assert self.process.stderr is not None
        said, stream, deadline = b"", self.process.stderr.fileno(), time.monotonic() + SOON
        while what not in said:
            assert select.select([stream], [], [], max(0.0, deadline - time.monotonic()))[0], said
            more = os.read(stream, 1 << 16)
            assert more, said
            said += more

    def end(self) -> tuple[int, str, str]:
        """Its exit code and what it said from now on; it has to end at once."""
        out, err = self.process.communicate(timeout=AT_ONCE)
        return self.process.returncode, out.decode(), err.decode()

    def alone(self) -> bool:
        """Whether nothing of its group is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


@pytest.fixture
def running() -> Iterator[type[Running]]:
    """Starts verbs; what a failed test leaves running is ended."""
    started: list[Running] = []

    class Kept(Running):
        def __init__(self, *arguments: str) -> None:
            super().__init__(*arguments)
            started.append(self)

    yield Kept
    for each in started:
        if not each.alone():
            os.killpg(each.process.pid, signal.SIGKILL)
        each.process.communicate()


def eventually_alone(verb: Running) -> bool:
    deadline = time.monotonic() + AT_ONCE
    while not verb.alone() and time.monotonic() < deadline:
        time.sleep(0.05)
    return verb.alone()


FUZZ = ("fuzz", "morpho-blue", "--steps", "10000000")


@pytest.mark.parametrize(
    ("number", "code", "arguments", "said"),
    [
        (signal.SIGTERM, 143, ["prove", "morpho-blue"], "laws and lemmas not come to: interrupted by SIGTERM"),
        (signal.SIGINT, 130, [*FUZZ], "ended early: interrupted by SIGINT"),
        (signal.SIGINT, 130, [*FUZZ, "--laws-only"], "ended early: interrupted by SIGINT"),
        (signal.SIGTERM, 143, [*FUZZ, "--target", "sdk"], "ended early: interrupted by SIGTERM"),
        (signal.SIGTERM, 143, ["mutate", "morpho-blue", "--no-planted", "--no-proofs"], "not tried"),
    ],
    ids=["proofs", "workers", "laws", "a service", "mutants"],
)
def test_an_interrupted_run_says_what_it_found_and_leaves_nothing_behind(
    number: signal.Signals, code: int, arguments: list[str], said: str, running: type[Running]
) -> None:
    verb = running(*arguments)
    verb.until_it_says(b" of ")
    os.kill(verb.process.pid, number)
    ended, out, err = verb.end()
    assert ended == code
    assert said in out
    assert "Traceback" not in err
    assert eventually_alone(verb)


def test_a_run_whose_worker_is_killed_is_no_verdict(running: type[Running]) -> None:
    verb = running(*FUZZ)
    verb.until_it_says(b" of ")
    pid = verb.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(workers[0]), signal.SIGKILL)
    ended, out, err = verb.end()
    assert (ended, out) == (4, "")
    said = "marginspec: a process that took part in this run was killed, perhaps for want of memory; no verdict"
    assert err.splitlines()[-1] == said
    assert "Traceback" not in err
    assert eventually_alone(verb)


def test_a_watched_verb_runs_anew_after_a_change_until_it_is_interrupted(
    running: type[Running], tmp_path: Path
) -> None:
    copy = shutil.copytree(EXAMPLE, tmp_path / "pawnshop")
    verb = running("fuzz", str(copy), "--steps", "100", "--budget", "60", "--watch")
    assert verb.process.stdout is not None
    assert verb.process.stdout.readline().startswith(b"lock-step: ")
    with (copy / "model.py").open("a") as file:
        file.write("# another text\n")
    verb.until_it_says(b"model.py changed: once more")
    time.sleep(1)  # until the second run is on its way
    os.kill(verb.process.pid, signal.SIGINT)
    ended, _, err = verb.end()
    assert ended == 130
    assert "no verdict" in err
    assert eventually_alone(verb)


def test_an_interrupted_document_is_whole_and_no_pass(running: type[Running]) -> None:
    verb = running(*FUZZ, "--json")
    verb.until_it_says(b" of ")
    os.kill(verb.process.pid, signal.SIGTERM)
    ended, out, _ = verb.end()
    document = json.loads(out)
    assert ended == 143
    assert document["steps"] > 0
    assert "ended early: interrupted by SIGTERM" in document["below_floor"]


def test_what_has_nothing_to_tell_when_it_is_interrupted_says_so(running: type[Running]) -> None:
    verb = running("bounds")
    verb.until_it_says(b" of ")
    os.kill(verb.process.pid, signal.SIGINT)
    ended, out, err = verb.end()
    assert (ended, out) == (130, "")
    assert err.splitlines()[-1] == "marginspec: interrupted by SIGINT, no verdict"
    assert eventually_alone(verb)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*FUZZ, "--budget", "4"], "ended early: the budget of 4 s is spent"),
        (["check", "morpho-blue", "--steps", "10000000", "--budget", "4"], "100 laws and lemmas not come to"),
        (["prove", "morpho-blue", "--budget", "4"], "not come to: the budget of 4 s is spent"),
        pytest.param(
            ["mutate", "morpho-blue", "--no-proofs", "--no-planted", "--no-cache", "--budget", "4"],
            "not tried",
            marks=pytest.mark.long,
        ),
        (["diff", "morpho-blue", "shipped", "shipped", "--steps", "10000000", "--budget", "4"], "no difference so far"),
        (["vectors", "morpho-blue", "--steps", "10000000", "--budget", "8"], "the next run goes on from there"),
        pytest.param(
            ["simulate", "--runs", "10000", "--accounts", "10", "--budget", "4"],
            "ended early: the budget of 4 s is spent",
            marks=pytest.mark.long,
        ),
    ],
    ids=["fuzz", "check", "prove", "mutate", "diff", "vectors", "simulate"],
)
def test_a_spent_budget_is_incomplete_and_says_what_was_not_come_to(arguments: list[str], said: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert said in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["bounds", "audit"])
def test_a_budget_that_is_too_small_for_any_verdict_gives_none(verb: str) -> None:
    done = subprocess.run([*COMMAND, verb, "--budget", "2"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1] == "marginspec: the budget of 2 s is spent, no verdict"


def test_mutants_that_were_tried_are_not_tried_again(
    in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path / "cache"))
    command = ["mutate", str(EXAMPLE), "--steps", "40", "--no-proofs", "--no-planted"]
    first, again, anew = (
        json.loads(in_process(main, *command, "--json", *more).stdout) for more in ([], [], ["--no-cache"])
    )
    # How long each took is kept with it.
    assert first["mutants"] == again["mutants"]
    untimed = [[{**row, "seconds": 0} for row in document["mutants"]] for document in (first, anew)]
    assert untimed[0] == untimed[1]
    assert first["mutants"] != anew["mutants"]


def test_a_budget_that_is_spent_before_anything_is_found_is_no_verdict() -> None:
    program = (
        "import time; from marginspec.base import ending, process;"
        "process.run(lambda: (ending.end_after(1), time.sleep(60)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "marginspec: the budget of 1 s is spent, no verdict\n")


@pytest.mark.parametrize("seconds", ["0", "-1", "10000001"])
def test_a_budget_is_a_number_of_seconds(seconds: str) -> None:
    done = subprocess.run([*COMMAND, "prove", "--budget", seconds], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"marginspec: --budget {seconds}: give seconds, 1 to 10,000,000\n")


def test_a_second_signal_ends_at_once_and_the_same_one_twice_does_not() -> None:
    program = (
        "import sys, time; from marginspec.base import ending, process\n"
        "def work():\n    print('begun', flush=True)\n    time.sleep(60)\n"
        "def verb():\n    ending.until_ended(work)\n    print('found', flush=True)\n    time.sleep(60)\n"
        "process.run(verb)"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True) as verb:
        assert verb.stdout is not None
        assert verb.stdout.readline() == "begun\n"
        verb.send_signal(signal.SIGTERM)
        assert verb.stdout.readline() == "found\n"
        verb.send_signal(signal.SIGTERM)
        time.sleep(1.2)
        assert verb.poll() is None
        verb.send_signal(signal.SIGINT)
        assert verb.wait(AT_ONCE) == 130


def test_a_whole_group_that_is_interrupted_as_from_a_keyboard_shows_no_traceback(running: type[Running]) -> None:
    verb = running("prove", "morpho-blue")
    verb.until_it_says(b" of ")
    os.killpg(verb.process.pid, signal.SIGINT)
    ended, _, err = verb.end()
    assert ended == 130
    assert "Traceback" not in err
    assert eventually_alone(verb)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
@pytest.mark.parametrize("arguments", [["prove", "morpho-blue"], [*FUZZ]])
def test_a_run_that_is_killed_takes_its_workers_with_it(arguments: list[str], running: type[Running]) -> None:
    verb = running(*arguments)
    verb.until_it_says(b" of ")
    verb.process.kill()
    verb.process.wait()
    assert eventually_alone(verb)


PARENT = """
import subprocess, sys, time
from marginspec.prover.solvers import _CVC5, _YICES
from marginspec.targets.subprocess import Service
service = Service(["/bin/sh", "-c", "sleep 1000 & sleep 1000"])
_YICES.ask('(echo "end")\\n', 60.0), _CVC5.ask("0 1 default\\n", 60.0)
children = [service._process.pid, _YICES._running.pid, _CVC5._running.pid]
listed = subprocess.run(["ps", "-e", "-o", "pid=,sid="], capture_output=True, text=True).stdout.split("\\n")
children += [int(pid) for pid, sid in map(str.split, filter(None, listed)) if int(sid) == service._process.pid]
print(*children, flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_solvers_and_all_that_a_service_started_end_with_a_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-P", "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        started = {int(pid) for pid in parent.stdout.readline().split()}
        assert len(started) == 5
        parent.kill()
    deadline = time.monotonic() + AT_ONCE
    while (left := {pid for pid in started if lives(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked how does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "document"])
def test_output_that_nobody_reads_is_no_counterexample(form: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run([*COMMAND, "rules", "reference", *form], stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_error_in_the_tool_itself_is_no_counterexample() -> None:
    program = "from marginspec.base import process; process.run(lambda: 1 // 0)"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert (
        done.stderr.splitlines()[-1]
        == "marginspec: this is an error in marginspec itself, and no verdict: please report it"
    )


def test_a_node_that_dies_in_the_middle_is_one_line_and_code_4(running: type[Running]) -> None:
    node = start_anvil()
    try:
        verb = running("fuzz", "morpho-blue", "--steps", "1000000", "--target", node.url)
        verb.until_it_says(b" of ")
    finally:
        node.close()
    ended, out, err = verb.end()
    assert (ended, out) == (4, "")
    assert "Traceback" not in err
    assert f"the node at {node.url} failed" in err.splitlines()[-1]
