"""A command, run in the process of a test."""

import contextlib
import importlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command, Done, Main

from marginspec.base import ending
from marginspec.systems import user_system

TOLD = {name: value for name, value in vars(ending._Told).items() if not name.startswith("__")}
"""What a process begins with that was told nothing."""


@pytest.fixture(scope="module", autouse=True)
def _no_system_of_a_users_own_stays() -> Iterator[None]:
    """A folder that tests of one file looked at must not be in the way of another of its name."""
    yield
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and any(Path(file).is_relative_to(folder) for folder in user_system._FOLDERS):
            del sys.modules[name]
    for folder in user_system._FOLDERS:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder.parent))
    user_system._FOLDERS.clear()
    importlib.invalidate_caches()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs the main function of a command in this process, which saves the second that it takes to start."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}

    def run(main: Main, *arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        for name, value in TOLD.items():
            monkeypatch.setattr(ending._Told, name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(arguments, int(ended.value.code or 0), *capsys.readouterr())

    yield run
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
