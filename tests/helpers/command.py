"""What it is to run the command in a test, and to be refused."""

from collections.abc import Callable
from subprocess import CompletedProcess

Done = CompletedProcess[str]
Command = Callable[..., Done]


def refused(done: Done, said: str, code: int = 2) -> None:
    """The command said one thing, on standard error, and ended with a code."""
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if "compiling" not in line]  # progress of an empty cache
    assert line.startswith("marginspec: ")
    assert said in line
    assert done.returncode == code
