"""One damaged input, given to a verb in this process, and what is wrong with how that ends."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marginspec.__main__ import main
from marginspec.base import deadline, ending
from marginspec.results import documents
from tools.hostile.damage import damaged
from tools.hostile.inputs import RECORDINGS, Input

SECONDS = 30.0
"""Of processor time, for one verb, which takes a few at most."""

CODES = (0, 1, 2, 3, 4)

REMARKS = re.compile(
    r"marginspec: (compiling |answers of |divergence, kept in |[a-z ]+: [\d,]+ of |--corpus|other forms of )"
)
"""Lines on standard error beside the one that says what was wrong."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

TOLD = {name: value for name, value in vars(ending._Told).items() if not name.startswith("__")}


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A damaged file and a command. number: repeats it, with the seed. codes: with which it may end."""

    kind: str
    number: int
    command: tuple[str, ...]
    files: dict[str, bytes]
    codes: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a verb ended."""

    code: int | None
    out: str
    err: str


def attempt(known: dict[str, Input], seed: int, number: int) -> Attempt:
    """The n-th attempt of a seed."""
    draw = random.Random(f"{seed} {number}")
    (kind,) = draw.choices(list(known), [each.weight for each in known.values()])
    given = known[kind]
    command = draw.choice(given.commands)
    if draw.random() < 0.3:
        command = (*command, "--json")
    files = {**given.beside, given.name: given.file(damaged(given.content, draw))}
    return Attempt(kind, number, command, files, CODES if given.code is None else (given.code,))


def problems(tried: Attempt, folder: Path) -> tuple[int | None, list[str]]:
    """How a verb ends, in an empty folder that is emptied again: its code, and what is wrong with it."""
    for name, content in tried.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    try:
        done = _run(tried.command, folder)
        return done.code, [*_said(done, tried), *_written(folder, tried)]
    except deadline.Overdue:
        return None, [f"it takes more than {SECONDS:.0f} s"]
    finally:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _run(command: tuple[str, ...], folder: Path) -> Ending:
    out, err = io.StringIO(), io.StringIO()
    for name, value in TOLD.items():
        setattr(ending._Told, name, value)
    with _in(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.argv = ["marginspec", *command]
        try:
            with deadline.Budget(SECONDS).spent():
                main()
        except SystemExit as ended:
            return Ending(ended.code if isinstance(ended.code, int) else None, out.getvalue(), err.getvalue())
    raise AssertionError("a verb ends by SystemExit")


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    """In a folder that is the home too; what a run changes of this process is undone."""
    before, handlers = Path.cwd(), {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    environment = os.environ.copy()
    (folder / "tmp").mkdir()
    os.environ.setdefault("MARGINSPEC_CACHE", str(Path.home() / ".cache" / "marginspec"))
    os.environ.setdefault("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib"))
    os.environ["HOME"], tempfile.tempdir = str(folder), str(folder / "tmp")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        tempfile.tempdir = None
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _said(done: Ending, tried: Attempt) -> Iterator[str]:
    if done.code not in tried.codes:
        yield f"exit code {done.code}: {' | '.join(done.err.splitlines()[-6:])[-600:]}"
        return
    if "Traceback" in done.err:
        yield f"a traceback: {done.err[-300:]}"
    for name, text in (("output", done.out), ("errors", done.err)):
        if found := CONTROL.search(text):
            yield f"{found[0]!r} in its {name}: {text[max(0, found.start() - 60) : found.end() + 20]!r}"
        if any(line.startswith("::") for line in text.splitlines()):
            yield f"a line for GitHub in its {name}"
    lines = [line for line in done.err.splitlines() if not REMARKS.match(line)]
    if done.code in (2, 4) and not (len(lines) == 1 and lines[0].startswith("marginspec: ") and len(lines[0]) > 20):
        yield f"code {done.code}, not with one line: {lines[:3]}"
    if done.code in (2, 4) and done.out:
        yield f"code {done.code}, with output: {done.out[:200]!r}"
    if "--json" in tried.command and done.code in (0, 1, 3):
        try:
            json.loads(done.out)
        except ValueError as error:
            yield f"no JSON document: {error}"


def _written(folder: Path, tried: Attempt) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            continue
        if name in tried.files:
            if path.read_bytes() != tried.files[name]:
                yield f"{name} was changed"
        elif not name.startswith(("out/", "corpus/", ".hypothesis/")):
            yield f"a file outside out/: {name}"
        elif path.stat().st_size == 0:
            yield f"an empty file: {name}"
        elif path.suffix in (".html", ".md", ".xml", ".json", ".sarif") and (
            found := CONTROL.search(path.read_text("utf-8", "surrogateescape"))
        ):
            yield f"{found[0]!r} in {name}"


@contextlib.contextmanager
def without_proofs() -> Iterator[None]:
    """`check` proves no law and tries no mutant: that takes minutes, and does not depend on what is given."""
    module: Any = importlib.import_module("marginspec.cli.check")
    before = module.prove_document, module.mutate_document
    mutants = json.loads((RECORDINGS / "mutate.json").read_text())["document"]
    module.mutate_document = lambda *given, **options: copy.deepcopy(mutants)
    module.prove_document = lambda chosen, *given, **options: documents.prove_document(chosen.name, [], 0.0)
    try:
        yield
    finally:
        module.prove_document, module.mutate_document = before
