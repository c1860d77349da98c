"""Margin from sensitivities beside a calculation by hand, beside floats, and beside ORE with ISDA's public weights."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from marginspec.model.kernel import Rejected
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.simm import (
    TAIL_SQUARE,
    Bucket,
    Sensitivity,
    bucket,
    crowded,
    curvature,
    curvature_margin,
    delta_margin,
    product_margin,
    sold_part,
    stretch,
)


def wad(x: float) -> int:
    return int(Fraction(x) * WAD)


def test_two_buckets_by_hand() -> None:
    # 3 and -1 at a weight of 10 with a correlation of a half: 900 - 300 + 100 is the square; the other bucket has 20.
    pair = [Sensitivity(3 * WAD, 10 * WAD), Sensitivity(-WAD, 10 * WAD)]
    first = bucket(pair, [[WAD, WAD // 2], [WAD // 2, WAD]])
    assert first == Bucket(math.isqrt(700 * WAD * WAD), 20 * WAD)
    second = bucket([Sensitivity(2 * WAD, 10 * WAD)], [[WAD]])
    assert second == Bucket(20 * WAD, 20 * WAD)
    whole = delta_margin([first, second], [[WAD, WAD // 4], [WAD // 4, WAD]], 5 * WAD)
    assert whole / WAD == pytest.approx(math.sqrt(700 + 400 + 2 * 20 * 20 / 4) + 5, rel=1e-12)
    assert product_margin([3 * WAD, 4 * WAD], [[WAD, 0], [0, WAD]]) == 5 * WAD
    assert delta_margin([], [], 0) == 0


def test_crowding_begins_at_the_threshold() -> None:
    assert [crowded(n * WAD, 100 * WAD) // WAD for n in (0, 100, -400, 900)] == [1, 1, 2, 3]
    assert crowded(10**40, 0) == WAD


def test_curvature_by_hand() -> None:
    # The quantile of 99.5 % is 2.575829303548901; all bought, half sold, all sold.
    assert pytest.approx(TAIL_SQUARE / WAD, rel=1e-15) == 2.575829303548901**2 - 1
    assert [sold_part(n * WAD, 10 * WAD) for n in (10, 0, -5, -10)] == [0, 0, -WAD // 2, -WAD]
    assert (stretch(0), stretch(-WAD)) == (TAIL_SQUARE, WAD)
    assert curvature_margin(10 * WAD, 0, 10 * WAD) == 10 * WAD + 10 * TAIL_SQUARE
    assert curvature_margin(-10 * WAD, -WAD, 10 * WAD) == 0
    assert curvature_margin(-20 * WAD, -WAD, 10 * WAD) == 0


def test_a_matrix_that_does_not_fit_is_refused() -> None:
    for matrix in ([], [[WAD]], [[WAD, 0]], [[WAD], [0]]):
        with pytest.raises(Rejected, match="FRM-21"):
            bucket([Sensitivity(WAD), Sensitivity(WAD)], matrix)


# --- Floats -------------------------------------------------------------------------------------------------------

Row = tuple[float, float, float]
"""Amount, weight, threshold."""


def margin_float(
    buckets: Sequence[Sequence[Row]], inside: Callable[[int, int, int], float], gamma: Callable[[int, int], float]
) -> float:
    """The same in floating point, written anew. inside: correlation within a bucket; gamma: between two."""
    margins, sums = [], []
    for b, rows in enumerate(buckets):
        crowd = [max(1.0, math.sqrt(abs(s) / t)) if t else 1.0 for s, _, t in rows]
        ws = [s * w * c for (s, w, _), c in zip(rows, crowd, strict=True)]
        total = 0.0
        for i, j in itertools.product(range(len(ws)), repeat=2):
            apart = min(crowd[i], crowd[j]) / max(crowd[i], crowd[j])
            total += ws[i] * ws[j] * (1.0 if i == j else inside(b, i, j) * apart)
        margins.append(math.sqrt(max(total, 0.0)))
        sums.append(max(min(sum(ws), margins[-1]), -margins[-1]))
    square = sum(k * k for k in margins)
    square += sum(gamma(b, c) * sums[b] * sums[c] for b, c in itertools.permutations(range(len(sums)), 2))
    return math.sqrt(max(square, 0.0))


def margin_exact(
    buckets: Sequence[Sequence[Row]], inside: Callable[[int, int, int], float], gamma: Callable[[int, int], float]
) -> float:
    """By the rules."""
    found = [
        bucket(
            [Sensitivity(wad(s), wad(w), wad(t)) for s, w, t in rows],
            [[wad(inside(b, i, j)) for j in range(len(rows))] for i in range(len(rows))],
        )
        for b, rows in enumerate(buckets)
    ]
    matrix = [[wad(gamma(b, c)) for c in range(len(buckets))] for b in range(len(buckets))]
    return delta_margin(found, matrix, 0) / WAD


@pytest.mark.parametrize("seed", range(30))
def test_margin_is_that_of_the_rules_in_floating_point(seed: int) -> None:
    chance = random.Random(seed)
    buckets = [
        [
            (chance.gauss(0, 10 ** chance.uniform(0, 9)), chance.uniform(0.1, 60), chance.choice((0, 10**6, 10**8)))
            for _ in range(chance.randint(1, 5))
        ]
        for _ in range(chance.randint(1, 4))
    ]
    within, across = chance.uniform(-0.2, 0.99), chance.uniform(-0.2, 0.5)
    given = (buckets, lambda b, i, j: within, lambda b, c: across)
    assert margin_exact(*given) == pytest.approx(margin_float(*given), rel=1e-9)


# --- ORE ----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "Amount",
    "AmountCurrency", "AmountUSD", "IMModel",
)  # fmt: skip
Member = tuple[str, str]
"""A risk factor: its name, and its bucket as a CRIF has it."""

EQUITIES = [[(f"ISIN:{b}{n}", b) for n in range(3)] for b in ("1", "5", "7", "11")]
MEMBERS: Mapping[str, Sequence[Sequence[Member]]] = {
    "Equity": EQUITIES,
    "FX": [[(currency, "") for currency in ("EUR", "JPY", "BRL", "TRY")]],
    "Commodity": [[("Crude oil", "2")], [("Coal Americas", "1")], [("Precious Metals Gold", "12")]],
    "EquityVol": EQUITIES,
}
"""By what a CRIF calls the risk, its buckets, and of each some risk factors."""


class Ore:
    """ORE's calculator of SIMM, whose weights are ISDA's; what it does not tell is found by asking it of one or two."""

    def __init__(self, kind: str, version: str, part: str = "All") -> None:
        self.ore = pytest.importorskip("ORE", reason="run `make simm`")
        self.kind, self.part, self.members = kind, part, MEMBERS[kind]
        mapper = self.ore.SimmBucketMapperBase()
        if kind != "FX":
            of_type = getattr(self.ore.CrifRecord, f"RiskType_{kind}")
            for name, number in itertools.chain(*self.members):
                mapper.addMapping(of_type, name, number)
        self.config = getattr(self.ore, f"SimmConfiguration_ISDA_V{version}")(mapper, 10)
        self.asked: dict[Any, float] = {}

    def margin(self, amounts: Mapping[Member, float]) -> float:
        """SIMM of amounts of risk factors."""
        product = {"FX": "RatesFX", "EquityVol": "Equity"}.get(self.kind, self.kind)
        label = "3m" if self.kind.endswith("Vol") else ""
        lines = ["\t".join(COLUMNS)]
        for (name, number), amount in amounts.items():
            cells = ("t", "P1", product, f"Risk_{self.kind}", name, number, label, "", f"{amount:.6f}", "USD")
            lines.append("\t".join((*cells, f"{amount:.6f}", "SIMM")))
        crif = self.ore.Crif()
        crif.setCsvLoaderConfig(self.config)
        crif.fromCSVString("\n".join(lines) + "\n")
        base, record = self.ore.SimmConfigurationBase, self.ore.CrifRecord
        pair = self.ore.SimmCalculator(crif, self.config).finalSimmResults(
            base.SimmSide_Call, self.ore.NettingSetDetails("P1")
        )
        given = (record.ProductClass_All, base.RiskClass_All, getattr(base, f"MarginType_{self.part}"), "All")
        return float(pair.second.get(*given))

    def weight(self, member: Member) -> float:
        """What one unit of a risk factor needs."""
        if member not in self.asked:
            self.asked[member] = self.margin({member: 1.0})
        return self.asked[member]

    def threshold(self, member: Member) -> float:
        """The amount from which on it is crowded: far beyond, margin grows with the power of one and a half."""
        much = 1e12
        return much / (self.margin({member: much}) / (much * self.weight(member))) ** 2

    def correlation(self, one: Member, other: Member, spread: float = 0.0) -> float:
        """Of two, from the square of both. spread: what a deviation counts where the sum counts, too, else nothing."""
        first, second = 100 * self.weight(one), 100 * self.weight(other)
        both = self.margin({one: 100.0, other: 100.0})
        if spread:
            first, second = first / (1 + spread), second / (1 + spread)
            both = (both - first - second) / spread
        return round((both * both - first * first - second * second) / (2 * first * second), 9)

    def drawn(self, chance: random.Random, largest: float) -> list[dict[Member, float]]:
        """Amounts of some of the risk factors, by bucket."""
        some = [[m for m in members if chance.random() < 0.8] for members in self.members]
        return [
            {m: round(chance.gauss(0, 10 ** chance.uniform(3, largest)), 2) for m in members}
            for members in [each for each in some if each] or [self.members[0][:1]]
        ]


def merged(buckets: Sequence[Mapping[Member, float]]) -> dict[Member, float]:
    return {member: amount for each in buckets for member, amount in each.items()}


@pytest.mark.parametrize("version", ["2_6", "2_8_2512"])
@pytest.mark.parametrize(
    ("kind", "part"), [("Equity", "All"), ("FX", "All"), ("Commodity", "All"), ("EquityVol", "Vega")]
)
def test_delta_and_vega_are_those_of_ore_with_the_weights_of_isda(kind: str, part: str, version: str) -> None:
    ore, chance = Ore(kind, version, part), random.Random(kind)
    known = {each: (ore.weight(each), ore.threshold(each)) for each in itertools.chain(*ore.members)}
    alike = {frozenset(pair): ore.correlation(*pair) for pair in itertools.combinations(known, 2)}
    alike |= {frozenset((each,)): 1.0 for each in known}
    for _ in range(20):
        buckets = ore.drawn(chance, 10)
        some = [list(each) for each in buckets]
        found = margin_exact(
            [[(amount, *known[m]) for m, amount in each.items()] for each in buckets],
            lambda b, i, j, some=some: alike[frozenset((some[b][i], some[b][j]))],
            lambda b, c, some=some: alike[frozenset((some[b][0], some[c][0]))],
        )
        assert found == pytest.approx(ore.margin(merged(buckets)), rel=1e-6)


@pytest.mark.parametrize("version", ["2_6", "2_8_2512"])
def test_curvature_is_that_of_ore_with_the_weights_of_isda(version: str) -> None:
    ore, chance, spread = Ore("EquityVol", version, "Curvature"), random.Random(version), TAIL_SQUARE / WAD
    each_of = list(itertools.chain(*ore.members))
    alike = {frozenset(pair): ore.correlation(*pair, spread) for pair in itertools.combinations(each_of, 2)}
    alike |= {frozenset((each,)): 1.0 for each in each_of}

    def matrix(members: Sequence[Member]) -> list[list[int]]:
        return [[wad(alike[frozenset((one, other))]) for other in members] for one in members]

    for _ in range(30):
        buckets = ore.drawn(chance, 6)
        amounts = [[wad(amount * ore.weight(m) / (1 + spread)) for m, amount in each.items()] for each in buckets]
        found = curvature(amounts, [matrix(list(each)) for each in buckets], matrix([next(iter(b)) for b in buckets]))
        assert found / WAD == pytest.approx(ore.margin(merged(buckets)), rel=1e-6, abs=1e-3)
