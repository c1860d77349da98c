"""What it is to run the command in a test, to be refused, and to find what can be repeated."""

import re
import runpy
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

PROGRESS = re.compile(r"marginspec: [a-z ]+: [\d,]+ of [\d,]+, \d+ s")

Done = CompletedProcess[str]
Command = Callable[..., Done]
Main = Callable[[], None]


def refused(done: Done, said: str, code: int = 2, compiling: bool = False) -> None:
    """The command said one thing, on standard error, and ended with a code.

    compiling: it may say that it does, too, and how far it is.
    """
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    (line,) = [line for line in lines if not (compiling and ("compiling" in line or PROGRESS.fullmatch(line)))]
    assert line.startswith("marginspec: ")
    assert said in line
    assert done.returncode == code


def repeats(here: Command, found: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found on a build of Morpho shows again by its command and its test, and not on what is shipped."""
    _, *command = shlex.split(found["repeat"])
    assert here(*command).returncode == 1
    assert found["exports"].keys() == {"itf", "pytest", "foundry"}
    assert all(Path(file).is_file() for file in found["exports"].values())
    (test,) = (f for name, f in runpy.run_path(found["exports"]["pytest"]).items() if name.startswith("test_"))
    with pytest.raises(AssertionError):
        test()
    monkeypatch.setenv("MARGINSPEC_MORPHO", "")
    test()
