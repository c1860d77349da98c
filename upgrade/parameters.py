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

from marginspec.base.errors import BadInput
from marginspec.base.process import BROKEN, HOLDS, VERDICTS, progress
from marginspec.base.text import printable
from marginspec.model.kernel.fixed import mul_div_down
from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import counted_in_tiers
from marginspec.model.reference.ledger import Account, AccountTerms, Holding, Position
from marginspec.model.reference.notation import (
    BUFFER,
    INITIAL_GAP,
    MAKER_FEE,
    MAX_AMOUNT,
    MAX_PRICE,
    MAX_SIZE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    QUOTE_PER_UNIT,
    TAKER_FEE,
    AccountId,
    AssetId,
    Holder,
    MarketId,
    User,
)
from marginspec.model.reference.presets import Preset, venue_with
from marginspec.properties.reference.survival import constraints
from marginspec.systems.reference.presets import TERMS, load_preset
from marginspec.upgrade.intended import Intended, judged, stale

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

    Prices are sure: both edges are the mark. Funding is settled. Who deposited first is not in a book: of each asset
    the same part of every holding counts, rounded down. Open interest is that of the larger side.
    """
    venue = venue_with(preset).blank()
    for asset, mark in prices.items():
        price = venue.assets[asset]
        price.mark = price.low = price.high = mark
        price.time = venue.now
    venue.accounts.clear()
    venue.account_terms.clear()
    for asset in venue.asset_terms:
        venue.held[asset] = sum(entry.collateral[asset] for entry in entries)
    for entry in entries:
        name = AccountId(User(Holder(entry.name)))
        held = {a: _holding(venue, a, amount) for a, amount in entry.collateral.items()}
        positions = {market: Position(size, cost) for market, (size, cost) in entry.positions.items()}
        venue.account_terms[name] = AccountTerms(name, False)
        venue.accounts[name] = Account(entry.cash, False, held, positions)
    for market, m in venue.markets.items():
        sizes = [entry.positions[market][0] for entry in entries]
        m.open_interest = max(sum(max(size, 0) for size in sizes), sum(max(-size, 0) for size in sizes))
    return venue


def _holding(venue: Reference, asset: AssetId, amount: int) -> Holding:
    total = venue.held[asset]
    return Holding(
        amount, mul_div_down(counted_in_tiers(total, venue.asset_terms[asset]), amount, total) if total else 0
    )


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
    system: str, base: Path, head: Path, book: Path | None, price: Sequence[str], declared: Intended
) -> dict[str, Any]:
    """`marginspec/diff/1` of two parameter files: a difference for each account that stands otherwise under the second.

    The rule is LIQ-5 where it becomes liquidatable or ceases to be, else MRG-6, by which it can withdraw or cannot.
    parameters: every entry that the files give another value. bounds: the safety bounds that a file violates.
    """
    if system != Reference.system:
        raise BadInput(f"parameter files are those of {Reference.system}; {system} takes implementations")
    if book is None:
        raise BadInput("two parameter files need accounts to be judged on: add --book FILE (examples/book.csv)")
    entries, prices = read_book(book)
    entries.sort(key=lambda entry: entry.name)
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
    rows.sort(key=lambda row: (-STANDINGS.index(_status(row)), row["minimal_account"]["account"]))
    changes = Counter(f"from {r['minimal_account']['before']['status']} to {_status(r)}" for r in rows)
    changed = list(_changed(presets[0], presets[1], declared))
    violated = [bound for side, preset in zip(SIDES, presets, strict=True) for bound in _violated(side, preset)]
    undeclared = any(not row["declared"] for row in (*rows, *changed))
    return {
        "schema": "marginspec/diff/1",
        "system": system,
        "base": str(base),
        "head": str(head),
        "steps": 0,
        "differences": rows,
        "parameters": changed,
        "bounds": violated,
        "stale": stale(declared, (*rows, *changed)),
        "book": {
            "file": str(book),
            "accounts": len(entries),
            "prices": {asset: str(mark) for asset, mark in sorted(prices.items())},
            "standings": {
                side: {word: count[word] for word in STANDINGS if count[word]}
                for side, count in zip(SIDES, counts, strict=True)
            },
            "changes": dict(sorted(changes.items(), key=lambda item: (-item[1], item[0]))),
        },
        "verdict": VERDICTS[BROKEN if undeclared or any(b["side"] == "head" for b in violated) else HOLDS],
    }


SIDES = ("base", "head")

STRICTER, LOOSER = "stricter for the user", "more permissive for the user"

ENTRIES: Mapping[str, tuple[str, str, str]] = {
    "delta": ("MRG-12", "built for larger moves", "built for smaller moves"),
    "slope": ("MRG-4", STRICTER, LOOSER),
    MINIMUM_RATIO: ("MRG-11", STRICTER, LOOSER),
    MAXIMUM_RATIO: ("MRG-11", STRICTER, LOOSER),
    INITIAL_GAP: ("MRG-3", STRICTER, LOOSER),
    BUFFER: ("LIQ-6", STRICTER, LOOSER),
    PENALTY: ("LIQ-8", STRICTER, LOOSER),
    TAKER_FEE: ("TRD-6", STRICTER, LOOSER),
    MAKER_FEE: ("TRD-6", STRICTER, LOOSER),
    "minimum_haircut": ("COL-9", STRICTER, LOOSER),
}
"""Of each entry of a parameter file: the rule that it enters, and what it is when it rises and when it falls."""


def _entries(preset: Preset) -> dict[tuple[str, str], int]:
    """Every entry of a parameter file, by market or asset and by its name."""
    found: dict[tuple[str, str], int] = {}
    for market, parameters in preset.parameters.items():
        found |= zip(((market, name) for name in TERMS), (preset.delta[market], preset.slope[market]), strict=True)
        found |= {(market, name): value for name, value in parameters.items()}
    return found | {(asset, "minimum_haircut"): value for asset, value in preset.minimum_haircut.items()}


def _changed(base: Preset, head: Preset, declared: Intended) -> Iterator[dict[str, Any]]:
    """The entries that differ, whether or not they move an account of the book."""
    after = _entries(head)
    for (subject, name), value in _entries(base).items():
        if (new := after[subject, name]) != value:
            rule, rising, falling = ENTRIES[name]
            direction = rising if new > value else falling
            yield {
                "subject": subject,
                "entry": name,
                "before": str(value),
                "after": str(new),
                "rule": rule,
                "direction": direction,
                **judged(rule, direction, None, declared),
            }


def _violated(side: str, preset: Preset) -> Iterator[dict[str, Any]]:
    """The safety bounds that a parameter file violates."""
    for bound in constraints(preset):
        if bound.slack < 0:
            yield {
                "side": side,
                "rule": bound.rule,
                "subject": bound.subject,
                "text": bound.text,
                "left": str(bound.left),
                "right": str(bound.right),
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


def _row(name: str, before: Health, after: Health, declared: Intended) -> dict[str, Any]:
    places = [STANDINGS.index(health.word) for health in (before, after)]
    rule = "LIQ-5" if max(places) >= STANDINGS.index("liquidatable") else "MRG-6"
    direction = STRICTER if places[1] > places[0] else LOOSER
    harm = f"{name} becomes bankrupt" if after.word == "bankrupt" else None
    return {
        "rule": rule,
        "rules": [rule],
        "departs": "head",
        "direction": direction,
        "minimal_account": {"account": name, "before": _side(before), "after": _side(after)},
        "trace": None,
        **judged(rule, direction, harm, declared),
    }


def _side(health: Health) -> dict[str, Any]:
    figures = {
        "equity": health.equity,
        "initial margin": health.initial,
        "maintenance margin": health.maintenance,
    }
    return {"status": health.word, "figures": {name: str(value) for name, value in figures.items()}}
