"""What diverged in one run is tried first in the next, in bounded time, wherever it is kept."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis.database import ExampleDatabase, InMemoryExampleDatabase
from twin import Twin

from marginspec.base.errors import BadInput
from marginspec.base.files import PARTIAL, _sweep
from marginspec.lockstep import corpus as module
from marginspec.lockstep.campaign import run
from marginspec.lockstep.corpus import Corpus
from marginspec.lockstep.corpus_store import open_corpus
from marginspec.lockstep.trace import Trace, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.runs.documents import fuzz_document
from marginspec.systems.registry import shipped

MODEL = shipped("morpho-blue")


def diverging(wrong: str, seed: int = 1) -> Trace:
    """The shortest trace of a campaign against an implementation that is wrong about an action."""
    (found,) = run(MorphoBlue, Twin(wrong), 5_000, seed).divergences
    return found.trace


def lengthy(calls: int, name: str = "supplier") -> Trace:
    """A trace of this many calls that does not diverge."""
    call = Call("set_authorization", {"caller": name, "authorized": "owner", "new_is_authorized": True})
    names = actions_of(MorphoBlue)["set_authorization"].arguments
    assert call.arguments.keys() == names.keys()
    return trace_of(MorphoBlue, "twin", 1, [call] * calls, None)


@pytest.fixture
def corpus() -> Corpus:
    return Corpus(InMemoryExampleDatabase(), MorphoBlue)


# --- Replaying -----------------------------------------------------------------------------------------------


def test_a_failure_found_in_one_run_is_replayed_first_in_the_next(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    kept = str(tmp_path / "corpus")
    first = fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, kept)
    assert first["corpus"] == {"replayed": 0, "left_out": 0, "damaged": 0, "diverged": False}
    (found,) = first["divergences"]
    # Another seed, which would draw other calls.
    second = fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 2, kept)
    assert second["corpus"] == {"replayed": 1, "left_out": 0, "damaged": 0, "diverged": True}
    assert second["steps"] == found["steps"] == second["divergences"][0]["steps"]
    for key in ("rule", "field", "model", "target"):
        assert second["divergences"][0][key] == found[key]


def test_it_stays_when_the_difference_is_gone_and_the_run_goes_on(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    kept = str(tmp_path / "corpus")
    fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, kept)
    for _ in range(2):
        mended = fuzz_document(MODEL, Twin(), "twin", 400, 1, kept)
        assert mended["corpus"] == {"replayed": 1, "left_out": 0, "damaged": 0, "diverged": False}
        assert (mended["steps"], mended["divergences"]) == (400, [])


def test_the_shortest_traces_come_first(corpus: Corpus) -> None:
    corpus.keep(lengthy(30))
    corpus.keep(diverging("supply"))
    target = Twin("supply")
    replayed = corpus.replay(target, 1)
    assert replayed.campaign is not None
    assert (replayed.traces, replayed.left_out) == (1, 1)


def test_replaying_is_bounded_whatever_is_kept(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPLAYED_STEPS", 50)
    for length in range(1, 30):
        corpus.keep(lengthy(length))
    target = Twin()
    replayed = corpus.replay(target, 1)
    # 1 + 2 + … + 9 = 45 calls; ten more would be too many.
    assert (target.calls, replayed.traces, replayed.left_out) == (45, 9, 20)
    assert replayed.campaign is None


def test_a_trace_that_diverges_earlier_than_it_did_is_shrunk_again(corpus: Corpus) -> None:
    corpus.keep(lengthy(9))
    replayed = corpus.replay(Twin("set_authorization"), 1)
    assert replayed.campaign is not None
    (found,) = replayed.campaign.divergences
    assert len(found.trace) == 1
    assert found.divergence.field == "returns"


def test_the_same_trace_is_kept_once(corpus: Corpus) -> None:
    for _ in range(3):
        corpus.keep(lengthy(2))
    assert corpus.replay(Twin(), 1).traces == 1


# --- What others have put there ------------------------------------------------------------------------------


class Poisoned(InMemoryExampleDatabase):
    """Holds under every key what is no trace, beside what is kept."""

    def fetch(self, key: bytes) -> Any:
        return [*super().fetch(key), b"", b"\xff\xfe", b"[]", b'{"schema": "marginspec/trace/1"}', b"[" * 100_000]


def test_what_is_no_trace_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus(Poisoned(), MorphoBlue)
    corpus.keep(lengthy(2))
    replayed = corpus.replay(Twin(), 1)
    assert replayed == module.Replayed(1, 5, None, 5)


def test_traces_of_another_model_are_not_looked_at() -> None:
    database: ExampleDatabase = InMemoryExampleDatabase()
    Corpus(database, MorphoBlue).keep(lengthy(2))
    other = Corpus(database, shipped("reference").model)
    assert other.replay(Twin(), 1).traces == 0


# --- Where it is kept ----------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="give a folder that can be written"):
        open_corpus(str(tmp_path / "file" / "corpus"), MorphoBlue)


def test_a_file_that_is_cut_off_does_not_keep_a_trace_from_being_kept_again(tmp_path: Path) -> None:
    for cut in (b"", b'{"schema"'):
        corpus = open_corpus(str(tmp_path), MorphoBlue)
        corpus.keep(lengthy(2))
        (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
        file.write_bytes(cut)
        assert corpus.replay(Twin(), 1).traces == 0
        corpus.keep(lengthy(2))
        assert corpus.replay(Twin(), 1) == module.Replayed(1, 0, None)


def test_a_trace_that_cannot_be_kept_is_told_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[:9])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    corpus = open_corpus(str(tmp_path), MorphoBlue)
    monkeypatch.setattr(Path, "write_bytes", full)
    corpus.keep(lengthy(2))
    assert "the trace is not kept there: No space left on device" in capsys.readouterr().err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_killed_run_left_half_written_is_no_trace_and_goes(tmp_path: Path) -> None:
    open_corpus(str(tmp_path), MorphoBlue).keep(lengthy(2))
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    old, new = (file.with_name(f".x.{name}{PARTIAL}") for name in ("old", "new"))
    for each in (old, new):
        each.write_bytes(b"{")
    os.utime(old, (0, 0))
    corpus = open_corpus(str(tmp_path), MorphoBlue)
    assert corpus.replay(Twin(), 1) == module.Replayed(1, 0, None)
    _sweep.cache_clear()
    corpus.keep(lengthy(3))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_url_without_the_package_that_it_needs_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
    with pytest.raises(BadInput, match="pip install redis"):
        open_corpus("redis://127.0.0.1:1", MorphoBlue)


def stand_in() -> ModuleType:
    """As much of package redis as Hypothesis's database uses: sets in a dictionary, one for each URL."""
    sets: dict[str, dict[bytes, set[bytes]]] = {}

    class RedisError(Exception):
        pass

    class Redis:
        def __init__(self, url: str) -> None:
            self._sets = sets.setdefault(url, {})
            self._answers: list[Any] = []

        @classmethod
        def from_url(cls, url: str, **patience: object) -> "Redis":
            if not url.startswith("redis://"):
                raise ValueError("Redis URL must specify one of the following schemes")
            return cls(url)

        def ping(self) -> None:
            if ":1" in next(url for url, found in sets.items() if found is self._sets):
                raise RedisError("Error 111 connecting to 127.0.0.1:1. Connection refused.")

        def pipeline(self) -> "Redis":
            return self

        def sadd(self, key: bytes, value: bytes) -> None:
            self._sets.setdefault(key, set()).add(value)
            self._answers.append(1)

        def smembers(self, key: bytes) -> None:
            self._answers.append(self._sets.get(key, set()))

        def expire(self, key: bytes, after: Any) -> None:
            self._answers.append(1)

        def execute(self) -> list[Any]:
            if ":2" in next(url for url, found in sets.items() if found is self._sets):
                raise RedisError("Connection closed by server.")
            answers, self._answers = self._answers, []
            return answers

        def publish(self, channel: str, message: str) -> None:
            return None

    package = ModuleType("redis")
    package.Redis, package.RedisError = Redis, RedisError  # type: ignore[attr-defined]
    return package


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "redis", stand_in())
    monkeypatch.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
    yield
    sys.modules.pop("hypothesis.extra.redis", None)  # which has taken the stand-in for the package


@pytest.mark.usefixtures("redis")
def test_a_redis_database_keeps_what_a_folder_does() -> None:
    url = "redis://localhost/0"
    open_corpus(url, MorphoBlue).keep(lengthy(3))
    assert open_corpus(url, MorphoBlue).replay(Twin(), 1).traces == 1
    assert open_corpus("redis://localhost/2", MorphoBlue).replay(Twin(), 1).traces == 0


@pytest.mark.usefixtures("redis")
def test_a_database_that_goes_away_costs_a_trace_not_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = open_corpus("redis://localhost/0", MorphoBlue)
    package: Any = sys.modules["redis"]

    def gone(self: Any) -> list[Any]:
        raise package.RedisError("Connection closed by server.")

    monkeypatch.setattr(package.Redis, "execute", gone)
    corpus.keep(lengthy(3))
    assert (
        capsys.readouterr().err == "marginspec: --corpus: the trace is not kept there: Connection closed by server.\n"
    )


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1", "ftp://:secret@localhost"])
def test_a_database_that_cannot_be_had_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        open_corpus(url, MorphoBlue)
    assert str(refused.value).startswith("--corpus: ")
    assert "secret" not in str(refused.value)


@pytest.mark.usefixtures("redis")
def test_a_database_that_goes_away_costs_the_corpus_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    document = fuzz_document(MODEL, Twin("borrow"), "twin", 5_000, 1, "redis://127.0.0.1:2")
    assert document["divergences"]
    assert document["corpus"] == {"replayed": 0, "left_out": 0, "damaged": 0, "diverged": False}
    said = capsys.readouterr().err
    assert "--corpus: what is kept there is not tried: Connection closed by server." in said
    assert "--corpus: the trace is not kept there: Connection closed by server." in said
