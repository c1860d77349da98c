"""Institutional margin over HTTP: the schedule of BCBS and IOSCO by FINOS' Common Domain Model, which executes it, and
risk arrays by marginism. A target for chapter 16 of the specification.

It shares no code with the models: this file alone runs, with the optional extra `risk` (`make risk`).

    python targets/services/frameworks_service.py --port 8023

Rates and gross margin are the Common Domain Model's; netting, whose function there takes whole trades, is written
anew. Numbers come as numbers or decimal strings. The interface describes itself at `/openapi.json`.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from finos.cdm.margin.schedule.functions.GetGrossInitialMarginFromStandardizedSchedule import (
    GetGrossInitialMarginFromStandardizedSchedule,
)
from finos.cdm.margin.schedule.functions.GetStandardizedScheduleMarginRate import GetStandardizedScheduleMarginRate
from finos.cdm.margin.schedule.StandardizedSchedule import StandardizedSchedule
from finos.cdm.margin.schedule.StandardizedScheduleAssetClassEnum import StandardizedScheduleAssetClassEnum
from finos.cdm.margin.schedule.StandardizedScheduleProductClassEnum import StandardizedScheduleProductClassEnum
from marginism import algorithm, model
from pydantic import BaseModel, ConfigDict, Field, model_validator

ASSETS = {each.name: each for each in StandardizedScheduleAssetClassEnum}
PRODUCT = next(iter(StandardizedScheduleProductClassEnum))
FLOOR, NETTED = Decimal("0.4"), Decimal("0.6")

Exact = Annotated[Decimal, Field(allow_inf_nan=False, ge=-(10**18), le=10**18)]
Above = Annotated[Decimal, Field(allow_inf_nan=False, gt=0, le=10**18)]
Whole = Annotated[int, Field(ge=-(10**9), le=10**9)]


class Given(BaseModel):
    """Something that a request has, with no field that is not known."""

    model_config = ConfigDict(extra="forbid")


# --- The schedule ---------------------------------------------------------------------------------------------------


class Trade(Given):
    """A trade that is not cleared. years: that remain. value: what it would cost to replace."""

    kind: Literal["CREDIT", "COMMODITY", "EQUITY", "FOREIGN_EXCHANGE", "INTEREST_RATES"]
    notional: Above
    years: Above
    value: Exact


class Agreement(Given):
    """The trades of a netting set."""

    trades: Annotated[list[Trade], Field(min_length=1, max_length=1000)]


class Agreements(Given):
    """Netting sets to be margined."""

    agreements: Annotated[list[Agreement], Field(max_length=1000)]


def gross_margin(trade: Trade) -> Decimal:
    """Margin of a trade alone."""
    schedule = StandardizedSchedule(
        assetClass=ASSETS[trade.kind],
        productClass=PRODUCT,
        notional=trade.notional,
        notionalCurrency="USD",
        durationInYears=trade.years,
    )
    return Decimal(GetGrossInitialMarginFromStandardizedSchedule(schedule).value)


def netting(agreement: Agreement) -> dict[str, Any]:
    """The rates, in percent, gross margin, the net-to-gross ratio and margin of a netting set."""
    trades = agreement.trades
    gross = sum(map(gross_margin, trades), Decimal(0))
    owed = sum((max(trade.value, Decimal(0)) for trade in trades), Decimal(0))
    net = max(sum((trade.value for trade in trades), Decimal(0)), Decimal(0))
    ratio = net / owed if owed > 0 else Decimal(1)
    return {
        "rates": [float(GetStandardizedScheduleMarginRate(ASSETS[trade.kind], trade.years)) for trade in trades],
        "gross": float(gross),
        "ratio": float(ratio),
        "net": float(gross * (FLOOR + NETTED * ratio)),
    }


def schedule(asked: Agreements) -> dict[str, Any]:
    """Margin of netting sets by the schedule."""
    return {"margins": [netting(each) for each in asked.agreements]}


# --- Risk arrays ----------------------------------------------------------------------------------------------------


class Contract(Given):
    """A contract of a commodity. losses: of one long unit in each scenario. half_deltas: its composite delta, twice."""

    month: Annotated[str, Field(max_length=16)]
    is_option: bool
    price: Whole
    half_deltas: Whole
    amount: Whole
    losses: Annotated[list[Whole], Field(min_length=16, max_length=16)]


class CalendarSpread(Given):
    """A spread between two months."""

    near: Annotated[str, Field(max_length=16)]
    far: Annotated[str, Field(max_length=16)]
    near_ratio: Annotated[int, Field(ge=1, le=1000)]
    far_ratio: Annotated[int, Field(ge=1, le=1000)]
    rate: Annotated[int, Field(ge=0, le=10**9)]


class Commodity(Given):
    """Positions in a commodity, with what a clearing house publishes of it."""

    contracts: Annotated[list[Contract], Field(min_length=1, max_length=1000)]
    spreads: Annotated[list[CalendarSpread], Field(max_length=1000)]
    minimum: Annotated[int, Field(ge=0, le=10**9)]

    @model_validator(mode="after")
    def has_two_months(self) -> Commodity:
        """Refuse a spread of a month with itself."""
        if any(spread.near == spread.far for spread in self.spreads):
            raise ValueError("a spread needs two months")
        return self


class Commodities(Given):
    """Positions to be margined."""

    commodities: Annotated[list[Commodity], Field(max_length=1000)]


def _contract(number: int, given: Contract) -> Any:
    array = model.RiskArray([float(loss) for loss in given.losses], given.half_deltas / 2)
    common = "X", number
    if given.is_option:
        delta = given.half_deltas / 2
        return model.OptionContract(
            *common, "OOP", 1, given.month, float(given.price), delta, 0.2, 1.0, array, "C", 1.0
        )
    return model.FuturesContract(*common, "FUT", 2, given.month, float(given.price), 1.0, 0.0, 1.0, array)


def margin(given: Commodity) -> dict[str, float]:
    """The requirement of positions, and what it is made of."""
    contracts = [_contract(n, each) for n, each in enumerate(given.contracts)]
    spreads = [
        model.CalendarSpread(
            n, "F", float(each.rate),
            [model.SpreadLeg("X", each.near, "A", float(each.near_ratio)),
             model.SpreadLeg("X", each.far, "B", float(each.far_ratio))],
        )
        for n, each in enumerate(given.spreads)
    ]  # fmt: skip
    whole = model.CombinedCommodity("X", spreads=spreads, som_rate=float(given.minimum))
    positions = [
        algorithm.ResolvedPosition(contract, float(each.amount))
        for contract, each in zip(contracts, given.contracts, strict=True)
    ]
    found = algorithm.compute_commodity(whole, positions)
    return {
        "scan": found.scan_risk,
        "calendar": found.calendar_spread_charge,
        "minimum": found.short_option_minimum,
        "value": found.net_option_value,
        "needed": found.span_risk,
    }


def span(asked: Commodities) -> dict[str, Any]:
    """Requirements of positions by risk arrays."""
    return {"margins": [margin(each) for each in asked.commodities]}


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong and where, without the value: it may be nothing that JSON has."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{"where": [str(part) for part in each["loc"]], "what": each["msg"]} for each in errors]
    return JSONResponse({"detail": detail}, status_code=422)


def application() -> FastAPI:
    """The service with its routes."""
    app = FastAPI(title="Institutional margin", version="1")
    app.add_exception_handler(RequestValidationError, refused)
    app.add_api_route("/health", lambda: {"status": "ready"}, methods=["GET"])
    app.add_api_route("/schedule", schedule, methods=["POST"])
    app.add_api_route("/span", span, methods=["POST"])
    return app


def main() -> None:
    """Listen on this machine."""
    parser = argparse.ArgumentParser(description="Institutional margin over HTTP.")
    parser.add_argument("--port", type=int, default=8023)
    uvicorn.run(application(), host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
