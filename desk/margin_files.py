"""What a user's files need as margin: an account, a CRIF, positions with risk arrays, or a surface to be checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.desk import arrays_file
from marginspec.desk.crif import read_crif
from marginspec.desk.figures import number
from marginspec.desk.portfolio_file import portfolio, read_json
from marginspec.desk.service_run import figures
from marginspec.desk.simm import SimmWeights, simm
from marginspec.desk.surface_file import surface_without_arbitrage
from marginspec.model.kernel import Rejected


def margin_of(file: Path, weights: SimmWeights, positions: Path | None) -> dict[str, Any]:
    """The figures of a file, by what it is; BadInput says what is wrong with it. weights: of SIMM, for a CRIF.

    positions: those in the contracts of a SPAN file.
    """
    if file.suffix.lower() in (".spn", ".xml"):
        if positions is None:
            raise BadInput(f"{file}: give the positions in its contracts: --positions FILE")
        document = arrays_file.read_span(file, positions)
        return _told(file, "arrays", lambda: arrays_file.requirement(document, str(file)))
    if file.suffix.lower() != ".json":
        rows = read_crif(file)
        return _told(file, "crif", lambda: _by_simm(rows, weights)) | {"weights": weights.name}
    document = read_json(file)
    if isinstance(document, dict) and "contracts" in document:
        return _told(file, "arrays", lambda: arrays_file.requirement(document, str(file)))
    if isinstance(document, dict) and "surface" in document:
        return {"file": str(file), "kind": "surface", **surface_without_arbitrage(document, str(file))}
    asked = portfolio(document, str(file))
    found: dict[str, int] = {}

    def account() -> dict[str, int]:
        found.update({figure.name: figure.value for figure in figures(asked)})
        return found

    told = _told(file, "account", account)
    return told | {"liquidatable": found["maintenance"] < 0, "may_open": found["initial"] >= 0}


def _by_simm(rows: Any, weights: SimmWeights) -> dict[str, int]:
    found = simm(rows, weights)
    parts = {" ".join(part): needed.margin for part, needed in found.parts.items()}
    return {**parts, **found.products, "total": found.total}


def _told(file: Path, kind: str, work: Callable[[], dict[str, int]]) -> dict[str, Any]:
    try:
        figures = {name: number(value) for name, value in work().items()}
    except Rejected as refused:
        raise BadInput(f"{file}: refused by {refused.rule}: marginspec rules reference {refused.rule}") from None
    return {"file": str(file), "kind": kind, "figures": figures}
