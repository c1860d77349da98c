"""Proofs are kept between runs for as long as nothing that they depend on changes."""

import importlib
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

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
    written(tmp_path / "kept_sizes.py", SIZES)
    written(tmp_path / "kept_box.py", MODEL)
    yield tmp_path
    for name in ("kept_sizes", "kept_box"):
        sys.modules.pop(name, None)


def written(file: Path, text: str) -> None:
    """Write a file as if before this process began, at another time than any before."""
    file.write_text(text)
    os.utime(file, (next(TIMES),) * 2)


def proved(folder: Path) -> Verdict:
    """The verdict on the law as it stands in the files now."""
    for name in ("kept_sizes", "kept_box"):
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


def test_nothing_is_found_of_a_text_that_was_edited_while_the_process_runs(folder: Path) -> None:
    assert not proved(folder).cached
    (folder / "kept_sizes.py").touch()
    assert [proved(folder).cached for _ in range(2)] == [False, False]


def test_a_file_that_was_tampered_with_is_not_believed(folder: Path) -> None:
    proved(folder)
    for file in (folder / "kept").glob("proof-*.json"):
        changed(file, '"paths": 1', '"paths": 2')
    assert not proved(folder).cached
