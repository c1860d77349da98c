"""A command, run in the process of a test."""

import signal
import sys
from collections.abc import Iterator

import pytest
from command import Command, Done, Main

from marginspec.base import ending

TOLD = {name: value for name, value in vars(ending._Told).items() if not name.startswith("__")}
"""What a process begins with that was told nothing."""


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
