"""A full disk, a home that cannot be written, two runs at once: what was found is told, and no file is cut off."""

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Command, Done, refused

from marginspec.base.errors import BadInput
from marginspec.mutation import planted
from marginspec.targets.evm.answers import AnswerFile

BUG = "supply-rounds-shares-up"
COMMAND = (sys.executable, "-m", "marginspec")


@pytest.fixture
def broken(tmp_path: Path) -> tuple[str, ...]:
    """A candidate build that diverges soon, as options."""
    (bug,) = (each for each in planted.load("morpho-blue") if each.id == BUG)
    build = planted.build(bug)["Morpho"]
    path = tmp_path / "Morpho.json"
    path.write_text(json.dumps({"abi": build.abi, "bytecode": build.bytecode.hex()}))
    return "--artifact", f"Morpho={path}"


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file can become longer, as on a disk on which so much is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def whole(folder: Path) -> bool:
    """Whether every file below a folder is all of it."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return all(json.loads(file.read_text()) for file in files if file.suffix != ".sol" and file.suffix != ".py")


# --- A full disk ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1_000, 3_000])
def test_a_divergence_is_told_when_its_trace_can_be_kept_nowhere(
    size: int, broken: tuple[str, ...], here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    verb = ("fuzz", "morpho-blue", "--steps", "400", "--json", *broken)
    with files_of_at_most(size):
        done = here(*verb, "--corpus", "corpus")
    assert done.returncode == 1
    assert json.loads(done.stdout)["divergences"]
    told = "nothing can be kept in out/traces or elsewhere (File too large)"
    assert [line for line in done.stderr.splitlines() if told in line]
    assert "--corpus corpus: the trace is not kept there: File too large" in done.stderr
    assert all(whole(tmp_path / folder) for folder in ("corpus", "out"))
    # And with space again, all is kept.
    assert here(*verb, "--corpus", "corpus").returncode == 1
    again = here("fuzz", "morpho-blue", "--steps", "1", "--json", *broken, "--corpus", "corpus")
    assert json.loads(again.stdout)["corpus"] == {"replayed": 1, "left_out": 0, "damaged": 0, "diverged": True}


@pytest.mark.parametrize(
    ("verb", "file"),
    [
        (
            ("check", "morpho-blue", "--steps", "3", "--budget", "1", "--json", "--junit", "out/junit.xml"),
            "out/junit.xml",
        ),
        (("report", "document.json", "--out", "out/r.html"), "out/r.html"),
        (("export", "trace.json", "--out", "out"), "out/trace.itf.json"),
        (("init", "venue"), "venue"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_was_asked_for_and_cannot_be_written_is_one_line(
    verb: tuple[str, ...], file: str, here: Command, tmp_path: Path
) -> None:
    (tmp_path / "trace.json").write_text(json.dumps(trace()))
    (tmp_path / "document.json").write_text(here("rules", "morpho-blue", "--json").stdout)
    before = tmp_path / "out" / "r.html"
    before.parent.mkdir()
    before.write_text("before")
    with files_of_at_most(500):
        done = here(*verb)
    refused(done, "File too large", compiling=True)
    assert file in done.stderr
    assert before.read_text() == "before"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size == 0]


def trace() -> dict[str, Any]:
    from marginspec.lockstep.trace import document, trace_of
    from marginspec.model.deployed.morpho_blue import MorphoBlue
    from marginspec.model.kernel import Call

    supply = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
    return document(MorphoBlue, trace_of(MorphoBlue, "embedded", 1, [Call("supply", supply)], None))


def test_answers_that_do_not_fit_are_asked_again(tmp_path: Path) -> None:
    file, about = tmp_path / "answers.jsonl", {"block": "1"}
    with contextlib.closing(AnswerFile(file, about)) as answers:
        answers.keep([("first", 1)])
    told = pytest.raises(BadInput, match="File too large; what was answered before is kept there")
    with files_of_at_most(file.stat().st_size + 10), contextlib.closing(AnswerFile(file, about)) as answers, told:
        answers.keep([("second", 2), ("third", 3)])
    with contextlib.closing(AnswerFile(file, about)) as answers:
        assert (answers.known, "first" in answers, "second" in answers) == (1, True, False)


# --- A home that cannot be written ------------------------------------------------------------------------------------


def marginspec(folder: Path, *arguments: str, size: int | None = None, **environment: str) -> Done:
    """Run the command in a folder, where no file can become longer than `size`."""
    known = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "MARGINSPEC_CACHE")}
    with contextlib.nullcontext() if size is None else files_of_at_most(size):
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=folder,
            env={**known, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def test_a_run_that_can_cache_nothing_is_slower_and_else_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert marginspec(tmp_path, "init", "venue").returncode == 0
    done = marginspec(tmp_path, "check", "venue", "--steps", "300", "--json", HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["verdict"] == "holds"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "venue"}


def test_obligations_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    assert marginspec(tmp_path, "init", "venue").returncode == 0
    cache = str(tmp_path / "cache")
    done = marginspec(tmp_path, "prove", "venue", "--emit-smt2", "out", "--no-cache", size=500, XDG_CACHE_HOME=cache)
    refused(done, "File too large", compiling=True)


# --- Two runs at once -------------------------------------------------------------------------------------------------


def test_two_runs_at_once_share_a_cache_a_corpus_and_a_folder(tmp_path: Path) -> None:
    assert marginspec(tmp_path, "init", "venue").returncode == 0
    (contract,) = tmp_path.rglob("venue.vy")
    contract.write_text(contract.read_text().replace("self.total += amount", "self.total += amount + 1"))
    verb = (*COMMAND, "fuzz", "venue", "--steps", "400", "--json", "--corpus", "corpus")
    environment = {**os.environ, "MARGINSPEC_CACHE": str(tmp_path / "cache")}
    both = [
        subprocess.Popen(verb, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate() for run in both]
    assert [run.returncode for run in both] == [1, 1], said
    first, second = (json.loads(out) for out, _ in said)
    assert first["divergences"] == second["divergences"]
    assert all(whole(tmp_path / folder) for folder in ("corpus", "out", "cache"))
    assert not [*tmp_path.rglob(".*")]
