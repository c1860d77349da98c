"""A CRIF, the file in which sensitivities for SIMM are exchanged: read, and written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from marginspec.base.errors import BadInput
from marginspec.base.files import read_text
from marginspec.base.text import printable
from marginspec.desk.figures import number
from marginspec.model.risk.notation import WAD

COLUMNS = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "Amount",
    "AmountCurrency", "AmountUSD", "IMModel",
)  # fmt: skip
NEEDED = ("ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2")
CURRENCY = "USD"
"""Of the calculation."""


PRODUCTS = ("RatesFX", "Credit", "Equity", "Commodity")
RISKS = (
    "Risk_IRCurve", "Risk_Inflation", "Risk_XCcyBasis", "Risk_IRVol", "Risk_InflationVol", "Risk_CreditQ",
    "Risk_CreditVol", "Risk_BaseCorr", "Risk_CreditNonQ", "Risk_CreditVolNonQ", "Risk_Equity", "Risk_EquityVol",
    "Risk_Commodity", "Risk_CommodityVol", "Risk_FX", "Risk_FXVol",
)  # fmt: skip
LARGEST_FILE = 1 << 26
LARGEST_AMOUNT = Decimal(10) ** 15


@dataclass(frozen=True)
class CrifRow:
    """A sensitivity of a netting set. amount: USD, units of 10^-18."""

    product: str
    risk: str
    qualifier: str
    bucket: str
    label1: str
    label2: str
    amount: int


def read_crif(file: Path) -> list[CrifRow]:
    """The sensitivities in a CRIF, its columns separated by commas or tabs; BadInput says which line is wrong."""
    return crif(read_text(file, LARGEST_FILE, "utf-8-sig"), str(file))


def crif(text: str, where: str) -> list[CrifRow]:
    """The sensitivities of a CRIF that is given as text."""
    head = text.partition("\n")[0]
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in head else ",", strict=True))
    except csv.Error as error:
        raise BadInput(f"{where}: no CRIF: {printable(str(error), 80)}") from None
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if missing := [name for name in NEEDED if name.lower() not in names]:
        raise BadInput(f"{where}: no CRIF: its first line has no column {missing[0]}")
    if "amountusd" not in names and not {"amount", "amountcurrency"} <= set(names):
        raise BadInput(f"{where}: no CRIF: its first line has no column AmountUSD, nor Amount with AmountCurrency")
    rows, sets = [], set()
    for n, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise BadInput(f"{where}: line {n}: {len(cells)} cells, where the first line names {len(names)}")
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        rows.append(_row(row, f"{where}: line {n}"))
        sets.add(row.get("portfolioid", ""))
    if len(sets) > 1:
        first, second = sorted(sets)[:2]
        raise BadInput(
            f"{where}: two netting sets: {printable(first, 40)!r}, {printable(second, 40)!r}; give one file each"
        )
    if not rows:
        raise BadInput(f"{where}: no sensitivities")
    return rows


def _row(row: Mapping[str, str], where: str) -> CrifRow:
    product, risk, qualifier, bucket, label1, label2 = (row[name.lower()] for name in NEEDED)
    amount = row.get("amountusd") or row.get("amount", "")
    if not row.get("amountusd") and row.get("amountcurrency") != CURRENCY:
        raise BadInput(f"{where}: no AmountUSD, and an Amount that is not in {CURRENCY}")
    for name, value, known in (("ProductClass", product, PRODUCTS), ("RiskType", risk, RISKS)):
        if value not in known:
            raise BadInput(f"{where}: {name} {printable(value, 40)!r}: expected {', '.join(known)}")
    try:
        exact = Decimal(amount)
        if not exact.is_finite() or abs(exact) > LARGEST_AMOUNT:
            raise InvalidOperation
    except InvalidOperation:
        raise BadInput(
            f"{where}: amount {printable(amount, 40)!r}: expected a number of at most {LARGEST_AMOUNT:.0e}"
        ) from None
    return CrifRow(product, risk, qualifier, bucket, label1.lower(), label2, round(exact * WAD))


def crif_text(rows: Iterable[CrifRow], delimiter: str = ",") -> str:
    """Sensitivities as a CRIF, of one portfolio in USD."""
    text = io.StringIO()
    lines = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    lines.writerow(COLUMNS)
    for n, row in enumerate(rows, 1):
        amount = number(row.amount)
        labels = (row.qualifier, row.bucket, row.label1, row.label2)
        lines.writerow((f"S{n}", "P1", row.product, row.risk, *labels, amount, "USD", amount, "SIMM"))
    return text.getvalue()
