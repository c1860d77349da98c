"""Two parameter files of the reference venue on one book: who becomes liquidatable, who can withdraw no more.

The book is a CSV file with a line of names, or JSON `{"prices": {ASSET: USD}, "accounts": [{NAME: VALUE}]}` with the
same names: `account`; `cash` in USD; an asset, how much of it is collateral; a market, the signed size of the position;
`MARKET entry`, the price at which it was opened, in USD. What is left out is zero. Numbers are decimals, taken exactly.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marginspec.cli.presets import load_preset
from marginspec.cli.process import progress
from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import counted_in_tiers
from marginspec.model.reference.ledger import Account, AccountTerms, Holding, Position
from marginspec.model.reference.notation import (
    MAX_AMOUNT,
    MAX_PRICE,
    MAX_SIZE,
    PPM,
    QUOTE_PER_UNIT,
    AccountId,
    AssetId,
    Holder,
    MarketId,
    User,
)
from marginspec.model.reference.presets import Preset, venue_with
from marginspec.targets.evm.reasons import printable
from marginspec.targets.protocol import BadInput

QUOTE = PPM * QUOTE_PER_UNIT
"""Quote per USD; a size and a price have `PPM` units per whole."""

MAX_CASH = 2**127 - 1
_DECIMAL = re.compile(r"(-?)([0-9]{1,60})(?:\.([0-9]{1,60}))?")

STANDINGS = ("healthy", "below initial margin", "liquidatable", "bankrupt")
"""How an account may stand, the best first. Below initial margin it cannot withdraw."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """An account of a book, in the units of the model. positions: size and cost."""

    name: str
    cash: int
    collateral: Mapping[AssetId, int]
    positions: Mapping[MarketId, tuple[int, int]]


@dataclass(frozen=True)
class Health:
    """How an account stands, and by which figures, quote."""

    word: str
    equity: int
    initial: int
    maintenance: int


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_book(file: Path) -> tuple[list[Entry], dict[AssetId, int]]:
    """The accounts of a book, and the prices that it names; BadInput says what is wrong with it, and where."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: not UTF-8 text") from None
    prices: dict[AssetId, int] = {}
    if file.suffix == ".json":
        rows, prices = _from_json(file, text)
    else:
        rows = list(_from_csv(file, text))
    entries = [_entry(where, row) for where, row in rows]
    twice = next((name for name, count in Counter(e.name for e in entries).items() if count > 1), None)
    if twice is not None:
        raise BadInput(f"{file}: account {printable(twice, 60)!r} is there twice")
    if not entries:
        raise BadInput(f"{file}: no accounts, so nothing to compare")
    return entries, prices


def _from_csv(file: Path, text: str) -> Iterator[tuple[str, Row]]:
    lines = csv.reader(text.splitlines(), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        _known(f"{file}: line 1", names)
        for values in lines:
            where = f"{file}: line {lines.line_num}"
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(names):
                raise BadInput(f"{where}: {len(values)} values for {len(names)} names")
            yield where, {name: value.strip() for name, value in zip(names, values, strict=True)}
    except csv.Error as error:
        raise BadInput(f"{file}: line {lines.line_num}: not CSV: {error}") from None


def _from_json(file: Path, text: str) -> tuple[list[tuple[str, Row]], dict[AssetId, int]]:
    try:
        document = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("accounts"), list):
        raise BadInput(f'{file}: expected {{"prices": {{…}}, "accounts": […]}}')
    for name in document.keys() - {"prices", "accounts"}:
        raise BadInput(f"{file}: unknown entry {printable(name, 60)!r}")
    prices = document.get("prices", {})
    if not isinstance(prices, dict):
        raise BadInput(f"{file}: prices: expected an object of USD by asset")
    rows: list[tuple[str, Row]] = []
    for number, row in enumerate(document["accounts"], 1):
        where = f"{file}: account {number}"
        if not isinstance(row, dict):
            raise BadInput(f"{where}: expected an object")
        _known(where, list(row))
        rows.append((where, row))
    return rows, {_asset(f"{file}: prices", a): _price(f"{file}: prices: {a}", p) for a, p in prices.items()}


def _names() -> list[str]:
    assets, markets = Reference.universe[AssetId], Reference.universe[MarketId]
    return ["account", "cash", *assets, *markets, *(f"{market} entry" for market in markets)]


def _known(where: str, names: Sequence[str]) -> None:
    for name in names:
        if name not in _names():
            raise BadInput(f"{where}: unknown name {printable(name, 60)!r}; known are {', '.join(_names())}")
    if "account" not in names:
        raise BadInput(f"{where}: account is missing")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise BadInput(f"{where}: {twice[0]} is there twice")


def _entry(where: str, row: Row) -> Entry:
    name = row["account"]
    if not isinstance(name, str) or not name.strip():
        raise BadInput(f"{where}: account has no name")
    terms = Reference.blank().asset_terms
    return Entry(
        name.strip(),
        _number(where, row, "cash", QUOTE, MAX_CASH),
        {a: _number(where, row, a, terms[a].unit * PPM, MAX_AMOUNT, signed=False) for a in terms},
        {market: _position(where, row, market) for market in Reference.universe[MarketId]},
    )


def _position(where: str, row: Row, market: MarketId) -> tuple[int, int]:
    size = _number(where, row, market, PPM, MAX_SIZE)
    entry = _number(where, row, f"{market} entry", PPM, MAX_PRICE, signed=False)
    if size != 0 and entry == 0:
        raise BadInput(f"{where}: {market} entry is missing: at what price was the position opened?")
    return size, size * entry


def _number(where: str, row: Row, name: str, scale: int, high: int, signed: bool = True) -> int:
    return _exactly(f"{where}: {name}", row.get(name) or "0", scale, high, signed)


def _exactly(where: str, given: Any, scale: int, high: int, signed: bool) -> int:
    """A decimal as an integer at a scale of a power of ten."""
    found = _DECIMAL.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise BadInput(f"{where}: {printable(str(given), 60)!r} is no decimal number")
    digits = (found[3] or "").rstrip("0")
    parts: int = 10 ** len(digits)
    value, rest = divmod(int(found[2] + digits) * scale, parts)
    if rest:
        raise BadInput(f"{where}: {given} has more decimals than the venue counts: at most {len(str(scale)) - 1}")
    if value > high:
        raise BadInput(f"{where}: {given} is more than the venue can hold")
    if found[1] and not signed:
        raise BadInput(f"{where}: {given} is negative")
    return -value if found[1] else value


def _asset(where: str, name: str) -> AssetId:
    assets = Reference.universe[AssetId]
    if name not in assets:
        raise BadInput(f"{where}: unknown asset {printable(name, 60)!r}; known are {', '.join(assets)}")
    return AssetId(name)  # type: ignore[arg-type]


def _price(where: str, given: Any) -> int:
    price = _exactly(where, given, PPM, MAX_PRICE, signed=False)
    if price == 0:
        raise BadInput(f"{where}: a price of zero is none")
    return price


def _prices(options: Sequence[str]) -> dict[AssetId, int]:
    """Of `--price ASSET=USD`."""
    found = {}
    for option in options:
        asset, equals, price = option.partition("=")
        if not equals:
            raise BadInput(f"--price {printable(option, 60)!r}: expected ASSET=USD, for example ETH=2000")
        found[_asset("--price", asset)] = _price(f"--price {asset}", price)
    return found


# --- Judging ----------------------------------------------------------------------------------------------------------


def venue_of(preset: Preset, entries: Sequence[Entry], prices: Mapping[AssetId, int]) -> Reference:
    """The venue with the accounts of a book and no others, at rest: ratios and haircuts at their minimum.

    Prices are sure: both edges are the mark. Collateral counts in the order of the book. Funding is settled.
    """
    venue = venue_with(preset).blank()
    for asset, mark in prices.items():
        price = venue.assets[asset]
        price.mark = price.low = price.high = mark
        price.time = venue.now
    venue.accounts.clear()
    venue.account_terms.clear()
    for entry in entries:
        name = AccountId(User(Holder(entry.name)))
        held = {a: _holding(venue, a, amount) for a, amount in entry.collateral.items()}
        positions = {market: Position(size, cost) for market, (size, cost) in entry.positions.items()}
        venue.account_terms[name] = AccountTerms(name, False)
        venue.accounts[name] = Account(entry.cash, False, held, positions)
        for market, (size, _) in entry.positions.items():
            venue.markets[market].open_interest += max(size, 0)
    return venue


def _holding(venue: Reference, asset: AssetId, amount: int) -> Holding:
    total, terms = venue.held[asset], venue.asset_terms[asset]
    venue.held[asset] += amount
    return Holding(amount, counted_in_tiers(total + amount, terms) - counted_in_tiers(total, terms))


def health_of(venue: Reference, name: str) -> Health:
    """How an account stands; the figures are the model's own."""
    account = AccountId(User(Holder(name)))
    equity, initial = venue.equity(account), venue.initial_margin(account)
    maintenance = venue.maintenance_margin(account)
    edges = {"bankrupt": 0, "liquidatable": maintenance}
    if not venue._owes_nothing(account):
        edges["below initial margin"] = initial
    word = next((word for word, edge in edges.items() if equity < edge), "healthy")
    return Health(word, equity, initial, maintenance)


def book_document(
    system: str, base: Path, head: Path, book: Path | None, price: Sequence[str], declared: Mapping[str, str]
) -> dict[str, Any]:
    """`marginspec/diff/1` of two parameter files: a difference for each account that stands otherwise under the second.

    The rule is LIQ-5 where it becomes liquidatable or ceases to be, else MRG-6, by which it can withdraw or cannot.
    """
    if system != Reference.system:
        raise BadInput(f"parameter files are those of {Reference.system}; {system} takes implementations")
    if book is None:
        raise BadInput("two parameter files need accounts to be judged on: add --book FILE (examples/book.csv)")
    entries, prices = read_book(book)
    prices |= _prices(price)
    presets = [load_preset(file) for file in (base, head)]
    _priced(book, entries, prices)
    venues = [venue_of(preset, entries, prices) for preset in presets]
    rows, counts = [], [Counter[str](), Counter[str]()]
    with progress("judging accounts", len(entries)) as advance:
        for done, entry in enumerate(entries, 1):
            before, after = (health_of(venue, entry.name) for venue in venues)
            for count, health in zip(counts, (before, after), strict=True):
                count[health.word] += 1
            if before.word != after.word:
                rows.append(_row(entry.name, before, after, declared))
            advance(done)
    changes = Counter(f"from {r['minimal_account']['before']['status']} to {_status(r)}" for r in rows)
    return {
        "schema": "marginspec/diff/1",
        "system": system,
        "base": str(base),
        "head": str(head),
        "steps": 0,
        "differences": rows,
        "stale": [rule for rule in declared if rule not in {row["rule"] for row in rows}],
        "book": {
            "file": str(book),
            "accounts": len(entries),
            "prices": {asset: str(mark) for asset, mark in prices.items()},
            "standings": {side: dict(c) for side, c in zip(("base", "head"), counts, strict=True)},
            "changes": dict(changes.most_common()),
        },
    }


def _status(row: Row) -> str:
    return str(row["minimal_account"]["after"]["status"])


def _priced(book: Path, entries: Sequence[Entry], prices: Mapping[AssetId, int]) -> None:
    """Every asset that somebody depends on needs a price."""
    underlying = {market: terms.asset for market, terms in Reference.blank().market_terms.items()}
    for entry in entries:
        needed = [a for a, amount in entry.collateral.items() if amount]
        needed += [underlying[market] for market, (size, _) in entry.positions.items() if size]
        for asset in needed:
            if asset not in prices:
                who = printable(entry.name, 60)
                raise BadInput(f"{book}: account {who} needs a price of {asset}: add --price {asset}=USD")


def _row(name: str, before: Health, after: Health, declared: Mapping[str, str]) -> dict[str, Any]:
    places = [STANDINGS.index(health.word) for health in (before, after)]
    rule = "LIQ-5" if max(places) >= STANDINGS.index("liquidatable") else "MRG-6"
    return {
        "rule": rule,
        "rules": [rule],
        "departs": "head",
        "direction": f"{'stricter' if places[1] > places[0] else 'more permissive'} for the user",
        "minimal_account": {"account": name, "before": _side(before), "after": _side(after)},
        "trace": None,
        "declared": rule in declared,
        "reason": declared.get(rule),
    }


def _side(health: Health) -> dict[str, Any]:
    figures = {
        "equity": health.equity,
        "initial margin": health.initial,
        "maintenance margin": health.maintenance,
    }
    return {"status": health.word, "figures": {name: str(value) for name, value in figures.items()}}
