"""An account in a file, as `portfolio.schema.json` describes it, for chapter 12 to margin."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

from marginspec.base.errors import BadInput
from marginspec.base.files import read_text
from marginspec.base.text import printable
from marginspec.desk.portfolios import SCENARIOS, MarginQuestion
from marginspec.model.risk.black import discount
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.scan import Account, Collateral, Expiry, Option, Parameters, Scenario, Shock

SCHEMA = Path(__file__).with_name("portfolio.schema.json")
LARGEST_FILE = 1 << 24
WHOLE = ("least_seconds", "seconds")
"""Fields that are seconds: whole numbers, not decimal ones."""


def read_portfolio(file: Path) -> MarginQuestion:
    """The account in a file; BadInput says what is wrong with it, and where."""
    return portfolio(read_json(file), str(file))


def read_json(file: Path) -> Any:
    """The JSON document in a file, its numbers Decimal; BadInput says what is wrong with it."""
    text = read_text(file, LARGEST_FILE)
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadInput(f"{file}: no JSON: {printable(str(error), 120)}") from None


def checked(document: Any, schema: Path, where: str) -> None:
    """BadInput where a document, its numbers Decimal, is not as its schema says."""
    if wrong := jsonschema.exceptions.best_match(_validator(schema).iter_errors(document)):
        path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in wrong.absolute_path)
        what = re.sub(r"Decimal\('([^']*)'\)", r"\1", wrong.message)
        raise BadInput(f"{where}: {path.lstrip('.') or 'the document'}: {printable(what, 160)}")


def portfolio(document: Any, where: str) -> MarginQuestion:
    """The account that a document describes. Its numbers are Decimal."""
    checked(document, SCHEMA, where)
    account = Account(**_numbers(document, "expiries", "collateral", "scenarios", "parameters"))
    parameters = Parameters(**_numbers(document.get("parameters", {})))
    scenarios = [
        Scenario(scaled(each["spot"]), Shock(each["shock"]), scaled(each.get("damping", 1)))
        for each in document.get("scenarios", ())
    ]
    return MarginQuestion(
        account,
        [_expiry(each) for each in document.get("expiries", ())],
        [Collateral(**_numbers(each)) for each in document.get("collateral", ())],
        scenarios or SCENARIOS,
        parameters,
    )


def _expiry(document: Mapping[str, Any]) -> tuple[Expiry, list[Option]]:
    numbers = _numbers(document, "options")
    numbers["factor"] = numbers.pop("discount", discount(numbers.get("rate", 0), numbers["seconds"]))
    options = [
        Option(Leg(scaled(each["strike"]), scaled(each["amount"]), each["is_call"]), scaled(each["volatility"]))
        for each in document["options"]
    ]
    return Expiry(**numbers), options


def _numbers(document: Mapping[str, Any], *without: str) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in document.items() if name not in without}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return int(value) if name in WHOLE else scaled(value)


def scaled(value: Any) -> int:
    """A number, rounded to 18 decimals."""
    with localcontext() as context:
        context.prec = 200
        return int((Decimal(value) * WAD).to_integral_value(ROUND_HALF_EVEN))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


@cache
def _validator(schema: Path) -> Any:
    checker = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "number": lambda _, value: isinstance(value, Decimal),
            "integer": lambda _, value: isinstance(value, Decimal) and value == value.to_integral_value(),
        }
    )
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=checker)
    return kind(json.loads(schema.read_text("utf-8")))
