"""`marginspec config`: the settings that hold here, and where they are from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.process import HOLDS, Output, emit
from marginspec.base.text import safe
from marginspec.cli.options import Json, NoChance
from marginspec.results.settings import SCHEMA, settings_document


def config(
    schema: Annotated[
        bool, typer.Option("--schema", help="The JSON Schema of the settings instead, for an editor.")
    ] = False,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Show the settings that hold in this folder, and the file that each is from.

    They stand in marginspec.toml, or in \\[tool.marginspec] of pyproject.toml, here or in a folder above.

    For an editor: marginspec config --schema > marginspec.schema.json, and in marginspec.toml
    #:schema marginspec.schema.json

    Exit code 0: shown. 2: a setting means nothing.
    """
    if schema:
        emit(SCHEMA)
        return HOLDS
    document = settings_document(Path.cwd())
    if as_json:
        emit(document)
        return HOLDS
    console = Output()
    for row in document["settings"]:
        value = "not set" if row["value"] is None else json.dumps(row["value"])
        console.print(f"[bold]{row['key']}[/] = {safe(value)}  [dim]({safe(row['from'])})[/]")
        console.print(f"    {row['meaning']}")
    return HOLDS
