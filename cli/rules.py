"""`marginspec rules`: the specification, and what of the code speaks of it."""

from __future__ import annotations

from typing import Annotated

import typer

from marginspec.base.process import HOLDS, Output, emit
from marginspec.cli.options import DEFAULT, Json, NoChance, SystemName
from marginspec.report import terminal
from marginspec.results.rule_index import rules_document
from marginspec.systems.registry import system


def rules(
    name: SystemName = DEFAULT,
    only: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="These, or 'LIQ-*', in full.")] = None,
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Show, for every rule, its title, where it stands in the code, and the properties that speak of it.

    What a rule says: marginspec rules morpho-blue LIQ-2

    Exit code 0: shown, whatever a rule lacks; that is for a system's tests to refuse. 2: there is no such system.
    """
    document = rules_document(system(name), only)
    if as_json:
        emit(document)
    else:
        terminal.show_rules(document, Output(), in_full=bool(only))
    return HOLDS
