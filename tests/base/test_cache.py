"""What takes long is made once, of the same, and again when its file is not whole."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from marginspec.base.cache import kept


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[int]]:
    """Makes how often it made something; what is kept goes into a folder that is not there yet."""
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path / "kept"))
    times = 0

    def make() -> list[int]:
        nonlocal times
        times += 1
        return [times]

    return make


def test_it_is_made_once_of_the_same(counting: Callable[[], list[int]]) -> None:
    assert [kept("it-1.0", "one", counting) for _ in range(3)] == [[1], [1], [1]]


def test_it_is_made_anew_of_something_else_or_by_another_version(counting: Callable[[], list[int]]) -> None:
    made = [kept(*of, counting) for of in (("it-1.0", "one"), ("it-1.0", "two"), ("it-1.1", "one"), ("it-1.0", "one"))]
    assert made == [[1], [2], [3], [1]]


def test_where_nothing_can_be_written_it_is_made_every_time(
    counting: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", "/proc/kept")
    assert [kept("it-1.0", "one", counting) for _ in range(2)] == [[1], [2]]


@pytest.mark.parametrize("broken", ["", "[1", "\x00"])
def test_a_file_that_is_not_whole_is_made_again(counting: Callable[[], list[int]], tmp_path: Path, broken: str) -> None:
    kept("it-1.0", "one", counting)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_text(broken)
    assert [kept("it-1.0", "one", counting) for _ in range(2)] == [[2], [2]]
    assert list((tmp_path / "kept").iterdir()) == [file]


@pytest.mark.parametrize(
    "variables",
    [{"HOME": None}, {"HOME": "/nowhere/at/all"}, {"XDG_CACHE_HOME": ""}],
    ids=["nobody's", "not there", "empty"],
)
def test_who_has_no_home_keeps_nothing_and_nothing_is_written_where_he_is(
    variables: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MARGINSPEC_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        if value is None:
            monkeypatch.setattr(Path, "home", _nobodys_home)
        else:
            monkeypatch.setenv(name, value)
    assert kept("x", "of this", lambda: 7) == 7
    assert {path.name for path in tmp_path.iterdir()} <= {"home"}


def _nobodys_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_of_two_runs_at_once_one_makes_it_and_the_other_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path / "kept"))
    program = (
        "import time\nfrom marginspec.base.cache import kept\n"
        "def make():\n    print('made', flush=True)\n    time.sleep(1)\n    return [1]\n"
        "print(kept('it-1.0', 'one', make))"
    )
    command = [sys.executable, "-c", program]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert sorted(said) == ["[1]\n", "[1]\n", "made\n[1]\n"]
    assert [file.suffix for file in (tmp_path / "kept").iterdir()] == [".json"]


def test_who_was_killed_while_making_it_keeps_nobody_waiting(counting: Callable[[], list[int]], tmp_path: Path) -> None:
    program = (
        "import os\nfrom marginspec.base.cache import kept\nkept('it-1.0', 'one', lambda: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert kept("it-1.0", "one", counting) == [1]
    assert [file.suffix for file in (tmp_path / "kept").iterdir()] == [".json"]
