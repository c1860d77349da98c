"""`marginspec margin`: what a user's portfolios need, by the chapters of a risk desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.errors import BadInput
from marginspec.base.process import HOLDS, Output, emit
from marginspec.cli.options import Json, NoChance
from marginspec.desk.arrays_file import arrays_of, written
from marginspec.desk.crif import crif_text, read_crif
from marginspec.desk.margin_files import margin_of
from marginspec.desk.portfolio_file import read_portfolio
from marginspec.desk.simm import PUBLISHED, published, read_weights
from marginspec.report.margin import show_margin


def margin(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Accounts, CRIFs, risk arrays, surfaces.")],
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Weights of SIMM, in the form of spec/simm/{PUBLISHED.name}.")
    ] = None,
    positions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Positions in the contracts of a SPAN file: commodity,contract,amount."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the one FILE anew: a CRIF as a CRIF, an account as risk arrays."),
    ] = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """What portfolios need: an account by chapter 12, a CRIF by SIMM and positions with risk arrays by chapter 16. A
    surface of volatilities is checked for arbitrage.

    An account with options, as examples/portfolio.json: marginspec margin account.json

    A CRIF, by the weights that ISDA publishes or by others: marginspec margin crif.csv --weights weights.toml

    A file of a clearing house: marginspec margin nse.spn --positions positions.csv

    The options of an account as risk arrays: marginspec margin account.json --out arrays.json

    Exit code 0: worked out. 2: a file is not what it should be, or a rule refuses what it says; one line says where.
    """
    known = published() if weights is None else read_weights(weights)
    found = [margin_of(file, known, positions) for file in files]
    if out is not None:
        if len(files) != 1 or found[0]["kind"] not in ("account", "crif"):
            raise BadInput("--out: give one account or one CRIF")
        own = written(arrays_of(read_portfolio(files[0]))) if found[0]["kind"] == "account" else None
        out.write_text(own or crif_text(read_crif(files[0])), "utf-8")
    if as_json:
        emit({"schema": "marginspec/margin/1", "portfolios": found})
        return HOLDS
    show_margin(found, Output())
    return HOLDS
