"""Proofs are kept between runs for as long as nothing that they depend on changes."""

import importlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from marginspec.prover import cache
from marginspec.prover.cache import KeptProver
from marginspec.prover.prove import Verdict

MODEL = """
from dataclasses import dataclass
from typing import Annotated

from kept_sizes import HIGH

from marginspec.model.kernel import Machine, Number, action
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

Amount = Annotated[int, Number(0, HIGH)]


@dataclass
class Box(Machine):
    held: Amount = 0

    @classmethod
    def blank(cls):
        return cls()

    @action
    def take(self) -> None:
        self.held = 0


chapter = Chapter("", Scope({}))


@chapter.theorem("KEPT")
def law(box: Box, amount: Amount) -> bool:
    \"\"\"What is taken is gone.\"\"\"
    box.take()
    return box.held <= amount
"""
SIZES = "HIGH = 7\n"
TIMES = itertools.count()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path / "kept"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(cache, "STARTED", time.time() + 600)
    written(tmp_path / "kept_sizes.py", SIZES)
    written(tmp_path / "kept_box.py", MODEL)
    yield tmp_path
    for name in ("kept_sizes", "kept_sizes.inner", "kept_box"):
        sys.modules.pop(name, None)


def written(file: Path, text: str) -> None:
    """Write a file, at another time than any before: else Python takes what it compiled of it for the same."""
    file.write_text(text)
    os.utime(file, (next(TIMES),) * 2)


def proved(folder: Path) -> Verdict:
    """The verdict on the law as it stands in the files now."""
    for name in ("kept_sizes", "kept_sizes.inner", "kept_box"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    made: ModuleType = importlib.import_module("kept_box")
    return KeptProver(made.Box).alone(made.chapter.properties[0])


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    written(file, text.replace(old, new))


def test_a_proof_is_found_again(folder: Path) -> None:
    first, again = proved(folder), proved(folder)
    assert (first.verdict, first.cached) == ("proved", False)
    assert (again.verdict, again.cached, again.paths) == ("proved", True, first.paths)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("kept_box.py", "<= amount", "< amount + 1"), ("kept_sizes.py", "7", "8")],
    ids=["the law", "a constant of another module"],
)
def test_it_is_made_anew_when_a_text_changes(folder: Path, file: str, old: str, new: str) -> None:
    assert not proved(folder).cached
    changed(folder / file, old, new)
    assert not proved(folder).cached
    assert proved(folder).cached


def test_a_law_that_became_false_is_not_believed(folder: Path) -> None:
    assert proved(folder).verdict == "proved"
    changed(folder / "kept_box.py", "self.held = 0", "self.held = 1")
    assert [proved(folder).verdict for _ in range(2)] == ["refuted", "refuted"]


@pytest.mark.parametrize("moved", [False, True], ids=["edited", "replaced by an older file"])
def test_nothing_is_found_of_a_text_that_changed_while_the_process_runs(
    moved: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not proved(folder).cached
    time.sleep(0.05)
    monkeypatch.setattr(cache, "STARTED", time.time())
    time.sleep(0.05)
    if moved:
        written(folder / "older.py", SIZES)
        (folder / "older.py").replace(folder / "kept_sizes.py")
    else:
        (folder / "kept_sizes.py").touch()
    assert [proved(folder).cached for _ in range(2)] == [False, False]


def test_it_is_made_anew_when_the_package_of_a_module_changes(folder: Path) -> None:
    (folder / "kept_sizes.py").rename(folder / "kept_sizes_too.py")
    (folder / "kept_sizes").mkdir()
    written(folder / "kept_sizes" / "__init__.py", SIZES)
    written(folder / "kept_sizes" / "inner.py", "")
    changed(folder / "kept_box.py", "from kept_sizes import HIGH", "import kept_sizes.inner\nHIGH = kept_sizes.HIGH")
    assert [proved(folder).cached for _ in range(2)] == [False, True]
    changed(folder / "kept_sizes" / "__init__.py", "7", "8")
    assert not proved(folder).cached


def test_a_folder_below_that_of_python_is_no_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(folder.parent))
    assert [proved(folder).cached for _ in range(2)] == [False, True]
    changed(folder / "kept_sizes.py", "7", "8")
    assert not proved(folder).cached


def test_a_file_that_was_tampered_with_is_not_believed(folder: Path) -> None:
    proved(folder)
    for file in (folder / "kept").glob("proof-*.json"):
        changed(file, '"paths": 1', '"paths": 2')
    assert not proved(folder).cached
