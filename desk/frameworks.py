"""Questions of chapter 16 for a service: netting sets by the schedule, positions by risk arrays, and by SIMM."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from marginspec.desk.crif import PRODUCTS, CrifRow
from marginspec.desk.figures import DOUBLE, ROUNDINGS, Figure, QuestionKind, number, tolerance, without_one
from marginspec.desk.simm import IN_BUCKETS, MONTHS, RESIDUAL, SimmMargin, published, simm
from marginspec.model.risk.notation import WAD, YEAR, magnitude
from marginspec.model.risk.schedule import (
    COMMODITY,
    CREDIT,
    EQUITY,
    EXCHANGE,
    RATES,
    AssetClass,
    Spread,
    Trade,
    array_loss,
    calendar_charge,
    gross_margin,
    net_margin,
    net_to_gross,
    scan_risk,
    schedule_rate,
    short_minimum,
    total_requirement,
)

# --- The schedule ---------------------------------------------------------------------------------------------------

CALLED = {
    CREDIT: "CREDIT",
    COMMODITY: "COMMODITY",
    EQUITY: "EQUITY",
    EXCHANGE: "FOREIGN_EXCHANGE",
    RATES: "INTEREST_RATES",
}
"""What the Common Domain Model calls kinds of trades; it has no other."""

BOUNDARIES = (YEAR, 2 * YEAR, 2 * YEAR + 1, 5 * YEAR, 5 * YEAR + 1, 30 * YEAR)


@dataclass
class ScheduleQuestion:
    """Trades of a netting set, each of a kind, whose margin by the schedule is asked for."""

    trades: list[tuple[AssetClass, Trade]]


def netting_set(draw: random.Random) -> ScheduleQuestion:
    """Trades of all kinds, many at the boundaries of the bands, for and against."""
    return ScheduleQuestion([_trade(draw) for _ in range(draw.randint(1, 6))])


def _trade(draw: random.Random) -> tuple[AssetClass, Trade]:
    remaining = draw.choice((draw.choice(BOUNDARIES), draw.randint(1, 40 * YEAR)))
    value = draw.choice((0, _cents(draw.gauss(0, 1e5))))
    return draw.choice(tuple(CALLED)), Trade(_cents(10 ** draw.uniform(2, 9)), remaining, value)


def _cents(x: float) -> int:
    return round(x * 100) * (WAD // 100)


def _schedule(asked: ScheduleQuestion) -> list[Figure]:
    rates = [schedule_rate(kind, trade.remaining) for kind, trade in asked.trades]
    gross = sum(gross_margin(trade.notional, rate) for (_, trade), rate in zip(asked.trades, rates, strict=True))
    ratio = net_to_gross([trade.value for _, trade in asked.trades])
    allowed = tolerance(len(rates) + 2 + gross // WAD, gross)
    return [
        *(Figure(f"rates[{n}]", "FRM-1", rate * 100, tolerance(0, WAD)) for n, rate in enumerate(rates)),
        Figure("gross", "FRM-3", gross, allowed),
        Figure("ratio", "FRM-4", ratio, tolerance(1, WAD)),
        Figure("net", "FRM-5", net_margin(gross, ratio), allowed),
    ]


def _schedule_body(asked: ScheduleQuestion) -> dict[str, Any]:
    return {
        "trades": [
            {
                "kind": CALLED[kind],
                "notional": number(trade.notional),
                "years": number(-(-trade.remaining * WAD // YEAR)),
                "value": number(trade.value),
            }
            for kind, trade in asked.trades
        ]
    }


# --- Risk arrays ----------------------------------------------------------------------------------------------------

SCENARIOS = 16
MONTHS_TRADED = ("202703", "202706", "202709")


@dataclass
class ArrayContract:
    """A contract with its risk array, in whole money. month: its place among those that are traded."""

    month: int
    is_option: bool
    price: int
    half_deltas: int
    amount: int
    losses: list[int]


@dataclass
class SpanQuestion:
    """Positions in contracts of one commodity, with what a clearing house publishes, in whole money."""

    contracts: list[ArrayContract]
    spreads: list[Spread]
    minimum: int


def positions(draw: random.Random) -> SpanQuestion:
    """Futures and options of three months, spreads between them, and a least for options sold."""
    contracts = [_contract(draw) for _ in range(draw.randint(1, 8))]
    pairs = draw.sample([(0, 1), (1, 2), (0, 2)], draw.randint(0, 3))
    spreads = [
        Spread(near, far, draw.choice((1, 2, 3)) * WAD, draw.choice((1, 2)) * WAD, draw.randint(0, 900) * WAD)
        for near, far in pairs
    ]
    return SpanQuestion(contracts, spreads, draw.choice((0, 0, 40, 900)))


def _contract(draw: random.Random) -> ArrayContract:
    is_option = draw.random() < 0.5
    size = draw.choice((300, 10_000))
    losses = [draw.randint(-size, size) for _ in range(SCENARIOS)]
    half_deltas = draw.choice((-2, -1, 1, 2)) if is_option else 2
    return ArrayContract(draw.randrange(3), is_option, draw.randint(1, 500), half_deltas, draw.randint(-50, 50), losses)


def _span(asked: SpanQuestion) -> list[Figure]:
    held, options = asked.contracts, [each for each in asked.contracts if each.is_option]
    amounts = [each.amount for each in held]
    scan = scan_risk([array_loss(amounts, [each.losses[n] for each in held]) for n in range(SCENARIOS)]) * WAD
    deltas = [0 for _ in MONTHS_TRADED]
    for each in held:
        deltas[each.month] += each.half_deltas * each.amount * WAD // 2
    calendar = calendar_charge(deltas, asked.spreads)
    least = short_minimum([each.amount * WAD for each in options], asked.minimum * WAD)
    value = sum(each.amount * each.price for each in options) * WAD
    matched = sum(map(magnitude, deltas)) // WAD + 1
    greatest = scan + calendar + least + magnitude(value) + matched * sum(each.rate for each in asked.spreads)
    allowed = tolerance(8 * (greatest // WAD + 1), greatest)
    return [
        Figure("scan", "FRM-8", scan, allowed),
        Figure("calendar", "FRM-24", calendar, allowed),
        Figure("minimum", "FRM-25", least, allowed),
        Figure("value", "FRM-10", value, allowed),
        Figure("needed", "FRM-10", total_requirement(scan, calendar, least, value), allowed),
    ]


def _span_body(asked: SpanQuestion) -> dict[str, Any]:
    return {
        "contracts": [{**vars(each), "month": MONTHS_TRADED[each.month]} for each in asked.contracts],
        "spreads": [
            {
                "near": MONTHS_TRADED[each.near],
                "far": MONTHS_TRADED[each.far],
                "near_ratio": each.near_ratio // WAD,
                "far_ratio": each.far_ratio // WAD,
                "rate": each.rate // WAD,
            }
            for each in asked.spreads
        ],
        "minimum": asked.minimum,
    }


def _simpler_span(asked: SpanQuestion) -> Iterator[SpanQuestion]:
    yield from without_one(asked, lambda each: each.contracts, least=1)
    yield from without_one(asked, lambda each: each.spreads)


# --- SIMM -----------------------------------------------------------------------------------------------------------

CURRENCIES = ("USD", "EUR", "JPY", "GBP", "CHF", "BRL", "TRY", "PLN", "CNY")
CURVES = ("OIS", "Libor1m", "Libor3m", "Libor6m")
RATE_TENORS = tuple(MONTHS)
CREDIT_TENORS = ("1y", "2y", "3y", "5y", "10y")
GROUPS = "SIMM-GROUP"
"""The group of a credit that does not qualify: its name here, the second label in ORE."""

VEGAS = "SIMM-VEGA"
"""Vega of equities, commodities and foreign exchange: without the volatility of FRM-27 here, with it in quantark, which
also sets vegas of inflation off by their tenors."""


@dataclass
class SimmQuestion:
    """Sensitivities of a netting set, whose margin by ISDA's weights is asked for."""

    rows: list[CrifRow]


def sensitivities(draw: random.Random) -> SimmQuestion:
    """Sensitivities of a few risks of a product class or two, small ones, hedged ones and crowded ones."""
    products = draw.sample(PRODUCTS, draw.choice((1, 1, 2)))
    rows = [_row(draw, product) for product in products for _ in range(draw.randint(1, 6))]
    if draw.random() < 0.2:
        row = rows[0]
        rows.append(CrifRow(row.product, row.risk, row.qualifier, row.bucket, row.label1, row.label2, -row.amount))
    return SimmQuestion(rows)


OWN_RISKS = {
    "RatesFX": ("Risk_IRVol", "Risk_InflationVol", "Risk_FXVol"),
    "Credit": ("Risk_CreditQ", "Risk_CreditVol", "Risk_BaseCorr", "Risk_CreditNonQ", "Risk_CreditVolNonQ"),
    "Equity": ("Risk_Equity", "Risk_EquityVol"),
    "Commodity": ("Risk_Commodity", "Risk_CommodityVol"),
}
ANY_RISK = ("Risk_IRCurve", "Risk_FX", "Risk_Inflation", "Risk_XCcyBasis")


def _row(draw: random.Random, product: str) -> CrifRow:
    risk = draw.choice(draw.choice((OWN_RISKS[product], ANY_RISK)))
    amount = _cents(draw.gauss(0, 1) * 10 ** draw.uniform(3, 10))
    currency = draw.choice(CURRENCIES)
    if risk == "Risk_IRCurve":
        bucket = {"JPY": "2"}.get(currency, "3" if currency in ("BRL", "TRY", "PLN", "CNY") else "1")
        return CrifRow(product, risk, currency, bucket, draw.choice(RATE_TENORS), draw.choice(CURVES), amount)
    if risk in ("Risk_IRVol", "Risk_InflationVol"):
        return CrifRow(product, risk, currency, "", draw.choice(RATE_TENORS), "", amount)
    if risk == "Risk_FXVol":
        pair = "".join(sorted(draw.sample(CURRENCIES, 2)))
        return CrifRow(product, risk, pair, "", draw.choice(RATE_TENORS), "", amount)
    if risk in ANY_RISK:
        return CrifRow(product, risk, currency, "", "", "", amount)
    if risk == "Risk_BaseCorr":
        return CrifRow(product, risk, draw.choice(("CDX IG", "CDX HY", "iTraxx Main")), "", "", "", amount)
    (kind,) = [kind for kind, risks in IN_BUCKETS.items() if risk in risks]
    numbers = [str(n) for n in range(1, len(published().of[kind]["weights"]) + 1)]
    bucket = draw.choice([*numbers, *([RESIDUAL] if "residual" in published().of[kind] else [])])
    tenors = CREDIT_TENORS if kind.startswith("Credit") else RATE_TENORS if risk.endswith("Vol") else ("",)
    return CrifRow(product, risk, f"{kind} {bucket}-{draw.randint(1, 3)}", bucket, draw.choice(tenors), "", amount)


def _simm(asked: SimmQuestion) -> list[Figure]:
    found, sizes = simm(asked.rows, published()), _sizes(asked.rows)
    others = _otherwise(asked)
    allowed: dict[str, Fraction] = {}
    figures = []
    for (product, kind, measure), needed in found.parts.items():
        name = f"{product} {kind} {measure}"
        size = sizes.parts[product, kind, measure].gross
        allowed[name] = _of_root(needed.margin, size)
        otherwise = {
            key: other.parts[product, kind, measure].margin
            for key, other in others.items()
            if (product, kind, measure) in other.parts
        }
        rule = _rule(asked, product, kind, measure)
        figures.append(Figure(name, rule, needed.margin, allowed[name], otherwise))
    for product, margin in found.products.items():
        # A root of a square moves by no more than what it is made of, whatever the correlations; and is itself off.
        own = sum(each for name, each in allowed.items() if name.startswith(f"{product} "))
        gross = sum(needed.gross for (of, _, _), needed in sizes.parts.items() if of == product)
        allowed[product] = own + _of_root(margin, gross)
        figures.append(
            Figure(product, "FRM-22", margin, allowed[product], {k: o.products[product] for k, o in others.items()})
        )
    whole = sum(allowed[product] for product in found.products) + tolerance(1, found.total)
    figures.append(Figure("total", "FRM-29", found.total, whole, {k: o.total for k, o in others.items()}))
    return figures


def _sizes(rows: Sequence[CrifRow]) -> SimmMargin:
    """Margin as if nothing were netted: floating point is off by roundings of what is added, not of its sum."""
    return simm([replace(row, amount=magnitude(row.amount)) for row in rows], published())


def _otherwise(asked: SimmQuestion) -> dict[str, SimmMargin]:
    """What is declared to be otherwise elsewhere, where the question has any of it."""
    risks = {row.risk for row in asked.rows}
    found = {}
    if risks & {"Risk_CreditNonQ", "Risk_CreditVolNonQ"}:
        found[GROUPS] = simm(asked.rows, published().grouped_by_label())
    if risks & {"Risk_EquityVol", "Risk_CommodityVol", "Risk_FXVol", "Risk_InflationVol"}:
        found[VEGAS] = simm(asked.rows, published().as_quantark_reads_vegas())
    return found


def _of_root(margin: int, gross: int) -> Fraction:
    """What a root of a square may be off: its square is off by roundings of the largest that it may be, which moves a
    root by less the larger it is. Roots that are rounded down in buckets add a unit each."""
    if gross == 0:
        return Fraction(1)
    part = ROUNDINGS * DOUBLE * gross * gross
    root = Fraction(math.isqrt(math.ceil(part)) + 1)
    return min(root, part / margin if margin > 0 else root) + gross // WAD + 64


def _rule(asked: SimmQuestion, product: str, kind: str, measure: str) -> str:
    """The rule that decides a part: of what is in it."""
    vega = measure in ("Vega", "Curvature")
    own = [row for row in asked.rows if row.product == product and _is_of(row.risk, kind, vega, measure == "BaseCorr")]
    buckets = {row.qualifier if kind == "InterestRate" else row.bucket for row in own}
    if measure == "Curvature":
        return "FRM-28" if kind == "InterestRate" else "FRM-20"
    if len(buckets) > 1:
        return "FRM-17" if RESIDUAL in buckets else "FRM-16"
    if len({(row.qualifier, row.label1, row.label2, row.risk) for row in own}) > 1:
        return "FRM-14"
    return "FRM-27" if vega and kind in ("Equity", "Commodity", "FX") else "FRM-12"


def _is_of(risk: str, kind: str, vega: bool, base: bool) -> bool:
    if base:
        return risk == "Risk_BaseCorr"
    if kind == "InterestRate":
        return risk in (("Risk_IRVol", "Risk_InflationVol") if vega else ANY_RISK) and risk != "Risk_FX"
    if kind == "FX":
        return risk == ("Risk_FXVol" if vega else "Risk_FX")
    return risk == IN_BUCKETS[kind][vega]


def _simm_body(asked: SimmQuestion) -> dict[str, Any]:
    return {"rows": [{**vars(row), "amount": number(row.amount)} for row in asked.rows]}


DRAWS: Mapping[str, Callable[[random.Random], Any]] = {
    "schedule": netting_set,
    "span": positions,
    "simm": sensitivities,
}

KINDS: Mapping[type, QuestionKind] = {
    ScheduleQuestion: QuestionKind(
        "/schedule", _schedule_body, _schedule, lambda asked: without_one(asked, lambda each: each.trades, least=1),
        ("agreements", "margins"),
    ),
    SpanQuestion: QuestionKind("/span", _span_body, _span, _simpler_span, ("commodities", "margins")),
    SimmQuestion: QuestionKind(
        "/simm", _simm_body, _simm, lambda asked: without_one(asked, lambda each: each.rows, least=1),
        ("netting_sets", "margins"),
    ),
}  # fmt: skip
"""How each kind of question is asked."""
