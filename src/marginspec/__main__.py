"""The command: `marginspec`, or `python -m marginspec`."""

import sys

from marginspec.base import process
from marginspec.base.errors import BadInput


def main() -> None:
    """Run a verb and end the process. What it needs is imported where a signal is already heeded."""
    process.run(_verb)


def _verb() -> object:
    if sys.flags.optimize > 1:
        raise BadInput(
            "Python leaves out docstrings, which are the texts of laws: unset PYTHONOPTIMIZE, or leave out -OO"
        )
    from marginspec.cli.main import run

    return run()


if __name__ == "__main__":
    main()
