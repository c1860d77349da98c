"""Margin of a netting set by chapter 16: rows of a CRIF, put together by published weights or a user's own."""

from __future__ import annotations

import copy
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from marginspec.base.errors import BadInput
from marginspec.base.text import printable
from marginspec.desk.crif import CURRENCY, PRODUCTS, CrifRow
from marginspec.model.kernel import Rejected
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.risk.notation import WAD, magnitude
from marginspec.model.risk.simm import (
    Bucket,
    Sensitivity,
    added,
    alike,
    crowded,
    crowded_bucket,
    curvature,
    delta_margin,
    deviation,
    fading,
    gathered,
    product_margin,
    rescaled,
    square,
    together,
    weighted,
)

PUBLISHED = Path(__file__).parents[1] / "spec" / "simm" / "isda-2.6.toml"
SCHEMA = Path(__file__).with_name("simm_weights.schema.json")
MILLION = 10**6
CLASSES = ("InterestRate", "CreditQualifying", "CreditNonQualifying", "Equity", "Commodity", "FX")
MEASURES = ("Delta", "Vega", "Curvature", "BaseCorr")
MONTHS = {
    "2w": 0, "1m": 1, "3m": 3, "6m": 6, "1y": 12, "2y": 24, "3y": 36, "5y": 60, "10y": 120, "15y": 180, "20y": 240,
    "30y": 360,
}  # fmt: skip
RESIDUAL = "Residual"

IN_BUCKETS = {
    "CreditQualifying": ("Risk_CreditQ", "Risk_CreditVol"),
    "CreditNonQualifying": ("Risk_CreditNonQ", "Risk_CreditVolNonQ"),
    "Equity": ("Risk_Equity", "Risk_EquityVol"),
    "Commodity": ("Risk_Commodity", "Risk_CommodityVol"),
}
"""Risk classes that have buckets, with their risks for delta and for vega."""

Part = tuple[str, str, str]
"""A product class, a risk class and a measure."""

Name = tuple[str, str, str, str]
"""A risk factor of a bucket: bucket, name, and its labels."""


@dataclass
class Needed:
    """Margin, and the sum of the sizes of all that it is made of; units of 10^-18."""

    margin: int = 0
    gross: int = 0


@dataclass
class SimmMargin:
    """Margin of a netting set: of each part, product class and all; units of 10^-18 USD."""

    parts: dict[Part, Needed] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """FRM-29: of all product classes."""
        return added(list(self.products.values()))


class SimmWeights:
    """Weights, thresholds and correlations by their names in the file; numbers are units of 10^-18."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        if wrong := jsonschema.exceptions.best_match(_validator().iter_errors(document)):
            path = ".".join(map(str, wrong.absolute_path))
            raise BadInput(f"{where}: {path or 'the file'}: {printable(wrong.message, 160)}")
        self.name: str = document["name"]
        self._by_label = self._multiplied = False
        self.of: dict[str, Any] = {name: _scaled(document[name]) for name in (*CLASSES, "across_classes")}
        for name in IN_BUCKETS:
            own = self.of[name]
            sizes = [len(own[each]) for each in ("thresholds", "vega", "vega_thresholds", "inside", "across")]
            if set(sizes) | {len(row) for row in own["across"]} != {len(own["weights"])}:
                raise BadInput(f"{where}: {name}: not as many of each as there are weights")
        tenors, groups = self.of["InterestRate"]["tenors"], self.of["InterestRate"]["groups"]
        if {len(group["weights"]) for group in groups} != {len(tenors)} or not set(tenors) <= MONTHS.keys():
            raise BadInput(f"{where}: InterestRate: not a weight for each tenor, of {', '.join(MONTHS)}")

    def grouped_by_label(self) -> SimmWeights:
        """The same where credits that do not qualify are alike by their second label, not by their name."""
        other = copy.copy(self)
        other._by_label = True
        return other

    def as_quantark_reads_vegas(self) -> SimmWeights:
        """The same where vega was multiplied by its volatility before, and inflation's has tenors as that of rates."""
        other = copy.copy(self)
        other._multiplied = True
        return other

    def rate_vega(self, key: tuple[str, str]) -> tuple[str, str]:
        """The risk factor of a vega of rates: all tenors of inflation are one."""
        return key if self._multiplied else (key[0], "")

    def volatility(self, weight: int) -> int:
        """FRM-27: the volatility of a weight, by which a vega is multiplied."""
        return WAD if self._multiplied else deviation(weight)

    def same_by(self, kind: str) -> int:
        """By which part of its name a risk factor is the same as another of its bucket, but for the tenor."""
        return 3 if self._by_label and kind == "CreditNonQualifying" else 1

    def bucket(self, kind: str, number: str) -> dict[str, Any]:
        """What a bucket of a risk class has; Rejected where there is none of that number."""
        own = self.of[kind]
        if number == RESIDUAL and "residual" in own:
            return {"same": WAD, **own["residual"]}
        numbers = [str(n) for n in range(1, len(own["weights"]) + 1)]
        if number not in numbers:
            raise Rejected("FRM-2")
        n = numbers.index(number)
        names = {"weight": "weights", "threshold": "thresholds", "vega": "vega", "vega_threshold": "vega_thresholds",
                 "inside": "inside"}  # fmt: skip
        return {"same": own.get("same", WAD), **{name: own[many][n] for name, many in names.items()}}

    def group(self, currency: str) -> dict[str, Any]:
        """What the curves of a currency have."""
        groups = self.of["InterestRate"]["groups"]
        named = [each for each in groups if currency in each["currencies"]]
        return dict((named or [each for each in groups if not each["currencies"]] or groups[-1:])[0])


def read_weights(file: Path) -> SimmWeights:
    """The weights in a file; BadInput says what is wrong with it."""
    try:
        document = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"--weights {file}: {printable(str(error), 120)}") from None
    return SimmWeights(_decimals(document), f"--weights {file}")


@cache
def published() -> SimmWeights:
    """The weights that ISDA publishes."""
    return read_weights(PUBLISHED)


def _decimals(value: Any) -> Any:
    """A document with all its numbers Decimal."""
    if isinstance(value, dict):
        return {name: _decimals(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_decimals(each) for each in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _scaled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _scaled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_scaled(each) for each in value]
    return round(value * WAD) if isinstance(value, Decimal) else value


@cache
def _validator() -> Any:
    number = {"number": lambda _, value: isinstance(value, Decimal) and value.is_finite()}
    checker = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(number)
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=checker)
    return kind(json.loads(SCHEMA.read_text("utf-8")))


# --- A netting set --------------------------------------------------------------------------------------------------


def simm(rows: Sequence[CrifRow], weights: SimmWeights) -> SimmMargin:
    """FRM-11 to FRM-29: margin of a netting set. Rejected where a row has a bucket or tenor that weights do not."""
    found = SimmMargin()
    for product in PRODUCTS:
        own = [row for row in rows if row.product == product]
        if not own:
            continue
        classes = []
        for kind in CLASSES:
            parts = {measure: needed for measure, needed in _class(kind, own, weights).items() if needed.gross}
            found.parts |= {(product, kind, measure): needed for measure, needed in parts.items()}
            classes.append(added([needed.margin for needed in parts.values()]))
        found.products[product] = product_margin(classes, weights.of["across_classes"])
    return found


def _class(kind: str, rows: Sequence[CrifRow], weights: SimmWeights) -> dict[str, Needed]:
    if kind == "InterestRate":
        return {
            "Delta": _rates_delta(rows, weights),
            "Vega": _rates_vega(rows, weights),
            "Curvature": _rates_curvature(rows, weights),
        }
    if kind == "FX":
        return {"Delta": _fx_delta(rows, weights), **_fx_volatility(rows, weights)}
    delta, vega = IN_BUCKETS[kind]
    found = {
        "Delta": _in_buckets(kind, _named(rows, delta, kind), weights, vega=False),
        "Vega": _in_buckets(kind, _named(rows, vega, kind), weights, vega=True),
        "Curvature": _curvature_in_buckets(kind, _named(rows, vega, kind), weights),
    }
    if kind == "CreditQualifying":
        found["BaseCorr"] = _base_correlation(rows, weights)
    return found


def _summed(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    total: defaultdict[Any, int] = defaultdict(int)
    for key, amount in pairs:
        total[key] += amount
    return dict(total)


def _matrix(members: Sequence[Any], of: Callable[[Any, Any], int]) -> list[list[int]]:
    return [[WAD if one == other else of(one, other) for other in members] for one in members]


def _squares(matrix: Sequence[Sequence[int]]) -> list[list[int]]:
    return [[mul_div_down(each, each, WAD) for each in row] for row in matrix]


def _months(tenor: str) -> int:
    if tenor not in MONTHS:
        raise Rejected("FRM-2")
    return MONTHS[tenor]


# --- Interest rates -------------------------------------------------------------------------------------------------

INFLATION, BASIS = "inflation", "basis"


def _by_currency(rows: Sequence[CrifRow], risks: Mapping[str, str]) -> dict[str, dict[tuple[str, str], int]]:
    """Of each currency its factors, (what, curve), with their sums. risks: what those are called that have no tenor."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for row in rows:
        if row.risk in risks:
            key = (risks[row.risk], "") if risks[row.risk] else (row.label1, row.label2)
            own = found.setdefault(row.qualifier, {})
            own[key] = own.get(key, 0) + row.amount
    return dict(sorted(found.items()))


def _inside_rates(weights: SimmWeights) -> Callable[[tuple[str, str], tuple[str, str]], int]:
    of = weights.of["InterestRate"]
    places = {tenor: n for n, tenor in enumerate(of["tenors"])}

    def inside(one: tuple[str, str], other: tuple[str, str]) -> int:
        if one[0] == other[0] == INFLATION:
            return int(of["inside"][places[one[1]]][places[other[1]]])
        for special in (BASIS, INFLATION):
            if special in (one[0], other[0]):
                return int(of[special]["inside"])
        found = WAD if one[0] == other[0] else of["inside"][places[one[0]]][places[other[0]]]
        return int(found if one[1] == other[1] else mul_div_down(found, of["curves"], WAD))

    return inside


def _rate_weight(what: str, group: Mapping[str, Any], weights: SimmWeights) -> int:
    of = weights.of["InterestRate"]
    if what in (INFLATION, BASIS):
        return int(of[what]["weight"])
    if what not in of["tenors"]:
        raise Rejected("FRM-2")
    return int(group["weights"][of["tenors"].index(what)])


def _rates_delta(rows: Sequence[CrifRow], weights: SimmWeights) -> Needed:
    risks = {"Risk_IRCurve": "", "Risk_Inflation": INFLATION, "Risk_XCcyBasis": BASIS}
    buckets, crowding, gross = [], [], 0
    for currency, factors in _by_currency(rows, risks).items():
        group = weights.group(currency)
        much = sum(amount for (what, _), amount in factors.items() if what != BASIS)
        crowd = crowded(much, group["threshold"] * MILLION)
        amounts = [
            weighted(amount, _rate_weight(what, group, weights), WAD if what == BASIS else crowd)
            for (what, _), amount in factors.items()
        ]
        buckets.append(gathered(amounts, _matrix(list(factors), _inside_rates(weights))))
        crowding.append(crowd)
        gross += sum(map(magnitude, amounts))
    return Needed(_across_currencies(buckets, crowding, weights), gross)


def _across_currencies(buckets: Sequence[Bucket], crowding: Sequence[int], weights: SimmWeights) -> int:
    across = weights.of["InterestRate"]["across"]
    places = list(range(len(buckets)))
    return delta_margin(buckets, _matrix(places, lambda i, j: alike(across, crowding[i], crowding[j])), 0)


def _rate_volatilities(rows: Sequence[CrifRow]) -> dict[str, dict[tuple[str, str], int]]:
    """Of each currency its vegas: of a tenor of its curves, and of a tenor of its inflation."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for row in rows:
        if row.risk in ("Risk_IRVol", "Risk_InflationVol"):
            key = (row.label1, "") if row.risk == "Risk_IRVol" else (INFLATION, row.label1)
            own = found.setdefault(row.qualifier, {})
            own[key] = own.get(key, 0) + row.amount
    return dict(sorted(found.items()))


def _rates_vega(rows: Sequence[CrifRow], weights: SimmWeights) -> Needed:
    buckets, crowding, gross = [], [], 0
    for currency, factors in _rate_volatilities(rows).items():
        whole = _summed((weights.rate_vega(key), amount) for key, amount in factors.items())
        crowd = crowded(sum(whole.values()), weights.group(currency)["vega_threshold"] * MILLION)
        for what, _ in whole:
            _rate_weight(what, weights.group(currency), weights)  # refuses a tenor that is none
        amounts = [weighted(amount, weights.of["InterestRate"]["vega"], crowd) for amount in whole.values()]
        buckets.append(gathered(amounts, _matrix(list(whole), _inside_rates(weights))))
        crowding.append(crowd)
        gross += sum(map(magnitude, amounts))
    return Needed(_across_currencies(buckets, crowding, weights), gross)


def _rates_curvature(rows: Sequence[CrifRow], weights: SimmWeights) -> Needed:
    of, buckets, inside = weights.of["InterestRate"], [], []
    for factors in _rate_volatilities(rows).values():
        bent = [
            (weights.rate_vega(key), weighted(amount, fading(_months(key[1] or key[0])), WAD))
            for key, amount in factors.items()
        ]
        whole = _summed(bent)
        buckets.append(list(whole.values()))
        inside.append(_squares(_matrix(list(whole), _inside_rates(weights))))
    across = _squares(_matrix(list(range(len(buckets))), lambda i, j: of["across"]))
    margin = rescaled(curvature(buckets, inside, across), of["ratio"])
    return Needed(margin, rescaled(_gross_of_curvature(buckets), of["ratio"]))


def _gross_of_curvature(buckets: Sequence[Sequence[int]]) -> int:
    """At most so much does margin for curvature move with what it is made of: the sum, and the spread stretched."""
    return 8 * sum(magnitude(each) for own in buckets for each in own)


# --- Classes with buckets -------------------------------------------------------------------------------------------


def _named(rows: Sequence[CrifRow], risk: str, kind: str) -> dict[Name, int]:
    """Sums by risk factor; of equities and commodities a delta has no tenor."""
    credit = kind.startswith("Credit")
    return _summed(
        (
            (
                RESIDUAL if row.bucket.lower() == "residual" else row.bucket,
                row.qualifier,
                row.label1 if credit or risk.endswith("Vol") else "",
                row.label2 if credit else "",
            ),
            row.amount,
        )
        for row in rows
        if row.risk == risk
    )


def _by_bucket(factors: Mapping[Name, int]) -> tuple[dict[str, dict[Name, int]], dict[Name, int]]:
    """The factors of each bucket, and those that fit none."""
    found: dict[str, dict[Name, int]] = {}
    for key, amount in factors.items():
        found.setdefault(key[0], {})[key] = amount
    rest = found.pop(RESIDUAL, {})
    return dict(sorted(found.items())), rest


def _inside_bucket(kind: str, number: str, weights: SimmWeights) -> Callable[[Name, Name], int]:
    own, of = weights.bucket(kind, number), weights.same_by(kind)
    return lambda one, other: int(own["same"] if one[of] == other[of] else own["inside"])


def _across_buckets(kind: str, numbers: Sequence[str], weights: SimmWeights) -> list[list[int]]:
    across = weights.of[kind]["across"]
    return _matrix(list(numbers), lambda b, c: across[int(b) - 1][int(c) - 1])


def _in_buckets(kind: str, factors: Mapping[Name, int], weights: SimmWeights, vega: bool) -> Needed:
    """Margin for delta or vega."""
    moves = _moving(kind, factors, weights) if vega else factors
    buckets, rest = _by_bucket(moves)
    made, gross = [], 0
    residual = 0
    for number, own in [*buckets.items(), *([(RESIDUAL, rest)] if rest else [])]:
        has = weights.bucket(kind, number)
        weight, threshold = (has["vega"], has["vega_threshold"]) if vega else (has["weight"], has["threshold"])
        of_name = _summed((key[1], amount) for key, amount in own.items())
        crowding = [crowded(of_name[key[1]], threshold * MILLION) for key in own]
        sensitivities = [Sensitivity(amount, weight) for amount in own.values()]
        found = crowded_bucket(sensitivities, crowding, _matrix(list(own), _inside_bucket(kind, number, weights)))
        gross += sum(magnitude(weighted(s.amount, weight, c)) for s, c in zip(sensitivities, crowding, strict=True))
        if number == RESIDUAL:
            residual = found.margin
        else:
            made.append(found)
    return Needed(delta_margin(made, _across_buckets(kind, list(buckets), weights), residual), gross)


def _moving(kind: str, factors: Mapping[Name, int], weights: SimmWeights) -> dict[Name, int]:
    """FRM-27: vega of each name, all its tenors together where a tenor is no risk factor of its own."""
    if kind.startswith("Credit"):
        return dict(factors)
    ratio = weights.of[kind]["ratio"]
    whole = _summed(((bucket, name, "", ""), amount) for (bucket, name, _, _), amount in factors.items())
    return {
        key: weighted(n, weights.volatility(weights.bucket(kind, key[0])["weight"]), ratio) for key, n in whole.items()
    }


def _curvature_in_buckets(kind: str, factors: Mapping[Name, int], weights: SimmWeights) -> Needed:
    credit = kind.startswith("Credit")
    flat = weights.of[kind].get("without_curvature", ())
    bent = _summed(
        (
            key if credit else (key[0], key[1], "", ""),
            weighted(
                amount,
                fading(_months(key[2])),
                WAD if credit else weights.volatility(weights.bucket(kind, key[0])["weight"]),
            ),
        )
        for key, amount in factors.items()
        if key[0] not in flat
    )
    buckets, rest = _by_bucket(bent)
    inside = [_squares(_matrix(list(own), _inside_bucket(kind, b, weights))) for b, own in buckets.items()]
    amounts = [list(own.values()) for own in buckets.values()]
    margin = curvature(amounts, inside, _squares(_across_buckets(kind, list(buckets), weights)))
    if rest:
        alone = _squares(_matrix(list(rest), _inside_bucket(kind, RESIDUAL, weights)))
        margin += curvature([list(rest.values())], [alone], [[WAD]])
        amounts.append(list(rest.values()))
    return Needed(margin, _gross_of_curvature(amounts))


def _base_correlation(rows: Sequence[CrifRow], weights: SimmWeights) -> Needed:
    has = weights.of["CreditQualifying"]["base_correlation"]
    of_index = _summed((row.qualifier, row.amount) for row in rows if row.risk == "Risk_BaseCorr")
    amounts = [weighted(amount, has["weight"], WAD) for amount in of_index.values()]
    margin = together(square(amounts, _matrix(list(of_index), lambda one, other: has["inside"])))
    return Needed(margin, sum(map(magnitude, amounts)))


# --- Foreign exchange -----------------------------------------------------------------------------------------------


def _high(currency: str, weights: SimmWeights) -> int:
    return int(currency in weights.of["FX"]["high"])


def _category(currency: str, weights: SimmWeights) -> int:
    named = [n for n, some in enumerate(weights.of["FX"]["categories"]) if currency in some]
    return named[0] if named else len(weights.of["FX"]["categories"])


def _fx_delta(rows: Sequence[CrifRow], weights: SimmWeights) -> Needed:
    of, home = weights.of["FX"], _high(CURRENCY, weights)
    moves = _summed((r.qualifier, r.amount) for r in rows if r.risk == "Risk_FX" and r.qualifier != CURRENCY)
    sensitivities = [
        Sensitivity(amount, of["weights"][_high(c, weights)][home], of["thresholds"][_category(c, weights)] * MILLION)
        for c, amount in moves.items()
    ]
    inside = _matrix(list(moves), lambda one, other: of["inside"][home][_high(one, weights)][_high(other, weights)])
    return _one_bucket(sensitivities, inside)


def _one_bucket(sensitivities: Sequence[Sensitivity], inside: Sequence[Sequence[int]]) -> Needed:
    crowding = [crowded(each.amount, each.threshold) for each in sensitivities]
    amounts = [weighted(s.amount, s.weight, c) for s, c in zip(sensitivities, crowding, strict=True)]
    return Needed(crowded_bucket(sensitivities, crowding, inside).margin, sum(map(magnitude, amounts)))


def _fx_volatility(rows: Sequence[CrifRow], weights: SimmWeights) -> dict[str, Needed]:
    of, vegas = weights.of["FX"], [row for row in rows if row.risk == "Risk_FXVol"]
    if any(len(row.qualifier) != 6 for row in vegas):
        raise Rejected("FRM-2")
    factors = _summed(((*sorted((row.qualifier[:3], row.qualifier[3:])), row.label1), row.amount) for row in vegas)

    def moved(pair: tuple[str, str], amount: int, part: int) -> int:
        weight = of["weights"][_high(pair[0], weights)][_high(pair[1], weights)]
        return weighted(amount, weights.volatility(weight), part)

    whole = _summed(((one, other), amount) for (one, other, _), amount in factors.items())
    inside = _matrix(list(whole), lambda one, other: of["vega_inside"])
    sensitivities = [
        Sensitivity(
            moved(pair, amount, of["ratio"]),
            of["vega"],
            of["vega_thresholds"][_category(pair[0], weights)][_category(pair[1], weights)] * MILLION,
        )
        for pair, amount in whole.items()
    ]
    bent = _summed(
        ((one, other), moved((one, other), amount, fading(_months(tenor))))
        for (one, other, tenor), amount in factors.items()
    )
    amounts = [list(bent.values())]
    margin = curvature(amounts, [_squares(inside)], [[WAD]]) if bent else 0
    return {"Vega": _one_bucket(sensitivities, inside), "Curvature": Needed(margin, _gross_of_curvature(amounts))}
