"""A risk service over HTTP: options by QuantLib, portfolio margin and tails by NumPy and SciPy, in floating point.

It stands for a desk's own service and shares no code with the models: this file alone runs, with the optional extra
`risk` (`make risk`). Its rules are those of chapters 11 and 12 of the specification, read anew.

    python targets/services/risk_service.py --port 8021

Numbers come as numbers or decimal strings and must be finite; what has no price is refused with status 422. The
interface describes itself at `/openapi.json`.
"""

from __future__ import annotations

import argparse
import math
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
import QuantLib as ql  # noqa: N813 - as its manual calls it
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import ndtr

YEAR = 365 * 86_400
MONTH = 30 * 86_400

Floats = NDArray[np.float64]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e30, le=1e30)]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e30)]
Price = Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e30)]
Part = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
Time = Annotated[int, Field(ge=0, le=2**40)]
MANY = 20_000
MANY_VALUES = 100_000
THREADS = os.cpu_count() or 1

PARAMETERS = frozenset(
    {
        "range_up",
        "range_down",
        "short_power",
        "long_power",
        "least_seconds",
        "least_volatility",
        "linear_cap",
        "linear_slope",
        "absolute_cap",
        "absolute_slope",
        "least_width",
        "width",
        "width_static",
        "width_scale",
        "long_base",
        "long_rate",
        "long_add",
        "short_base",
        "short_rate",
        "short_add",
        "basis_up",
        "basis_down",
        "basis_add",
        "basis_slope",
        "perpetual_maintenance",
        "perpetual_initial",
        "naked_maintenance",
        "naked_initial",
        "confidence_threshold",
        "confidence_factor",
        "maintenance",
        "initial",
        "peg_threshold",
        "peg_factor",
    }
)


class Input(BaseModel):
    """Something that a request has, with no field that is not known."""

    model_config = ConfigDict(extra="forbid")


# --- Options --------------------------------------------------------------------------------------------------------


class Quote(Input):
    """A European option on a forward. discount: from expiry to now."""

    forward: Price
    strike: Price
    volatility: Annotated[float, Field(allow_inf_nan=False, ge=0, le=1000)]
    seconds: Time
    discount: Part = 1.0


class Quotes(Input):
    """Options to be priced."""

    options: Annotated[list[Quote], Field(max_length=MANY)]


def price(quote: Quote) -> dict[str, float]:
    """A call and a put by Black's formula of 1976."""
    deviation = quote.volatility * math.sqrt(quote.seconds / YEAR)
    call, put = (
        ql.blackFormula(kind, quote.strike, quote.forward, deviation, quote.discount)
        for kind in (ql.Option.Call, ql.Option.Put)
    )
    return {"call": call, "put": put}


def options(quotes: Quotes) -> dict[str, Any]:
    """Prices of calls and puts."""
    return {"prices": [price(quote) for quote in quotes.options]}


# --- Tails ----------------------------------------------------------------------------------------------------------


class Losses(Input):
    """Losses of scenarios of the same probability, and that of the tail."""

    losses: Annotated[list[Number], Field(min_length=1, max_length=1_000_000)]
    chance: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1)]


class History(Input):
    """Moves of a market, oldest first. variance: before the first. memory: the weight of what was before."""

    moves: Annotated[list[Number], Field(min_length=1, max_length=1_000_000)]
    variance: Price
    memory: Annotated[float, Field(allow_inf_nan=False, gt=0, lt=1)]


def tail(asked: Losses) -> dict[str, float]:
    """Value at risk by the linear quantile, expected shortfall by the mean of the tail."""
    losses = np.asarray(asked.losses)
    weight = np.clip(asked.chance * len(losses) - np.arange(len(losses)), 0, 1)
    worst = np.sort(losses)[::-1]
    return {
        "value_at_risk": float(np.quantile(losses, 1 - asked.chance)),
        "expected_shortfall": float(worst @ weight / (asked.chance * len(losses))),
    }


def filtered(history: History) -> dict[str, list[float]]:
    """Moves in proportion to the deviation that is forecast now."""
    forecasts = [history.variance]
    for move in history.moves:
        forecasts.append(history.memory * forecasts[-1] + (1 - history.memory) * move**2)
    deviations = np.sqrt(np.asarray(forecasts))
    return {"moves": list(np.asarray(history.moves) * deviations[-1] / deviations[:-1])}


class Holding(Quote):
    """Options of one kind that are held."""

    amount: Number
    is_call: bool


class Revaluation(Input):
    """A book and its scenarios: parts that forwards and volatilities become of themselves."""

    book: Annotated[list[Holding], Field(max_length=MANY)]
    prices: Annotated[list[Price], Field(min_length=1, max_length=1_000_000)]
    volatilities: Annotated[list[Amount], Field(min_length=1, max_length=1_000_000)]

    @model_validator(mode="after")
    def fits(self) -> Revaluation:
        """Refuse a scenario that lacks one of the two."""
        if len(self.prices) != len(self.volatilities):
            raise ValueError("prices and volatilities: one of each for each scenario")
        return self


def losses_of(book: list[Holding], prices: Floats, volatilities: Floats) -> Floats:
    """What a book loses in each scenario; a large one in threads, for arrays are computed beside the interpreter."""
    if len(book) * len(prices) < MANY_VALUES:
        return losses_of_part(book, prices, volatilities)
    parts = [book[n::THREADS] for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda part: losses_of_part(part, prices, volatilities), parts))
    return np.asarray(np.sum(found, axis=0))


def losses_of_part(book: list[Holding], prices: Floats, volatilities: Floats) -> Floats:
    """What a book loses in each scenario: an option at a time, all scenarios at once."""
    total = np.zeros(len(prices))
    for held in book:
        common = held.seconds, held.discount, held.is_call
        mark = black(held.forward, np.float64(held.strike), held.volatility, *common)
        values = black(held.forward * prices, np.float64(held.strike), held.volatility * volatilities, *common)
        total -= held.amount * (values - mark)
    return total


def revalued(asked: Revaluation) -> dict[str, Any]:
    """Losses of a book, valued anew in each scenario."""
    return {"losses": losses_of(asked.book, np.asarray(asked.prices), np.asarray(asked.volatilities)).tolist()}


# --- Surfaces -------------------------------------------------------------------------------------------------------


class Smile(Input):
    """Volatilities of one expiry, by strikes in their order."""

    seconds: Time
    forward: Price
    strikes: Annotated[list[Price], Field(min_length=1, max_length=1000)]
    volatilities: Annotated[list[Amount], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def fits(self) -> Smile:
        """Refuse strikes out of order, and a strike that has no volatility."""
        if len(self.strikes) != len(self.volatilities) or any(k >= m for k, m in pairwise(self.strikes)):
            raise ValueError("strikes and volatilities: one of each, strikes in order, each once")
        return self


class VolatilitySurface(Input):
    """Smiles, in the order of their expiries. allowed: by what a price may be off."""

    smiles: Annotated[list[Smile], Field(min_length=1, max_length=100)]
    allowed: Amount = 1e-9


def arbitrage(smile: Smile, allowed: float) -> str | None:
    """What is free in the calls of an expiry, if anything."""
    strikes = np.array([0.0, *smile.strikes])
    calls = black(smile.forward, strikes[1:], np.array(smile.volatilities), smile.seconds, 1.0, True)
    calls = np.array([smile.forward, *calls])
    fall, step = calls[:-1] - calls[1:], np.diff(strikes)
    if np.any(fall < -allowed) or np.any(fall > step + allowed):
        return "a spread between two strikes"
    slopes = fall[1:] / step[1:]
    return "a butterfly" if np.any(np.diff(slopes) > allowed / step[2:]) else None


def surface(asked: VolatilitySurface) -> dict[str, Any]:
    """That a surface has no arbitrage between its strikes, or status 422 with what is free, and where."""
    for n, smile in enumerate(asked.smiles):
        if free := arbitrage(smile, asked.allowed):
            raise HTTPException(422, f"smiles[{n}]: arbitrage: {free} costs less than nothing, or more than it can pay")
    for n, (near, far) in enumerate(pairwise(asked.smiles), 1):
        if near.seconds >= far.seconds:
            raise HTTPException(422, f"smiles[{n}]: not after the expiry before")
        of = {strike / near.forward: v for strike, v in zip(near.strikes, near.volatilities, strict=True)}
        for strike, v in zip(far.strikes, far.volatilities, strict=True):
            before = of.get(strike / far.forward, 0.0)
            if before**2 * near.seconds > v**2 * far.seconds + asked.allowed * YEAR:
                raise HTTPException(422, f"smiles[{n}]: arbitrage: total variance falls with time")
    return {"arbitrage": False}


# --- Portfolio margin -----------------------------------------------------------------------------------------------


class Position(Input):
    """Options of one kind."""

    strike: Price
    amount: Number
    is_call: bool
    volatility: Amount


class Expiry(Input):
    """Options of one expiry, with the prices that they share. fixed: the part of the forward that is settled."""

    seconds: Time
    forward: Amount
    fixed: Amount
    rate: Number
    discount: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1)]
    confidence: Part
    options: Annotated[list[Position], Field(max_length=MANY)]

    @model_validator(mode="after")
    def has_a_forward(self) -> Expiry:
        """Refuse an expiry without a forward."""
        if self.forward + self.fixed <= 0:
            raise ValueError("an expiry needs a forward above 0")
        return self


class Collateral(Input):
    """A holding by its value."""

    value: Amount
    maintenance: Part
    initial: Part
    confidence: Part
    cancels_risk: bool


class Scenario(Input):
    """A move of the price and of volatilities."""

    spot: Amount
    shock: Literal["none", "up", "down", "linear", "absolute"]
    damping: Amount


class Portfolio(Input):
    """An account. parameters: by the names of the specification."""

    cash: Number
    perpetual: Number
    perpetual_price: Amount
    unpaid: Number
    spot: Amount
    stable: Amount
    confidence: Part
    expiries: Annotated[list[Expiry], Field(max_length=100)]
    collateral: Annotated[list[Collateral], Field(max_length=100)]
    scenarios: Annotated[list[Scenario], Field(min_length=1, max_length=1000)]
    parameters: dict[str, Number]

    @model_validator(mode="after")
    def has_parameters(self) -> Portfolio:
        """Refuse parameters that are missing or not known."""
        if wrong := PARAMETERS ^ self.parameters.keys():
            raise ValueError(f"parameters missing or not known: {', '.join(sorted(wrong))}")
        return self


class Portfolios(Input):
    """Accounts to be margined."""

    portfolios: Annotated[list[Portfolio], Field(max_length=1000)]


def black(forward: Any, strike: Any, volatility: Any, seconds: int, discount: float, is_call: Any) -> Floats:
    """Values of options, of any shapes that fit."""
    deviation = np.asarray(volatility * math.sqrt(seconds / YEAR))
    sign = np.where(is_call, 1.0, -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.log(forward / strike) / deviation + deviation / 2
    wild = sign * (forward * ndtr(sign * first) - strike * ndtr(sign * (first - deviation)))
    certain = np.maximum(sign * (forward - strike), 0)
    return np.asarray(discount * np.where(deviation > 0, wild, certain))


class ExpiryBook:
    """The options of one expiry as arrays, and their values."""

    def __init__(self, expiry: Expiry, p: dict[str, float]) -> None:
        self.expiry, self.p = expiry, p
        self.strike = np.array([each.strike for each in expiry.options])
        self.amount = np.array([each.amount for each in expiry.options])
        self.is_call = np.array([each.is_call for each in expiry.options], dtype=bool)
        self.volatility = np.array([each.volatility for each in expiry.options])
        self.mark = self.value(1.0, "none")

    def value(self, spot: float, shock: str) -> float:
        """What the options are worth in a scenario, without the static discount."""
        forward = self.expiry.forward * spot + self.expiry.fixed
        volatility = self.shocked(forward, shock)
        prices = black(forward, self.strike, volatility, self.expiry.seconds, self.expiry.discount, self.is_call)
        return float(self.amount @ prices)

    def reach(self) -> float:
        """By which part of its range volatility moves: more of near expiries."""
        power = "short_power" if self.expiry.seconds <= MONTH else "long_power"
        return float((MONTH / max(self.expiry.seconds, self.p["least_seconds"], 1)) ** self.p[power])

    def shocked(self, forward: float, shock: str) -> Floats:
        """The volatilities of a scenario."""
        if shock == "up":
            return np.maximum(self.p["least_volatility"], self.volatility * (1 + self.p["range_up"] * self.reach()))
        if shock == "down":
            return self.volatility * max(0.0, 1 - self.p["range_down"] * self.reach())
        if shock == "none":
            return self.volatility
        return self.skewed(forward, shock)

    def skewed(self, forward: float, shock: str) -> Floats:
        """The volatilities of a scenario that moves the wings."""
        time = math.sqrt(self.expiry.seconds / YEAR)
        away = np.log(self.strike / forward)
        if shock == "absolute":
            away = np.abs(away)
        cap = self.p[f"{shock}_slope"] * time + self.p[f"{shock}_cap"]
        static = self.p["width_static"] + time * self.p["width_scale"]
        width = max(self.p["least_width"], time * self.p["width"] * static)
        moved = away * cap / width
        moved = np.where(away >= 0, np.minimum(cap, moved), np.maximum(-cap, moved))
        return np.asarray(self.volatility * np.maximum(0.0, 1 + moved))

    def discounts(self) -> tuple[float, float]:
        """The parts that shocked values count for: assets, debts."""
        time, rate = self.expiry.seconds / YEAR, max(self.expiry.rate, 0.0)
        asset = self.p["long_base"] * math.exp(-time * (rate * self.p["long_rate"] + self.p["long_add"]))
        debt = self.p["short_base"] * math.exp(time * (rate * self.p["short_rate"] + self.p["short_add"]))
        return asset, min(debt, 1 / self.expiry.discount)

    def profit(self, scenario: Scenario) -> float:
        """What the options gain in a scenario."""
        skewed = scenario.shock in ("linear", "absolute")
        value = self.value(1.0 if skewed else scenario.spot, scenario.shock)
        asset, debt = self.discounts()
        gained = value * (asset if value >= 0 else debt) - self.mark
        return (-abs(gained) if skewed else gained) * scenario.damping

    def basis(self) -> float:
        """What is lost when the forward moves against the others."""
        moves = [self.value(self.p[name], "none") - self.mark for name in ("basis_up", "basis_down")]
        factor = self.p["basis_add"] + self.p["basis_slope"] * self.expiry.seconds / YEAR
        return min(*moves, 0.0) * factor

    def naked(self) -> float:
        """Options sold that nothing at their strike covers."""
        total = 0.0
        for strike in set(self.strike):
            here = self.strike == strike
            calls = float(self.amount[here & self.is_call].sum())
            puts = float(self.amount[here & ~self.is_call].sum())
            sold = max(-calls, 0.0) + max(-puts, 0.0)
            bought = max(calls, 0.0) + max(puts, 0.0)
            total += max(sold - bought, 0.0)
        return total


def unsure(confidence: float, notional: float, p: dict[str, float]) -> float:
    """The charge for a feed that is less sure than the threshold."""
    return (1 - confidence) * p["confidence_factor"] * notional if confidence < p["confidence_threshold"] else 0.0


def charges(account: Portfolio, books: list[ExpiryBook]) -> tuple[float, float]:
    """What is taken off beside the worst loss: for both margins, and for initial margin besides."""
    p = account.parameters
    notional = abs(account.perpetual) * account.spot
    both = notional * p["perpetual_maintenance"]
    initial = notional * p["perpetual_initial"] + unsure(account.confidence, notional, p)
    for book in books:
        naked = book.naked() * account.spot
        both += naked * p["naked_maintenance"]
        initial += naked * p["naked_initial"]
        gross = float(np.abs(book.amount).sum()) * account.spot
        initial += unsure(min(account.confidence, book.expiry.confidence), gross, p)
    for held in account.collateral:
        both += held.value * held.maintenance
        initial += held.value * held.initial + unsure(held.confidence, held.value, p)
    return both, initial


def outright(account: Portfolio, scenario: Scenario) -> float:
    """What the perpetual position and collateral that moves with the price gain."""
    moves = account.perpetual * account.perpetual_price
    moves += sum(held.value for held in account.collateral if held.cancels_risk)
    return moves * (scenario.spot - 1) * scenario.damping


def margin(account: Portfolio) -> dict[str, Any]:
    """Maintenance and initial margin, with what they are made of."""
    p = account.parameters
    books = [ExpiryBook(expiry, p) for expiry in account.expiries if expiry.options]
    profits = [outright(account, s) + sum(book.profit(s) for book in books) for s in account.scenarios]
    basis = sum(book.basis() for book in books)
    worst = min([basis, *profits])
    both, initial = charges(account, books)
    marks = [book.mark for book in books]
    value = account.unpaid + sum(marks) + sum(held.value for held in account.collateral) + account.cash
    factor = p["initial"] + max(p["peg_threshold"] - account.stable, 0.0) * p["peg_factor"]
    return {
        "marks": marks,
        "profits": profits,
        "basis": basis,
        "worst": worst,
        "both_charges": both,
        "initial_charges": initial,
        "maintenance": worst * p["maintenance"] - both + value,
        "initial": worst * factor - both - initial + value,
    }


def margins(asked: Portfolios) -> dict[str, Any]:
    """Margins of accounts, each by itself."""
    return {"margins": [margin(account) for account in asked.portfolios]}


def health() -> dict[str, str]:
    """That it is there, and what it is made of."""
    return {"status": "ready", "quantlib": ql.__version__, "numpy": np.__version__}


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong and where, without the value: it may be nothing that JSON has."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{"where": [str(part) for part in each["loc"]], "what": each["msg"]} for each in errors]
    return JSONResponse({"detail": detail}, status_code=422)


def application() -> FastAPI:
    """The service with its routes."""
    app = FastAPI(title="Risk service", version="1")
    app.add_exception_handler(RequestValidationError, refused)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/options", options, methods=["POST"])
    app.add_api_route("/tail", tail, methods=["POST"])
    app.add_api_route("/filtered", filtered, methods=["POST"])
    app.add_api_route("/revaluation", revalued, methods=["POST"])
    app.add_api_route("/margin", margins, methods=["POST"])
    app.add_api_route("/surface", surface, methods=["POST"])
    return app


def main() -> None:
    """Listen on this machine."""
    parser = argparse.ArgumentParser(description="A risk service over HTTP.")
    parser.add_argument("--port", type=int, default=8021)
    uvicorn.run(application(), host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
