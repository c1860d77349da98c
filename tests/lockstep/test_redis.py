"""A corpus in a real Redis: what diverged is tried first; a server that ends or hangs costs a trace, not the run."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from twin import Twin

from marginspec.base.errors import BadInput
from marginspec.lockstep import corpus_store
from marginspec.lockstep.corpus_store import open_corpus
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call
from marginspec.runs.documents import fuzz_document
from marginspec.systems.registry import shipped
from marginspec.targets.protocol import Answer

MODEL = shipped("morpho-blue")

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="install redis-server (Debian's package of that name)"
)


class Server:
    """A server of its own, at a socket that is a file."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder / 'socket'}"
        options = ("--port", "0", "--unixsocket", str(folder / "socket"), "--dir", str(folder), "--save", "")
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        self.client = redis.Redis.from_url(self.url)
        while not self._answers():
            time.sleep(0.01)

    def _answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it answer no more."""
        os.kill(self.process.pid, signal.SIGSTOP)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setattr(corpus_store, "SECONDS_TO_ANSWER", 0.3)
    monkeypatch.chdir(tmp_path)
    with tempfile.TemporaryDirectory() as folder:  # whose path is short enough for a socket
        started = Server(Path(folder))
        yield started
        started.kill()


class Disturbing(Twin):
    """An implementation that is wrong about an action; before its hundredth call something happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__("borrow")
        self._happens = happens

    def apply(self, call: Call) -> Answer:
        if self.calls == 100:
            self._happens()
        return super().apply(call)


def test_what_diverged_is_kept_and_tried_first(server: Server) -> None:
    first, second = (fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, seed, server.url) for seed in (1, 2))
    assert first["corpus"] == {"replayed": 0, "left_out": 0, "damaged": 0, "diverged": False}
    assert second["corpus"] == {"replayed": 1, "left_out": 0, "damaged": 0, "diverged": True}
    assert second["divergences"][0]["rule"] == first["divergences"][0]["rule"]


@pytest.mark.parametrize("end", [Server.kill, Server.hang], ids=["dies", "hangs"])
def test_one_that_ends_in_mid_run_costs_the_trace_and_says_so_in_one_line(
    end: Callable[[Server], None], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    document = fuzz_document(MODEL, Disturbing(lambda: end(server)), "twin", 5_000, 1, server.url)
    (found,) = document["divergences"]
    assert Path(found["trace"]).is_file()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("marginspec: --corpus: the trace is not kept there: ")


@pytest.mark.parametrize("end", [Server.kill, Server.hang], ids=["dead", "hangs"])
def test_one_that_does_not_answer_at_first_is_one_line(end: Callable[[Server], None], server: Server) -> None:
    end(server)
    with pytest.raises(BadInput, match=r"^--corpus: ") as refused:
        open_corpus(server.url, MorphoBlue)
    assert "\n" not in str(refused.value)


def test_one_that_has_something_else_in_the_place_of_the_corpus_is_told_of(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, server.url)
    for key in server.client.scan_iter():
        server.client.delete(key)
        server.client.set(key, "no set")
    capsys.readouterr()
    document = fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, server.url)
    assert document["divergences"]
    said = capsys.readouterr().err
    assert "what is kept there is not tried: " in said
    assert "the trace is not kept there: " in said


def test_one_that_is_full_costs_the_trace(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.client.config_set("maxmemory", "1")
    assert fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, server.url)["divergences"]
    assert "the trace is not kept there: " in capsys.readouterr().err
