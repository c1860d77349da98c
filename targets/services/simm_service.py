"""SIMM over HTTP, by ORE, which has ISDA's weights compiled in: a target for chapter 16 of the specification.

It shares no code with the models: this file alone runs, with the optional extra `simm` (`make simm`).

    python targets/services/simm_service.py --port 8022

`--engine quantark` answers by that library instead, where it is installed: a second opinion, in another language.
Amounts are decimal strings or numbers, USD. The interface describes itself at `/openapi.json`.
"""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Callable
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

DAYS = 10
COLUMNS = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "Amount",
    "AmountCurrency", "AmountUSD", "IMModel",
)  # fmt: skip
PRODUCTS = ("RatesFX", "Credit", "Equity", "Commodity")
CLASSES = ("InterestRate", "CreditQualifying", "CreditNonQualifying", "Equity", "Commodity", "FX")
MEASURES = ("Delta", "Vega", "Curvature", "BaseCorr")
WITHOUT_BUCKETS = ("IRCurve", "Inflation", "XCcyBasis", "IRVol", "InflationVol", "BaseCorr", "FX", "FXVol")

Text = Annotated[str, Field(max_length=64, pattern=r"^[\w .:/-]*$")]


class Posted(BaseModel):
    """Something that a request has, with no field that is not known."""

    model_config = ConfigDict(extra="forbid")


class Row(Posted):
    """A row of a CRIF."""

    product: Text
    risk: Text
    qualifier: Text
    bucket: Text
    label1: Text
    label2: Text
    amount: Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]

    def cells(self) -> tuple[str, ...]:
        """Its cells, as text."""
        amount = f"{self.amount:.2f}"
        labels = self.qualifier, self.bucket, self.label1, self.label2
        return ("t", "P1", self.product, self.risk, *labels, amount, "USD", amount, "SIMM")


class NettingSet(Posted):
    """The sensitivities of one agreement."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=10_000)]


class NettingSets(Posted):
    """Agreements to be margined."""

    netting_sets: Annotated[list[NettingSet], Field(max_length=1000)]


Engine = Callable[[list[Row]], dict[str, float]]


def by_ore() -> Engine:
    """SIMM 2.6 by ORE. A name is of one bucket for as long as the service lives: ORE maps names, not rows."""
    import ORE

    record, base = ORE.CrifRecord, ORE.SimmConfigurationBase
    mapper = ORE.SimmBucketMapperBase()
    buckets: dict[tuple[str, str], str] = {}
    config = ORE.SimmConfiguration_ISDA_V2_6(mapper, DAYS)

    def mapped(row: Row) -> None:
        kind = row.risk.removeprefix("Risk_")
        if kind in WITHOUT_BUCKETS or row.bucket == "Residual":
            return
        known = buckets.setdefault((kind, row.qualifier), row.bucket)
        if known != row.bucket:
            raise HTTPException(422, f"{row.qualifier} is of bucket {known}, and of {row.bucket}")
        mapper.addMapping(getattr(record, f"RiskType_{kind}"), row.qualifier, row.bucket)

    def margin(rows: list[Row]) -> dict[str, float]:
        for row in rows:
            mapped(row)
        crif = ORE.Crif()
        crif.setCsvLoaderConfig(config)
        crif.fromCSVString("\n".join("\t".join(cells) for cells in (COLUMNS, *(row.cells() for row in rows))) + "\n")
        calculator = ORE.SimmCalculator(crif, config)  # owns its results, for as long as it is named
        pair = calculator.finalSimmResults(base.SimmSide_Call, ORE.NettingSetDetails("P1"))
        found = pair.second

        def part(product: str, kind: str, measure: str) -> float | None:
            key = (
                getattr(record, f"ProductClass_{product}"),
                getattr(base, f"RiskClass_{kind}"),
                getattr(base, f"MarginType_{measure}"),
                "All",
            )
            return float(found.get(*key)) if found.has(*key) else None

        listed = {
            f"{product} {kind} {measure}": part(product, kind, measure)
            for product in PRODUCTS
            for kind in CLASSES
            for measure in MEASURES
        }
        listed |= {product: part(product, "All", "All") for product in PRODUCTS}
        listed["total"] = part("All", "All", "All")
        return {name: value for name, value in listed.items() if value is not None}

    return margin


QUANTARK = {"IR": "InterestRate", "CreditQ": "CreditQualifying", "CreditNQ": "CreditNonQualifying"}
"""Risk classes that quantark calls otherwise."""


def by_quantark() -> Engine:
    """SIMM 2.6 by quantark, a product class at a time."""
    from quantark.simm import SIMMConfig, crif_to_sensitivities, parse_crif_csv
    from quantark.simm.engines import SIMMCalculator

    calculator = SIMMCalculator(SIMMConfig())

    def margin(rows: list[Row]) -> dict[str, float]:
        listed = {"total": 0.0}
        for product in sorted({row.product for row in rows}):
            own = (row.cells() for row in rows if row.product == product)
            text = "\n".join(",".join(cells) for cells in (COLUMNS, *own)) + "\n"
            found = calculator.calculate(crif_to_sensitivities(parse_crif_csv(io.StringIO(text))[0], "USD"))
            for kind, parts in found.by_margin_type.items():
                for measure, value in parts.items():
                    listed[f"{product} {QUANTARK.get(kind.value, kind.value)} {measure.value}"] = float(value)
            listed[product] = float(found.total_margin)
            listed["total"] += listed[product]
        return listed

    return margin


ENGINES = {"ore": by_ore, "quantark": by_quantark}


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong and where, without the value: it may be nothing that JSON has."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{"where": [str(part) for part in each["loc"]], "what": each["msg"]} for each in errors]
    return JSONResponse({"detail": detail}, status_code=422)


def application(engine: Engine) -> FastAPI:
    """The service with its routes."""

    async def simm(asked: NettingSets) -> dict[str, Any]:
        """Margin of agreements, each by itself. One at a time: an engine keeps a state."""
        try:
            found = [engine(each.rows) for each in asked.netting_sets]
        except (ArithmeticError, AttributeError, KeyError, RuntimeError, ValueError) as error:
            raise HTTPException(422, f"the engine takes no such rows: {error}") from None
        if not all(math.isfinite(value) for each in found for value in each.values()):
            raise HTTPException(422, "no finite margin")
        return {"margins": found}

    app = FastAPI(title="SIMM", version="1")
    app.add_exception_handler(RequestValidationError, refused)
    app.add_api_route("/health", lambda: {"status": "ready"}, methods=["GET"])
    app.add_api_route("/simm", simm, methods=["POST"])
    return app


def main() -> None:
    """Listen on this machine."""
    parser = argparse.ArgumentParser(description="SIMM over HTTP.")
    parser.add_argument("--port", type=int, default=8022)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="ore")
    given = parser.parse_args()
    uvicorn.run(application(ENGINES[given.engine]()), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
