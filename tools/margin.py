"""Margins of accounts in files, by chapter 12: `python -m tools.margin FILE …`, one JSON document on standard output.

What a file holds is in `lockstep/portfolio.schema.json`; `examples/portfolio.json` is one. `python -m tools.risk
--portfolio FILE` compares a service with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.lockstep.figures import number
from marginspec.lockstep.portfolio_file import read_portfolio
from marginspec.lockstep.service_run import figures
from marginspec.model.kernel import Rejected


def of(file: Path) -> dict[str, Any]:
    """The figures of the account in a file, and of what is missing of it."""
    asked = read_portfolio(file)
    try:
        found = {figure.name: figure.value for figure in figures(asked)}
    except Rejected as refused:
        raise BadInput(f"{file}: refused by {refused.rule}: marginspec rules reference {refused.rule}") from None
    return {
        "file": str(file),
        "liquidatable": found["maintenance"] < 0,
        "may_open": found["initial"] >= 0,
        "figures": {name: number(value) for name, value in found.items()},
    }


def margin(files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Accounts.")]) -> int:
    """Work out maintenance and initial margin of accounts, and what they are made of."""
    process.emit({"schema": "marginspec/margin/1", "accounts": [of(file) for file in files]})
    return process.HOLDS


def main() -> None:
    """Work out margins."""
    app = typer.Typer(add_completion=False)
    app.command()(margin)
    process.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
