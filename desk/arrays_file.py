"""Positions with risk arrays in a file, as `arrays.schema.json` describes it: read, margined by chapter 16, written."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.text import printable
from marginspec.desk.figures import number
from marginspec.desk.portfolio_file import checked, scaled
from marginspec.desk.portfolios import MarginQuestion
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.scan import ABSOLUTE, LINEAR, NONE, Expiry, Option, Scenario, Shock, value_of
from marginspec.model.risk.schedule import (
    Spread,
    array_loss,
    calendar_charge,
    scan_risk,
    short_minimum,
    total_requirement,
)

SCHEMA = Path(__file__).with_name("arrays.schema.json")


def requirement(document: Any, where: str) -> dict[str, int]:
    """FRM-7 to FRM-10 and FRM-23 to FRM-25: what positions need, and what that is made of; units of 10^-18."""
    checked(document, SCHEMA, where)
    contracts = document["contracts"]
    scenarios = len(contracts[0]["losses"])
    if wrong := [n for n, each in enumerate(contracts) if len(each["losses"]) != scenarios]:
        raise BadInput(f"{where}: contracts[{wrong[0]}].losses: not {scenarios} as in the first")
    amounts = [scaled(each["amount"]) for each in contracts]
    # Rounded up: of what is lost.
    losses = [
        -div_down(-array_loss(amounts, [scaled(each["losses"][n]) for each in contracts]), WAD)
        for n in range(scenarios)
    ]
    months = list(dict.fromkeys(each["month"] for each in contracts))
    deltas = [
        sum(
            mul_div_down(a, scaled(c.get("delta", 0)), WAD)
            for a, c in zip(amounts, contracts, strict=True)
            if c["month"] == m
        )
        for m in months
    ]
    spreads = [
        _spread(each, months) for each in document.get("spreads", ()) if {each["near"], each["far"]} <= set(months)
    ]
    options = [(a, c) for a, c in zip(amounts, contracts, strict=True) if c.get("is_option", False)]
    value = sum(mul_div_down(a, scaled(c.get("price", 0)), WAD) for a, c in options)
    scan, calendar = scan_risk(losses), calendar_charge(deltas, spreads)
    least = short_minimum([a for a, _ in options], scaled(document.get("minimum", 0)))
    return {
        "scan": scan,
        "calendar": calendar,
        "minimum": least,
        "value": value,
        "needed": total_requirement(scan, calendar, least, value),
    }


def _spread(given: Mapping[str, Any], months: list[str]) -> Spread:
    near, far = months.index(given["near"]), months.index(given["far"])
    ratios = scaled(given.get("near_ratio", 1)), scaled(given.get("far_ratio", 1))
    return Spread(near, far, *ratios, scaled(given["rate"]))


def arrays_of(asked: MarginQuestion) -> dict[str, Any]:
    """The options of an account with their risk arrays: what one long unit loses in each scenario, without the static
    discounts of portfolio margin, which depend on the whole of an expiry. Numbers are decimal texts."""
    contracts = [
        {
            "name": f"{'C' if option.leg.is_call else 'P'} {decimal(option.leg.strike)} {expiry.seconds} s",
            "month": f"{expiry.seconds} s",
            "is_option": True,
            "price": decimal(_value(expiry, option, WAD, NONE, asked)),
            "amount": decimal(option.leg.amount),
            "losses": [decimal(_loss(expiry, option, scenario, asked)) for scenario in asked.scenarios],
        }
        for expiry, options in asked.holdings
        for option in options
    ]
    return {"contracts": contracts}


def _value(expiry: Expiry, option: Option, spot: int, shock: Shock, asked: MarginQuestion) -> int:
    unit = replace(option, leg=replace(option.leg, amount=WAD))
    return value_of(expiry, [unit], spot, shock, asked.parameters)


def _loss(expiry: Expiry, option: Option, scenario: Scenario, asked: MarginQuestion) -> int:
    spot = WAD if scenario.shock in (LINEAR, ABSOLUTE) else scenario.spot
    gained = _value(expiry, option, spot, scenario.shock, asked) - _value(expiry, option, WAD, NONE, asked)
    return -mul_div_down(gained, scenario.damping, WAD)


def decimal(units: int) -> str:
    """A number with the decimals that it needs, as text."""
    whole, _, part = number(units).partition(".")
    return f"{whole}.{part.rstrip('0')}".rstrip(".")


def written(arrays: Mapping[str, Any]) -> str:
    """Risk arrays as a JSON document, its numbers exact."""
    text = json.dumps(arrays, indent=1)
    return re.sub(r'"(price|amount)": "([^"]*)"', r'"\1": \2', re.sub(r'(?m)^(    )"(-?[\d.]+)"', r"\1\2", text)) + "\n"


def read_span(file: Path, positions: Path) -> dict[str, Any]:
    """Positions in the contracts of a file of a clearing house, by marginism, as a document of risk arrays.

    positions: CSV, `commodity,contract,amount`, contract being the number in the file. One commodity at a time.
    """
    try:
        from marginism import parser
    except ModuleNotFoundError:
        raise BadInput(
            f"{file}: files of clearing houses are read by marginism: pip install marginspec[risk]"
        ) from None
    held = _positions(positions)
    names = {name for name, _ in held}
    if len(names) != 1:
        raise BadInput(f"{positions}: expected positions in one commodity")
    try:
        whole = parser.parse_spn(str(file)).commodities
    except Exception as error:  # whatever its parser makes of a file that is none
        raise BadInput(f"{file}: no SPAN file: {type(error).__name__}: {printable(str(error), 80)}") from None
    (name,) = names
    if name not in whole:
        raise BadInput(f"{positions}: no commodity {printable(name, 40)!r} in {file}")
    commodity = whole[name]
    by_number = {str(each.contract_id): each for each in [*commodity.futures, *commodity.options]}
    if missing := [number for _, number in held if number not in by_number]:
        raise BadInput(f"{positions}: no contract {printable(missing[0], 40)!r} of {printable(name, 40)!r} in {file}")
    options = {id(each) for each in commodity.options}
    contracts = [
        {
            "name": number,
            "month": by_number[number].expiry,
            "is_option": id(by_number[number]) in options,
            "price": Decimal(str(by_number[number].price)) * Decimal(str(by_number[number].cvf)),
            "delta": Decimal(str(by_number[number].risk_array.composite_delta)),
            "amount": amount,
            "losses": [Decimal(str(each)) for each in by_number[number].risk_array.values],
        }
        for (_, number), amount in held.items()
    ]
    spreads = [
        {
            "near": spread.legs[0].expiry,
            "far": spread.legs[1].expiry,
            "near_ratio": Decimal(str(spread.legs[0].ratio)),
            "far_ratio": Decimal(str(spread.legs[1].ratio)),
            "rate": Decimal(str(spread.rate)),
        }
        for spread in commodity.spreads
        if len(spread.legs) == 2
    ]
    return {"contracts": contracts, "spreads": spreads, "minimum": Decimal(str(commodity.som_rate))}


def _positions(file: Path) -> dict[tuple[str, str], Decimal]:
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"--positions {file}: {printable(str(error), 120)}") from None
    found: dict[tuple[str, str], Decimal] = {}
    for n, row in enumerate(rows, 2):
        try:
            name, number, amount = row["commodity"].strip(), row["contract"].strip(), Decimal(row["amount"])
        except (KeyError, AttributeError, TypeError, InvalidOperation):
            raise BadInput(f"--positions {file}: line {n}: expected commodity,contract,amount") from None
        if not amount.is_finite():
            raise BadInput(f"--positions {file}: line {n}: amount is no number")
        found[name, number] = found.get((name, number), Decimal(0)) + amount
    if not found:
        raise BadInput(f"--positions {file}: no positions")
    return found
