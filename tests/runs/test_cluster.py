"""A run on a cluster is the run of this machine, also where workers are killed; what is lost is never a pass."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused

from marginspec.__main__ import main

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parents[2] / "examples" / "pawnshop"
PAGE = Path(__file__).parents[2] / "docs" / "campaign.md"
SOON = 60.0
SECONDS_TO_START = 8.0
FUZZ = ("fuzz", "morpho-blue", "--steps", "100000", "--json")

Dask = subprocess.Popen[bytes]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def dask(*arguments: str, folder: Path) -> Dask:
    command = [BIN / "dask", *arguments, "--no-dashboard"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def children(pid: int) -> list[int]:
    """Of all threads of a process: Dask starts a worker in one of its own."""
    return [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]


class Cluster:
    """A scheduler and two workers, each of which a nanny starts again when it is killed."""

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("distributed", reason="run `make cluster`")
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", str(port), folder=folder)
        self.nannies = [dask("worker", self.address, "--nthreads", "1", folder=folder) for _ in range(2)]
        try:
            until(lambda: all(self.workers(nanny) for nanny in self.nannies))
        except BaseException:
            self.close()
            raise

    def workers(self, nanny: Dask) -> list[int]:
        """The processes that work; beside them Python has one that cleans up."""
        return [pid for pid in children(nanny.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def close(self) -> None:
        for each in (*self.nannies, self.scheduler):
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def expected() -> Mapping[str, Any]:
    return document(verb(*FUZZ))


def verb(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "marginspec", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def document(running: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    out, err = running.communicate()
    assert running.returncode == code, err
    assert "Traceback" not in err
    return {**json.loads(out), "steps_per_second": None}


def test_a_cluster_finds_what_this_machine_does(cluster: Cluster, expected: Mapping[str, Any]) -> None:
    assert document(verb(*FUZZ, "--cluster", cluster.address)) == expected


def test_a_worker_that_is_killed_costs_nothing_but_time(cluster: Cluster, expected: Mapping[str, Any]) -> None:
    running = verb(*FUZZ, "--cluster", cluster.address)
    assert running.stderr is not None
    running.stderr.readline()  # it is at work
    (worker,) = cluster.workers(cluster.nannies[0])
    os.kill(worker, signal.SIGKILL)
    assert document(running) == expected
    assert cluster.workers(cluster.nannies[0]) != [worker]


def test_what_running_chunks_had_done_when_the_budget_is_spent_counts(cluster: Cluster) -> None:
    steps = ("--steps", "10000000", "--json")
    found = document(verb("fuzz", "lyra-v1", *steps, "--cluster", cluster.address, "--budget", "12"), code=3)
    assert found["steps"] % 20_000 > 0
    assert found["below_floor"][0] == "ended early: the budget of 12 s is spent"


def test_a_chunk_that_kills_every_worker_is_no_verdict(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "deadly"
    shutil.copytree(EXAMPLE, folder)
    file = folder / "adapter.py"
    text = file.read_text()
    before = "    def deploy(self, chain: Chain) -> None:\n"
    assert before in text
    kill = f"{before}        import multiprocessing, os\n        multiprocessing.parent_process() and os._exit(9)\n"
    file.write_text(text.replace(before, kill))
    out, err = (running := verb("fuzz", str(folder), "--cluster", cluster.address)).communicate()
    assert (running.returncode, out) == (4, "")
    assert err.splitlines()[-1].endswith("a chunk killed every worker that tried it; no verdict")


def test_a_worker_with_another_text_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "changing"
    shutil.copytree(EXAMPLE, folder)
    command = ("fuzz", str(folder), "--steps", "20000", "--cluster", cluster.address)
    for _ in range(3):  # so that each of the workers has read it
        document(verb(*command, "--json"))
    (folder / "adapter.py").write_text((folder / "adapter.py").read_text() + "\n# another text\n")
    out, err = (running := verb(*command)).communicate()
    assert (running.returncode, out) == (2, ""), err
    assert "a worker has another marginspec, or another text of the system" in err.splitlines()[-1]


def test_a_scheduler_that_is_lost_is_no_verdict(tmp_path: Path) -> None:
    own = Cluster(tmp_path)
    running = verb(*FUZZ, "--cluster", own.address)
    assert running.stderr is not None
    running.stderr.readline()
    own.close()
    out, err = running.communicate()
    assert (running.returncode, out) == (4, "")
    assert err.splitlines()[-1].endswith("the scheduler was lost; no verdict")
    assert "Traceback" not in err


def test_a_campaign_outlives_its_scheduler(tmp_path: Path, expected: Mapping[str, Any]) -> None:
    start = ("campaign", "start", *FUZZ[1:], "--folder", str(tmp_path))
    own = Cluster(tmp_path)
    running = verb(*start, "--cluster", own.address)
    until(lambda: any(tmp_path.glob("*/chunk-*.json")))
    own.close()
    _, err = running.communicate()
    assert running.returncode == 4, err
    done = {file: file.read_bytes() for file in tmp_path.glob("*/chunk-*.json")}
    own = Cluster(tmp_path)
    found = document(verb(*start, "--cluster", own.address))
    own.close()
    assert found.pop("campaign")["done"] == 5
    assert found == expected
    assert {file: file.read_bytes() for file in done} == done


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="run `make cluster`")
    (block,) = re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE.read_text())
    commands = block.replace("8786", str(free_port())).splitlines()
    assert len(commands) == 5
    started, codes, said = [], [], []
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    for command in commands:
        quiet = command.endswith("&")
        out = subprocess.DEVNULL if quiet else subprocess.PIPE
        running = subprocess.Popen(
            ["sh", "-c", f"exec {command.rstrip(' &')}"],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=out,
            text=True,
            start_new_session=True,
        )
        if quiet:
            started.append(running)
            time.sleep(SECONDS_TO_START)
            continue
        said.append(running.communicate()[0])
        codes.append(running.returncode)
    for each in started:
        os.killpg(each.pid, signal.SIGKILL)
        each.wait()
    assert codes == [0, 0, 3]
    counted = [text.partition(" values compared")[0] for text in said]
    assert counted[0] == counted[1]
    assert "60,000 steps" in counted[0]
    assert "ended early: the budget of 30 s is spent" in said[2]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--cluster", "nowhere"], "--cluster nowhere: expected the address of a scheduler, tcp://HOST:PORT"),
        (["--cluster", "tcp://h:1", "--target", "sdk"], "so --target must be embedded"),
        (["--cluster", "tcp://h:1", "--laws-only"], "--laws-only compares with none"),
        (["--cluster", "tcp://h:1"], "--cluster needs Dask: pip install 'marginspec[cluster]', here make cluster"),
    ],
)
def test_what_a_cluster_cannot_do_is_one_line(
    more: list[str], said: str, in_process: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    refused(in_process(main, "fuzz", "morpho-blue", *more), said)
