"""Chapter 16 beside the published schedule, beside FINOS' executable standard, and beside McMillan's risk arrays."""

import random
from decimal import Decimal
from pathlib import Path

import pytest

from marginspec.model.kernel import Rejected
from marginspec.model.risk.notation import WAD, YEAR
from marginspec.model.risk.schedule import (
    COMMODITY,
    CREDIT,
    EQUITY,
    EXCHANGE,
    OTHER,
    RATES,
    AssetClass,
    Spread,
    Trade,
    array_loss,
    calendar_charge,
    extreme_loss,
    gross_margin,
    net_to_gross,
    scan_risk,
    schedule_margin,
    schedule_rate,
    short_minimum,
    total_requirement,
)

# BCBS and IOSCO, margin requirements for non-centrally cleared derivatives, appendix A: percent of the notional.
PUBLISHED = {
    CREDIT: (2, 5, 10),
    RATES: (1, 2, 4),
    EXCHANGE: (6, 6, 6),
    COMMODITY: (15, 15, 15),
    EQUITY: (15, 15, 15),
    OTHER: (15, 15, 15),
}


@pytest.mark.parametrize("kind", PUBLISHED)
def test_rates_are_those_of_the_published_schedule(kind: AssetClass) -> None:
    found = tuple(schedule_rate(kind, years * YEAR) * 100 // WAD for years in (1, 4, 30))
    assert found == PUBLISHED[kind]
    assert schedule_rate(kind, 2 * YEAR) == schedule_rate(kind, YEAR)
    assert schedule_rate(kind, 5 * YEAR) == schedule_rate(kind, 4 * YEAR)


@pytest.mark.parametrize("years", ["0.5", "1.999", "2", "2.001", "4.999", "5", "5.001", "30"])
def test_rates_are_those_that_the_common_domain_model_computes(years: str) -> None:
    module = "finos.cdm.margin.schedule"
    kinds = pytest.importorskip(f"{module}.StandardizedScheduleAssetClassEnum", reason="run `make risk`")
    rated = pytest.importorskip(
        f"{module}.functions.GetStandardizedScheduleMarginRate", reason="run `make risk`"
    ).GetStandardizedScheduleMarginRate
    named = {
        "CREDIT": CREDIT,
        "COMMODITY": COMMODITY,
        "EQUITY": EQUITY,
        "FOREIGN_EXCHANGE": EXCHANGE,
        "INTEREST_RATES": RATES,
    }
    all_of_them = {each.name: each for each in kinds.StandardizedScheduleAssetClassEnum}
    assert all_of_them.keys() == named.keys()
    for name, kind in named.items():
        ours = schedule_rate(kind, int(Decimal(years) * YEAR))
        assert Decimal(ours) / WAD * 100 == rated(all_of_them[name], Decimal(years))


# The example of ORE's schedule: notional, value and days that remain of swaps, USD, and the margin that it expects.
SWAPS = [
    (7074.633745, 1190.193238, 602, 70.75),
    (1.509747589, 1154.13588, 602, 0.02),
    (5496.624779, -1166.757847, 602, 54.97),
    (3414.348921, 1219.038239, 967, 68.29),
    (12839.43355, -923.2585466, 967, 256.79),
    (2067.191553, -308.7725131, 967, 41.34),
    (9638.766217, -1246.215498, 1332, 192.78),
    (12909.46156, 1241.493929, 1332, 258.19),
    (2327.28328, -658.7952834, 1332, 46.55),
]


def test_the_netting_set_of_an_engine_that_is_published() -> None:
    trades = [(RATES, Trade(wad(n), days * 86_400, wad(v))) for n, v, days, _ in SWAPS]
    for (_, trade), (*_, expected) in zip(trades, SWAPS, strict=True):
        gross = gross_margin(trade.notional, schedule_rate(RATES, trade.remaining))
        assert gross / WAD == pytest.approx(expected, abs=0.005)
    ratio = net_to_gross([trade.value for _, trade in trades])
    assert round(ratio / WAD, 6) == 0.104282
    assert round(schedule_margin(trades) / WAD, 2) == 457.79


def wad(x: float) -> int:
    return int(Decimal(str(x)) * WAD)


def test_a_netting_set_by_hand() -> None:
    trades = [(EQUITY, Trade(100 * WAD, YEAR, 5 * WAD)), (CREDIT, Trade(-200 * WAD, 6 * YEAR, -5 * WAD))]
    assert schedule_margin(trades) == 14 * WAD  # 15 and 20, nothing left of the values: 40 %
    assert net_to_gross([-1, 0]) == WAD


def test_what_the_schedule_does_not_know_is_refused() -> None:
    with pytest.raises(Rejected, match="FRM-2"):
        schedule_rate(AssetClass("weather"), YEAR)
    with pytest.raises(Rejected, match="FRM-2"):
        array_loss([1, 2], [3])


# McMillan, Options as a Strategic Investment, chapter 34: losses of one long S&P future and of one December 410 call.
FUTURE = [0, 0, -3330, -3330, 3330, 3330, -6670, -6670, 6670, 6670, -10000, -10000, 10000, 10000, -7000, 7000]
CALL = [-460, 610, -2640, -1730, 1270, 2340, -5210, -4540, 2540, 3430, -8060, -7640, 3380, 3990, -3130, 1500]


@pytest.mark.parametrize(
    ("futures", "calls", "margin"), [(1, 0, 10_000), (0, 1, 3_990), (1, -1, 6_620), (0, -1, 8_060)]
)
def test_scan_risk_of_mcmillan(futures: int, calls: int, margin: int) -> None:
    losses = [array_loss([futures, calls], [f, c]) for f, c in zip(FUTURE, CALL, strict=True)]
    assert scan_risk(losses) == margin
    assert total_requirement(margin, 0, 0, 1000) == margin - 1000


def test_extremes_and_minima() -> None:
    assert (extreme_loss(30, WAD // 3), extreme_loss(-30, WAD // 3)) == (9, -9)
    assert total_requirement(10, 5, 40, 0) == 40
    assert total_requirement(10, 5, 0, 20) == 0


# --- A file of a clearing house ------------------------------------------------------------------------------------

MONTHS = ("202703", "202706", "202709")


def span_file(chance: random.Random) -> str:
    """A file with risk arrays as clearing houses publish them: futures of three months, options of two, spreads."""

    def array(delta: str, size: int) -> str:
        values = "".join(f"<a>{chance.randint(-size, size)}</a>" for _ in range(16))
        return f"<ra>{values}<d>{delta}</d></ra>"

    futures = "".join(
        f"<fut><cId>{n}</cId><pe>{month}</pe><p>100</p><d>1</d>{array('1', 500)}</fut>"
        for n, month in enumerate(MONTHS)
    )
    options = "".join(
        f"<series><pe>{month}</pe><opt><cId>{n}</cId><p>5</p><d>0.5</d><o>C</o><k>110</k>{array('0.5', 300)}</opt>"
        "</series>"
        for n, month in enumerate(MONTHS[:2], 10)
    )
    spreads = "".join(
        f"<dSpread><spread>{n}</spread><chargeMeth>F</chargeMeth><rate><val>{chance.randint(1, 90)}</val></rate>"
        f"<pLeg><cc>X</cc><pe>{near}</pe><rs>A</rs><i>{chance.choice((1, 2))}</i></pLeg>"
        f"<pLeg><cc>X</cc><pe>{far}</pe><rs>B</rs><i>1</i></pLeg></dSpread>"
        for n, (near, far) in enumerate(((MONTHS[0], MONTHS[1]), (MONTHS[1], MONTHS[2]), (MONTHS[0], MONTHS[2])), 1)
    )
    least = f"<somTiers><tier><rate><val>{chance.choice((0, 40, 900))}</val></rate></tier></somTiers>"
    return (
        f"<spanFile><fileFormat>4.00</fileFormat><ccDef><cc>X</cc><name>X</name>{least}{spreads}</ccDef>"
        f"<futPf><pfCode>X</pfCode><cvf>1</cvf>{futures}</futPf><oopPf><pfCode>X</pfCode><cvf>1</cvf>{options}</oopPf></spanFile>"
    )


@pytest.mark.parametrize("seed", range(25))
def test_a_file_with_risk_arrays_needs_what_marginism_says(seed: int, tmp_path: Path) -> None:
    parser = pytest.importorskip("marginism.parser", reason="run `make risk`")
    algorithm = pytest.importorskip("marginism.algorithm", reason="run `make risk`")
    chance = random.Random(seed)
    (tmp_path / "x.spn").write_text(span_file(chance))
    whole = parser.parse_spn(str(tmp_path / "x.spn")).commodities["X"]
    contracts = [*whole.futures, *whole.options]
    amounts = [chance.randint(-9, 9) for _ in contracts]
    asked = [algorithm.ResolvedPosition(each, n) for each, n in zip(contracts, amounts, strict=True)]
    theirs = algorithm.compute_commodity(whole, asked)

    arrays = [[int(x) for x in each.risk_array.values] for each in contracts]
    scan = scan_risk([array_loss(amounts, [array[n] for array in arrays]) for n in range(16)])
    halves = dict.fromkeys(MONTHS, 0)
    for each, n in zip(contracts, amounts, strict=True):
        halves[each.expiry] += int(each.risk_array.composite_delta * 2) * n
    deltas = [halves[month] * WAD // 2 for month in MONTHS]
    spreads = []
    for spread in whole.spreads:
        near, far = spread.legs
        months, ratios = [MONTHS.index(leg.expiry) for leg in (near, far)], [int(x.ratio) * WAD for x in (near, far)]
        spreads.append(Spread(*months, *ratios, int(spread.rate) * WAD))
    calendar = calendar_charge(deltas, spreads)
    least = short_minimum([n * WAD for n in amounts[len(whole.futures) :]], int(whole.som_rate) * WAD)
    assert scan == theirs.scan_risk
    assert calendar / WAD == pytest.approx(theirs.calendar_spread_charge, rel=1e-12)
    assert least == int(theirs.short_option_minimum) * WAD
    value = sum(n * int(each.price) for each, n in zip(whole.options, amounts[len(whole.futures) :], strict=True))
    assert value == theirs.net_option_value
    needed = total_requirement(scan * WAD, calendar, least, value * WAD)
    assert needed / WAD == pytest.approx(theirs.span_risk, abs=1e-9)


def test_spreads_match_what_those_before_left() -> None:
    spreads = [Spread(0, 1, WAD, WAD, 10 * WAD), Spread(0, 2, 2 * WAD, WAD, 7 * WAD)]
    assert calendar_charge([5 * WAD, -3 * WAD, -4 * WAD], spreads) == 30 * WAD + 7 * WAD
    assert calendar_charge([5 * WAD, 3 * WAD, 4 * WAD], spreads) == 0
    assert short_minimum([-3 * WAD, 9 * WAD, -WAD], 2 * WAD) == 8 * WAD
